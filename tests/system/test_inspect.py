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


def test_wrong_usage(folder):
    assert inspect().returncode == 2
    done = inspect(folder / "no_such_*.h5")
    assert done.returncode == 2 and "no file matches" in done.stderr


def test_unknown_filter_is_named_with_its_number(folder):
    found = as_json(folder / "unknown_filter.h5")
    dataset = found["files"][0]["datasets"][0]
    assert not dataset["can_be_field"] and "32123" in dataset["reason"]
    assert any("32123" in piece["text"] for piece in found["advice"])
