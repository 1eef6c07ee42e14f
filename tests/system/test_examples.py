"""The example configurations of jobs/, each from files to batches, with values checked against NumPy."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
from field_files import fetch
from service import HEADRACE, running

ROOT = Path(__file__).resolve().parents[2]
JOBS = ROOT / "jobs"
JETS = ROOT.parent / "shared" / "data" / "jets_tracks_1000.h5"
F4 = np.float32


def streams(tmp_path, example, *names, stagers=2):
    """What each stream of an example delivers in its first epoch, from the files beside a copy of it."""
    config = shutil.copy(JOBS / f"{example}.toml", tmp_path)
    with running(tmp_path, (), stagers, config=config) as service:
        return [fetch(service, name) for name in names]


def scaled(values, entry):
    return (values - F4(entry["shift"])) / F4(entry["scale"])


# -- DLKit's LCD -------------------------------------------------------------------------------------------------------


def test_lcd(tmp_path):
    sys.path.insert(0, str(JOBS))
    import make_lcd

    made = [make_lcd.make_piece(np.random.default_rng(part), samples) for part, samples in enumerate((700, 511))]
    for part, datasets in enumerate(made):
        with h5py.File(tmp_path / f"lcd{part}.h5", "w") as file:
            for name, rows in datasets.items():
                file[name] = rows
    data = {name: np.concatenate([piece[name] for piece in made]) for name in made[0]}
    train, val = streams(tmp_path, "lcd", "train", "val")
    for (rows, numbers, schema), chosen in ((train, np.arange(1000, 1211)), (val, np.arange(1000))):
        assert list(schema) == ["ECAL", "HCAL", "label"]
        left_out = len(chosen) - len(numbers)
        assert np.isin(numbers, chosen).all() and left_out in (0, len(chosen) % 100)
        np.testing.assert_array_equal(rows["ECAL"], data["ECAL"][numbers] / F4(150))
        np.testing.assert_array_equal(rows["HCAL"], data["HCAL"][numbers])
        np.testing.assert_array_equal(rows["label"], data["OneHot"][numbers])
    assert val[1].tolist() == list(range(1000))


def test_lcd_merged(tmp_path):
    """A premixed file out of files of one class each: DLKit's LCD-Merged-All."""
    sys.path.insert(0, str(JOBS))
    import make_lcd

    particles = ["Electron", "Gamma", "ChPi", "Pi0"]
    of_particle = []
    for number, (particle, samples) in enumerate(zip(particles, (150, 90, 120, 101))):
        piece = make_lcd.make_piece(np.random.default_rng(number), samples)
        of_particle.append(piece["ECAL"].reshape(samples, -1))
        with h5py.File(tmp_path / f"lcd_{particle}.h5", "w") as file:
            for name in "ECAL", "HCAL", "target":
                file[name] = piece[name]
    config = shutil.copy(JOBS / "lcd_merged.toml", tmp_path)
    done = subprocess.run(["mpirun", "-n", "2", HEADRACE, "premix", "-c", config], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with h5py.File(tmp_path / "LCD-Merged-All.h5") as file:
        merged = {name: data[:] for name, data in file.items()}
        assert [name.decode() if isinstance(name, bytes) else name for name in file["OneHot"].attrs["classes"]] == particles
    index = merged["index"]
    assert np.bincount(index).tolist() == [91, 90, 90, 90] and np.array_equal(merged["OneHot"], np.eye(4)[index])
    assert all(np.ptp(np.bincount(index[at:at + 20], minlength=4)) == 0 for at in range(0, 360, 20))
    for row, number in zip(merged["ECAL"].reshape(361, -1), index):
        assert (of_particle[number] == row).all(axis=1).any()
    assert len(np.unique(merged["ECAL"].reshape(361, -1), axis=0)) == 361

    with running(tmp_path, (), 2, config=config) as service:  # the same stream, without a file
        rows, _, schema = fetch(service, "train")
    assert schema["OneHot"].classes == tuple(particles)
    assert len(rows["index"]) == 300
    assert {(shower.tobytes(), number) for shower, number in zip(rows["ECAL"], rows["index"])} == \
        {(shower.tobytes(), number) for shower, number in zip(merged["ECAL"][:300], index)}


# -- Umami's jets ------------------------------------------------------------------------------------------------------

JET_VARIABLES = ["pt_btagJes", "eta_btagJes", "abs_eta", "mass"]
TRACK_VARIABLES = ["IP3D_signed_d0_significance", "IP3D_signed_z0_significance", "d0", "z0SinTheta", "dphi", "deta",
                   "qOverP"]


def jets_file(path):
    """A copy of the real file, with some values that are not finite, valid or not. Returns what it holds."""
    shutil.copy(JETS, path)
    path.chmod(0o644)
    with h5py.File(path, "a") as file:
        jets, tracks = file["jets"][:], file["tracks"][:]
        jets["pt_btagJes"][3::10], jets["eta_btagJes"][::9] = np.nan, np.inf
        tracks["d0"][:, ::5], tracks["deta"][~tracks["valid"]] = np.nan, -np.inf
        file["jets"][...], file["tracks"][...] = jets, tracks
    return jets, tracks


def jets_scales(path, jets, tracks):
    """The scale file in Umami's form."""
    def entry(values):
        finite = values[np.isfinite(values)].astype("f8")
        return {"shift": finite.mean(), "scale": finite.std(), "default": float(F4(finite.mean()))}

    def entries(names, table):
        return {name: entry(table[name]) for name in names}

    scales = {"jets": entries(JET_VARIABLES, jets), "tracks": entries(TRACK_VARIABLES, tracks[tracks["valid"]])}
    path.write_text(json.dumps(scales))
    return scales


@pytest.mark.skipif(not JETS.exists(), reason=f"the real file {JETS.name} is not beside the repository")
def test_jets(tmp_path):
    jets, tracks = jets_file(tmp_path / "jets.h5")
    scales = jets_scales(tmp_path / "jets_scales.json", jets, tracks)
    label = jets["HadronConeExclTruthLabelID"]
    kept = np.flatnonzero((jets["pt"] > 20e3) & (np.abs(jets["eta"]) < 2.5) & np.isin(label, (0, 4, 5)))
    valid = tracks["valid"]

    def variable(table, name, raw=False):
        values, entry = (jets if table == "jets" else tracks)[name], scales[table][name]
        values = np.where(np.isfinite(values), values, F4(entry["default"]))
        return values if raw else scaled(values, entry)

    def stacked(table, names, raw=()):
        return np.stack([variable(table, name, name in raw) for name in names], axis=-1)

    found = streams(tmp_path, "jets", "train", "val", "test")
    for rows, numbers, schema in found:
        assert schema["jets"].columns == tuple(JET_VARIABLES)
        assert schema["flavour"].classes == ("ujets", "cjets", "bjets")
        assert schema["jets_tracks"].columns[:3] == ("jet_pt_btagJes", "jet_eta_btagJes", "d0")
        real = valid[numbers][..., None]
        beside = np.concatenate([np.repeat(stacked("jets", JET_VARIABLES[:2])[:, None], valid.shape[1], axis=1),
                                 stacked("tracks", ["d0", "z0SinTheta", "dphi", "deta"])], axis=-1)
        expected = {
            "jets": stacked("jets", JET_VARIABLES, raw=["abs_eta"])[numbers].astype("f2"),
            "tracks": np.where(real, stacked("tracks", TRACK_VARIABLES)[numbers], 0).astype("f2"),
            "tracks_valid": valid[numbers],
            "jets_tracks": np.where(real, beside[numbers], 0).astype("f2"),
            "flavour": np.eye(3, dtype=F4)[np.searchsorted((0, 4, 5), label[numbers])],
            "weight": np.ones(len(numbers), F4),
        }
        assert list(schema) == list(expected)
        for name, values in expected.items():
            assert rows[name].dtype == values.dtype
            np.testing.assert_array_equal(rows[name], values, err_msg=name)
    train, val, test = (numbers for _, numbers, _ in found)
    together = np.concatenate([train, val, test])
    assert len(np.unique(together)) == len(together) and np.isin(together, kept).all()
    assert len(kept) - len(together) < 64  # the last batch of the training is dropped


# -- holodec's holograms -----------------------------------------------------------------------------------------------


def holograms(path, rng, count):
    """A file as the NetCDF library writes it: images, and columns of particles in no order."""
    particles = count * 30
    hid = rng.integers(1, count + 1, particles)
    made = {name: rng.uniform(low, high, particles) for name, low, high in
            (("x", -888, 888), ("y", -592, 592), ("z", 14e3, 158e3), ("d", 5, 70))}
    images = rng.integers(10, 250, (count, 600, 400)).astype("u1")
    with h5py.File(path, "w") as file:
        file.attrs["Conventions"] = "CF-1.7"
        file.attrs["_NCProperties"] = "version=2,netcdf=4.9.0,hdf5=1.10.8"
        file["image"] = images
        file["hid"] = hid.astype("i4")
        for name, values in made.items():
            file[name] = values
    return images, hid, made


def test_holograms(tmp_path):
    rng = np.random.default_rng(3)
    parts = [holograms(tmp_path / name, rng, count) for name, count in
             (("training_a.nc", 17), ("training_b.nc", 18), ("validation.nc", 7))]
    scales = {"image": {"min": 10, "max": 249}}
    scales |= {name: {"mean": parts[0][2][name].mean(), "std": parts[0][2][name].std()} for name in "xyzd"}
    (tmp_path / "holograms_scales.json").write_text(json.dumps(scales))
    images = np.concatenate([images for images, _, _ in parts])
    particles, valid = np.zeros((len(images), 100, 4), F4), np.zeros((len(images), 100), bool)
    first = 0
    for part, hid, values in parts:
        standard = np.stack([(values[name] - scales[name]["mean"]) / scales[name]["std"] for name in "xyzd"], axis=-1)
        for number in range(len(part)):
            rows = standard[hid == number + 1].astype(F4)
            particles[first + number, : len(rows)], valid[first + number, : len(rows)] = rows, True
        first += len(part)

    found = streams(tmp_path, "holograms", "train", "val")
    for rows, numbers, schema in found:
        assert (schema["image"].shape, schema["particles"].shape) == ((1, 600, 400), (100, 4))
        np.testing.assert_array_equal(rows["image"][:, 0], (images[numbers].astype(F4) - F4(10)) / F4(239))
        np.testing.assert_array_equal(rows["particles"], particles[numbers])
        np.testing.assert_array_equal(rows["particles_valid"], valid[numbers])
    assert len(found[0][1]) == 32 and found[0][1].max() < 35  # two batches of 16 of the 35 in the training's files
    assert found[1][1].tolist() == list(range(35, 42))


# -- the Keras generator -----------------------------------------------------------------------------------------------


def test_generator(tmp_path):
    chance = np.random.default_rng(4)
    images = chance.normal(size=(300, 32, 32))
    labels, partition = chance.integers(0, 6, 300), np.where(np.arange(300) % 4 == 0, "validation", "train")
    (tmp_path / "data").mkdir()
    with open(tmp_path / "samples.csv", "w") as table:
        print("id,partition,label", file=table)
        for i in chance.permutation(300):
            np.save(tmp_path / f"data/id{i:03}.npy", images[i])
            print(f"id{i:03},{partition[i]},{labels[i]}", file=table)
    lines = [line.split(",") for line in (tmp_path / "samples.csv").read_text().splitlines()[1:]]
    order = np.array([int(line[0][2:]) for line in lines])  # sample numbers are lines of the table
    train, validation = streams(tmp_path, "generator", "train", "validation")
    for (rows, numbers, schema), name, many in ((train, "train", 192), (validation, "validation", 75)):
        chosen = order[numbers]
        assert len(set(chosen)) == many and (partition[chosen] == name).all()
        np.testing.assert_array_equal(rows["X"], images[chosen].astype("f4")[..., None])
        np.testing.assert_array_equal(rows["y"], np.eye(6, dtype=F4)[labels[chosen]])


# -- numblr's inventories of URLs --------------------------------------------------------------------------------------


def test_urls(tmp_path):
    texts = {f"{letter}{i:02}": letter * i + "xyz" * (i % 3) for i in range(20) for letter in "abc"}
    site = tmp_path / "site"
    site.mkdir()
    for name, text in texts.items():
        (site / f"{name}.txt").write_text(text)
    (site / "b07.txt").unlink()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "inventory.csv").write_text("id,label,url\n" + "".join(
        f"{name},{'odd' if int(name[1:]) % 2 else 'even'},{base}/{name}.txt\n" for name in texts))
    config = shutil.copy(JOBS / "urls.toml", tmp_path)
    try:
        done = subprocess.run([HEADRACE, "pack", "-c", config, "-o", tmp_path / "words.h5"], capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": f"{JOBS}:{os.environ.get('PYTHONPATH', '')}",
                                   "HEADRACE_INVENTORY_PYTHON": sys.executable})
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    kept = [name for name in texts if name != "b07"]
    with h5py.File(tmp_path / "words.h5") as file:
        assert file["id"].asstr()[:].tolist() == kept
        np.testing.assert_array_equal(file["counts"][:], [[texts[name].count(letter) for letter in "abc"] for name in kept])
        np.testing.assert_array_equal(file["label"][:].argmax(axis=1), [int(name[1:]) % 2 for name in kept])
    assert "b07" in (tmp_path / "words.h5.failed.csv").read_text()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


