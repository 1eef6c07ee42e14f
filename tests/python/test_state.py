"""Checkpoints of a stream: what is in them, going on from them, and which are refused."""

import contextlib
import json
import time

import h5py
import headrace
import pytest


def steps(batches):
    return [(batch.epoch, batch.step) for batch in batches]


def test_the_current_batch_counts_as_consumed(stream):
    for batch in stream:
        state = json.loads(json.dumps(stream.state_dict()))
        assert (state["epoch"], state["step"]) == ((0, batch.step + 1) if batch.step < 9 else (1, 0))
    assert state["stream"] == "train" and state["global_batch"] == 8 and state["world_size"] == 1
    assert set(state["fingerprint"]) == {"files", "fields", "stream", "seed"}


def test_going_on_in_another_process_of_the_service(serve):
    seen = []
    with serve().connect() as stream:
        for batch in stream:
            seen += batch.index.tolist()
            if batch.step == 3:
                state = stream.state_dict()
                break
    with serve().connect() as stream:
        assert stream.position == (0, 0)
        stream.load_state_dict(state)
        assert stream.position == (0, 4)
        rest = [batch.index.tolist() for batch in stream]
        assert len(rest) == 6
        assert sorted(seen + sum(rest, [])) == list(range(80))
        assert steps(stream) == [(1, step) for step in range(10)]


def test_batches_held_stay_valid(stream):
    batches = iter(stream)
    held = next(batches)
    stream.load_state_dict(stream.state_dict())
    assert held["label"].tolist() == (10 * held.index).tolist()
    assert steps(stream) == [(0, step) for step in range(1, 10)]


def test_the_end_is_a_place_too(serve_fake):
    with serve_fake().connect() as stream:
        stream.seek(3)
        state = stream.state_dict()
        stream.seek(0)
        stream.load_state_dict(state)
        assert stream.finished


def test_what_is_no_state(stream):
    state = stream.state_dict()
    for broken in ({}, None, [1], {**state, "step": "x"}, {**state, "fingerprint": 3}):
        with pytest.raises(headrace.Invalid, match="no state of a stream"):
            stream.load_state_dict(broken)
    with pytest.raises(headrace.Invalid, match="format 9"):
        stream.load_state_dict({**state, "headrace": 9})
    with pytest.raises(headrace.Invalid, match="step 77 does not exist"):
        stream.load_state_dict({**state, "step": 77})
    assert stream.position == (0, 0)


@pytest.mark.parametrize(
    ("part", "text"),
    [("files", "files"), ("fields", "configuration of the fields"), ("stream", "selection"), ("seed", "seed, 00 then")],
)
def test_another_fingerprint_is_refused_unless_told_otherwise(stream, part, text):
    state = stream.state_dict()
    state["step"], state["fingerprint"][part] = 3, "00"
    with pytest.raises(headrace.Refused, match=text) as refused:
        stream.load_state_dict(state)
    assert "strict=False" in str(refused.value)
    assert stream.position == (0, 0)
    stream.load_state_dict(state, strict=False)
    assert steps(stream)[0] == (0, 3)


def test_a_file_written_anew_is_another_file(serve_real, tmp_path):
    """Of the same name, size and shapes."""
    service = serve_real()
    with service.connect() as stream:
        state = {**stream.state_dict(), "step": 3}
    service.kill()
    with h5py.File(tmp_path / "80.h5", "r+") as file:
        file["label"][0] += 1
    with serve_real().connect() as stream:
        with pytest.raises(headrace.Refused, match=r"the files \(their names, sizes"):
            stream.load_state_dict(state)
        stream.load_state_dict(state, strict=False)
        assert stream.position == (0, 3)


def test_a_state_of_another_stream_is_refused(stream):
    with pytest.raises(headrace.Refused, match="'val', and this is stream 'train'"):
        stream.load_state_dict({**stream.state_dict(), "stream": "val"})


