"""What a service in windows needs, and what it says where that is not there: by `headrace plan` and by the service alike."""

import json
import re
import subprocess

import h5py
import numpy as np
import pytest
from service import HEADRACE, running
from telling_samples import write
from test_window import room, train_only


def test_too_little_memory_names_a_disk_instead_of_windows(tmp_path):
    """With the bytes of all samples, which would go there."""
    config = train_only(tmp_path, write(tmp_path))
    with running(tmp_path, config=config, memory=room(config, share=0.1), listens=False) as service:
        assert service.wait() == 1, service.text
        (said,) = service.lines("^headrace: too little memory on ")
    assert "stream 'train' keeps two windows of" in said
    told = re.search(r'or name a folder on a disk of each node instead of window, .* \(up to ([\d.]+) MB here\): scratch = "DIR"', said)
    assert told and 55 < float(told[1]) < 75, said


def planned(files, **flags):
    words = [f"--{key.replace('_', '-')}={value}" for key, value in flags.items()]
    return subprocess.run([HEADRACE, "plan", *map(str, files), "--json", *words], capture_output=True, text=True)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Blocks of 1500 samples, as chunks are, and blocks of 25."""
    folder = tmp_path_factory.mktemp("uneven")
    values = np.arange(5000, dtype="i4")[:, None] + np.arange(1024, dtype="i4")
    with h5py.File(folder / "large.h5", "w") as file:
        file.create_dataset("x", data=values[:3000], chunks=(1500, 1024))
    for part in range(40):
        with h5py.File(folder / f"small{part:02}.h5", "w") as file:
            file["x"] = values[3000 + 50 * part:3050 + 50 * part]
    return sorted(folder.glob("*.h5"))


def test_plan_counts_windows_as_the_service_does(tmp_path, uneven):
    """A window has the largest block of each run, where blocks differ: more than windows have on average."""
    flags = {"window": 4, "block": "100KiB", "batch": 20, "slots": 2}
    need = json.loads(planned(uneven, **flags, memory="80MiB").stdout)["memory"]
    fixed, panes = need["rings"] + need["buffers"], need["store"]
    assert panes > 2 * 1500 * 4096
    for memory, regime in ((fixed + panes + 8192, "window"), (fixed + panes - 8192, "none")):
        assert json.loads(planned(uneven, **flags, memory=memory).stdout)["regime"] == regime
        with running(tmp_path, uneven, listens=regime == "window", memory=memory, **flags) as service:
            if regime == "window":
                service.ready()
                assert service.lines("regime window"), service.text
            else:
                assert service.wait() == 1 and service.lines("^headrace: too little memory on "), service.text


def test_plan_refuses_a_batch_of_three_windows_as_the_service_does(tmp_path, uneven):
    flags = {"window": 2, "block": "100KiB", "batch": 200, "slots": 2, "memory": "84MiB"}
    done = planned(uneven, **flags)
    assert done.returncode == 1 and "is larger than a window may be" in done.stderr, done.stdout + done.stderr
    with running(tmp_path, uneven, listens=False, **flags) as service:
        assert service.wait() == 1
        assert re.search(r"stream 'train'.*", done.stderr)[0] in service.text


def test_tables_of_blocks_count_as_memory(tmp_path):
    """Blocks of a sample each take more than the samples."""
    rows = 2_000_000
    with h5py.File(tmp_path / "tiny.h5", "w") as file:
        file["x"] = (np.arange(rows) % 251).astype("u1")
    flags = {"window": 1000, "batch": 1000, "block": 1}
    few, many = (json.loads(planned([tmp_path / "tiny.h5"], **flags | {"block": block}).stdout)["memory"] for block in ("1000", "1"))
    assert many["buffers"] - few["buffers"] > 50 * rows
    with running(tmp_path, [tmp_path / "tiny.h5"], listens=False, memory="100MiB", **flags) as service:
        assert service.wait() == 1, service.text
        (said,) = service.lines("^headrace: too little memory on ")
        assert re.search(r"; the tables of 2000000 blocks take 168 MB of the buffers: take larger blocks \(block\)", said), said


def test_a_chunk_that_makes_the_window_useless_is_named(tmp_path):
    rows = 200_000
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["x"] = np.zeros((rows, 64), "u1")
        file.create_dataset("lab", data=np.arange(rows), chunks=(rows,), compression="gzip")
    files, advice = [tmp_path / "one.h5"], r"rechunk 'lab' \(h5repack --layout; blocks end with chunks, and its have 200000 rows"
    flags = {"window": 64, "block": "64KiB", "batch": 100, "memory": "72MiB"}
    without = rf"window = 64 has no effect, as all samples are one block; {advice}"
    done = subprocess.run([HEADRACE, "plan", *files, *(f"--{key}={value}" for key, value in flags.items())], capture_output=True, text=True)
    assert re.search(without, done.stdout), done.stdout + done.stderr
    assert "window = auto" not in done.stdout and "smaller window" not in done.stdout
    with running(tmp_path, files, listens=False, **flags) as service:
        assert service.wait() == 1
        assert service.lines(f"^headrace: too little memory on .*; {without}"), service.text
    with running(tmp_path, files, **flags | {"memory": "1GiB"}) as service:
        service.ready()
        assert len(service.lines(without)) == 1, service.text
    done = planned(files, **flags | {"window": "auto"})
    assert done.returncode == 1 and re.search(advice, done.stderr), done.stdout + done.stderr
