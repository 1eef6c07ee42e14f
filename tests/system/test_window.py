"""Samples that are read window by window: the same batches as with all of them in memory, whoever comes and goes."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading

import h5py
import headrace
import numpy as np
import pytest
from disk import MB
from field_cases import CASES, MASKS, prepare
from field_files import LENGTHS, SAMPLES, configuration, deliver, toml
from service import HEADRACE, control, running, until
from telling_samples import check, write

STAGERS = [(None, False), (2, False), (3, False), (3, True)]
NAMES = ["1 process", "2 stagers", "3 stagers", "3 nodes"]
WINDOW = {"block": "256KiB", "window": 32}  # blocks of some 15 samples; 9 windows
STREAMS = {"train": {"select": ":0.9", "batch": 20, "epochs": 3},
           "mixed": {"select": "100:", "batch": 30, "epochs": 1, "order": "shuffled", "last": "pad"},
           "val": {"select": "0.97:", "batch": 20, "shuffle": "none", "epochs": 1}}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"))


def configured(folder, files, streams=STREAMS, **keys):
    path = configuration(folder / "window.toml", {}, files=files, slots=4, **WINDOW, **keys)
    with path.open("a") as out:
        for name, section in streams.items():
            out.write(f"\n[stream.{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in section.items()))
    return path


def lost(service, stream):
    """What the trainer is told, which takes batches until there are none."""
    with pytest.raises(headrace.ServiceLost) as told:
        while True:
            for batch in stream:
                batch.release()
    stream.close()
    assert service.wait() == 1, service.text
    return str(told.value)


def room(config, stagers=1, split=False, share=0.7):
    """Memory for two windows of each stream, and not for all samples: as without windows, so much of them."""
    plain = config.with_suffix(".plain.toml")
    plain.write_text("".join(line for line in config.read_text().splitlines(keepends=True)
                             if not line.startswith(("window", "block", "log"))))
    nodes, per_node = (stagers, 1) if split else (1, stagers or 1)
    done = subprocess.run([HEADRACE, "plan", f"--config={plain}", "--memory=100TiB", "--json", f"--nodes={nodes}",
                           f"--stagers-per-node={per_node}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    need = json.loads(done.stdout)["memory"]
    return int(need["rings"] + need["buffers"] + share * need["store"])


def connect(service, stream="train", rank=0, world_size=1, node=0):
    return headrace.connect(service.node(node), stream=stream, rank=rank, world_size=world_size, timeout=300, progress=False)


def epochs_of(service, stream, rank=0, world_size=1):
    """Sample numbers of each batch of all epochs; their values are checked."""
    with connect(service, stream, rank, world_size) as source:
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
        assert service.wait() == 0 and service.lines("regime resident")
    return found


@pytest.mark.parametrize("stagers, split", STAGERS, ids=NAMES)
def test_the_batches_are_those_of_memory(tmp_path, files, in_memory, stagers, split):
    config = configured(tmp_path, files)
    with running(tmp_path, stagers=stagers, config=config, split_nodes=split, memory=room(config, stagers, split), audit="full") as service:
        assert {stream: epochs_of(service, stream) for stream in STREAMS} == in_memory
        assert service.wait() == 0
        assert service.lines(r"regime window: stream train is read from the files in \d+ windows an epoch")
        assert len(service.lines("every sample exactly once")) == 5 + 3  # each epoch of each stream, and in the end


def train_only(folder, files, epochs=0, **keys):
    return configured(folder, files, {"train": {**STREAMS["train"], "epochs": epochs}}, **keys)


@pytest.mark.parametrize("stagers, split", [(None, False), (2, True)], ids=["1 process", "2 nodes"])
def test_any_step_can_be_had(tmp_path, files, in_memory, stagers, split):
    """Forward and back, also while the former trainer holds batches of other windows."""
    config = train_only(tmp_path, files)
    steps = len(in_memory["train"]) // 3
    with running(tmp_path, stagers=stagers, split_nodes=split, config=config, memory=room(config, stagers, split, 0.4)) as service:
        for epoch, step in ((2, steps - 1), (0, 7), (1, steps // 2), (1, 0)):
            stream = connect(service)
            stream.seek(epoch, step)
            batch = next(iter(stream))
            check(batch)
            assert batch.index.tolist() == in_memory["train"][epoch * steps + step]
            stream.close()


def test_saved_states_go_on_with_another_number_of_stagers(tmp_path, files, in_memory):
    steps, config = len(in_memory["train"]) // 3, train_only(tmp_path, files, 3)
    taken = []
    with running(tmp_path, config=config, memory=room(config, share=0.4)) as service:
        stream = connect(service)
        for batch in stream:
            taken.append(batch.index.tolist())
            if len(taken) == steps // 2:
                state = stream.state_dict()
                batch.release()
                break
            batch.release()
        service.kill()
        with contextlib.suppress(headrace.ServiceLost):
            stream.close()
    with running(tmp_path, stagers=3, config=config, memory=room(config, 3, share=0.4)) as service, connect(service) as stream:
        stream.load_state_dict(state)
        while len(taken) < len(in_memory["train"]):
            for batch in stream:
                check(batch)
                taken.append(batch.index.tolist())
                batch.release()
    assert taken == in_memory["train"]


@pytest.mark.parametrize("stagers, split", [(None, False), (2, True)], ids=["1 process", "2 nodes"])
def test_trainers_of_their_own_pace(tmp_path, files, in_memory, stagers, split):
    """Who is ahead waits for who is behind; who is killed keeps its window until somebody goes on for it."""
    config = train_only(tmp_path, files, 2)
    whole = in_memory["train"][:2 * len(in_memory["train"]) // 3]
    taken, problems = {0: [], 1: []}, []

    def take(rank, most=None):
        try:
            with connect(service, rank=rank, world_size=2, node=rank * split) as stream:
                while True:
                    for batch in stream:
                        check(batch)
                        taken[rank].append(batch.index.tolist())
                        batch.release()
                        if len(taken[rank]) == most:
                            raise ConnectionAbortedError  # no goodbye
                    if batch.epoch == 1:
                        return
        except ConnectionAbortedError:
            pass
        except Exception as problem:
            problems.append(problem)

    with running(tmp_path, stagers=stagers, split_nodes=split, config=config, memory=room(config, stagers, split, 0.4),
                 trainers_per_node=1 if split else 2) as service:
        ahead = threading.Thread(target=take, args=(0,))
        ahead.start()
        until(lambda: "trainer 1, which has not come" in control("stat", service.name).stdout, "who is waited for is told")
        take(1, most=20)
        until(lambda: re.search(r"trainer 1 .*, which is gone", control("stat", service.name).stdout), "who is gone is told")
        assert ahead.is_alive()
        take(1)
        ahead.join()
        assert not problems, problems
        assert service.wait() == 0, service.text
        assert len(service.lines("every sample exactly once")) == 2 + 1
    assert {number for batch in taken[0] + taken[1] for number in batch} == {number for batch in whole for number in batch}


def test_one_that_goes_back_is_served_and_the_others_wait(tmp_path, files):
    config = train_only(tmp_path, files)
    with running(tmp_path, config=config, memory=room(config, share=0.4), trainers_per_node=2) as service:
        one, other = connect(service, rank=0, world_size=2), connect(service, rank=1, world_size=2)

        def go(batches, steps):
            for _ in range(steps):
                check(batch := next(batches))
                taken = batch.step
                batch.release()
            return taken

        ahead, back = iter(one), iter(other)
        for step in range(40):
            assert go(ahead, 1) == go(back, 1) == step
        other.seek(0, 0)
        back = iter(other)
        assert go(back, 1) == 0
        window = json.loads(control("stat", service.name, "--json").stdout)["service"]["streams"][0]["window"]
        assert window["window"] == 0 and "trainer 1" in window["held_by"]
        assert go(back, 44) == 44
        assert go(ahead, 5) == 44
        one.close()
        other.close()


@pytest.mark.parametrize("stagers, split", [(None, False), (2, False), (2, True)], ids=["1 process", "2 stagers", "2 nodes"])
def test_a_file_that_becomes_shorter(tmp_path, stagers, split):
    files = write(tmp_path)
    config = train_only(tmp_path, files)
    with running(tmp_path, stagers=stagers, split_nodes=split, config=config, memory=room(config, stagers, split, 0.4)) as service:
        stream = connect(service)
        for batch in stream:
            batch.release()
        os.truncate(files[0], files[0].stat().st_size // 3)
        said = lost(service, stream)
        # What was being read when it became shorter is told as damaged.
        assert service.lines(f"{files[0]}.* has changed since it was examined|cannot read rows .* in {files[0]} ")
        if not split:  # of another node the launcher tells
            assert str(files[0]) in said


def test_a_signal_ends_it_while_it_reads(tmp_path, files):
    config = train_only(tmp_path, files)
    with running(tmp_path, stagers=2, config=config, memory=room(config, 2, share=0.4)) as service:
        stream = connect(service)
        next(iter(stream))
        os.kill(service.process.pid, signal.SIGINT)
        assert service.wait() != 0
        stream.close()


def test_it_is_told(tmp_path, files):
    config = train_only(tmp_path, files, log=tmp_path / "log")
    with running(tmp_path, config=config, memory=room(config, share=0.4)) as service:
        stream = connect(service)
        for batch in stream:
            batch.release()
        until(lambda: re.search(r"window \d+ of \d+ of epoch 1 in memory for trainer 0 \(.*\), the next one too", control("stat", service.name).stdout), "stat")
        events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        assert next(event for event in events if event["event"] == "start")["regime"] == "window"
        opened = [(event["epoch"], event["window"]) for event in events if event["event"] == "window_open"]
        read = [event["read_bytes"] for event in events if event["event"] == "window_open"]
        so_far = json.loads(control("stat", service.name, "--json").stdout)["nodes_seen"][0]["memory"]["window_read_bytes"]
        assert 0 < read[0] <= read[1] <= read[2] <= so_far  # two may have been read by the time the first is told
        assert opened[:3] == [(0, 0), (0, 1), (0, 2)] and (1, 0) in opened
        stream.close()


def refused(folder, files, code=1, **flags):
    with running(folder, files, listens=False, **flags) as service:
        assert service.wait() == code, service.text
        lines = service.lines("^headrace: ")
        assert len(lines) == 1, service.text
        return lines[0]


def test_what_cannot_be_is_refused_at_the_start(tmp_path, files):
    memory = room(train_only(tmp_path, files), share=0.4)
    said = refused(tmp_path, files, memory=70 * MB, batch=20, **WINDOW)
    assert "stream 'train' keeps two windows of" in said and "choose a smaller window" in said
    said = refused(tmp_path, files, memory=memory, batch=700, slots=2, **WINDOW)
    assert "larger than a window" in said


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


@pytest.mark.parametrize("stagers, split", STAGERS[:1] + STAGERS[3:], ids=NAMES[:1] + NAMES[3:])
def test_fields_of_every_kind(tmp_path, field_files, stagers, split):
    folder, paths, data = field_files
    cases = {name: case for name, case in CASES.items() if "join" not in case[0]}  # which are refused
    fields = {**{name: section for name, (section, _, _) in cases.items()}, "filler": {"source": "filler"}}
    config = configuration(folder / "fields.toml", fields, files=paths, batch=8, last="partial", block="256KiB", window=4)
    memory = room(config, stagers, split, 0.6)
    rows, numbers, _ = deliver(folder, paths, fields, stagers, split, memory=memory, block="256KiB", window=4)
    assert numbers.tolist() == list(range(SAMPLES))
    assert np.array_equal(rows["filler"], (numbers[:, None] + np.arange(60000)).astype("u1"))
    for name, (_, reference, ulp) in cases.items():
        expected = reference(data)
        found = rows[name].view(expected.dtype) if name == "bfloat16" else rows[name]
        if ulp:
            np.testing.assert_array_max_ulp(found, expected, ulp)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=name)
    for name in MASKS:
        if name in rows:
            np.testing.assert_array_equal(rows[name], MASKS[name](data))


@pytest.mark.parametrize("stored", [{"compression": "gzip"}, {}, {"compression": "gzip", "chunks": (8192, 2)}],
                         ids=["gzip", "as it is", "chunks beside each other"])
def test_labels_in_one_chunk_are_read_once_a_window(tmp_path, stored):
    """Blocks lie anywhere in it."""
    path, samples = tmp_path / "labels.h5", 8192
    labels = np.random.default_rng(3).integers(0, 1 << 60, (samples, 4))
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(samples * 512, dtype=np.uint32).reshape(samples, 512)
        file.create_dataset("label", data=labels, **({"chunks": labels.shape} | stored))
    config = configuration(tmp_path / "c.toml", {}, files=[path], slots=4, block="16KiB", window=256, batch=64, epochs=1)
    with running(tmp_path, config=config, memory=room(config)) as service, connect(service) as stream:
        for batch in stream:
            np.testing.assert_array_equal(batch["label"], labels[batch.index])
            np.testing.assert_array_equal(batch["x"][:, 0], batch.index * 512)
            if batch.step == samples // 64 - 1:
                told = json.loads(control("stat", service.name, "--json").stdout)
            batch.release()
    read = told["nodes_seen"][0]["memory"]["window_read_bytes"]
    assert read < 2 * path.stat().st_size  # each of four windows once; block by block it would be a hundred times
