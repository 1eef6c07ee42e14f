"""Trainers and tools that hurt: thrown out and still writing, or asking without listening. Nobody else notices."""

import contextlib
import json
import mmap
import os
import socket
import threading

import pytest
from samples import write
from service import control, running, until
from test_garbage import hello, raw
from trainer import Trainer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 70, 50)


class Raw:
    """A trainer of this process, by the socket alone; `ring` is its mapping."""

    def __init__(self, service, **claim):
        self.connection = raw(service.address("\0"))
        me = os.pidfd_open(os.getpid())
        socket.send_fds(self.connection, [hello(pid=os.getpid(), **claim)], [me])
        os.close(me)
        while True:
            answer, fds, _, _ = socket.recv_fds(self.connection, 1 << 20, 3)
            self.answer = json.loads(answer)
            if "loading" not in self.answer:
                break
        if "welcome" in self.answer:
            self.ring = mmap.mmap(fds[0], self.answer["welcome"]["ring_bytes"])
        for fd in fds:
            os.close(fd)

    def violate(self):
        """What it says makes no sense, so it is thrown out. It keeps its memory."""
        self.connection.send(b"nonsense")
        while self.connection.recv(1 << 16):
            pass
        self.connection.close()


def retired(service):
    node, = json.loads(control("stat", service.name, "--json").stdout)["nodes_seen"]
    assert node["memory"]["retired_bytes"] == sum(ring["bytes"] for ring in node["retired"])
    return node["retired"]


def test_a_stray_that_works_on_does_not_touch_its_successor(tmp_path, files):
    """Ordinary trainers, three of them: one does not load the state that the other loaded, and is thrown out for it."""
    with running(tmp_path, files, batch=5, trainers_per_node=2, audit="full") as service:
        with Trainer(service, rank=0, world_size=2) as stray, Trainer(service, rank=1, world_size=2) as other:
            stray.take(3)
            other.resume(5, 7)
            other.take()
            kind, text, _ = stray.until_lost()
            assert kind == "Refused" and "without a state" in text
            with Trainer(service, rank=0, world_size=2) as successor:
                successor.resume(5, 7)
                taken = successor.take(4)  # every slot that there is
                stray.scribble()
                assert successor.checked() == taken
                ring, = retired(service)
                assert f"process {stray.pid}" in ring["text"] and "lives on" in ring["text"]
                assert f"trainer 0 (process {stray.pid}" in control("stat", service.name).stdout
            other.release()
        until(lambda: not retired(service), "the memory of a trainer that ended is given up")
        assert len(service.lines("lives on and may write to its memory")) == 1


@pytest.mark.parametrize("stagers", [None, 2])
def test_a_place_is_made_anew_once_and_then_blocked_by_name(tmp_path, files, stagers, monkeypatch):
    monkeypatch.setenv("HEADRACE_WAIT_HOLDERS", "2")  # what holds the place does not leave, and who asks waits 10 s
    with running(tmp_path, files, stagers, batch=10, trainers_per_node=2, audit="full") as service:
        claim = {"rank": 1, "world_size": 2, "local_rank": 1}  # served by the second stager, where there is one
        with Trainer(service, rank=0, world_size=2, local_rank=0) as other:
            other.take()
            first = Raw(service, **claim)
            first.violate()
            with Trainer(service, **claim) as honest:
                taken = honest.take(4)
                first.ring[:] = b"\xee" * len(first.ring)
                assert honest.checked() == taken
            second = Raw(service, **claim)  # a goodbye: the ring is good for the next
            assert len(retired(service)) == 1
            second.violate()
            service.says("nobody can take a place")
            text = Raw(service, **claim).answer["error"]["text"]
            assert "can be given to nobody" in text and f"process {os.getpid()}" in text and "end that process" in text
            assert len(other.rest()) == 5  # who is in stays in
            first.ring.close()
            until(lambda: "welcome" in Raw(service, **claim).answer, "the place is free again")
            second.ring.close()
            until(lambda: not retired(service), "nothing is left of former rings")
        assert service.process.poll() is None


def test_questions_without_end_hold_up_nobody(tmp_path, files):
    """Tools and trainers that ask and never read the answers, while another works."""
    with running(tmp_path, files, batch=4, trainers_per_node=2, epochs=40) as service:
        deaf = Raw(service, rank=1, world_size=2, local_rank=1)
        tools = [raw(service.address("\0")) for _ in range(2)]
        for tool in tools:
            tool.send(hello(role="control"))
        done = threading.Event()

        def flood(connection, question):
            connection.setblocking(False)
            while not done.wait(0.001):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        connection.send(question)

        threads = [threading.Thread(target=flood, args=(connection, question))
                   for connection, question in [(deaf.connection, b'{"ask_files":{}}'), (tools[0], b'{"command":"wait"}'),
                                                (tools[1], b'{"command":"stat"}')]]
        for thread in threads:
            thread.start()
        try:
            with Trainer(service, rank=0, world_size=2, local_rank=0) as honest:
                epochs = honest.epochs(40)
            assert control("wait", service.name, "--timeout=30").returncode == 0
            assert control("stat", service.name).returncode == 0
        finally:
            done.set()
            for thread in threads:
                thread.join()
        assert [len(epoch) for epoch in epochs] == [15] * 40
        assert not service.lines("is gone")
        for connection in (deaf.connection, *tools):
            connection.close()
        deaf.ring.close()


def test_tiny_data_take_little_memory_and_little_log(tmp_path, files):
    two = write(tmp_path, 2)
    log = tmp_path / "events.jsonl"
    with running(tmp_path, two, batch=1_000_000, last="partial", epochs=1500, log=log) as service:
        with Trainer(service) as trainer:
            assert trainer.describe()["batch"] == 1_000_000
            assert json.loads(control("stat", service.name, "--json").stdout)["nodes_seen"][0]["memory"]["rings_bytes"] < 1 << 20
            epochs = trainer.epochs(1500)
        assert service.wait() == 0
    assert all(sorted(index) == [0, 1] for (_, _, index), in epochs)
    events = [event for event in map(json.loads, log.read_text().splitlines()) if event["event"].startswith("epoch")]
    assert len(events) < 200 and sum(event.get("epochs", 1) for event in events) == 1500
    assert sum(event["samples"] for event in events) == 3000 and all(event["exactly_once"] for event in events)
    assert len(service.lines(r"exactly once$")) == len(events) + 1  # and the summary
    assert service.lines("1500 epochs complete, 3000 samples")
