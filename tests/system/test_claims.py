"""Who may attach: ranks, world sizes and streams that cannot be are refused by name, and cost nothing."""

import os

import pytest
from samples import write
from service import running, until
from trainer import Failed, Trainer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 70, 50)


@pytest.fixture(autouse=True)
def no_patience_with_holders(monkeypatch):
    """Who claims a rank that another holds is told at once: nobody in here is about to leave."""
    monkeypatch.setenv("HEADRACE_WAIT_HOLDERS", "0")


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
