"""Copies that frameworks take over: TensorFlow and XLA on a CPU keep an aligned array, and copy any other again."""

from __future__ import annotations

from typing import Any

import numpy as np

_ALIGNMENT = 64  # what both ask for; np.empty gives 16


def aligned_copy(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    raw: np.ndarray[Any, np.dtype[np.uint8]] = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
    first = -raw.ctypes.data % _ALIGNMENT
    copied: np.ndarray[Any, Any] = raw[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    np.copyto(copied, array)
    return copied
