"""Streams that are shuffled in windows: every batch against the order of src/plan/ORDER.md, whatever serves it."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import headrace
import numpy as np
import order
import pytest
from field_files import configuration, toml
from service import HEADRACE, running

LENGTHS = (5000, 0, 300, 400, 2811)
SAMPLES = sum(LENGTHS)
CLASSES = 7
ROW = 256 + 1  # bytes of x and label
BLOCK = 16384
SERVICES = [(None, False, 1), (2, False, 2), (3, False, 3), (3, True, 3)]
NAMES = ["1 process", "2 stagers", "3 stagers", "3 nodes"]
LABEL = (np.arange(SAMPLES) * CLASSES // SAMPLES).astype("i1")  # sorted


def x_of(numbers):
    return (np.asarray(numbers, "i8")[:, None] * 67 + np.arange(64)).astype("<i4")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, first = tmp_path_factory.mktemp("windows"), 0
    for part, rows in enumerate(LENGTHS):
        numbers = np.arange(first, first + rows)
        with h5py.File(folder / f"part{part}.h5", "w") as file:
            # Of the last one the chunks decide; its labels lie in one chunk.
            chunks = (48, 64) if part == 4 else None
            file.create_dataset("x", data=x_of(numbers), chunks=chunks, compression="gzip" if chunks else None)
            file.create_dataset("label", data=LABEL[numbers], chunks=(rows,) if chunks else None)
        first += rows
    return [folder / f"part{part}.h5" for part in range(len(LENGTHS))]


def blocks():
    """Where blocks of at least BLOCK bytes begin, and the end; from src/plan/blocks.hpp and docs alone."""
    borders, first, pending = {0}, 0, 0
    for part, rows in enumerate(LENGTHS):
        align = 48 if part == 4 else 1
        if rows * ROW >= BLOCK:
            least = -(-(-(-BLOCK // ROW)) // align) * align
            count = max(1, rows // least)
            borders |= {first} | {first + rows * i // count // align * align for i in range(count)} | {first + rows}
            pending = 0
        else:
            pending += rows * ROW
            if pending >= BLOCK:
                borders.add(first + rows)
                pending = 0
        first += rows
    return sorted(borders | {first})


BLOCKS = blocks()


def first_ordinals(members):
    return np.searchsorted(members, BLOCKS).tolist()


def expected(window, members=None, stream="train", epoch=0, seed=5):
    """Sample numbers by position. members: of the stream, ascending."""
    members = np.arange(SAMPLES) if members is None else np.asarray(members)
    return members[order.windowed_order(first_ordinals(members), window, seed, stream, epoch)]


def batches_of(positions, batch, last="drop"):
    """Sample numbers of each global batch, ascending: real ones only."""
    cut = [np.sort(positions[b:b + batch]).tolist() for b in range(0, len(positions), batch)]
    return cut[:-1] if last == "drop" and len(positions) % batch else cut


def configured(folder, files, streams, **keys):
    path = configuration(folder / "windows.toml", {}, files=files, block=BLOCK, seed=5, **keys)
    with path.open("a") as out:
        for name, section in streams.items():
            out.write(f"\n[stream.{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in section.items()))
    return path


def connected(stack, service, stream, world_size, nodes=1):
    return [stack.enter_context(headrace.connect(str(service.node(r * nodes // world_size)), stream=stream, rank=r,
                                                 world_size=world_size, timeout=300, progress=False)) for r in range(world_size)]


def check(batch):
    assert np.array_equal(batch["x"], x_of(batch.index))
    assert np.array_equal(batch["label"], LABEL[batch.index])


def taken(trainers, epochs=1):
    """[epoch][step]: sample numbers of the global batch, ascending; every value is checked."""
    done = []
    for _ in range(epochs):
        done.append([])
        for batches in zip(*trainers, strict=True):
            numbers = []
            for batch in batches:
                check(batch)
                assert np.all(np.diff(batch.index[:batch.rows]) > 0)
                numbers += batch.index[:batch.rows].tolist()
            done[-1].append(sorted(numbers))
    return done


def epochs_of(service, stream, epochs, world_size=1, nodes=1):
    with contextlib.ExitStack() as stack:
        return taken(connected(stack, service, stream, world_size, nodes), epochs)


STREAMS = {"train": {"global-batch": 96, "epochs": 2},
           "odd": {"global-batch": 96, "epochs": 1, "where": "label != 2", "last": "partial"},
           "some": {"global-batch": 96, "epochs": 1, "select": "1000:6000:3", "last": "partial"},
           "small": {"global-batch": 30, "epochs": 1, "select": "100:300"},
           "val": {"batch": 100, "epochs": 1, "select": "7000:", "shuffle": "none", "last": "partial"}}
WINDOW = 20


@pytest.mark.parametrize("stagers, split, world_size", SERVICES, ids=NAMES)
def test_every_batch_is_that_of_the_order(tmp_path, files, stagers, split, world_size):
    config = configured(tmp_path, files, STREAMS, window=WINDOW)
    nodes = 3 if split else 1
    with running(tmp_path, stagers=stagers, config=config, split_nodes=split, audit="full",
                 trainers_per_node=world_size // nodes) as service:
        found = epochs_of(service, "train", 2, world_size, nodes)
        assert found == [batches_of(expected(WINDOW, epoch=epoch), 96) for epoch in range(2)]
        odd = np.flatnonzero(LABEL != 2)
        assert epochs_of(service, "odd", 1, world_size, nodes)[0] == batches_of(expected(WINDOW, odd, "odd"), 96, "partial")
        some = np.arange(1000, 6000, 3)
        assert epochs_of(service, "some", 1, world_size, nodes)[0] == batches_of(expected(WINDOW, some, "some"), 96, "partial")
        small = 100 + np.array(order.epoch_order(200, 5, "small", 0))
        assert epochs_of(service, "small", 1, world_size, nodes)[0] == batches_of(small, 30)
        val = epochs_of(service, "val", 1, world_size, nodes)[0]
        assert sorted(sum(val, [])) == list(range(7000, SAMPLES))
        assert service.wait() == 0, service.text
        assert len(service.lines("every sample exactly once")) == 6 + 5, service.text


def test_batches_of_a_window_have_rows_of_its_blocks_alone(tmp_path, files):
    config = configured(tmp_path, files, {"train": {"batch": 64, "epochs": 1, "last": "partial"}}, window=WINDOW)
    windows = order.windows_of_epoch(BLOCKS, WINDOW, 5, "train", 0)
    assert len(windows) > 5 and sorted(sum(windows, [])) == list(range(len(BLOCKS) - 1))
    rows = [sum(BLOCKS[b + 1] - BLOCKS[b] for b in window) for window in windows]
    ends = np.cumsum(rows)
    with running(tmp_path, config=config) as service:
        for step, numbers in enumerate(epochs_of(service, "train", 1)[0]):
            first, last = np.searchsorted(ends, [64 * step, 64 * step + len(numbers) - 1], side="right")
            met = {int(b) for b in np.searchsorted(BLOCKS, numbers, side="right") - 1}
            assert met <= set(sum(windows[first:last + 1], []))
        assert service.wait() == 0


@pytest.mark.parametrize("stagers, split, world_size", [(2, False, 1), (3, True, 3)], ids=["2 stagers", "3 nodes"])
def test_resumed_by_others_in_the_middle_of_an_epoch(tmp_path, files, stagers, split, world_size):
    streams = {"train": {"global-batch": 96, "epochs": 2}}
    wanted = [batches_of(expected(WINDOW, epoch=epoch), 96) for epoch in range(2)]
    with running(tmp_path, config=configured(tmp_path, files, streams, window=WINDOW)) as service:
        with headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream:
            for batch in stream:
                assert batch.index.tolist() == wanted[0][batch.step]
                if batch.step == 29:
                    break
            state = stream.state_dict()
        service.process.kill()
        service.wait()
    assert state["step"] == 30 and "window" in state["fingerprint"]
    nodes = stagers if split else 1
    config = configured(tmp_path, files, streams, window=WINDOW)
    with running(tmp_path, stagers=stagers, config=config, split_nodes=split, audit="full",
                 trainers_per_node=world_size // nodes) as service, contextlib.ExitStack() as stack:
        trainers = connected(stack, service, "train", world_size, nodes)
        for trainer in trainers:
            trainer.load_state_dict(state)
        assert taken(trainers, 2) == [wanted[0][30:], wanted[1]]
        stack.close()
        assert service.wait() == 0, service.text


def test_a_state_of_another_window_is_refused(tmp_path, files):
    streams = {"train": {"global-batch": 96}}
    states = {}
    for window in (WINDOW, "none", 10):
        with (running(tmp_path, config=configured(tmp_path, files, streams, window=window)) as service,
              headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream):
            for batch in stream:
                if batch.step == 3:
                    states[window] = stream.state_dict()
                    break
            for other, state in states.items():
                if other == window:
                    continue
                with pytest.raises(headrace.Refused, match=r"the windows \(window, block\), .* then "
                                   r"\(window = .*\) and .* now changed since") as said:
                    stream.load_state_dict(state)
                then = re.search(r"then \(window = (\S+?)(, block = (\d+))?\) and", str(said.value))
                if other == "none":
                    assert then[1] == '"none"'
                else:  # with as many blocks there are as many windows
                    assert int(then[3]) == BLOCK
                    assert order.windows_of_epoch(BLOCKS, int(then[1])) == order.windows_of_epoch(BLOCKS, other)
                stream.load_state_dict({**state, "epoch": 1, "step": 0})  # at the start of an epoch it is all the same
    assert "window" not in states["none"]["fingerprint"]


def test_a_window_of_everything_is_no_window(tmp_path, files):
    whole = [batches_of(np.array(order.epoch_order(SAMPLES, 5, "train", 0)), 96)]
    for window in ("none", len(BLOCKS) - 1, "1GiB", "auto"):
        config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 1}}, window=window)
        with running(tmp_path, config=config) as service, contextlib.ExitStack() as stack:
            trainers = connected(stack, service, "train", 1)
            assert taken(trainers) == whole
            assert "window" not in trainers[0].state_dict()["fingerprint"]


def test_bytes_are_those_of_all_nodes(tmp_path, files):
    """Rounded down to 2^k or 3 * 2^k blocks of samples as they lie in memory."""
    mean = SAMPLES * (64 * 4 + 1) / (len(BLOCKS) - 1)
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 1}}, window=f"{int(15.5 * mean)}B")
    with running(tmp_path, stagers=2, config=config, split_nodes=True) as service:
        assert epochs_of(service, "train", 1, 2, 2) == [batches_of(expected(12), 96)]


@pytest.mark.parametrize("last", ["pad", "partial"])
def test_padding_repeats_the_window_in_hand(tmp_path, files, last):
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 1, "last": last}}, window=WINDOW)
    positions = expected(WINDOW)
    windows = order.windows_of_epoch(BLOCKS, WINDOW, 5, "train", 0)
    in_hand = positions[SAMPLES - sum(BLOCKS[b + 1] - BLOCKS[b] for b in windows[-1]):]
    real = SAMPLES % 96
    wanted = sorted(positions[SAMPLES - real:].tolist() + [int(in_hand[j % len(in_hand)]) for j in range(96 - real)])
    with running(tmp_path, stagers=2, config=config, trainers_per_node=2) as service, contextlib.ExitStack() as stack:
        trainers = connected(stack, service, "train", 2)
        for batches in zip(*trainers, strict=True):
            numbers = sorted(sum((batch.index.tolist() for batch in batches), []))
        assert numbers == (wanted if last == "pad" else sorted(positions[SAMPLES - real:].tolist()))


def test_classes_of_a_sorted_file_are_mixed(tmp_path, files):
    """The variance of a class's count in delivered batches over that of a global shuffle."""
    epochs, batch, window = 12, 64, 60
    config = configured(tmp_path, files, {"train": {"batch": batch, "epochs": epochs}}, window=window)
    with running(tmp_path, config=config) as service:
        counts = np.array([[np.bincount(LABEL[step], minlength=CLASSES) for step in epoch]
                           for epoch in epochs_of(service, "train", epochs)], float)
        said = re.search(r"label: files are sorted by it \(blocks explain 9\d.\d % of its variance\), windows are not "
                         r"\(design effect (\d\.\d+)\)", service.text)
    share = np.bincount(LABEL) / SAMPLES
    counts = counts.reshape(-1, CLASSES)
    alike = batch * share * (1 - share) * (SAMPLES - batch) / (SAMPLES - 1)
    effect = (((counts - batch * share) ** 2).mean(axis=0) / alike).mean()
    assert effect <= 1.1, effect
    assert said and float(said[1]) < 1.2


