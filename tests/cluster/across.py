"""The real service over the nodes of a cluster, with trainers on any of them."""

import contextlib
import functools
import itertools
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from cluster import Cluster, Unavailable
from service import HEADRACE, Service, processes_with, until
from trainer import Trainer

ENV = Path(__file__).resolve().parents[2] / "jobs" / "env"


@contextlib.contextmanager
def cluster_of(nodes):
    """A cluster, or a skipped test that says why there is none."""
    try:
        cluster = Cluster(nodes)
    except Unavailable as error:
        pytest.skip(str(error))
    with cluster:
        yield cluster


class Across(Service):
    """`mpirun --host ... headrace serve FLAGS` from the login node. hosts: node -> stagers on it."""

    def __init__(self, cluster, folder, files, hosts, flags, mpirun=(), variables=(), name=None):
        self.name = name or f"across-{uuid.uuid4().hex[:10]}"
        slots = ",".join(f"{node}:{stagers}" for node, stagers in hosts.items())
        # A session folder of its own: the end of the run before would tidy up what this one just makes.
        session = ["--mca", "orte_top_session_dir", f"/dev/shm/{self.name}-session"]
        self.launch(cluster, folder, files, hosts, ["mpirun", *session, "--host", slots, *mpirun], flags, variables)

    def launch(self, cluster, folder, files, hosts, launcher, flags, variables):
        self.cluster, self.hosts = cluster, hosts
        self.log = folder / f"{self.name}.log"
        flags = [f"--{key.replace('_', '-')}={str(value).lower() if isinstance(value, bool) else value}"
                 for key, value in {"slots": 4, **flags}.items()]  # tests count on how far it runs ahead
        self.command = [*launcher, str(HEADRACE), "serve", *map(str, files), f"--name={self.name}", *flags]
        with self.log.open("a") as log:
            self.process = cluster.popen("login", self.command, stdout=log, stderr=subprocess.STDOUT, env=dict(variables),
                                         start_new_session=True)

    def control(self, node, what, *arguments):
        return self.cluster.run(node, [HEADRACE, what, self.name, *arguments])

    def ready(self, nodes=None):
        for node in nodes or self.hosts:
            done = until(functools.partial(self._ready_or_ended, node), "a ready service")
            assert done.returncode == 0, done.stderr + self.text
        return self

    def _ready_or_ended(self, node):
        """What `headrace wait` there came to; nothing while the service still starts."""
        done = self.control(node, "wait", "--timeout=1")
        return done if done.returncode == 0 or self.process.poll() is not None else None

    def stop(self):
        done = self.control(next(iter(self.hosts)), "stop")
        assert done.returncode == 0 or "there is no service" in done.stderr, done.stderr
        return self.wait()

    def on(self, node):
        """Process numbers, for this machine, of a node's stagers."""
        inside = Path(f"/proc/{self.cluster.pid(node)}/ns/net").stat().st_ino
        return [pid for pid in self.stagers() if Path(f"/proc/{pid}/ns/net").stat().st_ino == inside]

    def leaves_nothing(self):
        until(lambda: not processes_with(self.name), "the end of all its processes")
        for node in self.hosts:
            if not (Path("/proc") / str(self.cluster.pid(node))).exists():
                continue  # that node has lost its power
            look = ["sh", "-c", f"ls -A /dev/shm; grep {self.name} /proc/net/unix"]
            until(lambda look=look, node=node: not self.cluster.run(node, look).stdout, f"an empty {node}")


@contextlib.contextmanager
def across(cluster, folder, files, hosts, ready=True, **more):
    """A service over these nodes that is gone at the end of the block without a trace."""
    known = {key: more.pop(key) for key in ("mpirun", "variables") if key in more}
    with until_gone(Across(cluster, folder, files, hosts, more, **known), ready) as service:
        yield service


@contextlib.contextmanager
def until_gone(service, ready=True):
    try:
        if ready:
            service.ready()
        yield service
        if service.process.poll() is None:
            assert service.stop() == 0, service.text
        service.leaves_nothing()
    except BaseException:
        print(" ".join(service.command), service.text, sep="\n")  # pytest shows it with a failure
        raise
    finally:
        service.kill()


class Distant(Trainer):
    """A trainer on a node: `process` is what entered the node, `pid` the trainer itself."""

    @property
    def pid(self):
        children = until(lambda: Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(), "the trainer's start")
        return int(children)

    def signal(self, number):
        os.kill(self.pid, number)
        if number == signal.SIGCONT:  # nsenter stops with the process that it has started
            self.process.send_signal(number)

    def kill(self):
        with contextlib.suppress(OSError, AssertionError):
            if self.process.poll() is None:
                self.signal(signal.SIGKILL)
        super().kill()


def trainer_on(service, node, **options):
    variables = [f"{key}={os.environ[key]}" for key in ("PYTHONPATH", "HEADRACE_BUILD")]
    return Distant(service, prefix=service.cluster.on(node, ["env", *variables]), **options)


@contextlib.contextmanager
def trainers_on(service, nodes, **options):
    """Trainer r of len(nodes) on nodes[r]."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(trainer_on(service, node, rank=r, world_size=len(nodes), **options))
               for r, node in enumerate(nodes)]


def working(group):
    """Trainers that go on until the service is lost."""
    for trainer in group:
        trainer.take(1)
        trainer.release()
        trainer.ask("until_lost")


def lost(group, since, seconds=120):
    """What each trainer was told, and when the last was."""
    words = [trainer.answer(seconds)[:2] for trainer in group]
    return words, time.monotonic() - since


def epochs_of(group, count):
    """[epoch] -> the samples of all trainers together, sorted; they work side by side."""
    for trainer in group:
        trainer.connected()
        trainer.ask("epochs", count)
    by_rank = [trainer.answer() for trainer in group]
    return [sorted(itertools.chain.from_iterable(index for rank in by_rank for _, _, index in rank[epoch])) for epoch in range(count)]


def settings(machine):
    """The variables that jobs/env/MACHINE.sh sets."""
    script = f"set -a; . '{ENV / machine}.sh'; env -0"
    out = subprocess.run(["env", "-i", "bash", "-c", script], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in out.split("\0") if line.startswith(("OMPI_", "PRTE_", "HEADRACE_", "SLURM_")))
