"""Service and trainers in one job of MPI: `mpirun headrace serve ... : headrace run -- COMMAND`, and MPI programs beside."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from samples import write
from service import AT_ONCE, HEADRACE, Service, control, processes_with, until, why_not_two_programs

pytestmark = pytest.mark.skipif(bool(why_not_two_programs()), reason=why_not_two_programs())
SAMPLES = 90
NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

# Writes down its surroundings and the samples of two epochs.
TRAINER = f"""
import json, os, sys
import headrace
name, folder = sys.argv[1:3]
seen = {{"of_launcher": [v for v in os.environ if v.startswith(("OMPI_", "PMIX_", "PMI_"))]}} | {{v: os.environ.get(v) for v in {NAMES}}}
with headrace.connect(name, timeout=300) as stream:
    seen["epochs"] = [sum((batch.index.tolist() for batch in stream), []) for _ in range(2)]
with open(f"{{folder}}/{{stream.rank}}.json", "w") as out:
    json.dump(seen, out)
"""

# An MPI program of its own, which knows nothing of the service but its name. FIRST: its first rank.
MPI_TRAINER = """
import ctypes, glob, json, sys, time
import headrace
name, folder, first, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
mpi = ctypes.CDLL("libmpi.so.40", mode=ctypes.RTLD_GLOBAL)
world = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, "ompi_mpi_comm_world")))
assert mpi.MPI_Init(None, None) == 0
rank = ctypes.c_int()
assert mpi.MPI_Comm_rank(world, ctypes.byref(rank)) == 0
with headrace.connect(name, rank=rank.value - first, world_size=size, timeout=300) as stream:
    open(f"{folder}/{stream.rank}.here", "w").close()
    while len(glob.glob(f"{folder}/*.here")) < size:  # the service ends when none is left, whoever may still come
        time.sleep(0.01)
    epochs = [sum((batch.index.tolist() for batch in stream), []) for _ in range(2)]
with open(f"{folder}/{stream.rank}.json", "w") as out:
    json.dump({"epochs": epochs}, out)
