#!/usr/bin/env python3
"""What is delivered window by window, beside raw reads of the same blocks in turns with it: a table.

    tests/system/bench_window.py BUILD DIR [--throttle BYTES] [--data BYTES] [--only WORD]

DIR is on the disk that is measured; --throttle reads from it at that rate, as root with cgroups of version 1. Each turn
drops the file from the page cache, reads blocks in another order with as many threads as the service has, then takes two
epochs from the service, which has read its first windows by then. Where chunks are compressed, bench_filters decodes them
in each turn, too, from memory into memory on all cores; the limit is then the lesser of both. The time is that of the
windows which are read meanwhile.
"""

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import h5py
import headrace
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from bench_scratch import options_of, throttled  # noqa: E402

MB = 1 << 20
CASES = [  # name, bytes of a sample, batch, stagers, how it lies
    ("69 KB", 68540, 128, 1, {}),
    ("69 KB, 2 stagers", 68540, 128, 2, {}),
    ("4 KB", 4096, 1024, 1, {}),
    ("69 KB, lzf", 68540, 128, 1, {"compression": "lzf"}),
    ("69 KB, gzip", 68540, 128, 1, {"compression": "gzip", "compression_opts": 1}),
]
BLOCK, WINDOWS = 16 * MB, 8


def make(path, row, data, how):
    samples, numbers = int(data / row), np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        chunks = {"chunks": (max(1, MB // row), row)} if how else {}
        x = file.create_dataset("x", (samples, row), "u1", **chunks, **how)
        for first in range(0, samples, 1024):
            # Three bits of eight: as sparse physics, it shrinks.
            x[first:first + 1024] = numbers.integers(0, 8, (min(1024, samples - first), row), "u1")
        file["label"] = np.arange(samples) % 7
    return samples


def drop(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def raw(path, threads):
    """Seconds to read all of it, block by block in random order."""
    drop(path)
    offsets = list(range(0, path.stat().st_size, BLOCK))
    random.shuffle(offsets)

    def work():
        buffer = bytearray(8 * MB)
        while offsets:
            try:
                offset = offsets.pop()
            except IndexError:
                return
            for part in (0, 8 * MB):
                os.preadv(descriptor, [buffer], offset + part)
            os.posix_fadvise(descriptor, offset, BLOCK, os.POSIX_FADV_DONTNEED)

    descriptor = os.open(path, os.O_RDONLY)
    workers = [threading.Thread(target=work) for _ in range(threads)]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    os.close(descriptor)
    return time.monotonic() - begin


def decoding(build, path):
    """GB/s of samples that all cores decode."""
    done = subprocess.run([build / "bin/bench_filters", path, str(os.cpu_count()), "1", "x"], capture_output=True, text=True, check=True)
    return float(re.search(r"decoding ([0-9.]+)", done.stdout)[1])


def two_epochs(stream):
    """Windows a second as shares of an epoch, and the share of the time that was waited for batches: from the first batch of
    the third window on, which had to be read, to the first one of the last window of the next epoch."""
    times, waits = [], []
    for _ in range(2):
        steps = iter(stream)
        while True:
            asked = time.monotonic()
            if (taken := next(steps, None)) is None:
                break
            times.append(time.monotonic())
            waits.append(times[-1] - asked)
            taken.release()
    window = len(times) / 2 / WINDOWS
    first, last = int(2 * window) + 1, int((2 * WINDOWS - 1) * window) + 1
    seconds = times[last] - times[first]
    return (2 * WINDOWS - 3) / WINDOWS / seconds, sum(waits[first + 1:last + 1]) / seconds


def main():
    options = options_of(__doc__)
    os.environ["HEADRACE_BUILD"] = str(options.build.resolve())
    from service import running  # noqa: PLC0415 - it wants to know where the build is
    print(f"{'case':20} {'raw':>6} {'decoded':>7} {'delivered':>9} {'of least':>8} {'waits':>6}   GB/s of samples, medians of {options.repeats}")
    for name, row, batch, stagers, how in CASES:
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, throttled(folder, options.throttle) as prefix:
            path = Path(folder) / "data.h5"
            samples = make(path, row, options.data, how)
            if options.throttle:  # this process reads, too
                Path(prefix[2].split()[3]).write_text(str(os.getpid()))
            window = int(options.data / WINDOWS)
            memory = int((64 * stagers + 96) * MB + 2.4 * window + 6 * batch * row)
            with running(Path(folder), [path], stagers, prefix=prefix, window=f"{window}B", memory=memory, batch=batch, slots=4) as service:
                assert service.ready().lines("regime window"), service.text
                raws, decoded, rates, ratios, waits = [], [], [], [], []
                with headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream:
                    for _ in range(options.repeats):
                        raws.append(samples * row / raw(path, os.cpu_count()) / 1e9)
                        if how:
                            decoded.append(decoding(options.build, path))
                        drop(path)
                        rate, waited = two_epochs(stream)
                        rates.append(samples * row * rate / 1e9)
                        ratios.append(rates[-1] / min([raws[-1], *decoded[-1:]]))
                        waits.append(waited)
            print(f"{name:20} {statistics.median(raws):6.2f} {statistics.median(decoded) if decoded else float('nan'):7.2f} "
                  f"{statistics.median(rates):9.2f} {statistics.median(ratios):8.3f} {statistics.median(waits):6.2f}", flush=True)


if __name__ == "__main__":
    main()
