#!/usr/bin/env python3
"""Early start beside loading first, in turns: when the first batch comes, and the end of epoch 0, of the load: a table.

    tests/system/bench_early.py BUILD DIR [--throttle BYTES] [--data BYTES] [--only WORD]

DIR is on the disk that is measured; --throttle reads from it at that rate, as root with cgroups of version 1. Each turn
drops the file from the page cache, and starts a service that loads first (`load`: what its log says of that) and one that
starts early; seconds of the latter count from the moment it begins to read, as the log has it. Its trainer is there
before, and takes what it is given. `read`: what of the file had come from the disk when the first batch did, read-ahead and all.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import headrace

sys.path.insert(0, str(Path(__file__).parent))
from bench_scratch import options_of, throttled  # noqa: E402
from bench_window import CASES, drop, make  # noqa: E402


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def read_by(pid):
    """Bytes that a process has had from disks."""
    return int(next(line for line in Path(f"/proc/{pid}/io").read_text().splitlines() if line.startswith("read_bytes")).split()[1])


def turn(running, folder, path, stagers, prefix, batch, start):
    """Seconds of the load, until the first batch, and of epoch 0; what was read of the file until that batch."""
    drop(path)
    log = folder / f"{start}.log"
    log.unlink(missing_ok=True)
    with running(folder, [path], stagers, prefix=prefix, batch=batch, log=log, start=start, epochs=1) as service:
        with headrace.connect(service.name, rank=0, world_size=1, timeout=600, progress=False) as stream:  # it waits already
            first, read = None, 0
            for taken in stream:
                if first is None:
                    first, read = time.time(), sum(read_by(pid) for pid in service.stagers())
                taken.release()
            end = time.time()
        service.wait()
    said = events(log)
    loaded = next(event for event in said if event["event"] == "loaded")
    began = loaded["time"] - loaded["seconds"]
    return loaded["seconds"], first - began, end - began, read / path.stat().st_size


def main():
    options = options_of(__doc__)
    os.environ["HEADRACE_BUILD"] = str(options.build.resolve())
    from service import running  # noqa: PLC0415 - it wants to know where the build is

    print(f"{'case':20} {'load, s':>8} {'first, s':>9} {'of load':>8} {'read':>8} {'epoch 0':>8} {'of load':>8}   medians of {options.repeats}")
    for name, row, batch, stagers, how in CASES:
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, throttled(folder, options.throttle) as prefix:
            path = Path(folder) / "data.h5"
            make(path, row, options.data, how)
            loads, firsts, reads, epochs = [], [], [], []
            for _ in range(options.repeats):
                loads.append(turn(running, Path(folder), path, stagers, prefix, batch, "loaded")[0])
                _, first, epoch, read = turn(running, Path(folder), path, stagers, prefix, batch, "early")
                firsts.append(first)
                reads.append(read)
                epochs.append(epoch)
            load = statistics.median(loads)
            print(f"{name:20} {load:8.2f} {statistics.median(firsts):9.2f} {statistics.median(firsts) / load:8.3f} "
                  f"{statistics.median(reads):8.3f} "
                  f"{statistics.median(epochs):8.2f} {statistics.median(epochs) / load:8.3f}", flush=True)


if __name__ == "__main__":
    main()
