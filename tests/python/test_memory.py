"""Memory of copies is used again once nobody looks at it, and not before."""

import threading

import numpy as np
import pytest
from headrace._memory import Buffers

ROWS = np.arange(1 << 15, dtype=np.float32).reshape(64, -1)  # 128 KiB


def address(array):
    return array.ctypes.data


def test_it_is_an_aligned_copy():
    for rows in ROWS, ROWS[:3], ROWS[:0], np.float16(1.5) * np.ones(()), ROWS[::2].T:
        copied = Buffers().copy(rows)
        assert np.array_equal(copied, rows) and copied.dtype == rows.dtype
        assert not rows.size or address(copied) % 64 == 0
        assert not np.shares_memory(copied, rows)


def test_memory_that_nobody_holds_is_used_again():
    buffers = Buffers()
    first = buffers.copy(ROWS)
    where = address(first)
    del first
    for step in range(3):
        again = buffers.copy(ROWS + step)
        assert address(again) == where and again[0, 0] == step
        del again


@pytest.mark.parametrize("hold", [
    lambda array: array,
    lambda array: array[3:].reshape(-1)[::7],
    lambda array: array.view(np.uint8),
    lambda array: memoryview(array),
    lambda array: np.frombuffer(array, np.int32),
    lambda array: array.__dlpack__(),
    lambda array: array.T.flat,
], ids=["itself", "view of a view", "other type", "memoryview", "buffer", "dlpack", "iterator"])
def test_memory_that_somebody_holds_is_not(hold):
    buffers = Buffers()
    first = buffers.copy(ROWS)
    where = address(first)
    held = hold(first)
    del first
    assert address(buffers.copy(ROWS + 1)) != where
    del held
    others = [buffers.copy(ROWS) for _ in range(4)]
    assert where in map(address, others)


def test_many_that_are_kept_are_fresh():
    buffers = Buffers()
    kept = [buffers.copy(ROWS + step) for step in range(20)]
    assert all(rows[0, 0] == step for step, rows in enumerate(kept))
    assert len(set(map(address, kept))) == 20
    del kept
    assert sum(map(len, buffers._raws.values())) == Buffers._MOST


def test_threads_get_memory_of_their_own():
    buffers, wrong = Buffers(), []

    def work(number):
        for _ in range(300):
            copied = buffers.copy(np.full_like(ROWS, number))
            if not (copied == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
