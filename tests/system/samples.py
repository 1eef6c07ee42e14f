"""Files whose every value tells its sample: written by h5py, checked against the same formula in trainers."""

import numpy as np

#: name -> (row shape, type in the file, how it is stored)
FIELDS = {
    "grid/deep/energy": ((3, 2), "<f4", {}),
    "grid/hits": ((4,), "<i2", {"chunks": (7, 4), "compression": "gzip", "shuffle": True}),
    "flag": ((3,), "?", {}),
    "mask": ((2,), "<u1", {"chunks": (16, 2)}),
    "run": ((), ">i4", {}),
    "weight": ((2,), ">f8", {"chunks": (5, 2), "compression": "lzf"}),
}


def values(name, index):
    """The rows of a field for these sample numbers, in the type that a trainer gets: the machine's byte order."""
    shape, dtype, _ = FIELDS[name]
    index = np.asarray(index, np.int64).reshape((-1, *[1] * len(shape)))
    element = np.arange(int(np.prod(shape))).reshape(shape)
    made = {
        "grid/deep/energy": lambda: index + element / 8,
        "grid/hits": lambda: (index * 7 + element) % 30011 - 15000,
        "flag": lambda: index >> element & 1,
        "mask": lambda: index >> 8 * element & 255,
        "run": lambda: index ^ 0x5A5A5A,
        "weight": lambda: index * -3.0 + element / 2,
    }[name]()
    return np.broadcast_to(made, (len(index), *shape)).astype(np.dtype(dtype).newbyteorder("="))


def write(folder, *lengths, fields=FIELDS):
    """Files part0.h5, part1.h5, ... of so many samples each, which together are one data set. Returns their paths."""
    import h5py  # trainers check samples without it

    paths, first = [], 0
    for part, length in enumerate(lengths):
        paths.append(folder / f"part{part}.h5")
        with h5py.File(paths[-1], "w") as file:
            for name in fields:
                _, dtype, how = FIELDS[name]
                rows = values(name, np.arange(first, first + length)).astype(dtype)
                file.create_dataset(name, data=rows, maxshape=(None, *rows.shape[1:]) if "chunks" in how else None, **how)
        first += length
    return paths


def wrong_fields(batch):
    """Names of fields whose rows are not those of the batch's sample numbers."""
    return [name for name, rows in batch.items()
            if rows.dtype != (expected := values(name, batch.index)).dtype or not np.array_equal(rows, expected)]
