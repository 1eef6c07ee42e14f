"""Epoch 0 while the files are still being read (start = early): every batch against the order of src/plan/ORDER.md, before
all is loaded and after, whoever comes and goes."""

import contextlib
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import headrace
import numpy as np
import order
import pytest
import telling_samples
from disk import memory_for
from service import HEADRACE, control, running, until
from test_windows import (
    BLOCK,
    BLOCKS,
    LABEL,
    LENGTHS,
    NAMES,
    SAMPLES,
    SERVICES,
    batches_of,
    check,
    configured,
    connected,
    files,
    first_ordinals,
    refused,
    taken,
)

__all__ = ["files"]
SEED = 5
STREAMS = {"train": {"global-batch": 96, "epochs": 2},
           "odd": {"global-batch": 96, "epochs": 1, "where": "label != 2", "last": "partial"},
           "some": {"global-batch": 96, "epochs": 2, "select": "1000:6000:3", "last": "partial"},
           "small": {"global-batch": 30, "epochs": 1, "select": "100:300"},
           "val": {"batch": 100, "epochs": 1, "select": "7000:", "shuffle": "none", "last": "partial"}}
# Stands still at one sample, told by its first value, or at any (-1), until there is a file; fails there if that says so.
HOLD = """
#include <headrace/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static double at;
static char file[4096];
int hr_plugin_abi(void) { return HR_PLUGIN_ABI; }
int hr_plugin_open(const hr_plugin_setup* setup, void** state) {
  char* end;
  at = strtod(setup->args, &end);
  strncpy(file, end + 1, sizeof file - 1);
  return 0;
}
int hr_plugin_apply(void* state, hr_plugin_block* block) {
  const double* wide = block->values;
  const float* narrow = block->values;
  for (uint64_t row = 0; row < block->rows; ++row) {
    const uint64_t first = row * block->records * block->columns;
    const double value = block->type == HR_PLUGIN_FLOAT64 ? wide[first] : narrow[first];
    if (at >= 0 && value != at) continue;
    FILE* told;
    while ((told = fopen(file, "r")) == NULL) usleep(1000);
    const int fails = fgetc(told) == 'n';
    fclose(told);
    if (fails) return hr_plugin_fail(block, row, "no, said the file");
  }
  return 0;
}
void hr_plugin_close(void* state) {}
"""


def expected(members=None, stream="train", epoch=0):
    """Sample numbers by position. members: of the stream, ascending."""
    members = np.arange(SAMPLES) if members is None else np.asarray(members)
    return members[order.early_order(first_ordinals(members), SEED, stream, epoch)]


def epochs_of(service, stream, epochs, world_size=1, nodes=1):
    with contextlib.ExitStack() as stack:
        return taken(connected(stack, service, stream, world_size, nodes), epochs)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "hold.c").write_text(HOLD)
    include = Path(__file__).parents[2] / "include"
    subprocess.run(["cc", "-shared", "-fPIC", f"-I{include}", "-o", folder / "hold.so", folder / "hold.c"], check=True)
    return folder / "hold.so"


def held(folder, files, plugin, window, streams, **keys):
    """A configuration of which this window, and what comes after it, is in memory only once go() was called; go(); and the
    sample that is waited for. window: None for all, at every stager."""
    sample = BLOCKS[order.early_windows(len(BLOCKS) - 1, SEED)[window][0]] if window is not None else None
    path, there = configured(folder, files, streams, start="early", **keys), folder / "go"

    def go(word=""):
        (folder / "word").write_text(word)
        (folder / "word").rename(there)

    path.write_text(path.read_text() + f'\n[field.x]\n\n[field.label]\n\n[field.held]\nsource = "x.0"\nplugin = "{plugin}"\n'
                    f'plugin-args = "{-1 if sample is None else sample * 67} {there}"\n')
    return path, go, sample


def window_of(position):
    windows = order.early_windows(len(BLOCKS) - 1, SEED)
    ends = np.cumsum([sum(BLOCKS[b + 1] - BLOCKS[b] for b in window) for window in windows])
    return int(np.searchsorted(ends, position, side="right"))


