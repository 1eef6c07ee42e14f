"""Datasets and attributes of every type, for make_fixtures.py: numbers of each size and order, texts, compounds, and
what NumPy does not know.
"""

import h5py
import numpy as np

from formula import values

TYPES = ["<i1", "<u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8",
         "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]
STRINGS = [b"ab\0\0\0\0", b"ab    ", b"ab\0cd\0", b"abcdef", b"\0\0\0\0\0\0", b" ab   "]


def make(folder):
    types(folder)
    odd(folder)
    kinds(folder)


def types(folder):
    with h5py.File(f"{folder}/types.h5", "w") as f:
        for seed, name in enumerate(TYPES):
            order = "be" if name[0] == ">" else "le"
            f.create_dataset(f"{name[1:]}_{order}", data=values(seed, 0, 37, (3, 2), name))
        f.create_dataset("flag", data=values(50, 0, 37, (5,), np.bool_))


def odd(folder):
    """Odd types, odd shapes and links beside one plain dataset; and a file of odd types alone."""
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
