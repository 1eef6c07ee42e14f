"""jobs/run_mpirun on several nodes: service and trainers side by side, as users launch them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from across import Across, cluster_of, until_gone
from service import HEADRACE, command_line, processes_with, program_of, until

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 211


@pytest.fixture(scope="module")
def cluster():
    with cluster_of(2) as nodes:
        yield nodes


def recorded(folder, epochs, files):
    """Exactly once, by what the trainers wrote down."""
    lines = [json.loads(line) for file in (folder / "seen").iterdir() for line in file.read_text().splitlines()]
    assert len(list((folder / "seen").iterdir())) == files
    for epoch in range(epochs):
        assert sorted(i for e, index in lines if e == epoch for i in index) == list(range(SAMPLES))


def record(name, folder, epochs=2):
    return f"{sys.executable} {ROOT}/tests/cluster/record.py {name} {folder}/seen {epochs}"


def example(name, folder, epochs):
    return f"{sys.executable} {ROOT}/jobs/train_example.py {name} --epochs {epochs} --checkpoint {folder}/checkpoint.npz"


def evaluating(name, folder):
    """Of one that is through its epochs, and not done before the test says so."""
    (folder / "c.toml").write_text((folder / "c.toml").read_text() + "epochs = 2\n")
    (folder / "evaluate").write_text(f"{record(name, folder)} && touch {folder}/evaluates.$RANK\n"
                                     f"while [ ! -e {folder}/enough ]; do sleep 0.05; done\n")
    return f"sh {folder}/evaluate"


def own_service_has_ended(name, folder, trainers):
    until(lambda: len(list(folder.glob("evaluates.*"))) == trainers, "trainers through their epochs")
    until(lambda: not any(b"serve" in command_line(pid) for pid in processes_with(name)), "the end of their service")


def another(cluster, folder, name, node):
    """A service of this name on one node, that somebody has started by hand."""
    return until_gone(Across(cluster, folder, sorted(folder.glob("*.h5")), {node: 1}, {}, name=name))


@contextlib.contextmanager
def another_takes_over(cluster, folder, name):
    """The name, once the job's own service has ended by itself while its trainers still evaluate. It outlives their end, which is
    waited for within."""
    own_service_has_ended(name, folder, trainers=2)
    with another(cluster, folder, name, "node0") as other:
        (folder / "enough").touch()
        yield
        assert other.control("node0", "wait").returncode == 0, other.text
    recorded(folder, 2, 2)


@contextlib.contextmanager
def launched(cluster, folder, train, **variables):
    """jobs/run_mpirun from the login node; its words go to folder/log. STAGERS: 1, else an mpirun more asks for the
    NUMA domains; None leaves it to the script."""
    name = f"launch-{folder.name}"
    variables = {"CONFIG": folder / "c.toml", "NAME": name, "TRAIN": train(name, folder), "HEADRACE": HEADRACE,
                 "MACHINE": "ethernet shared_cores", "HOSTS": cluster.state / "hosts", "STAGERS": 1} | variables
    environment = {key: str(value) for key, value in variables.items() if value is not None}
    with (folder / "log").open("w") as log:
        process = cluster.popen("login", [ROOT / "jobs" / "run_mpirun"], stdout=log, stderr=subprocess.STDOUT,
                                env=environment, start_new_session=True)
    try:
        yield process
        until(lambda: not processes_with(name), "the end of all processes")
    except BaseException:
        print((folder / "log").read_text())
        raise
    finally:
        for pid in {process.pid, *processes_with(name)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def text(folder):
    return (folder / "log").read_text()


@pytest.mark.parametrize("stagers, trainers", [("numa", 1), (2, 3)])
def test_every_sample_exactly_once(cluster, folder, stagers, trainers):
    with launched(cluster, folder, record, STAGERS=stagers, TRAINERS=trainers) as job:
        assert job.wait(120) == 0
    recorded(folder, 2, 2 * trainers)
    assert text(folder).count("every sample exactly once") == 3  # two epochs and the summary


def test_a_numa_domain_without_cores_has_no_stager(folder):
    """As memory of GPUs is one on some machines."""
    for domain, cores in (("node0", "0-1\n"), ("node1", "\n")):
        (folder / "sys" / domain).mkdir(parents=True)
        (folder / "sys" / domain / "cpulist").write_text(cores)
    with cluster_of(1) as cluster:
        cluster.cover("node0", "/sys/devices/system/node", folder / "sys")
        with launched(cluster, folder, record, STAGERS=None) as job:
            assert job.wait(120) == 0
    assert "1 stager on 1 node" in text(folder)


def test_a_job_goes_on_after_a_trainer_died(cluster, folder):
    with launched(cluster, folder, lambda *where: example(*where, 40), TRAINERS=2, RESTARTS=1) as job:
        until(lambda: job.poll() is not None or (folder / "checkpoint.npz").exists(), "a checkpoint")
        trainers = [pid for pid in processes_with("train_example.py") if program_of(pid).startswith("python")]
        os.kill(trainers[-1], signal.SIGKILL)
        assert job.wait(120) == 0
    said = text(folder)
    assert "starting again (1 of 1)" in said and "going on at epoch " in said
    assert said.count(f": {SAMPLES} samples, mean squared error") >= 39


def test_without_restarts_a_failure_is_one(cluster, folder):
    with launched(cluster, folder, lambda *_: "false") as job:
        assert job.wait(120) == 1
    assert "run_mpirun: service or trainers failed (1 of 1 attempts)" in text(folder)


def test_a_service_that_cannot_start(cluster, folder):
    (folder / "c.toml").write_text('files = ["nothing*.h5"]\n')
    with launched(cluster, folder, record) as job:
        assert job.wait(120) != 0
    assert "no file matches" in text(folder)
    assert not list((folder / "seen").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_on_a_signal_with_all_that_it_started(cluster, folder, number):
    with launched(cluster, folder, lambda *where: example(*where, 100_000)) as job:
        until(lambda: job.poll() is not None or (folder / "checkpoint.npz").exists(), "a checkpoint")
        os.kill(job.pid, number)
        assert job.wait(300) == 128 + number


def test_it_does_not_begin_beside_a_service_of_its_name(cluster, folder):
    """Whose samples its trainers would get, while its own still starts."""
    name = f"launch-{folder.name}"
    with another(cluster, folder, name, "node1") as other, launched(cluster, folder, record) as job:
        assert job.wait(300) == 2
        assert other.stop() == 0  # before launched() waits for the end of all of that name
    assert text(folder) == (f"run_mpirun: a service '{name}' already runs on node1; end it there (headrace stop {name}), "
                            "or set NAME to another\n")


def test_a_service_that_took_the_name_meanwhile_is_not_stopped(cluster, folder):
    with launched(cluster, folder, evaluating) as job, another_takes_over(cluster, folder, f"launch-{folder.name}"):
        assert job.wait(300) == 0


@pytest.mark.parametrize("variable, value, words", [
    ("CONFIG", "nowhere.toml", "there is no configuration 'nowhere.toml'"),
    ("HOSTS", "nowhere", "there is no host file 'nowhere'"),
    ("MACHINE", "token-ring", "no settings 'token-ring'"),
    ("HEADRACE", "/nowhere", "no program '/nowhere'"),
])
def test_wrong_settings(cluster, folder, variable, value, words):
    with launched(cluster, folder, record, **{variable: value}) as job:
        assert job.wait(300) == 2
    assert words in text(folder) and len(text(folder).splitlines()) == 1


def test_a_node_without_address(cluster, folder):
    (folder / "hosts").write_text("node0\nnode9  # not there\n")
    with launched(cluster, folder, record, HOSTS=folder / "hosts") as job:
        assert job.wait(300) == 2
    assert text(folder) == f"run_mpirun: node 'node9' of '{folder}/hosts' has no address here; correct its name\n"