@pytest.mark.parametrize("stagers, split, world_size", SERVICES, ids=NAMES)
def test_every_batch_is_that_of_the_order(tmp_path, files, stagers, split, world_size):
    config = configured(tmp_path, files, STREAMS, start="early")
    nodes = 3 if split else 1
    with running(tmp_path, stagers=stagers, config=config, split_nodes=split, audit="full",
                 trainers_per_node=world_size // nodes) as service:
        assert epochs_of(service, "train", 2, world_size, nodes) == [batches_of(expected(epoch=epoch), 96) for epoch in range(2)]
        odd = np.flatnonzero(LABEL != 2)
        assert epochs_of(service, "odd", 1, world_size, nodes)[0] == batches_of(expected(odd, "odd"), 96, "partial")
        some = np.arange(1000, 6000, 3)
        assert epochs_of(service, "some", 2, world_size, nodes) == [
            batches_of(expected(some, "some", epoch), 96, "partial") for epoch in range(2)]
        small = np.arange(100, 300)
        assert epochs_of(service, "small", 1, world_size, nodes)[0] == batches_of(expected(small, "small"), 30)
        val = epochs_of(service, "val", 1, world_size, nodes)[0]
        assert sorted(sum(val, [])) == list(range(7000, SAMPLES))
        assert service.wait() == 0, service.text
        assert len(service.lines("every sample exactly once")) == 7 + 5, service.text
        assert service.lines("regime resident") and service.lines("start = early: epoch 0 is shuffled in 8 windows and delivered")
        assert service.lines(r"loaded .* while trainers were served")


@pytest.mark.parametrize("stagers, split", [(None, False), (2, False), (3, True)], ids=["1 process", "2 stagers", "3 nodes"])
def test_batches_come_before_all_is_loaded(tmp_path, files, plugin, stagers, split):
    """The last three windows are held back: what lies before them is delivered, and nothing else."""
    streams = {"train": {"global-batch": 60, "epochs": 2}, "val": {"batch": 100, "select": "7000:", "shuffle": "none"}}
    config, go, _ = held(tmp_path, files, plugin, 5, streams, log=tmp_path / "log")
    wanted = batches_of(expected(), 60)
    before = next(step for step in range(len(wanted)) if window_of(60 * step + 59) == 5)
    with (running(tmp_path, stagers=stagers, split_nodes=split, config=config, slots=4) as service,
          headrace.connect(service.name, stream="train", rank=0, world_size=3 if split else 1, progress=False) as stream,
          contextlib.ExitStack() as stack):
        trainers = [stream] if not split else [stream, *(stack.enter_context(headrace.connect(
            service.node(rank), stream="train", rank=rank, world_size=3, progress=False)) for rank in (1, 2))]
        epochs = [iter(trainer) for trainer in trainers]
        for step in range(before):
            batches = [next(epoch) for epoch in epochs]
            for batch in batches:
                check(batch)
            assert sorted(sum((batch.index.tolist() for batch in batches), [])) == wanted[step]
        told = until(lambda: json.loads(control("stat", service.name, "--json").stdout)["service"].get("arrival"), "stat")
        assert (told["windows"], told["opened"], told["window"]) == (8, 5, 5)
        assert "loading while epoch 0 runs: 5 of 8 windows in memory, window 6: " in control("stat", service.name).stdout
        if not split:  # else shares of a step may be there
            assert [one["ready"] for one in json.loads(control("stat", service.name, "--json").stdout)["trainers"]] == [0]
        assert not service.lines("while trainers were served")
        go()
        for step in range(before, len(wanted)):
            batches = [next(epoch) for epoch in epochs]
            assert sorted(sum((batch.index.tolist() for batch in batches), [])) == wanted[step]
        batch = batches = None  # their slots are wanted
        assert taken(trainers) == [batches_of(expected(epoch=1), 60)]
        assert "arrival" not in json.loads(control("stat", service.name, "--json").stdout)["service"]
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [event["window"] for event in events if event["event"] == "window_open"] == list(range(8))
    assert next(event for event in events if event["event"] == "start")["start"] == "early"
    assert [event["bytes"] > 0 for event in events if event["event"] == "loaded"] == [True]


@pytest.mark.parametrize("stagers, split, world_size", [(2, False, 1), (3, True, 3)], ids=["2 stagers", "3 nodes"])
def test_resumed_by_others_in_the_middle_of_epoch_0(tmp_path, files, plugin, stagers, split, world_size):
    """Who is killed while the files are read goes on elsewhere: there his window is the first to come."""
    streams = {"train": {"global-batch": 96, "epochs": 2}}
    wanted = [batches_of(expected(epoch=epoch), 96) for epoch in range(2)]
    step = next(step for step in range(len(wanted[0])) if window_of(96 * step) == 6) + 1
    config, go, _ = held(tmp_path, files, plugin, None, streams, log=tmp_path / "log")
    go()
    with running(tmp_path, config=config) as service:
        with headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream:
            for batch in stream:
                check(batch)
                assert batch.index.tolist() == wanted[0][batch.step]
                if batch.step == step - 1:
                    break
            state = stream.state_dict()
        service.process.kill()
        service.wait()
    assert state["step"] == step and state["fingerprint"]["start"].startswith("early, 8 of ")
    nodes = stagers if split else 1
    for left in ("go", "log"):
        (tmp_path / left).unlink()
    with running(tmp_path, stagers=stagers, config=config, split_nodes=split, audit="full",
                 trainers_per_node=world_size // nodes) as service, contextlib.ExitStack() as stack:
        trainers = connected(stack, service, "train", world_size, nodes)
        for trainer in trainers:
            trainer.load_state_dict(state)
        until(lambda: json.loads(control("stat", service.name, "--json").stdout)["service"]["arrival"]["window"] == 6, "window 6 is next")
        go()
        assert taken(trainers, 2) == [wanted[0][step:], wanted[1]]
        stack.close()
        assert service.wait() == 0, service.text
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    opened = [event["window"] for event in events if event["event"] == "window_open"]
    assert opened.index(6) < opened.index(1) and sorted(opened) == list(range(8))


def test_a_seek_into_epoch_0_and_another_out_of_it(tmp_path, files, plugin):
    streams = {"train": {"global-batch": 96, "epochs": 4}}  # the last is never taken: the service would end
    wanted = [batches_of(expected(epoch=epoch), 96) for epoch in range(3)]
    ahead = next(step for step in range(len(wanted[0])) if window_of(96 * step) == 7)
    config, go, _ = held(tmp_path, files, plugin, 3, streams)
    with (running(tmp_path, stagers=2, config=config) as service,
          headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream):
        assert next(iter(stream)).index.tolist() == wanted[0][0]
        stream.seek(0, 2)
        assert next(iter(stream)).index.tolist() == wanted[0][2]
        go()
        stream.seek(0, ahead)
        assert [batch.index.tolist() for batch in stream] == wanted[0][ahead:]
        stream.seek(2, 5)
        assert [batch.index.tolist() for batch in stream] == wanted[2][5:]
        stream.seek(1, 0)
        assert [batch.index.tolist() for batch in stream] == wanted[1]


def test_a_state_of_another_start_is_refused_in_epoch_0_alone(tmp_path, files):
    streams = {"train": {"global-batch": 96}}
    states = {}
    for start in ("early", "loaded"):
        with (running(tmp_path, config=configured(tmp_path, files, streams, start=start)) as service,
              headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream):
            for batch in stream:
                if batch.step == 3:
                    states[start] = stream.state_dict()
                    break
            for other, state in states.items():
                if other == start:
                    continue
                with pytest.raises(headrace.Refused, match=r"the start of epoch 0 \(start, block\), early, 8 of .* then and loaded now changed since"):
                    stream.load_state_dict(state)
                stream.load_state_dict({**state, "epoch": 1})  # later ones are the same
                stream.load_state_dict({**state, "step": 0})
    assert "start" not in states["loaded"]["fingerprint"]


def test_padding_repeats_the_last_window(tmp_path, files):
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 2, "last": "pad"}}, start="early")
    windows = order.early_windows(len(BLOCKS) - 1, SEED)
    last = sum(BLOCKS[b + 1] - BLOCKS[b] for b in windows[-1])
    real = SAMPLES % 96
    wanted = []
    for epoch, repeated in ((0, last), (1, SAMPLES)):
        positions = expected(epoch=epoch)
        in_hand = positions[SAMPLES - repeated:]
        wanted.append(sorted(positions[SAMPLES - real:].tolist() + [int(in_hand[j % repeated]) for j in range(96 - real)]))
    with running(tmp_path, stagers=2, config=config, trainers_per_node=2) as service, contextlib.ExitStack() as stack:
        trainers = connected(stack, service, "train", 2)
        for epoch in range(2):
            for batches in zip(*trainers, strict=True):
                numbers = sorted(sum((batch.index.tolist() for batch in batches), []))
            assert numbers == wanted[epoch]


