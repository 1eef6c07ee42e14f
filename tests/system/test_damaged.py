"""Files that crash HDF5: told by the commands, and nobody dies of them; and a stager that does crash says over what."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest
from service import HEADRACE

DAMAGED = sorted((pathlib.Path(__file__).parents[1] / "catalog" / "damaged").glob("*.h5"))


def run(*arguments):
    return subprocess.run([HEADRACE, *map(str, arguments)], capture_output=True, text=True, timeout=300)


COMMANDS = [["inspect"], ["serve", "--name=damaged"], ["bench", "--epochs=1"], ["plan"],
            ["stats", "--field.x.norm=standard", "--field.x.scale-file=never-written.json"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_tells_it(command):
    for path in DAMAGED[:: 1 if command == ["inspect"] else 6]:
        sound = run("inspect", path).returncode == 0  # newer HDF5 reads some of them
        if sound and command[0] == "serve":
            continue  # to nobody
        done = run(*command, path)
        assert done.returncode in ((0, 1, 2) if sound else (1,)), done.stderr
        if done.returncode == 1:
            assert f"cannot read {path} (" in done.stderr and "damaged" in done.stderr, done.stderr
            assert len(done.stderr.splitlines()) == 1


def test_the_good_ones_before_and_behind_it(tmp_path):
    h5py = pytest.importorskip("h5py")
    names = []
    for i in range(6):
        names.append(tmp_path / f"{i}.h5")
        with h5py.File(names[-1], "w") as file:
            file["x"] = range(10)
    assert run("inspect", *names).returncode == 0
    done = run("inspect", *names[:3], DAMAGED[0], *names[3:])
    assert (done.returncode, f"cannot read {DAMAGED[0]}" in done.stderr) in ((1, True), (0, False))


def test_who_looks_at_files_is_found_and_prints_nothing(tmp_path):
    done = run("examine-files", os.getppid())
    assert done.returncode == 1 and not done.stdout + done.stderr
    assert "examine-files" not in run("--help").stdout


@pytest.fixture
def late(tmp_path, monkeypatch):
    """A file whose first chunk is as it should be, and whose last one ends whoever decodes it."""
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o700)
    shutil.copy(HEADRACE.parents[1] / "crashing" / "crashing_filter.so", plugins / "libcrashing.so")  # HDF5 takes lib*.so
    monkeypatch.setenv("HDF5_PLUGIN_PATH", str(plugins))
    path = tmp_path / "late.h5"
    write = ("import h5py, sys, numpy; x = numpy.zeros((40, 4), 'u1'); x[30:] = 0xee; "
             "h5py.File(sys.argv[1], 'w').create_dataset('jets/x', data=x, chunks=(10, 4), compression=32112)")
    subprocess.run([sys.executable, "-c", write, path], check=True)
    return path


@pytest.mark.parametrize("stagers", [None, 2])
def test_a_crash_while_loading_names_file_and_dataset(tmp_path, late, stagers):
    assert run("inspect", late).returncode == 0
    launch = [] if stagers is None else ["mpirun", "-n", stagers]
    done = subprocess.run([*map(str, launch), HEADRACE, "bench", late, "--epochs=1", "--batch=4"], capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if "crashed" in line and line.startswith("headrace: on ")]
    assert len(told) == 1 and f"crashed (SIGSEGV) while it read dataset 'jets/x' in {late}; the file is damaged" in told[0], done.stderr
    assert "*** Process received signal" not in done.stderr + done.stdout
    if stagers is None:
        assert done.returncode == -signal.SIGSEGV


def test_a_filter_that_crashes_over_the_first_chunk(tmp_path, late):
    """The first chunk is tried before: then nobody but the process that tries it is at its end."""
    path = tmp_path / "early.h5"
    write = ("import h5py, sys, numpy; x = numpy.full((40, 4), 0xee, 'u1'); "
             "h5py.File(sys.argv[1], 'w').create_dataset('jets/x', data=x, chunks=(10, 4), compression=32112)")
    subprocess.run([sys.executable, "-c", write, path], check=True)
    for command in ("inspect", "serve"):
        done = run(command, path)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
        assert f"cannot read {path} (HDF5 crashes on its dataset 'jets/x', with SIGSEGV)" in done.stderr