def refused(folder, files, text="", code=2, **keys):
    path = configured(folder, files, {"train": {"batch": 50}}, **keys)
    path.write_text(path.read_text() + text)
    with running(folder, listens=False, config=path) as service:
        assert service.wait() == code, service.text
        lines = service.lines("^headrace: ")
        assert len(lines) == 1, service.text
        return lines[0]


def test_what_does_not_go_with_windows_is_refused(tmp_path, files):
    classes = "".join(f'\n[class.c{k}]\nwhere = "label == {k}"\n' for k in range(CLASSES))
    said = refused(tmp_path, files, 'mix = "balanced"\n' + classes, window=10)
    assert "stream 'train': mix = balanced, within = batch does not go with window" in said and "scratch" in said
    said = refused(tmp_path, files, classes + '\n[resample]\nbins = ["label = -0.5:6.5:1"]\ntarget = "c0"\noutside = "drop"\n', window=10)
    assert "[resample] redraw = epoch does not go with window" in said and "scratch" in said
    assert "window contradicts scratch" in refused(tmp_path, files, window=10, scratch=tmp_path)
    assert "whose blocks have" in refused(tmp_path, files, code=1, window="5KiB")


def test_classes_in_proportion_go_with_windows(tmp_path, files):
    classes = "".join(f'\n[class.c{k}]\nwhere = "label == {k}"\n' for k in (0, 1, 4))
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 1, "mix": "proportion", "within": "epoch"}},
                        window=WINDOW)
    config.write_text(config.read_text() + classes)
    members = np.flatnonzero(np.isin(LABEL, (0, 1, 4)))
    with running(tmp_path, stagers=2, config=config, audit="full") as service:
        assert epochs_of(service, "train", 1) == [batches_of(expected(WINDOW, members), 96)]


