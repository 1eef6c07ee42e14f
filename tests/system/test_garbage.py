"""Garbage on the socket, other versions and users, corrupted rings: refused, and nobody else notices."""

import contextlib
import json
import os
import socket

import pytest
from samples import write
from service import running
from trainer import Failed, Trainer

PAGE = 4096
CONTROL, READY, FREED = PAGE, 2 * PAGE, 2 * PAGE + 1024 * 64  # of a ring of a few fields: src/ring/layout.hpp
FREED_TAIL = CONTROL + 384


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 70, 50)


def raw(address):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(30)
    connection.connect(address)
    return connection


def say(address, message, fds=()):
    """The error that the service answers to a first message."""
    with raw(address) as connection:
        with contextlib.suppress(BrokenPipeError):  # it may refuse whom it sees, and close, before anybody speaks
            socket.send_fds(connection, [message], fds)
        try:
            answer = connection.recv(1 << 16)
        except ConnectionResetError:  # told once where the service closes before it has read all; the answer is there
            answer = connection.recv(1 << 16)
        return json.loads(answer)["error"]


HELLO = {"headrace": 2, "role": "trainer", "stream": "", "rank": 0, "world_size": 1, "local_rank": -1, "host": "x", "pid": 1}


def hello(**changes):
    return json.dumps({**HELLO, **changes}).encode()


def test_garbage_on_the_socket(tmp_path, files):
    garbage = [b"hello", b"\0", b"{}", b"[]", b"null", os.urandom(1000), b"[" * 60000, b"x" * 100000, hello(rank=-1),
               hello(rank=5), hello(world_size=0), hello(world_size=2**40), hello(role="queen"), hello(stream=["x"]),
               b'{"command":"stop"}', b'{"seek":{"generation":1,"epoch":0,"step":0}}', b'{"goodbye":{}}', hello()]
    with running(tmp_path, files, 2, batch=10) as service, Trainer(service) as trainer:
        trainer.take()
        idle = [raw(service.address("\0")) for _ in range(100)]  # who says nothing
        for message in garbage:
            assert say(service.address("\0"), message)["kind"] == "refused", message
        with open("/dev/null") as file:
            assert "no pidfd" in say(service.address("\0"), hello(), [file.fileno()])["text"]
            assert "no descriptor" in say(service.address("\0"), hello(), [file.fileno()] * 3)["text"]
        init = os.pidfd_open(1)
        assert "another process" in say(service.address("\0"), hello(), [init])["text"]
        os.close(init)
        assert len(trainer.rest()) == 11
        for connection in idle:
            connection.close()
        assert service.process.poll() is None and not service.lines("error|warning")


def test_garbage_from_an_attached_trainer(tmp_path, files):
    with running(tmp_path, files, batch=10, trainers_per_node=2) as service, Trainer(service, rank=1, world_size=2) as other:
        other.take()
        for message in (b"hello", b'{"seek":{"generation":0,"epoch":0,"step":0}}', b'{"seek":{"generation":9,"epoch":0,"step":99}}',
                        b'{"seek":{"generation":9,"epoch":18446744073709551615,"step":0}}', hello(world_size=2)):
            me = os.pidfd_open(os.getpid())
            with raw(service.address("\0")) as connection:
                socket.send_fds(connection, [hello(world_size=2, pid=os.getpid())], [me])
                answer, fds, _, _ = socket.recv_fds(connection, 1 << 16, 3)
                assert "welcome" in json.loads(answer)
                connection.send(message)
                assert connection.recv(1 << 16)  # why it is dropped
                assert not connection.recv(1 << 16)
            for fd in (me, *fds):
                os.close(fd)
        assert len(other.rest()) == 5


def test_other_versions_are_refused_by_name(tmp_path, files):
    with running(tmp_path, files) as service:
        answer = say(service.address("\0"), hello(headrace=99))
        assert answer["kind"] == "version"
        assert "99" in answer["text"] and "version 2" in answer["text"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_other_users_are_refused(tmp_path, files):
    with running(tmp_path, files) as service:
        address = service.address("\0")
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setuid(65534)
                answer = say(address, hello())["text"]
            except BaseException as error:
                answer = repr(error)
            os.write(writable, answer.encode())
            os._exit(0)
        os.close(writable)
        os.waitpid(child, 0)
        with open(readable) as answer:
            text = answer.read()
        assert "another user" in text and "65534" in text


def number(value):
    return value.to_bytes(4, "little")


@pytest.mark.parametrize("writes", [
    [(FREED_TAIL, number(0xFFFFFFFF))],
    [(FREED, number(77) + number(1)), (FREED_TAIL, number(1))],
    [(FREED, number(0) + number(9)), (FREED_TAIL, number(1))],
    [(FREED, 2 * (number(0) + number(1))), (FREED_TAIL, number(2))],
    [(0, b"\xff" * (FREED + 1024 * 8))],
], ids=["count", "slot", "use", "twice", "everything"])
def test_a_corrupted_ring_drops_its_trainer_alone(tmp_path, files, writes):
    with running(tmp_path, files, batch=10, epochs=1, trainers_per_node=2, audit="full") as service:
        with Trainer(service, rank=0, world_size=2) as hostile, Trainer(service, rank=1, world_size=2) as other:
            hostile.take(2)
            other.take(1)
            for offset, data in writes:
                hostile.write_ring(offset, data)
            assert "the trainer returned" in service.says("trainer 0 .* is gone")
            whole = other.rest()
            with pytest.raises(Failed) as failed:
                hostile.rest()
            assert failed.value.kind in ("ServiceLost", "Invalid")  # whichever side sees it first
            assert "ended this connection: the trainer returned" in failed.value.text or "corrupted ring" in failed.value.text
            with Trainer(service, rank=0, world_size=2) as honest:
                again = honest.rest()
        assert len(whole) == 5 and [step for _, step, _ in again][-3:] == [3, 4, 5]
        assert service.wait() == 0
        assert service.says("train epoch 0").endswith("every sample exactly once")
