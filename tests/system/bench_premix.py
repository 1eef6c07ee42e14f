#!/usr/bin/env python3
"""What premix and export reach, beside what the same machine does at best in the same run. Medians and spread.

    PYTHONPATH=tests/system build/venv/bin/python tests/system/bench_premix.py --build build/release [--megabytes 512]

    none       of the slower of loading and a plain pwrite + fsync of the same bytes by as many processes
    codecs     of cores x what one thread of zlib compresses
    tfrecord   of a plain write of the same bytes
    h5py       times a copy by h5py in the same random order
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import zlib
from multiprocessing import Process
from pathlib import Path

import h5py
import numpy as np


def plain_writer(path, share, bytes_each):
    data = np.random.default_rng(share).bytes(4 << 20)
    file = os.open(path, os.O_WRONLY)
    for at in range(share * bytes_each, (share + 1) * bytes_each, len(data)):
        os.pwrite(file, data, at)
    os.fsync(file)
    os.close(file)


def plain_write(folder, total, processes):
    path = folder / "plain"
    path.touch()
    begin = time.perf_counter()
    workers = [Process(target=plain_writer, args=(path, share, total // processes)) for share in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - begin
    path.unlink()
    return total / seconds / 1e6


def rate(text, what):
    number, unit = re.search(rf"{what}.*\(([\d.]+) (.)B/s\)", text).groups()
    return float(number) * {"G": 1e3, "M": 1, "K": 1e-3}[unit]


def call(headrace, stagers, *arguments):
    done = subprocess.run(["mpirun", "-n", str(stagers), headrace, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def make(path, megabytes):
    rows = megabytes * 1_000_000 // 1280
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        tracks = file.create_dataset("tracks", (rows, 40, 15), "f2")
        file["jets"] = rng.normal(size=(rows, 20)).astype("f4")
        for at in range(0, rows, 10_000):
            tracks[at:at + 10_000] = rng.normal(size=(min(10_000, rows - at), 40, 15)).round(2)
    return rows


def copy_by_h5py(source, target):
    """Rows in a random order, as a script does it: a block of the target at a time."""
    begin = time.perf_counter()
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        order = np.random.default_rng(0).permutation(len(old["jets"]))
        for name, data in old.items():
            out = new.create_dataset(name, data.shape, data.dtype)
            for at in range(0, len(order), 10_000):
                picked = order[at:at + 10_000]
                ascending = np.argsort(picked)
                rows = np.empty((len(picked), *data.shape[1:]), data.dtype)
                rows[ascending] = data[picked[ascending]]
                out[at:at + len(picked)] = rows
        new.flush()
    return time.perf_counter() - begin


def shown(name, values, unit=""):
    print(f"{name:34} {statistics.median(values):10.3g} {unit:5} ({min(values):.3g} - {max(values):.3g})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--stagers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    headrace, figures = options.build / "bin/headrace", {}
    folder = Path(tempfile.mkdtemp(prefix="headrace-premix-", dir=options.folder))

    def add(name, value):
        figures.setdefault(name, []).append(value)

    try:
        rows = make(folder / "in.h5", options.megabytes)
        size = rows * 1280
        with h5py.File(folder / "in.h5") as file:
            sample = file["tracks"][:1000].tobytes()
        for _ in range(options.repeats):
            plain = plain_write(folder, size, options.stagers)
            text = call(headrace, options.stagers, "premix", folder / "in.h5", "-o", folder / "out.h5", "--force")
            load, wrote = rate(text, "loaded"), rate(text, "wrote")
            add("load MB/s", load)
            add("plain pwrite + fsync MB/s", plain)
            add("premix none MB/s", wrote)
            add("none / slower of both", wrote / min(load, plain))
            planes = np.frombuffer(sample, "u1").reshape(-1, 2).T.tobytes()
            begin = time.thread_time()
            zlib.compress(planes, 1)
            one = len(sample) / (time.thread_time() - begin) / 1e6
            text = call(headrace, options.stagers, "premix", folder / "in.h5", "-o", folder / "gz.h5", "--force",
                        "--premix.compression=gzip:1")
            add("zlib, one thread MB/s", one)
            add("premix gzip:1 MB/s", rate(text, "wrote"))
            add("gzip / cores x one thread", rate(text, "wrote") / one / os.cpu_count())
            shutil.rmtree(folder / "records", ignore_errors=True)
            text = call(headrace, options.stagers, "export", folder / "in.h5", "-o", folder / "records", "--chunk-size=20000")
            records = rate(text, "wrote")
            bytes_of_records = sum(path.stat().st_size for path in (folder / "records").iterdir())
            add("tfrecord MB/s", records)
            add("tfrecord / plain write", records / plain_write(folder, bytes_of_records, options.stagers))
        begin = time.perf_counter()
        call(headrace, options.stagers, "premix", folder / "in.h5", "-o", folder / "out.h5", "--force")
        whole = time.perf_counter() - begin
        add("times h5py in random order", copy_by_h5py(folder / "in.h5", folder / "h5py.h5") / whole)
        for name, values in figures.items():
            shown(name, values)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
