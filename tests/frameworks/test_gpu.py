"""Batches to a GPU, with a runtime that does what such devices do: it copies late, by address, and keeps no source.

What a lease or a source that goes too early would give is seen in the values. The runtime of PyTorch itself is some
thirty lines of _cuda.Cuda; jobs/measure_gpu.py looks at these where there is a GPU.
"""

import concurrent.futures
import ctypes
import gc
import logging
import queue
import threading
import time
from pathlib import Path

import headrace
import pytest
from conftest import STEPS, assert_right, fail_once
from headrace import INDEX, ROWS, VALID

torch = pytest.importorskip("torch", reason="PyTorch is not installed (tools/bootstrap --frameworks)")
from headrace import torch as face  # noqa: E402
from headrace._cuda import Gpu  # noqa: E402


class Event:
    def __init__(self):
        self._happened = threading.Event()
        self.query, self.synchronize, self.happen = self._happened.is_set, self._happened.wait, self._happened.set


class Device:
    """One stream, in a thread of its own, that lags behind. It reads raw addresses."""

    def __init__(self, lag=0.001, register=""):
        self.lag, self.answer = lag, register
        self.registered, self.unregistered = [], []
        self.given, self.given_early = [], 0
        self._asked = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            asked = self._asked.get()
            if isinstance(asked, Event):
                asked.happen()
            else:
                target, address, size = asked
                time.sleep(self.lag)
                ctypes.memmove(target.data_ptr(), address, size)

    def register(self, address, size, read_only):
        self.read_only = read_only
        assert address % 4096 == 0 and size % 4096 == 0
        self.registered.append((address, size))
        return self.answer

    def unregister(self, address):
        self._done()
        (ctypes.c_ubyte * 1).from_address(address)[0]  # still mapped
        self.unregistered.append(address)

    def copy(self, source):
        target = torch.full_like(source, 77)
        self._asked.put((target, source.data_ptr(), source.numel() * source.element_size()))
        return target

    def event(self):
        event = Event()
        self._asked.put(event)
        return event

    def give(self, tensors, event):
        self.given += [tensor.data_ptr() for tensor in tensors]
        self.given_early += not event.query()
        event.synchronize()  # a GPU's own stream would wait

    def _done(self):
        self.event().synchronize()


@pytest.fixture
def device(monkeypatch):
    device = Device()
    monkeypatch.setattr(face, "_open", lambda name, pin: None if name is None else Gpu(device, pin))
    return device


EVERYTHING = (["x", "big", "half"], {"label": "label"}, INDEX, VALID, ROWS)


def assert_all_right(batch):
    (x, big, half), labels, index, valid, rows = batch
    assert_right("x", x, index)
    assert_right("big", big, index)
    assert_right("label", labels["label"], index)
    assert half.dtype == torch.bfloat16 and bool((half.float() == index.to(torch.bfloat16).float()[:, None]).all())
    assert int(valid.sum()) == rows
    return index.tolist()


@pytest.mark.parametrize("slots", [2, 4])
@pytest.mark.parametrize("pin", [True, False])
def test_nothing_is_read_that_went_back(serve, device, slots, pin):
    with serve(slots=slots) as service, service.connect() as stream:
        want = [batch.index.tolist() for batch in stream]
        stream.seek(0)
        loader = face.Loader(stream, EVERYTHING, device="cuda", pin=pin)
        got = [assert_all_right(batch) for batch in loader]
        assert got == want
        for _ in range(3):
            for batch in loader:
                assert_all_right(batch)
        assert stream.position == (4, 0)
    assert len(device.registered) == len(device.unregistered) == int(pin)


def test_the_check_sees_what_goes_back_too_early(stream, device):
    """The same without the lease: what registered memory and .to(non_blocking=True) give."""
    gate, closed = Event(), Event()
    closed.happen = gate.synchronize  # it copies nothing before slots have been filled again
    device._asked.put(closed)
    device.lag = 0
    copies = []
    for batch in stream:
        copies.append((batch.index, device.copy(torch.from_numpy(batch["big"]))))
        del batch
    gate.happen()
    device._done()
    wrong = sum(not bool((big == torch.from_numpy(index).float()[:, None, None]).all()) for index, big in copies)
    assert wrong >= STEPS - stream.slots


