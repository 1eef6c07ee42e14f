"""Writes the HDF5 files that the tests of h5, reader and inspect read: python make_fixtures.py FOLDER.

Values come from a formula of sample and element, which the tests know too (tests/h5/formula.hpp):
    value(seed, sample, element) = (seed * 1000003 + sample * 8191 + element * 127) mod 251
so that they fit every type, and are distinct enough that a row out of place is seen.
"""

import ctypes
import os
import sys

import h5py
import hdf5plugin
import numpy as np

import virtual_fixtures

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


def leave_borders_unfiltered(plist):
    """H5Pset_chunk_opts, which h5py does not offer, of the very HDF5 that it uses."""
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "libhdf5-" in line or "libhdf5.so" in line)
    assert ctypes.CDLL(path).H5Pset_chunk_opts(ctypes.c_int64(plist.id), ctypes.c_uint(2)) >= 0


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


def partly_file(path, libver):
    with h5py.File(path, "w", libver=libver) as f:
        some = f.create_dataset("some_chunks", (60, 4), "<i4", chunks=(7, 4), fillvalue=-9)
        some[:30] = values(200, 0, 30, (4,), "<i4")
        f.create_dataset("all_chunks", data=values(201, 0, 60, (4,), "<i4"), chunks=(7, 4))
        f.create_dataset("half_tiles", (60, 4), "<i4", chunks=(40, 4), fillvalue=-9)[:40] = values(202, 0, 40, (4,), "<i4")
        f.create_dataset("nothing", (60,), "<f4", fillvalue=2.5)
        f.create_dataset("nothing_chunked", (60,), "<f4", chunks=(9,), fillvalue=3.5)
        # LZF cannot shrink these few bytes, so that the chunk is stored as it is and its mask says so.
        few = np.array([6, 8, 4, 2, 1, 3, 0, 1, 1, 7, 8, 2, 7, 1, 7, 8, 2, 3, 9, 8, 2, 3, 0, 6, 4, 3, 0, 6, 0, 3] * 2, "i1")
        f.create_dataset("raw_chunk", data=few, chunks=(30,), compression="lzf")
        f.create_dataset("raw_rows", data=few)


def partly(folder):
    """What HDF5 must not be asked to read collectively; the seeds are 200 and up."""
    for name, libver in ("partly", "earliest"), ("partly_new", ("v110", "v110")):  # other indexes of chunks
        partly_file(f"{folder}/{name}.h5", libver)
    with h5py.File(f"{folder}/one_row.h5", "w") as f:
        f.create_dataset("nothing", (1,), "<f4", fillvalue=2.5)


def filters(folder):
    """107 samples of every filter that there is a codec for; the seed of dataset k (in this order) is 300 + k."""
    rows, shape = 107, (6, 5, 4)
    h = hdf5plugin
    made = {
        "lz4": h.LZ4(), "lz4_blocks": h.LZ4(nbytes=100), "zstd": h.Zstd(7), "bzip2": h.BZip2(2),
        "bits": h.Bitshuffle(cname="none"), "bits_lz4": h.Bitshuffle(cname="lz4"), "bits_zstd": h.Bitshuffle(cname="zstd"),
        "bits_blocks": h.Bitshuffle(nelems=64, cname="lz4"),
        **{f"blosc_{c}": h.Blosc(cname=c, shuffle=s) for c, s in
           [("blosclz", 1), ("lz4", 1), ("lz4hc", 2), ("zlib", 1), ("zstd", 2)]},
        **{f"blosc2_{c}": h.Blosc2(cname=c, filters=s) for c, s in [("blosclz", 0), ("lz4", 1), ("zstd", 2)]},
        "szip": dict(compression="szip", compression_opts=("nn", 8)), "szip_ec": dict(compression="szip", compression_opts=("ec", 16)),
    }
    with h5py.File(f"{folder}/filters.h5", "w") as f:
        for k, (name, how) in enumerate(made.items()):
            f.create_dataset(name, data=values(300 + k, 0, rows, shape, "<f4"), chunks=(16, *shape), **how)
        noise = np.random.default_rng(7).integers(0, 256, (rows, 33), dtype=np.uint8)  # nothing that any could shrink
        f.create_dataset("noise", data=noise)
        for name, how in made.items():
            if not name.startswith("szip"):
                f.create_dataset(f"noise_{name}", data=noise, chunks=(13, 33), fletcher32=True, **how)
    with h5py.File(f"{folder}/borders.h5", "w", libver=("v110", "v110")) as f:  # 107 and 6 are no multiples of 20 and 4
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((20, 4, 5, 4))
        plist.set_shuffle()
        plist.set_deflate(4)
        leave_borders_unfiltered(plist)
        space = h5py.h5s.create_simple((rows, *shape), (h5py.h5s.UNLIMITED, *shape))
        d = h5py.h5d.create(f.id, b"x", h5py.h5t.IEEE_F32LE, space, plist)
        d.write(h5py.h5s.ALL, h5py.h5s.ALL, values(330, 0, rows, shape, "<f4"))


