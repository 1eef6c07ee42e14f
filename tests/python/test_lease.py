"""Views own the lease: a slot returns when the batch and its last view are gone, in any order, from any thread."""

import gc
import threading
import weakref

import headrace
import numpy as np
import pytest
from conftest import assert_right, expected


def held(stream):
    return stream.stats().held


def consume(stream, epochs):
    """Leaves no loop variable behind."""
    for _ in range(epochs):
        for batch in stream:
            batch.release()


def test_views_are_no_copies(stream):
    batch = next(iter(stream))
    address, size = stream._connection.ring
    x = batch["x"]
    assert address <= x.ctypes.data < address + size
    assert x.flags.writeable and not x.flags.owndata
    x[0] = -1  # the lease is exclusive
    assert (batch["x"][0] == -1).all()


def test_index_is_a_copy(stream):
    numbers = [batch.index for batch in stream]
    assert held(stream) == 0  # the loop of a comprehension ends with it
    assert sorted(np.concatenate(numbers)) == list(range(80))


def test_dropping_the_batch_returns_the_slot(stream):
    batch = next(iter(stream))
    assert held(stream) == 1
    del batch
    assert held(stream) == 0


@pytest.mark.parametrize(
    "derive",
    [
        lambda x: x,
        lambda x: x[2:, ::2],
        lambda x: x.reshape(-1)[3:].view(np.int32),
        lambda x: x.T[0],
        lambda x: memoryview(x)[1:],
        lambda x: x[:0],
        lambda x: np.asarray(memoryview(x.T)),
    ],
    ids=["view", "slice", "reinterpreted", "transposed", "memoryview", "empty", "array over memoryview"],
)
def test_a_view_holds_the_slot(stream, derive):
    batch = next(iter(stream))
    view = derive(batch["x"])
    with pytest.raises(BufferError, match="views"):
        batch.release()
    assert not batch.released
    del batch
    assert held(stream) == 1
    del view
    assert held(stream) == 0


def test_values_stay_while_the_view_lives(stream):
    kept = []
    for batch in stream:
        if batch.step in (2, 5):
            kept.append((batch.index, batch["x"][1:]))
    del batch
    consume(stream, epochs=2)
    for index, view in kept:
        np.testing.assert_array_equal(view, expected(index)["x"][1:])
    assert held(stream) == 2


def test_release(stream):
    batch = next(iter(stream))
    batch.release()
    batch.release()
    assert batch.released and held(stream) == 0
    assert (batch.epoch, batch.step, batch.rows) == (0, 0, 8)
    for access in (lambda: batch["x"], lambda: batch.index, lambda: dict(batch)):
        with pytest.raises(ValueError, match="released"):
            access()


def test_a_copy_holds_nothing(stream):
    batch = next(iter(stream))
    copy = batch["x"] + 0
    total = batch["x"].sum()
    batch.release()
    assert total == copy.sum()


def test_batch_as_context_manager(stream):
    batches = iter(stream)
    with next(batches) as batch:
        assert held(stream) == 1
    assert batch.released and held(stream) == 0
    with next(batches) as batch:
        view = batch["x"]
    assert batch.released and held(stream) == 1  # until the view is gone
    del view
    assert held(stream) == 0


def test_mapping(stream):
    batch = next(iter(stream))
    assert len(batch) == len(stream.schema)
    assert "x" in batch and "y" not in batch
    assert [name for name, _ in batch.items()] == list(stream.schema)
    with pytest.raises(KeyError, match=r"no field 'y'.*x"):
        batch["y"]
    assert batch == batch and batch != next(iter(stream))
    assert "epoch 0 step 0" in repr(batch)


def test_any_order(stream):
    batches = stream.resume()
    first, second, third = next(batches), next(batches), next(batches)
    second.release()
    assert held(stream) == 2
    third.release()
    fourth, fifth = next(batches), next(batches)
    assert_right(first)
    assert_right(fifth)
    assert held(stream) == 3
    del first, fourth, fifth
    assert held(stream) == 0


def test_holding_every_slot_is_an_error_at_once(service):
    with service.connect(exhausted_timeout=0) as stream:
        hold_every_slot(stream)