def test_a_registered_ring_gives_no_views(stream, device):
    loader = face.Loader(stream, ("big", INDEX), device="cuda")
    loop = iter(loader)
    first = next(loop)
    for take in (
        lambda: next(iter(stream)),
        lambda: next(stream.resume()),
        lambda: next(iter(face.Loader(stream, "big"))),
    ):
        with pytest.raises(headrace.Error, match="registered with the GPU"):
            take()
    assert_right("big", first[0], first[1])
    del loop
    stream.seek(3)
    copied = stream.peek()  # a copy is none
    assert_right("x", copied["x"], copied.index)


def test_a_look_belongs_to_the_stream_that_reads_it(stream, device):
    """Else the memory of one field were free for the copy of the next while a conversion still reads it."""
    looked = face.Loader(stream, ("x", "big"), device="cuda").peek()
    assert [tensor.data_ptr() for tensor in looked] == device.given


def test_replicas_register_it_as_read_only(serve, device):
    """Each in a thread: one that waits for the other would wait for ever in a single one."""

    def run(replica):
        with service.connect(rank=0, world_size=1, replica=replica) as stream:
            loader = face.Loader(stream, EVERYTHING, device="cuda", prefetch=replica)  # so they read ahead differently
            numbers = [assert_all_right(batch) for _ in range(2) for batch in loader]
            for batch in loader:  # left alike
                numbers.append(assert_all_right(batch))
                if stream.position[1] == 3:
                    break
            return numbers + [assert_all_right(batch) for batch in loader]

    with serve(replicas=2, slots=4) as service, concurrent.futures.ThreadPoolExecutor() as threads:
        first, second = threads.map(run, range(2))
        assert first == second and len(first) == 3 * STEPS + 3
    assert len(device.registered) == 2 and device.read_only


def test_a_ring_is_not_registered_while_somebody_has_views(stream, device):
    view = next(iter(stream))["x"]
    loader = face.Loader(stream, INDEX, device="cuda")
    next(iter(loader))
    assert not device.registered and view is not None
    del view
    gc.collect()
    stream.seek(0)
    for _ in loader:
        pass
    for _ in loader:
        pass
    assert len(device.registered) == 1


def test_a_look_keeps_no_ring_from_being_registered(stream, device):
    loader = face.Loader(stream, EVERYTHING, device="cuda")
    first = loader.peek()[2].tolist()
    for i, batch in enumerate(loader):
        numbers = assert_all_right(batch)
        assert i or numbers == first
        assert len(device.registered) == 1


def test_a_ring_that_cannot_be_registered(service, monkeypatch, caplog):
    device = Device(register="out of memory")
    monkeypatch.setattr(face, "_open", lambda name, pin: Gpu(device, pin))
    with service.connect() as stream, caplog.at_level(logging.WARNING, "headrace"):
        loader = face.Loader(stream, EVERYTHING, device="cuda")
        for _ in range(2):
            for batch in loader:
                assert_all_right(batch)
        next(iter(stream))  # views are allowed: copies out of pageable memory are over when the call returns
    told = [message for message in caplog.messages if "page-locked" in message]
    assert len(told) == len(device.registered) == 1 and "out of memory" in told[0] and "ulimit -l" in told[0]
    assert not device.unregistered


def test_state_breaks_and_seeks(stream, device):
    steps = [batch.index.tolist() for batch in stream]
    stream.seek(0)
    loader = face.Loader(stream, INDEX, device="cuda", prefetch=3)
    for i, index in enumerate(loader):
        assert index.tolist() == steps[i]
        assert loader.position == (0, i + 1)
        if i == 5:
            state = loader.state_dict()
            break
    assert [index.tolist() for index in loader.resume()] == steps[6:]
    loader.load_state_dict(state)
    assert [index.tolist() for index in loader] == steps[6:]
    loader.seek(0)
    visited = []
    for index in loader:
        visited.append(index.tolist())
        if len(visited) == 3:
            loader.seek(0, 15)
    assert visited == steps[:3] + steps[15:]
    loader.seek(0)
    assert next(iter(loader)).tolist() == steps[0]
    assert [index.tolist() for index in loader] == steps


