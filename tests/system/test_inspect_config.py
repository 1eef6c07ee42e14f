"""headrace inspect -c: what a configuration delivers, told without reading data, against files made by h5py."""
import json
import subprocess

import h5py
import numpy as np
import pytest

from service import HEADRACE

CONFIG = """
files = ["*.h5"]
split = "train:0.75, val:0.25"
[field.x]
source = ["jets[pt, eta]", "tracks[d0]"]
scale-file = "scales.json"
dtype = "float16"
mask = "x_valid"
[field.label]
source = "jets.flavour"
encode = "one-hot"
classes = ["b:5", "light:0"]
[field.kind]
source = "jets.flavour"
encode = "index"
[stream.train]
select = "train"
[stream.head]
select = ":10"
[stream.first]
files = ["a.h5"]
[stream.cut]
where = "jets.pt > 1"
"""


def write(path, samples):
    jets = np.zeros(samples, [("pt", "f4"), ("eta", "f4"), ("flavour", "i4")])
    jets["pt"], jets["flavour"] = np.arange(samples), np.arange(samples) % 3
    tracks = np.zeros((samples, 40), [("d0", "f4"), ("valid", "?")])
    with h5py.File(path, "w") as file:
        file["jets"], file["tracks"] = jets, tracks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("inspect_config")
    write(path / "a.h5", 30)
    write(path / "b.h5", 70)
    scales = {"jets": {"pt": {"shift": 1, "scale": 2}, "eta": {"scale": 3}}, "tracks": {"d0": {"mean": 0, "std": 1}}}
    (path / "scales.json").write_text(json.dumps(scales))
    (path / "c.toml").write_text(CONFIG)
    return path


def inspect(*args, cwd=None):
    return subprocess.run([HEADRACE, "inspect", *map(str, args)], capture_output=True, text=True, cwd=cwd)


