"""Which epoch a loop is of: looks lose nothing, what was taken ahead is not given, the state is that of what was."""

import logging
from pathlib import Path

import headrace
import numpy as np
import pytest
from conftest import assert_right, expected
from headrace import _state
from headrace._loop import Loop


def steps(batches):
    return [(batch.epoch, batch.step) for batch in batches]


def epoch(number):
    return [(number, step) for step in range(10)]


def test_a_look_loses_nothing(stream, caplog):
    with caplog.at_level(logging.INFO, "headrace"):
        for _ in range(3):
            assert next(iter(stream)).step == 0
        assert steps(stream) == epoch(0)
        next(iter(stream))
        assert steps(stream) == epoch(1)
    told = [message for message in caplog.messages if "left after one batch" in message]
    assert len(told) == 1 and "peek()" in told[0] and "epoch 0, step 0" in told[0]


def test_a_loop_left_after_two_batches_is_over(stream):
    for batch in stream:
        if batch.step == 1:
            break
    assert steps(stream) == epoch(1)


def test_a_look_at_the_rest_of_an_epoch(stream):
    stream.seek(1, 6)
    next(iter(stream))
    assert steps(stream) == epoch(1)[6:]


def test_a_look_at_the_last_epoch(stream):
    stream.seek(2)
    next(iter(stream))
    assert not stream.finished
    assert steps(stream) == epoch(2) and stream.finished


def test_an_epoch_of_one_batch_is_no_look(serve):
    with serve(samples=8).connect() as stream:
        assert [steps(stream) for _ in range(2)] == [[(0, 0)], [(1, 0)]]  # after the third the service may be gone
        stream.seek(0)
        for _ in range(2):  # by length, as some frameworks count
            next(iter(stream))
        assert stream.position == (2, 0)


def test_iter_alone_moves_nothing(stream):
    stream.seek(0, 4)
    for _ in range(3):
        iter(stream)
    loop = iter(stream)
    assert stream.position == (0, 4)
    next(loop), next(loop)
    iter(stream)
    assert steps(loop) == epoch(0)[6:]


def test_looks_in_a_loop_end_it(stream):
    """As before: the loop that began last is the one that goes on."""
    older = iter(stream)
    next(older), next(older)
    assert next(iter(stream)).epoch == 1
    assert list(older) == []


def test_peek(stream):
    before = stream.position
    first = stream.peek()
    assert isinstance(first, dict) and (first.epoch, first.step, first.rows) == (0, 0, 8)
    assert_right(first)
    first["x"][:] = 0  # a copy
    again = stream.peek()
    np.testing.assert_array_equal(again.index, first.index)
    assert stream.position == before and stream.stats().batches == 1
    batch = next(iter(stream))
    assert_right(batch)
    np.testing.assert_array_equal(batch.index, first.index)
    assert steps(stream.resume())[0] == (0, 1)


def test_peek_holds_nothing_back(serve):
    with serve(epochs=1).connect(exhausted_timeout=0) as stream:
        held = [stream.peek() and next(stream.resume()) for _ in range(stream.slots)]
        assert [batch.step for batch in held] == list(range(stream.slots))
        with pytest.raises(headrace.Exhausted):
            stream.peek()
        held.clear()
        for _ in stream.resume():
            pass
        with pytest.raises(headrace.Invalid, match="no batch left"):
            stream.peek()


def test_peek_then_seek_or_close(serve_fake):
    service = serve_fake()
    with service.connect() as stream:
        stream.peek()
        stream.seek(1)
        assert (stream.peek().epoch, stream.peek().step) == (1, 0)
    service.wait_for("train 0 goodbye")
    assert "train 0 discarded 0 0" in service.events() and "train 0 discarded 1 0" in service.events()


def test_peek_then_a_seek_that_is_refused(stream):
    """Whoever is refused stays where it is: what was looked at is still the next."""
    stream.peek()
    with pytest.raises(headrace.Invalid, match="does not exist"):
        stream.seek(0, 99)
    with pytest.raises(headrace.Error):
        stream.load_state_dict({**stream.state_dict(), "step": 99})
    assert stream.position == (0, 0)
    assert steps(stream) == epoch(0)


# -- what takes ahead --------------------------------------------------------------------------------------------------


