"""What users get wrong about fields, and data that break a promise: one line says what and where."""

import json
import re
import shutil
import subprocess

import h5py
import numpy as np
import pytest
from field_cases import PAD, PLUGIN, prepare, valid
from field_files import LENGTHS, configuration, deliver, refusal
from service import HEADRACE, running


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("data"))


#: section, what is said, and whether a row of the data set is one to complain about
BROKEN = {
    "not finite": (dict(source="jets.q", scale=2), "nonfinite", "jets", "q", lambda d: ~np.isfinite(d["jets"]["q"])),
    "overflow": (dict(source="jets[pt,n]", dtype="int16"), "does not fit int16", "jets", None,
                 lambda d: (np.abs(d["jets"]["n"]) > 32767) | (d["jets"]["pt"] > 0)),
    "too large": (dict(source="long", dtype="float16"), "does not fit float16", "long", None,
                  lambda d: np.abs(d["long"]) > 65504),
    "log": (dict(source="jets[pt,eta]", log=["eta"]), "log", "jets", "eta", lambda d: d["jets"]["eta"] <= 0),
    "label": (dict(source="jets.flavour", encode="one-hot", classes=["light:0|4", "bottom:5"]), "label '15'", "jets",
              "flavour", lambda d: d["jets"]["flavour"] == 15),
    "text": (dict(source="words", encode="index", classes=["b", "käse"]), "belongs to no class", "words", None,
             lambda d: ~np.isin(d["words"].astype("U"), ("b", "käse"))),
    "overlong": (dict(source="ragged", pad=4), "overlong", "ragged", None,
                 lambda d: np.array([len(row) for row in d["ragged"]]) > 4),
    "plugin": ({"source": "tracks[charge,hits]", "plugin": PLUGIN}, "a negative value", "tracks", None,
               lambda d: ((d["tracks"]["charge"] < 0) & valid(d)).any(axis=1)),
    "more rows than the width": ({"source": "table/charge", "join": "table/hid", "pad": 4}, "pad = 4", "table/charge",
                                 None, None),
    "no such sample": ({"source": "table/charge", "join": "table/hid", "join-base": 0, "pad": PAD},
                       "belongs to no sample", "table/hid", None, None),
}


def named_row(said, paths):
    """Number of the sample (or of the table's row) that the line names by file and row."""
    part = next(part for part, path in enumerate(paths) if str(path) in said)
    row = int(re.search(r"row (\d+) of", said).group(1)) if "row " in said else None
    return part, row


@pytest.mark.parametrize("name", BROKEN)
def test_data_that_break_a_promise(tmp_path, files, name):
    _, paths, data = files
    section, words, dataset, column, wrong = BROKEN[name]
    stagers = 3 if name in ("not finite", "no such sample") else None
    said = refusal(tmp_path, paths, {"fine": {"source": "x"}, "broken": section}, stagers)
    assert words in said and f"'{dataset}'" in said and (column is None or f"'{column}'" in said), said
    assert len(said.splitlines()) == 1, said
    part, row = named_row(said, paths)
    if wrong:
        assert wrong(data)[sum(LENGTHS[:part]) + row], said
    elif name == "no such sample":
        assert data["tables"][part][1][row] == LENGTHS[part], said


MISTAKES = {
    "a": (dict(source="jets.ptt"), ["'ptt'", "did you mean 'pt'"]),
    "b": (dict(source="jetz"), ["'jetz'", "did you mean 'jets'"]),
    "b2": (dict(source="jetz.pt"), ["'jetz.pt'", "did you mean 'jets'"]),
    "c": (dict(source="vector", scale=[1, 2]), ["2 numbers", "3 columns"]),
    "d": (dict(source="image", shape=[3, 7]), ["(3, 7)", "20 elements"]),
    "e": (dict(source="jets.unused", missing=1, scale=2, mask="mm"), ["mask = 'mm'"]),
    "f": (dict(source="jets.pt", encode="index", scale=2), ["encode"]),
    "g": (dict(source="jets[pt,eta]", encode="one-hot"), ["one column"]),
    "h": (dict(source="x", pad=4), ["pad has no effect"]),
    "i": (dict(source="ragged"), ["give pad = N"]),
    "j": ({"source": "jets.n", "scale-file": "zero.json"}, ["zero.json", "'n'", "scale 0"]),
    "k": ({"source": "jets.eta", "scale-file": "zero.json"}, ["zero.json", "'eta'"]),
    "l": (dict(source=["tracks.d0", "ragged"], pad=4), ["do not fit side by side"]),
    "m": ({"source": "table/charge", "join": "x", "pad": 4}, ["join = 'x'", "whole numbers"]),
    "n": (dict(source="tracks.d0", valid="jets.q"), ["jets.q"]),
    "o": (dict(source="words"), ["'words'", "encode"]),
    "p": (dict(source="tracks[d0]", log=["z0"]), ["log", "'z0'"]),
    "q": ({"source": "jets.pt", "plugin": "nowhere.so"}, ["nowhere.so"]),
    "r": ({"source": "jets.pt", "scale-file": "nowhere.json"}, ["nowhere.json", "headrace stats"]),
}


@pytest.mark.parametrize("stagers", [None, 2])
def test_mistakes_are_told_together(tmp_path, files, stagers):
    (tmp_path / "zero.json").write_text('{"jets": {"n": {"shift": 1, "scale": 0}}}')
    fields = {"fine": {"source": "x"}} | {name: section for name, (section, _) in MISTAKES.items()}
    said = refusal(tmp_path, files[1], fields, stagers)
    assert "[field.fine]" not in said
    for name, (_, words) in MISTAKES.items():
        lines = [line for line in said.splitlines() if f"[field.{name}]" in line]
        assert len(lines) == 1 and all(word in lines[0] for word in words), (name, said)


