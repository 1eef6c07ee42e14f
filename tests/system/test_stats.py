"""headrace stats: the numbers that normalisation asks for, against NumPy, and a service that uses them."""

import json
import re
import subprocess

import h5py
import headrace
import numpy as np
import pytest
from service import HEADRACE, running

CONFIG = """
files = ["*.h5"]
[field.x]
source = ["jets[pt, eta, n]", "tracks[d0, z0]"]
scale-file = "scales.json"
norm = "standard"
log = ["pt"]
nonfinite = "default"
mask = "x_valid"
[field.image]
scale-file = "scales.json"
norm = "minmax"
[field.whole]
source = "cells"
scale-file = "scales.json"
norm = "standard"
norm-over = "field"
[field.squashed]
source = "jets.eta"
scale-file = "squashed.json"
norm = "tanh-log"
[field.still]
scale-file = "scales.json"
norm = "standard"
[field.hits]
pad = 9
scale-file = "scales.json"
[field.label]
source = "jets.flavour"
encode = "one-hot"
classes = ["b:5", "light:0|1"]
[field.kind]
encode = "index"
[stream.train]
select = "10:-20"
where = "jets.n != 3"
batch = 8
shuffle = "none"
last = "partial"
epochs = 1
[stream.val]
select = "-20:"
last = "partial"
"""
#: For one file: no variable twice with different operations.
TOGETHER = re.sub(r"\[field.squashed\][^[]*", "", CONFIG)
STAGERS = [None, 3]


def write(path, rng, samples):
    jets = np.zeros(samples, [("pt", "<f8"), ("eta", ">f4"), ("n", "<i2"), ("flavour", "<i4"), ("junk", "S3")])
    jets["pt"] = rng.exponential(100, samples) + 1
    jets["pt"][::13] = np.nan
    jets["eta"] = rng.normal(2, 3, samples)
    jets["n"] = rng.integers(0, 9, samples)
    jets["flavour"] = rng.choice([0, 1, 5], samples)
    tracks = np.zeros((samples, 7), [("d0", "<f4"), ("z0", "<f8"), ("valid", "?")])
    tracks["valid"] = rng.random((samples, 7)) < 0.4  # no prefix
    for name in ("d0", "z0"):
        tracks[name] = np.where(tracks["valid"], rng.normal(1e3, 1, (samples, 7)), np.nan)
    hits = np.empty(samples, object)
    for i in range(samples):
        hits[i] = rng.normal(5, 2, rng.integers(0, 9)).astype("f4")
    with h5py.File(path, "w") as file:
        file["jets"], file["tracks"] = jets, tracks
        file.create_dataset("image", data=rng.random((samples, 4, 3)).astype("f4"), chunks=(5, 4, 3), compression="gzip")
        file["cells"] = rng.integers(-5, 100, (samples, 6)).astype(">i2")
        file["still"] = np.full(samples, 7.25, "f4")
        file.create_dataset("hits", data=hits, dtype=h5py.vlen_dtype("f4"))
        file["kind"] = np.array(rng.choice(["up", "down"], samples), h5py.string_dtype())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stats")
    rng = np.random.default_rng(5)
    for name, samples in (("a", 150), ("b", 6), ("c", 90)):
        write(folder / f"{name}.h5", rng, samples)
    return folder


@pytest.fixture
def folder(files, tmp_path):
    for path in files.glob("*.h5"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "c.toml").write_text(CONFIG)
    (tmp_path / "together.toml").write_text(TOGETHER)
    return tmp_path


def stats(folder, *flags, stagers=None, config="c.toml"):
    launch = ["mpirun", "-n", str(stagers)] if stagers else []
    return subprocess.run([*launch, HEADRACE, "stats", "-c", folder / config, *map(str, flags)], capture_output=True,
                          text=True, cwd=folder)


def column(folder, path):
    """The dataset of all files, of the samples that the stream delivers."""
    parts, numbers = [], []
    for name in "abc":
        with h5py.File(folder / f"{name}.h5") as file:
            parts.append(file[path][:])
            numbers.append(file["jets"]["n"])
    wanted = np.concatenate(numbers) != 3
    wanted[:10] = wanted[-20:] = False
    return np.concatenate(parts)[wanted]


