"""[resample] and lists with repeats, through the whole service: values, counts and order against NumPy and ORDER.md."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from disk import memory_for
from order import draw_counts, drawn_order
from service import HEADRACE, Service, running, until

import headrace

SIZES = {"b": 400, "c": 250, "u": 900}
TOTAL = sum(SIZES.values())
X = np.linspace(0, 100, 5)
Y = np.concatenate([np.linspace(0, 1, 3), [2.5]])
CONDITIONS = "".join(f'[class.{name}]\nwhere = "jets.flavour == {k}"\n' for k, name in enumerate(SIZES))
COLUMN = 'class-column = "jets.flavour"\nclass-names = ["b:0", "c:1", "u:2"]\n'
FIELDS = '[field.x]\nsource = "jets.x"\n[field.n]\nsource = "n"\n[field.label]\nsource = "@class"\n'
BINS = '[resample]\nbins = ["jets.x = 0:100:4", "abs(jets.y) = 0:1:2, 1:2.5:1"]\n'


@pytest.fixture(scope="module")
def jets(tmp_path_factory):
    """Three classes of different spectra, all mixed, in two files; `n` is the sample's number."""
    folder = tmp_path_factory.mktemp("jets")
    random = np.random.default_rng(7)
    flavour = random.permutation(np.repeat(np.arange(3), list(SIZES.values())))
    x = np.where(flavour == 0, random.beta(2, 2, TOTAL), np.where(flavour == 1, random.beta(1.2, 1.6, TOTAL), random.beta(1, 1.5, TOTAL))) * 100
    y = random.uniform(-2.5, 2.5, TOTAL)
    # Edges belong to the bin above, the last one to the bin below.
    x[:4], y[:4] = (0, 25, 100, 50), (1, -2.5, 0, -0.5)
    data = np.zeros(TOTAL, dtype=[("x", "f4"), ("y", "f8"), ("flavour", "i4")])
    data["x"], data["y"], data["flavour"] = x, y, flavour
    for name, some in (("one.h5", slice(0, 700)), ("two.h5", slice(700, TOTAL))):
        with h5py.File(folder / name, "w") as file:
            file["jets"] = data[some]
            file["n"] = np.arange(TOTAL)[some]
    return folder, data


def cells_of(data):
    """Cell of each sample, and how many each class has in each bin."""
    x = np.minimum(np.searchsorted(X, data["x"], "right") - 1, 3)
    y = np.minimum(np.searchsorted(Y, np.abs(data["y"]), "right") - 1, 2)
    there = np.array([np.histogram2d(data["x"][data["flavour"] == c], np.abs(data["y"][data["flavour"] == c]), (X, Y))[0].ravel()
                      for c in range(3)]).astype(int)
    cells = data["flavour"] * 12 + x * 3 + y
    assert np.array_equal(np.bincount(cells, minlength=36), there.ravel())
    return cells, there


