#!/usr/bin/env python3
"""The figures of docs/explanation/figures.md, measured again: each against a limit of the same run.

    jobs/measure.py                       all rows, a few minutes; run it alone on the machine
    jobs/measure.py --quick               smaller data, fewer repeats: to see that it works
    jobs/measure.py --json figures.json   what every run of `headrace bench` wrote, too

What it needs is built by `cmake --preset release && cmake --build --preset release`; another build: --build DIR.
The comparison with other loaders is jobs/peers.py.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Case(NamedTuple):
    name: str
    stagers: int
    flags: list[str]
    bars: dict[str, tuple[str, float]]  # ratio -> (at least | at most, value)


def cases(quick: bool) -> list[Case]:
    large = ["--synthetic", f"69KB x {6000 if quick else 30000}", "--batch", "256"]
    small = ["--synthetic", f"512B x {400000 if quick else 2000000}", "--batch", "1024"]
    two = ["--trainers-per-node", "2"]
    usual = {"load_of_read": (">=", 0.8), "memory_of_slab": ("<=", 1.1), "idle_cpu_percent": ("<=", 1.0)}
    return [
        Case("69 KB samples, 1 stager, 2 trainers", 1, large + two, {"delivered_of_gather": (">=", 0.9), **usual}),
        Case("512 B samples, 1 stager, 2 trainers", 1, small + two, {"delivered_of_gather": (">=", 0.8), **usual}),
        # Reading and transforming overlap: 0.8 is a load within 1.25 of the plain read.
        Case("69 KB samples, scaled and cast to float16 while loading", 1,
             [*large, *two, "--field.data.scale=1500", "--field.data.dtype=float16"],
             {"load_of_read": (">=", 0.8), "memory_of_slab": ("<=", 1.1)}),
        Case("69 KB samples, 2 stagers of one node", 2, large + two, {"delivered_of_gather": (">=", 0.8), **usual}),
        Case("512 B samples, 2 stagers of one node", 2, small + two, {"delivered_of_gather": (">=", 0.8), **usual}),
        Case("69 KB samples, 2 stagers as if on two nodes", 2, large + ["--split-nodes"],
             {"exchange_of_alltoallv": (">=", 0.75), "idle_cpu_percent": ("<=", 1.0)}),
        Case("512 B samples, 2 stagers as if on two nodes", 2, small + ["--split-nodes"],
             {"exchange_of_alltoallv": (">=", 0.6), "idle_cpu_percent": ("<=", 1.0)}),
    ]


def mpi_environment() -> dict[str, str]:
    # Open MPI 5 has another name for what Open MPI 4 calls oversubscription.
    env = dict(os.environ, OMPI_MCA_rmaps_base_oversubscribe="1", PRTE_MCA_rmaps_default_mapping_policy=":OVERSUBSCRIBE")
    # Containers may forbid one process to read another's memory; MPI then copies twice, as the limit does.
    env.setdefault("OMPI_MCA_btl_vader_single_copy_mechanism", "none")
    env.setdefault("OMPI_MCA_smsc", "^cma")
    if os.geteuid() == 0:
        env |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return env


def bench(build: Path, case: Case, repeats: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        command = ["mpirun", "--bind-to", "none", "-n", str(case.stagers), str(build / "bin" / "headrace"), "bench",
                   *case.flags, "--repeats", str(repeats), "--json", str(figures)]
        run = subprocess.run(command, env=mpi_environment(), capture_output=True, text=True, timeout=1200)
        if run.returncode != 0:
            sys.exit(f"{' '.join(command)}\nfailed:\n{run.stdout}{run.stderr}")
        return json.loads(figures.read_text())


def figure(figures: dict, key: str) -> tuple[float, str]:
    """A ratio or measured value and, where there are repeats, its range as text."""
    value = figures["ratios"].get(key, figures["measured"].get(key))
    spread = figures["ranges"].get(key)
    return value, f" ({spread[0]:.2f} .. {spread[1]:.2f})" if spread else ""


def rows_of(case: Case, figures: dict) -> list[str]:
    rates = figures["measured"]["delivered_gbps"], figures["limits"]["gather_gbps"]
    lines = [f"| {case.name} | delivered {rates[0]:.1f} GB/s, gather {rates[1]:.1f} GB/s | | |"]
    for key, (sense, bar) in case.bars.items():
        value, spread = figure(figures, key)
        good = value >= bar if sense == ">=" else value <= bar
        lines.append(f"| | {key} | {value:.2f}{spread} | {sense} {bar:g}{'' if good else ' MISSED'} |")
    return lines


def computing(build: Path, quick: bool) -> tuple[dict, list[str]]:
    """Trainers that compute 20 ms a batch, and batches so large that they ask for half of what the gather allows."""
    trainers, row, compute_s, samples = 2, 69000, 0.02, 6000 if quick else 30000
    made_up = ["--synthetic", f"{row}B x {samples}", "--trainers-per-node", str(trainers)]
    gather = bench(build, Case("", 1, [*made_up, "--batch", "256"], {}), 2)["limits"]["gather_gbps"]
    batch = min(int(gather * 1e9 / 2 * compute_s / row / trainers), samples // trainers // 2)
    case = Case("", 1, [*made_up, "--batch", str(batch), "--compute", "20ms"], {})
    figures = bench(build, case, 2 if quick else 7)
    share, spread = figure(figures, "trainer_busy_share")
    demand = figures["measured"]["computed_gbps"] / figures["limits"]["gather_gbps"]
    return figures, [f"| trainers that compute 20 ms a batch, at {demand:.2f} of the gather limit | time not waiting | "
                     f"{share:.4f}{spread} | >= 0.99{'' if share >= 0.99 else ' MISSED'} |"]


def python_latency(build: Path, batches: int) -> list[str]:
    """Acquire, look at two fields, release: a batch that is ready, in Python. Between them a trainer computes for a
    millisecond; one that slept would measure how fast this machine wakes a core."""
    sys.path.insert(0, str(build / "python"))
    import h5py  # noqa: PLC0415  only this row needs it
    import numpy as np  # noqa: PLC0415

    import headrace  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.h5"
        with h5py.File(path, "w") as file:
            file["x"] = np.zeros((4096, 16), "f4")
            file["y"] = np.zeros(4096, "i8")
        config = Path(folder) / "small.toml"
        config.write_text(f'files = ["{path}"]\nbatch = 32\n')
        microseconds, matrix = [], np.ones((64, 64), "f4")
        with headrace.local(str(config)) as stream:
            while len(microseconds) < batches:
                batches_of_epoch = iter(stream)
                while True:
                    ready = time.perf_counter() + 0.001
                    while time.perf_counter() < ready:
                        matrix @ matrix
                    begin = time.perf_counter()
                    batch = next(batches_of_epoch, None)
                    if batch is None:
                        break
                    batch["x"], batch["y"]
                    batch.release()
                    microseconds.append(1e6 * (time.perf_counter() - begin))
                    del batch
    median, p99 = statistics.median(microseconds), statistics.quantiles(microseconds, n=100)[98]
    return [f"| Python: acquire, two fields, release of a ready batch | p99 {p99:.0f} us | {median:.1f} us | <= 30"
            f"{'' if median <= 30 else ' MISSED'} |"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller data, 2 repeats")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="build folder")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--only", help="cases whose name contains this")
    options = parser.parse_args()

    everything = {}
    print("| what | | median (range) | bar |\n|---|---|---|---|", flush=True)
    for case in cases(options.quick):
        if options.only and options.only not in case.name:
            continue
        everything[case.name] = figures = bench(options.build, case, 2 if options.quick else 7)
        print("\n".join(rows_of(case, figures)), flush=True)
    if not options.only or options.only in "computing":
        everything["computing"], lines = computing(options.build, options.quick)
        print("\n".join(lines), flush=True)
    if not options.only or options.only in "python":
        print("\n".join(python_latency(options.build, 200 if options.quick else 2000)), flush=True)
    if options.json:
        options.json.write_text(json.dumps(everything, indent=2))


if __name__ == "__main__":
    main()