def expected(values):
    values = np.asarray(values, "f8").ravel()
    values = values[np.isfinite(values)]
    return {"mean": values.mean(), "std": values.std(), "min": values.min(), "max": values.max()}


def close(entry, values, tolerance=1e-12):
    for key, value in expected(values).items():
        assert entry[key] == pytest.approx(value, rel=tolerance), key


@pytest.mark.parametrize("stagers", STAGERS)
def test_numbers(folder, stagers):
    done = stats(folder, "--stream", "train", stagers=stagers)
    assert done.returncode == 0, done.stderr
    scales = json.loads((folder / "scales.json").read_text())
    jets, tracks = column(folder, "jets"), column(folder, "tracks")
    close(scales["jets"]["pt"], np.log(jets["pt"]))
    assert scales["jets"]["pt"]["default"] == pytest.approx(np.exp(scales["jets"]["pt"]["mean"]), rel=1e-12)
    close(scales["jets"]["eta"], jets["eta"])
    close(scales["jets"]["n"], jets["n"])
    for name in ("d0", "z0"):
        close(scales["tracks"][name], tracks[name][tracks["valid"]])
    image = column(folder, "image")
    for i in range(3):
        close(scales["image"][str(i)], image[..., i])
        assert scales["image"][str(i)]["scale"] == np.ptp(image[..., i].astype("f8"))
    close(scales["whole"], column(folder, "cells"))
    close(scales["hits"], np.concatenate(column(folder, "hits")))
    assert scales["still"]["mean"] == 7.25 and scales["still"]["std"] == scales["still"]["scale"] == 1
    assert "'still' is the same everywhere" in done.stderr
    eta = jets["eta"].astype("f8")
    squashed = json.loads((folder / "squashed.json").read_text())["jets"]["eta"]
    close(squashed, np.tanh(np.sign(eta) * np.log1p(np.abs(eta)) / 2), 1e-6)  # in float32, as it is delivered
    assert "scale" not in squashed
    own = scales["headrace-stats"]
    assert own["stream"] == "train" and own["samples"] == len(jets)
    assert own["classes"]["label"] == {"b": (jets["flavour"] == 5).sum(), "light": (jets["flavour"] < 5).sum()}
    kind = column(folder, "kind")
    assert own["classes"]["kind"] == {"down": (kind == b"down").sum(), "up": (kind == b"up").sum()}
    assert "classes of label" in done.stdout and "jets.pt" in done.stdout
    assert sorted(p.name for p in folder.glob("*json*")) == ["scales.json", "squashed.json"]


def test_the_same_launch_gives_the_same_bits(folder):
    texts = set()
    for _ in range(3):
        assert stats(folder, "--threads=3", "--output=o.json", stagers=2, config="together.toml").returncode == 0
        texts.add((folder / "o.json").read_text())
    assert len(texts) == 1


def test_served_with_these_numbers(folder):
    assert stats(folder, "--quiet", stagers=3).returncode == 0
    with running(folder, (), 3, cwd=folder, config=folder / "c.toml") as service:
        with headrace.connect(str(service), stream="train", rank=0, world_size=1) as stream:
            batches = [{name: np.array(rows[:batch.rows]) for name, rows in batch.items()} for batch in stream]
    all_of = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    x, valid = all_of["x"].astype("f8"), all_of["x_valid"]
    assert len(x) == len(column(folder, "jets"))
    for c in (3, 4):  # of the tracks; float32 has 7 digits, and they lie at a thousand
        assert abs(x[valid][:, c].mean()) < 1e-3
        assert x[valid][:, c].std() == pytest.approx(1, rel=1e-3)
    jets = column(folder, "jets")
    logs = np.log(jets["pt"])
    normal = (logs - np.nanmean(logs)) / np.nanstd(logs)
    normal[np.isnan(normal)] = 0  # the default becomes the mean
    np.testing.assert_allclose(x[..., 0], np.where(valid, normal[:, None], 0), atol=1e-5)  # repeated over the tracks
    for axis in range(3):
        part = all_of["image"][..., axis]
        assert part.min() == 0 and part.max() == 1
    assert abs(all_of["whole"].mean(dtype="f8")) < 1e-6 and all_of["whole"].std(dtype="f8") == pytest.approx(1, rel=1e-6)
    assert (all_of["still"] == 0).all()


