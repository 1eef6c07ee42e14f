"""Trainers and stagers that die, hang, are ended or send garbage: who learns of it, and who goes on."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import time
import zlib

import h5py
import numpy as np
import pytest
from samples import FIELDS, write
from service import control, running, sockets_with, until
from trainer import Failed, Trainer

SAMPLES = 120
PAGE = 4096
CONTROL, READY, FREED = PAGE, 2 * PAGE, 2 * PAGE + 1024 * 64  # of a ring of a few fields: src/ring/layout.hpp
FREED_TAIL = CONTROL + 384


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 70, 50)


@pytest.fixture(scope="module")
def slow_file(tmp_path_factory):
    """1 GB that takes seconds to load: one chunk, compressed once, many times."""
    path = tmp_path_factory.mktemp("slow") / "slow.h5"
    words = np.random.default_rng(1).integers(0, 256, (64, 16), np.uint8)
    chunk = words[np.random.default_rng(2).integers(0, 64, 256 * 4096 // 16)].tobytes()
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (256 * 1024, 4096), "u1", chunks=(256, 4096), compression="gzip")
        packed = zlib.compress(chunk)
        for k in range(1024):
            dataset.id.write_direct_chunk((256 * k, 0), packed)
    return path


def samples_of(*runs):
    return sorted(itertools.chain.from_iterable(index for run in runs for _, _, index in run))


# ---- trainers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stagers, split", [(2, False), (2, True)])
def test_batches_of_a_killed_trainer_come_again(tmp_path, files, stagers, split):
    with running(tmp_path, files, stagers, batch=10, epochs=1, trainers_per_node=2, audit="full", split_nodes=split) as service:
        with Trainer(service, rank=0, world_size=2) as first, Trainer(service.node(split), rank=1, world_size=2) as other:
            taken = first.take(4)
            first.release(1, 3)
            first.scribble()
            first.kill()
            whole = other.rest()  # the others go on
        service.says(r"trainer 0 \(process \d+ on .*\) is gone")
        with Trainer(service, rank=0, world_size=2) as second:
            again = second.rest()
        assert service.wait() == 0
        assert service.says("train epoch 0").endswith("every sample exactly once")
    assert again[:2] == [taken[0], taken[2]]  # the very batches, with their values: take() has looked
    assert [step for _, step, _ in again] == [0, 2, 4, 5]
    assert samples_of(taken[1:2], taken[3:], again, whole) == list(range(SAMPLES))


def test_a_trainer_that_leaves_without_goodbye_is_replaced_alike(tmp_path, files):
    with running(tmp_path, files, batch=10, epochs=1) as service:
        with Trainer(service) as first:
            taken = first.take(3)
            first.release(0)
            first.close(goodbye=False)
            with Trainer(service) as second:  # while the process of the first lives on
                again = second.rest()
        assert service.wait() == 0
        assert service.says("train epoch 0").endswith("every sample exactly once")
    assert again[:2] == taken[1:] and len(again) == 11


def test_a_forked_child_does_not_keep_its_dead_parent_alive(tmp_path, files):
    with running(tmp_path, files, batch=10, epochs=1) as service, Trainer(service) as first:
        first.take(2)
        child = first.fork()
        try:
            first.kill()
            service.says("trainer 0 .* is gone")
            with Trainer(service) as second:
                assert samples_of(second.rest()) == list(range(SAMPLES))
            os.kill(child, 0)  # it is still there
            assert service.wait() == 0
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_stopped_trainer_holds_up_nobody(tmp_path, files):
    with running(tmp_path, files, batch=10, epochs=2, trainers_per_node=2) as service:
        with Trainer(service, rank=0, world_size=2) as frozen, Trainer(service, rank=1, world_size=2) as other:
            taken = frozen.take(1)
            os.kill(frozen.pid, signal.SIGSTOP)
            epochs = other.epochs(2)
            os.kill(frozen.pid, signal.SIGCONT)
            frozen.release()
            rest = frozen.epochs(2)
        assert service.wait() == 0
        assert len(service.lines("every sample exactly once$")) == 3
    assert samples_of(taken, rest[0], epochs[0]) == samples_of(rest[1], epochs[1]) == list(range(SAMPLES))


# ---- who may attach ---------------------------------------------------------------------------------------------------


def refused(service, *parts, **options):
    with pytest.raises(Failed) as failed, Trainer(service, **options) as trainer:
        trainer.connected()
    assert failed.value.kind == "Refused"
    for part in parts:
        assert part in failed.value.text
    return failed.value.text


def test_claims_that_cannot_be(tmp_path, files):
    with running(tmp_path, files, 2, batch=10, trainers_per_node=2) as service, Trainer(service, rank=1, world_size=3) as first:
        first.take()
        holder = f"process {first.pid} on {os.uname().nodename}"
        refused(service, "rank 1 of 3 is taken", holder, rank=1, world_size=3)
        refused(service, "there are 2", holder, "said 3", rank=0, world_size=2)
        refused(service, "no stream 'trian'", "'train'", rank=0, world_size=3, stream="trian")
        with Trainer(service, rank=0, world_size=3) as second:
            second.take()
            refused(service, "all rings", "2 trainers", "trainers-per-node", rank=2, world_size=3)
        first.take()


def test_ranks_are_claimed_once_on_all_nodes(tmp_path, files):
    with running(tmp_path, files, 2, batch=10, split_nodes=True) as service, Trainer(service, rank=0, world_size=2) as first:
        first.take()
        refused(service.node(1), "rank 0 of 2 is taken", f"process {first.pid} on", rank=0, world_size=2)
        with Trainer(service.node(1), rank=1, world_size=2) as second:
            assert len(second.rest()) == 6


def test_several_streams_must_be_named(tmp_path, files):
    config = tmp_path / "two.toml"
    config.write_text("[stream.train]\n[stream.val]\n")
    with running(tmp_path, files, config=config, batch=10) as service:
        refused(service, "say which", "train, val")


def test_global_batch_that_does_not_divide(tmp_path, files):
    with running(tmp_path, files, global_batch=8, trainers_per_node=4) as service:
        refused(service, "global-batch = 8", "3 trainers", rank=0, world_size=3)


def test_refused_trainers_cost_the_service_nothing(tmp_path, files):
    with running(tmp_path, files, batch=10) as service, Trainer(service) as first:
        first.take()
        stager, = service.stagers()
        descriptors = lambda: len(os.listdir(f"/proc/{stager}/fd"))
        before = descriptors()
        for _ in range(5):
            refused(service, "is taken", rank=0, world_size=1)
        until(lambda: descriptors() <= before, f"{before} descriptors again")


# ---- garbage ----------------------------------------------------------------------------------------------------------


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


# ---- stagers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_stager_is_told_to_every_trainer(tmp_path, files, split, victim):
    with running(tmp_path, files, 2, batch=10, trainers_per_node=1 if split else 2, split_nodes=split) as service:
        with Trainer(service, rank=0, world_size=2) as first, Trainer(service.node(split), rank=1, world_size=2) as second:
            group = first, second
            for trainer in group:
                trainer.take()
                trainer.release()
                trainer.ask("until_lost")
            began = time.monotonic()
            os.kill(service.stagers()[victim], signal.SIGKILL)
            lost = [trainer.answer() for trainer in group]
        assert service.wait() != 0
    print("trainers learned after", *[f"{when - began:.2f} s" for _, _, when in lost])
    for node, (kind, text, when) in enumerate(lost):
        assert kind == "ServiceLost" and when - began < 20
        # On other nodes it is the launcher that tells their stagers.
        assert f"stager {victim}" in text if not split or node == victim else "as launchers do to all when one dies" in text
    assert len(service.lines(f"stager {victim} on .* died")) <= 1


def ended_by(service, name, victim):
    began = time.monotonic()
    os.kill(service.stagers()[victim], getattr(signal, name))
    code = service.wait()
    print(f"gone after {time.monotonic() - began:.2f} s with exit code {code}")
    assert code != 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("stagers, victim", [(None, 0), (2, 1)])
def test_a_signal_while_serving(tmp_path, files, name, stagers, victim):
    with running(tmp_path, files, stagers, batch=10) as service, Trainer(service) as trainer:
        trainer.take()
        trainer.release()
        trainer.ask("until_lost")
        ended_by(service, name, victim)
        kind, text, _ = trainer.answer()
        assert kind == "ServiceLost" and (name in text or f"stager {victim} on" in text), text


def connections(service):
    """Of trainers and tools to its socket, as the kernel lists them: state 03."""
    return [line for line in sockets_with(service.name) if line.split()[5] == "03"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("stagers, victim", [(None, 0), (2, 1)])
def test_a_signal_while_loading(tmp_path, slow_file, name, stagers, victim):
    with running(tmp_path, [slow_file], stagers, io="collective") as service, Trainer(service) as trainer:
        until(lambda: "is still loading" in control("wait", service, "--timeout=0").stderr, "loading")
        until(lambda: connections(service), "the trainer's connection")
        ended_by(service, name, victim)
        with pytest.raises(Failed) as failed:
            trainer.connected()
        kind, text = failed.value.kind, failed.value.text
        assert kind == "ServiceLost" and (name in text or "died" in text or "SIGTERM" in text), text


def test_a_load_that_fails_is_told_to_trainers_that_wait(tmp_path, slow_file):
    damaged = tmp_path / "damaged.h5"
    shutil.copy(slow_file, damaged)
    with h5py.File(damaged, "r+") as file:
        file["x"].id.write_direct_chunk((len(file["x"]) - 256, 0), b"garbage")
    with running(tmp_path, [damaged], 2) as service, Trainer(service) as trainer:
        with pytest.raises(Failed) as failed:
            trainer.connected()
        assert service.wait() == 1
        assert failed.value.kind == "ServiceLost" and "damaged.h5" in failed.value.text
        assert len(service.lines("^headrace: .*damaged.h5")) == 1


def test_stop_is_graceful(tmp_path, files):
    with running(tmp_path, files, 3, batch=10, trainers_per_node=2) as service:
        with Trainer(service, rank=0, world_size=2) as busy, Trainer(service, rank=1, world_size=2) as holding:
            holding.take(2)
            busy.take()
            busy.release()
            busy.ask("until_lost")
            assert service.stop() == 0
            kind, text, _ = busy.answer()
            # Batches that were ready in its ring may still come; then it is told, too.
            holding.release()
            holding.ask("until_lost")
            held_kind, held_text, _ = holding.answer()
        assert (kind, held_kind) == ("ServiceLost", "ServiceLost")
        assert "has ended" in text and "headrace stop" in text and "headrace stop" in held_text
        assert service.lines("ended: headrace stop") and service.lines("train epoch 0: unfinished")
