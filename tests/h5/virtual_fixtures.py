"""Virtual files over small sources, for make_fixtures.py: in FOLDER/virtual, with sources in FOLDER/virtual/plain.

Sample s of every x is values(1, s), of every y values(2, s), whatever they are made of; where a source is lost on purpose
the fill value is -9.
"""

import os

import h5py
import numpy as np

from formula import values

ROWS = [40, 17, 23]  # of the plain sources
N = sum(ROWS)
LOST = -9


def make(folder):
    top = f"{folder}/virtual"
    os.makedirs(f"{top}/plain", exist_ok=True)
    os.makedirs(f"{top}/elsewhere", exist_ok=True)
    before = os.getcwd()
    os.chdir(top)  # h5py writes names of sources as they are given
    try:
        sources()
        seen_through()
        read_by_hdf5()
        lost()
        odd_shapes()
        many()
        raw()
    finally:
        os.chdir(before)


def x(first, rows):
    return values(1, first, rows, (4,), "<f4")


def y(first, rows):
    return values(2, first, rows, (), "<i8")


def source(name, first, rows, how=None, **attributes):
    with h5py.File(name, "w") as f:
        d = f.create_dataset("data/x", data=x(first, rows), **(how or {}))
        d.attrs.update(attributes)
        f.create_dataset("y", data=y(first, rows))
        f["unmapped"] = np.arange(3)


def sources():
    first = 0
    for k, rows in enumerate(ROWS):
        how = [{}, dict(chunks=(5, 4), compression="gzip"), dict(chunks=(7, 4))][k]
        source(f"plain/p{k}.h5", first, rows, how, units="of the source", only_there=1)
        first += rows
    source("plain/p3.h5", N, 11)
    source("plain/none.h5", 0, 0, dict(maxshape=(None, 4), chunks=(5, 4)))
    for k in range(2):
        with h5py.File(f"plain/odd{k}.h5", "w") as f:  # every second row
            f["x"] = x(0, N)[k::2]
    with open("plain/corrupt.h5", "wb") as f:
        f.write(b"not HDF5 at all" * 100)
    with h5py.File("plain/renamed.h5", "w") as f:
        f["data/other"] = np.zeros((17, 4), "f4")


def layout(parts, rows, name="data/x", shape=(4,), dtype="<f4"):
    whole = h5py.VirtualLayout((rows, *shape), dtype)
    first = 0
    for file, n in parts:
        whole[first:first + n] = h5py.VirtualSource(file, name, shape=(n, *shape))
        first += n
    return whole


def virtual(name, parts, rows=None, with_y=True):
    rows = rows or sum(n for _, n in parts)
    with h5py.File(name, "w") as f:
        f.create_virtual_dataset("x", layout(parts, rows), fillvalue=LOST)
        if with_y:
            f.create_virtual_dataset("y", layout(parts, rows, "y", (), "<i8"), fillvalue=LOST)


PLAIN = [(f"plain/p{k}.h5", rows) for k, rows in enumerate(ROWS)]


def seen_through():
    virtual("through.h5", PLAIN)
    with h5py.File("through.h5", "a") as f:
        f.attrs["Conventions"] = "CF-1.8"
        f["x"].attrs["units"] = "of the virtual file"
        f["version"] = 7
        f["z_alias"] = f["x"]
    virtual("with_an_empty_one.h5", [PLAIN[0], ("plain/none.h5", 0), *PLAIN[1:]])
    with h5py.File("nested.h5", "w") as f:
        for name, shape, dtype in (("x", (4,), "<f4"), ("y", (), "<i8")):
            whole = h5py.VirtualLayout((N + 11, *shape), dtype)
            whole[:N] = h5py.VirtualSource("through.h5", name, shape=(N, *shape))
            whole[N:] = h5py.VirtualSource("plain/p3.h5", "data/x" if name == "x" else "y", shape=(11, *shape))
            f.create_virtual_dataset(name, whole)
    if not os.path.lexists("elsewhere/linked.h5"):
        os.symlink("../through.h5", "elsewhere/linked.h5")
    virtual("elsewhere/relative.h5", PLAIN)  # as seen from the folder above
    virtual("absolute.h5", [(os.path.abspath(file), rows) for file, rows in PLAIN])


