"""Every type to every other, in either byte order and with every answer to what does not fit, against NumPy; and times
and ids of long integers, whose normalisation and statistics need more digits than float32 has."""

import json
import subprocess

import h5py
import numpy as np
import pytest
from field_files import configuration, deliver, refusal
from service import HEADRACE

NAMES = {"?": "bool", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "u1": "uint8", "u2": "uint16", "u4": "uint32",
         "u8": "uint64", "f2": "float16", "f4": "float32", "f8": "float64"}
SAMPLES = 50


def any_values(rng, kind):
    """Of the type's whole range: ends, what lies beside the ends of other types, fractions."""
    dtype = np.dtype(kind)
    if kind == "?":
        return rng.random(SAMPLES) < 0.5
    if dtype.kind == "f":
        sizes = 2.0 ** rng.uniform(-12, {2: 15.9, 4: 100, 8: 600}[dtype.itemsize], SAMPLES)
        values = np.where(rng.random(SAMPLES) < 0.5, sizes, rng.integers(-300, 300, SAMPLES) / 2) * rng.choice([-1, 1], SAMPLES)
        values[:6] = 0, -0.0, 0.5, -0.5, 127.5, -1
        return values.astype(dtype)
    info = np.iinfo(dtype)
    beside = [0, 1, info.max, info.min] + [end + step for end in (127, 255, 2**15, 2**16, 2**24, 2**31, 2**32, 2**53) for step in (-1, 0, 1)]
    values = [int(x) for x in rng.integers(info.min, info.max, SAMPLES, dtype, endpoint=True) >> rng.integers(0, 8 * dtype.itemsize - 1, SAMPLES).astype(dtype)]
    values[: len(beside)] = beside
    return np.array([x if info.min <= x <= info.max else 1 for x in values], dtype)


def by_numpy(values, kind, overflow):
    """(the same values as that type, which of them cannot be delivered)."""
    dtype = np.dtype(kind)
    if kind == "?":
        return values != 0, np.zeros(len(values), bool)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            rounded = values.astype(dtype)
        beyond = np.isinf(rounded) & np.isfinite(values.astype("f8"))
        rounded = np.where(beyond, np.copysign(np.finfo(dtype).max, values.astype("f8")).astype(dtype), rounded)
        return rounded, beyond & ("saturate" not in overflow)
    info = np.iinfo(dtype)
    exact = [int(x) if values.dtype.kind != "f" else x for x in values.tolist()]
    fraction = np.array([info.min < x < info.max and x != int(x) for x in exact])
    below, above = np.array([int(x) < info.min for x in exact]), np.array([int(x) > info.max for x in exact])
    edge = np.array([x != int(x) and not info.min < x < info.max for x in exact]) & ~below & ~above  # 127.5
    bad = (fraction & ("truncate" not in overflow)) | ((below | above) & ("saturate" not in overflow)) | (edge & (len(overflow) == 0))
    return np.array([min(max(int(x), info.min), info.max) for x in exact], dtype), bad


ANSWERS = [(), ("truncate",), ("saturate",), ("truncate", "saturate")]


def test_every_type_to_every_other(tmp_path):
    rng = np.random.default_rng(12)
    fields, expected, broken = {}, {}, []
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for source in NAMES:
            for to in NAMES:
                for overflow in ANSWERS:
                    name = f"{NAMES[source]} to {NAMES[to]} {' '.join(overflow)}"
                    values = any_values(rng, source)
                    _, bad = by_numpy(values, to, overflow)
                    if bad.any():
                        broken.append((name, values[bad]))
                    values[bad] = 1
                    order = "" if source in "? i1 u1" else rng.choice(["<", ">"])
                    file[name] = values.astype(order + source)
                    expected[name], _ = by_numpy(values, to, overflow)
                    fields[name] = {"dtype": NAMES[to]} | ({"overflow": list(overflow)} if overflow else {})
    rows, _, _ = deliver(tmp_path, [tmp_path / "a.h5"], fields, 2)
    for name in fields:
        assert rows[name].dtype == expected[name].dtype
        np.testing.assert_array_equal(rows[name], expected[name], err_msg=name)
        if rows[name].dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(rows[name]), np.signbit(expected[name]), err_msg=name)
    assert len(broken) > 100


