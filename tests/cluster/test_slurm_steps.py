"""srun by hand on a real Slurm: service and trainers in one step (--multi-prog), and nodes that lose power."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid

import pytest
from across import Across, cluster_of, lost, settings, trainers_on, until_gone, working
from cluster import Unavailable
from service import HEADRACE, processes_with, until
from slurm import Slurm
from test_launch import ROOT, recorded


@contextlib.contextmanager
def started():
    with cluster_of(3) as cluster:
        try:
            slurm = Slurm(cluster, timeout=300)  # Slurm's default: it does not notice while a test runs
        except Unavailable as error:
            pytest.skip(str(error))
        with slurm:
            yield slurm


@pytest.fixture(scope="module")
def shared():
    with started() as slurm:
        yield slurm


@pytest.fixture
def slurm(shared):
    """One for all tests; whatever a test leaves in it ends first."""
    yield shared
    shared.run(["scancel", "--user=root"])
    shared.idle()


@pytest.fixture
def doomed():
    """One whose node will be gone."""
    with started() as slurm:
        yield slurm


class Step(Across):
    """`srun headrace serve FLAGS` from the login node, one stager on each node."""

    def __init__(self, slurm, folder, files, flags, variables=()):
        self.name = f"step-{uuid.uuid4().hex[:10]}"
        srun = ["srun", f"--nodes={len(slurm.cluster.nodes)}", "--ntasks-per-node=1", "--mpi=pmix", "--kill-on-bad-exit=1"]
        variables = settings("ethernet") | settings("shared_cores") | slurm.environment() | dict(variables)
        self.launch(slurm.cluster, folder, files, dict.fromkeys(slurm.cluster.nodes, 1), srun, flags, variables)


@pytest.mark.parametrize("idle", [False, True])
def test_a_power_cut(doomed, folder, tell, idle):
    files, nodes = sorted(folder.glob("*.h5")), ["node0", "node2"]
    variables = {"HEADRACE_NODE_TIMEOUT": "4"} if idle else {}  # else 10 s, by ethernet.sh
    step = Step(doomed, folder, files, {"batch": 4}, variables)
    with until_gone(step) as service, trainers_on(service, nodes) as group:
        if not idle:
            working(group)
        doomed.cluster.cut("node1")
        since = time.monotonic()
        if idle:
            for trainer in group:
                trainer.connected()
                trainer.ask("until_lost")
        words, seconds = lost(group, since)
        assert all(kind == "ServiceLost" for kind, _ in words), words
        assert service.says("node1 does not answer node[02] any more")  # by srun, which may be slower than the trainers' sockets
        service.process.kill()  # srun itself waits for the lost node
        tell(f"trainers of other nodes knew after {seconds:.2f} s: {words}")


def test_a_stager_that_stands_still_is_no_power_cut(slurm, folder):
    """Longer than node-timeout: its node answers in its stead."""
    files = sorted(folder.glob("*.h5"))
    with until_gone(Step(slurm, folder, files, {"batch": 4}, {"HEADRACE_NODE_TIMEOUT": "4"})) as service:
        with trainers_on(service, ["node0", "node2"]) as group:
            for trainer in group:
                trainer.take(1)
                trainer.release()
            victim = service.on("node1")[0]
            os.kill(victim, signal.SIGSTOP)
            time.sleep(9)  # there is no event for which to wait: nothing may happen
            os.kill(victim, signal.SIGCONT)
            for trainer in [*group] * 3:
                trainer.take(4)
                trainer.release()


LOCAL = """
import sys, headrace
with headrace.local(files=sys.argv[1], batch=4, last="partial", progress=False) as stream:
    print(sum(batch.rows for batch in stream))
"""


def test_srun_that_does_not_tell_mpi(slurm, folder):
    """Several stagers cannot find each other; one alone, and a service of a trainer's own, need no MPI."""
    files, options = sorted(folder.glob("*.h5")), ["--mpi=none", "--kill-on-bad-exit=1"]
    done = slurm.run(["srun", "--nodes=3", *options, HEADRACE, "serve", *files])
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if line.startswith("headrace: ")]
    assert errors and all("srun has started 3 processes" in error and "srun --mpi=pmix" in error for error in errors), done.stderr
    done = slurm.run(["srun", "--nodes=1", *options, HEADRACE, "stats", files[0], f"--field.weight.scale-file={folder}/s.json"])
    assert done.returncode == 0, done.stderr
    done = slurm.run(["srun", "--nodes=2", *options, sys.executable, "-c", LOCAL, files[0]])
    assert (done.returncode, done.stdout) == (0, 2 * "90\n"), done.stderr


def multi_prog(slurm, folder, name, trainer):
    """Ranks 0 - 2 are stagers, 3 - 8 trainers, dealt out to the nodes in turn."""
    serve = f"{HEADRACE} serve -c {folder}/c.toml --name {name} --trainers-per-node 2"
    (folder / "programs").write_text(f"0-2 {serve}\n3-8 {HEADRACE} run -- {trainer}\n")
    command = ["srun", "--nodes=3", "--ntasks=9", "--distribution=cyclic", "--mpi=pmix", "--kill-on-bad-exit=1", "--overcommit", "--multi-prog",
               folder / "programs"]
    variables = settings("ethernet") | settings("shared_cores") | slurm.environment()
    process = slurm.cluster.popen("login", command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables)
    try:
        said, _ = process.communicate(timeout=120)
    finally:
        process.kill()
        slurm.run(["scancel", "--user=root"])
    print(said)
    until(lambda: not processes_with(name), "the end of all processes")
    return process.returncode, said


def test_service_and_trainers_in_one_step(slurm, folder):
    name = f"multi-{folder.name}"
    code, said = multi_prog(slurm, folder, name, f"{sys.executable} {ROOT}/tests/cluster/record.py {name} {folder}/seen 2")
    assert code == 0
    recorded(folder, 2, 6)
    assert said.count("every sample exactly once") == 3


def test_a_trainer_that_fails_ends_the_step(slurm, folder):
    code, said = multi_prog(slurm, folder, f"multi-{folder.name}", "false")
    assert code != 0
    assert "ended with exit code 1" in said


def test_a_service_that_cannot_start_ends_the_step(slurm, folder):
    (folder / "c.toml").write_text('files = ["nothing*.h5"]\n')
    code, said = multi_prog(slurm, folder, f"multi-{folder.name}", "sleep 600")
    assert code != 0
    assert "no file matches" in said