assert mpi.MPI_Finalize() == 0
"""


class Job:
    """What is needed to write command lines, in a folder of the test."""

    def __init__(self, folder):
        self.name, self.folder = f"mpmd-{folder.name}", folder
        self.trainer, self.mpi_trainer = folder / "trainer.py", folder / "mpi_trainer.py"
        self.trainer.write_text(TRAINER)
        self.mpi_trainer.write_text(MPI_TRAINER)
        write(folder, SAMPLES)

    def serve(self, stagers, *flags, trainers=2, linger=120):
        return ["-n", stagers, HEADRACE, "serve", *sorted(self.folder.glob("*.h5")), f"--name={self.name}", "--batch=4", "--last=partial",
                f"--trainers-per-node={trainers}", f"--linger={linger}", *flags]

    def trainers(self, count, *command):
        return ["-n", count, HEADRACE, "run", "--", *(command or (sys.executable, self.trainer, self.name, self.folder))]

    def popen(self, *command, **more):
        environment = {key: value for key, value in os.environ.items() if key not in NAMES} | more
        return subprocess.Popen(["mpirun", *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment)

    def run(self, *command, **more):
        """Until it has ended by itself: ctest is the watchdog. more: variables."""
        process = self.popen(*command, **more)
        out, err = process.communicate()
        print(out, err)
        until(lambda: not processes_with(self.name), "the end of all its processes")
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def seen(self):
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob("*.json"))]

    def exactly_once(self, trainers):
        assert len(self.seen()) == trainers
        for epoch in range(2):
            assert sorted(sum((one["epochs"][epoch] for one in self.seen()), [])) == list(range(SAMPLES))


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


@pytest.mark.parametrize("service_first", [True, False])
def test_trainers_beside_the_service(job, service_first):
    lines = [job.serve(2, trainers=3), job.trainers(3)]
    done = job.run(*lines[not service_first], ":", *lines[service_first])
    assert done.returncode == 0
    assert done.stderr.count("every sample exactly once") == 3  # two epochs and the summary
    job.exactly_once(3)
    for rank, one in enumerate(job.seen()):
        assert one["of_launcher"] == []
        assert [one[name] for name in NAMES] == [str(rank), "3", str(rank), "3", os.uname().nodename, "29500"]


def test_options_of_the_trainer_are_its_own(job):
    done = job.run(*job.serve(1), ":", "-n", 2, HEADRACE, "run", "sh", "-c", f"exec {sys.executable} {job.trainer} {job.name} {job.folder}")
    assert done.returncode == 0
    job.exactly_once(2)


@pytest.mark.parametrize("service_first", [True, False])
def test_mpi_programs_beside_the_service(job, service_first):
    first = 2 if service_first else 0
    serve = job.serve(2, f"--ranks={'0-1' if service_first else '2-3'}", linger=0)
    lines = [serve, ["-n", 2, sys.executable, job.mpi_trainer, job.name, job.folder, first, 2]]
    done = job.run(*lines[not service_first], ":", *lines[service_first])
    assert done.returncode == 0
    job.exactly_once(2)


@pytest.mark.parametrize("command, code, words", [
    (("sh", "-c", "exit 3"), 3, "headrace: trainer 0 on .* ended with exit code 3"),
    (("sh", "-c", "kill -9 $$"), 137, "headrace: trainer 0 on .* ended with exit code 137"),
    (("/nowhere/train",), 2, "headrace: trainer 0 on .*: cannot start '/nowhere/train' .No such file or directory"),
])
def test_a_trainer_that_fails_ends_the_job(job, command, code, words):
    done = job.run(*job.serve(2), ":", *job.trainers(1, *command))
    assert done.returncode == code
    assert subprocess.run(["grep", "-c", words], input=done.stderr, text=True, capture_output=True).stdout == "1\n"


def test_a_service_that_cannot_start_ends_the_job(job):
    done = job.run(*job.serve(2, "--field.nothing.source=/nothing"), ":", *job.trainers(2))
    assert done.returncode != 0
    assert done.stderr.count("headrace: [field.nothing] no dataset") == 1  # trainers may still say that they end
    assert job.seen() == []


@pytest.mark.parametrize("line, words", [
    (lambda job: job.trainers(2), "headrace: no headrace serve is in this job"),
    (lambda job: [*job.trainers(1), ":", "-n", 1, HEADRACE, "bench", "--synthetic=1KB x 10"], "headrace: only headrace serve and headrace run share"),
    (lambda job: [*job.serve(1), ":", "-n", 1, HEADRACE, "serve", "x.h5", "--name=another"],
     "headrace: the stagers of one job serve 'another' and 'mpmd-"),
    (lambda job: [*job.serve(1, "--seed=1"), ":", *job.serve(1, "--seed=2")], ": seed = 2, there seed = 1; give all stagers the same"),
    (lambda job: ["-n", 1, HEADRACE, "run"], "headrace: say which trainer to run"),
    (lambda job: job.serve(2, "--ranks=0-2"), "headrace: ranks = 0-2, but this job has 2 processes"),
    (lambda job: job.serve(2, "--ranks=1"), "headrace: ranks = 1-1, but rank 0 is a stager, too"),
    (lambda job: job.serve(1, "--ranks=1-0"), "headrace: --ranks 1-0 is not a range of ranks"),
])
def test_mistakes(job, line, words):
    done = job.run(*line(job), **AT_ONCE)
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize("service_first", [True, False])
def test_all_mistakes_are_told_wherever_the_service_stands(job, service_first):
    """Those of the files too: the first of its command line looks at them, be it the first of the job or not."""
    serve, trainers = job.serve(2, "--slots=1", "--field.nothing.source=/nothing"), job.trainers(1)
    done = job.run(*(serve if service_first else trainers), ":", *(trainers if service_first else serve), **AT_ONCE)
    assert done.returncode != 0
    assert "2 mistakes:" in done.stderr and "--slots 1" in done.stderr and "no dataset 'nothing'" in done.stderr, done.stderr


def test_mpi_programs_beside_a_service_that_was_not_told_its_ranks(job):
    trainers = ["-n", 1, sys.executable, job.mpi_trainer, job.name, job.folder, 1, 1]
    begin = MPI_TRAINER.partition("with headrace")[0].replace("import headrace", "import time")  # which takes less of the limit
    job.mpi_trainer.write_text(begin + "time.sleep(600)\n")
    done = job.run(*job.serve(1, "--start-timeout=15"), ":", *trainers)
    assert done.returncode != 0
    assert done.stderr.count("not every process of this job has come (one hangs, or is another MPI program: then set ranks") == 2


@contextlib.contextmanager
def another(job):
    """A service of the same name that is none of the job's: it must outlive the job, and is stopped by hand."""
    other = Service(job.folder, sorted(job.folder.glob("*.h5")), None, {}, name=job.name)
    try:
        yield other.ready()
        assert control("stop", job.name).returncode == 0, f"it was stopped before:\n{other.text}"
        assert other.wait() == 0
        other.leaves_nothing()
    finally:
        other.kill()
        shutil.rmtree(other.shared, ignore_errors=True)


