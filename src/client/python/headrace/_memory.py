"""Copies that frameworks take over: TensorFlow and XLA on a CPU keep an aligned array, and copy any other again."""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any

import numpy as np

_ALIGNMENT = 64  # what both ask for; np.empty gives 16
_Raw = np.ndarray[Any, np.dtype[np.uint8]]


def _references(raws: list[_Raw], i: int) -> int:
    return sys.getrefcount(raws[i])


_UNUSED = _references([np.empty(1, np.uint8)], 0)  # of what a list alone holds; versions of Python count differently


class Buffers:
    """Memory of copies, used again once nobody holds an array over it.

    Fresh memory of some MB comes as pages that the system clears one by one, which takes several times as long as the
    copy. Arrays over a buffer refer to it as their base, however they were made of each other; so do the tensors that
    frameworks make of them. Any thread.
    """

    _MOST = 8  # of one size; whoever keeps more at a time gets fresh memory for the rest
    _LEAST = 128 << 10  # bytes: what is smaller comes out of the heap, and is never given back to the system

    def __init__(self) -> None:
        self._raws: dict[int, list[_Raw]] = {}
        self._lock = threading.Lock()

    def copy(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """An aligned copy of an array."""
        if array.nbytes < self._LEAST:
            return aligned_copy(array)
        with self._lock:
            raws = self._raws.setdefault(array.nbytes, [])
            for i in range(len(raws)):
                if _references(raws, i) == _UNUSED:
                    copied = _array_over(raws[i], array)
                    break
            else:
                raw: _Raw = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
                copied = _array_over(raw, array)
                if len(raws) < self._MOST:
                    raws.append(raw)
        np.copyto(copied, array)
        return copied


def aligned_copy(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    copied = _array_over(np.empty(array.nbytes + _ALIGNMENT, np.uint8), array)
    np.copyto(copied, array)
    return copied


def _array_over(raw: _Raw, like: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    first = -raw.ctypes.data % _ALIGNMENT
    over: np.ndarray[Any, Any] = raw[first : first + like.nbytes].view(like.dtype).reshape(like.shape)
    return over


def unowned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Over the same memory, without the lease, for who is kept from using it for longer by other means."""
    memory = (ctypes.c_ubyte * array.nbytes).from_address(array.ctypes.data)
    over: np.ndarray[Any, Any] = np.frombuffer(memoryview(memory), np.uint8).view(array.dtype).reshape(array.shape)
    return over