@pytest.mark.parametrize("stagers", [None, 2], ids=["1 process", "2 stagers"])
def test_an_error_of_a_late_window_ends_all(tmp_path, files, plugin, stagers):
    config, go, sample = held(tmp_path, files, plugin, 4, {"train": {"global-batch": 96, "epochs": 2}})
    ends = np.cumsum(LENGTHS)
    part = int(np.searchsorted(ends, sample, side="right"))
    where = rf"field 'held': .* no, said the file \(dataset 'x', row {sample - (ends[part] - LENGTHS[part])} of {files[part]}\)"
    with running(tmp_path, stagers=stagers, config=config) as service:
        stream = headrace.connect(service.name, rank=0, world_size=1, progress=False)
        batches = iter(stream)
        check(next(batches))
        go("no")
        with pytest.raises(headrace.ServiceLost, match=where):
            while True:
                next(batches).release()
        stream.close()
        assert service.wait() == 1, service.text
        assert service.lines(where), service.text


def test_a_signal_ends_it_while_it_reads(tmp_path, files, plugin):
    config, _, _ = held(tmp_path, files, plugin, 1, {"train": {"global-batch": 96}})
    with running(tmp_path, stagers=2, config=config) as service:
        stream = headrace.connect(service.name, rank=0, world_size=1, progress=False)
        check(next(iter(stream)))
        os.kill(service.process.pid, signal.SIGINT)
        assert service.wait() != 0
        stream.close()


