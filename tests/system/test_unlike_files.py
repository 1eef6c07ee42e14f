"""Files whose datasets differ in type, byte order, padding, order of members and in what they lack: brought together,
against NumPy."""

import json
import subprocess

import h5py
import numpy as np
import pytest
from field_files import configuration, deliver, refusal
from service import HEADRACE

LENGTHS = (19, 26, 7, 31)
SAMPLES = sum(LENGTHS)
NUMBER = np.arange(SAMPLES)
TRACKS = 3
FILE = np.repeat(np.arange(4), LENGTHS)

X = ["<f4", ">f4", "<f8", ">f8"]
COUNT = ["<i2", "<i4", ">u2", "u1"]
JET = [
    np.dtype([("pt", "<f4"), ("flag", "i1"), ("eta", "<f4")]),
    np.dtype([("pt", "<f4"), ("flag", "i1"), ("eta", "<f4")], align=True),
    np.dtype([("new", "<f8"), ("eta", ">f8"), ("pt", "<f4"), ("flag", "?"), ("weight", "<f8")]),
    np.dtype([("flag", "u1"), ("eta", "<f4"), ("name", "S9"), ("weight", "<f4"), ("pt", ">f2")]),
]
TRACK = [
    np.dtype([("d0", "<f4"), ("valid", "?")]), np.dtype([("valid", "u1"), ("d0", ">f8")]),
    np.dtype([("d0", "<f4"), ("valid", "?")], align=True), np.dtype([("d0", "<f4"), ("valid", "?"), ("x", "<i8")])]
KIND = ["S6", h5py.string_dtype(), "S4", h5py.string_dtype(length=8)]
WORDS = np.array(["pi", "mu", "e", "tau"])[NUMBER % 4]
HID = ["<i8", ">i4", "<u2", "u1"]
PT, ETA, FLAG = NUMBER.astype("f4"), (NUMBER / 8).astype("f4"), NUMBER % 2
D0, VALID = NUMBER[:, None] * 4 + np.arange(TRACKS), (NUMBER[:, None] + np.arange(TRACKS)) % 3 > 0


def make(path, part, first, length):
    here = slice(first, first + length)
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=(NUMBER[here, None] + [0, 0.25]).astype(X[part]),
                            **(dict(chunks=(5, 2), compression="gzip") if part == 2 else {}))
        file["count"] = (NUMBER[here] * 2).astype(COUNT[part])
        jets, tracks = np.zeros(length, JET[part]), np.zeros((length, TRACKS), TRACK[part])
        jets["pt"], jets["eta"], jets["flag"] = PT[here], ETA[here], FLAG[here]
        if "weight" in JET[part].names:
            jets["weight"] = NUMBER[here] + 0.5
        tracks["d0"], tracks["valid"] = D0[here], VALID[here]
        file["jets"], file["tracks"] = jets, tracks
        words = WORDS[here].tolist() if part == 1 else np.array(WORDS[here].astype("S"), KIND[part])
        file.create_dataset("kind", data=words, dtype=KIND[part])
        table = np.zeros(2 * length, JET[part])
        table["pt"] = np.repeat(PT[here], 2) + np.tile([0, 0.5], length)
        file["table"], file["hid"] = table, (np.repeat(np.arange(length), 2) + 1).astype(HID[part])
        if part in (1, 3):
            file["extra"] = NUMBER[here].astype("<i2" if part == 1 else ">i4")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, first, paths = tmp_path_factory.mktemp("unlike"), 0, []
    for part, length in enumerate(LENGTHS):
        paths.append(folder / f"part{part}.h5")
        make(paths[-1], part, first, length)
        first += length
    return paths


FIELDS = {
    "x": {}, "count": {}, "half": {"source": "x", "dtype": "float16", "scale": 4}, "column": {"source": "x.1"},
    "jets": {"source": "jets[eta, pt, flag]"}, "pt": {"source": "jets.pt"},
    "weight": {"source": "jets.weight", "missing": -1}, "extra": {"missing": 7},
    "beside": {"source": ["jets[eta, weight]", "tracks.d0"], "missing": 0, "mask": "real"},
    "by name": {"source": "tracks.d0", "valid": "tracks.valid"},
    "kind": {"encode": "index"}, "flag": {"source": "jets.flag", "encode": "index", "classes": ["b:1", "a:0"]},
    "joined": {"source": "table.pt", "join": "hid", "pad": 2},
    "other weight": {"source": "table[weight, pt]", "join": "hid", "pad": 2, "missing": 3},
}


