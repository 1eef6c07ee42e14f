"""Samples that do not fit memory, in part on a disk of the node: the same batches as with all in memory, and no traces."""

import json
import os
import re
import signal
import subprocess
import time

import h5py
import headrace
import numpy as np
import pytest
from disk import MB, memory_for
from field_cases import CASES, MASKS, prepare
from field_files import LENGTHS, SAMPLES, configuration, deliver, toml
from service import HEADRACE, control, open_files, running, until
from telling_samples import ROWS, check, write

STAGERS = [(None, False), (2, False), (3, False), (3, True)]
NAMES = ["1 process", "2 stagers", "3 stagers", "3 nodes"]
ODD_DISK = str(HEADRACE.parents[1] / "lib" / "odd_disk.so")
STREAMS = {"train": {"select": ":0.9", "batch": 50, "epochs": 2},
           "mixed": {"select": ":0.9", "batch": 50, "epochs": 1, "order": "shuffled", "last": "pad"},
           "val": {"select": "0.8:", "batch": 70, "shuffle": "none", "epochs": 1}}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"))


@pytest.fixture
def disk(tmp_path):
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


def configured(folder, files, streams=STREAMS, **keys):
    path = configuration(folder / "disk.toml", {}, files=files, slots=4, **keys)
    with path.open("a") as out:
        for name, section in streams.items():
            out.write(f"\n[stream.{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in section.items()))
    return path


def epochs_of(service, stream, rank=0, world_size=1):
    """Sample numbers of each batch of all epochs; their values are checked."""
    with headrace.connect(str(service), stream=stream, rank=rank, world_size=world_size, timeout=300, progress=False) as source:
        taken = []
        for _ in range(STREAMS[stream]["epochs"]):
            for batch in source:
                check(batch)
                taken.append(batch.index.tolist())
                batch.release()
        return taken


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory, files):
    """What a service delivers that holds all in memory."""
    folder = tmp_path_factory.mktemp("memory")
    with running(folder, config=configured(folder, files)) as service:
        found = {stream: epochs_of(service, stream) for stream in STREAMS}
        assert service.wait() == 0 and service.lines("regime resident") and not service.lines("scratch")
    return found


@pytest.mark.parametrize("share", [0.1, 0.6])
@pytest.mark.parametrize("stagers, split", STAGERS, ids=NAMES)
def test_the_batches_are_those_of_memory(tmp_path, disk, files, in_memory, stagers, split, share):
    config = configured(tmp_path, files)
    memory = memory_for(share, config, stagers=stagers or 1, split_nodes=split)
    with running(tmp_path, stagers=stagers, config=config, split_nodes=split, memory=memory, scratch=disk, audit="full") as service:
        assert {stream: epochs_of(service, stream) for stream in STREAMS} == in_memory
        assert service.wait() == 0
        assert service.lines(r"regime scratch: .* stay in memory, .* lie on its disk")
        on_disk = float(re.search(r"scratch: (\d+) % of the samples lie on", service.text)[1])
        assert abs(on_disk - 100 * (1 - share)) < 15, service.text
        assert len(service.lines("every sample exactly once")) == 4 + 3  # each epoch of each stream, and in the end
    assert not list(disk.iterdir())


def test_what_fits_needs_no_disk(tmp_path, disk, files):
    with running(tmp_path, files, scratch=disk, batch=50) as service:
        service.ready()
        assert service.lines("regime resident")


def test_any_step_can_be_had_at_once(tmp_path, disk, files, in_memory):
    """By any trainer: what is asked for is read."""
    config = configured(tmp_path, files, {"train": {**STREAMS["train"], "epochs": 0}})
    memory = memory_for(0.2, config, stagers=2)
    steps = len(in_memory["train"]) // 2
    with running(tmp_path, stagers=2, config=config, memory=memory, scratch=disk) as service:
        for epoch, step in ((1, steps - 1), (0, 7), (1, 0)):  # the trainer of the last turn is gone, with batches in hand
            stream = headrace.connect(service.name, rank=0, world_size=1, timeout=300, progress=False)
            stream.seek(epoch, step)
            batch = next(iter(stream))
            check(batch)
            assert batch.index.tolist() == in_memory["train"][epoch * steps + step]
            stream.close()


