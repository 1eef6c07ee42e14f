"""Where kills.py starts its jobs: on this machine, or over simulated nodes, which may lose their power."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import kills_job
from service import Service, processes_with, until
from stacks import stacks

sys.path.append(str(Path(__file__).resolve().parents[1] / "cluster"))

ATTEMPTS = 5
MPIRUN = 3  # seconds for it to see that all are gone


def until_it_ends(service):
    """All stagers. Open MPI 4.1's mpirun may stay: where a node died (tests/cluster/test_failures.py), and now and then where
    a rank did, when all are gone and it frees its own memory (PMIx_server_finalize of PMIx 4.2). An error says where each of
    them is."""
    try:
        kills_job.until(lambda: not service.stagers(), "the end of all stagers")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{service.text[-3000:]}\n" + "\n".join(map(stacks, service.stagers()))) from None
    try:
        service.process.wait(MPIRUN)
    except subprocess.TimeoutExpired:
        service.process.terminate()
        try:
            service.process.wait(MPIRUN)
        except subprocess.TimeoutExpired:
            service.process.kill()
            service.process.wait()
    kills_job.until(lambda: not processes_with(f"--name={service.name}"), "the end of MPI's processes")


class Here:
    """Stagers of this machine, as one node or as one each."""

    name = "one machine"
    kinds = ("trainer", "trainer", "stager", "service", "job", "mpirun")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def lay_out(self, chance):
        """Returns the number of nodes."""
        self.split, self.stagers = chance.random() < 0.5, chance.choice([1, 2, 3])
        return self.stagers if self.split else 1

    def service(self, folder, files, chance, flags, name):
        if not self.split:
            self.stagers = chance.choice([1, 2, 3])
        return Service(folder, files, self.stagers, {**flags, "split_nodes": self.split}, name=name)

    def node(self, service, k):
        """What comes before a trainer's command line there, and what it connects to."""
        return (), service.node(k)

    def kill(self, trainer):
        trainer.kill()

    wait_for_the_end = staticmethod(until_it_ends)

    def clear(self, service):
        service.kill()
        shutil.rmtree(service.shared, ignore_errors=True)


class Nodes:
    """Three simulated nodes; a job has one to three of them, with one or two stagers on each."""

    name = "simulated nodes"
    kinds = ("trainer", "stager", "service", "mpirun", "node", "node")
    silence = "15s"  # until a node without power is given up

    def __init__(self):
        from across import Across
        from cluster import Cluster

        self.across, self.cluster = Across, Cluster(3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cluster.close()

    def lay_out(self, chance):
        self.count = chance.choice([1, 2, 3])
        return self.count

    def service(self, folder, files, chance, flags, name):
        hosts = {node: chance.choice([1, 1, 2]) for node in self.cluster.nodes[:self.count]}
        for _ in range(ATTEMPTS):
            started = self.across(self.cluster, folder, files, hosts, {**flags, "node_timeout": self.silence}, name=name)
            with contextlib.suppress(AssertionError):
                until(lambda: len(started.stagers()) == sum(hosts.values()) or started.process.poll() is not None, "start")
                return started
            # On nodes that were killed a moment before, Open MPI's mpirun at times waits for a daemon that is not there.
            print("mpirun starts nothing; it is started again", flush=True)
            started.kill()
            name = started.name
        raise AssertionError(f"mpirun has started nothing in {ATTEMPTS} attempts:\n{started.text[-3000:]}")

    def node(self, service, k):
        variables = [f"{key}={os.environ[key]}" for key in ("PYTHONPATH", "HEADRACE_BUILD")]
        return self.cluster.on(self.cluster.nodes[k], ["env", *variables]), service.name

    def kill(self, trainer):
        """The trainer itself: what was started only entered the node."""
        with contextlib.suppress(OSError):
            for child in Path(f"/proc/{trainer.pid}/task/{trainer.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        trainer.kill()

    def end(self, k, chance):
        """All processes of a node end; half of the time without a word to the others."""
        node = self.cluster.nodes[k]
        if chance.random() < 0.5:
            self.cluster.cut(node)
        else:
            self.cluster.kill(node)

    def boot(self, k):
        self.cluster.boot(self.cluster.nodes[k])

    wait_for_the_end = staticmethod(until_it_ends)

    def clear(self, service):
        service.kill()
