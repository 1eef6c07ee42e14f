"""The simulated cluster itself: nodes are apart, two clusters too, and nothing of one stays behind."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from across import cluster_of
from cluster import HERE
from service import until


def states():
    return set(Path(os.environ.get("TMPDIR", "/tmp")).glob("headrace-cluster-*"))


def holders():
    """Process numbers of what holds nodes."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"\0hold\0" in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
    return found


def test_nodes_see_themselves_and_each_other(tmp_path):
    with cluster_of(2) as cluster:
        for k, node in enumerate(cluster.nodes):
            assert cluster.run(node, ["hostname"]).stdout.strip() == node
            assert cluster.run(node, ["sh", "-c", f"touch /dev/shm/{node}; ls /dev/shm"]).stdout.split() == [node]
            assert len(cluster.run(node, ["sh", "-c", "ls -d /proc/[0-9]*"]).stdout.split()) < 10
            assert cluster.run(node, ["getent", "hosts", cluster.nodes[1 - k]]).returncode == 0
        done = cluster.run("login", ["mpirun", "--hostfile", cluster.state / "hosts", "--map-by", "ppr:2:node", "hostname"])
        assert sorted(done.stdout.split()) == ["node0", "node0", "node1", "node1"], done.stderr


def test_two_at_once(tmp_path):
    with cluster_of(2) as one, cluster_of(3) as other:
        runs = [c.popen("login", ["mpirun", "--hostfile", c.state / "hosts", "--map-by", "ppr:1:node", "hostname"],
                        stdout=subprocess.PIPE, text=True) for c in (one, other)]
        said = [sorted(run.communicate(timeout=300)[0].split()) for run in runs]
    assert said == [["node0", "node1"], ["node0", "node1", "node2"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_behind(tmp_path, number):
    before, held = states(), holders()
    with cluster_of(1):
        pass
    assert states() == before
    until(lambda: holders() <= held, "the end of the node")  # the kernel takes a moment to end all that was in it
    started = tmp_path / "started"
    script = f"touch {started}; exec sleep 600"
    process = subprocess.Popen([sys.executable, HERE / "cluster.py", "2", "--", HERE / "enter", "node1", "sh", "-c", script],
                               start_new_session=True)
    try:
        until(started.exists, "a command on a node")
        assert len(holders() - held) >= 3
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
            assert process.wait(30) == 130
            assert states() == before
        else:
            process.kill()
            process.wait()
        until(lambda: holders() <= held, "the end of all nodes")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for state in states() - before:
            subprocess.run(["rm", "-rf", state])


def test_links_can_be_slow_and_go_down():
    with cluster_of(2) as cluster:
        cluster.shape("1mbit")
        assert "rate 1Mbit" in cluster.run("node0", ["tc", "qdisc", "show", "dev", "eth0"]).stdout
        cluster.unshape()
        assert "tbf" not in cluster.run("node0", ["tc", "qdisc", "show", "dev", "eth0"]).stdout
        reach = ["python3", "-c", "import socket,sys; s=socket.socket(); s.settimeout(5); sys.exit(s.connect_ex(('10.77.0.2', 9)))"]
        assert cluster.run("node0", reach).returncode == 111  # refused: somebody is there
        cluster.cut("node1")
        assert cluster.run("node0", reach).returncode != 111