def apportion(whole, weights, there):
    """Largest remainders; of empty bins nothing is rounded up."""
    weights = [int(w) for w in weights]
    parts = [whole * w // sum(weights) for w in weights]
    lost = [whole * w % sum(weights) for w in weights]
    left = whole - sum(parts)
    for i in sorted((i for i in range(len(parts)) if lost[i] > 0 and there[i] > 0), key=lambda i: -lost[i])[:left]:
        parts[i] += 1
    return parts


def config_of(jets, text):
    path = jets[0] / "resample.toml"
    path.write_text(text)
    return path


def serve(folder, jets, text, stagers=None, **flags):
    return running(folder, [jets[0] / "one.h5", jets[0] / "two.h5"], stagers, config=config_of(jets, text), audit="full", seed=5, **flags)


def epochs_of(service, data, epochs, world_size=1, nodes=1, look=lambda batch, index: True):
    """[epoch] -> samples in the order of positions; every value is looked at."""
    with contextlib.ExitStack() as stack:
        trainers = [stack.enter_context(headrace.connect(str(service.node(r * nodes // world_size)), stream="train", rank=r, world_size=world_size,
                                                         timeout=300, progress=False)) for r in range(world_size)]
        done = []
        for _ in range(epochs):
            samples = []
            for batches in zip(*trainers, strict=True):
                for batch in batches:
                    index = np.array(batch.index)[:batch.rows]
                    assert np.array_equal(batch["n"], index)
                    assert np.array_equal(batch["x"], data["x"][index]) and np.array_equal(batch["label"], data["flavour"][index])
                    assert look(batch, index)
                    samples.append(index)
            done.append(np.concatenate(samples))
    return done


def one_run(folder, jets, text, epochs=3, stagers=None, world_size=1, split=False, **flags):
    nodes = stagers if split else 1
    with serve(folder, jets, text, stagers, split_nodes=split, trainers_per_node=-(-world_size // nodes), epochs=epochs, **flags) as service:
        done = epochs_of(service, jets[1], epochs, world_size, nodes)
        assert service.wait() == 0
        return done, service.text


@pytest.mark.parametrize("redraw", ["epoch", "never"])
def test_samples_come_as_often_as_the_target_wants(tmp_path, jets, redraw):
    cells, there = cells_of(jets[1])
    text = BINS + f'target = "c"\nsamples = 300\nredraw = "{redraw}"\n'
    stream = '[stream.train]\norder = "drawn"\nglobal-batch = 48\nlast = "partial"\n'
    wanted = {c * 12 + b: want for c in range(3) for b, want in enumerate(apportion(300, there[1], there[c])) if want}
    done, told = one_run(tmp_path, jets, CONDITIONS + FIELDS + text + stream)
    counts = []
    for epoch, samples in enumerate(done):
        counts.append(np.array(draw_counts(list(cells), wanted, 5, "train", 0 if redraw == "never" else epoch)))
        assert np.array_equal(samples, drawn_order(counts[-1], 5, "train", epoch))
        for c in range(3):
            histogram = np.bincount(cells[samples], minlength=36)[c * 12:][:12]
            assert np.all(np.abs(histogram - 300 * there[1] / there[1].sum()) < 1) and histogram.sum() == 300
    assert np.array_equal(counts[0], counts[1]) == (redraw == "never")
    # Over the epochs no sample of a cell is ahead of another by more than one.
    if redraw == "epoch":
        so_far = np.sum(counts, axis=0)
        assert all(np.ptp(so_far[cells == cell]) <= 1 for cell in wanted)
    distinct = [np.count_nonzero(counts[0][jets[1]["flavour"] == c]) for c in range(3)]
    for c, name in enumerate(SIZES):
        assert re.search(rf"{name}: 300 of {SIZES[name]} samples, ({distinct[c]} distinct and {300 - distinct[c]} repeats|each at most once)", told)
    assert len(re.findall(r"train epoch \d: .* every sample as often as planned", told)) == 3
    # Whoever holds the samples, whoever asks for them, and wherever the classes come from.
    for head, stagers, world_size, split in [(CONDITIONS, 2, 2, True), (COLUMN, 3, 8, False), (COLUMN, 4, 4, True)]:
        again, _ = one_run(tmp_path, jets, head + FIELDS + text + stream, 3, stagers, world_size, split)
        assert all(np.array_equal(a, b) for a, b in zip(again, done, strict=True))


@pytest.mark.parametrize("target, samples, most", [("min", 1, 1), ("max", 0.5, 0), ("mean", 1, 0), ("flat", 1.5, 0), ("u", 1, 1), ("c", 2, 3), ("FILE", 0.7, 0)])
def test_targets(tmp_path, jets, target, samples, most):
    cells, there = cells_of(jets[1])
    weights = {"min": there.min(0), "max": there.max(0), "mean": there.sum(0), "flat": np.ones(12, int), "u": there[2], "c": there[1], "FILE": np.minimum(there[0], 9)}[target]
    number = {"mean": there.sum() / 3, "flat": there.sum(1).min(), "FILE": there.sum(1).min()}.get(target, weights.sum())
    if target == "FILE":
        target = tmp_path / "spectrum.txt"
        np.savetxt(target, weights.reshape(4, 3))
    whole = [round(samples * number)] * 3
    if most:
        whole = [min(n, min(most * int(there[c][b]) * int(weights.sum()) // int(w) for b, w in enumerate(weights) if w))
                 for c, n in enumerate(whole)]
    wanted = {c * 12 + b: want for c in range(3) for b, want in enumerate(apportion(whole[c], weights, there[c])) if want}
    text = COLUMN + FIELDS + BINS + f'target = "{target}"\nsamples = {samples}\nmax-repeat = {most}\n[stream.train]\norder = "drawn"\nlast = "partial"\n'
    done, told = one_run(tmp_path, jets, text, epochs=2, stagers=2, split=True)
    for epoch, got in enumerate(done):
        assert np.array_equal(got, drawn_order(draw_counts(list(cells), wanted, 5, "train", epoch), 5, "train", epoch))
        if most:
            assert np.bincount(got).max() <= most
    assert "FAILED" not in told


def test_one_variable_without_classes(tmp_path, jets):
    data = jets[1]
    text = '[field.x]\nsource = "jets.x"\n[field.n]\n[field.label]\nsource = "jets.flavour"\n' \
           '[resample]\nbins = ["jets.x = 20:80:6"]\ntarget = "flat"\noutside = "drop"\n[stream.train]\nlast = "partial"\nshuffle = "none"\n'
    done, told = one_run(tmp_path, jets, text, stagers=3)
    inside = np.count_nonzero((data["x"] >= 20) & (data["x"] <= 80))
    for samples in done:
        assert np.all(np.diff(samples) >= 0)  # in the order of the files, copies side by side
        histogram = np.histogram(data["x"][samples], np.linspace(20, 80, 7))[0]
        assert np.ptp(histogram) <= 1 and histogram.sum() == inside == len(samples)
    assert f"{TOTAL - inside} samples in none of the bins left out" in told


@pytest.mark.parametrize("stagers, world_size, split", [(None, 1, False), (2, 3, False), (3, 3, True)], ids=["1 process", "2 stagers", "3 nodes"])
def test_more_than_memory_holds(tmp_path, jets, stagers, world_size, split):
    """Rows lie on a disk in part, and which of them come changes from epoch to epoch: the batches are those of memory."""
    folder, data = jets
    with h5py.File(tmp_path / "wide.h5", "w") as file:
        file["jets"], file["n"] = data, np.arange(TOTAL)
        file["image"] = (np.arange(TOTAL, dtype="i4")[:, None] * 8209 + np.arange(8000, dtype="i4"))
    text = CONDITIONS + FIELDS + "[field.image]\n" + BINS + \
        'target = "c"\nsamples = 300\n[stream.train]\norder = "drawn"\nglobal-batch = 48\nlast = "partial"\n'
    config = tmp_path / "wide.toml"
    config.write_text(text)
    (tmp_path / "disk").mkdir()
    flags = {"epochs": 3, "seed": 5, "slots": 4, "trainers_per_node": -(-world_size // (stagers if split else 1))}
    memory = memory_for(0.3, config, [tmp_path / "wide.h5"], stagers or 1, split, **flags)

    def epochs(**more):
        with running(tmp_path, [tmp_path / "wide.h5"], stagers, config=config, split_nodes=split, audit="full", **flags, **more) as service:
            done = epochs_of(service, data, 3, world_size, stagers if split else 1, look=lambda batch, index: np.array_equal(
                batch["image"][: len(index)], index[:, None].astype("i4") * 8209 + np.arange(8000, dtype="i4")))
            assert service.wait() == 0
            return done, service.text

    whole, told = epochs()
    assert "regime resident" in told
    parts, told = epochs(memory=memory, scratch=tmp_path / "disk")
    assert "regime scratch" in told and len(re.findall(r"every sample as often as planned", told)) >= 3
    assert all(np.array_equal(part, one) for part, one in zip(parts, whole, strict=True))
    assert not list((tmp_path / "disk").iterdir())


def test_a_trainer_goes_on_where_a_killed_service_ended(tmp_path, jets):
    text = COLUMN + FIELDS + BINS + 'target = "c"\nsamples = 300\n[stream.train]\norder = "drawn"\nbatch = 25\n[stream.val]\nresample = false\nlast = "partial"\nselect = ":100"\n'
    whole, _ = one_run(tmp_path, jets, text.partition("[stream.val]")[0], epochs=5)
    service = Service(tmp_path, [jets[0] / "one.h5", jets[0] / "two.h5"], 2,
                      {"config": config_of(jets, text), "seed": 5, "audit": "full", "split_nodes": True, "epochs": 5})
    try:
        until(service.listens, "socket of the service")
        with headrace.connect(str(service.node(1)), stream="train", rank=0, world_size=1, timeout=300, progress=False) as stream:
            batches = iter(stream)
            first = [np.array(next(batches).index) for _ in range(11)]
            state = stream.state_dict()
        with headrace.connect(str(service), stream="val", rank=0, world_size=1, timeout=300, progress=False) as stream:
            assert sorted(int(i) for batch in stream for i in batch.index) == list(range(100))
    finally:
        service.kill()
        shutil.rmtree(service.shared, ignore_errors=True)
    assert np.array_equal(np.concatenate(first), whole[0][:275])
    with serve(tmp_path, jets, text, 3, epochs=5) as service:
        with headrace.connect(str(service), stream="train", rank=0, world_size=1, timeout=300, progress=False) as stream:
            stream.load_state_dict(state)
            assert np.array_equal(np.concatenate([np.array(batch.index) for batch in stream.resume()]), whole[0][275:])
            stream.load_state_dict({**state, "epoch": 4, "step": 30})
            assert np.array_equal(np.concatenate([np.array(batch.index) for batch in stream.resume()]), whole[4][750:])
        service.says("stream train: trainers go on in epoch 4, whose samples are drawn first")
    with serve(tmp_path, jets, text.replace('target = "c"', 'target = "b"')) as service:
        with headrace.connect(str(service), stream="train", rank=0, world_size=1, timeout=300, progress=False) as stream:
            with pytest.raises(headrace.Error, match="stream"):
                stream.load_state_dict(state)


@pytest.mark.parametrize("by", ["index", "n"])
def test_a_list_with_repeats(tmp_path, jets, by):
    listed = [5, 3, 700, 5, 1549, 5, 3, 12, 900, 900]
    (tmp_path / "ids").write_text("\n".join(map(str, listed)))
    text = FIELDS.replace('source = "@class"', 'source = "jets.flavour"') + '[stream.train]\nlast = "partial"\nbatch = 4\n' \
        f'select = {{ file = "{tmp_path}/ids", by = "{by}", repeats = true }}\n'
    done, told = one_run(tmp_path, jets, text, epochs=2, stagers=3, split=True)
    assert all(sorted(samples) == sorted(listed) for samples in done)
    assert "listed: 6 distinct, 4 repeats (each at most 3 times)" in told and told.count("every sample as often as planned") == 2
    done = subprocess.run([HEADRACE, "serve", jets[0] / "one.h5", jets[0] / "two.h5", "-c", config_of(jets, text.replace(", repeats = true", ""))],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "select-repeats = true to have it as often" in done.stderr


GOOD = COLUMN + FIELDS + BINS + 'target = "c"\n'


@pytest.mark.parametrize("text, what", [
    (GOOD.replace("0:100:4", "0:60:4"), r"stream 'train': \[resample\] \d+ samples are in none of the bins \(jets.x, abs\(jets.y\); the first: row \d+ of .*one.h5\); widen the bins, or set outside = 'drop'"),
    (GOOD.replace("jets.x =", "jets.z ="), r"\[resample\] bins: 'jets.z' is not there"),
    (GOOD.replace('target = "c"', 'target = "d"'), r"there is no class 'd'"),
    (GOOD.replace('target = "c"', 'target = "c.txt"'), r"target = '.*c.txt': it is neither a class nor a file that can be read"),
    (GOOD.replace('target = "c"', 'samples = 2'), r"\[resample\] bins needs target"),
    (GOOD + "samples = 10.5\n", r"is not a multiple of the target's number, above 0 and up to 10, or a whole number of samples from 11 up"),
    (GOOD.replace("0:100:4", "0:100"), r"is not a variable with its bins"),
    (GOOD.replace("0:100:4", "0:50:2, 60:100:2"), r"does not begin where the one before it ends"),
    (GOOD.replace("0:100:4", "100:0:4"), r"does not ascend"),
    (GOOD.replace("abs(jets.y) = 0:", "abs(jets.y) = -1:0:1, 0:"), r"has no values below 0"),
    (GOOD + '[stream.train]\nmix = "balanced"\n', r"mix contradicts \[resample\]"),
    (GOOD + 'as = "weights"\nredraw = "never"\n', r"redraw = 'never' contradicts as = 'weights'"),
    (FIELDS.replace('source = "@class"', 'source = "n"') + '[resample]\ntarget = "flat"\n', r"\[resample\] has no effect without bins"),
    (GOOD.replace("0:100:4", "0:100:400"), r"class 'b' has no sample in \d+ bins that the target fills \(the first: jets.x from"),
    (GOOD + "max-repeat = 1\nsamples = 5\n[stream.train]\nselect-repeats = true\n", r"select-repeats has no effect without select-file"),
    (GOOD.replace('bins = [', 'binz = ['), r"unknown key 'binz'; did you mean 'bins'"),
    (GOOD + '[stream.train]\nwhere = "jets.flavour == 7"\n', r"target = 'c' has no sample in the bins"),
])
def test_what_is_wrong_is_named(jets, text, what):
    done = subprocess.run([HEADRACE, "serve", jets[0] / "one.h5", jets[0] / "two.h5", "-c", config_of(jets, text)],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and re.search(what, done.stderr), done.stderr


def test_nan_is_named_with_its_row(tmp_path, jets):
    path = tmp_path / "nan.h5"
    with h5py.File(path, "w") as file:
        data = jets[1][:50].copy()
        data["y"][17] = np.nan
        file["jets"], file["n"] = data, np.arange(50)
    config = tmp_path / "nan.toml"
    config.write_text(GOOD)
    done = subprocess.run([HEADRACE, "serve", path, "-c", config], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2, done.stderr
    assert re.search(r"1 sample has NaN where bins need a number \(jets.x, abs\(jets.y\); the first: row 17 of .*leave them out with where", done.stderr)


def test_jets_of_three_spectra(tmp_path):
    """300,000 jets with the spectra by which tools of the field were measured: of 25,000 b-jets that are to have the c-jets' shape
    the best of them gets 24,836 distinct ones, and 29 off the target in the worst bin."""
    random = np.random.default_rng(7)
    n = 300_000
    flavour = random.choice([0, 4, 5], size=n, p=[.7, .1, .2])
    pt = np.where(flavour == 5, random.gamma(3, 25e3, n), np.where(flavour == 4, random.gamma(2.5, 25e3, n), random.gamma(1.5, 30e3, n)))
    jets = np.zeros(n, dtype=[("pt", "f4"), ("eta", "f4"), ("flavour", "i4")])
    jets["pt"], jets["flavour"] = np.clip(pt, 1, 249e3), flavour
    jets["eta"] = np.where(flavour == 0, random.uniform(0, 2.5, n), 2.5 * random.beta(1, 1.6, n))
    with h5py.File(tmp_path / "jets.h5", "w") as file:
        file["jets"] = jets
    (tmp_path / "jets.toml").write_text('files = ["jets.h5"]\nclass-column = "jets.flavour"\nclass-names = ["b:5", "c:4", "u:0"]\n[field.pt]\n'
                                        'source = "jets.pt"\n[resample]\nbins = ["jets.pt = 0:250e3:25", "jets.eta = 0:2.5:5"]\n'
                                        'target = "c"\nsamples = 25000\n[stream.train]\nlast = "partial"\nbatch = 1000\n')
    done = subprocess.run([HEADRACE, "inspect", "-c", tmp_path / "jets.toml", "--json"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    b, c, u = json.loads(done.stdout)["streams"][0]["resampled"]
    assert b["wanted"] == c["wanted"] == u["wanted"] == 25_000 and b["distinct"] >= 24_836 and c["repeats"] == u["repeats"] == 0
    shape = np.histogram2d(jets["pt"][flavour == 4], jets["eta"][flavour == 4], (np.linspace(0, 250e3, 26), np.linspace(0, 2.5, 6)))[0]
    with running(tmp_path, config=tmp_path / "jets.toml", epochs=1) as service, headrace.connect(str(service), progress=False) as stream:
        got = np.concatenate([np.array(batch.index) for batch in stream])
    for value in (0, 4, 5):
        mine = got[flavour[got] == value]
        histogram = np.histogram2d(jets["pt"][mine], jets["eta"][mine], (np.linspace(0, 250e3, 26), np.linspace(0, 2.5, 6)))[0]
        assert np.abs(histogram - 25_000 * shape / shape.sum()).max() < 1
    assert len(set(got[flavour[got] == 5])) == b["distinct"]


def test_weights_make_the_same_of_all_samples(tmp_path, jets):
    cells, there = cells_of(jets[1])
    text = COLUMN + FIELDS + '[field.w]\nsource = "@weight"\n' + BINS + 'target = "c"\nas = "weights"\n[stream.train]\nselect = ":1200"\nlast = "partial"\n' \
        '[stream.test]\nselect = "1200:"\nresample = false\nlast = "partial"\n'
    inside = np.arange(TOTAL) < 1200
    there = np.bincount(cells[inside], minlength=36).reshape(3, 12)
    with serve(tmp_path, jets, text, 3, split_nodes=True, epochs=1) as service:
        weights = np.full(TOTAL, np.nan)
        for name in ("train", "test"):
            with headrace.connect(str(service), stream=name, rank=0, world_size=1, timeout=300, progress=False) as stream:
                for batch in stream:
                    weights[np.array(batch.index)[:batch.rows]] = batch["w"][:batch.rows]
        assert service.wait() == 0
    for c in range(3):
        for b in range(12):
            mine = inside & (cells == c * 12 + b)
            if mine.any():
                assert np.allclose(weights[mine], there[1][b] / there[c][b], rtol=1e-6)
    assert np.all(weights[~inside] == 1)


@pytest.mark.parametrize("keys", [{}, {"start": "early"}, {"window": 2, "block": "64KiB"}], ids=str)
def test_weights_beyond_the_dtype_are_refused_by_all_at_once(tmp_path, keys):
    """One sample alone weighs so much, and one stager has it."""
    with h5py.File(tmp_path / "many.h5", "w") as file:
        file["x"] = np.full(70_001, 1, "f4")
        file["c"] = np.concatenate([np.zeros(70_000, "i4"), [1]]).astype("i4")
    text = 'class-column = "c"\nclass-names = ["b:0", "c:1"]\n[field.x]\n[field.w]\nsource = "@weight"\ndtype = "float16"\n' \
        '[resample]\nbins = ["x = 0:2:1"]\ntarget = "b"\nas = "weights"\n[stream.train]\nlast = "partial"\n'
    (tmp_path / "w.toml").write_text(text)
    with running(tmp_path, [tmp_path / "many.h5"], stagers=3, config=tmp_path / "w.toml", listens=False, **keys) as service:
        assert service.wait() == 2, service.text
        assert service.lines(r"field 'w': a sample weighs 70000, which does not fit float16; give the field a wider dtype"), service.text


def test_pictures(tmp_path, jets):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (tools/bootstrap --plots)")
    path = {**os.environ, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    files = [jets[0] / "one.h5", jets[0] / "two.h5"]
    config = config_of(jets, GOOD)
    for command in ("inspect", "plan"):
        done = subprocess.run([HEADRACE, command, *files, "-c", config, "--plot", tmp_path / f"{command}.png"], capture_output=True, text=True, env=path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{command}.png").read_bytes().startswith(b"\x89PNG")
        assert re.search(r"b: 250 of 400 samples, each at most once, effective 250|b: 250 of 400 samples, \d+ distinct", done.stdout), done.stdout
    config = config_of(jets, COLUMN + FIELDS)
    for command, what in (("inspect", "say which sample with --sample"), ("plan", "write that section or key, and name files")):
        done = subprocess.run([HEADRACE, command, *files, "-c", config, "--plot", tmp_path / "x.png"], capture_output=True, text=True, env=path)
        assert done.returncode == 2 and what in done.stderr, done.stderr
