"""Small files of every layout that HDF5 has, in its old format and in that of 1.10."""

import os

import h5py
import numpy as np

ROWS = 48
OLD, NEW = ("earliest", "v108"), ("v110", "v110")


def low_level(file, name, data, layout=None, alloc=None, chunks=None, maxshape=None):
    """A dataset with what h5py's own call does not offer."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if layout is not None:
        properties.set_layout(layout)
    if chunks:
        properties.set_chunk(chunks)
    if alloc is not None:
        properties.set_alloc_time(alloc)
    space = h5py.h5s.create_simple(data.shape, maxshape or data.shape)
    made = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(data.dtype), space, properties)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, data)


def contiguous(file, x, y):
    file["x"] = x
    file["big"] = y.astype(">i8")


def compact(file, x, y):
    low_level(file, "x", x, h5py.h5d.COMPACT)
    low_level(file, "z", y, h5py.h5d.COMPACT)


def chunked(file, x, y):
    """Each index of chunks: in the old format all of them are B-trees of version 1."""
    file.create_dataset("single", data=x, chunks=x.shape)
    low_level(file, "implicit", x, chunks=(8, 3), alloc=h5py.h5d.ALLOC_TIME_EARLY)
    file.create_dataset("fixed", data=x, chunks=(8, 3))
    file.create_dataset("extensible", data=x, chunks=(8, 3), maxshape=(None, 3))
    file.create_dataset("tree", data=x, chunks=(8, 2), maxshape=(None, None))
    low_level(file, "missing", x, chunks=(16, 3), alloc=h5py.h5d.ALLOC_TIME_INCR)


def gzip(file, x, y):
    file.create_dataset("x", data=x, chunks=(8, 3), compression="gzip", shuffle=True)
    file.create_dataset("z", data=x, chunks=(8, 3), maxshape=(None, 3), compression="gzip", fletcher32=True)


def other_filters(file, x, y):
    file.create_dataset("lzf", data=x, chunks=(8, 3), compression="lzf")
    file.create_dataset("offset", data=y, chunks=(16,), scaleoffset=0)
    file.create_dataset("sum", data=x, chunks=(48, 3), fletcher32=True)


def compound(file, x, y):
    rows = np.zeros(ROWS, [("a", "f4"), ("b", "i8", (2,)), ("c", "S4"), ("d", [("e", "f8"), ("f", "u1")])])
    rows["a"], rows["b"], rows["c"] = x[:, 0], y[:, None], b"abc"
    file["rows"] = rows
    file.create_dataset("chunks", data=rows, chunks=(12,), compression="gzip")


def vlen(file, x, y):
    lists = file.create_dataset("lists", (ROWS,), h5py.vlen_dtype("f4"))
    for i in range(ROWS):
        lists[i] = x[i, : 1 + i % 3]
    file.create_dataset("texts", data=[f"s{i}" for i in range(ROWS)], dtype=h5py.string_dtype())
    file.create_dataset("in_chunks", data=[f"t{i}" for i in range(ROWS)], dtype=h5py.string_dtype(), chunks=(8,), compression="gzip")


def types(file, x, y):
    file.create_dataset("colour", data=(y % 3).astype("i1"), dtype=h5py.enum_dtype({"red": 0, "green": 1, "blue": 2}, "i1"))
    file["flag"], file["complex"], file["half"], file["name"] = y > 3, x[:, 0] + 1j, x.astype("f2"), np.array([b"abc"] * ROWS)
    file["named"] = np.dtype("<i4")
    file.create_dataset("typed", data=y.astype("i4"), dtype=file["named"])
    file.create_dataset("ref", data=[file["flag"].ref] * ROWS, dtype=h5py.ref_dtype)


def attributes(file, x, y):
    file["x"] = x
    for i in range(12):
        file["x"].attrs[f"number{i}"] = np.arange(3.0) + i
    file["x"].attrs["text"], file["x"].attrs["texts"] = "metres", np.array(["a", "bc"], dtype=h5py.string_dtype())
    file.attrs["Conventions"] = "CF-1.8"
    file.attrs["_NCProperties"] = np.bytes_("version=2")


def groups(file, x, y):
    for i in range(20):
        file[f"g/h{i}/x"] = y
    file["alias"], file["soft"], file["dead"] = file["g/h3"], h5py.SoftLink("/g/h1/x"), h5py.SoftLink("/none")
    file["far"] = h5py.ExternalLink("contiguous-old.h5", "/x")


def virtual(file, x, y):
    file["a"], file["b"] = x[:24], x[24:]
    layout = h5py.VirtualLayout((ROWS, 3), "f4")
    layout[:24], layout[24:] = h5py.VirtualSource(file["a"]), h5py.VirtualSource(file["b"])
    file.create_virtual_dataset("x", layout)


def external(file, x, y):
    raw = os.path.join(os.path.dirname(file.filename), "raw.bin")
    x.tofile(raw)
    file.create_dataset("x", (ROWS, 3), "f4", external=[(raw, 0, ROWS * 12)])


LAYOUTS = (contiguous, compact, chunked, gzip, other_filters, compound, vlen, types, attributes, groups, virtual, external)


def make(folder):
    """The names of the files, made in that folder."""
    random = np.random.default_rng(0)
    x, y = random.random((ROWS, 3), "f4"), random.integers(0, 9, ROWS).astype("i2")
    names = []
    for layout in LAYOUTS:
        for version, name in ((OLD, "old"), (NEW, "new")):
            if layout is virtual and version is OLD:
                continue  # came with 1.10
            names.append(f"{layout.__name__}-{name}.h5")
            with h5py.File(os.path.join(folder, names[-1]), "w", libver=version) as file:
                layout(file, x, y)
                file["y"] = y
    return names
