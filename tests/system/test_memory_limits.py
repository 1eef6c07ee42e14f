"""Memory has an end: a limit that the start accepts is enough to the end, and a trainer's end is its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import h5py
import numpy as np
import pytest
from samples import write
from service import control, running, until
from shims import greedy
from unreclaimable import Watch

import headrace

MB = 1 << 20
GREEDY = """
import headrace, sys
with headrace.connect(sys.argv[1], rank=0, world_size=1, timeout=300, progress=False) as stream:
    batch = next(iter(stream))
    print("holds", flush=True)
    kept = []
    while True:
        kept.append(bytearray(4 << 20))
"""
IN_PLACE = """
import headrace, sys
with headrace.connect(sys.argv[1], rank=0, world_size=1, timeout=300, progress=False) as stream:
    rows = 0
    for _ in range(2):
        for batch in stream:
            batch["x"][...] = batch["x"] + 1
            rows += batch.rows
            batch.release()
    print(rows)
"""


@contextlib.contextmanager
def cgroup(limit):
    """A command prefix that runs in a cgroup of so many bytes."""
    for root, key in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max")):
        group = root / f"headrace-test-{uuid.uuid4().hex[:8]}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / key).write_text(str(limit))
        except OSError:
            group.rmdir()
            continue
        try:
            yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
        finally:
            until(lambda: not (group / "cgroup.procs").read_text(), "processes left in the cgroup")
            group.rmdir()
        return
    pytest.skip("no cgroup with a memory limit can be made here")


def test_the_least_limit_that_is_accepted_is_enough(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.arange(40 * MB, dtype="u1").reshape(2560, -1)
    flags = dict(batch=64, stay=True, slots=4)

    def accepts(limit):
        with cgroup(limit) as prefix, running(tmp_path, [tmp_path / "x.h5"], prefix=prefix, listens=False, **flags) as service:
            until(lambda: service.process.poll() is not None or service.lines("loaded"), "loaded or refused")
            if service.process.poll() is None:
                return True
            assert service.wait() == 1 and service.lines("too little memory on .* but cgroup"), service.text
            return False

    low, high = 40 * MB, 300 * MB
    assert not accepts(low) and accepts(high)
    while high - low > 6 * MB:
        middle = (low + high) // 2
        low, high = (low, middle) if accepts(middle) else (middle, high)
    # What counts as used before anything is reserved differs by some pages from start to start.
    with cgroup(high + 4 * MB) as prefix, running(tmp_path, [tmp_path / "x.h5"], prefix=prefix, **flags) as service:
        service.ready()
        done = subprocess.run([sys.executable, "-c", IN_PLACE, service.name], capture_output=True, text=True)
        assert done.stdout.strip() == str(2 * 2560), done.stderr + service.text
        assert control("stop", service.name).returncode == 0
        assert service.wait() == 0
        assert service.lines("every sample exactly once")


@pytest.mark.parametrize("stagers", [None, 2])
@pytest.mark.parametrize("look", ["2", None], ids=["checked", "taken"])
def test_memory_that_somebody_else_takes_meanwhile(tmp_path, monkeypatch, look, stagers):
    """Between the first look and the check; and when samples and rings are just about to be taken."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.zeros((160 * MB >> 14, 1 << 14), "u1")
    takers = stagers if look and stagers else 1  # each stager looks, one makes the memory of all
    monkeypatch.setenv("LD_PRELOAD", greedy(tmp_path))
    monkeypatch.setenv("TAKE_BYTES", str(300 * MB // takers))
    if look:
        monkeypatch.setenv("TAKE_AT_LOOK", look)
    with cgroup(460 * MB) as prefix, \
            running(tmp_path, [tmp_path / "x.h5"], stagers, prefix=prefix, listens=False, batch=64) as service:
        assert service.wait() == 1, service.text
        said = service.lines("too little memory on .* by now")
        assert len(said) == 1 and "but cgroup" in said[0] and "somebody else took some meanwhile" in said[0], service.text
        assert ("are still to be taken" in said[0]) == (look is None)


def test_a_trainer_killed_for_memory_is_replaced(tmp_path):
    with running(tmp_path, write(tmp_path, 40), batch=4, epochs=1) as service:
        service.ready()
        with cgroup(100 * MB) as prefix:
            done = subprocess.run([*prefix, sys.executable, "-c", GREEDY, service.name], capture_output=True, text=True)
            assert done.stdout == "holds\n" and done.returncode == -signal.SIGKILL, done.stderr
        service.says("trainer 0 .* is gone")
        with headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream:
            rows = np.concatenate([batch.index.copy() for batch in stream])
        assert sorted(rows) == list(range(40))
        assert service.wait() == 0
        assert re.search("every sample exactly once", service.text)


@pytest.mark.parametrize("stagers, how", [(None, {}), (2, {"chunks": (16, 68540), "compression": "lzf"})], ids=["contiguous", "lzf"])
def test_windows_stay_within_their_budget(tmp_path, stagers, how):
    """Turns included; what the system cannot take back, so that a cgroup which is little larger does not end it."""
    rows, memory = 4200, 256 * MB
    with h5py.File(tmp_path / "x.h5", "w") as file:
        x = file.create_dataset("x", (rows, 68540), "u1", **how)
        for first in range(0, rows, 600):
            x[first:first + 600] = np.repeat((np.arange(first, first + 600) % 251).astype("u1")[:, None], 68540, axis=1)
    with cgroup(int(1.15 * memory)) as prefix, \
            running(tmp_path, [tmp_path / "x.h5"], stagers, prefix=prefix, memory=memory, block="4MiB", window=12,
                    batch=64, epochs=2) as service:
        with Watch(service.ready().stagers(), [os.getpid()]) as watch, \
                headrace.connect(service.name, rank=0, world_size=1, timeout=300, progress=False) as stream:
            for _ in range(2):
                for batch in stream:
                    assert np.array_equal(batch["x"][:, 7], batch.index % 251)
                    batch.release()
        assert service.wait() == 0 and service.lines("regime window") and service.lines("every sample exactly once"), service.text
    assert 0.3 * memory < watch.most < 1.05 * memory
