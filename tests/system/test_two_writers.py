"""Two runs that write the same: whichever is later is told of the other, at whatever moment it comes."""

import os
import subprocess

import h5py
import numpy as np
import pytest
from field_files import configuration
from inventories import inventory, npy, table
from premixing import call, leftovers, numbered
from service import HEADRACE, sockets_with, until

ODD_DISK = str(HEADRACE.parents[1] / "lib" / "odd_disk.so")
COMMANDS = "premix", "export", "pack"

# Moments of another run's start. BLIND=N: the first N looks at the name of who writes find nobody, as before the other run
# had it. LATE=FILE: the name is not taken before FILE is there, and FILE.waits says that it is about to be.
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
         memmem(name->sun_path, length - offsetof(struct sockaddr_un, sun_path), "/write-", 7);
}
int connect(int fd, const struct sockaddr* to, socklen_t length) {
  static int blind = -1;
  if (blind < 0) blind = getenv("BLIND") ? atoi(getenv("BLIND")) : 0;
  if (of_writer(to, length) && blind > 0) { --blind; errno = ECONNREFUSED; return -1; }
  return syscall(SYS_connect, fd, to, length);
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
    folder = tmp_path_factory.mktemp("moments")
    (folder / "moments.c").write_text(MOMENTS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "moments.so", folder / "moments.c"], check=True)
    return str(folder / "moments.so")


@pytest.fixture
def writers(tmp_path):
    """What each command is to write, by its name."""
    source = numbered(tmp_path / "in.h5", 200, 8)
    (tmp_path / "0.npy").write_bytes(npy(np.arange(4.0)))
    table(tmp_path / "table.csv", [(0, 0)])
    config = configuration(tmp_path / "pack.toml", {"x": {"source": "@file"}}, inventory=inventory(tmp_path, "{id}.npy"))
    return {"premix": [source], "export": [source], "pack": ["-c", config]}


def contents(output):
    return {path: path.read_bytes() for path in [output, *output.glob("*")] if path.is_file()}


def name_is_taken():
    """Flag __SO_ACCEPTCON: a socket that has its name may not listen yet."""
    return any(line.split()[3] == "00010000" for line in sockets_with(f"headrace/{os.geteuid()}/write-"))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_later_one_of_two_that_begin_at_once_is_told_what_the_other_writes(tmp_path, writers, moments, command):
    output, gate = tmp_path / "out", tmp_path / "gate"
    gate.touch()
    held = os.environ | {"LD_PRELOAD": ODD_DISK, "HELD": str(gate), "BROKEN": str(writers["premix"][0])}
    with subprocess.Popen([HEADRACE, "premix", *writers["premix"], "-o", output], env=held, stderr=subprocess.PIPE, text=True) as first:
        try:
            until(name_is_taken, "the first one's name")
            # 1: the name is not there when it looks, and is when it takes it. 2: nor does its holder answer at once.
            for blind in "1", "2":
                done = call(command, *writers[command], "-o", output, LD_PRELOAD=moments, BLIND=blind)
                assert done.returncode == 2, done.stderr
                assert f"'{output}' is being written by another run (pid {first.pid}); wait for its end" in done.stderr, done.stderr
                assert leftovers(output) == [] and not output.exists()
        finally:
            gate.unlink()
        told = first.communicate(timeout=60)[1]
        assert first.returncode == 0, told
    with h5py.File(output) as file:
        assert sorted(file["y"][:]) == list(range(200))


@pytest.mark.parametrize("command", COMMANDS)
def test_what_another_run_wrote_between_look_and_name_stays(tmp_path, writers, moments, command):
    output, late = tmp_path / "out", tmp_path / "late"
    environment = os.environ | {"LD_PRELOAD": moments, "LATE": str(late)}
    with subprocess.Popen([HEADRACE, command, *writers[command], "-o", output], env=environment, stderr=subprocess.PIPE, text=True) as second:
        try:
            until((tmp_path / "late.waits").exists, "a run that has looked")
            other = "export" if command == "export" else "premix"
            done = call(other, *writers[other], "-o", output)
            assert done.returncode == 0, done.stderr
            before = contents(output)
        finally:
            late.touch()
        told = second.communicate(timeout=60)[1]
    assert second.returncode == 2 and "--force" in told and str(output) in told, told
    assert before and contents(output) == before