def indexes(folder):
    """600 samples in every index of chunks, unfiltered and filtered; the seed of dataset k (in this order) is 400 + k.
    Up to HDF5 1.8 all have a B-tree, of the first version; since then that depends on how they may grow. `sparse_...`
    have rows 100 to 199 and 590 to 599 only."""
    rows, shape = 600, (5,)
    few = (50, 5), (9, 2)  # in whole rows, and in parts of rows that reach over the border
    made = {}
    for kind, chunks, how in [
            ("single", [(600, 5)], dict(maxshape=(600, 5))), ("fixed", few, {}), ("fixed_many", [(1, 1)], {}),
            ("extensible", few, dict(maxshape=(None, 5))), ("extensible_many", [(1, 1)], dict(maxshape=(None, 5))),
            ("btree2", few, dict(maxshape=(None, None))), ("btree2_many", [(1, 1)], dict(maxshape=(None, None)))]:
        for chunk in chunks:
            for name, filters in ("", {}), ("_gzip", dict(compression="gzip", shuffle=True)):
                made[f"{kind}_{chunk[0]}{name}"] = dict(chunks=chunk, **how, **filters)
    order = np.random.default_rng(3).permutation(rows // 50) * 50
    for name, libver in ("indexes", "earliest"), ("indexes_new", ("v110", "v110")):
        for block in 0, 512:
            with h5py.File(f"{folder}/{name}{'_block' if block else ''}.h5", "w", libver=libver, userblock_size=block) as f:
                for k, (kind, how) in enumerate(made.items()):
                    data = values(400 + k, 0, rows, shape, "<i4")
                    whole = f.create_dataset(kind, data.shape, "<i4", **how)
                    sparse = f.create_dataset(f"sparse_{kind}", data.shape, "<i4", fillvalue=-7, **how)
                    for first in order:
                        whole[first:first + 50] = data[first:first + 50]
                    sparse[590:] = data[590:]
                    sparse[100:200] = data[100:200]
                    if how["chunks"] == (50, 5) and "compression" in how:  # as it is, and shuffled only
                        whole.id.write_direct_chunk((150, 0), data[150:200].tobytes(), 3)
                        mixed = data[250:300].view("u1").reshape(-1, 4).T
                        whole.id.write_direct_chunk((250, 0), mixed.tobytes(), 2)
                early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                early.set_chunk((50, 5))
                early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                d = h5py.h5d.create(f.id, b"implicit", h5py.h5t.STD_I32LE, h5py.h5s.create_simple((rows, 5)), early)
                d.write(h5py.h5s.ALL, h5py.h5s.ALL, values(399, 0, rows, shape, "<i4"))


def python(folder):
    """Folders as Python makes them, with nothing in them."""
    for packages in "venv/lib/python3.11/site-packages", ".local/lib/python3.12/site-packages":
        os.makedirs(f"{folder}/python/{packages}/hdf5plugin/plugins", exist_ok=True)
    os.makedirs(f"{folder}/python/venv/bin", exist_ok=True)
    open(f"{folder}/python/venv/bin/python3", "w").close()


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
        f.create_dataset("nothing", (50, 3), "<f4", fillvalue=4.5)
    with h5py.File(f"{folder}/master.h5", "w") as f:
        f["entry/block"] = h5py.ExternalLink("block.h5", "/x")
        f["entry/gone"] = h5py.ExternalLink("missing.h5", "/x")
    with h5py.File(f"{folder}/virtual.h5", "w") as f:
        layout = h5py.VirtualLayout(shape=(50, 3), dtype="<f4")
        layout[:] = h5py.VirtualSource(f"{folder}/block.h5", "x", shape=(50, 3))
        f.create_virtual_dataset("x", layout)


def low_level(f, path, file_type, data):
    """A dataset of a type that NumPy does not know; data: its bytes, as they stand in the file."""
    made = h5py.h5d.create(f.id, path.encode(), file_type, h5py.h5s.create_simple((len(data),)))
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, data, file_type)


