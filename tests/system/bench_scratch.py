#!/usr/bin/env python3
"""What samples on a disk are delivered at, beside raw reads of the same records and gather in the same run: a table.

    tests/system/bench_scratch.py BUILD DIR [--throttle BYTES] [--data BYTES] [--only WORD]

DIR is on the disk that is measured (files and scratch); --throttle reads from it at that rate, as root with cgroups of
version 1. Medians of `headrace bench`, which measures limits and service in turns.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

CASES = [  # name, bytes of a sample, batch, stagers, share in memory
    ("69 KB", 68540, 256, 1, 0.02),
    ("69 KB, half in memory", 68540, 256, 1, 0.5),
    ("69 KB, 2 stagers", 68540, 256, 2, 0.04),
    ("4 KB", 4096, 1024, 1, 0.02),
    ("4 KB, 2 stagers", 4096, 1024, 2, 0.04),
    ("512 B", 512, 4096, 1, 0.04),
]
MB = 1 << 20


@contextlib.contextmanager
def throttled(folder, rate):
    """A command prefix that reads from the folder's disk at so many bytes a second."""
    if not rate:
        yield []
        return
    group = Path("/sys/fs/cgroup/blkio") / f"headrace-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    device = os.stat(folder).st_dev
    (group / "blkio.throttle.read_bps_device").write_text(f"{os.major(device)}:{os.minor(device)} {rate}")
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        group.rmdir()


def options_of(description):
    """What the benchmarks of disks are told: build, folder, throttle, data, repeats, only."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--throttle", type=int, default=0)
    parser.add_argument("--data", type=float, default=1e9)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="")
    return parser.parse_args()


def main():
    options = options_of(__doc__)
    headrace = options.build.resolve() / "bin" / "headrace"
    print(f"{'case':24} {'disk':>6} {'raw':>7} {'gather':>7} {'delivered':>9} {'of limit':>8} {'load':>6}   GB/s, medians of {options.repeats}")
    for name, row, batch, stagers, share in CASES:
        if options.only not in name:
            continue
        samples = int(options.data / row)
        sizes = [f"--batch={batch}", "--slots=8"]
        need = json.loads(subprocess.run([headrace, "plan", f"--samples={samples}", f"--row-bytes={row}", "--memory=100TiB", "--json",
                                          f"--stagers-per-node={stagers}", *sizes], capture_output=True, text=True, check=True).stdout)["memory"]
        memory = int(need["rings"] + need["buffers"] + stagers * 9 * MB + share * need["store"])
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, throttled(folder, options.throttle) as prefix:
            launch = ["mpirun", "--oversubscribe", "-n", str(stagers)] if stagers > 1 else []
            done = subprocess.run([*prefix, *launch, headrace, "bench", "--synthetic", f"{row} x {samples}", f"--scratch={folder}", f"--memory={memory}",
                                   f"--repeats={options.repeats}", f"--round={int(options.data)}", f"--json={folder}/f.json", *sizes],
                                  env={**os.environ, "TMPDIR": folder}, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(done.stderr)
            figures = json.loads(Path(f"{folder}/f.json").read_text())
        limits, measured = figures["limits"], figures["measured"]
        assert figures["audit"]["exactly_once"]
        print(f"{name:24} {100 * limits['on_disk']:5.0f}% {limits['disk_gbps']:7.3f} {limits['gather_gbps']:7.2f} {measured['delivered_gbps']:9.3f} "
              f"{figures['ratios']['delivered_of_disk']:8.3f} {measured['load_gbps']:6.2f}", flush=True)


if __name__ == "__main__":
    main()
