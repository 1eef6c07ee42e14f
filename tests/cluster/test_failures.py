"""Stagers and nodes that die: trainers elsewhere get an error that says so, mpirun ends, and nothing hangs.

How long it took is told, not judged: watchdogs are generous.
"""

import os
import signal
import subprocess
import time

import pytest
from across import across, cluster_of, lost, settings, trainers_on, working
from samples import write
from service import until


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 700)


@pytest.fixture
def cluster():
    with cluster_of(3) as nodes:
        yield nodes


HOSTS = {"node0": 1, "node1": 2, "node2": 1}


def end(service, since):
    """What became of mpirun. All stagers end; but Open MPI 4.1's mpirun may stay when it hears of a dead node while MPI processes
    give up because of it (so it does with a plain MPI program that knows nothing of us), and then has to be told."""
    try:
        assert service.process.wait(20) != 0
    except subprocess.TimeoutExpired:
        until(lambda: not service.stagers(), "the end of all stagers")
        service.process.terminate()
        service.wait()
        return "mpirun stayed, and was told to end"
    return f"mpirun ended after {time.monotonic() - since:.2f} s"


@pytest.mark.parametrize("idle", [False, True])
def test_a_killed_stager(tmp_path, files, cluster, tell, idle):
    with across(cluster, tmp_path, files, HOSTS, batch=4) as service, trainers_on(service, HOSTS) as group:
        if idle:
            for trainer in group:
                trainer.take(1)
        else:
            working(group)
        victim = service.on("node1")[-1]
        os.kill(victim, signal.SIGKILL)
        since = time.monotonic()
        if idle:
            for trainer in group:
                trainer.release()
                trainer.ask("until_lost")
        words, seconds = lost(group, since)
        assert service.wait() != 0
        tell(f"trainers of all nodes knew after {seconds:.2f} s; mpirun ended after {time.monotonic() - since:.2f} s")
        assert all(kind == "ServiceLost" for kind, _ in words), words


def test_a_killed_stager_under_a_launcher_that_ends_nobody(tmp_path, files, cluster):
    """As srun without --kill-on-bad-exit. Nobody else of that node lives who could tell the others."""
    helpless = ["--enable-recovery", "-x", "HEADRACE_WAIT_LAUNCHER"]
    with across(cluster, tmp_path, files, {"node0": 1, "node1": 1, "node2": 2}, batch=4, mpirun=helpless,
                variables={"HEADRACE_WAIT_LAUNCHER": "0.5"}) as service:
        with trainers_on(service, ["node0", "node2"]) as group:
            for trainer in group:
                trainer.take(1)
            os.kill(service.on("node1")[0], signal.SIGKILL)
            for trainer in group:
                trainer.release()
                trainer.ask("until_lost")
            words, _ = lost(group, time.monotonic())
            assert all(kind == "ServiceLost" for kind, _ in words), words
            until(lambda: not service.stagers(), "the end of all stagers")
            service.says("the first stager on node1 has ended before its time")
            service.process.terminate()  # it stays, told so or not
            service.wait()


def test_a_node_that_dies(tmp_path, files, cluster, tell):
    with across(cluster, tmp_path, files, HOSTS, batch=4) as service:
        with trainers_on(service, ["node0", "node2"]) as group:
            working(group)
            cluster.kill("node1")
            since = time.monotonic()
            words, seconds = lost(group, since)
            tell(f"trainers of other nodes knew after {seconds:.2f} s; {end(service, since)}")
            assert all(kind == "ServiceLost" for kind, _ in words), words


@pytest.mark.parametrize("idle", [False, True])
def test_a_power_cut(tmp_path, files, cluster, tell, idle):
    with across(cluster, tmp_path, files, HOSTS, batch=4, variables=settings("ethernet")) as service:
        with trainers_on(service, ["node0", "node2"]) as group:
            if not idle:
                working(group)
            cluster.cut("node1")
            since = time.monotonic()
            if idle:
                for trainer in group:
                    trainer.connected()
                    trainer.ask("until_lost")
            words, seconds = lost(group, since)
            tell(f"trainers of other nodes knew after {seconds:.2f} s; {end(service, since)}")
            assert all(kind == "ServiceLost" for kind, _ in words), words
