"""A little of corruption.py: every way, both consumers, two slots."""

import corruption
import pytest


@pytest.mark.parametrize("of", ["torch", "jax", "tensorflow"])
def test_no_batch_is_seen_with_the_values_of_another(of):
    pytest.importorskip(of, reason=f"{of} is not installed (tools/bootstrap --frameworks)")
    found = {(name, consumer): seen for name, consumer, seen in corruption.attempts(of, slots=2, batches=80)}
    assert {key: str(seen) for key, seen in found.items() if not seen.good} == {}
    assert len(found) >= 12


def test_the_check_sees_views_whose_slot_went_back():
    """The service fills it again whenever it comes to that."""
    found = None
    while not (found and found.wrong):  # ctest's timeout is the watchdog
        for _, _, found in corruption.attempts("control", slots=4, batches=400):
            if found.wrong:
                break
    assert not (found.lost or found.errors)


def test_the_check_sees_what_is_wrong_and_lost():
    """Values of another batch, and an epoch without its last one."""

    class Stream(list):
        slots = 4
        position = (0, 0)

        def seek(self, epoch):
            pass

    import numpy as np

    steps = np.arange(corruption.SAMPLES).reshape(-1, corruption.BATCH)
    way = lambda stream: [(np.full((8, 3), index[0]) + np.arange(8)[:, None], index) for index in stream]  # noqa: E731
    assert corruption.attempt(Stream(steps), way, "kept", 40).good
    assert corruption.attempt(Stream(steps[:-1]), way, "threads", 39).lost == 1
    wrong = lambda stream: [(made + (index[0] == 16), index) for made, index in way(stream)]  # noqa: E731
    assert corruption.attempt(Stream(steps), wrong, "threads", 40).wrong == 1
