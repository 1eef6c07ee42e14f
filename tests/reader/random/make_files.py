"""HDF5 files at random, and what h5py reads from them: make_files.py FOLDER FIRST_SEED COUNT [--keep-going]

Seed N makes N.h5 (and files beside it: sources of virtual datasets, external ones) and N.json, which says for each dataset
where its rows stand in N.raw: rows of fixed size one after another, or for rows of variable length u32 length and bytes
for each element. What is drawn: the type, the shape, the layout (contiguous, compact, external, virtual, chunked under
every index that there is), filters, chunks whose filters were skipped, chunks never written, and the fill value.
"""

import ctypes
import json
import os
import struct
import sys
import zlib

import h5py
import hdf5plugin
import numpy as np

INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
FLOATS = ["f2", "f4", "f8"]
LZ4, ZSTD = 32004, 32015


def libhdf5():
    with open("/proc/self/maps") as maps:
        return ctypes.CDLL(next(line.split()[-1] for line in maps if "libhdf5-" in line or "libhdf5.so" in line))


def leave_borders_unfiltered(plist):
    """H5Pset_chunk_opts, which h5py does not offer, of the very HDF5 that it uses."""
    assert libhdf5().H5Pset_chunk_opts(ctypes.c_int64(plist.id), ctypes.c_uint(2)) >= 0


class Draw:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def often(self, share):
        return self.rng.random() < share

    def upto(self, most, least=0):
        return int(self.rng.integers(least, most + 1))

    def bytes(self, count):
        """Some that compress and some that do not."""
        values = self.rng.integers(0, self.one(2, 5, 256), count, dtype=np.uint8)
        return np.repeat(values, 3)[:count].tobytes() if self.often(0.5) else values.tobytes()

    # -- types: (HDF5 type of the file, bytes of `count` elements that make sense of it)

    def number(self):
        name = self.one(*INTEGERS, *FLOATS)
        return np.dtype(self.one("<", ">") + name)

    def dtype(self, depth=0):
        """A NumPy type that h5py knows as an HDF5 type of fixed size."""
        kind = self.one("number", "number", "number", "bool", "enum", "string", "complex", "opaque", "array", "compound")
        if kind == "bool":
            return np.dtype("?")
        if kind == "enum":
            base = self.one("<", ">") + self.one(*INTEGERS)
            return h5py.enum_dtype({f"label{i}": i for i in range(self.upto(5, 1))}, base)
        if kind == "string":
            return np.dtype(f"S{self.upto(9, 1)}")
        if kind == "complex":
            return np.dtype(self.one("<c8", ">c8", "<c16"))
        if kind == "opaque":
            return np.dtype(f"V{self.upto(9, 1)}")
        if kind == "array" and depth < 2:
            return np.dtype((self.dtype(2), tuple(self.upto(3, 1) for _ in range(self.upto(2, 1)))))
        if kind == "compound" and depth < 2:
            members = [(f"m{i}", self.dtype(depth + 1)) for i in range(self.upto(5, 1))]
            return np.dtype(members, align=bool(self.often(0.5)))
        return self.number()

    def file_type(self):
        """The HDF5 type itself: those of dtype() and others that NumPy has not."""
        t = h5py.h5t
        kind = self.rng.random()
        if kind < 0.12:
            return self.one(t.STD_B8LE, t.STD_B16LE, t.STD_B32LE, t.STD_B64LE, t.STD_B8BE, t.STD_B16BE, t.STD_B32BE,
                            t.STD_B64BE).copy()
        if kind < 0.17:
            narrow = self.one(t.STD_U16LE, t.STD_I32LE, t.STD_U32BE).copy()
            narrow.set_precision(self.upto(narrow.get_size() * 8 - 1, narrow.get_size() * 4 + 1))
            return narrow
        if kind < 0.22:
            text = t.C_S1.copy()
            text.set_size(self.upto(9, 1))
            text.set_strpad(self.one(t.STR_NULLTERM, t.STR_NULLPAD, t.STR_SPACEPAD))
            return text
        if kind < 0.25:
            return t.py_create(np.dtype(np.longdouble), logical=True)
        return t.py_create(self.dtype(), logical=True)


