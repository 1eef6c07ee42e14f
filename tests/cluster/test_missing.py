"""A stager that hangs before all have come together: who it is is told, then the job ends, and nothing of it stays."""

import os
import signal
import zlib

import h5py
import numpy as np
import pytest
from across import across, cluster_of
from service import until


@pytest.fixture
def cluster():
    with cluster_of(3) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """1 GB that takes seconds to load: one chunk, compressed once, many times."""
    path = tmp_path_factory.mktemp("data") / "large.h5"
    packed = zlib.compress(np.random.default_rng(1).integers(0, 4, 256 * 4096, np.uint8).tobytes())
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (256 * 1024, 4096), "u1", chunks=(256, 4096), compression="gzip")
        for k in range(1024):
            dataset.id.write_direct_chunk((256 * k, 0), packed)
    return path


@pytest.mark.parametrize("node, words", [("node1", "stager 1 on node1"), ("node0", "stager 0 on node0")])
def test_a_stager_that_stops_at_start(tmp_path, large, cluster, node, words):
    hosts = {"node0": 1, "node1": 1, "node2": 1}
    with across(cluster, tmp_path, [large], hosts, ready=False, batch=4, start_timeout=20) as service:
        until(lambda: service.lines("stagers on 3 nodes"), "all stagers have come together")
        os.kill(service.on(node)[0], signal.SIGSTOP)
        assert service.wait(100) != 0
        assert service.lines(rf"{words} did not come within \d+ s")
        if node == "node1":
            assert service.lines(rf"waiting for {words} for \d+ s; the others are there")
