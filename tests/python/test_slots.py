"""Slots that come back late: who holds all of them waits, and what keeps a batch says when it has happened."""

import asyncio
import concurrent.futures
import gc
import logging
import threading
import time
from types import SimpleNamespace

import headrace
import pytest
from headrace import _session, _slots
from headrace._deferred import happening


def test_a_slot_that_comes_back_late_is_waited_for(service):
    """From another thread: the loop before would have ended in Exhausted."""
    with service.connect() as stream:
        batches = stream.resume()
        kept = [next(batches)["x"] for _ in range(stream.slots)]
        late = threading.Timer(0.05, kept.pop)
        late.start()
        assert next(batches).step == stream.slots
        late.join()


def test_garbage_is_collected_while_it_waits(service):
    """What frameworks let go of only by a collection, made after the wait began."""
    with service.connect() as stream:
        batches = stream.resume()
        kept = [next(batches)["x"] for _ in range(stream.slots)]

        def into_a_cycle():
            cycle = [kept.pop()]
            cycle.append(cycle)

        gc.disable()
        try:
            late = threading.Timer(0.05, into_a_cycle)
            late.start()
            assert next(batches).step == stream.slots
            late.join()
        finally:
            gc.enable()


def test_old_garbage_is_collected_too(service):
    """A cycle that has survived collections before it got its batch."""
    with service.connect() as stream:
        batches = stream.resume()
        kept = [next(batches)["x"] for _ in range(stream.slots)]
        cycle = []
        cycle.append(cycle)
        gc.collect()
        gc.disable()
        try:
            cycle.append(kept.pop())
            del cycle
            assert next(batches).step == stream.slots
        finally:
            gc.enable()


class Clock:
    """Goes when somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize(("seconds", "of_all"), [(0.002, 0), (0.05, 1), (1.0, 10)])
def test_all_garbage_is_collected_only_where_the_wait_lasts(monkeypatch, seconds, of_all):
    """With a framework loaded that takes longer than another thread to give back what it reads."""

    session = SimpleNamespace(slots=1, guard=threading.RLock(), held={0: (None, None, (0, 0))})
    clock, generations = Clock(), []
    monkeypatch.setattr(_slots, "time", clock)
    monkeypatch.setattr(_slots._Collector, "_took", 0.01)
    monkeypatch.setattr(_slots.gc, "collect", lambda generation=2: generations.append(generation))
    ends = clock.now + seconds
    _slots.wait_for_slot(lambda: session, lambda: clock.now >= ends, "somebody", 60.0)
    assert generations[0] == 0 and generations.count(2) == of_all
    assert generations.count(0) <= seconds / _slots._COLLECT_YOUNG + 1


def test_waiting_for_a_slot_ends(service, caplog, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_slots, "time", clock)
    monkeypatch.setattr(_slots, "_FIRST_WARNING", 0.1)
    with service.connect(exhausted_timeout=0.3) as stream, caplog.at_level(logging.WARNING, "headrace"):
        stream.seek(1, 2)
        batches = stream.resume()
        kept = [next(batches)["x"] for _ in range(stream.slots)]
        began = clock.now
        with pytest.raises(headrace.Exhausted) as error:
            next(batches)
        assert clock.now - began >= 0.299
        for text in (str(error.value), *caplog.messages):
            assert f"all {stream.slots} slots" in text
            for step in range(2, 2 + stream.slots):
                assert f"epoch 1 step {step}" in text
        assert "none came back within 0.3" in str(error.value) and "batch.copy()" in str(error.value)
        assert len(caplog.messages) == 1 and "waits for a slot" in caplog.messages[0]
        kept.clear()
        assert next(batches).step == 2 + stream.slots  # nothing is lost


def test_closing_ends_a_wait_for_a_slot(service):
    stream = service.connect(exhausted_timeout=60)
    batches = stream.resume()
    kept = [next(batches)["x"] for _ in range(stream.slots)]
    threading.Timer(0.1, stream.close).start()
    with pytest.raises(headrace.Closed):
        next(batches)
    assert len(kept) == stream.slots


# -- release(after=) ---------------------------------------------------------------------------------------------------


class Array:
    """As jax.Array has it."""

    def __init__(self):
        self.ready = False

    def is_ready(self):
        return self.ready

    def block_until_ready(self):
        self.ready = True
        return self


class Event:
    def __init__(self):
        self.happened = False

    def query(self):
        return self.happened

    def synchronize(self):
        self.happened = True


@pytest.mark.parametrize("after", [object(), None.__class__, 3, "event", {}, [3], Event, [Event(), object()]])
def test_what_cannot_say_when_it_has_happened_is_refused(stream, after):
    batch = next(iter(stream))
    with pytest.raises(TypeError, match=r"release\(after=\)"):
        batch.release(after=after)
    assert not batch.released and stream.stats().held == 1
    batch["x"]
    batch.release()


def test_arrays_futures_and_lists(stream):
    batches = stream.resume()
    array, future, event = Array(), concurrent.futures.Future(), Event()
    next(batches).release(after=[array, future, (event,)])
    for happens in (lambda: future.set_result(None), event.synchronize, array.block_until_ready):
        next(batches).release()
        assert stream.stats().held == 1
        happens()
    next(batches).release()
    assert stream.stats().held == 0


def test_they_are_waited_for_when_no_slot_is_left(stream):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for batch in stream:
            batch.release(after=[Array(), pool.submit(time.sleep, 0.002)])
        del batch
    assert stream.position == (1, 0)


def test_a_future_that_fails_is_over():
    future = concurrent.futures.Future()
    waited = happening(future)
    assert not waited.happened()
    future.set_exception(ValueError("of its owner"))
    assert waited.happened()
    waited.wait()


@pytest.mark.parametrize("kind", [concurrent.futures.Future, asyncio.Future])
def test_a_future_that_is_never_done(service, caplog, kind):
    """Neither a loop nor close() waits for ever, and both say for what; what the future's owner reads stays."""
    loop = asyncio.new_event_loop()
    future = kind(loop=loop) if kind is asyncio.Future else kind()
    with service.connect(exhausted_timeout=0.05) as stream, caplog.at_level(logging.WARNING, "headrace"):
        batches = stream.resume()
        for _ in range(stream.slots):
            next(batches).release(after=future)
        with pytest.raises(headrace.Exhausted, match="epoch 0 step 0"):
            next(batches)
    assert stream.closed and "Future" in caplog.messages[-1] and "until this happens" in caplog.messages[-1]
    loop.close()


def test_where_asking_fails_the_slot_stays(stream):
    class Broken(Event):
        def query(self):
            raise RuntimeError("the device failed")

    batches = stream.resume()
    next(batches).release(after=Broken())
    with pytest.raises(RuntimeError, match="the device failed"):
        next(batches)
    assert stream.stats().held == 1


def test_leases_that_return_while_they_are_looked_through():
    """As by a garbage collection in the middle."""
    session = object.__new__(_session.Session)
    session.guard, session.handle = threading.RLock(), None

    def lost_with(other):
        return lambda: session.held.pop(other, None) and None

    session.held = {number: (lost_with(9 - number), None, (0, number)) for number in range(10)}
    assert session.return_lost()
    session.held = {number: (None, None, (0, number)) for number in range(3)}
    assert _slots._held(session) == "all 3 slots are held: epoch 0 step 0; epoch 0 step 1; epoch 0 step 2"
