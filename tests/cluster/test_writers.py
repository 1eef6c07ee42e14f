"""An output that a run on another node writes: nobody else takes it while that run lives, and anybody does when it is gone."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from across import cluster_of  # noqa: E402
from interruptions import killed  # noqa: E402
from premixing import leftovers  # noqa: E402
from service import HEADRACE, command_line, processes_with, stand_still, until  # noqa: E402

ODD_DISK = str(HEADRACE.parents[1] / "lib" / "odd_disk.so")
ROWS = 2000
NO_LOOK, LONG_LOOK = ({"HEADRACE_WAIT_WRITER": seconds} for seconds in ("0.5", "600"))


@pytest.fixture(scope="module")
def cluster():
    with cluster_of(2) as nodes:
        yield nodes


@pytest.fixture
def source(tmp_path):
    """All but `x` stands at its beginning, so that a run can look at it and not have the samples."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        datasets = file.create_dataset("y", (ROWS,), "i8"), file.create_dataset("x", (ROWS, 256), "f4")
        for dataset in datasets:
            dataset[:] = np.arange(ROWS).reshape(-1, *[1] * (dataset.ndim - 1))
    return tmp_path / "in.h5"


def writes(source, output, *flags, command="premix"):
    return [str(HEADRACE), command, str(source), "-o", str(output), *flags]


def run(cluster, node, command, **environment):
    process = cluster.popen(node, command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextlib.contextmanager
def begun(cluster, node, source, output, **how):
    """A run that has begun the output, and gets none of the samples before the file `gate` is gone."""
    gate = output.parent / "gate"
    gate.touch()
    held = {"LD_PRELOAD": ODD_DISK, "HELD": str(gate), "HELD_FROM": str(1 << 17), "BROKEN": str(source)}
    process = cluster.popen(node, writes(source, output, **how), env=held, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or Path(f"{output}.part.json").exists(), "a run that has begun")
        assert process.poll() is None, process.stderr.read()
        yield process, gate
    finally:
        gate.unlink(missing_ok=True)
        killed(str(output))
        process.communicate(timeout=60)


def pid_of(output):
    return next(pid for pid in processes_with(str(output)) if command_line(pid)[:1] == [os.fsencode(HEADRACE)])


def state_of(output):
    return {path.name: path.stat().st_ino for path in output.parent.glob(f"{output.name}*")}


@pytest.mark.parametrize("command", ["premix", "export"])
def test_a_run_that_lives_on_another_node_keeps_its_output(tmp_path, cluster, source, command):
    output = tmp_path / "out"
    with begun(cluster, "node1", source, output, command=command) as (first, gate):
        before = state_of(output)
        by = json.loads(Path(f"{output}.part.by").read_text())
        who = f"process {by['pid']} on node1, since {by['since']}"
        done = run(cluster, "node0", writes(source, output, command=command))
        assert done.returncode == 2, done.stderr
        assert f"'{output}' is being written, or was, by another run ({who})" in done.stderr, done.stderr
        for flag in "--resume", "--force":
            done = run(cluster, "node0", writes(source, output, flag, command=command), **LONG_LOOK)
            told = f"'{output}' is being written by another run ({who}; it gave a sign of life while this run looked)"
            assert done.returncode == 2 and told in done.stderr, done.stderr
        assert state_of(output) == before
        gate.unlink()
        assert first.wait(60) == 0
    assert output.exists() and leftovers(output) == []


@pytest.mark.parametrize("node, flag", [("node1", "--resume"), ("node0", "--resume"), ("node0", "--force")])
def test_a_run_that_was_killed_is_followed_at_once_or_after_a_look(tmp_path, cluster, source, node, flag):
    output = tmp_path / "out.h5"
    with begun(cluster, "node1", source, output) as (first, _):
        killed(str(output))
        assert first.wait(60) != 0
    assert Path(f"{output}.part.by").exists()
    look = LONG_LOOK if node == "node1" else NO_LOOK  # there, /proc tells
    done = run(cluster, node, writes(source, output, flag), **look)
    assert done.returncode == 0 and (f"nobody writes '{output}' any more" in done.stderr) == (node == "node0"), done.stderr
    assert leftovers(output) == []
    with h5py.File(output) as file:
        assert sorted(file["y"][:]) == list(range(ROWS))


def test_a_run_that_was_taken_for_gone_ends_when_it_goes_on(tmp_path, cluster, source):
    output = tmp_path / "out.h5"
    with begun(cluster, "node1", source, output) as (first, _):
        pid = pid_of(output)
        stand_still(pid)
        done = run(cluster, "node0", writes(source, output, "--resume"), **NO_LOOK)
        assert done.returncode == 0, done.stderr
        whole = output.read_bytes()
        for one in pid, first.pid:  # nsenter stands still with what it started
            os.kill(one, signal.SIGCONT)
        told = first.communicate(timeout=60)[1]
        assert first.returncode == 1 and f"another run has taken '{output}' over" in told, told
    assert output.read_bytes() == whole and leftovers(output) == []
