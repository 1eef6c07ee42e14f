"""Files packed each in its own way (one NetCDF file per year): decoded by their own attributes, against NumPy."""

import json
import subprocess

import h5py
import numpy as np
import pytest
from field_files import configuration, deliver
from service import HEADRACE

F4, F8 = np.float32, np.float64
LENGTHS = 13, 0, 22, 9
SAMPLES = sum(LENGTHS)
#: per file, of the whole numbers from -20 to 20
PACKINGS = {
    "t2m": [dict(scale_factor=F8(0.5), add_offset=F8(270), _FillValue=np.int16(-7)), {},
            dict(scale_factor=F8(0.125), add_offset=F8(281.3), _FillValue=np.int16(3)),
            dict(scale_factor=F8(-2), add_offset=F8(0.1), _FillValue=np.int16(11), missing_value=np.int16(-2))],
    "small": [dict(scale_factor=F4(0.3), add_offset=F4(n), _FillValue=np.int16(n)) for n in range(4)],
    "widened": [dict(scale_factor=kind(0.1), _FillValue=np.int16(5)) for kind in (F4, F4, F8, F4)],
    "unpacked once": [{}, {}, dict(scale_factor=F4(0.7), add_offset=F4(1)), dict(_FillValue=np.int16(2))],
    "unsigned": [{}, {}, dict(_Unsigned="true"), {}],
    "unsigned and filled": [dict(_FillValue=np.int16(-1))] * 3 + [dict(_Unsigned="true", _FillValue=np.int16(-1))],
    "alike": [dict(scale_factor=F4(0.25), _FillValue=np.int16(4))] * 4,
    "grid": [dict(scale_factor=F4(2**n), add_offset=F4(n)) for n in range(4)],
}
#: types of the combined values, as xarray has them
TYPES = {"t2m": F8, "small": F4, "widened": F8, "unpacked once": F4, "unsigned": np.int32,
         "unsigned and filled": F4, "alike": F4, "grid": F4}
CHUNKED = "small", "widened"
FILLED_FLOAT = "bare"  # floats that stand in one file as trainers want them, and not in another


