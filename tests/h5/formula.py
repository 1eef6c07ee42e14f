"""The values of the files that make_fixtures.py writes, which the tests know too (formula.hpp):
    value(seed, sample, element) = (seed * 1000003 + sample * 8191 + element * 127) mod 251
so that they fit every type, and are distinct enough that a row out of place is seen.
"""

import numpy as np


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
