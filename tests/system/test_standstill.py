"""Stagers that stand still (SIGSTOP): their processes live, so no closed connection tells. Who it is must be said."""

import os
import signal
import subprocess

import h5py
import numpy as np
import pytest
from samples import write
from service import HEADRACE, control, running, stand_still
from trainer import Failed, Trainer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 70, 50)


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("with_trainers", [True, False])
def test_the_end_names_the_stager_that_does_not_come(tmp_path, files, split, with_trainers):
    with running(tmp_path, files, 3, batch=10, split_nodes=split, start_timeout=8, trainers_per_node=1 if split else 2) as service:
        group = [Trainer(service.node(r * split), rank=r, world_size=2) for r in range(2 * with_trainers)]
        for trainer in group:
            trainer.take()
        service.ready(3 if split else 1)
        stand_still(service.stagers()[2])
        done = control("stop", service, "--timeout=1")
        assert done.returncode == 1 and "has not ended" in done.stderr
        assert service.says(r"waiting for the end for \d+ s: no answer from stager 2 on ")
        with subprocess.Popen([HEADRACE, "stop", service.name], stderr=subprocess.PIPE, text=True) as again:
            assert service.wait() != 0
            told = again.communicate()[1]
        assert again.returncode == 1 and "has ended, but not because it was told to" in told, told
        assert len(service.lines(r"stager 2 on .* did not come to the end of the service within \d+ s")) == 1
        for trainer in group:
            trainer.kill()


def test_a_first_stager_that_stands_still_is_named_by_the_node_that_was_asked_to_stop(tmp_path, files):
    with running(tmp_path, files, 3, batch=10, split_nodes=True, start_timeout=8, at_once=True) as service:
        service.ready(3)
        stand_still(service.stagers()[0])
        assert control("stop", service.node(1), "--timeout=1").returncode == 1
        assert service.says(r"waiting for the end for \d+ s: no answer from stager 0 on ")
        assert service.wait() != 0
        assert service.lines(r"stager 0 on .* did not come to the end of the service within \d+ s")


def test_a_stager_that_stands_still_while_serving_is_named_and_then_goes_on(tmp_path, files, monkeypatch):
    monkeypatch.setenv("HEADRACE_WAIT_SILENCE", "6")
    with running(tmp_path, files, 3, batch=10, split_nodes=True, audit="full") as service:
        service.ready(3)
        victim = service.stagers()[2]
        stand_still(victim)
        with Trainer(service, rank=0, world_size=1) as trainer:
            trainer.connected()
            trainer.ask("epochs", 3)
            assert service.says("no answer from stager 2 on .* given up after 300 s")
            os.kill(victim, signal.SIGCONT)
            assert service.says("stager 2 on .* answers again, after ")
            assert all(sorted(sum((index for _, _, index in epoch), [])) == list(range(120)) for epoch in trainer.answer())
        assert service.says("train epoch 2: .*").endswith("every sample exactly once")
        assert len(service.lines("no answer from")) == len(service.lines("answers again")) == 1
        assert not service.lines("no answer from stager [01]")


@pytest.mark.parametrize("where, first", [
    ("open", r"all stagers are to open .*a.h5 together; one that does not say so hangs"),
    ("read", r"all stagers are to read 'x' in .*a.h5 together; one that does not say so hangs"),
    ("after", r"all stagers are to read 'x' in .*a.h5 together; one that does not say so hangs"),
    ("close", r"all stagers are to close .*a.h5 together"),
])
def test_a_stager_that_hangs_in_a_collective_read_ends_the_wait(tmp_path, monkeypatch, where, first):
    """Nobody comes out of MPI-IO by itself: a thread beside tells who waits in what, tells the trainers, and ends the job."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(60, dtype="i4")
    monkeypatch.setenv("LD_PRELOAD", str(HEADRACE.parents[1] / "lib" / "hang_in_mpi.so"))
    monkeypatch.setenv("HANG", where)
    Trainer.warm()  # the service ends soon
    with running(tmp_path, [tmp_path / "a.h5"], 2, batch=10, io="collective", start_timeout=8, at_once=True) as service:
        with Trainer(service, again=True) as trainer, pytest.raises(Failed) as failed:
            trainer.connected()
        assert service.wait() != 0
        assert failed.value.kind == "ServiceLost" and "stager" in failed.value.text
        assert service.lines(f"stager 0 on .* waits for 4 s: {first}")
        assert service.lines(f"stager 0 on .* got no further; ended after waiting for 8 s: {first}")


def test_the_end_of_mpi_is_not_waited_for_without_a_word(tmp_path, files, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", str(HEADRACE.parents[1] / "lib" / "hang_in_mpi.so"))
    monkeypatch.setenv("HANG", "end")
    with running(tmp_path, files, 2, batch=10, start_timeout=8, at_once=True) as service:
        service.ready()
        assert control("stop", service).returncode == 0
        assert service.wait() != 0
        assert service.lines("the end of MPI waits for 4 s: another process of this job has not come to it")
        assert service.lines("the end of MPI did not come; ended after waiting for 8 s")
