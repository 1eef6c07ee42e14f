"""jobs/quickstart from end to end, and that nothing stays behind, however it ends."""

import os
import pathlib
import re
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
from service import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUICKSTART = str(ROOT / "jobs" / "quickstart")

pytestmark = pytest.mark.skipif(
    pathlib.Path(os.environ["HEADRACE_BUILD"]).resolve() != ROOT / "build" / "release",
    reason="another build than build/release, which the quickstart takes",
)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder where the quickstart puts its own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for variable in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "HEADRACE_NAME"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def processes_that_name(text):
    """Command lines of this machine's processes with this in them."""
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # gone meanwhile
            pass
    return [line for line in lines if text in line]


def quickstart(*args):
    return subprocess.run([QUICKSTART, *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def nothing_is_left(scratch):
    """What mpirun has killed is gone a moment later."""
    until(lambda: not list(scratch.glob("headrace-quickstart*")) and not processes_that_name(str(scratch)), "that nothing is left")


def test_a_made_up_lcd_file(scratch):
    done = quickstart("--samples", 300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the same means as by h5py") == 2
    assert "every sample exactly once" in done.stderr
    assert "ECAL, HCAL by OneHot" in done.stdout
    nothing_is_left(scratch)
    tips = done.stdout.partition("== what to try next\n")[2]
    assert "headrace bench" in tips and (ROOT / "build/release/bin/headrace-trainer").exists()  # which bench needs
    for path in re.findall(r"(?:/|jobs/|docs/)[\w./-]+", tips):
        assert (ROOT / path).exists(), path
    for folder in re.findall(r"(/[^:\s]+)(?:[:\s])", tips.splitlines()[0]):
        assert pathlib.Path(folder).is_dir(), folder


def test_a_file_of_ones_own(scratch):
    rng = np.random.default_rng(3)
    with h5py.File(scratch / "own.h5", "w") as file:
        file["group/pictures"] = rng.integers(0, 255, (101, 6, 5), dtype=np.uint8)
        file["group/label"] = rng.integers(0, 3, 101)
        file["other"] = np.zeros(7)
    done = quickstart("--data", scratch / "own.h5", "--stagers", 3, "--trainers", 1, "--epochs", 3)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the same means as by h5py") == 3
    nothing_is_left(scratch)


def test_a_file_that_cannot_be_served(scratch):
    with h5py.File(scratch / "text.h5", "w") as file:
        file["words"] = ["a", "b"]
    done = quickstart("--data", scratch / "text.h5")
    assert done.returncode == 1
    assert "the service did not start" in done.stderr
    nothing_is_left(scratch)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(scratch, number):
    out = scratch / "out"
    with out.open("w") as file:
        process = subprocess.Popen([QUICKSTART, "--samples", "300", "--epochs", "1000000"], stdout=file, stderr=file,
                                   stdin=subprocess.DEVNULL, start_new_session=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while "epoch 2" not in out.read_text():
        assert process.poll() is None, out.read_text()
        time.sleep(0.1)
    os.killpg(process.pid, number)
    assert process.wait() == 128 + number
    nothing_is_left(scratch)
