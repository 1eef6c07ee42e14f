"""Waiting: it names what it waits for, obeys Ctrl-C and timeouts, lets other threads run, and ends with the service."""

import logging
import random
import signal
import sys
import threading
import time

import headrace
import pytest
from conftest import assert_right, patiently
from headrace import _connection, _session
from headrace._loop import Course, Loop
from headrace.stream import Stream


def test_a_dead_service_is_an_error(service):
    with pytest.raises(headrace.ServiceLost, match=service.name), service.connect() as stream:
        for batch in stream:
            if batch.step == 2:
                service.kill()


def test_a_dead_service_ends_a_wait(service):
    """A waiting trainer learns of it; what it holds stays readable."""
    stream = service.connect()
    kept = next(iter(stream))
    service.pause()
    threading.Timer(0.3, service.kill).start()
    with pytest.raises(headrace.ServiceLost):
        for batch in stream.resume():
            batch.release()
    assert_right(kept)
    stream.close()


def test_ctrl_c_ends_a_wait(service, run_python):
    """The trainer is paused in a wait by a stager that does not answer, and interrupted there."""
    trainer = run_python(
        """
        import sys, headrace
        try:
            with headrace.connect(sys.argv[1], timeout=60) as stream:
                next(iter(stream))
                print("attached")
                sys.stdin.readline()
                stream.seek(1)
                print("waiting")
                list(stream)
        except KeyboardInterrupt:
            print("interrupted")
        """,
        service.name,
    )
    assert trainer.stdout.readline() == "attached\n"
    service.pause()
    trainer.stdin.write("\n")
    trainer.stdin.flush()
    assert trainer.stdout.readline() == "waiting\n"
    trainer.send_signal(signal.SIGINT)
    assert trainer.stdout.readline() == "interrupted\n"
    assert trainer.wait() == 0


