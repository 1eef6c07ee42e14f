"""Rows written into a file in a layout drawn at random: everything that HDF5 has, filters and chunks without them included."""

import h5py
import hdf5plugin
import numpy as np


def filters(rng):
    """Keywords of create_dataset."""
    choices = [{}, {"compression": "gzip"}, {"compression": "lzf"}, hdf5plugin.LZ4(), hdf5plugin.Zstd(),
               hdf5plugin.BZip2(), hdf5plugin.Bitshuffle(cname=str(rng.choice(["none", "lz4", "zstd"]))),
               hdf5plugin.Blosc(cname=str(rng.choice(["lz4", "zlib", "zstd"]))), hdf5plugin.Blosc2(cname="zstd")]
    chosen = dict(choices[rng.integers(len(choices))])
    for extra in "shuffle", "fletcher32":
        if rng.random() < 0.25:
            chosen[extra] = True
    return chosen


class Layouts:
    """Writes datasets of one file; other files that they need stand beside it."""

    def __init__(self, rng, file, folder):
        self.rng, self.file, self.folder, self.count = rng, file, folder, 0

    def write(self, name, rows):
        self.count += 1
        kinds = ["contiguous", "contiguous", "compact", "external", "virtual", "chunked", "chunked", "chunked", "chunked"]
        kind = str(self.rng.choice(kinds))
        if rows.size == 0 or rows.dtype.kind == "O":
            kind = "contiguous" if kind != "chunked" else kind
        getattr(self, kind)(name, rows)

    def beside(self, ending):
        return f"{self.folder}/{self.file.filename.rsplit('/', 1)[-1]}.{self.count}.{ending}"

    def contiguous(self, name, rows):
        self.file.create_dataset(name, data=rows)

    def compact(self, name, rows):
        if rows.nbytes > 60000:
            return self.contiguous(name, rows)
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        if "/" in name:
            self.file.require_group(name.rsplit("/", 1)[0])
        dtype = h5py.h5t.py_create(rows.dtype, logical=True)
        dataset = h5py.h5d.create(self.file.id, name.encode(), dtype, h5py.h5s.create_simple(rows.shape), plist)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(rows))

    def external(self, name, rows):
        self.file.create_dataset(name, data=rows, external=[(self.beside("raw"), int(self.rng.integers(40)), h5py.h5f.UNLIMITED)])

    def virtual(self, name, rows):
        layout = h5py.VirtualLayout(rows.shape, rows.dtype)
        cut = int(self.rng.integers(0, len(rows)))
        with h5py.File(self.beside("source.h5"), "w") as sources:
            for k, part in enumerate((slice(0, cut), slice(cut, len(rows)))):
                if len(rows[part]):
                    there = sources.create_dataset(f"part{k}", data=rows[part])
                    layout[part] = h5py.VirtualSource(there)
        self.file.create_virtual_dataset(name, layout)

    def chunked(self, name, rows):
        chunk = [max(1, int(self.rng.integers(1, n + 2))) if i == 0 or self.rng.random() < 0.3 else max(1, n)
                 for i, n in enumerate(rows.shape)]
        maxshape = [None if self.rng.random() < 0.5 else n for n in rows.shape]
        chunk = [c if m is None else min(c, max(1, n)) for c, m, n in zip(chunk, maxshape, rows.shape)]
        if 0 in rows.shape:
            maxshape = [None if n == 0 else m for m, n in zip(maxshape, rows.shape)]
        dataset = self.file.create_dataset(name, data=rows, chunks=tuple(chunk), maxshape=tuple(maxshape), **filters(self.rng))
        if dataset.id.get_create_plist().get_nfilters() and rows.size and self.rng.random() < 0.5:
            self.store_first_as_it_is(dataset, rows, chunk)

    @staticmethod
    def store_first_as_it_is(dataset, rows, chunk):
        """As writers do with a chunk that a filter could not shrink."""
        whole = np.zeros(chunk, rows.dtype)
        part = tuple(slice(0, min(c, n)) for c, n in zip(chunk, rows.shape))
        whole[part] = rows[part]
        count = dataset.id.get_create_plist().get_nfilters()
        if dataset.id.get_chunk_info_by_coord((0,) * len(chunk)).size == whole.nbytes:
            return  # HDF5 keeps the mask of a chunk whose size stays, and would undo filters that are not there
        dataset.id.write_direct_chunk((0,) * len(chunk), whole.tobytes(), filter_mask=(1 << count) - 1)
