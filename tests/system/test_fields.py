"""Every key of a field, through the whole service, against NumPy: the same values whatever the stagers."""

import h5py
import numpy as np
import pytest
from field_cases import CASES, MASKS, prepare
from field_files import SAMPLES, deliver

STAGERS = [(None, False), (2, False), (3, True)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", params=STAGERS, ids=["1 process", "2 stagers", "3 nodes"])
def delivered(request, files):
    """All fields by one service, for all the tests."""
    folder, paths, data = files
    stagers, split = request.param
    fields = {name: section for name, (section, _, _) in CASES.items()}
    rows, numbers, schema = deliver(folder, paths, fields, stagers, split)
    assert numbers.tolist() == list(range(SAMPLES))
    return rows, schema, data


def check(name, found, expected, ulp):
    assert (found.shape, found.dtype.itemsize) == (expected.shape, expected.dtype.itemsize)
    found = found.view(expected.dtype) if name == "bfloat16" else found
    assert found.dtype == expected.dtype and found.dtype.isnative
    if ulp:
        np.testing.assert_array_max_ulp(found, expected, ulp)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", CASES)
def test_values(delivered, name):
    rows, schema, data = delivered
    _, reference, ulp = CASES[name]
    expected = reference(data)
    assert schema[name].shape == expected.shape[1:]
    check(name, rows[name], expected, ulp)


@pytest.mark.parametrize("name", MASKS)
def test_masks(delivered, name):
    rows, _, data = delivered
    assert rows[name].dtype == bool
    np.testing.assert_array_equal(rows[name], MASKS[name](data))


NAMES = {
    "two columns": (("pt", "eta"), ()),
    "array member": (("cov_0", "cov_1", "cov_2", "cov_3"), ()),
    "several": (("x", "n", "vector_0", "vector_1", "vector_2"), ()),
    "jets beside tracks": (("jet_pt", "jet_eta", "d0", "z0"), ()),
    "joined and scaled": (("x", "d", "charge"), ()),
    "one-hot": ((), ("light", "charm", "bottom", "tau")),
    "index of texts": ((), ("", "b", "käse", "much longer than the others")),
    "one-hot of an enum": ((), ("pion", "photon", "electron")),
    "labels of an attribute": ((), ("up", "down", "strange")),
    "scalar": ((), ()),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(delivered, name):
    _, schema, _ = delivered
    columns, classes = NAMES[name]
    assert (schema[name].columns, schema[name].classes) == (columns, classes)


@pytest.mark.parametrize("stagers, split", STAGERS[1:])
def test_values_of_some_samples(files, stagers, split):
    """Samples that are not asked for are not checked either: their labels are no classes."""
    folder, paths, data = files
    fields = {name: section for name, (section, _, _) in CASES.items()}
    fields["light or not"] = {"source": "jets.flavour", "encode": "index", "classes": ["light:0", "other:4|5"]}
    rows, numbers, _ = deliver(folder, paths, fields, stagers, split, select="3::2", where="jets.flavour != 15")
    chosen = np.arange(3, SAMPLES, 2)
    assert numbers.tolist() == chosen[data["jets"]["flavour"][chosen] != 15].tolist()
    for name, (_, reference, ulp) in CASES.items():
        check(name, rows[name], reference(data)[numbers], ulp)
    for name, reference in MASKS.items():
        np.testing.assert_array_equal(rows[name], reference(data)[numbers], err_msg=name)
    np.testing.assert_array_equal(rows["light or not"], (data["jets"]["flavour"][numbers] != 0).astype("i8"))


#: values in the file, attributes, and what xarray makes of them
NETCDF = {
    "packed": ("i2", {"scale_factor": np.float32(0.5), "add_offset": np.float32(9)},
               lambda raw: raw.astype("f4") * np.float32(0.5) + np.float32(9)),
    "packed_wide": (">i4", {"scale_factor": 0.25}, lambda raw: raw.astype("f8") * 0.25),
    "filled": ("u1", {"_FillValue": np.uint8(3)}, lambda raw: np.where(raw == 3, np.float32(np.nan), raw.astype("f4"))),
    "filled_wide": ("i4", {"missing_value": np.int32(4)}, lambda raw: np.where(raw == 4, np.nan, raw.astype("f8"))),
    "unsigned": ("i1", {"_Unsigned": "true", "_FillValue": np.int8(-1)},
                 lambda raw: np.where(raw == -1, np.float32(np.nan), raw.view("u1").astype("f4"))),
    "floats": ("f4", {"_FillValue": np.float32(5)}, lambda raw: np.where(raw == 5, np.float32(np.nan), raw)),
    "plain": ("f8", {"units": "m"}, lambda raw: raw),
    "ranged": ("i2", {"valid_range": np.array([0, 5], "i2"), "valid_min": np.int16(2)}, lambda raw: raw),
}


def test_netcdf(tmp_path):
    """Files that name CF's conventions are decoded unless told otherwise."""
    raw = {name: ((np.arange(60) % 23 - 9).astype(dtype)) for name, (dtype, _, _) in NETCDF.items()}
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file.attrs["Conventions"] = "CF-1.8"
        for name, (_, attributes, _) in NETCDF.items():
            file[name] = raw[name]
            file[name].attrs.update(attributes)
    fields = {name: {} for name in NETCDF} | {f"raw {name}": {"source": name, "cf": "off"} for name in NETCDF}
    rows, _, _ = deliver(tmp_path, [tmp_path / "a.nc"], fields, 2)
    for name, (_, _, decoded) in NETCDF.items():
        expected = decoded(raw[name])
        for found, wanted in ((rows[name], expected), (rows[f"raw {name}"], raw[name])):
            assert found.dtype == wanted.dtype.newbyteorder("="), name
            np.testing.assert_array_equal(found, wanted, err_msg=name)