def test_one_block_is_no_early_start(tmp_path, files):
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 1}}, start="early")
    whole = [batches_of(np.array(order.epoch_order(SAMPLES, SEED, "train", 0)), 96)]
    with running(tmp_path, config=config, block="1GiB") as service, contextlib.ExitStack() as stack:
        trainers = connected(stack, service, "train", 1)
        assert taken(trainers) == whole
        assert "start" not in trainers[0].state_dict()["fingerprint"]


def test_what_goes_to_a_disk_is_read_first_in_the_same_order(tmp_path):
    many, keys = telling_samples.write(tmp_path), {"start": "early", "block": "256KiB", "batch": 50}
    found = []
    for scratch in ({}, {"scratch": tmp_path, "memory": memory_for(0.4, files=many, batch=50)}):
        with (running(tmp_path, many, **keys, **scratch) as service,
              headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream):
            found.append([])
            for batch in stream:
                telling_samples.check(batch)
                found[-1].append(batch.index.tolist())
            assert service.lines("regime scratch" if scratch else "regime resident")
            assert bool(service.lines("start = early: a part of the samples goes to a disk")) == bool(scratch)
    assert found[0] == found[1]


def test_what_does_not_go_with_it_is_refused(tmp_path, files):
    classes = "".join(f'\n[class.c{k}]\nwhere = "label == {k}"\n' for k in range(7))
    said = refused(tmp_path, files, 'mix = "balanced"\n' + classes, start="early")
    assert "stream 'train': mix = balanced, within = batch does not go with start = early" in said and "scratch" in said
    said = refused(tmp_path, files, classes + '\n[resample]\nbins = ["label = -0.5:6.5:1"]\ntarget = "c0"\noutside = "drop"\n', start="early")
    assert "[resample] redraw = epoch does not go with start = early" in said and "scratch" in said
    assert "start = early contradicts window" in refused(tmp_path, files, window=10, start="early")
    assert "too little memory" in refused(tmp_path, files, code=1, start="early", memory=(64 << 20) + 1_000_000)


def test_classes_in_proportion_and_draws_that_stay_go_with_it(tmp_path, files):
    classes = "".join(f'\n[class.c{k}]\nwhere = "label == {k}"\n' for k in (0, 1, 4))
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 2, "mix": "proportion", "within": "epoch"}},
                        start="early")
    config.write_text(config.read_text() + classes)
    members = np.flatnonzero(np.isin(LABEL, (0, 1, 4)))
    with running(tmp_path, stagers=2, config=config, audit="full") as service:
        assert epochs_of(service, "train", 2) == [batches_of(expected(members, epoch=epoch), 96) for epoch in range(2)]
    classes = "".join(f'\n[class.c{k}]\nwhere = "label == {k}"\n' for k in range(7))
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 1}}, start="early")
    config.write_text(config.read_text() + classes + '\n[resample]\nbins = ["label = -0.5:6.5:1"]\ntarget = "min"\nredraw = "never"\n')
    found = []
    for stagers in (None, 2):
        with running(tmp_path, stagers=stagers, config=config, audit="full") as service:
            found.append(epochs_of(service, "train", 1))
            assert service.lines("every sample exactly once") or service.wait() == 0
    assert found[0] == found[1] and len(found[0][0]) > 10


def test_plan_knows_it(files):
    done = subprocess.run([HEADRACE, "plan", *map(str, files), f"--block={BLOCK}", "--batch=96", "--start=early", "--disk=1MB"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"start = early: epoch 0 is shuffled in 8 windows and delivered as they are read", done.stdout)
    assert re.search(r"first batch  after \d+\.\d s: 1 of 8 windows of ", done.stdout)
    done = subprocess.run([HEADRACE, "plan", *map(str, files), f"--block={BLOCK}", "--batch=96", "--start=early", "--disk=1MB", "--json"],
                          capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert told["start"] == "early" and told["regime"] == "resident" and told["streams"][0]["window"]["windows"] == 8
    assert told["load"]["first_window_seconds"] == pytest.approx(told["load"]["seconds"] / 8)
