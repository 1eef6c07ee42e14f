"""headrace pack that is interrupted: the rest is written later, and the file is what it would have been."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from field_files import configuration
from interruptions import OFTEN, blocks_in, interrupted
from inventories import inventory, table
from premixing import call, leftovers
from service import HEADRACE, until
from shims import full_disk, preloaded

ODD_DISK = str(HEADRACE.parents[1] / "lib" / "odd_disk.so")
SAMPLES, ROWS = 104, 2  # of 1 MiB and some bytes each; as many in a block
# Stands still at a sample until the file `gate` lets it by: so the run is interrupted where the test wants.
GATED = """
import os, time
import numpy as np

def decode(file, record):
    number, gate = int(record["id"]), os.path.join(os.path.dirname(__file__), "gate")
    while number >= int(open(gate).read()):
        time.sleep(0.001)
    return np.full((512, 512), number, "f4") + np.arange(512, dtype="f4") / 1024

def failing(file, record):
    if int(record["id"]) in (1, 77):
        raise ValueError("no such thing")
    return decode(file, record)
"""


def open_gate(folder, number=SAMPLES):
    new = folder / "gate.new"
    new.write_text(str(number))
    new.rename(folder / "gate")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "gated.py").write_text(GATED)
    (tmp_path / "data").mkdir()
    for i in range(SAMPLES):
        (tmp_path / f"data/{i}").write_text("")
    table(tmp_path / "table.csv", [(i, i) for i in range(SAMPLES)])
    for name in ("decode", "failing"):
        configuration(tmp_path / f"{name}.toml", {"x": {"decoder": f"python:gated:{name}"}, "y": {"source": "@csv.target"}},
                      inventory=inventory(tmp_path, "data/{id}", python=sys.executable,
                                          missing="skip" if name == "failing" else "error"))
    open_gate(tmp_path)
    return tmp_path


def pack(folder, output, *flags, name="decode", **how):
    return call("pack", "-c", folder / f"{name}.toml", "-o", output, *flags, **how)


def packed(folder, output, *flags, **how):
    done = pack(folder, output, *flags, **how)
    assert done.returncode == 0, done.stderr
    assert set(leftovers(output)) <= {f"{output.name}.failed.csv"}
    return output


def stopped(folder, output, gate, *flags, name="decode", **how):
    """Exit code and stderr of a run that is interrupted before the gate, once it has written something."""
    open_gate(folder, gate)
    done = interrupted("pack", output, "-c", folder / f"{name}.toml", *flags, blocks=1,
                       then=lambda said: open_gate(folder), **how)
    open_gate(folder)
    return done


@pytest.mark.parametrize("stagers", [None, 2])
def test_killed_at_any_block_and_resumed(folder, stagers):
    whole = packed(folder, folder / "whole.h5").read_bytes()
    with h5py.File(folder / "whole.h5") as file:
        assert (file["x"][:, :, 0] == np.arange(SAMPLES)[:, None]).all() and file["x"][7, 3, 512 - 1] == 7 + 511 / 1024
    output = folder / "out.h5"
    for attempt, gate in enumerate((7, 30, 97)):
        resume = ("--resume",) if attempt else ()
        code, _ = stopped(folder, output, gate, *resume, stagers=stagers)
        assert code != 0 and not output.exists()
        done = pack(folder, output)
        assert done.returncode == 2 and "--resume" in done.stderr and "--force" in done.stderr
    written = blocks_in(output)
    assert 3 <= written < SAMPLES / ROWS
    done = pack(folder, output, "--resume", stagers=3)
    assert done.returncode == 0 and f"of which {ROWS * written} are written" in done.stderr, done.stderr
    assert output.read_bytes() == whole and leftovers(output) == []


def test_sigterm_finishes_what_is_in_hand_and_says_how_to_go_on(folder):
    output = folder / "out.h5"
    code, stderr = stopped(folder, output, 7, how=signal.SIGTERM)
    assert code == 1 and "stopped by SIGTERM" in stderr, stderr
    assert f"of {SAMPLES} samples are written; go on with --resume" in stderr, stderr
    assert not output.exists()
    done = pack(folder, output, "--resume", "--field.x.scale=2")
    assert done.returncode == 2 and "field.x.scale = unset, now 2" in done.stderr, done.stderr
    packed(folder, output, "--resume", stagers=2)
    assert output.read_bytes() == packed(folder, folder / "whole.h5").read_bytes()


def test_rows_of_another_type_do_not_join_those_written(folder):
    output = folder / "out.h5"
    code, _ = stopped(folder, output, 7, how=signal.SIGTERM)
    assert code == 1
    (folder / "gated.py").write_text(GATED + "floats = decode\ndef decode(*given):\n    return floats(*given).view('i4')\n")
    done = pack(folder, output, "--resume")
    assert done.returncode == 2 and "field.x holds = float32 (512, 512), now int32 (512, 512)" in done.stderr, done.stderr
    (folder / "gated.py").write_text(GATED)
    packed(folder, output, "--resume")
    with h5py.File(output) as file:
        assert (file["x"][:, 0, 0] == np.arange(SAMPLES)).all()


def test_what_was_left_out_before_the_break_stays_so(folder):
    whole = packed(folder, folder / "whole.h5", name="failing", stagers=2).read_bytes()
    output = folder / "out.h5"
    code, _ = stopped(folder, output, 90, name="failing")
    assert code != 0
    done = pack(folder, output, "--resume", "--inventory.missing=error", name="failing")
    assert done.returncode in (1, 2) and "samples were left out by the earlier run" in done.stderr, done.stderr
    packed(folder, output, "--resume", name="failing", stagers=2)
    assert output.read_bytes() == whole
    assert Path(f"{output}.failed.csv").read_text() == (folder / "whole.h5.failed.csv").read_text()
    with h5py.File(output) as file:
        assert file["y"][:].tolist() == [i for i in range(SAMPLES) if i not in (1, 77)]
        assert (file["x"][:, 5, 0] == file["y"][:]).all() and file.attrs["left_out"] == 2


def test_two_do_not_write_the_same_file(folder):
    output = folder / "out.h5"
    open_gate(folder, 7)
    command = [HEADRACE, "pack", "-c", str(folder / "decode.toml"), "-o", str(output)]
    with subprocess.Popen(command, env=os.environ | OFTEN, stderr=subprocess.PIPE, text=True) as run:
        until(lambda: blocks_in(output) > 0, "a block")
        done = pack(folder, output, "--force")
        assert done.returncode == 2 and f"is being written by another run (pid {run.pid})" in done.stderr, done.stderr
        open_gate(folder)
        assert run.wait(300) == 0, run.stderr.read()
    assert leftovers(output) == []


def test_a_signal_ends_it_at_once_while_it_copies_what_is_kept(folder):
    """The rows that stay cannot be read again before the gate is gone: the copy stands still as long as the test wants."""
    packed(folder, folder / "whole.h5", name="failing")
    output, held = folder / "out.h5", folder / "held"
    held.touch()
    command = [HEADRACE, "pack", "-c", str(folder / "failing.toml"), "-o", str(output)]
    odd = os.environ | {"LD_PRELOAD": ODD_DISK, "HELD": str(held), "BROKEN": f"{output}.part"}
    with subprocess.Popen(command, env=odd, stderr=subprocess.PIPE, text=True) as run:
        try:
            # The copy's log is made when its file is, and rows are read next.
            until(lambda: run.poll() is not None or Path(f"{output}.part.kept.part.blocks.0").exists(), "a copy that has begun")
            run.send_signal(signal.SIGTERM)
            stderr = run.communicate(timeout=300)[1]  # it does not wait for the disk, which stands still until it has ended
        finally:
            held.unlink()
            run.kill()
    assert run.returncode == 128 + signal.SIGTERM and "ended by SIGTERM; go on with --resume" in stderr, (run.returncode, stderr)
    assert not output.exists() and blocks_in(output) == SAMPLES / ROWS
    packed(folder, output, "--resume", name="failing")
    assert output.read_bytes() == (folder / "whole.h5").read_bytes()
    assert Path(f"{output}.failed.csv").read_text() == (folder / "whole.h5.failed.csv").read_text()


def test_a_disk_that_is_full_in_the_middle(folder):
    """Every write fails from the fortieth on: there are two in each block of rows, and some before the first."""
    output = folder / "out.h5"
    done = pack(folder, output, LD_PRELOAD=full_disk(folder), FULL_PATH=f"{output}.part", FULL_AFTER="40")
    assert done.returncode == 1 and "No space left" in done.stderr, done.stderr
    assert "make room and go on with --resume" in done.stderr, done.stderr
    assert 0 < blocks_in(output) < SAMPLES / ROWS
    packed(folder, output, "--resume")
    assert output.read_bytes() == packed(folder, folder / "whole.h5").read_bytes()


KILLED_AT_THE_END = """
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
int rename(const char* from, const char* to) {
  const int result = renameat(AT_FDCWD, from, AT_FDCWD, to);
  const size_t n = strlen(to);
  if (n > 7 && strcmp(to + n - 7, "/out.h5") == 0) raise(SIGKILL);
  return result;
}
"""


def test_the_list_of_what_is_left_out_is_there_before_the_file(folder):
    """Killed as soon as the file has its name."""
    end = preloaded(folder, "end", KILLED_AT_THE_END)
    packed(folder, folder / "whole.h5", name="failing")
    output = folder / "out.h5"
    done = pack(folder, output, name="failing", LD_PRELOAD=end)
    assert done.returncode != 0 and output.exists(), done.stderr
    assert Path(f"{output}.failed.csv").read_text() == (folder / "whole.h5.failed.csv").read_text()


def test_too_little_room_is_told_before_anything_is_read(folder):
    disk = folder / "disk"
    disk.mkdir()
    script = """mount -t tmpfs -o size=20m tmpfs "$1" || exit 77
        "$2" pack -c "$3" -o "$1/o.h5"; code=$?; ls "$1"; exit $code"""
    done = subprocess.run(["unshare", "-m", "bash", "-c", script, "_", disk, HEADRACE, folder / "decode.toml"],
                          capture_output=True, text=True, timeout=120)
    if done.returncode in (1, 77) and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip("only root can mount a file system")
    assert done.returncode == 1 and "too little room" in done.stderr and "109 MB" in done.stderr and done.stdout == "", done
