"""headrace premix over several nodes: the same file as on one, and a folder that is not the same everywhere is refused."""

import os
import signal
import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from across import cluster_of  # noqa: E402
from interruptions import interrupted, killed, stagers_with  # noqa: E402
from samples import write  # noqa: E402
from service import HEADRACE, until  # noqa: E402


@pytest.fixture(scope="module")
def cluster():
    with cluster_of(3) as nodes:
        yield nodes


def premix(cluster, hosts, *arguments):
    session = ["--mca", "orte_top_session_dir", f"/dev/shm/premix-{uuid.uuid4().hex[:10]}"]  # the one before may still be going
    return cluster.run("login", ["mpirun", *session, "--host", hosts, str(HEADRACE), "premix", *map(str, arguments)])


@pytest.mark.parametrize("flags", [(), ("--premix.compression=lz4", "--premix.chunk=64B"), ("--premix.file-samples=50",)])
def test_the_same_bytes_over_any_nodes(tmp_path, cluster, flags):
    files = write(tmp_path, 90, 1, 120)
    for name, hosts in (("one", "node0:1"), ("three", "node0:1,node1:2,node2:1")):
        (tmp_path / name).mkdir()
        done = premix(cluster, hosts, *files, "-o", tmp_path / name / "out.h5", "--verify", *flags)
        assert done.returncode == 0 and "all checksums match" in done.stderr, done.stderr
    one, three = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "three"))
    assert one == three


def test_a_folder_that_only_one_node_has(tmp_path, cluster):
    files = write(tmp_path, 20)
    (tmp_path / "own").mkdir()
    cluster.cover("node1", tmp_path / "own")
    done = premix(cluster, "node0:1,node1:1", *files, "-o", tmp_path / "own" / "out.h5")
    assert done.returncode == 1 and "on node1 is not that on node0" in done.stderr, done.stderr
    assert list((tmp_path / "own").iterdir()) == []


@pytest.mark.parametrize("rank, words", [(1, "the first stager on node1 has ended before its time (see what it said, if anything)"), (2, "stager 2 on node1 died")])
def test_a_stager_that_is_killed_under_a_launcher_that_ends_nobody(tmp_path, cluster, rank, words):
    """Every node hears of it, also those that do not watch that one."""
    files, output = write(tmp_path, 20000), tmp_path / "out.h5"
    passed_on = ["HEADRACE_WAIT_COMMIT", "HEADRACE_WAIT_LAUNCHER", "LD_PRELOAD", "HELD_PART", "HELD_BLOCKS", "HELD_UNTIL"]
    mpirun = ["mpirun", "--enable-recovery", "--mca", "orte_top_session_dir", f"/dev/shm/premix-{uuid.uuid4().hex[:10]}",
              *(word for name in passed_on for word in ("-x", name)), "--host", "node0:1,node1:2,node2:1"]

    def all_ended(said):
        until(lambda: f"{words}; what is written stays, go on with --resume" in said(), words)
        until(lambda: not stagers_with(str(output)), "the end of all stagers")
        killed(str(output))  # mpirun over several nodes does not end here

    interrupted("premix", output, *files, "--premix.chunk=2KiB", blocks=3, launch=cluster.on("login", mpirun),
                environment=cluster.environment() | {"HEADRACE_WAIT_LAUNCHER": "0.2"},
                how=lambda: os.kill(stagers_with(str(output))[rank], signal.SIGKILL), then=all_ended)
    done = premix(cluster, "node0:1,node1:1", *files, "-o", output, "--premix.chunk=2KiB", "--resume")
    assert done.returncode == 0 and output.exists(), done.stderr