def ahead(stream, count, give, resumes=False):
    """A loader that takes `count` batches and gives the first `give` of them."""
    loop = Loop(stream, resumes, ahead=True)
    taken = [(batch.epoch, batch.step) for batch in (loop.take() for _ in range(count))]
    for position in taken[:give]:
        loop.give(position)
    return loop


@pytest.mark.parametrize(
    ("take", "give", "position", "following"),
    [(4, 0, (0, 0), epoch(0)), (4, 1, (0, 1), epoch(0)), (4, 2, (0, 2), epoch(1)), (10, 9, (0, 9), epoch(1))],
)
def test_what_was_taken_ahead_is_not_given(stream, take, give, position, following):
    ahead(stream, take, give)
    assert stream.position == position
    assert (stream.state_dict()["epoch"], stream.state_dict()["step"]) == position
    assert steps(stream) == following


def test_going_on_after_a_loader(stream):
    ahead(stream, 5, 3)
    with pytest.raises(headrace.Error, match="taken ahead"):
        stream.peek()
    assert steps(stream.resume()) == epoch(0)[3:]
    ahead(stream, 2, 2)
    ahead(stream, 3, 1, resumes=True)
    assert steps(stream.resume()) == epoch(1)[3:]


def test_a_loader_that_gives_all(stream):
    loop = ahead(stream, 10, 10)
    assert loop.take() is None
    loop.end()
    assert stream.position == (1, 0)
    assert steps(stream) == epoch(1)


def test_the_state_of_what_was_taken_ahead_fits(serve):
    service = serve()
    with service.connect() as stream:
        stream.seek(1)
        ahead(stream, 4, 3)
        state = stream.state_dict()
        stream.load_state_dict(state)
        assert steps(stream) == epoch(1)[3:]


def test_the_state_of_a_batch(stream):
    states = [batch.state_dict() for batch in stream]
    assert [(state["epoch"], state["step"]) for state in states] == [*epoch(0)[1:], (1, 0)]
    stream.load_state_dict(states[6])
    assert steps(stream) == epoch(0)[7:]


def test_set_epoch(stream):
    stream.set_epoch(0)
    assert stream.position == (0, 0)
    for batch in stream:
        if batch.step == 3:
            break
    stream.set_epoch(0)  # inside of it
    assert steps(stream.resume()) == epoch(0)[4:]
    stream.set_epoch(2)
    assert steps(stream) == epoch(2)
    stream.set_epoch(1)
    assert stream.position == (1, 0)


def test_set_epoch_after_a_loop_that_was_left(stream):
    """The next loop is of that epoch, all of it, as samplers of PyTorch have it; and the one after it the next."""
    for _ in range(2):
        stream.set_epoch(0)
        loop = iter(stream)
        assert steps(next(loop) for _ in range(3)) == epoch(0)[:3]
    stream.set_epoch(0)
    assert steps(stream) == epoch(0)
    stream.set_epoch(1)
    next(iter(stream)), next(stream.resume())
    assert steps(stream) == epoch(2)


def test_a_stream_has_no_samples_by_number(stream):
    with pytest.raises(TypeError, match=r"headrace.torch.Loader\(stream\).*batch_size=None"):
        stream[0]


# -- map ---------------------------------------------------------------------------------------------------------------


def test_map_keeps_the_state(service):
    with service.connect() as stream:
        pairs = stream.map(lambda batch: (batch["x"].copy(), batch.index)).map(lambda pair: pair[1])
        assert (len(pairs), pairs.samples, pairs.batch_size, pairs.schema) == (10, 80, 8, stream.schema)
        for i, index in enumerate(pairs):
            if i == 5:
                break
        state = pairs.state_dict()
        assert pairs.position == (0, 6) and (state["epoch"], state["step"]) == (0, 6)
        rest = list(pairs.resume())
        pairs.load_state_dict(state)
        np.testing.assert_array_equal(list(pairs), rest)
        np.testing.assert_array_equal(pairs.peek(), stream.peek().index)
        pairs.seek(2)
        pairs.set_epoch(1)
        assert pairs.position == (1, 0) and not pairs.finished
        pairs.close()
        assert stream.closed


# -- batches -----------------------------------------------------------------------------------------------------------


