#!/usr/bin/env python3
"""Headrace against what people use today: the same file, the same batch, all consumed in Python, in one run.

    build/venv/bin/python jobs/peers.py                      all data sets, two trainers, about ten minutes
    build/venv/bin/python jobs/peers.py --only 512B --repeats 3 --json peers.json
    build/venv/bin/python jobs/peers.py --larger --repeats 3    data larger than memory: another table (peers_larger.py)

Contenders, each with as many trainer processes as `--trainers`:

    headrace       a running service; trainers attach and loop over their stream
    torch N        shuffled torch DataLoader over h5py with N workers, __getitem__ per sample (tools/bootstrap --peers)
    numpy          every sample in each process's own memory; np.take of each shuffled batch into a reused buffer, the
                   order drawn beforehand: nothing but the copies is measured

Each trainer sums the first element of every row. After a warm-up, all trainers of a contender start a time window
together; a rate is samples per second within it, summed over trainers. Contenders take turns, a window each, and a ratio
is the median of those within each turn. The files are written by h5py into a temporary folder, stay in the page cache,
and are removed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TORCH_WORKERS = (0, 2, 4)


class DataSet(NamedTuple):
    name: str
    floats: int  # float32 values of a sample
    samples: int
    batch: int
    chunk: int  # samples of an lzf chunk, or 0: contiguous

    @property
    def sample_bytes(self) -> int:
        return 4 * self.floats

    def describe(self) -> str:
        layout = f"lzf chunks of {self.chunk}" if self.chunk else "contiguous"
        return f"{self.name}: {self.samples} samples of {self.sample_bytes} B, {layout}, batch {self.batch}"


DATA_SETS = (
    DataSet("69KB", 17250, 15000, 256, 0),
    DataSet("512B", 128, 2_000_000, 1024, 0),
    DataSet("69KB-lzf", 17250, 15000, 256, 64),
)


class Task(NamedTuple):
    """What one trainer process does."""

    path: str
    batch: int
    rank: int
    trainers: int
    service: str
    workers: int


# -- contenders: a generator of batches each, run in a process of its own ----------------------------------------------


def headrace_batches(task: Task) -> Iterator[np.ndarray]:
    import headrace

    with headrace.connect(task.service, rank=task.rank, world_size=task.trainers, progress=False) as stream:
        while True:
            for batch in stream:
                yield batch["x"]


def numpy_batches(task: Task) -> Iterator[np.ndarray]:
    with h5py.File(task.path, "r") as file:
        data = file["x"][:]
    order = np.random.default_rng(0).permutation(len(data))[task.rank :: task.trainers]
    buffer = np.empty((task.batch, *data.shape[1:]), data.dtype)
    while True:
        for start in range(0, len(order) - task.batch + 1, task.batch):
            np.take(
                data, order[start : start + task.batch], axis=0, out=buffer, mode="clip"
            )  # others buffer the output
            yield buffer


class H5Samples:
    """A torch data set as its tutorials write it; the file is opened by whoever reads."""

    def __init__(self, path: str) -> None:
        self.path, self.data = path, None
        with h5py.File(path, "r") as file:
            self.samples = len(file["x"])

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, i: int) -> Any:
        import torch

        if self.data is None:
            self.data = h5py.File(self.path, "r")["x"]
        return torch.from_numpy(self.data[i])


def torch_batches(task: Task) -> Iterator[Any]:
    from torch.utils.data import DataLoader, DistributedSampler

    warnings.filterwarnings("ignore", message=".*worker processes")  # more workers than cores: we try it all the same
    data = H5Samples(task.path)
    sampler = DistributedSampler(data, task.trainers, task.rank, shuffle=True)
    loader = DataLoader(
        data, task.batch, sampler=sampler, num_workers=task.workers, drop_last=True, persistent_workers=task.workers > 0
    )
    epoch = 0
    while True:
        sampler.set_epoch(epoch)
        yield from loader
        epoch += 1


class Contender(NamedTuple):
    name: str
    batches: Callable[[Task], Iterator[Any]]
    workers: int = 0

    @property
    def warm_up(self) -> int:
        """Batches before the window: past what is prefetched, so that none of it counts as delivered for nothing."""
        return 8 if self.name == "headrace" else 2 + 2 * self.workers


def contenders(wanted: list[str]) -> list[Contender]:
    everybody = [Contender("headrace", headrace_batches)]
    everybody += [Contender(f"torch {n}", torch_batches, n) for n in TORCH_WORKERS]
    everybody += [Contender("numpy", numpy_batches)]
    return [one for one in everybody if one.name.split()[0] in wanted]


# -- measuring ---------------------------------------------------------------------------------------------------------


def trainer(contender: Contender, task: Task, window: float, barrier: Any, orders: Any) -> None:
    """One process: at each order it warms up, meets the others, consumes for `window` seconds and reports its rate."""
    batches = contender.batches(task)
    with contextlib.suppress(EOFError):  # no more orders
        while orders.recv():
            for _ in range(contender.warm_up):
                touch(next(batches))
            barrier.wait()
            samples, began = 0, time.perf_counter()
            while (elapsed := time.perf_counter() - began) < window:
                samples += touch(next(batches))
            barrier.wait()  # nobody leaves a core idle while others still measure
            orders.send(samples / elapsed)
    batches.close()


def touch(batch: Any) -> int:
    """The least that a trainer does: a look at every row."""
    float(batch[:, 0].sum())
    return len(batch)


class Team:
    """The trainers of one contender. They live through all repeats, and sleep while others are measured."""

    def __init__(self, contender: Contender, data: DataSet, path: str, service: str, options: argparse.Namespace) -> None:
        context = multiprocessing.get_context("spawn")
        self.name, self.processes, self.lines = contender.name, [], []
        self.barrier = context.Barrier(options.trainers)  # ours, too, until all have it
        for rank in range(options.trainers):
            task = Task(path, data.batch, rank, options.trainers, service, contender.workers)
            ours, theirs = context.Pipe()
            process = context.Process(target=trainer, args=(contender, task, options.window, self.barrier, theirs))
            process.start()
            theirs.close()
            self.processes.append(process)
            self.lines.append(ours)

    def rate(self) -> float:
        """Samples per second within one window, all trainers together."""
        for line in self.lines:
            line.send(True)
        waiting, total = list(self.lines), 0.0
        while waiting:
            for line in multiprocessing.connection.wait(waiting):
                try:
                    total += line.recv()
                except (EOFError, ConnectionError):
                    sys.exit(f"peers.py: a trainer of {self.name} has ended; see its message above")
                waiting.remove(line)
        return total

    def dismiss(self) -> None:
        for line in self.lines:
            line.close()
        for process in self.processes:
            process.join(30)  # a worker of torch finishes the batch in hand
            process.kill()  # those that still run when something failed


@contextlib.contextmanager
def service(data: DataSet, path: str, options: argparse.Namespace) -> Iterator[str]:
    """A running `headrace serve` over the file; yields its name."""
    name, program = f"peers-{os.getpid()}", str(options.build / "bin" / "headrace")
    command = [program, "serve", f"--files={path}", f"--name={name}", f"--batch={data.batch}", "--stay", "--quiet"]
    command.append(f"--trainers-per-node={options.trainers}")
    if options.stagers > 1:
        if os.geteuid() == 0:
            os.environ |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        command = ["mpirun", "-n", str(options.stagers), "--oversubscribe", "--bind-to", "none", *command]
    child = subprocess.Popen(command, start_new_session=True)
    try:
        while subprocess.run([program, "wait", name, "--timeout=1"], capture_output=True, check=False).returncode != 0:
            if child.poll() is not None:
                sys.exit(f"peers.py: the service ended with exit code {child.returncode}; see its message above")
        yield name
    finally:
        subprocess.run([program, "stop", name], check=False, capture_output=True)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # mpirun and its stagers


def write_file(data: DataSet, folder: Path) -> str:
    """Calorimeter-like: one value in five is not zero, so that lzf has something to do."""
    path = folder / f"{data.name}.h5"
    generator = np.random.default_rng(1)
    rows = max(1, (32 << 20) // data.sample_bytes)
    storage = {"chunks": (data.chunk, data.floats), "compression": "lzf"} if data.chunk else {}
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (data.samples, data.floats), "f4", **storage)
        for start in range(0, data.samples, rows):
            block = generator.random((min(rows, data.samples - start), data.floats), np.float32)
            dataset[start : start + len(block)] = np.maximum(block - np.float32(0.8), 0)
    return str(path)


def measure(data: DataSet, options: argparse.Namespace, field: list[Contender]) -> dict[str, list[float]]:
    """Rates of each contender, one per repeat."""
    rates: dict[str, list[float]] = {one.name: [] for one in field}
    folder = Path(tempfile.mkdtemp(prefix="headrace-peers-", dir=options.folder))
    try:
        path = write_file(data, folder)
        running = any(one.name == "headrace" for one in field)
        with contextlib.ExitStack() as stack:
            name = stack.enter_context(service(data, path, options)) if running else ""
            teams = []
            for one in field:
                teams.append(Team(one, data, path, name, options))
                stack.callback(teams[-1].dismiss)
            for repeat in range(options.repeats):
                for team in teams:
                    rates[team.name].append(team.rate())
                    progress(
                        f"{data.name} {repeat + 1}/{options.repeats} {team.name}: {rates[team.name][-1]:,.0f} samples/s"
                    )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rates


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# -- reporting ---------------------------------------------------------------------------------------------------------


def best_torch(rates: dict[str, list[float]]) -> Optional[str]:
    loaders = [name for name in rates if name.startswith("torch")]
    return max(loaders, key=lambda name: statistics.median(rates[name]), default=None)


def ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Window by window, for those of one repeat are close in time: other guests of a machine come and go."""
    ratios = [a / b for a, b in zip(ours, theirs)]
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


