"""What PyTables, pandas, netCDF and MATLAB keep beside the data, as their files have it, for make_fixtures.py."""

import h5py
import numpy as np

from formula import values


def make(folder):
    pandas(folder)
    netcdf(folder)
    matlab(folder)


def pandas(folder):
    with h5py.File(f"{folder}/pandas_fixed.h5", "w") as f:  # columns named 0, 1, 2: labels that are numbers
        for name, rows in ("axis0", 3), ("axis1", 40), ("block0_items", 3), ("axis1_level0", 10):
            pytables(f, f"df/{name}", np.arange(rows), transposed=1)
        pytables(f, "df/block0_values", values(30, 0, 40, (3,), "<f8"), transposed=1)
        f["axis0"] = np.arange(40)  # somebody's own
    with h5py.File(f"{folder}/pandas_table.h5", "w") as f:
        for name in "abounds", "mbounds", "mranges", "zbounds":
            pytables(f, f"df/_i_table/index/{name}", np.zeros(0, "i8"), "EARRAY")
        pytables(f, "df/_i_table/index/bounds", np.zeros((0, 127), "i8"), "CACHEARRAY")
        pytables(f, "df/_i_table/index/indicesLR", np.zeros(1024, "u4"), "LASTROWARRAY")
        pytables(f, "df/_i_table/index/sortedLR", np.zeros(1153, "i8"), "LASTROWARRAY")
        pytables(f, "df/table", np.zeros(40, [("index", "<i8"), ("values_block_0", "<f8", (3,))]), "TABLE")
        pytables(f, "arr", np.arange(40.0))
        f["_i_own"] = np.arange(40)


def pytables(f, path, data, kind="ARRAY", **attributes):
    """A dataset with the attributes that PyTables gives to its own."""
    d = f.create_dataset(path, data=data) if np.size(data) else f.create_dataset(
        path, shape=np.shape(data), maxshape=(None,) + np.shape(data)[1:], dtype="<i8", chunks=(8,) + np.shape(data)[1:])
    d.attrs["CLASS"] = np.bytes_(kind)
    d.attrs["VERSION"] = np.bytes_("2.4")
    for key, value in attributes.items():
        d.attrs[key] = value


def netcdf(folder):
    with h5py.File(f"{folder}/dimensions.nc", "w") as f:
        f.create_dataset("v", data=values(31, 0, 50, (3,), "<f4"))
        f.create_dataset("time", data=np.arange(50.0))
        f["time"].make_scale("time")
        for name, rows in ("y", 50), ("x", 3), ("u", 0):
            f.create_dataset(name, shape=(rows,), dtype=">f4", maxshape=(None,), chunks=(8,))
            f[name].make_scale(f"This is a netCDF dimension but not a netCDF variable. {rows:9d}")


def matlab(folder):
    with h5py.File(f"{folder}/matlab.mat", "w") as f:
        for name in "abcdef":
            f[f"#refs#/{name}"] = np.zeros((40, 1))
        f["images"] = values(34, 0, 40, (6,), "<f4")
