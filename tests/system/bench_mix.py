#!/usr/bin/env python3
"""A stream that mixes classes, beside the same stream without a mix: delivered by turns, medians and spread. By hand.

    bench_mix.py [--build build/release] [--rows 69000 512] [--mb 1000] [--turns 7] [--stagers 1] [--trainers 2] [--strewn]

Three classes of 1/2, 1/3 and 1/6 of the samples lie sorted in one file, or in no order (--strewn); the mix is balanced, by batch. Each turn is a run
of `headrace bench` of each, whose trainers take 4 GB; bar: 0.95 of the stream without.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np

SETTINGS = "files = ['{file}']\n[field.x]\n[stream.train]\nbatch = {batch}\n"
MIX = "class-column = 'label'\nclass-names = ['a:0', 'b:1', 'c:2']\n" + SETTINGS + "mix = 'balanced'\n"


def make(path, row, megabytes, strewn):
    rows = megabytes * 1_000_000 // row // 6 * 6
    with h5py.File(path, "w") as file:
        labels = np.repeat([0, 1, 2], [rows // 2, rows // 3, rows // 6])
        file["label"] = np.random.default_rng(1).permutation(labels) if strewn else labels
        data = file.create_dataset("x", (rows, row), "u1")
        for at in range(0, rows, 4096):
            data[at:at + 4096] = at % 251


def delivered(options, config, folder):
    figures = folder / "figures.json"
    run = subprocess.run(["mpirun", "--bind-to", "none", "-n", str(options.stagers), options.build / "bin/headrace", "bench", "-c",
                          config, "--trainers-per-node", str(options.trainers), "--repeats", "1", "--json", figures],
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(figures.read_text())["measured"]["delivered_gbps"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    parser.add_argument("--rows", type=int, nargs="+", default=[69000, 512])
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--stagers", type=int, default=1)
    parser.add_argument("--trainers", type=int, default=2)
    parser.add_argument("--strewn", action="store_true")
    options = parser.parse_args()
    for row in options.rows:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            make(folder / "data.h5", row, options.mb, options.strewn)
            configs = {}
            for name, text in {"plain": SETTINGS, "balanced": MIX}.items():
                configs[name] = folder / f"{name}.toml"
                configs[name].write_text(text.format(file=folder / "data.h5", batch=256 if row > 10_000 else 1024))
            rates = {name: [] for name in configs}
            for turn in range(options.turns):
                for name in sorted(configs, reverse=turn % 2 == 1):
                    rates[name].append(delivered(options, configs[name], folder))
        ratios = [mixed / plain for mixed, plain in zip(rates["balanced"], rates["plain"])]
        for name, values in rates.items():
            print(f"{row:6} B a row, {name:9} {statistics.median(values):6.2f} GB/s ({min(values):.2f} - {max(values):.2f})")
        middle = statistics.median(rates["balanced"]) / statistics.median(rates["plain"])
        print(f"{row:6} B a row, balanced of plain: {middle:.2f}; by turns {min(ratios):.2f} - {max(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
