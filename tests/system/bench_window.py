#!/usr/bin/env python3
"""What is delivered window by window, beside raw reads of the same blocks in turns with it: a table.

    tests/system/bench_window.py BUILD DIR [--throttle BYTES] [--data BYTES] [--only WORD]

DIR is on the disk that is measured; --throttle reads from it at that rate, as root with cgroups of version 1. Each turn
drops the file from the page cache, reads blocks in another order with as many threads as the service has, then takes two
epochs from the service, which has read its first windows by then. Where chunks are compressed, bench_filters decodes them
in each turn, too, from memory into memory on all cores; the limit is then the lesser of both. The time is that of the
windows which are read meanwhile.

  fair     what the cores can do at best: read and decode all (bench_filters), and deliver as much: processor time that a
           service takes for that which has the samples in memory, measured in the same turn
  read     bytes that the disk gave for these epochs, of those that they are stored in
  memory   the most that could not be reclaimed, looked at ten times a second, of the budget
  first    seconds from the plan until the first batch, of what is allowed: 1.1 windows at the limit, and half a second
  seek     the same after a seek to another window, cold
"""

import json
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
from unreclaimable import Watch  # noqa: E402

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
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # else it reads ahead what other blocks have
    workers = [threading.Thread(target=work) for _ in range(threads)]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    os.close(descriptor)
    return time.monotonic() - begin


def decoding(build, path):
    """GB/s of samples that all cores decode; that they read, from the page cache, and decode."""
    done = subprocess.run([build / "bin/bench_filters", path, str(os.cpu_count()), "1", "x"], capture_output=True, text=True, check=True)
    return float(re.search(r"decoding ([0-9.]+)", done.stdout)[1]), float(re.search(r"reading and decoding ([0-9.]+)", done.stdout)[1])


def figure(pid, file, name):
    return int(re.search(rf"^{name}: +(\d+)", Path(f"/proc/{pid}/{file}").read_text(), re.M)[1])


def read_bytes(pids):
    """That these have had from disks."""
    return sum(figure(pid, "io", "read_bytes") for pid in pids)


def processor_seconds(pids):
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def epochs(stream, count=2):
    """When each batch came, and how long it was waited for."""
    times, waits = [], []
    for _ in range(count):
        steps = iter(stream)
        while True:
            asked = time.monotonic()
            if (taken := next(steps, None)) is None:
                break
            times.append(time.monotonic())
            waits.append(times[-1] - asked)
            taken.release()
    return times, waits


def two_epochs(stream):
    """Windows a second as shares of an epoch, and the share of the time that was waited for batches: from the first batch of
    the third window on, which had to be read, to the first one of the last window of the next epoch."""
    times, waits = epochs(stream)
    window = len(times) / 2 / WINDOWS
    first, last = int(2 * window) + 1, int((2 * WINDOWS - 1) * window) + 1
    seconds = times[last] - times[first]
    return (2 * WINDOWS - 3) / WINDOWS / seconds, sum(waits[first + 1:last + 1]) / seconds


def connect(service, **options):
    return headrace.connect(service.name, rank=0, world_size=1, progress=False, **options)


class Case:
    """A file, and the services over it."""

    def __init__(self, options, case, folder, prefix, running):
        self.name, self.row, self.batch, self.stagers, self.how = case
        self.options, self.folder, self.prefix, self.running = options, Path(folder), prefix, running
        self.path = self.folder / "data.h5"
        self.samples = make(self.path, self.row, options.data, self.how)
        self.bytes = self.samples * self.row
        self.window = int(options.data / WINDOWS)
        self.memory = int((64 * self.stagers + 96) * MB + 2.4 * self.window + 6 * self.batch * self.row)
        self.limits, self.fair, self.figures = [], [], {}

    def service(self, **flags):
        return self.running(self.folder, [self.path], self.stagers, prefix=self.prefix, batch=self.batch, slots=4,
                            window=f"{self.window}B", **{"memory": self.memory, **flags})

    def note(self, **figures):
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def limit(self, resident, held):
        """Of this turn, in GB/s: of the disk, of decoding; and what is fair."""
        rate = self.bytes / raw(self.path, os.cpu_count()) / 1e9
        self.note(raw=rate)
        self.limits.append(rate)
        if not self.how:
            return
        decoded, read_too = decoding(self.options.build, self.path)
        pids = [*resident.stagers(), os.getpid()]
        begin = processor_seconds(pids)
        epochs(held)
        deliver = (processor_seconds(pids) - begin) / (2 * self.bytes / 1e9)  # s of one core for a GB
        self.limits[-1] = min(rate, decoded)
        self.note(decoded=decoded, fair=min(rate, 1 / (1 / read_too + deliver / os.cpu_count())))

    def deliver(self, service, stream):
        drop(self.path)
        pids, before = service.stagers(), read_bytes(service.stagers())
        with Watch(pids, [os.getpid()]) as watch:
            rate, waited = two_epochs(stream)
        self.note(delivered=self.bytes * rate / 1e9, waits=waited, memory=watch.most / self.memory,
                  read=(read_bytes(pids) - before) / (2 * self.path.stat().st_size))
        self.note(of_least=self.figures["delivered"][-1] / self.limits[-1])
        if self.how:
            self.note(of_fair=self.figures["delivered"][-1] / self.figures["fair"][-1])

    def first_batches(self):
        allowed = 1.1 * self.window / 1e9 / statistics.median(self.limits) + 0.5
        log = self.folder / "first.log"
        log.unlink(missing_ok=True)
        drop(self.path)
        with self.service(log=log) as service, connect(service, timeout=600) as stream:
            next(iter(stream)).release()
            first = time.time()
            start = next(json.loads(line) for line in log.read_text().splitlines() if json.loads(line)["event"] == "start")["time"]
            drop(self.path)
            asked = time.monotonic()
            stream.seek(1, self.samples // self.batch // 2)
            next(iter(stream)).release()
            self.note(first=(first - start) / allowed, seek=(time.monotonic() - asked) / allowed)

    def run(self):
        with self.service() as service, self.service(memory=int(8 * self.bytes + (1 << 30))) as resident:
            assert service.ready().lines("regime window"), service.text
            assert resident.ready().lines("regime resident"), resident.text
            with connect(service) as stream, connect(resident) as held:
                for _ in range(self.options.repeats):
                    self.limit(resident, held)
                    self.deliver(service, stream)
        for _ in range(self.options.repeats):
            self.first_batches()


COLUMNS = ["raw", "decoded", "fair", "delivered", "of_least", "of_fair", "waits", "read", "memory", "first", "seek"]


def main():
    options = options_of(__doc__)
    os.environ["HEADRACE_BUILD"] = str(options.build.resolve())
    from service import running  # noqa: PLC0415 - it wants to know where the build is
    print(f"{'case':18}" + "".join(f"{name:>10}" for name in COLUMNS) + f"   GB/s of samples, medians of {options.repeats}")
    for case in CASES:
        if options.only not in case[0]:
            continue
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, throttled(folder, options.throttle) as prefix:
            if options.throttle:  # this process reads, too
                Path(prefix[2].split()[3]).write_text(str(os.getpid()))
            one = Case(options, case, folder, prefix, running)
            try:
                one.run()
            finally:
                if options.throttle:  # a group with processes stays
                    Path("/sys/fs/cgroup/blkio/cgroup.procs").write_text(str(os.getpid()))
            print(f"{one.name:18}" + "".join(f"{statistics.median(one.figures[name]):10.3f}" if name in one.figures else f"{'':10}"
                                             for name in COLUMNS), flush=True)


if __name__ == "__main__":
    main()