def compound_type(size, members):
    made = h5py.h5t.create(h5py.h5t.COMPOUND, size)
    for name, offset, member in members:
        made.insert(name, offset, member)
    return made


def string_type(size, padding, charset=h5py.h5t.CSET_ASCII):
    made = h5py.h5t.C_S1.copy()
    made.set_size(size)
    made.set_strpad(padding)
    made.set_cset(charset)
    return made


def narrow_type(like, bits, offset=0):
    made = like.copy()
    made.set_precision(bits)
    made.set_offset(offset)
    return made


STRINGS = [b"ab\0\0\0\0", b"ab    ", b"ab\0cd\0", b"abcdef", b"\0\0\0\0\0\0", b" ab   "]


def kinds(folder):
    """Bitfields, times, strings of each padding, complex numbers, and numbers that no CPU takes as they are."""
    t = h5py.h5t
    with h5py.File(f"{folder}/kinds.h5", "w") as f:
        count = np.arange(40)
        low_level(f, "b8", t.STD_B8LE, count.astype("u1"))
        low_level(f, "b16", t.STD_B16BE, (count * 1000).astype(">u2"))
        low_level(f, "b32", t.STD_B32LE, (count * 100_000_000).astype("<u4"))
        low_level(f, "b64", t.STD_B64BE, (count * 10**17).astype(">u8"))
        low_level(f, "t32", t.UNIX_D32LE, (1_500_000_000 + count).astype("<i4"))
        low_level(f, "t64", t.UNIX_D64BE, (-(2**40) + count).astype(">i8"))
        row = np.dtype([("flag", "u1"), ("when", "<i8"), ("z", "<c8"), ("text", "S3")])
        data = np.zeros(40, row)
        data["flag"], data["z"], data["text"] = count % 2, count - 1j * count, b"a "
        seconds, micros = np.where(count == 7, -1, count), np.where(count == 7, -750_000, 250_000 + count)
        data["when"] = seconds * 2**32 | (micros & 0xFFFFFFFF)
        z = compound_type(8, [(b"r", 0, t.IEEE_F32LE), (b"i", 4, t.IEEE_F32LE)])
        low_level(f, "table", compound_type(row.itemsize, [
            (b"flag", 0, t.STD_B8LE), (b"when", 1, t.UNIX_D64LE), (b"z", 9, z), (b"text", 17, string_type(3, t.STR_NULLPAD))]), data)
        for name, padding in [("term", t.STR_NULLTERM), ("null", t.STR_NULLPAD), ("space", t.STR_SPACEPAD)]:
            low_level(f, f"s_{name}", string_type(6, padding), np.array(STRINGS, "V6"))
            f["x_" + name] = np.arange(40)
            attribute = h5py.h5a.create(f["x_" + name].id, b"texts", string_type(6, padding, t.CSET_UTF8), h5py.h5s.create_simple((6,)))
            attribute.write(np.array(STRINGS, "V6"), mtype=attribute.get_type())
        f["c64"] = (count + 2j).astype("<c8")
        f["c128"] = np.zeros((40, 3), ">c16")
        f.create_dataset("nested", (40,), np.dtype((np.dtype(("<i2", (2,))), (3,))))
        low_level(f, "opaque", t.create(t.OPAQUE, 5), np.zeros(4, "V5"))
        for name, kind in [("moment", "<M8[ns]"), ("span", ">m8[D]"), ("plain", ">u2"), ("other", "<c16")]:
            dtype = np.dtype(kind)
            opaque = h5py.opaque_dtype(dtype)
            f.create_dataset(f"np_{name}", data=np.arange(40).astype("<i8").astype(dtype).astype(opaque), dtype=opaque)
        f["c64"].attrs["signed"] = np.array([-(2**63), 2**53 + 1])
        f["c64"].attrs["unsigned"] = np.uint64(2**64 - 1)
        f["c64"].attrs["short"] = np.int32(5)
        f["c64"].attrs["names"] = [f"class {i}" for i in range(65)]  # texts of no fixed length
        f["c64"].attrs["codes"] = np.array([b"%d" % i for i in range(4_000)])
        f["c64"].attrs["many numbers"] = np.arange(65)
        low_level(f, "i12", narrow_type(t.STD_I16LE, 12), np.zeros(40, "<i2"))
        low_level(f, "i24", narrow_type(t.STD_I32LE, 24, 8), np.zeros(40, "<i4"))
        three = t.STD_U32BE.copy()
        three.set_size(3)
        low_level(f, "u24", three, np.zeros(40, "V3"))
        f["long"] = np.zeros(40, np.longdouble)
        f.create_dataset("refs", (40,), h5py.ref_dtype)
    with h5py.File(f"{folder}/pytables.h5", "w") as f:  # its bools are bitfields, its times seconds and microseconds
        f.attrs["PYTABLES_FORMAT_VERSION"] = np.bytes_("2.1")
        with h5py.File(f"{folder}/kinds.h5") as kinds:
            kinds.copy("table", f)
    with h5py.File(f"{folder}/pytables_links.h5", "w") as f:
        f.attrs["PYTABLES_FORMAT_VERSION"] = np.bytes_("2.1")
        f["table"] = h5py.ExternalLink("kinds.h5", "/table")
    with h5py.File(f"{folder}/to_pytables.h5", "w") as f:
        f["table"] = h5py.ExternalLink("pytables.h5", "/table")