def read_by_hdf5():
    for k, (rows_x, rows_y) in enumerate([(40, 17), (40, 63)]):
        with h5py.File(f"plain/cut{k}.h5", "w") as f:
            f["x"] = x(40 * k, rows_x)
            f["y"] = y(17 * k, rows_y)
    with h5py.File("cuts.h5", "w") as f:
        f.create_virtual_dataset("x", layout([("plain/cut0.h5", 40), ("plain/cut1.h5", 40)], N, "x"))
        f.create_virtual_dataset("y", layout([("plain/cut0.h5", 17), ("plain/cut1.h5", 63)], N, "y", (), "<i8"))
    virtual("beside.h5", PLAIN, with_y=False)
    with h5py.File("beside.h5", "a") as f:
        f["y"] = y(0, N)
    with h5py.File("self.h5", "w") as f:
        f["raw/x"] = x(0, N)
        whole = h5py.VirtualLayout((N, 4), "<f4")
        whole[:] = h5py.VirtualSource(f["raw/x"])
        f.create_virtual_dataset("x", whole)
    with h5py.File("every_second.h5", "w") as f:
        whole = h5py.VirtualLayout((N, 4), "<f4")
        for k in range(2):
            whole[k::2] = h5py.VirtualSource(f"plain/odd{k}.h5", "x", shape=(N // 2, 4))
        f.create_virtual_dataset("x", whole)
    with h5py.File("columns.h5", "w") as f:
        whole = h5py.VirtualLayout((40, 4), "<f4")
        for columns in (slice(0, 1), slice(1, 4)):
            whole[:, columns] = h5py.VirtualSource("plain/p0.h5", "data/x", shape=(40, 4))[:, columns]
        f.create_virtual_dataset("x", whole)
    with h5py.File("parts.h5", "w") as f:
        whole = h5py.VirtualLayout((30, 4), "<f4")
        whole[:] = h5py.VirtualSource("plain/p0.h5", "data/x", shape=(40, 4))[:30]
        f.create_virtual_dataset("x", whole)
    with h5py.File("wider.h5", "w") as f:
        f.create_virtual_dataset("x", layout(PLAIN, N, dtype="<f8"))
    for k in range(2):
        with h5py.File(f"plain/block{k}.h5", "w") as f:
            f.create_dataset("x", data=x(40 * k, 40), maxshape=(None, 4), chunks=(5, 4))
    numbered("numbered.h5", "plain/block%b.h5")
    numbered("numbered_lost.h5", "plain/nowhere%b.h5")
    for name, file in (("unlimited.h5", "plain/block0.h5"), ("unlimited_lost.h5", "plain/nowhere.h5")):
        whole = h5py.VirtualLayout((40, 4), "<f4", maxshape=(None, 4))
        part = h5py.VirtualSource(file, "x", shape=(40, 4), maxshape=(None, 4))
        whole[:h5py.h5s.UNLIMITED, :] = part[:h5py.h5s.UNLIMITED, :]
        with h5py.File(name, "w") as f:
            f.create_virtual_dataset("x", whole)


def numbered(name, pattern):
    space = h5py.h5s.create_simple((80, 4), (h5py.h5s.UNLIMITED, 4))
    space.select_hyperslab((0, 0), (h5py.h5s.UNLIMITED, 1), stride=(40, 4), block=(40, 4))
    every = h5py.h5s.create_simple((40, 4))
    every.select_all()
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.VIRTUAL)
    properties.set_virtual(space, pattern.encode(), b"x", every)
    with h5py.File(name, "w") as f:
        h5py.h5d.create(f.id, b"x", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((0, 4), (h5py.h5s.UNLIMITED, 4)), properties)


def lost():
    for name in "gone", "corrupt", "renamed":
        virtual(f"{name}.h5", [PLAIN[0], (f"plain/{name}.h5", 17), PLAIN[2]])
    virtual("uncovered.h5", PLAIN[:2], N)
    with h5py.File("corner.h5", "w") as f:  # one element of some rows is in no source
        whole = h5py.VirtualLayout((40, 4), "<f4")
        whole[:, :3] = h5py.VirtualSource("plain/p0.h5", "data/x", shape=(40, 4))[:, :3]
        whole[:25, 3:] = h5py.VirtualSource("plain/p0.h5", "data/x", shape=(40, 4))[:25, 3:]
        f.create_virtual_dataset("x", whole, fillvalue=LOST)
    with h5py.File("nested_lost.h5", "w") as f:
        whole = h5py.VirtualLayout((N, 4), "<f4")
        whole[:] = h5py.VirtualSource("gone.h5", "x", shape=(N, 4))
        f.create_virtual_dataset("x", whole, fillvalue=LOST)


def odd_shapes():
    with h5py.File("plain/flat.h5", "w") as f:
        f["data/x"] = values(1, 0, 40, (), "<f4")
    with h5py.File("flat.h5", "w") as f:  # HDF5 reads across the rows of such a source
        whole = h5py.VirtualLayout((40, 4), "<f4")
        whole[:] = h5py.VirtualSource("plain/flat.h5", "data/x", shape=(40, 4))[:, :]
        f.create_virtual_dataset("x", whole)
    virtual("shrunk.h5", [("plain/p0.h5", 50), PLAIN[1]], with_y=False)
    with h5py.File("itself.h5", "w") as f:  # moved from where it lay beside another of that name
        whole = h5py.VirtualLayout((40, 4), "<f4")
        whole[:] = h5py.VirtualSource("/nowhere/itself.h5", "x", shape=(40, 4))
        f.create_virtual_dataset("x", whole)
    for k in range(2):  # HDF5 follows these until its stack ends
        with h5py.File(f"circle{k}.h5", "w") as f:
            whole = h5py.VirtualLayout((40, 4), "<f4")
            whole[:] = h5py.VirtualSource(f"circle{1 - k}.h5", "x", shape=(40, 4))
            f.create_virtual_dataset("x", whole)


def many():
    """80 samples of 40 files, in turn."""
    with h5py.File("many.h5", "w") as f:
        whole = h5py.VirtualLayout((N, 4), "<f4")
        for k in range(40):
            with h5py.File(f"plain/many{k}.h5", "w") as g:
                g["x"] = x(0, N)[k::40]
            whole[k::40] = h5py.VirtualSource(f"plain/many{k}.h5", "x", shape=(2, 4))
        f.create_virtual_dataset("x", whole)


def raw():
    x(0, N).tofile("whole.raw")
    x(0, 30).tofile("short.raw")
    with h5py.File("raw_relative.h5", "w") as f:
        f.create_dataset("x", (N, 4), "<f4", external=[("whole.raw", 0, h5py.h5f.UNLIMITED)])
    for name in "whole", "short", "nowhere":
        with h5py.File(f"raw_{name}.h5", "w") as f:
            half = N // 2 * 16
            f.create_dataset("x", (N, 4), "<f4", external=[(os.path.abspath("whole.raw"), 0, half),
                                                           (os.path.abspath(f"{name}.raw"), half, half)])
            f["y"] = y(0, N)
