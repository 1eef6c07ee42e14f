"""Copies that frameworks take over: TensorFlow and XLA on a CPU keep an aligned array, and copy any other again."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

_ALIGNMENT = 64  # what both ask for; np.empty gives 16


def aligned_copy(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    raw: np.ndarray[Any, np.dtype[np.uint8]] = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
    first = -raw.ctypes.data % _ALIGNMENT
    copied: np.ndarray[Any, Any] = raw[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    np.copyto(copied, array)
    return copied


def unowned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Over the same memory, without the lease, for who is kept from using it for longer by other means."""
    memory = (ctypes.c_ubyte * array.nbytes).from_address(array.ctypes.data)
    over: np.ndarray[Any, Any] = np.frombuffer(memoryview(memory), np.uint8).view(array.dtype).reshape(array.shape)
    return over