def test_a_loop_goes_on_after_an_exception(stream, device, steps):
    """As after a Timeout or Ctrl-C while it waits for a batch: the rest of the epoch comes all the same."""
    loop = iter(face.Loader(stream, INDEX, device="cuda"))
    first = next(loop).tolist()
    fail_once(stream)
    with pytest.raises(headrace.Timeout):
        next(loop)
    assert [first, *(index.tolist() for index in loop)] == steps


def test_a_newer_loop_ends_an_older_one(stream, device, steps):
    """With all that it had taken ahead."""
    loader = face.Loader(stream, INDEX, device="cuda")
    older = iter(loader)
    assert [next(older).tolist() for _ in range(2)] == steps[:2]
    next(iter(loader))
    assert list(older) == [] and stream.position == (1, 1)


def test_reads_ahead_of_the_user(stream, device):
    device.lag = 0
    loader = face.Loader(stream, ("x", INDEX), device="cuda", prefetch=2)
    for _ in loader:
        time.sleep(0.05)
    assert device.given_early < STEPS // 2  # most were there when they were asked for


def test_a_service_that_comes_back_brings_another_ring(serve, device):
    """The old ring is unregistered before it goes, and the new one registered."""
    with serve() as service, service.connect(reconnect=True) as stream:
        seen = []
        for big, index in face.Loader(stream, ("big", INDEX), device="cuda"):
            assert_right("big", big, index)
            seen += index.tolist()
            if len(seen) == 5 * len(index):
                service.restart()
    assert len(device.registered) == len(device.unregistered) == 2
    assert [address for address, _ in device.registered] == device.unregistered
    assert sorted(seen) == list(range(128, 448))


def test_small_batches_of_padding(val, device):
    for batch in face.Loader(val, EVERYTHING, device="cuda"):
        assert_all_right(batch)
    assert batch[-1] == 8


# -- jobs/measure_gpu.py -----------------------------------------------------------------------------------------------


@pytest.fixture
def measure_gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "jobs"))
    return pytest.importorskip("measure_gpu")


def test_measuring_without_a_gpu_says_so(measure_gpu, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("sys.argv", ["measure_gpu.py", "file.h5", "x"])
    assert measure_gpu.main() == measure_gpu.NO_GPU
    assert "no GPU here; nothing measured" in capsys.readouterr().out


def test_measuring_checks_epochs_of_the_same_samples(measure_gpu, monkeypatch):
    """Those of a stream that drops its last rows are others each time."""
    flags = {}

    def local(**given):
        flags.update(given)
        raise headrace.Closed("seen enough")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "none")
    monkeypatch.setattr(headrace, "local", local)
    monkeypatch.setattr("sys.argv", ["measure_gpu.py", "file.h5", "x"])
    with pytest.raises(headrace.Closed):
        measure_gpu.main()
    assert flags["last"] == "pad"


def test_measuring_sees_what_is_wrong(measure_gpu, monkeypatch, stream, device, capsys):
    """Its rows that need no real GPU, over the one that copies late."""
    monkeypatch.setattr(torch.cuda, "synchronize", device._done)
    monkeypatch.setattr(torch.cuda, "_sleep", lambda cycles: None)
    measured = measure_gpu.Measurement(stream, "big", 0.01)
    assert measured.rate("loader", measured.loader(True))[1] == 0
    monkeypatch.setattr(
        torch.Tensor, "to", lambda tensor, *_, **__: device.copy(tensor) if tensor.dim() > 2 else tensor
    )
    late = []
    monkeypatch.setattr(measure_gpu, "checksum", lambda x: late.append(x) or torch.zeros(len(x), dtype=torch.int64))
    assert measured.trap()[0] == STEPS and len(late) == STEPS
    assert "GB/s" in capsys.readouterr().out
