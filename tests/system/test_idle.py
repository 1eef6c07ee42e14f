"""A service that has nothing to do leaves the cores to the trainers: at most one per cent of one, for each stager, or three times
what naps cost on a machine that is slow just now."""

import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from service import running

import headrace

PROMISE = 0.01
NAPS = "import time\nprint(flush=True)\nwhile True: time.sleep(0.025)"


def processor_seconds(pid):
    """Of all its threads, by the scheduler's own count: clock ticks are too coarse."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def shares(pids, seconds):
    """What each used of a core."""
    before, began = [processor_seconds(pid) for pid in pids], time.monotonic()
    time.sleep(seconds)
    length = time.monotonic() - began
    return [(processor_seconds(pid) - b) / length for pid, b in zip(pids, before)]


def allowed(run):
    return max(PROMISE, 3 * run[-1])


@pytest.mark.parametrize("split", [False, True])
def test_a_service_that_nobody_asks_sleeps(tmp_path, split):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(64)
    with running(tmp_path, [tmp_path / "a.h5"], stagers=2, batch=8, split_nodes=split) as service:
        with headrace.connect(service.name, progress=False) as stream:
            next(iter(stream)).release()
            # The calmest of three: the machine has other work, and ours is no less in it.
            with subprocess.Popen([sys.executable, "-c", NAPS], stdout=subprocess.PIPE) as napper:
                try:
                    napper.stdout.readline()  # its start is no nap
                    runs = [shares([*service.stagers(), napper.pid], 2) for _ in range(3)]
                finally:
                    napper.kill()
            busy = min(runs, key=lambda run: max(run[:-1]) / allowed(run))
        print("busy, and who only naps:", *[f"{100 * share:.2f} %" for share in busy])
        assert max(busy[:-1]) <= allowed(busy)