def test_resampling_once_goes_with_windows(tmp_path, files):
    classes = "".join(f'\n[class.c{k}]\nwhere = "label == {k}"\n' for k in range(CLASSES))
    config = configured(tmp_path, files, {"train": {"global-batch": 96, "epochs": 1}}, window=WINDOW)
    config.write_text(config.read_text() + classes + '\n[resample]\nbins = ["label = -0.5:6.5:1"]\ntarget = "min"\nredraw = "never"\n')
    found = []
    for stagers in (None, 2):
        with running(tmp_path, stagers=stagers, config=config, audit="full") as service, contextlib.ExitStack() as stack:
            found.append([sorted(batch.index.tolist()) for batch in connected(stack, service, "train", 1)[0]])
    assert found[0] == found[1]
    times = np.bincount(sum(found[0], []), minlength=SAMPLES)
    copies = np.repeat(np.arange(SAMPLES), times)
    assert len(found[0]) > 10 and len(copies) > 2000


def plan(files, *flags, **more):
    return subprocess.run([HEADRACE, "plan", *map(str, files), f"--block={BLOCK}", "--batch=64", *flags], capture_output=True,
                          text=True, **more)


def test_plan_tells_how_good_the_shuffle_is(files):
    done = plan(files, "--window=60", "--label=label", "--json")
    assert done.returncode == 0 and not done.stderr, done.stderr
    told = json.loads(done.stdout)["streams"][0]["window"]
    windows = order.windows_of_epoch(BLOCKS, 60)
    assert (told["windows"], told["blocks_a_window"]) == (len(windows), max(map(len, windows)))
    assert told["neighbours"] == pytest.approx((SAMPLES - 1) / (SAMPLES / len(windows) - 1))
    assert 0 < told["total_variation"] < 1 and 0.9 < told["sorted_design_effect"] < 2
    label = told["columns"]["label"]
    assert label["between_blocks"] > 0.98 and label["within_runs"] < 0.1 and label["design_effect"] < 1.2
    # Few blocks a window: that is said, with what helps.
    done = plan(files, "--window=3", "--label=label")
    assert re.search(r"warning: stream train: means of label over a batch vary \d+\.\d times as much", done.stderr)
    assert "choose a larger window or smaller blocks" in done.stderr
    assert re.search(r"window +label: files are sorted by it .*, windows are, too \(design effect", done.stdout)
    assert "no stream is shuffled in windows" in plan(files, "--window=1GiB", "--label=label").stderr
    assert "exactly and globally" not in done.stdout and "exactly and globally" in plan(files).stdout
    assert "set window, and name files" in plan(files, "--label=label").stderr


