#!/usr/bin/env python3
"""A cluster on one machine: nodes with network, host name, shared memory, processes and clock of their own.

    cluster.py 4 [--shape 1gbit] -- COMMAND...     runs a command on the login node, with mpirun set up for
                                                   node0 ... node3; $HEADRACE_CLUSTER/hosts is a host file

Nodes are Linux namespaces. Each hangs on a pipe that this process holds: however it ends, they go, with all that runs on
them. Nothing is visible outside, neither names nor addresses, so clusters do not get in each other's way. The bridge that
joins the nodes stands on the login node. Needs root, or user namespaces (see as_root).
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUBNET = "10.77.0"

# What a node does: its own /dev/shm and hosts, then it lives as long as the pipe. Its TCP has a congestion window, as the
# kernel's default (cubic) has, which a new namespace may not choose; some hosts prefer bbr, which guesses a rate and lets
# links of memory's speed stand idle.
HOLD = """set -e
hostname "$1"
mount -t tmpfs -o size=1g,mode=1777 tmpfs /dev/shm
mount --bind "$2/etc-hosts" /etc/hosts
ip link set lo up
echo reno > /proc/sys/net/ipv4/tcp_congestion_control
echo ready
read -r end || true"""

# Queues are long (1 s): what limits is the rate, not packets lost in a short queue.
SHAPE = "tc qdisc replace dev {} root tbf rate {} burst 256k latency 1s"


class Unavailable(Exception):
    """Why this machine cannot hold a cluster."""


class Cluster:
    """with Cluster(4) as cluster: cluster.run("node0", ["hostname"])"""

    def __init__(self, nodes):
        self.nodes = [f"node{k}" for k in range(nodes)]
        self.state = Path(tempfile.mkdtemp(prefix="headrace-cluster-"))
        self.state.chmod(0o755)
        self._holders, self._cgroups = {}, []
        self._addresses = {"localhost": "127.0.0.1", "login": f"{SUBNET}.254"}
        self._addresses |= {node: f"{SUBNET}.{k + 1}" for k, node in enumerate(self.nodes)}
        (self.state / "etc-hosts").write_text("".join(f"{a} {n}\n" for n, a in self._addresses.items()))
        (self.state / "hosts").write_text("".join(f"{node}\n" for node in self.nodes))
        try:
            self._hold("login", ())
            self._root("login", f"ip link add br0 type bridge && ip addr add {SUBNET}.254/24 dev br0 && ip link set br0 up")
            for node in self.nodes:
                self.boot(node)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for holder in self._holders.values():
            holder.kill()
            holder.wait()
        self._holders.clear()
        for group in self._cgroups:  # empty once the last process is reaped
            for _ in range(200):
                with contextlib.suppress(OSError):
                    group.rmdir()
                    break
                time.sleep(0.01)
        shutil.rmtree(self.state, ignore_errors=True)

    def boot(self, node):
        """Starts a node, at first or after its end."""
        k = self.nodes.index(node)
        # Clocks that start with the node are apart, as they are between machines.
        self._hold(node, ("-p", "-f", "--mount-proc", "--kill-child", "-T", "--monotonic", str(100_000 * (k + 1))))
        # The link of a node that has ended goes when the kernel comes to it.
        self._root("login", f"ip link del v{k} 2>/dev/null; ip link add v{k} type veth peer name eth0 netns {self.pid(node)} && "
                            f"ip link set v{k} master br0 up")
        self._root(node, f"ip addr add {self._addresses[node]}/24 dev eth0 && ip link set eth0 up")

    def pid(self, node):
        """The process that holds a node."""
        return int((self.state / f"{node}.pid").read_text())

    def environment(self):
        """Of commands on the login node: plain mpirun starts its daemons through rsh."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("HEADRACE_", "OMPI_", "PRTE_", "SLURM_"))}
        tmp = self.state / "login.tmp"
        return environment | {
            "HEADRACE_CLUSTER": str(self.state), "TMPDIR": str(tmp),
            # Of Open MPI 4, of Open MPI 5.
            "OMPI_MCA_plm_rsh_agent": str(HERE / "rsh"), "PRTE_MCA_plm_ssh_agent": str(HERE / "rsh"),
            "OMPI_MCA_plm_rsh_no_tree_spawn": "1", "PRTE_MCA_plm_ssh_no_tree_spawn": "1",
            # One machine plays all nodes: ranks share its cores, and root is nobody in particular.
            "OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":OVERSUBSCRIBE",
            "OMPI_MCA_hwloc_base_binding_policy": "none", "PRTE_MCA_hwloc_default_binding_policy": "none",
            "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_smsc": "^cma",
            "OMPI_MCA_reachable": "weighted",
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }

    def on(self, node, command):
        """The command line, for this process, that runs a command on a node."""
        return ["env", f"HEADRACE_CLUSTER={self.state}", str(HERE / "enter"), node, *map(str, command)]

    def popen(self, node, command, **options):
        environment = self.environment() | {"TMPDIR": str(self.state / f"{node}.tmp")} | options.pop("env", {})
        return subprocess.Popen(self.on(node, command), stdin=options.pop("stdin", subprocess.DEVNULL), env=environment, **options)

    def run(self, node, command, seconds=120):
        process = self.popen(node, command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def shape(self, rate, nodes=None):
        """Both directions of the nodes' links, as in '1gbit'."""
        for node in nodes or self.nodes:
            self._root(node, SHAPE.format("eth0", rate))
            self._root("login", SHAPE.format(f"v{self.nodes.index(node)}", rate))

    def unshape(self):
        for k, node in enumerate(self.nodes):
            self._root(node, "tc qdisc del dev eth0 root")
            self._root("login", f"tc qdisc del dev v{k} root")

    def unplug(self, node):
        """Its link goes down; nobody is told."""
        self._root("login", f"ip link set v{self.nodes.index(node)} down")

    def kill(self, node):
        """All its processes die at once; its sockets still say so."""
        holder = self._holders.pop(node)
        holder.kill()
        holder.wait()

    def cut(self, node):
        """Power cut: first the link, so that nobody hears of it, then the processes."""
        self.unplug(node)
        self.kill(node)

    def cover(self, node, path, by=None):
        """On this node alone, something else is at `path`: another file or folder, or an empty folder."""
        self._root(node, f"mount --bind '{by}' '{path}'" if by else f"mount -t tmpfs tmpfs '{path}'")

    def limit_memory(self, node, size):
        """Of what starts on the node from now on, in bytes; through a memory cgroup (v1 or v2)."""
        group = Path("/sys/fs/cgroup/memory") if Path("/sys/fs/cgroup/memory").is_dir() else Path("/sys/fs/cgroup")
        group /= f"{self.state.name}-{node}"
        try:
            group.mkdir()
            self._cgroups.append(group)
            limits = [file for name in ("memory.limit_in_bytes", "memory.max") if (file := group / name).exists()]
            limits[0].write_text(str(size))
        except (OSError, IndexError) as error:
            raise Unavailable(f"no memory cgroup can be made ({error})") from None
        (self.state / f"{node}.cgroup").write_text(str(group))

    def _hold(self, node, more):
        (self.state / f"{node}.tmp").mkdir(exist_ok=True)
        command = ["unshare", "-n", "-u", "-i", "-m", *more, "bash", "-c", HOLD, "hold", node, str(self.state)]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  start_new_session=True)
        self._holders[node] = holder
        said = holder.stdout.readline()
        if said != "ready\n":
            raise Unavailable(f"no namespaces here ({(said + holder.stdout.read()).strip()})")
        forked = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text() if "-f" in more else ""
        (self.state / f"{node}.pid").write_text(f"{forked.strip() or holder.pid}\n")

    def _root(self, node, script):
        done = subprocess.run(self.on(node, ["sh", "-c", script]), capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"'{script}' failed on {node} ({done.stderr.strip()})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nodes", type=int)
    parser.add_argument("--shape", metavar="RATE", help="limit of every link, as in 1gbit")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    try:
        with Cluster(arguments.nodes) as cluster:
            if arguments.shape:
                cluster.shape(arguments.shape)
            return cluster.popen("login", arguments.command, stdin=None).wait()
    except Unavailable as error:
        print(f"cluster.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