@pytest.mark.parametrize("source, to, value, overflow, words", [
    ("f4", "int64", 0.6, [], "0.6 does not fit int64 (it is no whole number)"),
    ("f8", "uint8", 0.5, ["saturate"], "0.5 does not fit uint8 (it is no whole number)"),
    ("f8", "uint8", 256.5, ["truncate"], "256.5 does not fit uint8"),
    ("f2", "int8", float("nan"), ["truncate", "saturate"], "the value is NaN"),
    ("i8", "int32", 2**31, ["truncate"], "2147483648 does not fit int32"),
    ("i1", "uint64", -1, [], "-1 does not fit uint64"),
    ("f8", "float32", 1e39, ["truncate"], "1e+39 does not fit float32"),
])
def test_what_does_not_fit_is_named(tmp_path, source, to, value, overflow, words):
    values = np.ones(SAMPLES, source)
    values[41] = value
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"] = values, values
    section = {"source": "x", "dtype": to} | ({"overflow": overflow} if overflow else {})
    said = refusal(tmp_path, [tmp_path / "a.h5"], {"y": {}, "mine": section})
    assert f"field 'mine': {words}" in said and "(dataset 'x', row 41 of " in said, said


def test_times_and_ids_keep_their_digits(tmp_path):
    """Shifts, statistics, normalisation by them, and a sample that is looked at."""
    n = 400
    count = np.arange(n)
    far = 2**62 + 1024
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["time"] = (1_500_000_000 + count).astype("<i4")
        file["unsigned"] = (4_000_000_000 + count).astype(">u4")
        file["id"] = far + count
        file["table"] = np.array(list(zip(count / 7, 1_500_000_000 + count)), [("x", "<f4"), ("t", "<i4")])
        file["x"] = count.astype("f4")
    files = [tmp_path / "a.h5"]
    fields = {"time": {"shift": 1_500_000_000}, "unsigned": {"shift": 4e9, "scale": 7},
              "id": {"shift": float(far), "scale": 3, "dtype": "float32"},
              "both": {"source": ["table.t", "time"], "shift": 1_500_000_000, "dtype": "float16"},
              "long": {"source": ["x", "id"], "shift": [0, float(far)]},
              "mean": {"source": "time", "scale-file": "scales.json", "norm": "standard"},
              "unit": {"source": "table[x, t]", "scale-file": "more.json", "norm": "minmax"},
              "close": {"source": "id", "scale-file": "ids.json", "norm": "standard"}}
    config = configuration(tmp_path / "fields.toml", fields, files=files)
    told = subprocess.run([HEADRACE, "stats", "-c", str(config)], check=True, capture_output=True, text=True)
    assert "'id' holds integers beyond 2^53, which float64 rounds to multiples of 1024" in told.stderr
    assert told.stderr.count("2^53") == 1
    scales = json.loads((tmp_path / "scales.json").read_text())["time"]
    assert scales["mean"] == 1_500_000_000 + count.mean() and abs(scales["std"] / count.std() - 1) < 1e-12
    rows, numbers, schema = deliver(tmp_path, files, fields, 2)
    assert numbers.tolist() == list(range(n))
    assert {name: str(schema[name].dtype) for name in fields} == {
        "time": "float32", "unsigned": "float32", "id": "float32", "both": "float16", "long": "float64", "mean": "float32",
        "unit": "float32", "close": "float64"}
    np.testing.assert_array_equal(rows["time"], count.astype("f4"))
    np.testing.assert_array_equal(rows["unsigned"], (count / 7).astype("f4"))
    np.testing.assert_array_equal(rows["id"], (count / 3).astype("f4"))
    np.testing.assert_array_equal(rows["both"], np.stack([count, count], axis=1).astype("f2"))
    np.testing.assert_array_equal(rows["long"], np.stack([count, count], axis=1).astype("f8"))
    np.testing.assert_allclose(rows["mean"], (count - count.mean()) / count.std(), 1e-6, 1e-9)
    np.testing.assert_allclose(rows["unit"][:, 1], count / (n - 1), 1e-7)
    looked = subprocess.run([HEADRACE, "inspect", "-c", str(config), "--sample", "100", "--json"], capture_output=True, text=True)
    shown = {field["name"]: field for field in json.loads(looked.stdout)["fields"]}
    assert shown["time"]["values"] == 100.0 or shown["time"]["values"] == [100.0], shown["time"]