def test_a_file_of_somebody_else_is_kept(folder):
    (folder / "scales.json").write_text('{"jets": {"pt": {"shift": 1}}}')
    done = stats(folder, stagers=2)
    assert done.returncode == 2 and done.stderr.count("was not written by 'headrace stats'") == 1
    assert (folder / "scales.json").read_text() == '{"jets": {"pt": {"shift": 1}}}'
    for _ in range(2):  # the second time it is its own
        assert stats(folder, "--output=mine.json", config="together.toml").returncode == 0


@pytest.mark.parametrize("text, flags, words", [
    ("", ("--stream=vall",), ["no stream 'vall'", "did you mean 'val'"]),
    ('[field.other]\nsource = "jets.pt"\nscale-file = "scales.json"', (), ["'x' and 'other'", "'jets.pt'"]),
    ('[field.neg]\nsource = "jets.eta"\nscale-file = "n.json"\nlog = ["eta"]', (), ["log of -", "'eta'", "row"]),
    ("", ("--output=nowhere/s.json",), ["nowhere/s.json", "cannot be written"]),
])
@pytest.mark.parametrize("stagers", STAGERS)
def test_mistakes(folder, text, flags, words, stagers):
    (folder / "d.toml").write_text(TOGETHER + text)
    done = stats(folder, *flags, stagers=stagers, config="d.toml")
    assert done.returncode != 0
    for word in words:
        assert done.stderr.count(word) >= 1, done.stderr
    assert not [p for p in folder.iterdir() if "json" in p.name]


def test_nothing_to_measure(folder):
    (folder / "d.toml").write_text('files = ["a.h5"]\n[field.image]\nscale = 2')
    done = stats(folder, config="d.toml")
    assert done.returncode == 2 and "no field asks for statistics" in done.stderr


JOINED = """
files = ["*.h5"]
[field.x]
[field.particles]
source = ["particles[e, n]", "charge"]
join = "hid"
pad = 3
overlong = "truncate"
log = ["e"]
scale-file = "scales.json"
norm = "standard"
[stream.train]
select = "3::2"
last = "partial"
epochs = 1
"""


@pytest.mark.parametrize("stagers", STAGERS)
def test_joined_tables(tmp_path, stagers):
    """Only rows that are delivered count: of selected samples, the first `pad` of each."""
    rng = np.random.default_rng(3)
    kept, first = [], 0
    for name, samples in (("a", 30), ("b", 41)):
        table = np.zeros(5 * samples, [("e", ">f4"), ("junk", "i1"), ("n", "<i2")])
        table["e"], table["n"] = rng.exponential(9, len(table)) + 0.1, rng.integers(-9, 9, len(table))
        ids, charge = rng.integers(1, samples + 1, len(table)), rng.normal(size=len(table))
        ids[:4] = 5  # more than `pad`
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["x"], file["particles"], file["hid"], file["charge"] = np.zeros(samples), table, ids, charge
        for row, sample in enumerate(first + ids - 1):
            before = np.count_nonzero(ids[:row] == ids[row])
            if sample >= 3 and (sample - 3) % 2 == 0 and before < 3:
                kept.append((table["e"][row], table["n"][row], charge[row]))
        first += samples
    (tmp_path / "c.toml").write_text(JOINED)
    done = stats(tmp_path, stagers=stagers)
    assert done.returncode == 0, done.stderr
    scales = json.loads((tmp_path / "scales.json").read_text())
    e, n, charge = np.array(kept).T
    close(scales["particles"]["e"], np.log(e), 1e-6)  # in float32, as it is delivered
    close(scales["particles"]["n"], n)
    close(scales["charge"], charge)
    assert f"{len(kept)}" in done.stdout
