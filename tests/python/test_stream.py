"""Iterating: one epoch per loop, break, resume, seek, the end, re-attaching; what a stream says about itself."""

import headrace
import numpy as np
import pytest
from conftest import SHAPE, assert_right


def steps(batches):
    return [(batch.epoch, batch.step) for batch in batches]


def test_what_a_stream_says(service, stream):
    assert len(stream) == 10
    assert (stream.samples, stream.batch, stream.epochs) == (80, 8, 3)
    assert (stream.rank, stream.world_size) == (0, 1)
    assert (stream.service, stream.name) == (service.name, "train")
    assert stream.slots >= 3
    assert list(stream.schema) == ["x", "label", "even"]
    assert stream.schema["x"][:2] == (SHAPE, np.dtype("float32"))
    assert stream.schema["label"][:2] == ((), np.dtype("int64"))
    assert stream.schema["even"][:2] == ((2,), np.dtype("bool"))
    assert stream.position == (0, 0)
    assert service.name in repr(stream)


def test_columns_and_classes(serve_fake):
    with serve_fake().connect() as stream:
        assert stream.schema["x"].columns == ("a", "b", "c", "d")
        assert stream.schema["label"].classes == ("cat", "dog")


def test_an_epoch_has_every_sample_once(stream):
    for epoch in range(3):
        seen = []
        for batch in stream:
            assert batch.epoch == epoch
            assert list(batch) == list(stream.schema)
            assert batch["x"].shape == (8, *SHAPE)
            assert_right(batch)
            seen += batch.index.tolist()
        assert sorted(seen) == list(range(80))


def test_epochs_end(stream):
    assert [len(list(batch.step for batch in stream)) for _ in range(5)] == [10, 10, 10, 0, 0]
    assert stream.finished
    assert list(stream.resume()) == []


def test_seeking_back_from_the_end(serve_fake):
    """As long as the service is there: the real one ends when all its trainers have come so far."""
    with serve_fake().connect() as stream:
        stream.seek(3)
        assert stream.finished
        assert steps(stream) == []
        stream.seek(2, 8)
        assert not stream.finished
        assert steps(stream) == [(2, 8), (2, 9)]


def test_after_break_the_next_loop_is_the_next_epoch(stream):
    for batch in stream:
        if batch.step == 3:
            break
    assert stream.position == (0, 4)
    assert steps(stream) == [(1, step) for step in range(10)]


def test_resume_goes_on(stream):
    for batch in stream:
        if batch.step == 3:
            break
    assert steps(stream.resume()) == [(0, step) for step in range(4, 10)]
    assert steps(stream.resume()) == []
    assert steps(stream) == [(1, step) for step in range(10)]


def test_break_at_the_last_batch(stream):
    for batch in stream:
        if batch.step == 9:
            break
    assert steps(stream.resume()) == []
    assert steps(stream) == [(1, step) for step in range(10)]


def test_break_in_the_last_epoch(stream):
    stream.seek(2)
    for batch in stream:
        if batch.step == 1:
            break
    assert steps(stream) == []
    assert stream.finished


def test_seek(serve):
    with serve(epochs=0).connect() as stream:
        stream.seek(1, 7)
        assert steps(stream) == [(1, 7), (1, 8), (1, 9)]
        assert steps(stream) == [(2, step) for step in range(10)]
        stream.seek(0)
        first = [batch.index for batch in stream]
        stream.seek(0)
        np.testing.assert_array_equal(first, [batch.index for batch in stream])


def test_seek_inside_a_loop(stream):
    visited = []
    for batch in stream:
        visited.append(batch.step)
        if visited == [0, 1, 2]:
            stream.seek(0, 8)
    assert visited == [0, 1, 2, 8, 9]


@pytest.mark.parametrize("position", [(0, 10), (3, 1), (4, 0), (-1, 0), (0, -1)])
def test_seek_out_of_range(stream, position):
    with pytest.raises(headrace.Invalid):
        stream.seek(*position)
    assert steps(stream)[0] == (0, 0)


def test_any_position_can_be_sought(serve):
    with serve(epochs=0).connect() as stream:
        positions = [stream.position]
        for _ in range(3):
            for batch in stream:
                positions.append(stream.position)
        assert positions[-1] == (3, 0)
        for position in positions:
            stream.seek(*position)
            assert stream.position == position
            assert steps(stream)[0] == position


def test_an_older_iterator_ends_with_its_epoch(stream):
    older = iter(stream)
    next(older), next(older)
    assert steps(stream)[0] == (1, 0)
    assert list(older) == []


def test_reattaching_in_an_epoch_goes_on_in_the_first_loop(service):
    stream = service.connect()
    for batch in stream:
        if batch.step == 5:
            break
    del batch
    stream.close(goodbye=False)
    with service.connect() as again:
        epoch, step = again.position
        assert step > 0  # the service knows what this rank has consumed
        assert steps(again) == [(epoch, k) for k in range(step, 10)]
        assert steps(again)[0] == (epoch + 1, 0)


def test_endless(serve):
    with serve(epochs=0).connect() as stream:
        assert stream.epochs == 0
        assert [steps(stream)[-1] for _ in range(5)] == [(epoch, 9) for epoch in range(5)]
        assert not stream.finished


def test_stats(stream):
    for batch in stream:
        pass
    stats = stream.stats()
    assert (stats.batches, stats.rows, stats.held) == (10, 80, 1)
    assert stats.bytes >= 80 * 48
    assert stats.wait_seconds >= 0
    batch.release()
    assert stream.stats().held == 0


def test_partial_cuts_the_arrays(serve):
    with serve(samples=77, last="partial").connect() as stream:
        rows = [(batch.rows, len(batch["x"]), len(batch.index)) for batch in stream]
    assert rows == [(8, 8, 8)] * 9 + [(5, 5, 5)]


def test_partial_may_leave_nothing(serve):
    """Every trainer gets the same number of batches: with 9 samples the second trainer's last batch is empty."""
    service = serve(samples=9, batch=4, last="partial", trainers_per_node=2)
    with service.connect(rank=0, world_size=2) as first, service.connect(rank=1, world_size=2) as second:
        assert len(first) == len(second) == 2
        rows = []
        for stream in (first, second):
            for batch in stream:
                assert batch["x"].shape == (batch.rows, *SHAPE)
                assert_right(batch)
                rows.append(batch.rows)
    assert sum(rows) == 9 and 0 in rows


def test_pad_fills_the_arrays(serve):
    with serve(samples=77, last="pad").connect() as stream:
        for batch in stream:
            assert batch["x"].shape == (8, *SHAPE)
            assert batch.index.shape == (8,)
            assert_right(batch)
    assert batch.rows == 5


def test_two_trainers_share_an_epoch(serve):
    service = serve(trainers_per_node=2)
    with service.connect(rank=0, world_size=2) as one, service.connect(rank=1, world_size=2) as two:
        assert len(one) == 5
        seen = [number for pair in zip(one, two) for batch in pair for number in batch.index.tolist()]
    assert sorted(seen) == list(range(80))


def test_streams_are_independent(serve_real):
    service = serve_real(**{"stream.train.select": ":64", "stream.val.select": "64:", "stream.val.shuffle": "none"})
    with service.connect(stream="train") as train, service.connect(stream="val") as val:
        next(iter(train))
        assert [batch.index.tolist() for batch in val] == [list(range(64, 72)), list(range(72, 80))]
        assert train.position == (0, 1)
    with pytest.raises(headrace.Refused, match=r"(?s)train.*val"):
        service.connect()
