"""connect(..., reconnect=True): a service that dies is waited for, and iteration goes on as if nothing had been."""

import logging
import os
import signal
import threading

import headrace
import numpy as np
import pytest
from conftest import assert_right, patiently


def walk(batches):
    """Takes what comes and holds nothing: several batches may have been ready when the service died."""
    for batch in batches:
        del batch


def steps(batches):
    return [(batch.epoch, batch.step) for batch in batches]


def kill_when_waited_for(service, caplog, then):
    """Kills the service, and in a thread calls `then` once the trainer has said that it waits for another."""
    service.kill()  # before anything is asked for: else the epoch might be over first

    def run():
        while "waiting for it to come back" not in caplog.text:  # ctest's timeout is the watchdog
            pass
        then()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_loop_goes_on(serve, caplog):
    service = serve()
    seen = []
    with service.connect(reconnect=True) as stream:
        for batch in stream:
            assert_right(batch)
            seen.append((batch.step, batch.index.tolist()))
            if batch.step == 4:
                service.kill()
                serve(name=service.name)
        assert [step for step, _ in seen] == list(range(10))
        assert sorted(sum((index for _, index in seen), [])) == list(range(80))
        assert stream.stats()[:3] == (10, 80, stream.stats().bytes)
        assert stream.state_dict()["epoch"] == 1
        assert steps(stream) == [(1, step) for step in range(10)]
    assert "ended without a word" in caplog.text and "is back after" in caplog.text


def test_waiting_for_one_that_takes_its_time(serve_fake):
    service = serve_fake()

    class Start(logging.Handler):
        def emit(self, record):
            if "waiting for it to come back" in record.getMessage():
                serve_fake(name=service.name, load_ms=300)

    handler = Start()
    logging.getLogger("headrace").addHandler(handler)
    try:
        with service.connect(reconnect=True) as stream:
            batches = iter(stream)
            next(batches)
            service.kill()
            assert steps(batches) == [(0, step) for step in range(1, 10)]
    finally:
        logging.getLogger("headrace").removeHandler(handler)


def test_views_held_over_the_loss_stay_valid(serve):
    service = serve(slots=4)
    with service.connect(reconnect=True) as stream:
        batches = iter(stream)
        held, old_ring = [next(batches), next(batches)], stream._connection.ring
        views = [batch["label"] for batch in held]
        wanted = [10 * batch.index for batch in held]
        service.kill()
        serve(name=service.name, slots=4)
        after = [next(batches)]
        while stream._connection.ring == old_ring:  # what was in it still comes
            after = [next(batches)]
        after += [next(batches) for _ in range(3)]  # all slots of the new ring
        for batch in after:
            assert_right(batch)
        for batch, view, values in zip(held, views, wanted):
            np.testing.assert_array_equal(view, values)
            assert_right(batch)
        assert stream.stats().held == 4
        del held, views, batch, view  # returned to a ring that is gone: no slot of the new one comes free by it
        assert stream.stats().held == 4
        for batch in after:
            assert_right(batch)


def test_without_it_the_loss_is_an_error(serve):
    service = serve()
    with pytest.raises(headrace.ServiceLost), service.connect() as stream:
        next(iter(stream))
        service.kill()
        walk(stream)


def test_nobody_comes_within_the_timeout(serve_fake):
    service = serve_fake()
    # As long as it has not begun to listen.
    with patiently(lambda: service.connect(reconnect=True, timeout=0.3)) as stream:
        batches = iter(stream)
        next(batches)
        service.kill()
        with pytest.raises(headrace.Timeout, match="no service"):
            walk(batches)
        assert not stream.closed
        done = stream.position[1]  # what was in the ring came out of it
        serve_fake(name=service.name)
        assert patiently(lambda: next(stream.resume())).step == done


def test_another_service_of_that_name_is_not_gone_on_with(serve_real):
    service = serve_real()
    with service.connect(reconnect=True) as stream:
        batches = iter(stream)
        next(batches)
        service.kill()
        other = serve_real(name=service.name, seed=5, batch=4)
        with pytest.raises(headrace.Refused, match="the seed, 0 then and 5 now; the global batch, 8 then and 4 now"):
            walk(batches)
        done = stream.position[1]
        other.kill()
        serve_real(name=service.name)
        assert steps(stream.resume()) == [(0, step) for step in range(done, 10)]


def test_seeking_and_loading_while_it_is_gone(serve):
    service = serve()
    with service.connect(reconnect=True) as stream:
        state = stream.state_dict()
        for go in (lambda: stream.seek(0, 7), lambda: stream.load_state_dict({**state, "step": 7})):
            service.kill()
            service = serve(name=service.name)
            go()
            assert steps(stream) == [(0, 7), (0, 8), (0, 9)]


def test_the_end_needs_no_service(serve_fake):
    service = serve_fake(epochs=1)
    with service.connect(reconnect=True) as stream:
        assert len(steps(stream)) == 10
        service.kill()
        assert steps(stream) == [] and stream.finished


def test_closing_ends_the_wait(serve_fake, caplog):
    service = serve_fake()
    with service.connect(reconnect=True) as stream:
        next(iter(stream))
        thread = kill_when_waited_for(service, caplog, stream.close)
        with pytest.raises(headrace.Closed):
            walk(stream.resume())
        thread.join()


def test_ctrl_c_ends_the_wait_and_the_next_loop_takes_it_up(serve_fake, caplog):
    service = serve_fake()
    with service.connect(reconnect=True) as stream:
        next(iter(stream))
        interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
        thread = kill_when_waited_for(service, caplog, interrupt)
        with pytest.raises(KeyboardInterrupt):
            walk(stream.resume())
        thread.join()
        done = stream.position[1]  # what was in the ring came out of it
        assert not stream.closed and stream.stats().batches == done
        serve_fake(name=service.name)
        assert steps(stream.resume()) == [(0, step) for step in range(done, 10)]


def test_several_losses(serve_fake, caplog):
    caplog.set_level(logging.WARNING)
    service = serve_fake(epochs=5)
    seen = []
    with service.connect(reconnect=True) as stream:
        for _ in range(5):
            for batch in stream:
                seen.append((batch.epoch, batch.step))
                if batch.step == 6:
                    service.kill()
                    service = serve_fake(epochs=5, name=service.name)
    assert seen == [(epoch, step) for epoch in range(5) for step in range(10)]
    # The last loss may come after the last batch is ready: then nobody waits for anything.
    assert caplog.text.count("is back after") in (4, 5)