def hold_every_slot(stream):
    kept = []
    with pytest.raises(headrace.Exhausted) as error:
        for batch in stream:
            kept.append(batch["label"])
    assert len(kept) == stream.slots
    for step in range(stream.slots):
        assert str(step) in str(error.value)
    kept.clear()
    del batch
    assert next(stream.resume()).step == stream.slots  # nothing is lost


def test_cycles_are_collected_before_giving_up(stream):
    gc.disable()
    try:
        for batch in stream:
            cycle = [batch["x"]]
            cycle.append(cycle)
            del cycle
        assert stream.position == (1, 0)
    finally:
        gc.enable()


def test_collected_in_another_thread(stream):
    batches = stream.resume()
    for _ in range(5):
        box = [next(batches)["x"] for _ in range(2)]
        thread = threading.Thread(target=box.clear)
        thread.start()
        thread.join()
    assert held(stream) == 0


def test_threads_share_a_stream(stream):
    seen, lock = [], threading.Lock()

    def consume():
        for batch in stream.resume():
            assert_right(batch)
            with lock:
                seen.append(batch.step)
            batch.release()

    for epoch in range(3):
        stream.seek(epoch)
        seen.clear()
        threads = [threading.Thread(target=consume) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen) == list(range(10))
    assert held(stream) == 0


class Event:
    """Like torch.cuda.Event: happens when told, or when waited for."""

    def __init__(self):
        self.happened = self.waited_for = False

    def query(self):
        return self.happened

    def synchronize(self):
        self.happened = self.waited_for = True


def test_release_after_an_event(stream):
    batches = stream.resume()
    event = Event()
    batch = next(batches)
    batch.release(after=event)
    assert batch.released and held(stream) == 1
    next(batches)
    assert held(stream) == 1  # polled, has not happened
    event.happened = True
    next(batches)
    assert held(stream) == 0
    assert not event.waited_for


def test_events_are_waited_for_when_no_slot_is_left(stream):
    events = [Event() for _ in range(10)]
    for batch, event in zip(stream, events):
        batch.release(after=event)
    assert stream.position == (1, 0)
    waited = [event.waited_for for event in events]
    assert waited[: 10 - stream.slots] == [True] * (10 - stream.slots)  # the oldest first, no more than needed
    assert not any(waited[10 - stream.slots :])


def test_close_waits_for_events(service):
    event = Event()
    with service.connect() as stream:
        next(iter(stream)).release(after=event)
    assert event.waited_for


def test_torch_tensors_own_the_lease(stream):
    torch = pytest.importorskip("torch", reason="torch is not installed (tools/bootstrap --peers)")
    batch = next(iter(stream))
    index = batch.index
    tensor = torch.from_numpy(batch["x"])
    part = tensor.view(-1)[7:].t()
    del batch, tensor
    gc.collect()
    consume(stream, epochs=2)
    assert held(stream) == 1
    np.testing.assert_array_equal(part.numpy(), expected(index)["x"].ravel()[7:])
    reference = weakref.ref(part)
    del part
    assert reference() is None and held(stream) == 0


def test_a_tensor_outlives_its_stream(service):
    torch = pytest.importorskip("torch", reason="torch is not installed (tools/bootstrap --peers)")
    with service.connect() as stream:
        batch = next(iter(stream))
        index, tensor = batch.index, torch.from_numpy(batch["x"])
    del stream, batch
    gc.collect()
    with service.connect() as again:
        consume(again, epochs=1)
    np.testing.assert_array_equal(tensor.numpy(), expected(index)["x"])


def test_close_with_live_views(service):
    stream = service.connect()
    batch = next(iter(stream))
    index, view = batch.index, batch["x"]
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        batch["x"]
    np.testing.assert_array_equal(view, expected(index)["x"])
    view[0] = 0
    del view, batch  # nothing to return, and no crash
    stream.close()
    with pytest.raises(headrace.Closed):
        next(iter(stream))


def test_pickling_is_refused(stream):
    import pickle

    for thing in (stream, next(iter(stream))):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(thing)
