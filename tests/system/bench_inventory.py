#!/usr/bin/env python3
"""How fast an inventory of small files is read, beside the same files opened, read and closed in C, and beside np.load in a
loop: medians of turns taken one after another, on a warm page cache.

    HEADRACE_BUILD=build/release PYTHONPATH=build/release/python build/venv/bin/python tests/system/bench_inventory.py
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HEADRACE = Path(os.environ["HEADRACE_BUILD"]) / "bin" / "headrace"


def make_files(folder, count):
    (folder / "data").mkdir()
    image = np.random.default_rng(1).integers(0, 255, (28, 28)).astype("u1")
    with (folder / "table.csv").open("w") as table:
        table.write("id,target\n")
        for i in range(count):
            np.save(folder / f"data/{i:06}.npy", image)
            table.write(f"{i:06},{i % 10}\n")
    return [folder / f"data/{i:06}.npy" for i in range(count)]


def in_c(program, paths, threads):
    done = subprocess.run([program, str(threads)], input="\n".join(map(str, paths)), capture_output=True, text=True, check=True)
    return float(done.stdout)


def by_numpy(paths):
    begin = time.perf_counter()
    for path in paths:
        np.load(path)
    return len(paths) / (time.perf_counter() - begin)


def by_headrace(folder, count, threads):
    """As the service reports what it loaded."""
    (folder / "x.toml").write_text('linger = 0\nepochs = 1\n[inventory]\ncsv = "table.csv"\npath = "data/{id}.npy"\n'
                                   '[field.image]\nsource = "@file"\n[field.label]\nsource = "@csv.target"\n')
    log = folder / "events.log"
    log.unlink(missing_ok=True)
    process = subprocess.Popen([HEADRACE, "serve", "-c", folder / "x.toml", "--name", f"bench-{os.getpid()}", "--threads",
                                str(threads)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if found := re.search(r"loaded .* in ([\d.]+) s", line):
                return count / float(found[1])
    finally:
        process.terminate()
        process.communicate()
    raise SystemExit("the service did not load")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_files(folder, arguments.files)
        program = folder / "open_read_close"
        subprocess.run(["cc", "-O2", "-pthread", "-o", program, Path(__file__).with_name("open_read_close.c")], check=True)
        rates = {"open, read, close in C": [], "headrace": [], "np.load": []}
        for _ in range(arguments.turns):
            rates["open, read, close in C"].append(in_c(program, paths, arguments.threads))
            rates["headrace"].append(by_headrace(folder, arguments.files, arguments.threads))
            rates["np.load"].append(by_numpy(paths[: arguments.files // 5]))
        medians = {what: statistics.median(all_of) for what, all_of in rates.items()}
        for what, rate in medians.items():
            print(f"{what:24} {rate:10.0f} files/s")
        print(f"of C {medians['headrace'] / medians['open, read, close in C']:.2f} (bar 0.8), "
              f"of np.load {medians['headrace'] / medians['np.load']:.1f} (bar 8); load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(main())