def ended(process):
    """What a job said, once it has ended by itself."""
    _, err = process.communicate()
    print(err)
    assert process.returncode == 0
    return err


def test_a_service_that_took_the_name_meanwhile_is_not_stopped(job):
    """The job's own has ended by itself, while its trainers still evaluate."""
    script = (f"{sys.executable} {job.trainer} {job.name} {job.folder}; touch {job.folder}/evaluates; "
              f"while [ ! -e {job.folder}/enough ]; do sleep 0.05; done")
    process = job.popen(*job.serve(1, "--epochs=2"), ":", *job.trainers(1, "sh", "-c", script))
    try:
        until(lambda: (job.folder / "evaluates").exists() or process.poll() is not None, "a trainer through its epochs")
        until(lambda: "there is no service" in control("wait", job.name, "--timeout=0").stderr, "the end of its service")
        with another(job):
            (job.folder / "enough").touch()
            assert "all epochs" in ended(process)
    finally:
        process.kill()
    job.exactly_once(1)


def test_a_service_at_a_path_is_stopped_there_and_no_other_of_its_name(job):
    path = job.folder / "socket"
    trainers = job.trainers(2, sys.executable, job.trainer, path, job.folder)
    with another(job):
        process = job.popen(*job.serve(1, f"--socket={path}"), ":", *trainers)
        try:
            assert "headrace stop" in ended(process)  # and not after its trainers did not come back
        finally:
            process.kill()
    job.exactly_once(2)


def test_signals_reach_trainers(job):
    script = f"trap 'touch {job.folder}/trapped' TERM; touch {job.folder}/begun; sleep 600 & wait; kill $!"
    process = job.popen(*job.serve(1), ":", *job.trainers(1, "sh", "-c", script), OMPI_MCA_odls_base_sigkill_timeout="4")
    try:
        until((job.folder / "begun").exists, "a trainer")
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) != 0
        assert (job.folder / "trapped").exists()
        until(lambda: not processes_with(job.name), "the end of all its processes")
    finally:
        process.kill()


def test_a_trainer_does_not_outlive_what_started_it(job):
    pid = job.folder / "pid"
    process = job.popen(*job.serve(1), ":", *job.trainers(1, "sh", "-c", f"echo $$ >{pid}; exec sleep 600"))
    try:
        number = int(until(lambda: pid.exists() and pid.read_text(), "a trainer"))
        starter = next(p for p in processes_with(str(pid)) if str(HEADRACE).encode() in Path(f"/proc/{p}/cmdline").read_bytes() and
                       b"\0run\0" in Path(f"/proc/{p}/cmdline").read_bytes() and p != process.pid and
                       int(Path(f"/proc/{p}/stat").read_text().split()[3]) == process.pid)
        os.kill(starter, signal.SIGKILL)
        assert process.wait(300) != 0
        until(lambda: not Path(f"/proc/{number}").exists(), "the trainer's end")
    finally:
        process.kill()
