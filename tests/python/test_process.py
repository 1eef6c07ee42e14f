"""Processes: forked children, what the service concludes from each kind of end, and interpreters that go down."""

import os

import headrace
import pytest


def in_child(action):
    """Runs action in a forked child; returns what it printed or raised, as text."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            text = str(action())
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert status == 0
    return text


@pytest.mark.parametrize(
    "use",
    [next, lambda batches: list(batches), lambda _: None],
    ids=["next", "loop", "nothing"],
)
def test_a_forked_child_cannot_use_the_stream(stream, use):
    batches = iter(stream)
    batch = next(batches)
    text = in_child(lambda: use(batches))
    if text != "None":
        assert text.startswith("Forked:") and "num_workers=0" in text
    for call in (lambda: stream.seek(0), stream.stats, lambda: list(stream), lambda: list(stream.resume())):
        assert in_child(call).startswith("Forked:")
    assert in_child(stream.close) == "None"
    assert in_child(lambda: batch["x"]).startswith("ValueError:")
    assert in_child(batch.release) == "None"
    assert next(batches).step == 1  # the parent goes on


def test_a_child_that_drops_batches_returns_nothing(serve_fake):
    service = serve_fake()
    with service.connect() as stream:
        batches = iter(stream)
        kept = [next(batches), next(batches)]
        assert in_child(kept.clear) == "None"
        assert stream.stats().held == 2
    service.wait_for("train 0 goodbye")
    assert service.events().count("train 0 released 0 0") == 1


def test_dataloader_workers_are_told(stream):
    data = pytest.importorskip("torch.utils.data", reason="torch is not installed (tools/bootstrap --peers)")

    class Wrapped(data.IterableDataset):
        def __iter__(self):
            return (batch["x"].copy() for batch in stream)

    with pytest.raises(Exception, match="num_workers=0"):
        list(data.DataLoader(Wrapped(), batch_size=None, num_workers=1, multiprocessing_context="fork"))
    assert len(list(data.DataLoader(Wrapped(), batch_size=None, num_workers=0))) == 10


TRAINER = """
import sys, headrace
stream = headrace.connect(sys.argv[1], timeout=60, progress=False)
"""


@pytest.mark.parametrize(
    ("ending", "said", "code"),
    [
        ("with stream:\n for batch in stream: break", "goodbye", 0),
        ("with stream:\n for batch in stream: sys.exit(0)", "goodbye", 0),
        ("with stream:\n for batch in stream: sys.exit(3)", "gone", 3),
        ("def loop():\n with stream:\n  for batch in stream: yield batch\nnext(loop())", "goodbye", 0),
        ("with stream:\n for batch in stream: raise SystemError", "gone", 1),
        ("with stream:\n for batch in stream: raise KeyboardInterrupt", "gone", -2),
        ("for batch in stream: break", "goodbye", 0),  # without `with` or close()
        ("for batch in stream: raise SystemError", "gone", 1),
        ("for batch in stream: break\nstream.close(goodbye=False)", "gone", 0),
        ("for batch in stream: break\ndel stream, batch", "goodbye", 0),
        ("for batch in stream: break\nimport os; os.kill(os.getpid(), 9)", "gone", -9),
    ],
    ids=lambda value: repr(value),
)
def test_what_the_service_concludes(serve_fake, run_python, ending, said, code):
    service = serve_fake()
    trainer = run_python(TRAINER + ending, service.name)
    trainer.communicate()
    assert trainer.returncode == code
    service.wait_for(f"train 0 {said}")
    other = "gone" if said == "goodbye" else "goodbye"
    assert f"train 0 {other}" not in service.events()
    consumed = "train 0 released 0 0" in service.events()
    assert consumed == (said == "goodbye")  # the batch in the loop variable counts, unless it comes again


def test_a_failed_trainers_batch_comes_again(serve_fake):
    service = serve_fake()
    with pytest.raises(SystemError), service.connect() as stream:
        for batch in stream:
            if batch.step == 2:
                raise SystemError
    del batch
    service.wait_for("train 0 gone")
    with service.connect() as again:
        assert next(iter(again)).step == 2


@pytest.mark.parametrize(
    "keep",
    [
        "batch",
        "batch['x']",
        "memoryview(batch['x'])",
        "iter(stream)",
        "[batch, stream]",
    ],
)
def test_interpreters_end_quietly(service, run_python, keep):
    """Whatever is alive at the end, in whatever order it is torn down."""
    code = (
        TRAINER
        + f"""
for batch in stream:
    if batch.step == 1:
        break
class Cycle: pass
kept = Cycle()
kept.itself, kept.what = kept, {keep}
sys.kept = {keep}
headrace.kept = {keep}
"""
    )
    trainer = run_python(code, service.name)
    output, errors = trainer.communicate()
    assert (trainer.returncode, output, errors) == (0, "", "")


def test_many_threads_at_the_end(service, run_python):
    """Daemon threads wait for batches while the interpreter goes down."""
    code = (
        TRAINER
        + """
import threading, time
def consume():
    stream.seek(0)
    for epoch in range(1000):
        stream.seek(0)
        for batch in stream.resume(): pass
for _ in range(3): threading.Thread(target=consume, daemon=True).start()
time.sleep(0.2)
"""
    )
    trainer = run_python(code, service.name)
    _, errors = trainer.communicate()
    assert trainer.returncode == 0
    assert "Fatal" not in errors and "Segmentation" not in errors


def test_dropping_a_stream_warns(service):
    stream = service.connect()
    with pytest.warns(ResourceWarning, match="close"):
        del stream


def test_multiprocessing_children_connect_themselves(service):
    """The parent imported headrace and holds a stream; the child attaches as another rank would."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.apply(consume_in_child, (service.name,)) == 10


def consume_in_child(name):
    with headrace.connect(name, timeout=60, progress=False) as stream:
        return sum(1 for _ in stream)