def test_another_global_batch(stream):
    state = {**stream.state_dict(), "step": 3, "global_batch": 16}
    with pytest.raises(headrace.Refused, match="global-batch = 16"):
        stream.load_state_dict(state)
    stream.load_state_dict(state, strict=False)
    assert stream.position == (0, 6)
    stream.load_state_dict({**state, "step": 5}, strict=False)  # its last one is our last one
    assert stream.position == (1, 0)
    with pytest.raises(headrace.Refused, match="behind 36 samples of epoch 0"):
        stream.load_state_dict({**state, "global_batch": 12}, strict=False)
    stream.load_state_dict({**state, "step": 0, "epoch": 1})
    assert stream.position == (1, 0)


def test_runs_of_a_file_are_those_of_so_many_trainers(serve_real):
    with serve_real(shuffle="none", last="partial").connect() as stream:
        state = stream.state_dict()
        state["fingerprint"]["trainers"] = "2"
        stream.load_state_dict({**state, "epoch": 1})
        with pytest.raises(headrace.Refused, match="number of trainers, 2 then and 1 now"):
            stream.load_state_dict({**state, "step": 2})


def test_trainers_must_agree(serve_real):
    service = serve_real(trainers_per_node=2, batch=4)
    with service.connect(rank=0, world_size=2) as first, service.connect(rank=1, world_size=2) as second:
        state = {**first.state_dict(), "epoch": 1, "step": 4}
        first.load_state_dict(state)
        with pytest.raises(headrace.Refused) as refused:
            second.load_state_dict({**state, "step": 5})
        for text in ("rank 1 (process", "epoch 1, step 5", "rank 0 (process", "epoch 1, step 4"):
            assert text in str(refused.value)
        assert second.position == (0, 0)  # it is still there
        second.load_state_dict(state)
        assert steps(first) == steps(second) == [(1, step) for step in range(4, 10)]
        later = {**state, "epoch": 2, "step": 1}  # a second time, by both
        second.load_state_dict(later)
        first.load_state_dict(later)
        assert steps(first) == steps(second) == [(2, step) for step in range(1, 10)]


def strays(stream):
    """What ends the work of a trainer that takes batch after batch."""
    with pytest.raises(headrace.Refused) as refused:
        while True:
            for _ in stream:
                pass
    return str(refused.value)


@pytest.mark.parametrize("reconnect", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_a_trainer_that_loads_no_state_is_named(serve_real, late, reconnect):
    """A frequent mistake: only rank 0 loads its checkpoint."""
    service = serve_real(trainers_per_node=2, batch=4, epochs=0)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(service.connect(rank=0, world_size=2))
        others = {"rank": 1, "world_size": 2, "reconnect": reconnect}
        second = None if late else stack.enter_context(service.connect(**others))
        first.load_state_dict({**first.state_dict(), "epoch": 1, "step": 4})
        second = second or stack.enter_context(service.connect(**others))
        text = strays(second)
        for part in (
            "stream 'train': rank 1 (process",
            " goes on at epoch ",
            "without a state, but rank 0 (process",
            "loaded one and goes on at epoch 1, step 4",
            "load_state_dict",
        ):
            assert part in text
        assert next(iter(first)).step == 4  # it is not disturbed
    # Said a moment later; ctest's timeout is the watchdog.
    while not any("rank 1 (process" in line for line in service.events()):
        assert service.process.poll() is None
        time.sleep(0.01)


def test_a_trainer_that_seeks_the_place_of_the_others_is_right(serve_real):
    service = serve_real(trainers_per_node=2, batch=4, epochs=0)
    with service.connect(rank=0, world_size=2) as first, service.connect(rank=1, world_size=2) as second:
        first.load_state_dict({**first.state_dict(), "epoch": 1, "step": 4})
        second.seek(1, 4)
        for _ in range(50):
            assert steps(first) == steps(second)


def test_trainers_that_begin_anew_may_go_on_elsewhere(serve_real):
    service = serve_real()
    for step in (4, 2):
        with service.connect() as stream:
            stream.load_state_dict({**stream.state_dict(), "epoch": 0, "step": step})
            assert next(iter(stream)).step == step


def test_a_rank_that_stays_taken_is_refused(serve_real):
    service = serve_real(trainers_per_node=2)
    with (
        service.connect(rank=0, world_size=2),
        pytest.raises(headrace.Refused, match="rank 0 of 2 is taken by process"),
    ):
        service.connect(rank=0, world_size=2)
