"""A disk that is full while headrace writes with HDF5: whichever write it is that fails, one line says so and what to do, and
what is there goes on."""

import itertools
import subprocess
from pathlib import Path

import numpy as np
import pytest
from field_files import configuration
from inventories import inventory, npy, table
from premixing import call, leftovers, numbered

# Of the writes to the file FULL_PATH so many fail (FULL_WRITES), behind the first FULL_AFTER.
FULL = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int refused(int fd) {
  static long writes = 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0 || (path[length] = 0, strcmp(path, getenv("FULL_PATH")) != 0)) return 0;
  const long ago = writes++ - atol(getenv("FULL_AFTER"));
  return ago >= 0 && ago < atol(getenv("FULL_WRITES"));
}
ssize_t pwrite64(int fd, const void* from, size_t bytes, off64_t at) {
  static ssize_t (*real)(int, const void*, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  if (refused(fd)) { errno = ENOSPC; return -1; }
  return real(fd, from, bytes, at);
}
ssize_t pwrite(int fd, const void* from, size_t bytes, off_t at) { return pwrite64(fd, from, bytes, at); }
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    (folder / "full.c").write_text(FULL)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "full.so", folder / "full.c", "-ldl"], check=True)
    return str(folder / "full.so")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def packing(folder):
    for k in range(6):
        (folder / f"{k}.npy").write_bytes(npy(np.arange(8.0) + k))
    table(folder / "table.csv", [(k, k) for k in range(6)])
    return ["-c", configuration(folder / "pack.toml", {"x": {"source": "@file"}}, inventory=inventory(folder, "{id}.npy"))]


ALL = 1 << 30


@pytest.mark.parametrize("command, flags, writes", [
    ("premix", (), ALL), ("premix", ("--premix.compression=gzip:1",), ALL), ("premix", ("--premix.file-samples=150",), ALL),
    ("pack", (), 1)], ids=["contiguous", "compressed", "several", "texts"])
def test_whichever_write_fails(tmp_path, full, command, flags, writes):
    """writes: a single one that fails is forgotten by HDF5 where nobody asks what became of it."""
    arguments = [numbered(tmp_path / "in.h5", 200, 8), *flags] if command == "premix" else packing(tmp_path)

    def made(output, *more):
        done = call(command, *arguments, "-o", output, *more)
        assert done.returncode == 0 and not leftovers(output), done.stderr

    (tmp_path / "whole").mkdir()
    made(tmp_path / "whole" / "o.h5")
    for count in itertools.count():
        output = tmp_path / str(count) / "o.h5"
        output.parent.mkdir()
        done = call(command, *arguments, "-o", output, LD_PRELOAD=full, FULL_PATH=f"{output}.part", FULL_AFTER=str(count),
                    FULL_WRITES=str(writes))
        if done.returncode == 0:
            break
        told = [line for line in done.stderr.splitlines() if not line.startswith(f"headrace {command}: ")]
        assert done.returncode == 1 and len(told) == 1 and told[0].startswith("headrace: "), done.stderr
        assert f"{output}.part: No space left on device" in told[0] and "room" in told[0] and "errno" not in told[0], told
        assert not output.exists()
        begun = Path(f"{output}.part.json").exists()
        assert begun == ("go on with --resume" in told[0]), told
        made(output, *(["--resume"] if begun else []))
        assert contents(output.parent) == contents(tmp_path / "whole")
    assert count > 3 and contents(output.parent) == contents(tmp_path / "whole")