@pytest.mark.parametrize("stagers", [None, 2])
def test_mistakes_of_configuration_and_files_are_told_together(tmp_path, files, stagers):
    """Keys, values, columns, streams: everything in one round, and nothing that only follows from something else."""
    config = configuration(tmp_path / "c.toml", {
        "fine": {"source": "x"},
        "a": {"source": "jets.ptt"},
        "b": {"source": "jetz.pt", "dtyp": "float16"},
        "c": {"source": "jets.flavour", "encode": "onehot", "classes": ["b:5"]},
        "d": {"sorce": "jets.pt"},
        "e": {"source": "ragged", "pad": 0},
        "f": {"source": "jets.kind", "scale": [0, 1]},
        "g": {"source": "jets.weight", "missing": "none"},
    }, files=files[1], batch=0, split="train:0.8, val")
    with open(config, "a") as file:
        file.write('[stream.train]\nselect = "train"\n[stream.a]\nwhere = "jets.ptt > 1"\n'
                   '[stream.b]\nselect = "900:"\n[stream.c]\nfiles = ["part7.h5"]\n')
    with running(tmp_path, (), stagers, listens=False, config=config) as service:
        assert service.wait() == 2, service.text
        said = service.text
    expected = ["[field.a] dataset 'jets' has no column 'ptt'", "unknown key 'dtyp'", "[field.b] no dataset 'jetz.pt'",
                "[field.c] encode", "unknown key 'sorce'", "[field.e] pad = 0", "[field.f] scale", "[field.g] missing",
                "batch = 0", "split = ", "stream 'a': where: 'jets.ptt'", "stream 'b': ", "stream 'c': files"]
    lines = [line for line in said.splitlines() if line.startswith("  ")]
    for words in expected:
        assert sum(words in line for line in lines) == 1, (words, said)
    assert f"{len(expected)} mistakes:" in said, said


def test_mistakes_of_fields_and_streams_are_told_together(tmp_path, files):
    said = refusal(tmp_path, files[1], {"x": {}, "a": {"source": "jets.ptt"}}, where="jets.et > 1", select="2:1:0")
    assert all(words in said for words in ("[field.a]", "'ptt'", "where: 'jets.et'", "2:1:0")), said


def test_files_that_differ(tmp_path):
    """A dataset whose rows are not the same in all files is as good as none, but why is said."""
    for name, row in (("a.h5", ()), ("b.h5", (2,))):
        with h5py.File(tmp_path / name, "w") as file:
            file["x"], file["t"] = np.zeros(9), np.zeros((9, *row), [("a", "f4")])
            file["one"] = 3  # no axis of samples, and nobody asks for it
    said = refusal(tmp_path, [tmp_path / "a.h5", tmp_path / "b.h5"], {"x": {}, "t": {"source": "t.a"}})
    assert all(word in said for word in ("[field.t]", "dataset 't' is left out", "b.h5")) and "'one'" not in said, said


def test_files_whose_attributes_differ(tmp_path):
    """Names of labels are those of all files: taken from the first alone, they would be silently wrong."""
    paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for path, names in zip(paths, (["up", "down"], ["down", "up"])):
        with h5py.File(path, "w") as file:
            file["label"] = np.arange(9) % 2
            file["label"].attrs["label_classes"] = names
    said = refusal(tmp_path, paths, {"label": {"encode": "index"}}, 2)
    assert "[field.label] the attribute that names the classes of dataset 'label' says otherwise in" in said, said
    fields = {"label": {"encode": "index", "classes": ["a:0", "b:1"]}}
    rows, _, _ = deliver(tmp_path, paths, fields)
    np.testing.assert_array_equal(rows["label"], np.tile(np.arange(9) % 2, 2))


def test_a_plugin_beside_the_configuration(tmp_path, files):
    """A bare name is a file there, wherever the command stands, and none of the system's libraries."""
    shutil.copy(PLUGIN, tmp_path / "own.so")
    config = configuration(tmp_path / "c.toml", {"x": {"source": "jets[pt, mass]", "plugin": "own.so"}}, files=files[1])
    pt, mass = (files[2]["jets"][name][0].astype("f8") for name in ("pt", "mass"))
    for folder, path in ((tmp_path, "c.toml"), ("/", config)):
        done = subprocess.run([HEADRACE, "inspect", "-c", path, "--sample", "0", "--json", "--plugins"], cwd=folder,
                              text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        (field,) = json.loads(done.stdout)["fields"]
        assert field["values"] == [pt * pt, mass + pt]


def test_a_stand_in_that_does_not_fit(tmp_path, files):
    said = refusal(tmp_path, files[1], {"x": {}, "w": {"source": "jets.weight", "missing": 300, "dtype": "uint8"}})
    assert all(word in said for word in ("[field.w]", "missing", "300", "uint8")), said
    # What becomes of the data's values is no rule for what stands in for them.
    for missing, overflow in ((-1, "saturate"), (0.5, "truncate")):
        section = {"source": "jets.weight", "missing": missing, "dtype": "uint8", "overflow": overflow}
        said = refusal(tmp_path, files[1], {"x": {}, "w": section})
        assert all(word in said for word in ("[field.w]", "missing", str(missing), "uint8")), said
