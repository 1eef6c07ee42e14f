"""Two runs that write the same: whichever is later is told of the other, at whatever moment it comes."""

import json
import os
import signal
import subprocess

import h5py
import numpy as np
import pytest
from field_files import configuration
from inventories import inventory, npy, table
from premixing import call, leftovers, numbered
from service import HEADRACE, sockets_with, until
from shims import preloaded

ODD_DISK = str(HEADRACE.parents[1] / "lib" / "odd_disk.so")
COMMANDS = "premix", "export", "pack"

# Moments of another run's start. BLIND=N: the first N looks at the name of who writes find nobody, as before the other run
# had it, and the file BLIND_COUNT gets a byte for each of them. LATE=FILE: the name is not taken before FILE is there, and
# FILE.waits says that it is about to be.
MOMENTS = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
static int of_writer(const struct sockaddr* at, socklen_t length) {
  const struct sockaddr_un* name = (const void*)at;
  return at->sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path) &&
         memmem(name->sun_path, length - offsetof(struct sockaddr_un, sun_path), "/.write-", 8);
}
int connect(int fd, const struct sockaddr* to, socklen_t length) {
  static int blind = -1;
  if (blind < 0) blind = getenv("BLIND") ? atoi(getenv("BLIND")) : 0;
  if (!of_writer(to, length) || blind <= 0) return syscall(SYS_connect, fd, to, length);
  --blind;
  const int count = open(getenv("BLIND_COUNT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (write(count, "b", 1) != 1 || close(count) != 0) abort();
  errno = ECONNREFUSED;
  return -1;
}
int bind(int fd, const struct sockaddr* at, socklen_t length) {
  const char* late = getenv("LATE");
  if (late && of_writer(at, length)) {
    char waits[4096];
    snprintf(waits, sizeof waits, "%s.waits", late);
    close(open(waits, O_WRONLY | O_CREAT, 0644));
    while (access(late, F_OK) != 0) usleep(1000);
  }
  return syscall(SYS_bind, fd, at, length);
}
"""


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    return preloaded(tmp_path_factory.mktemp("moments"), "moments", MOMENTS)


@pytest.fixture
def writers(tmp_path):
    """What each command is to write, by its name."""
    source = numbered(tmp_path / "in.h5", 200, 8)
    (tmp_path / "0.npy").write_bytes(npy(np.arange(4.0)))
    table(tmp_path / "table.csv", [(0, 0)])
    config = configuration(tmp_path / "pack.toml", {"x": {"source": "@file"}}, inventory=inventory(tmp_path, "{id}.npy"))
    return {"premix": [source], "export": [source], "pack": ["-c", config]}


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def name_is_taken():
    """Flag __SO_ACCEPTCON: a socket that has its name may not listen yet."""
    return any(line.split()[3] == "00010000" for line in sockets_with(f"headrace/{os.geteuid()}/.write-"))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_later_one_of_two_that_begin_at_once_is_told_what_the_other_writes(tmp_path, writers, moments, command):
    output, gate = tmp_path / "out", tmp_path / "gate"
    gate.touch()
    held = os.environ | {"LD_PRELOAD": ODD_DISK, "HELD": str(gate), "BROKEN": str(writers["premix"][0])}
    other = [HEADRACE, "premix", *writers["premix"], "-o", output]
    with subprocess.Popen(other, env=held, stderr=subprocess.PIPE, text=True) as first:
        try:
            until(lambda: first.poll() is not None or name_is_taken(), "the first one's name")
            assert first.poll() is None, first.stderr.read()
            until(lambda: leftovers(output), "the first one's claim")
            # 1: the name is not there when it looks, and is when it takes it. 2: nor does its holder answer at once.
            for blind in 1, 2:
                count = tmp_path / f"blind{blind}"
                moment = {"LD_PRELOAD": moments, "BLIND": str(blind), "BLIND_COUNT": str(count)}
                done = call(command, *writers[command], "-o", output, **moment)
                told = f"'{output}' is being written by another run (pid {first.pid}); wait for its end"
                assert done.returncode == 2 and told in done.stderr, done.stderr
                assert count.stat().st_size == blind
                assert leftovers(output) == ["out.part.by"] and not output.exists()
            done = call("stop")  # of some service, whose name need not be told where there is one
            assert done.returncode == 1 and "no service of this user runs on this node" in done.stderr, done.stderr
        finally:
            gate.unlink()
        told = first.communicate(timeout=300)[1]
        assert first.returncode == 0, told
    with h5py.File(output) as file:
        assert sorted(file["y"][:]) == list(range(200))


@pytest.mark.parametrize("command", ["premix", "export"])
def test_who_writes_is_told_beside_the_output_until_a_signal(tmp_path, writers, command):
    output, gate = tmp_path / "out", tmp_path / "gate"
    gate.touch()
    held = os.environ | {"LD_PRELOAD": ODD_DISK, "HELD": str(gate), "BROKEN": str(writers["premix"][0])}
    with subprocess.Popen([HEADRACE, command, *writers[command], "-o", output], env=held, stderr=subprocess.PIPE) as run:
        try:
            by = tmp_path / "out.part.by"
            until(lambda: run.poll() is not None or (by.exists() and by.read_text().endswith("\n")), "a claim")
            told = json.loads(by.read_text())
            assert (told["pid"], told["host"]) == (run.pid, os.uname().nodename) and told["since"].endswith(" UTC")
            run.send_signal(signal.SIGTERM)
            assert run.wait(60) == 128 + signal.SIGTERM
        finally:
            gate.unlink()
            run.kill()
    assert leftovers(output) == [] and not output.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_what_another_run_wrote_between_look_and_name_stays(tmp_path, writers, moments, command):
    output, late = tmp_path / "out", tmp_path / "late"
    environment = os.environ | {"LD_PRELOAD": moments, "LATE": str(late)}
    later = [HEADRACE, command, *writers[command], "-o", output]
    with subprocess.Popen(later, env=environment, stderr=subprocess.PIPE, text=True) as second:
        try:
            waits = tmp_path / "late.waits"
            until(lambda: second.poll() is not None or waits.exists(), "a run that has looked")
            assert second.poll() is None, second.stderr.read()
            other = "export" if command == "export" else "premix"
            done = call(other, *writers[other], "-o", output)
            assert done.returncode == 0 and output.exists(), done.stderr
            before = contents(tmp_path)
        finally:
            late.touch()
        told = second.communicate(timeout=300)[1]
    exists = f"the folder '{output}' is not empty" if command == "export" else f"'{output}' exists (it would be lost)"
    assert second.returncode == 2 and exists in told, told
    assert contents(tmp_path) == before | {late: b""}


def test_a_writer_that_is_told_to_stop_has_not_done_its_work(tmp_path, writers):
    output, gate = tmp_path / "out", tmp_path / "gate"
    gate.touch()
    held = os.environ | {"LD_PRELOAD": ODD_DISK, "HELD": str(gate), "BROKEN": str(writers["premix"][0])}
    with subprocess.Popen([HEADRACE, "premix", *writers["premix"], "-o", output], env=held, stderr=subprocess.PIPE, text=True) as run:
        until(lambda: run.poll() is not None or name_is_taken(), "its name")
        [line] = [line for line in sockets_with("/.write-") if line.split()[3] == "00010000"]
        done = call("stop", line.rpartition("/")[2])
        assert done.returncode == 0 and done.stdout == "stopped\n", done.stderr
        assert run.wait(300) == 1 and not output.exists()