def links(folder):
    """Other names of groups, other files' groups, loops within a file and between two, links that lead nowhere."""
    os.makedirs(f"{folder}/linked", exist_ok=True)
    with h5py.File(f"{folder}/linked/data.h5", "w") as f:
        f.create_dataset("run/x", data=values(20, 0, 10, (2,), "<f4"))
        f.create_dataset("run/deep/y", data=values(21, 0, 10, (), "<i4"))
        f["run/back"] = h5py.ExternalLink("../links.h5", "/")
        f["run/again"] = h5py.SoftLink("/run")
    if not os.path.exists(f"{folder}/fifo.h5"):
        os.mkfifo(f"{folder}/fifo.h5")
    with h5py.File(f"{folder}/links.h5", "w") as f:
        f.create_dataset("run5/x", data=values(22, 0, 10, (2,), "<f4"))
        f["a_latest"] = h5py.SoftLink("/run5")
        f["run5/self"] = f["run5"]
        f["root"] = h5py.SoftLink("/")
        f["x"] = h5py.SoftLink("run5/x")
        f["other"] = h5py.ExternalLink("linked/data.h5", "/run")
        f["other_too"] = h5py.ExternalLink("linked/data.h5", "/run")
        f["gone/soft"] = h5py.SoftLink("/nowhere/x")
        f["gone/circle"] = h5py.SoftLink("/gone/circle")
        f["gone/file"] = h5py.ExternalLink("missing.h5", "/d")
        f["gone/inside"] = h5py.ExternalLink("linked/data.h5", "/d")
    for run in 6, 7:  # the same name for different groups
        with h5py.File(f"{folder}/latest{run}.h5", "w") as f:
            for k in 6, 7:
                f.create_dataset(f"run{k}/x", data=values(22 + k, 0, 10, (2,), "<f4"))
            f["latest"] = h5py.SoftLink(f"/run{run}")


