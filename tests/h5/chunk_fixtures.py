"""Layouts of datasets for make_fixtures.py: filters of chunks, the indexes by which these are found, and chunks that
nobody has written.
"""

import ctypes

import h5py
import hdf5plugin
import numpy as np

from formula import values


def make(folder):
    layouts(folder)
    partly(folder)
    filters(folder)
    indexes(folder)


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


def leave_borders_unfiltered(plist):
    """H5Pset_chunk_opts, which h5py does not offer, of the very HDF5 that it uses."""
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "libhdf5-" in line or "libhdf5.so" in line)
    assert ctypes.CDLL(path).H5Pset_chunk_opts(ctypes.c_int64(plist.id), ctypes.c_uint(2)) >= 0


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