def expected():
    x = NUMBER[:, None] + np.array([0, 0.25])
    weight = np.where(FILE >= 2, NUMBER + 0.5, -1)
    tracks = np.where(VALID, D0, 0)
    per_track = np.stack(np.broadcast_arrays(ETA[:, None], np.where(FILE >= 2, NUMBER + 0.5, 0)[:, None], D0), -1)
    joined = PT[:, None] + np.array([0, 0.5])
    return {
        "x": x, "count": (NUMBER * 2).astype("i4"), "half": (x / 4).astype("f2"), "column": x[:, 1],
        "jets": np.stack([ETA, PT, FLAG], -1).astype("f8"), "pt": PT, "weight": weight,
        "extra": np.where(FILE % 2 == 1, NUMBER, 7).astype("i4"),
        "beside": np.where(VALID[..., None], per_track, 0).astype("f8"), "real": VALID, "by name": tracks.astype("f8"),
        "kind": np.array([2, 1, 0, 3])[NUMBER % 4], "flag": 1 - FLAG, "joined": joined.astype("f4"),
        "other weight": np.stack([np.where(FILE >= 2, 0.0, 3)[:, None] + 0 * joined, joined], -1),
    }


@pytest.mark.parametrize("stagers, split, io", [(None, False, "direct"), (2, False, "collective"), (3, True, "auto")])
def test_what_fields_name_is_found_in_each_file(tmp_path, files, stagers, split, io):
    """The borders of slabs are not those of files of 19, 26, 7 and 31 samples."""
    rows, numbers, schema = deliver(tmp_path, files, FIELDS, stagers, split, io=io)
    assert numbers.tolist() == NUMBER.tolist()
    for name, values in expected().items():
        assert rows[name].dtype == values.dtype, name
        np.testing.assert_array_equal(rows[name], values, err_msg=name)
    assert schema["kind"].classes == ("e", "mu", "pi", "tau")


@pytest.mark.parametrize("condition, kept", [
    ("jets.pt > 10 && x.1 < 60.5 && jets.flag", (PT > 10) & (NUMBER + 0.25 < 60.5) & (FLAG == 1)),
    ("kind == 'mu' && count >= 40", (WORDS == "mu") & (NUMBER >= 20))])
def test_conditions_look_at_each_file_as_it_is(tmp_path, files, condition, kept):
    _, numbers, _ = deliver(tmp_path, files, {"x": {}}, 2, where=condition)
    assert numbers.tolist() == np.flatnonzero(kept).tolist()


def test_fields_by_default(tmp_path, files):
    """x and count are numbers in all files; extra is not in all of them."""
    rows, _, _ = deliver(tmp_path, files, {}, 2)
    assert set(rows) == {"x", "count"}
    np.testing.assert_array_equal(rows["x"], expected()["x"])


def test_what_cannot_be_brought_together_is_told(tmp_path, files):
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["x"], file["count"], file["kind"] = np.zeros((4, 2)), np.arange(4, dtype="u8"), np.arange(4)
        file["jets"] = np.zeros(4, [("pt", "<f4"), ("new", "<f4")])
    paths = [*files[:2], tmp_path / "odd.h5"]
    for fields, words in [
            ({"count": {}}, "and no type holds the values of both; say with dtype"),
            ({"kind": {"encode": "index"}}, "is string (6 bytes) in"),
            ({"eta": {"source": "jets.eta"}}, "has no column 'eta' in"),
            ({"jets": {}}, "has column 'new' in"),
            ({"extra": {}}, "is missing in")]:
        text = refusal(tmp_path, paths, fields)
        assert words in text and str(tmp_path / "odd.h5") in text or "extra" in fields, text


def test_inspect_and_stats(tmp_path, files):
    fields = {"jets": {"source": "jets[eta, pt]", "scale-file": "scales.json", "norm": "standard"},
              "x": {"scale-file": "scales.json"}}
    config = configuration(tmp_path / "c.toml", fields, files=files, batch=4)

    def says(*arguments):
        done = subprocess.run([HEADRACE, *arguments], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    lacking = configuration(tmp_path / "lacking.toml", {"extra": {"missing": 7}, "x": {}}, files=files, batch=4)
    assert f"{sum(LENGTHS)} samples" in says("inspect", "-c", lacking)
    assert json.loads(says("plan", "--json", "-c", lacking))["samples"] == sum(LENGTHS)
    told = says("stats", "-c", config)
    assert f"{np.mean(ETA.astype('f8')):.6g}" in told
    assert "types or layouts of the files brought together" in says("inspect", "-c", config)
    view = says("inspect", "-c", config, "--sample", str(LENGTHS[0] + 3))
    assert "float32 (big-endian)" in view and "part1.h5" in view
    assert "2.75" in view  # eta of sample 22
