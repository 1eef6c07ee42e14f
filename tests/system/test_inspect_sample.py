"""headrace inspect --sample: what one sample is in the file and for a trainer, against h5py and against a service."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import headrace
import numpy as np
import pytest
from service import HEADRACE, running

CONFIG = """
files = ["a.h5", "b.h5"]
[field.x]
source = ["jets[pt, eta]", "tracks[d0]"]
scale-file = "scales.json"
dtype = "float16"
mask = "x_valid"
[field.volume]
scale = 2
[field.image]
shape = [1, 40, 30]
[field.hits]
pad = 5
mask = "hits_valid"
[field.particles]
source = "particles[x, y]"
join = "hid"
pad = 4
mask = "particles_valid"
[field.label]
source = "jets.name"
encode = "one-hot"
classes = ["b:beauty", "light:up|down"]
[field.run]
[stream.train]
shuffle = "none"
last = "partial"
epochs = 1
batch = 4
"""
SAMPLES = {"a": 9, "b": 6}


def write(path, rng, n):
    jets = np.zeros(n, [("pt", ">f4"), ("eta", "<f8"), ("name", "S8")])
    jets["pt"], jets["eta"] = rng.exponential(100, n), rng.normal(size=n)
    jets["name"] = rng.choice([b"beauty", b"up", b"down"], n)
    tracks = np.zeros((n, 6), [("d0", "<f4"), ("valid", "?")])
    tracks["d0"], tracks["valid"] = rng.normal(size=(n, 6)), rng.random((n, 6)) < 0.5
    hits = np.empty(n, object)
    for i in range(n):
        hits[i] = rng.normal(size=i % 6).astype("f4")
    ids = rng.permutation(np.repeat(np.arange(n), rng.integers(0, 5, n)))
    particles = np.zeros(len(ids), [("x", "f4"), ("y", "f4"), ("z", "f4")])
    particles["x"], particles["y"] = rng.normal(size=(2, len(ids)))
    with h5py.File(path, "w") as file:
        file["jets"], file["tracks"], file["particles"], file["hid"] = jets, tracks, particles, ids + 1
        file.create_dataset("volume", data=rng.random((n, 7, 6, 5)).astype("f4"), chunks=(4, 7, 6, 5), compression="gzip")
        file["image"] = rng.integers(0, 255, (n, 40, 30)).astype("u1")
        file["run"] = np.arange(n).astype(">i8") * 10**12
        file.create_dataset("hits", data=hits, dtype=h5py.vlen_dtype("f4"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample")
    rng = np.random.default_rng(11)
    for name, samples in SAMPLES.items():
        write(path / f"{name}.h5", rng, samples)
    scales = {"jets": {"pt": {"shift": 100, "scale": 50}, "eta": {"scale": 3}}, "tracks": {"d0": {"mean": 0, "std": 0.5}}}
    (path / "scales.json").write_text(json.dumps(scales))
    (path / "c.toml").write_text(CONFIG)
    return path


def inspect(folder, *flags, config="c.toml", **options):
    return subprocess.run([HEADRACE, "inspect", "-c", folder / config, *map(str, flags)], capture_output=True, text=True,
                          **options)


def told(folder, which):
    done = inspect(folder, "--sample", which, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_finished_values_are_what_trainers_get(folder, tmp_path):
    views = [told(folder, i) for i in range(sum(SAMPLES.values()))]
    with running(tmp_path, (), 2, config=folder / "c.toml") as service:
        with headrace.connect(str(service), rank=0, world_size=1) as stream:
            for batch in stream:
                for row, sample in enumerate(batch.index[:batch.rows]):
                    for field in views[sample]["fields"]:
                        rows = batch[field["name"]]
                        assert rows.dtype.name == field["type"] and list(rows.shape[1:]) == field["shape"]
                        np.testing.assert_array_equal(np.array(field["values"], rows.dtype), rows[row], field["name"])
            names = list(stream.schema)
    assert [field["name"] for field in views[0]["fields"]] == names


@pytest.mark.parametrize("sample, name, row", [(0, "a", 0), (5, "a", 5), (8, "a", 8), (9, "b", 0), (14, "b", 5)])
def test_raw_values(folder, sample, name, row):
    view = told(folder, sample)
    assert view == told(folder, f"{folder}/{name}.h5:{row}")
    assert view["sample"] == sample and view["row"] == row and view["file"].endswith(f"{name}.h5")
    raw = {array["name"]: array for field in view["fields"] for array in field["raw"]}
    with h5py.File(folder / f"{name}.h5") as file:
        for array, values in {
            "jets.pt": file["jets"]["pt"][row], "jets.eta": file["jets"]["eta"][row],
            "tracks.d0": file["tracks"]["d0"][row], "volume": file["volume"][row], "image": file["image"][row],
            "hits": file["hits"][row], "run": file["run"][row],
            "particles.x": file["particles"]["x"][file["hid"][:] == row + 1],
        }.items():
            assert raw[array]["shape"] == list(np.shape(values)), array
            np.testing.assert_array_equal(np.array(raw[array]["values"], np.asarray(values).dtype), values, array)
        assert raw["jets.name"]["values"] == file["jets"]["name"][row].decode()
    assert raw["jets.pt"]["type"] == "float32 (big-endian)"


def test_text_shortens_long_arrays(folder):
    done = inspect(folder, "--sample", 10)
    assert done.returncode == 0, done.stderr
    assert "sample 10: row 1 of" in done.stdout and "columns   jet_pt, jet_eta, d0" in done.stdout
    image = done.stdout.split("image  uint8 (40, 30)")[1].split("finished")[0]
    assert image.count("...") == 7 and "mean" in image
    assert len(done.stdout.splitlines()) < 120 and max(map(len, done.stdout.splitlines())) <= 120


def test_only_the_rows_of_the_sample_are_checked(folder):
    with h5py.File(folder / "bad.h5", "w") as file:
        file["x"] = np.array([1, -1, 4], "f4")
    (folder / "bad.toml").write_text('files = ["bad.h5"]\n[field.x]\nlog = ["x"]')
    assert inspect(folder, "--sample", 2, config="bad.toml").returncode == 0
    done = inspect(folder, "--sample", 1, config="bad.toml")
    assert done.returncode == 1 and "log of -1" in done.stderr and "row 1 of" in done.stderr


@pytest.mark.parametrize("flags, words", [
    (("--sample", 15), "there are 15 samples (0 to 14)"),
    (("--sample", "a.h5:9"), "holds 9 samples"),
    (("--sample", "c.h5:0"), "is none of the 2 files"),
    (("--sample", "first"), "takes the number of a sample, or FILE:ROW"),
    (("--plot", "x.png"), "say which sample with --sample"),
])
def test_mistakes(folder, flags, words):
    done = inspect(folder, *flags)
    assert done.returncode == 2 and words in done.stderr and not done.stdout


def test_plot(folder, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (tools/bootstrap --plots)")
    path = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = inspect(folder, "--sample", 3, "--plot", tmp_path / "s.png", env=path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG") and "drawn in" in done.stdout
    done = inspect(folder, "--sample", 3, "--plot", tmp_path / "nowhere" / "s.png", env=path)
    assert done.returncode == 1 and "could not be drawn" in done.stderr


@pytest.mark.parametrize("python, words", [("exit 3", "no matplotlib"), (None, "there is no python3")])
def test_plot_says_what_to_install(folder, tmp_path, python, words):
    if python:
        (tmp_path / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (tmp_path / "python3").chmod(0o755)
    done = inspect(folder, "--sample", 3, "--plot", tmp_path / "s.png", env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1 and words in done.stderr and "pip install matplotlib" in done.stderr


def test_a_sample_larger_than_any_memory(tmp_path):
    with h5py.File(tmp_path / "vast.h5", "w") as file:
        file.create_dataset("x", (2, 10**13), "f4", chunks=(1, 10**8))  # nothing of it is written
    done = subprocess.run([HEADRACE, "inspect", f"--files={tmp_path / 'vast.h5'}", "--sample=0"], capture_output=True, text=True)
    assert done.returncode == 1 and "too little memory to show a sample of 40" in done.stderr, done.stderr
