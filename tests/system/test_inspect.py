"""headrace inspect on files made by h5py: what it says as JSON and as a table, and what it says of bad files."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

HEADRACE = os.path.join(os.environ["HEADRACE_BUILD"], "bin", "headrace")
MAKE_FIXTURES = os.path.join(os.path.dirname(__file__), "..", "h5", "make_fixtures.py")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("inspect")
    subprocess.run([sys.executable, MAKE_FIXTURES, str(path)], check=True)
    return path


def inspect(*args, cwd=None):
    return subprocess.run([HEADRACE, "inspect", *map(str, args)], capture_output=True, text=True, cwd=cwd)


def as_json(*args):
    done = inspect("--json", *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_json_agrees_with_h5py(folder):
    for name in ("layouts.h5", "types.h5"):
        found = as_json(folder / name)
        told = {d["path"]: d for d in found["files"][0]["datasets"]}
        seen = {}
        with h5py.File(folder / name) as f:
            f.visititems(lambda path, o: seen.update({path: o}) if isinstance(o, h5py.Dataset) else None)
            assert set(told) == set(seen)
            for path, dataset in seen.items():
                mine = told[path]
                assert tuple(mine["shape"]) == dataset.shape
                assert mine["chunks"] == (list(dataset.chunks) if dataset.chunks else None)
                assert mine["stored_bytes"] == dataset.id.get_storage_size()
                assert mine["sample_bytes"] == dataset.nbytes // len(dataset)
                assert mine["can_be_field"]
                order = " (big-endian)" if dataset.dtype.byteorder == ">" else ""
                assert mine["type"] == dataset.dtype.newbyteorder("=").name + order
                plist = dataset.id.get_create_plist()
                assert [x["id"] for x in mine["filters"]] == [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
                if mine["filters"] and mine["stored_bytes"]:
                    assert mine["ratio"] == pytest.approx(dataset.nbytes / mine["stored_bytes"])


def test_groups_over_several_files(folder):
    found = as_json(folder / "part_?.h5")
    assert [os.path.basename(f["path"]) for f in found["files"]] == ["part_a.h5", "part_b.h5", "part_c.h5"]
    assert found["groups"] == [{"samples": 63, "sample_bytes": 24, "datasets": ["x", "y"]}]
    assert found["left_out"][0]["path"] == "only_some"
    assert "part_c.h5" in found["left_out"][0]["reason"]


def test_compounds_are_spelled_out(folder):
    table = [d for d in as_json(folder / "odd.h5")["files"][0]["datasets"] if d["path"] == "table"][0]
    assert [(m["name"], m["type"], m["offset"]) for m in table["members"]] == [
        ("pt", "float32", 0), ("eta", "float64 (big-endian)", 4), ("id", "int32[3]", 12), ("ok", "bool", 24)]
    assert not table["can_be_field"]
    text = inspect(folder / "odd.h5").stdout
    assert "pt: float32, eta: float64 (big-endian), id: int32[3], ok: bool" in text
    assert "10 samples, 28 B each: complex, kind, pair, x" in text
    assert "complex64" in text


def test_advice(tmp_path):
    with h5py.File(tmp_path / "slow.h5", "w") as f:
        f.create_dataset("single", (5000, 10), "f4", chunks=(1, 10))
        f.create_dataset("spread", (5000, 64, 64), "f4", chunks=(100, 32, 32))
        f.create_dataset("huge", (5000, 64, 64), "f4", chunks=(5000, 64, 64))
        f.create_dataset("packed", (5000, 10), "f4", chunks=(1000, 10), compression="gzip")
        f.create_dataset("good", data=np.zeros((5000, 10), "f4"))
    by_dataset = {}
    for piece in as_json(tmp_path / "slow.h5")["advice"]:
        by_dataset.setdefault(piece["dataset"], []).append(piece["text"])
    assert any("one sample per chunk" in t and "5000 chunks" in t for t in by_dataset["single"])
    assert any("spread over 4 chunks" in t and "100 samples" in t for t in by_dataset["spread"])
    assert any("straddles 5000 samples" in t for t in by_dataset["huge"])
    assert any("gzip" in t for t in by_dataset["packed"])
    assert any("straddles 1000 samples" in t for t in by_dataset["packed"])
    assert "good" not in by_dataset
    table = inspect(tmp_path / "slow.h5").stdout
    assert "- packed: gzip is decoded" in table


def test_table_keeps_to_its_width_and_says_alike_files_once(folder, tmp_path):
    for name in ("layouts.h5", "odd.h5", "types.h5"):
        assert max(len(line) for line in inspect(name, cwd=folder).stdout.splitlines()) <= 120
    for k in range(3):
        with h5py.File(tmp_path / f"same{k}.h5", "w") as f:
            f.create_dataset("x", data=np.zeros((10 + k, 3)))
    text = inspect("same*.h5", cwd=tmp_path).stdout
    assert text.count("per sample") == 1
    assert "as in same0.h5: 12 samples" in text
    assert "33 samples in all files, 24 B each: x" in text


@pytest.mark.parametrize("name, words", [
    ("missing.h5", "no such file"), (".", "directory"), ("text.h5", "not an HDF5 file"), ("classic2.nc", "NetCDF-3"),
    ("truncated.h5", "cut short"), ("empty.h5", "empty"),
])
def test_bad_files_get_one_sentence(folder, name, words):
    done = inspect(folder / name)
    assert done.returncode == 1
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_links_that_lead_nowhere_are_named_with_their_target(folder):
    found = as_json(folder / "links.h5")["files"][0]
    dead = {link["path"]: link for link in found["dead_links"]}
    assert set(dead) == {"gone/soft", "gone/circle", "gone/file", "gone/inside"}
    assert (dead["gone/soft"]["kind"], dead["gone/soft"]["target"]) == ("soft", "/nowhere/x")
    assert (dead["gone/file"]["kind"], dead["gone/file"]["file"], dead["gone/file"]["target"]) == (
        "external", "missing.h5", "/d")
    assert dead["gone/file"]["reason"] == f"no such file in {folder}"
    assert {d["path"] for d in found["datasets"]} == {"run5/x", "other/x", "other/deep/y"}
    text = " ".join(inspect(folder / "links.h5").stdout.split())
    assert "gone/file is an external link to '/d' in missing.h5 that leads nowhere" in text
    asked = inspect("--files", folder / "links.h5", "--field.x.source", "gone/file")
    assert asked.returncode == 2
    assert "'gone/file' cannot be used" in asked.stderr and "'/d' in missing.h5" in asked.stderr


def test_long_lists_are_folded(tmp_path):
    with h5py.File(tmp_path / "many.h5", "w") as f:
        for i in range(300):
            f[f"m{i:03d}/x"] = np.zeros((5, 4), "f4")
            f[f"m{i:03d}/s"] = np.zeros(5, "i1" if i != 7 else "i2")
            f[f"m{i:03d}/hollow"] = np.zeros((5, 0), "i1")
            f[f"gone{i:03d}"] = h5py.SoftLink("/nowhere")
    short = inspect(tmp_path / "many.h5").stdout
    assert len(short.splitlines()) < 120
    assert "m000/x ... m299/x (300)" in short and "m000/s ... m299/s (299)" in short and "  m007/s  " in short
    assert "--all" in short
    long = inspect("--all", tmp_path / "many.h5").stdout
    assert all(f"  m{i:03d}/{name}  " in long for i in range(300) for name in ("x", "s", "hollow"))
    assert all(f"gone{i:03d}  is a soft link" in long for i in range(300))
    assert "--all" not in long
    assert len(as_json(tmp_path / "many.h5")["files"][0]["datasets"]) == 900


def test_names_in_quotes(folder):
    for source, dataset in (("`hits[0]`", "hits[0]"), ('"hits[0]"', "hits[0]"), ("hits[0]", "hits[0]"),
                            ("`a.b`", "a.b"), ("`odd]name`", "odd]name")):
        done = inspect("--json", "--files", folder / "brackets.h5", "--field.x.source", source,
                       "--where", "`hits[0]` >= -125")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["samples"] == 40
    done = inspect("--files", folder / "brackets.h5", "--field.x.source", "odd]name")
    assert done.returncode == 2 and "stands in backquotes: `odd]name`" in done.stderr
    assert {f["name"] for f in json.loads(inspect("--json", "--files", folder / "brackets.h5", "--batch", 4).stdout)["fields"]} == {
        "hits[0]", "a.b", "odd]name", "y"}


@pytest.mark.parametrize("key", ["files", "config", "field.x.scale-file", "field.x.plugin", "stream.s.select-file"])
def test_what_is_no_file_is_refused_at_once(folder, tmp_path, key):
    os.mkfifo(tmp_path / "fifo")
    flags = [] if key == "files" else ["--files", folder / "types.h5"]
    if "select" in key:
        flags += ["--stream.s.select-by", "index"]
    if "scale" in key:
        flags += ["--field.x.source", "f4_le"]
    if "plugin" in key:
        flags += ["--field.x.source", "f4_le"]
    for path, kind in ((tmp_path / "fifo", "a FIFO"), ("/dev/zero", "a device")):
        done = subprocess.run([HEADRACE, "inspect", *map(str, flags), f"--{key}", str(path)], capture_output=True,
                              text=True, timeout=300)
        assert done.returncode in (1, 2) and f"it is {kind}" in done.stderr, done.stderr


def test_streams_that_share_samples_are_told(folder):
    flags = ["--files", folder / "lengths.h5", "--field.x.source", "long", "--stream.train.select", ":600",
             "--stream.val.select", "500:"]
    assert "train and val share 100 samples" in inspect(*flags).stdout
    found = json.loads(inspect("--json", *flags).stdout)
    assert found["shared"] == [{"streams": ["train", "val"], "samples": 100}]
    strict = inspect("--strict", *flags)
    assert strict.returncode == 2 and "'train' and 'val' share 100 samples (of 600 and 400)" in strict.stderr
    apart = flags[:-1] + ["600:"]
    assert json.loads(inspect("--json", "--strict", *apart).stdout)["shared"] == []


PACKED = {"scale_factor": np.float32(0.5), "add_offset": np.float32(5)}
CONVENTIONS = [  # Conventions, attributes, type of the dataset, whether it is decoded
    ("CF-1.6", PACKED, "i2", True), ("ACDD-1.3, CF-1.7", PACKED, "i2", True), ("cf-1.7", PACKED, "i2", True),
    ("COARDS", PACKED, "i2", True), (["ACDD-1.3", "CF-1.7"], PACKED, "i2", True), (None, PACKED, "i2", True),
    (np.bytes_("CF-1.6"), PACKED, "i2", True), ("CF-1.6", PACKED, "f4", True), ("MyFormat-2", PACKED, "i2", False),
    (None, PACKED, "f4", False), (None, {"scale_factor": np.array([1.0, 2.0])}, "i2", False),
    (None, {"scale_factor": "0.5"}, "i2", False),
]


@pytest.mark.parametrize("conventions, attributes, dtype, decoded", CONVENTIONS)
def test_packed_values_are_decoded_or_told(tmp_path, conventions, attributes, dtype, decoded):
    path = tmp_path / "d.nc"
    with h5py.File(path, "w") as f:
        if conventions is not None:
            f.attrs["Conventions"] = conventions
        f.create_dataset("v", data=np.arange(-30, 30, dtype=dtype)).attrs.update(attributes)
    told = as_json(path)["packed"]
    assert [note["decoded"] for note in told] == [decoded]
    assert ("decoded" in told[0]["text"]) == decoded and "Packed values" in inspect(path).stdout
    for cf, expected in (("auto", decoded), ("off", False)):
        flags = ["--files", path, "--field.v.cf", cf]
        sample = json.loads(inspect("--json", *flags, "--sample", 7).stdout)["fields"][0]
        assert sample["values"] == (-23 * 0.5 + 5 if expected else -23)
        assert bool(sample["notes"]) != expected
        field = json.loads(inspect("--json", *flags).stdout)["fields"][0]
        assert field["notes"] == sample["notes"]
        assert ("as stored" in inspect(*flags).stdout) != expected


def test_files_of_one_data_set_are_decoded_alike(tmp_path):
    for k, conventions in enumerate(["MyFormat-2", "CF-1.6", None]):
        with h5py.File(tmp_path / f"{k}.nc", "w") as f:
            if conventions:
                f.attrs["Conventions"] = conventions
            f.create_dataset("v", data=np.arange(10, dtype="i2")).attrs.update(PACKED)
    for sample in (3, 13, 23):
        found = json.loads(inspect("--json", "--files", tmp_path / "*.nc", "--sample", sample).stdout)["fields"][0]
        assert found["values"] == 3 * 0.5 + 5 and found["notes"] == []


def test_wrong_usage(folder):
    assert inspect().returncode == 2
    done = inspect(folder / "no_such_*.h5")
    assert done.returncode == 2 and "no file matches" in done.stderr


def test_unknown_filter_is_named_with_its_number(folder):
    found = as_json(folder / "unknown_filter.h5")
    dataset = found["files"][0]["datasets"][0]
    assert not dataset["can_be_field"] and "32123" in dataset["reason"]
    assert any("32123" in piece["text"] for piece in found["advice"])
