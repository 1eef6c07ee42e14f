"""headrace premix that is interrupted: the rest is written later, and the file is what it would have been."""

import shutil
import signal
import subprocess

import h5py
import numpy as np
import pytest
from interruptions import blocks_in, interrupted
from premixing import leftovers, made, numbered, premix
from service import HEADRACE

ROWS = 40000
SMALL = "--premix.chunk=2KiB"  # so that there are many blocks


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return [numbered(tmp_path_factory.mktemp("data") / "in.h5", ROWS, 32)]


@pytest.mark.parametrize("flags", [(), ("--premix.compression=zstd:1",)])
@pytest.mark.parametrize("stagers", [None, 2])
def test_killed_at_any_block_and_resumed(tmp_path, files, flags, stagers):
    flags = (*flags, SMALL, "--seed=3")
    whole = made(tmp_path / "whole.h5", files, *flags).read_bytes()
    output = tmp_path / "out.h5"
    for attempt, blocks in enumerate((1, 7, 20)):
        resume = ("--resume",) if attempt else ()
        code, _ = interrupted("premix", output, *files, *flags, *resume, stagers=stagers, blocks=blocks)
        assert code != 0 and not output.exists()
        done = premix(output, files, *flags)
        assert done.returncode == 2 and "--resume" in done.stderr and "--force" in done.stderr
    made(output, files, *flags, "--resume", "--split-nodes", stagers=3)
    assert output.read_bytes() == whole


def test_a_run_that_died_when_all_was_there_but_its_journal(tmp_path, files):
    output = tmp_path / "out.h5"
    interrupted("premix", output, *files, SMALL, blocks=1)
    journal = [(path, path.read_bytes()) for path in tmp_path.glob("out.h5.part.*")]
    assert journal
    whole = made(output, files, SMALL, "--resume").read_bytes()
    for path, content in journal:
        path.write_bytes(content)
    done = premix(output, files, SMALL, "--resume")
    assert done.returncode == 2 and "is complete (there is nothing to resume)" in done.stderr
    assert output.read_bytes() == whole and leftovers(output) == []


def test_a_run_that_died_when_it_had_copied_what_was_there(tmp_path, files):
    flags = SMALL, "--premix.compression=zstd:1"
    whole = made(tmp_path / "whole.h5", files, *flags).read_bytes()
    output, part = tmp_path / "out.h5", f"{tmp_path}/out.h5.part"
    interrupted("premix", output, *files, *flags, blocks=3)
    for name in ("", ".blocks.0"):  # all but the facts, which move last
        shutil.copy(part + name, f"{part}.old{name}")
    interrupted("premix", output, *files, *flags, "--resume", blocks=3)
    made(output, files, *flags, "--resume")
    assert output.read_bytes() == whole


def test_sigterm_finishes_blocks_and_says_how_to_go_on(tmp_path, files):
    output = tmp_path / "out.h5"
    code, stderr = interrupted("premix", output, *files, SMALL, blocks=3, how=signal.SIGTERM)
    assert code == 1 and "stopped by SIGTERM" in stderr and "--resume" in stderr, stderr
    done = premix(output, files, SMALL, "--seed=4", "--resume")
    assert done.returncode == 2 and "seed = 0, now 4" in done.stderr
    done = premix(output, files, SMALL, "--resume", stagers=2)
    assert done.returncode == 0, done.stderr
    assert output.read_bytes() == made(tmp_path / "whole.h5", files, SMALL).read_bytes()


def test_several_files_skip_those_that_are_there(tmp_path, files):
    flags = SMALL, "--premix.file-samples=5000", "--premix.compression=lzf"
    whole = tmp_path / "whole" / "out.h5"
    whole.parent.mkdir()
    made(whole, files, *flags)
    output = tmp_path / "out.h5"
    interrupted("premix", output, *files, *flags, blocks=3)
    first = tmp_path / "out.0001.h5"
    before = first.stat().st_mtime_ns
    made(output, files, *flags, "--resume", stagers=2)
    assert first.stat().st_mtime_ns == before
    for path in whole.parent.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_refused_resume_costs_no_progress(tmp_path, files):
    flags = SMALL, "--premix.file-samples=5000", "--premix.compression=lzf"
    output = tmp_path / "out.h5"
    interrupted("premix", output, *files, *flags, blocks=3)
    written = blocks_in(output)
    done = premix(output, files, *flags, "--seed=4", "--resume")
    assert done.returncode == 2 and "seed = 0, now 4" in done.stderr and blocks_in(output) == written, done.stderr
    made(output, files, *flags, "--resume")