# -- Umami's training file ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(not JETS.exists(), reason=f"the real file {JETS.name} is not beside the repository")
def test_jets_resampled(tmp_path):
    shutil.copy(JETS, tmp_path / "jets.h5")
    with h5py.File(JETS) as file:
        jets = file["jets"][:]
    config = shutil.copy(JOBS / "jets_resampled.toml", tmp_path)
    done = subprocess.run(["mpirun", "-n", "2", HEADRACE, "premix", "-c", config], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    edges = [0, 25e3, 50e3, 75e3, 100e3, 100e3 + 7.9e6 / 2, 8e6], [0, 1.25, 2.5]
    jets = jets[np.abs(jets["eta"]) < 2.5]
    label = jets["HadronConeExclTruthLabelID"]
    wanted = np.histogram2d(jets["pt"][label == 4], np.abs(jets["eta"][label == 4]), edges)[0]
    known = {tuple(np.array([jet["pt_btagJes"], jet["abs_eta"]], F4)): jet for jet in jets[np.isin(label, (0, 4, 5))]}
    with h5py.File(tmp_path / "jets_train.h5") as file:
        inputs, one_hot = file["jets/inputs"][:], file["jets/labels_one_hot"][:]
        assert file["tracks/inputs"].dtype == np.float16 and len(file["tracks/valid"]) == len(inputs)
    found = np.array([known[tuple(row)] for row in inputs])
    flavour = found["HadronConeExclTruthLabelID"]
    np.testing.assert_array_equal(flavour, np.array([0, 4, 5])[one_hot.argmax(axis=1)])
    for of in (0, 4, 5):
        drawn = found[flavour == of]
        np.testing.assert_array_equal(np.histogram2d(drawn["pt"], np.abs(drawn["eta"]), edges)[0], wanted)
