"""Trainers that die, leave without a word, fork or stand still: their batches come again, and the others go on."""

import itertools
import os
import signal

import pytest
from samples import write
from service import running
from trainer import Trainer

SAMPLES = 120


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 70, 50)


def samples_of(*runs):
    return sorted(itertools.chain.from_iterable(index for run in runs for _, _, index in run))


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