def unpack(raw, attributes):
    """xarray's formula, with the type of the factor; fill values first."""
    fills = [attributes[key] for key in ("_FillValue", "missing_value") if key in attributes]
    hit = np.isin(raw, fills)
    if attributes.get("_Unsigned") == "true":
        raw = raw.view("u2")
    if "scale_factor" in attributes:
        kind = attributes["scale_factor"].dtype
        raw = raw.astype(kind) * attributes["scale_factor"] + attributes.get("add_offset", kind.type(0))
    elif fills:
        raw = raw.astype(F4)
    return np.where(hit, raw.dtype.type(np.nan), raw) if fills else raw


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Paths, and {dataset: unpacked values of each file}."""
    folder = tmp_path_factory.mktemp("packing")
    rng = np.random.default_rng(4)
    paths = [folder / f"{year}.nc" for year in range(2001, 2005)]
    values = {name: [] for name in (*PACKINGS, FILLED_FLOAT, "table")}
    for part, (path, length) in enumerate(zip(paths, LENGTHS)):
        with h5py.File(path, "w") as file:
            file.attrs["Conventions"] = "CF-1.6"
            for name, packings in PACKINGS.items():
                raw = rng.integers(-20, 21, (length, 3, 2) if name == "grid" else (length, 4)).astype("i2")
                chunks = {"chunks": (5, 4), "maxshape": (None, 4), "compression": "gzip"} if name in CHUNKED else {}
                file.create_dataset(name, data=raw, **chunks).attrs.update(packings[part])
                values[name].append(unpack(raw, packings[part]))
            raw = rng.integers(0, 9, length).astype("f4")
            file[FILLED_FLOAT] = raw
            if part == 2:
                file[FILLED_FLOAT].attrs["_FillValue"] = F4(8)
            values[FILLED_FLOAT].append(np.where((raw == 8) & (part == 2), F4(np.nan), raw))
            rows = rng.integers(-20, 21, 2 * length).astype("i2")
            file["table"], file["hid"], file["first"] = rows, np.repeat(np.arange(length), 2) + 1, rows[::2]
            file["first"].attrs.update(PACKINGS["t2m"][part])
            file["table"].attrs.update(PACKINGS["t2m"][part])
            values["table"].append(unpack(rows, PACKINGS["t2m"][part]).reshape(length, 2))
    return folder, paths, values


FIELDS = {name: {"source": name} for name in (*PACKINGS, FILLED_FLOAT)} | {
    "scaled": {"source": "t2m", "shift": 200, "scale": 3, "nonfinite": 0, "dtype": "float32"},
    "joined": {"source": "table", "join": "hid", "pad": 2},
    "stored": {"source": "t2m", "cf": "off"},
}


@pytest.mark.parametrize("stagers, split", [(None, False), (2, False), (5, True)])
def test_each_file_by_its_own_attributes(tmp_path, files, stagers, split):
    """The borders of 5 slabs of 44 samples are not those of files of 13, 22 and 9."""
    _, paths, values = files
    rows, numbers, _ = deliver(tmp_path, paths, FIELDS, stagers, split)
    assert numbers.tolist() == list(range(SAMPLES))
    for name, kind in {**TYPES, FILLED_FLOAT: F4}.items():
        expected = np.concatenate(values[name]).astype(kind)
        assert rows[name].dtype == kind, name
        np.testing.assert_array_equal(rows[name], expected, err_msg=name)
    t2m = np.concatenate(values["t2m"])
    np.testing.assert_array_equal(rows["scaled"], ((np.where(np.isnan(t2m), 0, t2m) - 200) / 3).astype(F4))
    np.testing.assert_array_equal(rows["joined"].reshape(SAMPLES, 2), np.concatenate(values["table"]))
    assert rows["stored"].dtype == np.int16


def test_conditions_are_of_values_as_stored(tmp_path, files):
    _, paths, values = files
    raw = []
    for path in paths:
        with h5py.File(path) as file:
            raw.extend(file["first"][:])
    rows, numbers, _ = deliver(tmp_path, paths, {"t2m": {}}, 2, where="first >= 0")
    assert numbers.tolist() == np.flatnonzero(np.array(raw) >= 0).tolist()
    np.testing.assert_array_equal(rows["t2m"], np.concatenate(values["t2m"])[numbers])


def headrace_says(*arguments):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_inspect_tells_and_shows(tmp_path, files):
    _, paths, values = files
    config = configuration(tmp_path / "c.toml", FIELDS, files=paths, batch=4)
    assert "CF decoding (packed per file)" in headrace_says(HEADRACE, "inspect", "-c", config)
    report = json.loads(headrace_says(HEADRACE, "inspect", "-c", config, "--json"))
    for field in report["fields"]:
        decoded = [step for step in field["operations"] if "CF decoding" in step]
        wanted = {"alike": ["CF decoding"], "stored": []}.get(field["name"], ["CF decoding (packed per file)"])
        assert decoded == wanted, field
    for sample, (part, row) in {0: (0, 0), 13: (2, 0), 34: (2, 21), 35: (3, 0)}.items():
        shown = json.loads(headrace_says(HEADRACE, "inspect", "-c", config, "--sample", sample, "--json"))
        (field,) = [field for field in shown["fields"] if field["name"] == "t2m"]
        found = [F8("nan") if value is None else F8(value) for value in field["values"]]
        np.testing.assert_array_equal(found, values["t2m"][part][row])


@pytest.mark.parametrize("stagers", [None, 5])
def test_statistics(tmp_path, files, stagers):
    _, paths, values = files
    fields = {name: {"source": name, "scale-file": "scales.json", "norm": "standard"} for name in ("t2m", "small")}
    fields["joined"] = {"source": "table", "join": "hid", "pad": 2, "scale-file": "scales.json", "norm": "standard"}
    config = configuration(tmp_path / "c.toml", fields, files=paths, batch=4)
    launch = ["mpirun", "-n", stagers] if stagers else []
    headrace_says(*launch, HEADRACE, "stats", "-c", config)
    scales = json.loads((tmp_path / "scales.json").read_text())
    for name in ("t2m", "small"):
        expected = np.concatenate(values[name]).astype(F8)
        for column in range(4):
            entry = scales[name][str(column)]
            np.testing.assert_allclose([entry["mean"], entry["std"], entry["min"], entry["max"]], [
                f(expected[:, column]) for f in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)], rtol=1e-12)
    expected = np.concatenate(values["table"])
    np.testing.assert_allclose(scales["table"]["mean"], np.nanmean(expected), rtol=1e-12)
