"""Files with the types that NumPy has no name for or that users forget, as HDF5, PyTables and Julia write them."""

import numpy as np
from h5py import h5d, h5s, h5t

LENGTHS = (23, 0, 38)
SAMPLES = sum(LENGTHS)
TEXTS = [b"ab", b"ab  ", b"ab\0cd", b"abcd", b"", b" ab"]


def write(file, path, file_type, data, row=()):
    """A dataset of any type; `data` holds the bytes that are to stand there, one element per element."""
    made = h5d.create(file.id, path.encode(), file_type, h5s.create_simple((len(data), *row)))
    if len(data):
        made.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(data), file_type)


def compound(size, members):
    made = h5t.create(h5t.COMPOUND, size)
    for name, offset, member in members:
        made.insert(name.encode(), offset, member)
    return made


def text_type(size, padding):
    made = h5t.C_S1.copy()
    made.set_size(size)
    made.set_strpad(padding)
    return made


def fixed(texts, size, padding=b"\0"):
    return np.array([text.ljust(size, padding) for text in texts], f"V{size}")


def parts(make):
    """Calls make(part, first sample, number of samples) for each file."""
    first = 0
    for part, length in enumerate(LENGTHS):
        make(part, first, length)
        first += length
