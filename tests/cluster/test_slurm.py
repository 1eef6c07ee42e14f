"""jobs/headrace.sbatch on a real Slurm: service and trainers in one allocation, stopped, requeued, and gone on with."""

import contextlib
import itertools
import os
import signal

import pytest
from across import cluster_of
from cluster import Unavailable
from service import HEADRACE, processes_with, program_of, until
from slurm import Slurm
from test_launch import ROOT, SAMPLES, another, another_takes_over, evaluating, example, record, recorded


@pytest.fixture(scope="module")
def slurm():
    with cluster_of(3) as cluster:
        try:
            slurm = Slurm(cluster, timeout=6)
        except Unavailable as error:
            pytest.skip(str(error))
        with slurm:
            yield slurm


ENDS = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")


def text(folder):
    log = folder / "log"
    return log.read_text() if log.exists() else ""


class Job:
    def __init__(self, slurm, folder, train, options=(), **variables):
        self.slurm, self.folder, self.name = slurm, folder, f"slurm-{folder.name}"
        variables = {"CONFIG": folder / "c.toml", "NAME": self.name, "TRAIN": train(self.name, folder), "HEADRACE": HEADRACE,
                     "MACHINE": "ethernet shared_cores"} | variables
        done = slurm.run(["sbatch", "--parsable", f"--output={folder}/log", *options, ROOT / "jobs" / "headrace.sbatch"],
                         env={key: str(value) for key, value in variables.items()})
        assert done.returncode == 0, done.stderr
        self.number = done.stdout.strip()

    def state(self):
        return self.slurm.state(self.number)

    def ended(self, seconds=120):
        """The state that it ended in. Asked seldom: whoever asks takes the job's cores from it."""
        return until(lambda: (state := self.state()) in ENDS and state,
                     f"the job's end: {self.state()}\n{text(self.folder)}", seconds, every=0.25)

    def checkpoint(self):
        file, looks = self.folder / "checkpoint.npz", itertools.count(1)
        until(lambda: file.exists() or (next(looks) % 100 == 0 and self.state() in ENDS), "a checkpoint")
        assert self.state() == "RUNNING", text(self.folder)


@contextlib.contextmanager
def submitted(slurm, folder, train, options=(), **variables):
    job = Job(slurm, folder, train, options, **variables)
    try:
        yield job
        until(lambda: not processes_with(job.name), "the end of all processes")
    except BaseException:
        print(text(folder))
        raise
    finally:
        slurm.run(["scancel", job.number])
        with contextlib.suppress(AssertionError):
            job.ended(seconds=20)


@pytest.mark.parametrize("stagers, trainers", [("numa", 1), (2, 3)])
def test_every_sample_exactly_once(slurm, folder, stagers, trainers):
    with submitted(slurm, folder, record, STAGERS=stagers, TRAINERS=trainers) as job:
        assert job.ended() == "COMPLETED"
    recorded(folder, 2, 2 * trainers)
    assert text(folder).count("every sample exactly once") == 3


def test_stopped_before_its_time_is_up_it_goes_on_later(slurm, folder):
    with submitted(slurm, folder, lambda *where: example(*where, 60), TRAINERS=2) as job:
        job.checkpoint()
        assert slurm.run(["scancel", "--batch", "--signal=USR1", job.number]).returncode == 0
        assert job.ended() == "COMPLETED"
    said = text(folder)
    assert "the time is nearly up" in said and "going on at epoch " in said
    assert said.count(f": {SAMPLES} samples, mean squared error") >= 59


def test_it_goes_on_after_a_trainer_died(slurm, folder):
    with submitted(slurm, folder, lambda *where: example(*where, 60), RESTARTS=1, TRAINERS=2) as job:
        job.checkpoint()
        trainers = [pid for pid in processes_with("train_example.py") if program_of(pid).startswith("python")]
        os.kill(trainers[-1], signal.SIGKILL)
        assert job.ended() == "COMPLETED"
    assert "starting again (1 of 1)" in text(folder) and "going on at epoch " in text(folder)


def test_a_failure_is_one(slurm, folder):
    with submitted(slurm, folder, lambda *_: "false") as job:
        assert job.ended() == "FAILED"
    assert "headrace.sbatch: service or trainers failed (1 of 1 attempts)" in text(folder)


def test_it_does_not_begin_beside_a_service_of_its_name(slurm, folder):
    name = f"slurm-{folder.name}"
    with another(slurm.cluster, folder, name, "node1") as other, submitted(slurm, folder, record) as job:
        assert job.ended() == "FAILED"
        assert other.stop() == 0
    assert text(folder) == (f"headrace.sbatch: a service '{name}' already runs on node1; end it there (headrace stop {name}), "
                            "or set NAME to another\n")


def test_a_service_that_took_the_name_meanwhile_is_not_stopped(slurm, folder):
    with submitted(slurm, folder, evaluating) as job, another_takes_over(slurm.cluster, folder, f"slurm-{folder.name}"):
        assert job.ended() == "COMPLETED"


@pytest.mark.parametrize("variable, value, words", [
    ("CONFIG", "nowhere.toml", "there is no configuration 'nowhere.toml'"),
    ("MACHINE", "token-ring", "no settings 'token-ring'"),
])
def test_wrong_settings(slurm, folder, variable, value, words):
    with submitted(slurm, folder, record, **{variable: value}) as job:
        assert job.ended() == "FAILED"
    assert words in text(folder)


def test_a_cancelled_job_leaves_nothing(slurm, folder):
    with submitted(slurm, folder, lambda *where: example(*where, 100_000)) as job:
        job.checkpoint()
        slurm.run(["scancel", job.number])
        assert job.ended() == "CANCELLED"


def test_after_a_power_cut_it_goes_on_with_another_node(slurm, folder):
    """The last one: its node is gone."""
    with submitted(slurm, folder, lambda *where: example(*where, 2000), TRAINERS=1) as job:
        job.checkpoint()
        nodes = slurm.run(["squeue", "-h", "-j", job.number, "-o", "%N"]).stdout.strip()
        assert nodes == "node[0-1]"
        slurm.cluster.cut("node1")
        until(lambda: "going on at epoch " in text(folder), f"the job on other nodes: {job.state()}", 120)
        assert slurm.run(["squeue", "-h", "-j", job.number, "-o", "%N"]).stdout.strip() == "node[0,2]"
        slurm.run(["scancel", job.number])
