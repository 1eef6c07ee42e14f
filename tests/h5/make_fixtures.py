"""Writes the HDF5 files that the tests of h5, reader and inspect read: python make_fixtures.py FOLDER.

Values come from a formula of sample and element, which the tests know too (tests/h5/formula.hpp):
    value(seed, sample, element) = (seed * 1000003 + sample * 8191 + element * 127) mod 251
so that they fit every type, and are distinct enough that a row out of place is seen.
"""

import os
import sys

import h5py
import numpy as np

TYPES = ["<i1", "<u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8",
         "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]


def values(seed, first, rows, row_shape, dtype):
    elements = int(np.prod(row_shape, dtype=np.int64))
    sample = np.arange(first, first + rows, dtype=np.int64)[:, None]
    element = np.arange(elements, dtype=np.int64)[None, :]
    number = (seed * 1000003 + sample * 8191 + element * 127) % 251
    if np.dtype(dtype) == np.bool_:
        number = number % 2
    elif np.dtype(dtype).kind == "i":
        number = number - 125
    return number.astype(dtype).reshape((rows, *row_shape))


def types(folder):
    with h5py.File(f"{folder}/types.h5", "w") as f:
        for seed, name in enumerate(TYPES):
            order = "be" if name[0] == ">" else "le"
            f.create_dataset(f"{name[1:]}_{order}", data=values(seed, 0, 37, (3, 2), name))
        f.create_dataset("flag", data=values(50, 0, 37, (5,), np.bool_))


def layouts(folder):
    """107 samples, in a prime number, in every layout; the seed of dataset k (by name) is 100 + k."""
    rows, shape = 107, (6, 5, 4)
    made = {
        "a_contiguous": {},
        "b_chunks": dict(chunks=(10, 6, 5, 4)),
        "c_gzip_shuffle": dict(chunks=(16, 6, 5, 4), compression="gzip", shuffle=True),
        "d_lzf": dict(chunks=(9, 6, 5, 4), compression="lzf", shuffle=True),
        "e_fletcher32": dict(chunks=(25, 6, 5, 4), fletcher32=True, compression="gzip"),
        "f_parts": dict(chunks=(7, 4, 5, 3), compression="gzip"),
        "g_one_sample": dict(chunks=(1, 6, 5, 4), compression="lzf"),
        "h_all_in_one": dict(chunks=(107, 6, 5, 4), compression="gzip", compression_opts=9, shuffle=True),
        "i_inner": dict(chunks=(20, 1, 5, 4)),
        "j_beyond": dict(chunks=(30, 8, 5, 4), maxshape=(None, None, 5, 4), shuffle=True),
        "k_fletcher_plain": dict(chunks=(11, 6, 5, 4), fletcher32=True),
        "l_lzf_plain": dict(chunks=(13, 6, 5, 4), compression="lzf"),
    }
    with h5py.File(f"{folder}/layouts.h5", "w") as f:
        for k, (name, how) in enumerate(made.items()):
            f.create_dataset(f"deep/er/{name}", data=values(100 + k, 0, rows, shape, "<f4"), **how)
        noise = np.random.default_rng(5).integers(0, 256, (rows, 31), dtype=np.uint8)
        f.create_dataset("noise", data=noise, chunks=(10, 31), compression="lzf")  # chunks that LZF cannot shrink
        f.create_dataset("noise_gzip", data=noise, chunks=(10, 31), compression="gzip", shuffle=True)
        f.create_dataset("noise_plain", data=noise)
        f.create_dataset("scaled", data=values(120, 0, rows, (4,), "<i4"), chunks=(10, 4), scaleoffset=0)
        f.create_dataset("never_written", shape=(rows, 3), dtype="<f4", fillvalue=7.5)
        holes = f.create_dataset("holes", shape=(rows, 3), dtype="<f4", chunks=(10, 3), compression="gzip", fillvalue=-2)
        holes[20:40] = values(130, 20, 20, (3,), "<f4")
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((rows, 2))
        d = h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact)
        d.write(h5py.h5s.ALL, h5py.h5s.ALL, values(140, 0, rows, (2,), "<f4"))


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