def test_batches_can_be_rebuilt(stream):
    """As Lightning and accelerate do it: type(data)({name: move(value)})."""
    batch = next(iter(stream))
    index = batch.index
    moved = type(batch)({name: view + 0 for name, view in batch.items()})
    again = type(moved)(dict(moved))
    del batch
    assert stream.stats().held == 0
    assert isinstance(again, headrace.Batch) and list(again) == list(stream.schema) and len(again) == 3
    np.testing.assert_array_equal(again["x"], expected(index)["x"])
    assert "x" in again and "nothing" not in again and "rebuilt" in repr(again)
    for name in ("index", "rows", "step"):
        with pytest.raises(AttributeError, match="headrace.INDEX"):
            getattr(again, name)


def test_copies_and_dicts(stream):
    batch = next(iter(stream))
    copied, views = batch.copy(), batch.to_dict()
    assert batch.nbytes == sum(view.nbytes for view in views.values())
    assert list(copied) == list(views) == batch._ipython_key_completions_()
    assert np.shares_memory(views["x"], batch["x"]) and not np.shares_memory(copied["x"], batch["x"])
    del batch, views
    assert stream.stats().held == 0
    assert_right(copied)


def test_notebooks_show_tables(stream):
    batch = next(iter(stream))
    for html in (batch._repr_html_(), batch.copy()._repr_html_(), stream.schema._repr_html_()):
        assert html.startswith("<table>") and "float32" in html and "3, 4)" in html
    assert stream.schema._ipython_key_completions_() == ["x", "label", "even"]
    batch.release()  # no view was left behind
    assert "<table>" in batch._repr_html_()


def test_help_shows_what_users_need():
    import pydoc

    text = pydoc.plain(pydoc.render_doc(headrace.Stream))
    assert "class Stream()" not in text.splitlines()[0] and "handle" not in text.split("Methods")[0]
    for word in ("samples: selected", "epochs: how many", "slots: batches", "peek", "for batch in stream"):
        assert word in text
    assert "rows: how many rows are real" in pydoc.plain(pydoc.render_doc(headrace.Batch))


def test_numpy_in_a_structure(stream):
    for (x, label), index, rows in stream.numpy((["x", "label"], headrace.INDEX, headrace.ROWS)):
        np.testing.assert_array_equal(x, expected(index)["x"])
        np.testing.assert_array_equal(label, expected(index)["label"])
        assert rows == 8
    del x, label
    kept = list(stream.numpy("x", copy=True))
    assert len(kept) == 10 and stream.stats().held == 0
    with pytest.raises(headrace.Invalid, match="Did you mean 'label'"):
        stream.numpy("lable")


# -- short last batches ------------------------------------------------------------------------------------------------


def test_an_empty_last_batch_is_told_at_connect(serve, caplog):
    service = serve(samples=9, batch=4, last="partial", trainers_per_node=2)
    with caplog.at_level(logging.WARNING, "headrace"):
        with service.connect(rank=0, world_size=2) as stream:
            assert stream.last == "partial" and not caplog.messages
        with service.connect(rank=1, world_size=2):
            pass
    (told,) = caplog.messages
    for words in ("rank 1", "empty last batch", "9 samples", "2 trainers with batch 4", "headrace.VALID"):
        assert words in told


def test_the_trainer_of_the_quickstart_takes_an_empty_batch(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "jobs"))
    plan = pytest.importorskip("quickstart_trainer").Plan({"x": ((3, 4), "float32")})
    assert plan.add({}, {"x": np.zeros((0, 3, 4), np.float32)}, 0) == {"x": {"0": [0, 0.0]}}


@pytest.mark.parametrize("last", ["drop", "pad"])
def test_what_becomes_of_the_last_rows(serve, last):
    with serve(samples=77, last=last).connect() as stream:
        assert stream.last == last


@pytest.mark.parametrize(
    ("trainers", "batch", "samples", "runs", "rows"),
    [(2, 64, 129, False, [1, 0]), (2, 64, 129, True, [1, 0]), (2, 4, 16, False, [4, 4]), (3, 4, 14, False, [1, 1, 0])],
)
def test_rows_of_the_last_batch(trainers, batch, samples, runs, rows):
    steps = -(-samples // (trainers * batch))
    plan = _state.Plan("val", trainers, batch, steps, {"trainers": str(trainers)} if runs else {})
    assert [_state.rows_of_last_batch(plan, samples, rank) for rank in range(trainers)] == rows