def test_ctrl_c_ends_connect(run_python):
    trainer = run_python(
        """
        import headrace
        try:
            print("waiting")
            headrace.connect("no-such-service", timeout=None)
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert trainer.stdout.readline() == "waiting\n"
    trainer.send_signal(signal.SIGINT)
    output, _ = trainer.communicate()
    assert output == "interrupted\n"


def test_other_signals_do_not_end_a_wait(serve_fake):
    """A handler that returns: the wait goes on, and nothing is lost."""
    handled = []
    previous = signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        with serve_fake(delay_ms=15).connect() as stream:
            assert [batch.step for batch in stream] == list(range(10))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert handled


def test_an_interrupted_loop_loses_no_batch(serve_fake, monkeypatch):
    """Whenever the exception comes, resume() gives the batch that follows the last one delivered."""

    class Interrupted(Exception):
        pass

    def interrupt(_number, frame):
        nonlocal on_the_way
        if frame.f_code.co_name == here:
            interrupt_soon()  # the loop's own lines: what it was handed is its own to lose
        elif armed:
            on_the_way += frame.f_code in hands or adopted(frame)
            raise Interrupted

    def interrupt_soon(*_):
        signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-6, 0.003))

    # What interrupts a lease at the very beginning of its __del__ is swallowed by Python, so it is tried again; the
    # hook of pytest would keep the exception, and with it the lease.
    monkeypatch.setattr(sys, "unraisablehook", interrupt_soon)
    seen, interruptions, armed, moments = [], 0, False, random.Random(1)
    here, on_the_way = sys._getframe().f_code.co_name, 0
    # What acquire() has adopted is the caller's: on the last steps up to the loop no line of ours can hold it.
    hands = {method.__code__ for method in (Stream._take, Loop.take, Loop.__next__, Course.give)}

    def adopted(frame):
        at = frame.f_locals if frame.f_code is _connection.Connection.acquire.__code__ else {}
        return "following" in at and at["self"].position == at["following"]

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        with serve_fake(samples=40000, epochs=1).connect() as stream:
            while stream.position != (1, 0):
                try:
                    armed = True
                    interrupt_soon()
                    for batch in stream.resume():
                        armed = False
                        seen.append(batch.step)
                        armed = True
                except Interrupted:
                    interruptions += 1
                finally:
                    armed = False  # no call stands before this, so no handler runs between
            del batch
            stream.seek(0)
            batches = iter(stream)
            everything = [next(batches) for _ in range(stream.slots)]  # no slot is lost, either
            assert len(everything) == stream.slots
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert interruptions > 3
    assert on_the_way < interruptions / 4
    assert len(set(range(5000)) - set(seen)) <= on_the_way
    assert seen == sorted(set(seen))


def test_a_long_wait_is_told(service, caplog, monkeypatch):
    monkeypatch.setattr(_connection, "_FIRST_WARNING", 0.3)
    with service.connect() as stream:
        next(iter(stream))
        service.pause()
        stream.seek(1, 4)
        began = time.monotonic()
        threading.Timer(1.5, service.go_on).start()
        with caplog.at_level(logging.WARNING, "headrace"):
            assert next(iter(stream)).step == 4
        waited = time.monotonic() - began
    first = caplog.messages[0]
    for words in (service.name, "trainer 0", "train", "epoch 1, step 4", "stager"):
        assert words in first
    assert 0.3 * 2 ** (len(caplog.messages) - 1) <= waited  # after 0.3, 0.6, 1.2 seconds and so on


def test_batch_timeout(service):
    with service.connect(batch_timeout=0.2) as stream:
        patiently(lambda: next(iter(stream)))
        service.pause()
        stream.seek(2, 3)
        with pytest.raises(headrace.Timeout, match=r"epoch 2, step 3.*stager") as error:
            next(iter(stream))
        assert isinstance(error.value, TimeoutError)
        service.go_on()
        batch = patiently(lambda: next(iter(stream)))
        assert (batch.epoch, batch.step) == (2, 3)


def test_waiting_lets_other_threads_run(service):
    with service.connect() as stream:
        next(iter(stream))
        service.pause()
        stream.seek(1)
        counted = []

        def count():
            for i in range(200):
                counted.append(i)
                time.sleep(0.001)
            service.go_on()

        thread = threading.Thread(target=count)
        thread.start()
        assert next(iter(stream)).epoch == 1
        assert len(counted) == 200
        thread.join()


def test_close_from_another_thread_ends_a_wait(service):
    stream = service.connect()
    next(iter(stream))
    service.pause()
    stream.seek(1)
    threading.Timer(0.2, stream.close).start()
    with pytest.raises(headrace.Closed):
        list(stream)


def test_no_service(capsys):
    with pytest.raises(headrace.Timeout, match="no-such-service"):
        headrace.connect("no-such-service", timeout=0)
    with pytest.raises(headrace.Timeout, match="no-such-service"):
        headrace.connect("no-such-service", timeout=0.6)


def test_connect_waits_for_a_service_that_loads(serve_fake, capsys, monkeypatch):
    from headrace._progress import ProgressLine

    monkeypatch.setattr(ProgressLine, "FIRST", 0.0)
    with serve_fake(load_ms=2500).connect(progress=True) as stream:
        assert len(stream) == 10
    told = capsys.readouterr().err
    assert "reading formulas" in told and stream.service in told


def test_connect_waits_for_a_service_that_is_not_there_yet(serve_fake, run_python):
    trainer = run_python(
        """
        import sys, headrace
        print("starting")
        with headrace.connect(sys.argv[1], timeout=60) as stream:
            print(len(stream))
        """,
        "late-service",
    )
    assert trainer.stdout.readline() == "starting\n"
    serve_fake(name="late-service")
    assert trainer.stdout.readline() == "10\n"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"RANK": "0", "WORLD_SIZE": "1"}, ["rank 0 (from RANK) of 1 (from WORLD_SIZE)", "taken"]),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "50"}, ["rank 2 (from SLURM_PROCID) of 50 (from SLURM_NTASKS)"]),
    ],
    ids=["rank taken", "too many trainers"],
)
def test_refusals_say_where_the_rank_came_from(service, monkeypatch, environ, named):
    with service.connect():
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(headrace.Refused) as error:
            service.connect()
    for words in named:
        assert words in str(error.value)


def test_unknown_stream(service):
    with pytest.raises(headrace.Refused, match=r"(?s)'?nonsense'?.*train"):
        service.connect(stream="nonsense")


def test_an_exception_while_a_lease_returns(service, monkeypatch):
    """Python swallows what a signal handler raises in a finalizer: the next acquire raises it, and the slot returns."""
    with service.connect() as stream:
        batch = next(iter(stream))

        def interrupted(_session, _number):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(_session.Session, "release", interrupted)
            del batch
        with pytest.raises(KeyboardInterrupt):
            next(stream.resume())
        assert stream.stats().held == 1
        batches = stream.resume()
        kept = [next(batches) for _ in range(stream.slots)]
        assert [batch.step for batch in kept] == list(range(1, 1 + stream.slots))


@pytest.mark.parametrize("then", ["go on", "seek", "close"])
def test_an_exception_before_a_batch_is_handed_over(serve_fake, monkeypatch, then):
    """The batch stays ours: the next acquire gives it, or it goes back as not used."""
    service = serve_fake()
    with service.connect() as stream:
        first = next(iter(stream))

        def interrupted(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(stream, "_make_batch", interrupted)
            with pytest.raises(KeyboardInterrupt):
                next(stream.resume())
        assert stream.stats().held == 2
        assert stream.position == (0, 1)
        if then == "go on":
            assert [batch.step for batch in stream.resume()] == list(range(1, 10))
        elif then == "seek":
            stream.seek(1, 9)
            assert [batch.step for batch in stream] == [9]
        del first
    service.wait_for("train 0 goodbye")
    event = "released" if then == "go on" else "discarded"
    assert f"train 0 {event} 0 1" in service.events()