def test_figures_are_those_of_what_the_stream_has(tmp_path):
    """Of all samples every block has as many of each class; of those that are selected it has one class alone."""
    rows = 12000
    even, block = np.arange(rows) % 2 == 0, np.arange(rows) // 250
    with h5py.File(tmp_path / "halves.h5", "w") as file:
        file["x"] = np.zeros((rows, 64), "u1")
        file["even"] = even.astype("i1")
        file["label"] = np.where(even, block % 2, 1 - block % 2).astype("i1")
    data, flags = [tmp_path / "halves.h5"], ["--window=6", "--label=label"]
    told = {name: json.loads(plan(data, *flags, "--json", *more).stdout)["streams"][0]["window"]["columns"]["label"]
            for name, more in {"all": [], "even": ["--select=::2"], "where": ["--where=even == 1"]}.items()}
    assert told["all"]["between_blocks"] < 0.01 and told["all"]["design_effect"] < 1.1
    assert told["even"]["between_blocks"] > 0.99 and told["even"]["design_effect"] > 1.5
    assert told["where"] is None
    assert "label: how windows mix it cannot be told: which samples" in plan(data, *flags, "--where=even == 1").stdout
    for stagers in (None, 2):
        with running(tmp_path, data, stagers, window=6, block=BLOCK, batch=64, epochs=1, where="even == 1") as service:
            service.ready()
            said = re.search(r" label: files are sorted by it .*\(design effect (\d+\.\d+)\)", service.text)
            assert said and float(said[1]) == pytest.approx(told["even"]["design_effect"], abs=0.006), service.text