class Made:
    """One dataset of a file."""

    def __init__(self, draw, file, name, folder):
        self.draw, self.file, self.name, self.folder = draw, file, name, folder
        self.rows = draw.one(draw.upto(3, 1), draw.upto(60, 1), draw.upto(60, 1))
        self.shape = (self.rows, *(draw.upto(6, 1) for _ in range(draw.one(0, 0, 1, 1, 2, 3))))
        self.said = []

    def say(self, *words):
        self.said.append(" ".join(map(str, words)))

    def make(self):
        draw = self.draw
        if draw.often(0.12):
            return self.make_lists()
        self.type = draw.file_type()
        self.item = self.type.get_size()
        layout = draw.one("contiguous", "compact", "external", "virtual", *["chunked"] * 8)
        self.say(layout)
        getattr(self, layout)()
        return self.read()

    def read(self):
        raw = np.zeros(int(np.prod(self.shape)) * self.item, np.uint8)
        dataset = self.file[self.name].id
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, raw.reshape(*self.shape, self.item), self.type)
        return raw.tobytes()

    # -- layouts

    def create(self, plist, maxshape=None, where=None):
        space = h5py.h5s.create_simple(self.shape, maxshape)
        if self.draw.often(0.4):
            fill = np.frombuffer(self.draw.bytes(self.item), np.uint8)
            try:
                self.set_fill(plist, fill)
                self.say("fill")
            except (OSError, RuntimeError, ValueError, AssertionError):
                pass
        return h5py.h5d.create((where or self.file).id, self.name.encode(), self.type, space, plist)

    def set_fill(self, plist, fill):
        """In the very type of the dataset, whatever that is."""
        raw = (ctypes.c_ubyte * len(fill))(*fill)
        assert libhdf5().H5Pset_fill_value(ctypes.c_int64(plist.id), ctypes.c_int64(self.type.id), raw) >= 0

    def write(self, dataset, first=0, rows=None):
        rows = self.shape[0] - first if rows is None else rows
        if rows == 0:
            return
        shape = (rows, *self.shape[1:])
        raw = np.frombuffer(self.draw.bytes(int(np.prod(shape)) * self.item), np.uint8).reshape(*shape, self.item)
        file_space = dataset.get_space()
        file_space.select_hyperslab((first, *(0,) * (len(shape) - 1)), shape)
        dataset.write(h5py.h5s.create_simple(shape), file_space, np.ascontiguousarray(raw), self.type)

    def write_some(self, dataset):
        part = self.draw.one("all", "all", "all", "nothing", "first half", "holes")
        self.say(part, "written")
        if part == "all":
            self.write(dataset)
        elif part == "first half":
            self.write(dataset, 0, self.rows // 2)
        elif part == "holes":
            for _ in range(3):
                first = self.draw.upto(self.rows - 1)
                self.write(dataset, first, self.draw.upto(self.rows - first))

    def contiguous(self):
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        self.alloc(plist)
        dataset = self.create(plist)
        if self.draw.often(0.8):
            self.write(dataset)
        else:
            self.say("nothing written")

    def compact(self):
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        while np.prod(self.shape) * self.item > 60000:
            self.shape = self.shape[:-1]
        self.write(self.create(plist))

    def external(self):
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        total, cut = int(np.prod(self.shape)) * self.item, 0
        if self.draw.often(0.5) and total > 1:
            cut = self.draw.upto(total - 1, 1)
            plist.set_external(f"{self.folder}/{self.name}.ext0".encode(), self.draw.upto(50), cut)
        plist.set_external(f"{self.folder}/{self.name}.ext1".encode(), 0, total - cut)
        self.write(self.create(plist))

    def virtual(self):
        """Whole rows of other files, of this one, or columns beside each other."""
        name = f"{self.folder}/{self.name}.source.h5"
        parts = self.draw.upto(3, 1)
        cuts = sorted(self.draw.upto(self.rows) for _ in range(parts - 1))
        borders = [0, *cuts, self.rows]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        with h5py.File(name, "w") as sources:
            for k, (first, last) in enumerate(zip(borders, borders[1:])):
                if first == last:
                    continue
                shape = (last - first, *self.shape[1:])
                whole = h5py.h5s.create_simple(shape)
                there = h5py.h5d.create(sources.id, f"s{k}".encode(), self.type, whole)
                raw = np.frombuffer(self.draw.bytes(int(np.prod(shape)) * self.item), np.uint8)
                there.write(h5py.h5s.ALL, h5py.h5s.ALL, raw.reshape(*shape, self.item).copy(), self.type)
                here = h5py.h5s.create_simple(self.shape)
                here.select_hyperslab((first, *(0,) * (len(shape) - 1)), shape)
                plist.set_virtual(here, name.encode(), f"s{k}".encode(), whole)
        h5py.h5d.create(self.file.id, self.name.encode(), self.type, h5py.h5s.create_simple(self.shape), plist)

    def alloc(self, plist):
        plist.set_alloc_time(self.draw.one(h5py.h5d.ALLOC_TIME_DEFAULT, h5py.h5d.ALLOC_TIME_EARLY, h5py.h5d.ALLOC_TIME_LATE))

    # -- chunks

    def chunked(self):
        draw = self.draw
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        index = draw.one("single", "fixed", "one unlimited", "two unlimited")
        self.say(index)
        maxshape = list(self.shape)
        if index == "single":
            self.chunk = self.shape
        else:
            self.chunk = tuple(draw.upto(max(1, n), 1) if i == 0 or draw.often(0.4) else n for i, n in enumerate(self.shape))
            for i in range({"fixed": 0, "one unlimited": 1, "two unlimited": 2}[index]):
                if i < len(maxshape):
                    maxshape[i] = h5py.h5s.UNLIMITED
                    if draw.often(0.2):  # reaching beyond the border
                        self.chunk = (*self.chunk[:i], self.chunk[i] + draw.upto(5), *self.chunk[i + 1:])
        plist.set_chunk(self.chunk)
        self.filters = draw.one([], [], *[self.pipeline() for _ in range(4)])
        if not self.filters:
            self.alloc(plist)
        if draw.often(0.15) and self.is_plain_number():
            self.filters = self.filter_for_numbers(plist)
        else:
            for filter_id, values in self.filters:
                plist.set_filter(filter_id, h5py.h5z.FLAG_OPTIONAL, values)
        self.say("+".join(str(f) for f, _ in self.filters) or "no filter", "in chunks of", self.chunk, "of", self.shape)
        self.borders_unfiltered = bool(self.filters) and self.file_is_new() and draw.often(0.15)
        if self.borders_unfiltered:
            leave_borders_unfiltered(plist)
            self.say("borders unfiltered")
        dataset = self.create(plist, tuple(maxshape))
        self.write_some(dataset)
        if self.filters:
            self.skip_filters(dataset)

    def is_plain_number(self):
        kind = self.type.get_class()
        return kind in (h5py.h5t.INTEGER, h5py.h5t.FLOAT) and self.type.get_size() in (1, 2, 4, 8)

    def filter_for_numbers(self, plist):
        """Those that HDF5 has itself and that look at the type."""
        whole = self.type.get_class() == h5py.h5t.INTEGER
        kind = self.draw.one("scaleoffset", "nbit", "szip")
        pixels = 2 * self.draw.upto(8, 1)
        if kind == "scaleoffset" and whole:
            plist.set_scaleoffset(h5py.h5z.SO_INT, 0)
            return [(h5py.h5z.FILTER_SCALEOFFSET, None)]
        if kind == "szip" and np.prod(self.chunk) >= pixels:
            plist.set_szip(self.draw.one(h5py.h5z.SZIP_NN_OPTION_MASK, h5py.h5z.SZIP_EC_OPTION_MASK), pixels)
            return [(h5py.h5z.FILTER_SZIP, None)]
        plist.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_OPTIONAL, ())
        return [(h5py.h5z.FILTER_NBIT, None)]

    def file_is_new(self):
        return self.file.libver[0] != "earliest"

    def pipeline(self):
        """(filter, parameters as they are given when a dataset is made)"""
        h, draw = hdf5plugin, self.draw

        def of(plugin):
            return [(plugin.filter_id, plugin.filter_options)]

        main = draw.one(
            [(h5py.h5z.FILTER_DEFLATE, (draw.upto(9),))], [(h5py.h5z.FILTER_DEFLATE, (draw.upto(9),))],
            [(h5py.h5z.FILTER_LZF, ())], of(h.LZ4(nbytes=draw.one(0, 0, 64))), of(h.Zstd()), of(h.BZip2()),
            of(h.Bitshuffle(cname=draw.one("none", "lz4", "zstd"), nelems=draw.one(0, 0, 64))),
            of(h.Blosc(cname=draw.one("blosclz", "lz4", "lz4hc", "zlib", "zstd"), shuffle=draw.upto(2))),
            of(h.Blosc2(cname=draw.one("blosclz", "lz4", "zstd"), filters=draw.upto(2))), [])
        if draw.often(0.3):
            main = [(h5py.h5z.FILTER_SHUFFLE, ())] + main
        if draw.often(0.2):
            main = main + [(h5py.h5z.FILTER_FLETCHER32, ())]
        if draw.often(0.05):
            main = main + [(h5py.h5z.FILTER_DEFLATE, (1,))]
        return main

    def skip_filters(self, dataset):
        """Chunks as h5repack or a detector writes them: stored under a mask of what was left out."""
        if not self.draw.often(0.4) or self.borders_unfiltered:
            return
        ids = [f for f, _ in self.filters]
        places = {tuple(self.draw.upto((n - 1) // c) * c for n, c in zip(self.shape, self.chunk))
                  for _ in range(self.draw.upto(3, 1))}
        for at in sorted(places):
            raw = self.draw.bytes(int(np.prod(self.chunk)) * self.item)
            mask = (1 << len(ids)) - 1
            for bit, filter_id in enumerate(ids):  # the first ones may really be applied
                if filter_id == h5py.h5z.FILTER_SHUFFLE and self.draw.often(0.5) and len(raw) % self.item == 0:
                    raw = np.frombuffer(raw, np.uint8).reshape(-1, self.item).T.tobytes()
                elif filter_id == h5py.h5z.FILTER_DEFLATE and self.draw.often(0.7):
                    raw = zlib.compress(raw, 1)
                elif filter_id == LZ4 and self.draw.often(0.7):
                    raw = struct.pack(">QII", len(raw), max(len(raw), 1), len(raw)) + raw
                else:
                    continue
                mask ^= 1 << bit
            dataset.write_direct_chunk(at, raw, filter_mask=mask)
            self.say(f"mask {mask:b} at {at}")

    # -- rows of variable length

    def make_lists(self):
        draw = self.draw
        self.shape = self.shape[:2]
        base = draw.one(draw.number(), draw.number(), "text", "bytes")
        self.say("lists of", base)
        how = {} if draw.often(0.4) else dict(chunks=tuple(draw.upto(n, 1) for n in self.shape),
                                              **draw.one({}, dict(compression="gzip"), dict(hdf5plugin.LZ4())))
        dtype = {"text": h5py.string_dtype(), "bytes": h5py.string_dtype("ascii")}.get(str(base)) or h5py.vlen_dtype(base)
        dataset = self.file.create_dataset(self.name, self.shape, dtype, **how)
        out = b""
        for at in np.ndindex(self.shape):
            if draw.often(0.1):  # never written
                out += struct.pack("<I", 0)
                continue
            if isinstance(base, str):
                value = "".join(chr(97 + draw.upto(25)) for _ in range(draw.upto(12)))
                dataset[at], raw = value, value.encode()
            else:
                raw = draw.bytes(draw.upto(6) * base.itemsize)
                dataset[at] = np.frombuffer(raw, base)
            out += struct.pack("<I", len(raw)) + raw
        return out


def make(seed, folder):
    draw = Draw(seed)
    libver = draw.one("earliest", ("v110", "v110"))
    told, out = [], b""
    with h5py.File(f"{folder}/{seed}.h5", "w", libver=libver, userblock_size=draw.one(0, 0, 0, 512)) as file:
        for i in range(draw.upto(4, 1)):
            made = Made(draw, file, f"{seed}_{i}", folder)
            raw = made.make()
            lists = not hasattr(made, "item")
            told.append(dict(path=made.name, rows=made.shape[0], elements=int(np.prod(made.shape[1:])), lists=lists,
                             item=0 if lists else made.item, begin=len(out), bytes=len(raw), made=", ".join(made.said)))
            out += raw
    with open(f"{folder}/{seed}.raw", "wb") as file:
        file.write(out)
    with open(f"{folder}/{seed}.json", "w") as file:
        json.dump(told, file)


def main():
    folder, first, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(folder, exist_ok=True)
    for seed in range(first, first + count):
        try:
            make(seed, folder)
        except Exception as error:
            raise RuntimeError(f"seed {seed}") from error


if __name__ == "__main__":
    main()