def test_a_disk_that_is_full_is_told_and_what_is_there_goes_on(tmp_path, flags=("--premix.compression=gzip:1",)):
    """In a file system of its own, which somebody else fills while the file is written."""
    source, disk = tmp_path / "in.h5", tmp_path / "disk"
    with h5py.File(source, "w") as file:
        for name in "abc":
            file[name] = np.random.default_rng(1).random((20000, 64))
    disk.mkdir()
    script = """mount -t tmpfs -o size=64m tmpfs "$1" || exit 77
        out="$1/o.h5"; headrace="$2"; shift 2
        head -c 24M /dev/zero >"${out%/*}/room"
        (while [ ! -e "$out.part.json" ]; do :; done; exec dd if=/dev/zero of="${out%/*}/pad" bs=1M 2>/dev/null) &
        "$headrace" premix "$@" -o "$out"; code=$?; wait; echo "code $code"
        rm "${out%/*}/pad" "${out%/*}/room"; "$headrace" premix "$@" -o "$out" --resume && cmp "$out" "${out%/*}/o.h5" && echo whole"""
    done = subprocess.run(["unshare", "-m", "bash", "-c", script, "_", disk, HEADRACE, source, *flags], capture_output=True, text=True, timeout=120)
    if done.returncode in (1, 77) and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip("only root can mount a file system")
    if "code 0" in done.stdout:  # it was done before the disk was full
        return
    assert "code 1" in done.stdout and "whole" in done.stdout, done.stdout + done.stderr
    assert "crashed" not in done.stderr and "No space left" in done.stderr, done.stderr


NO_LOG = """
#define _GNU_SOURCE
#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
int open(const char* path, int flags, mode_t mode) {
  if (strstr(path, ".part.blocks.")) { errno = EMFILE; return -1; }
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, mode_t mode) { return open(path, flags, mode); }
"""


def test_a_journal_that_cannot_be_made_ends_all_stagers(tmp_path, files):
    (tmp_path / "no_log.c").write_text(NO_LOG)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "no_log.so", tmp_path / "no_log.c"], check=True)
    output = tmp_path / "out.h5"
    done = premix(output, files, SMALL, "--premix.compression=lzf", stagers=2, LD_PRELOAD=str(tmp_path / "no_log.so"))
    assert done.returncode == 1 and "Too many open files" in done.stderr and "crashed" not in done.stderr, done.stderr
    assert leftovers(output) == [] and not output.exists()


def test_files_that_are_there_need_no_room_again(tmp_path):
    """In a file system that holds the output once, of which most is there."""
    source, disk = tmp_path / "in.h5", tmp_path / "disk"
    with h5py.File(source, "w") as file:
        file["x"] = np.random.default_rng(1).random((17500, 200), "f4")
    disk.mkdir()
    script = """mount -t tmpfs -o size=24m tmpfs "$1" || exit 77
        out="$1/o.h5"; headrace="$2"; shift 2
        "$headrace" premix "$@" -o "$out" & run=$!
        while [ ! -e "${out%.h5}.0004.h5" ] && kill -0 $run 2>/dev/null; do :; done
        kill -9 $run 2>/dev/null; wait $run
        [ -e "$out" ] || "$headrace" premix "$@" -o "$out" --resume && [ -e "$out" ] && echo whole"""
    command = ["unshare", "-m", "bash", "-c", script, "_", disk, HEADRACE, source, "--premix.file-samples=2500"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode in (1, 77) and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip("only root can mount a file system")
    assert "whole" in done.stdout, done.stdout + done.stderr
