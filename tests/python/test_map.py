"""stream.map(): a function of the user's over batches, in the trainer."""

import numpy as np
import pytest
from conftest import expected


def pair(batch):
    """Copies, as an augmentation makes them."""
    return batch["x"] * np.float32(2), batch["label"] + 1, batch.index


def test_every_batch_goes_through_the_function(stream):
    pairs = stream.map(pair)
    assert len(pairs) == len(stream) == 10
    for _ in range(3):
        seen = []
        for x, label, index in pairs:
            np.testing.assert_array_equal(x, 2 * expected(index)["x"])
            np.testing.assert_array_equal(label, expected(index)["label"] + 1)
            seen += index.tolist()
        assert sorted(seen) == list(range(80))
    assert list(pairs) == [] and stream.finished


def test_copies_hold_no_slot_and_views_do(stream):
    copies = [x for x, *_ in stream.map(pair)]
    assert len(copies) == 10 and stream.stats().held == 0
    loop = iter(stream.map(lambda batch: batch["x"]))
    kept = [next(loop), next(loop)]
    assert stream.stats().held == 2
    del kept
    assert stream.stats().held == 0


def test_break_resume_and_chains(stream):
    steps = stream.map(lambda batch: batch.step).map(str)
    assert next(iter(steps)) == "0"
    assert list(steps.resume()) == [str(i) for i in range(1, 10)]
    assert list(steps) == [str(i) for i in range(10)]
    assert "through str" in repr(steps)


def test_errors_are_the_functions_own(stream):
    def fails(batch):
        raise ZeroDivisionError(f"step {batch.step}")

    with pytest.raises(ZeroDivisionError, match="step 0"):
        next(iter(stream.map(fails)))
    assert stream.position == (0, 1)
    with pytest.raises(TypeError, match="function of a batch, not int"):
        stream.map(3)