def report(data: DataSet, rates: dict[str, list[float]]) -> dict[str, Any]:
    """Prints the table of one data set; returns it for --json."""
    print(f"\n{data.describe()}")
    print(f"  {'':10} {'samples/s':>12} {'GB/s':>8}   {'range of GB/s':17}")
    gigabytes = {name: [value * data.sample_bytes / 1e9 for value in values] for name, values in rates.items()}
    for name, values in gigabytes.items():
        print(
            f"  {name:10} {statistics.median(rates[name]):12,.0f} {statistics.median(values):8.3f}   "
            f"{min(values):.3f} - {max(values):.3f}"
        )
    ratios = {}
    for label, peer in (("torch", best_torch(rates)), ("numpy", "numpy")):
        if peer in rates and "headrace" in rates:
            ratios[label] = ratio(rates["headrace"], rates[peer]) | {"peer": peer}
            print(
                f"  headrace / {peer}: {ratios[label]['median']:.2f}  "
                f"({ratios[label]['low']:.2f} - {ratios[label]['high']:.2f})"
            )
    return {
        **data._asdict(),
        "sample_bytes": data.sample_bytes,
        "samples_per_s": rates,
        "gbps": gigabytes,
        "ratios": ratios,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="build tree (build/release)")
    parser.add_argument(
        "--only", action="append", choices=[data.name for data in DATA_SETS], help="this data set; repeatable"
    )
    parser.add_argument(
        "--contenders", nargs="+", default=["headrace", "torch", "numpy"], choices=["headrace", "torch", "numpy"]
    )
    parser.add_argument("--trainers", type=int, default=2)
    parser.add_argument("--stagers", type=int, default=1, help="more than one: under mpirun")
    parser.add_argument("--repeats", type=int, default=9, help="turns of all contenders (9)")
    parser.add_argument("--window", type=float, default=3.0, help="seconds that are measured at a time (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of samples; the files have 1 GB each")
    parser.add_argument("--folder", help="where the files go for the time (the system's temporary folder)")
    parser.add_argument("--json", type=Path, help="write everything measured here")
    parser.add_argument("--larger", action="store_true", help="data that are four times as large as the memory allowed")
    parser.add_argument(
        "--python", type=Path, default=ROOT / "build" / "peers" / "bin" / "python",
        help="with --larger: of the environment of the others (build/peers, by tools/bootstrap --peers-larger)",
    )
    return parser.parse_args()


def main() -> None:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("peers.py: terminated"))  # through all `finally`
    sys.path.insert(0, str(options.build.resolve() / "python"))  # the trainers, too, get this path
    if options.larger:
        import peers_larger

        found = peers_larger.table(options)
        if options.json:
            options.json.write_text(json.dumps(found, indent=2) + "\n")
        return
    if "torch" in options.contenders and importlib.util.find_spec("torch") is None:
        progress("peers.py: torch is not installed, so it is left out; `tools/bootstrap --peers` installs it")
        options.contenders.remove("torch")
    results = []
    for data in DATA_SETS:
        if not options.only or data.name in options.only:
            data = data._replace(samples=int(data.samples * options.scale))
            results.append(report(data, measure(data, options, contenders(options.contenders))))
    if options.json:
        setup = {key: getattr(options, key) for key in ("trainers", "stagers", "repeats", "window")} | {
            "cpus": os.cpu_count()
        }
        options.json.write_text(json.dumps({"setup": setup, "data_sets": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