def test_json_tells_fields_and_streams(folder):
    done = inspect("-c", folder / "c.toml", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["samples"] == 100
    fields = {field["name"]: field for field in report["fields"]}
    assert list(fields) == ["x", "x_valid", "label", "kind"]
    assert fields["x"]["shape"] == [40, 3] and fields["x"]["dtype"] == "float16"
    assert fields["x"]["columns"] == ["jet_pt", "jet_eta", "d0"]
    assert fields["x"]["bytes"] == 240
    assert fields["x_valid"]["dtype"] == "bool" and fields["x_valid"]["shape"] == [40]
    assert fields["label"]["classes"] == ["b", "light"] and fields["label"]["shape"] == [2]
    assert fields["kind"]["classes"] == ["0", "1", "2"] and fields["kind"]["unknown"] == []
    assert report["sample_bytes"] == 240 + 40 + 8 + 8
    streams = {stream["name"]: stream for stream in report["streams"]}
    assert streams["head"]["samples"] == 10
    assert streams["first"]["samples"] == 30
    assert streams["train"]["samples"] == 75 and "train" in streams["train"]["why"]
    assert streams["cut"]["samples"] == 28 + 68 and streams["cut"]["why"] == "where"


def test_table(folder):
    text = inspect("-c", folder / "c.toml").stdout
    assert "2 files, 100 samples" in text
    assert "jets[pt, eta] + tracks[d0]" in text
    assert "one-hot of b, light" in text
    assert "mask of x" in text
    assert "100 samples" in text


def test_what_would_take_long_is_counted_if_asked(tmp_path):
    """A table of more than 1 GB, though of no bytes in the file."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("a", (100_000_000,), "f4", chunks=(10_000_000,))
        file["a"][:2] = 1
        file.create_dataset("x", (100_000_000,), "u1", chunks=(100_000_000,))
    args = ("--field.x.source", "x", "--where", "a > 0", tmp_path / "x.h5")
    (stream,) = json.loads(inspect(*args, "--json").stdout)["streams"]
    assert stream["samples"] is None and stream["why"] == "where"
    assert "counted when served (where), or with --count" in inspect(*args).stdout
    (stream,) = json.loads(inspect(*args, "--json", "--count").stdout)["streams"]
    assert stream["samples"] == 2


def test_flags_alone(folder):
    done = inspect("--field.x.source", "tracks[d0,valid]", folder / "a.h5", "--json")
    assert json.loads(done.stdout)["fields"][0]["columns"] == ["d0", "valid"]


def test_no_field_named_means_all_that_can_be(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"], file["b"] = np.zeros((5, 3), "f4"), np.zeros(5, "u1")
    report = json.loads(inspect("--select", ":3", tmp_path / "x.h5", "--json").stdout)
    assert [(f["name"], f["shape"], f["dtype"]) for f in report["fields"]] == [
        ("a", [3], "float32"), ("b", [], "uint8")]
    assert report["streams"][0]["samples"] == 3


def test_all_mistakes_of_the_fields_together(folder):
    done = inspect("--field.x.source", "jets.ptt", "--field.y.source", "track", folder / "a.h5")
    assert done.returncode == 2
    assert "2 mistakes" in done.stderr
    assert "[field.x] dataset 'jets' has no column 'ptt'; did you mean 'pt'?" in done.stderr
    assert "[field.y] no dataset 'track'; did you mean 'tracks'?" in done.stderr


def test_files_that_disagree(tmp_path):
    for name, row, rows in (("a", (), 5), ("b", (2,), 5), ("c", (), 5)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["x"] = np.zeros((rows, *row), "f4")
            file["y"] = np.zeros(rows + (name == "c"), "f4")
    done = inspect("--field.x.source", "x", tmp_path / "a.h5", tmp_path / "b.h5")
    assert done.returncode == 2 and "another shape in" in done.stderr and "(2,) instead of ()" in done.stderr
    done = inspect("--field.x.source", "x", "--field.y.source", "y", tmp_path / "a.h5", tmp_path / "c.h5")
    assert done.returncode == 2 and "datasets 'x' and 'y' have 5 and 6 rows" in done.stderr


def test_streams_that_cannot_be(folder):
    done = inspect("--stream.a.select", "200:", folder / "a.h5", "--field.x.source", "jets.pt")
    assert done.returncode == 2 and "stream 'a': " in done.stderr
    done = inspect("--stream.a.files", folder / "b.h5", folder / "a.h5", "--field.x.source", "jets.pt")
    assert done.returncode == 2 and "none of the service's files" in done.stderr


STREAMS = """
files = ["a.h5"]
where = "jets.pt > 1 and jest.eta < 2"
[field.x]
source = "jets.pt"
[stream.a]
select = { file = "ids.txt", by = "jets.flavor" }
[stream.b]
where = "jets.ptt > 1"
[stream.c]
where = "tracks.d0 > 1"
"""


def test_columns_that_streams_ask_for(folder):
    """A dry run knows what `serve` would say, for all streams at once."""
    (folder / "streams.toml").write_text(STREAMS)
    done = inspect("-c", folder / "streams.toml")
    assert done.returncode == 2 and done.stderr.startswith("headrace: 6 mistakes:"), done.stderr
    for words in (
        "stream 'a': select: 'jets.flavor' is not there; did you mean 'flavour'?",
        "stream 'a': where: 'jest.eta' names no dataset; did you mean 'jets'?",
        "stream 'b': where: 'jest.eta' names no dataset",
        "stream 'b': where: 'jets.ptt' is not there; did you mean 'pt'?",
        "stream 'c': where: 'jest.eta' names no dataset",
        "stream 'c': where: 'tracks.d0' has shape (30, 40); one value per sample is needed",
    ):
        assert words in done.stderr, done.stderr


@pytest.mark.parametrize("by, content, words", [
    ("jets.flavour", None, "'ids.txt' cannot be read"),
    ("jets.flavour", "5\nfive\n", "ids.txt:2: 'five' is not a whole number"),
    ("index", None, "'ids.txt' cannot be read"),
    ("index", "# none\n", "ids.txt lists no sample"),
])
def test_lists_of_samples_are_read(folder, by, content, words):
    ids = folder / "ids.txt"
    ids.unlink(missing_ok=True)
    if content is not None:
        ids.write_text(content)
    done = inspect("--stream.a.select-file", "ids.txt", "--stream.a.select-by", by, "--field.x.source", "jets.pt", "a.h5",
                   cwd=folder)
    assert done.returncode == 1 and f"stream 'a': select: {words}" in done.stderr, done.stderr


@pytest.mark.parametrize("by, content, words", [
    ("jets.flavour", "1 2 70 71", "2 of the 4 values of ids.txt are no ids of the stream's samples (the first of them: 70)"),
    ("index", "1 30", "ids.txt lists sample 30, but there are 30"),
])
def test_listed_samples_that_are_not_there(folder, by, content, words):
    (folder / "ids.txt").write_text(content)
    done = inspect("--stream.a.select-file", "ids.txt", "--stream.a.select-by", by, "--field.x.source", "jets.pt", "a.h5",
                   cwd=folder)
    assert done.returncode == 1 and f"stream 'a': {words}" in done.stderr, done.stderr


def test_windows_and_an_early_start_are_told(folder):
    small = "--block=1KiB"  # 100 samples of some 30 bytes: the files are several blocks
    early = json.loads(inspect("-c", folder / "c.toml", "--start=early", small, "--json").stdout)
    assert early["start"] == "early" and 1 < early["early_windows"] <= 8 and early["window"] == ""
    told = inspect("-c", folder / "c.toml", "--start=early", small).stdout
    assert f"the first of its {early['early_windows']} windows is in memory" in told
    assert "The files are one block" in inspect("-c", folder / "c.toml", "--start=early").stdout
    windows = json.loads(inspect("-c", folder / "c.toml", "--window=3KiB", small, "--json").stdout)
    assert windows["start"] == "loaded" and windows["early_windows"] == 0 and windows["window"]
    assert "(window = " in inspect("-c", folder / "c.toml", "--window=3KiB", small).stdout
    plain = json.loads(inspect("-c", folder / "c.toml", "--json").stdout)
    assert (plain["start"], plain["early_windows"], plain["window"]) == ("loaded", 0, "")
    assert "window" not in inspect("-c", folder / "c.toml").stdout
