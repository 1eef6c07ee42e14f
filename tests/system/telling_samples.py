"""70 MB of samples, each value of which tells its sample: an array that is read as it lies, one in compressed chunks, a small
one and one of odd length."""

import h5py
import numpy as np

ROWS = (3000, 0, 1100)


def image(numbers):
    """Every element tells sample and place."""
    return (np.asarray(numbers, "i8")[:, None] * 8209 + np.arange(4100)).astype("<i4")


def write(folder):
    first = 0
    for part, rows in enumerate(ROWS):
        numbers = np.arange(first, first + rows)
        with h5py.File(folder / f"part{part}.h5", "w") as file:
            file["image"] = image(numbers)
            file.create_dataset("packed", data=(numbers[:, None] + np.arange(100)).astype("<f4"), chunks=(64, 100),
                                maxshape=(None, 100), compression="gzip")
            file["label"] = (numbers % 7).astype("i1")
            file["odd"] = np.repeat((numbers % 251).astype("u1")[:, None], 13, axis=1)
        first += rows
    return [folder / f"part{part}.h5" for part in range(len(ROWS))]


def check(batch):
    numbers = batch.index
    assert np.array_equal(batch["image"], image(numbers))
    assert np.array_equal(batch["packed"], (numbers[:, None] + np.arange(100)).astype("f4"))
    assert np.array_equal(batch["label"], numbers % 7)
    assert np.array_equal(batch["odd"], np.repeat((numbers % 251).astype("u1")[:, None], 13, axis=1))