@pytest.mark.parametrize("stagers", [None, 2])
def test_kill_leaves_nothing(tmp_path, disk, files, stagers):
    memory = memory_for(0.2, files=files, stagers=stagers or 1, batch=50)
    with running(tmp_path, files, stagers, memory=memory, scratch=disk, batch=50) as service:
        service.ready()
        pids = service.stagers() if stagers else [service.process.pid]
        for pid in pids:
            assert len([name for name in open_files(pid).values() if str(disk) in name and "deleted" in name]) == len(pids)
        assert not list(disk.iterdir())
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert service.wait() != 0
    assert not list(disk.iterdir())


@pytest.mark.parametrize("stagers, split", STAGERS[:2] + [(2, True)], ids=["1 process", "2 stagers", "2 nodes"])
def test_a_disk_that_fails_is_told_to_trainers(tmp_path, disk, files, stagers, split, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", ODD_DISK)
    monkeypatch.setenv("FAIL", str(tmp_path / "now"))
    memory = memory_for(0.2, files=files, stagers=stagers or 1, split_nodes=split, batch=50)
    try:
        os.close(os.open(disk, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT))
    except OSError:
        pytest.skip("no direct reads of temporary files here")
    with running(tmp_path, files, stagers, memory=memory, scratch=disk, batch=50, split_nodes=split) as service:
        stream = headrace.connect(service.name, rank=0, world_size=1, timeout=300, progress=False)
        check(next(iter(stream)))
        (tmp_path / "now").touch()
        began = time.monotonic()
        with pytest.raises(headrace.ServiceLost) as lost:
            while True:
                for batch in stream:
                    batch.release()
        print(f"told after {time.monotonic() - began:.2f} s: {lost.value}")
        stream.close()
        assert service.wait() == 1, service.text
        text = str(lost.value)
        if not split:  # of another node's disk the launcher tells
            assert f"cannot read samples on the disk of scratch = {disk} (Input/output error)" in text
        assert service.lines(f"cannot read samples on the disk of scratch = {disk}")
    assert not list(disk.iterdir())


def refused(folder, files, code=1, prefix=(), **flags):
    with running(folder, files, listens=False, prefix=prefix, batch=50, **flags) as service:
        assert service.wait() == code, service.text
        lines = service.lines("^headrace: ")
        assert len(lines) == 1, service.text
        return lines[0]


def test_what_cannot_be_is_refused_at_the_start(tmp_path, disk, files):
    memory = memory_for(0.2, files=files, batch=50)
    assert "scratch = /dev/shm on" in (said := refused(tmp_path, files, memory=memory, scratch="/dev/shm"))
    assert "that is tmpfs, which is memory itself; name a folder of a disk" in said
    said = refused(tmp_path, files, memory=memory, scratch=disk / "none")
    assert "No such file or directory; name a folder that is there on every node" in said and said.count(str(disk / "none")) == 1
    said = refused(tmp_path, files, memory=memory, scratch=disk, prefix=["prlimit", f"--fsize={20 * MB}"])
    assert "would be larger than this process may write (ulimit -f)" in said
    assert not list(disk.iterdir())
    said = refused(tmp_path, files, memory=70 * MB, scratch=disk)
    assert "too little memory on" in said and "scratch" not in said


def test_a_full_disk_is_an_error_at_the_start(tmp_path, disk, files, monkeypatch):
    memory = memory_for(0.2, files=files, stagers=2, split_nodes=True, batch=50)
    monkeypatch.setenv("LD_PRELOAD", ODD_DISK)
    monkeypatch.setenv("FULL", "1")
    said = refused(tmp_path, files, stagers=2, split_nodes=True, memory=memory, scratch=disk)
    assert re.search(rf"scratch = {disk} on .*: .* do not fit there \(No space left on device; .* are free on this", said)
    assert "make room, name another folder, or use more nodes or memory" in said


def test_a_network_is_told_by_its_name(tmp_path, disk, files, monkeypatch):
    memory = memory_for(0.2, files=files, batch=50)
    monkeypatch.setenv("LD_PRELOAD", ODD_DISK)
    monkeypatch.setenv("NETWORK", str(disk))
    with running(tmp_path, files, memory=memory, scratch=disk, batch=50) as service:
        service.ready()
        assert len(service.lines(f"scratch = {disk}: that is NFS on .* name a folder of a local disk")) == 1


def test_too_little_memory_names_the_way_out(tmp_path, files):
    said = refused(tmp_path, files, memory=memory_for(0.2, files=files, batch=50))
    assert "too little memory on" in said
    assert re.search(r'or name a folder on a disk of each node, where what does not fit goes \(up to .* here\): scratch = "DIR"', said)


def test_it_is_told(tmp_path, disk, files):
    memory = memory_for(0.3, files=files, stagers=2, batch=50)
    with running(tmp_path, files, 2, memory=memory, scratch=disk, batch=50, log=tmp_path / "log",
                 metrics=tmp_path / "headrace.prom") as service:
        service.ready()
        with headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream:
            for batch in stream:
                batch.release()
        memory = json.loads(control("stat", service.name, "--json").stdout)["nodes_seen"][0]["memory"]
        row = 4100 * 4 + 400 + 1 + 13
        assert memory["scratch_bytes"] >= 0.6 * sum(ROWS) * row
        assert memory["scratch_read_bytes"] >= 0.6 * sum(ROWS) * row
        assert re.search(r"and .* of samples on its disk, from which .* were read", control("stat", service.name).stdout)
        figures = tmp_path / "headrace.prom"
        until(lambda: figures.exists() and "headrace_scratch_read_bytes_total" in figures.read_text(), "metrics")
        events = {event["event"]: event for event in map(json.loads, (tmp_path / "log").read_text().splitlines())}
        assert events["start"]["regime"] == "scratch"
        assert 0.6 < events["scratch"]["on_disk"] < 0.8 and events["scratch"]["rows_bytes_per_s"] > 0


def test_plan_knows(files):
    words = [*map(str, files), "--batch=50", "--slots=4"]
    memory = memory_for(0.25, files=files, batch=50)
    plan = subprocess.run([HEADRACE, "plan", *words, f"--memory={memory}", "--scratch=/local", "--json", "--scratch-rate=1GB/s"],
                          capture_output=True, text=True)
    assert plan.returncode == 0, plan.stderr
    told = json.loads(plan.stdout)
    assert told["regime"] == "scratch"
    assert told["memory"]["needed"] <= memory
    share = told["memory"]["scratch"] / (told["memory"]["scratch"] + told["memory"]["store"])
    assert share == pytest.approx(0.75, abs=0.05)
    assert told["streams"][0]["limits_bytes_per_s"]["scratch"] == pytest.approx(1e9 / share, rel=0.02)
    text = subprocess.run([HEADRACE, "plan", *words, f"--memory={memory}", "--scratch=/local"], capture_output=True, text=True).stdout
    assert re.search(r"regime       scratch: 2\d % of the samples stay in memory, .* lie on a disk of each node \(/local\)", text)
    text = subprocess.run([HEADRACE, "plan", *words, f"--memory={memory}"], capture_output=True, text=True).stdout
    assert "and so would scratch = DIR on a disk of each" in text


@pytest.fixture(scope="module")
def field_files(tmp_path_factory):
    """The files of all kinds of fields, and in each a dataset that makes samples large."""
    folder, paths, data = prepare(tmp_path_factory.mktemp("fields"))
    first = 0
    for path, length in zip(paths, LENGTHS):
        with h5py.File(path, "a") as file:
            file["filler"] = (np.arange(first, first + length)[:, None] + np.arange(60000)).astype("u1")
        first += length
    return folder, paths, data


@pytest.mark.parametrize("stagers, split", STAGERS, ids=NAMES)
def test_fields_of_every_kind(tmp_path, disk, field_files, stagers, split):
    folder, paths, data = field_files
    fields = {**{name: section for name, (section, _, _) in CASES.items()}, "filler": {"source": "filler"}}
    config = configuration(folder / "fields.toml", fields, files=paths, batch=8, last="partial")
    memory = memory_for(0.2, config, stagers=stagers or 1, split_nodes=split)
    rows, numbers, _ = deliver(folder, paths, fields, stagers, split, memory=memory, scratch=disk)
    assert numbers.tolist() == list(range(SAMPLES))
    assert np.array_equal(rows["filler"], (numbers[:, None] + np.arange(60000)).astype("u1"))
    for name, (_, reference, ulp) in CASES.items():
        expected = reference(data)
        found = rows[name].view(expected.dtype) if name == "bfloat16" else rows[name]
        if ulp:
            np.testing.assert_array_max_ulp(found, expected, ulp)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=name)
    for name in MASKS:
        if name in rows:
            np.testing.assert_array_equal(rows[name], MASKS[name](data))
