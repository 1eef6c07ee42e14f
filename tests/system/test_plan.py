"""`headrace plan`: a dry run, compared with what a service then does."""

import json
import subprocess

import h5py
import numpy as np
import pytest
from service import HEADRACE, control, running


def plan(*arguments, code=0):
    done = subprocess.run([HEADRACE, "plan", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def plan_json(*arguments):
    return json.loads(plan("--json", *arguments))


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros((1000, 25), "f4")
        file["y"] = np.arange(1000)
    return path


def test_a_service_takes_the_memory_that_was_planned(data, tmp_path):
    told = plan_json(data, "--batch=16", "--nodes=2", "--trainers-per-node=2", "--slots=4")
    assert (told["samples"], told["row_bytes"], told["regime"]) == (1000, 108, "resident")
    with running(tmp_path, [data], stagers=2, split_nodes=True, batch=16, trainers_per_node=2) as service:
        service.ready(2)
        done = control("stat", service.name, "--json")
        memory = json.loads(done.stdout)["nodes_seen"][0]["memory"]
        assert (memory["store_bytes"], memory["rings_bytes"]) == (told["memory"]["store"], told["memory"]["rings"])


def test_files_are_told_by_all_of_them(tmp_path):
    """The first is empty, and the others compress differently."""
    sizes = []
    for part, rows in enumerate((0, 3000, 1000)):
        with h5py.File(tmp_path / f"part{part}.h5", "w") as file:
            values = np.random.default_rng(5).integers(0, 255, (rows, 256)) if part == 1 else np.zeros((rows, 256))
            x = file.create_dataset("x", data=values.astype("u1"), chunks=(100, 256), maxshape=(None, 256), compression="gzip")
            sizes.append(x.id.get_storage_size())
    told = plan_json(*sorted(tmp_path.glob("part*.h5")), "--batch=16")
    assert told["load"]["bytes"] == pytest.approx(sum(sizes)) and sizes[1] > 100 * sizes[2]


def test_configuration_and_streams(data, tmp_path):
    (tmp_path / "a.toml").write_text('files = ["a.h5"]\nbatch = 10\n[field.x]\n[stream.train]\nselect = ":800"\n'
                                     '[stream.val]\nselect = "800:"\nshuffle = "none"\n')
    told = plan_json("-c", tmp_path / "a.toml", "--nodes=4")
    assert told["row_bytes"] == 100
    assert [(s["name"], s["samples"], s["steps"]) for s in told["streams"]] == [("train", 800, 20), ("val", 200, 5)]
    assert told["streams"][1]["balance"]["nodes"] == 4  # all of it lies with the last node


def test_thousands_of_nodes():
    told = plan_json("--samples=100000000", "--row-bytes=69KB", "--nodes=4000", "--stagers-per-node=2",
                     "--trainers-per-node=4", "--batch=64", "--nic=200Gbit/s", "--disk=2GB/s", "--disk-total=500GB/s",
                     "--memory-rate=100GB/s", "--memory=256GiB")
    stream, = told["streams"]
    mean = 64 * 4 * stream["balance"]["steps"]
    assert 1 < stream["balance"]["nodes"] <= 1 + 5 / mean ** 0.5
    assert stream["bottleneck"] == "NIC" and told["regime"] == "resident"
    assert told["load"]["seconds"] == pytest.approx(100e6 * 69e3 / 500e9)
    assert stream["of_a_node_and_step"]["requests"] <= 4 * 64


def test_what_does_not_fit():
    flags = ["--samples=1000000", "--row-bytes=1MB", "--memory=64GiB"]
    told = plan_json(*flags, "--nodes=4")
    assert told["regime"] == "none"
    assert plan_json(*flags, f"--nodes={told['enough_nodes'] + 1}")["regime"] == "resident"
    assert f"{told['enough_nodes']} nodes like these would hold all" in plan(*flags, "--nodes=4")


def test_text_for_people(data):
    text = plan(data, "--nodes=2", "--nic=10Gbit/s", "--disk=1GB/s", "--memory-rate=10GB/s")
    for part in ("regime       resident", "memory ", "balance ", "the bottleneck is NIC", "first batch  after"):
        assert part in text
    assert "give --nic" in plan(data)


@pytest.mark.parametrize("arguments, part", [
    ([], "plan takes either files or --samples"),
    (["--samples=10"], "--samples and --row-bytes go together"),
    (["--samples=10", "--row-bytes=1", "--nic=quick"], "--nic quick"),
    (["--samples=100000000000", "--row-bytes=1GB"], "more than 1 EiB"),
    (["--samples=10", "--row-bytes=1", "--nodes=0"], "--nodes 0"),
    (["--samples=10", "--row-bytes=1", "--select=20:"], "select"),
    (["--samples=1000000000000", "--row-bytes=1MB", "--window=auto", "--memory=1TiB"], "take larger blocks (block)"),
])
def test_mistakes(arguments, part):
    error = plan(*arguments, code=2)
    assert part in error and len(error.splitlines()) == 1


def test_more_trainers_than_samples():
    assert "choose a smaller batch" in plan("--samples=10", "--row-bytes=1", "--nodes=100", code=1)
