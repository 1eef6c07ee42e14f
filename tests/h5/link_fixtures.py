"""Links within files and between them, for make_fixtures.py: they lead somewhere, nowhere, or in circles."""

import os

import h5py

from formula import values


def make(folder):
    links(folder)
    to_a_user_block(folder)


def links(folder):
    """Other names of groups, other files' groups, loops within a file and between two, links that lead nowhere."""
    os.makedirs(f"{folder}/linked", exist_ok=True)
    with h5py.File(f"{folder}/linked/data.h5", "w") as f:
        f.create_dataset("run/x", data=values(20, 0, 10, (2,), "<f4"))
        f.create_dataset("run/deep/y", data=values(21, 0, 10, (), "<i4"))
        f["run/back"] = h5py.ExternalLink("../links.h5", "/")
        f["run/again"] = h5py.SoftLink("/run")
    if not os.path.exists(f"{folder}/fifo.h5"):
        os.mkfifo(f"{folder}/fifo.h5")
    with h5py.File(f"{folder}/links.h5", "w") as f:
        f.create_dataset("run5/x", data=values(22, 0, 10, (2,), "<f4"))
        f["a_latest"] = h5py.SoftLink("/run5")
        f["run5/self"] = f["run5"]
        f["root"] = h5py.SoftLink("/")
        f["x"] = h5py.SoftLink("run5/x")
        f["other"] = h5py.ExternalLink("linked/data.h5", "/run")
        f["other_too"] = h5py.ExternalLink("linked/data.h5", "/run")
        f["gone/soft"] = h5py.SoftLink("/nowhere/x")
        f["gone/circle"] = h5py.SoftLink("/gone/circle")
        f["gone/file"] = h5py.ExternalLink("missing.h5", "/d")
        f["gone/inside"] = h5py.ExternalLink("linked/data.h5", "/d")
    for run in 6, 7:  # the same name for different groups
        with h5py.File(f"{folder}/latest{run}.h5", "w") as f:
            for k in 6, 7:
                f.create_dataset(f"run{k}/x", data=values(22 + k, 0, 10, (2,), "<f4"))
            f["latest"] = h5py.SoftLink(f"/run{run}")


def to_a_user_block(folder):
    """A file whose HDF5 begins after 1024 other bytes, and those that lead to it."""
    with h5py.File(f"{folder}/block.h5", "w", userblock_size=1024) as f:
        f.create_dataset("x", data=values(6, 0, 50, (3,), "<f4"))
        f.create_dataset("nothing", (50, 3), "<f4", fillvalue=4.5)
    with h5py.File(f"{folder}/master.h5", "w") as f:
        f["entry/block"] = h5py.ExternalLink("block.h5", "/x")
        f["entry/gone"] = h5py.ExternalLink("missing.h5", "/x")
    with h5py.File(f"{folder}/virtual.h5", "w") as f:
        layout = h5py.VirtualLayout(shape=(50, 3), dtype="<f4")
        layout[:] = h5py.VirtualSource(f"{folder}/block.h5", "x", shape=(50, 3))
        f.create_virtual_dataset("x", layout)
