"""headrace premix over what is there: --force replaces all of it or tells so, --verify knows a file from another, and what is somebody's own stays."""

import os
import shutil
import signal
import subprocess

import h5py
import numpy as np
import pytest
from interruptions import interrupted
from order import epoch_order
from premixing import leftovers, made, premix
from service import HEADRACE, until

ROWS = 1000
SPLIT = "--premix.file-samples=250"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "in.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.random.default_rng(1).normal(size=(ROWS, 8)).astype("f4")
        file["y"] = np.arange(ROWS)
    return [path]


def column(path, name="y"):
    with h5py.File(path) as file:
        return file[name][:].tolist()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(done, code, *words):
    assert done.returncode == code and all(word in done.stderr for word in words), (done.returncode, done.stderr)
    assert "filesystem error" not in done.stderr
    return True


@pytest.mark.parametrize("name", ["a%%b.h5", "cut_50%.h5", "x%b.h5"])
def test_percent_signs_in_names(tmp_path, files, name):
    output = tmp_path / name
    done = premix(output, files, SPLIT, "--field.p%%q%.source=y", "--field.x.source=x", "--verify")
    assert done.returncode == 0, done.stderr
    assert column(output, "p%%q%") == epoch_order(ROWS)
    moved = tmp_path / "again.h5"
    made(moved, [output], "--shuffle=none")  # by this program's own reader of virtual files
    assert column(moved, "p%%q%") == epoch_order(ROWS)


@pytest.mark.parametrize("seed", [5, 2**63, 2**64 - 1])
def test_seeds_are_told_as_they_are(tmp_path, files, seed):
    with h5py.File(made(tmp_path / "o.h5", files, f"--seed={seed}")) as file:
        assert int(file.attrs["seed"]) == seed