def beside_the_data(folder):
    """What PyTables, pandas, netCDF and MATLAB keep beside the data, as their files have it."""
    def pytables(f, path, data, kind="ARRAY", **attributes):
        d = f.create_dataset(path, data=data) if np.size(data) else f.create_dataset(
            path, shape=np.shape(data), maxshape=(None,) + np.shape(data)[1:], dtype="<i8", chunks=(8,) + np.shape(data)[1:])
        d.attrs["CLASS"] = np.bytes_(kind)
        d.attrs["VERSION"] = np.bytes_("2.4")
        for key, value in attributes.items():
            d.attrs[key] = value

    with h5py.File(f"{folder}/pandas_fixed.h5", "w") as f:  # columns named 0, 1, 2: labels that are numbers
        for name, rows in ("axis0", 3), ("axis1", 40), ("block0_items", 3), ("axis1_level0", 10):
            pytables(f, f"df/{name}", np.arange(rows), transposed=1)
        pytables(f, "df/block0_values", values(30, 0, 40, (3,), "<f8"), transposed=1)
        f["axis0"] = np.arange(40)  # somebody's own
    with h5py.File(f"{folder}/pandas_table.h5", "w") as f:
        for name in "abounds", "mbounds", "mranges", "zbounds":
            pytables(f, f"df/_i_table/index/{name}", np.zeros(0, "i8"), "EARRAY")
        pytables(f, "df/_i_table/index/bounds", np.zeros((0, 127), "i8"), "CACHEARRAY")
        pytables(f, "df/_i_table/index/indicesLR", np.zeros(1024, "u4"), "LASTROWARRAY")
        pytables(f, "df/_i_table/index/sortedLR", np.zeros(1153, "i8"), "LASTROWARRAY")
        pytables(f, "df/table", np.zeros(40, [("index", "<i8"), ("values_block_0", "<f8", (3,))]), "TABLE")
        pytables(f, "arr", np.arange(40.0))
        f["_i_own"] = np.arange(40)
    with h5py.File(f"{folder}/dimensions.nc", "w") as f:
        f.create_dataset("v", data=values(31, 0, 50, (3,), "<f4"))
        f.create_dataset("time", data=np.arange(50.0))
        f["time"].make_scale("time")
        for name, rows in ("y", 50), ("x", 3), ("u", 0):
            f.create_dataset(name, shape=(rows,), dtype=">f4", maxshape=(None,), chunks=(8,))
            f[name].make_scale(f"This is a netCDF dimension but not a netCDF variable. {rows:9d}")
    with h5py.File(f"{folder}/empty_ones.h5", "w") as f:  # those without rows are the most
        for name in "abc":
            f.create_dataset(f"i/{name}", shape=(0,), dtype="f4", maxshape=(None,), chunks=(8,))
        f["x"] = values(32, 0, 40, (4,), "<f4")
        f["y"] = values(33, 0, 40, (), "<i8")
    with h5py.File(f"{folder}/matlab.mat", "w") as f:
        for name in "abcdef":
            f[f"#refs#/{name}"] = np.zeros((40, 1))
        f["images"] = values(34, 0, 40, (6,), "<f4")
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
    with h5py.File(f"{folder}/marked.h5", "w", libver="latest") as f:
        f["x"] = np.arange(40.0)
    for name, marks in ("swmr", 5), ("writing", 1):  # as a writer leaves them, and its crash
        with open(f"{folder}/marked.h5", "rb") as whole:
            data = bytearray(whole.read())
        data[11] = marks
        data[44:48] = lookup3(bytes(data[:44])).to_bytes(4, "little")
        with open(f"{folder}/{name}.h5", "wb") as f:
            f.write(data)
    with open(f"{folder}/marked.h5", "rb") as whole:
        data = bytearray(whole.read())
    data[8] = 9
    with open(f"{folder}/future.h5", "wb") as f:
        f.write(data)


def lookup3(key):
    """Bob Jenkins' hash, the checksum of HDF5's metadata."""
    def rot(x, k):
        return ((x << k) | (x >> (32 - k))) & 0xFFFFFFFF

    mask = 0xFFFFFFFF
    a = b = c = (0xDEADBEEF + len(key)) & mask
    while len(key) > 12:
        a = (a + int.from_bytes(key[0:4], "little")) & mask
        b = (b + int.from_bytes(key[4:8], "little")) & mask
        c = (c + int.from_bytes(key[8:12], "little")) & mask
        a = ((a - c) & mask) ^ rot(c, 4); c = (c + b) & mask
        b = ((b - a) & mask) ^ rot(a, 6); a = (a + c) & mask
        c = ((c - b) & mask) ^ rot(b, 8); b = (b + a) & mask
        a = ((a - c) & mask) ^ rot(c, 16); c = (c + b) & mask
        b = ((b - a) & mask) ^ rot(a, 19); a = (a + c) & mask
        c = ((c - b) & mask) ^ rot(b, 4); b = (b + a) & mask
        key = key[12:]
    key = key.ljust(12, b"\0")
    a = (a + int.from_bytes(key[0:4], "little")) & mask
    b = (b + int.from_bytes(key[4:8], "little")) & mask
    c = (c + int.from_bytes(key[8:12], "little")) & mask
    c = ((c ^ b) - rot(b, 14)) & mask
    a = ((a ^ c) - rot(c, 11)) & mask
    b = ((b ^ a) - rot(a, 25)) & mask
    c = ((c ^ b) - rot(b, 16)) & mask
    a = ((a ^ c) - rot(c, 4)) & mask
    b = ((b ^ a) - rot(a, 14)) & mask
    return ((c ^ b) - rot(b, 24)) & mask


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
    for make in (types, layouts, partly, filters, indexes, python, several, unlike, odd, kinds, links, beside_the_data,
                 in_several_files, newer, damaged):
        make(folder)
    virtual_fixtures.make(folder, values)


if __name__ == "__main__":
    main()
