"""Writes the HDF5 files that the tests of h5, reader and inspect read: python make_fixtures.py FOLDER.

Each *_fixtures.py beside this file makes those of one idea. Here are ordinary data sets, in one file and in several, shapes
and names that are not, the newest format, and folders as Python makes them, with nothing in them.
"""

import os
import sys

import h5py
import numpy as np

import chunk_fixtures
import damaged_fixtures
import foreign_fixtures
import kind_fixtures
import link_fixtures
import virtual_fixtures
from formula import values


def several(folder):
    """Three files of 40, 0 and 23 samples as one data set; chunked otherwise in the last one."""
    first = 0
    for name, rows, how in [("a", 40, {}), ("b", 0, dict(chunks=(4, 4))), ("c", 23, dict(chunks=(5, 4), compression="gzip"))]:
        with h5py.File(f"{folder}/part_{name}.h5", "w") as f:
            f.create_dataset("x", data=values(1, first, rows, (4,), "<f4"), maxshape=(None, 4) if how else None, **how)
            f.create_dataset("y", data=values(2, first, rows, (), "<i8"))
            if name != "c":
                f.create_dataset("only_some", data=values(3, first, rows, (2,), "<u1"))
        first += rows


def unlike(folder):
    """x in four files of 31, 17, 5 and 24 samples: in another type, order and layout in each; the third lacks it."""
    first = 0
    made = [("a", 31, "<f4", {}), ("b", 17, ">f8", dict(chunks=(4, 3), compression="gzip")), ("c", 5, None, {}),
            ("d", 24, "<i2", dict(chunks=(24, 3)))]
    for name, rows, kind, how in made:
        with h5py.File(f"{folder}/unlike_{name}.h5", "w") as f:
            if kind:
                f.create_dataset("x", data=values(11, first, rows, (3,), "<u1").astype(kind), **how)
            f.create_dataset("y", data=values(12, first, rows, (), "<u4"))
        first += rows


def shapes(folder):
    """No dataset, no samples, and datasets that differ in what those of one data set share."""
    with h5py.File(f"{folder}/no_dataset.h5", "w") as f:
        f.create_group("empty")
    with h5py.File(f"{folder}/no_samples.h5", "w") as f:
        f.create_dataset("x", shape=(0, 4), dtype="f4")
    with h5py.File(f"{folder}/lengths.h5", "w") as f:
        for name, rows in [("a", 10), ("b", 10), ("c", 12), ("d", 12), ("long", 900)]:
            f.create_dataset(name, data=values(4, 0, rows, (8,) if name in "cd" else (2,), "<f4"))
    with h5py.File(f"{folder}/other_shape.h5", "w") as f:
        f.create_dataset("x", data=np.zeros((5, 5), "<f4"))
        f.create_dataset("y", data=np.zeros(5, "<i8"))
    with h5py.File(f"{folder}/other_type.h5", "w") as f:
        f.create_dataset("x", data=np.zeros((5, 4), "<f8"))
        f.create_dataset("y", data=np.zeros(5, "<i8"))
    with h5py.File(f"{folder}/empty_ones.h5", "w") as f:  # those without rows are the most
        for name in "abc":
            f.create_dataset(f"i/{name}", shape=(0,), dtype="f4", maxshape=(None,), chunks=(8,))
        f["x"] = values(32, 0, 40, (4,), "<f4")
        f["y"] = values(33, 0, 40, (), "<i8")


def names(folder):
    """Names with brackets and dots."""
    with h5py.File(f"{folder}/brackets.h5", "w") as f:
        for seed, name in enumerate(("hits[0]", "a.b", "odd]name", "y")):
            f[name] = values(40 + seed, 0, 40, (), "<i4")


def in_several_files(folder):
    """One HDF5 file in several: the drivers family and split."""
    for name in "fam%d.h5", "famlong%05d.h5":
        with h5py.File(f"{folder}/{name}", "w", driver="family", memb_size=4096) as f:
            f["x"] = np.arange(4000.0)
    with h5py.File(f"{folder}/split", "w", driver="split") as f:
        f["x"] = np.arange(4000.0)


def newer(folder):
    """A dataset in the newest format that h5py's HDF5 knows: more than HDF5 1.10 does, where h5py has 2.0 or later."""
    with h5py.File(f"{folder}/newest.h5", "w", libver="latest") as f:
        f.create_dataset("x", data=values(1, 0, 20, (4,), "<f4"), chunks=(5, 4), compression="gzip")
        f.create_dataset("y", data=values(2, 0, 20, (4,), "<f4"))
    with h5py.File(f"{folder}/tail.h5", "w") as f:  # its data end where the file ends
        f.create_dataset("x", data=values(3, 0, 50, (4,), "<f4"), chunks=(10, 4))


def python(folder):
    """Folders as Python makes them, with nothing in them."""
    for packages in "venv/lib/python3.11/site-packages", ".local/lib/python3.12/site-packages":
        os.makedirs(f"{folder}/python/{packages}/hdf5plugin/plugins", exist_ok=True)
    os.makedirs(f"{folder}/python/venv/bin", exist_ok=True)
    open(f"{folder}/python/venv/bin/python3", "w").close()


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    for make in (several, unlike, shapes, names, in_several_files, newer, python):
        make(folder)
    for module in (chunk_fixtures, kind_fixtures, link_fixtures, foreign_fixtures, virtual_fixtures):
        module.make(folder)
    damaged_fixtures.make(folder)  # last: one of them is half of another file


if __name__ == "__main__":
    main()
