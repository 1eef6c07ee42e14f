"""A disk that is full while headrace writes with HDF5: whichever write it is that fails, one line says so and what to do, and
what is there goes on."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from field_files import configuration
from inventories import inventory, npy, table
from premixing import call, leftovers, numbered
from shims import full_disk


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return full_disk(tmp_path_factory.mktemp("full"))


@pytest.fixture
def memory():
    """A folder in memory, as each run waits several times until what it wrote is on the disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def packing(folder):
    for k in range(6):
        (folder / f"{k}.npy").write_bytes(npy(np.arange(8.0) + k))
    table(folder / "table.csv", [(k, k) for k in range(6)])
    return ["-c", configuration(folder / "pack.toml", {"x": {"source": "@file"}}, inventory=inventory(folder, "{id}.npy"))]


ALL = 1 << 30
COMPRESSED, SEVERAL = ("--premix.compression=gzip:1",), ("--premix.file-samples=150",)


@pytest.mark.parametrize("command, flags, file, failing", [
    ("premix", (), "o.h5", ALL), ("premix", COMPRESSED, "o.h5", ALL), ("premix", SEVERAL, "o.h5", ALL),
    ("premix", SEVERAL, "o.0002.h5", ALL), ("pack", (), "o.h5", 1)], ids=["contiguous", "compressed", "joining", "part", "texts"])
def test_whichever_write_fails(tmp_path, memory, full, command, flags, file, failing):
    """failing: so many in a row; a single one that fails is forgotten by HDF5 where nobody asks what became of it."""
    arguments = [numbered(tmp_path / "in.h5", 200, 8), *flags] if command == "premix" else packing(tmp_path)

    def run(number, *more, **environment):
        output = memory / str(number) / "o.h5"
        output.parent.mkdir(exist_ok=True)
        return output, call(command, *arguments, "-o", output, *more, **environment)

    def made(number, *more, **environment):
        output, done = run(number, *more, **environment)
        assert done.returncode == 0 and not leftovers(output), done.stderr
        return contents(output.parent)

    def fails_from(number):
        """Whether something was begun when the write of that number failed: then it goes on, else nothing is left."""
        part = f"{memory / str(number) / file}.part"
        output, done = run(number, LD_PRELOAD=full, FULL_PATH=part, FULL_AFTER=str(number), FULL_WRITES=str(failing))
        told = [line for line in done.stderr.splitlines() if not line.startswith(f"headrace {command}: ")]
        assert done.returncode == 1 and len(told) == 1 and told[0].startswith("headrace: "), (number, done.stderr)
        assert f"{part}: No space left on device" in told[0] and "room" in told[0] and "errno" not in told[0], told
        assert not output.exists()
        begun = Path(f"{output}.part.json").exists()
        if begun:
            assert "go on with --resume" in told[0], told
            assert made(number, "--resume") == whole
        else:
            assert "try again" in told[0] and contents(output.parent) == {}, told
        return begun

    part, counted = f"{memory / 'whole' / file}.part", tmp_path / "counted"
    whole = made("whole", LD_PRELOAD=full, FULL_PATH=part, FULL_COUNT=str(counted), FULL_AFTER="0", FULL_WRITES="0")
    writes = counted.stat().st_size
    assert writes > 3
    with ThreadPoolExecutor(4) as at_once:  # a run mostly waits
        begun = list(at_once.map(fails_from, range(writes)))
    assert begun[-1] and (flags != SEVERAL or all(begun))
