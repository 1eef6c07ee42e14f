#!/usr/bin/env python3
"""A real Slurm on the nodes of a simulated cluster: slurmctld on the login node, a slurmd on every other.

    slurm.py 2 -- COMMAND...        runs a command on the login node, where sbatch, srun and squeue work

It needs root and Debian's slurm-wlm and munge (tools/bootstrap --slurm). All its files are in the cluster's folder.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cluster import SUBNET, Cluster, Unavailable
from service import until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")

# Scheduling at once (requeued jobs wait for their credentials to expire), and node names that are only known in here.
CONFIGURATION = """ClusterName=simulated
SlurmctldHost=login({subnet}.254)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge/socket,cred_expire=20
CredType=cred/munge
StateSaveLocation={state}/slurm-state
SlurmdSpoolDir={state}/%n.spool
SlurmctldPidFile={state}/slurmctld.pidfile
SlurmdPidFile={state}/%n.pidfile
SlurmctldLogFile={state}/slurmctld.log
SlurmdLogFile={state}/%n.slurmd.log
TmpFS={state}/%n.tmp
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
SlurmdTimeout={timeout}
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be no Slurm here, or ""."""
    if absent := [program for program in PROGRAMS if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")]:
        return f"{', '.join(absent)} not found: tools/bootstrap --slurm"
    return "" if Path("/proc/self/uid_map").read_text().split()[2] == "4294967295" else "munged and slurmd need root"


class Slurm:
    """with Cluster(2) as cluster, Slurm(cluster) as slurm: slurm.run(["sinfo"])"""

    def __init__(self, cluster, cpus=4, timeout=20):
        if why := missing():
            raise Unavailable(why)
        self.cluster, self._daemons = cluster, []
        state = cluster.state
        for folder in ("munge", "slurm-state", *(f"{node}.spool" for node in cluster.nodes)):
            (state / folder).mkdir(mode=0o700)
        (state / "munge").chmod(0o711)
        (state / "munge" / "key").write_bytes(os.urandom(1024))
        (state / "munge" / "key").chmod(0o600)
        nodes = "\n".join(f"NodeName={node} NodeAddr={SUBNET}.{k + 1} CPUs={cpus} RealMemory=4000 State=UNKNOWN"
                          for k, node in enumerate(cluster.nodes))
        (state / "slurm.conf").write_text(CONFIGURATION.format(subnet=SUBNET, state=state, nodes=nodes, timeout=timeout))
        (state / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        try:
            self._start("login", "munged", "-F", "--num-threads=2", *(f"--{what}={state}/munge/{file}" for what, file in (
                ("key-file", "key"), ("socket", "socket"), ("pid-file", "pidfile"), ("log-file", "log"), ("seed-file", "seed"))))
            until((state / "munge" / "socket").exists, "munged")
            self._start("login", "slurmctld", "-D")
            for node in cluster.nodes:
                self._start(node, "slurmd", "-D", "-N", node)
            self.idle()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for daemon in reversed(self._daemons):  # those of nodes end with their node
            daemon.kill()
            daemon.wait()

    def environment(self):
        return {"SLURM_CONF": f"{self.cluster.state}/slurm.conf"}

    def run(self, command, env=None):
        done = subprocess.run(self.cluster.on("login", command), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env=self.cluster.environment() | self.environment() | (env or {}))
        return done

    def idle(self):
        """Waits until all nodes are."""
        wanted = ["idle"] * len(self.cluster.nodes)
        until(lambda: self.run(["sinfo", "-h", "-N", "-o", "%t"]).stdout.split() == wanted, "idle nodes", every=0.1)

    def state(self, job):
        """As squeue and scontrol say: PENDING, RUNNING, COMPLETED, ..."""
        words = self.run(["scontrol", "-o", "show", "job", job]).stdout.split()
        return next((word.split("=")[1] for word in words if word.startswith("JobState=")), "")

    def _start(self, node, *command):
        log = self.cluster.state / f"{node}.{command[0]}.out"
        # With its parent gone a daemon of the login node ends, too.
        command = ["setpriv", "--pdeathsig", "KILL", *command] if node == "login" else command
        with log.open("ab") as out:
            self._daemons.append(self.cluster.popen(node, command, stdout=out, stderr=out, env=self.environment()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nodes", type=int)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    try:
        with Cluster(arguments.nodes) as cluster, Slurm(cluster) as slurm:
            return cluster.popen("login", arguments.command, stdin=None, env=slurm.environment()).wait()
    except Unavailable as error:
        print(f"slurm.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