def odd(folder):
    with h5py.File(f"{folder}/odd.h5", "w") as f:
        table = np.zeros(10, dtype=[("pt", "<f4"), ("eta", ">f8"), ("id", "<i4", (3,)), ("ok", "?")])
        f.create_dataset("table", data=table)
        f.create_dataset("text", data=np.array([b"a", b"bc"] * 5))
        f.create_dataset("words", data=["a", "bc"] * 5, dtype=h5py.string_dtype())
        ragged = f.create_dataset("ragged", (10,), dtype=h5py.vlen_dtype(np.int32))
        ragged[0] = [1, 2, 3]
        f.create_dataset("kind", data=np.arange(10) % 3, dtype=h5py.enum_dtype({"up": 0, "down": 1, "strange": 2}, "i4"))
        f.create_dataset("complex", data=np.zeros(10, np.complex64))
        f.create_dataset("pair", shape=(10,), dtype=np.dtype(("<f4", (2,))))
        f.create_dataset("alone", data=3.5)
        f.create_dataset("none", data=h5py.Empty("f4"))
        f.create_dataset("wide_float", data=np.zeros(10, np.longdouble))
        f.create_dataset("hollow", shape=(10, 0), dtype="f4")
        f.create_dataset("x", data=values(9, 0, 10, (2,), "<f4"))
        f["group/soft"] = h5py.SoftLink("/x")
        f["group/loop"] = h5py.SoftLink("/group")
        f["group/outside"] = h5py.ExternalLink("missing.h5", "/x")
        f["group/self"] = f["group"]
        f["group/hard"] = f["x"]
    with h5py.File(f"{folder}/only_odd.h5", "w") as f:
        f.create_dataset("table", data=table)
        f.create_dataset("text", data=np.array([b"a", b"bc"] * 5))
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
    with h5py.File(f"{folder}/block.h5", "w", userblock_size=1024) as f:
        f.create_dataset("x", data=values(6, 0, 50, (3,), "<f4"))
    with h5py.File(f"{folder}/master.h5", "w") as f:
        f["entry/block"] = h5py.ExternalLink("block.h5", "/x")
        f["entry/gone"] = h5py.ExternalLink("missing.h5", "/x")
    with h5py.File(f"{folder}/virtual.h5", "w") as f:
        layout = h5py.VirtualLayout(shape=(50, 3), dtype="<f4")
        layout[:] = h5py.VirtualSource(f"{folder}/block.h5", "x", shape=(50, 3))
        f.create_virtual_dataset("x", layout)


def newer(folder):
    """A dataset in the newest format that h5py's HDF5 knows: more than HDF5 1.10 does, where h5py has 2.0 or later."""
    with h5py.File(f"{folder}/newest.h5", "w", libver="latest") as f:
        f.create_dataset("x", data=values(1, 0, 20, (4,), "<f4"), chunks=(5, 4), compression="gzip")
        f.create_dataset("y", data=values(2, 0, 20, (4,), "<f4"))
    with h5py.File(f"{folder}/tail.h5", "w") as f:  # its data end where the file ends
        f.create_dataset("x", data=values(3, 0, 50, (4,), "<f4"), chunks=(10, 4))


def damaged(folder):
    rows = 64
    with h5py.File(f"{folder}/flipped.h5", "w") as f:
        f.create_dataset("x", data=values(7, 0, rows, (50,), "<f4"), chunks=(8, 50), fletcher32=True)
        offset = f["x"].id.get_chunk_info(3).byte_offset
    with open(f"{folder}/flipped.h5", "r+b") as f:
        f.seek(offset + 17)
        byte = f.read(1)
        f.seek(offset + 17)
        f.write(bytes([byte[0] ^ 0x10]))
    with open(f"{folder}/layouts.h5", "rb") as f:
        whole = f.read()
    with open(f"{folder}/truncated.h5", "wb") as f:
        f.write(whole[: len(whole) // 2])
    with open(f"{folder}/text.h5", "w") as f:
        f.write("this is no HDF5 file, whatever its name says\n" * 100)
    for version in 1, 2, 5:  # NetCDF-3: classic, with 64-bit offsets, with 64-bit data
        with open(f"{folder}/classic{version}.nc", "wb") as f:
            f.write(b"CDF" + bytes([version]) + bytes(200))
    open(f"{folder}/empty.h5", "w").close()
    unknown = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    unknown.set_chunk((8, 4))
    unknown.set_filter(32123, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    with h5py.File(f"{folder}/unknown_filter.h5", "w") as f:
        space = h5py.h5s.create_simple((rows, 4))
        d = h5py.h5d.create(f.id, b"x", h5py.h5t.IEEE_F32LE, space, unknown)
        d.write_direct_chunk((0, 0), bytes(128), 0)


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    for make in (types, layouts, several, odd, newer, damaged):
        make(folder)


if __name__ == "__main__":
    main()