def test_values_without_a_variance_are_told_as_such(tmp_path):
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file["x"] = np.zeros((12000, 64), "u1")
        file["weight"] = np.where(np.arange(12000) % 2, 1e200, -1e200)
    done = plan([tmp_path / "huge.h5"], "--window=6", "--label=weight")
    assert "weight: how windows mix it cannot be told: its values are too large" in done.stdout, done.stderr
    done = plan([tmp_path / "huge.h5"], "--window=6", "--label=weight", "--json")
    assert json.loads(done.stdout)["streams"][0]["window"]["columns"]["weight"] is None


def test_plan_draws_batches(tmp_path, files):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (tools/bootstrap --plots)")
    with_plots = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = plan(files, "--window=20", "--label=label", f"--plot={tmp_path / 'w.png'}", env=with_plots)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "w.png").read_bytes().startswith(b"\x89PNG")


def test_plan_knows_the_regime(files):
    fixed = json.loads(plan(files, "--slots=4", "--json").stdout)["memory"]
    memory = fixed["rings"] + fixed["buffers"] + fixed["store"] // 2
    told = json.loads(plan(files, "--window=10", f"--memory={memory}", "--slots=4", "--json").stdout)
    assert told["regime"] == "window" and told["memory"]["needed"] <= memory
    assert json.loads(plan(files, f"--memory={memory}", "--slots=4", "--json").stdout)["regime"] == "none"
    text = plan(files, f"--memory={memory}", "--slots=4").stdout
    assert "scratch = DIR on a disk of each" in text and "window = auto" in text
    # Half of what there is for samples, and a little less.
    told = json.loads(plan(files, "--window=auto", f"--memory={memory}", "--slots=4", "--json").stdout)
    assert told["regime"] == "window" and 5 <= told["streams"][0]["window"]["windows"] <= 7
