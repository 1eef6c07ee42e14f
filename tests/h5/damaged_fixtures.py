"""Files with something wrong, for make_fixtures.py: damaged, cut, no HDF5 at all, or left by a writer."""

import h5py
import numpy as np

from formula import values


def make(folder):
    flipped(folder)
    truncated(folder)
    no_hdf5(folder)
    unknown_filter(folder)
    marked(folder)


def flipped(folder):
    """One bit of a chunk is another than its checksum was made of."""
    with h5py.File(f"{folder}/flipped.h5", "w") as f:
        f.create_dataset("x", data=values(7, 0, 64, (50,), "<f4"), chunks=(8, 50), fletcher32=True)
        offset = f["x"].id.get_chunk_info(3).byte_offset
    with open(f"{folder}/flipped.h5", "r+b") as f:
        f.seek(offset + 17)
        byte = f.read(1)
        f.seek(offset + 17)
        f.write(bytes([byte[0] ^ 0x10]))


def truncated(folder):
    """The first half of a file of chunk_fixtures.py."""
    with open(f"{folder}/layouts.h5", "rb") as f:
        whole = f.read()
    with open(f"{folder}/truncated.h5", "wb") as f:
        f.write(whole[: len(whole) // 2])


def no_hdf5(folder):
    with open(f"{folder}/text.h5", "w") as f:
        f.write("this is no HDF5 file, whatever its name says\n" * 100)
    for version in 1, 2, 5:  # NetCDF-3: classic, with 64-bit offsets, with 64-bit data
        with open(f"{folder}/classic{version}.nc", "wb") as f:
            f.write(b"CDF" + bytes([version]) + bytes(200))
    open(f"{folder}/empty.h5", "w").close()


def unknown_filter(folder):
    unknown = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    unknown.set_chunk((8, 4))
    unknown.set_filter(32123, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    with h5py.File(f"{folder}/unknown_filter.h5", "w") as f:
        space = h5py.h5s.create_simple((64, 4))
        d = h5py.h5d.create(f.id, b"x", h5py.h5t.IEEE_F32LE, space, unknown)
        d.write_direct_chunk((0, 0), bytes(128), 0)


def marked(folder):
    """What the superblock says of writers, and of a version to come."""
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
