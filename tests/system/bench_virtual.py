"""How fast a virtual file loads that is seen through, beside the list of its files, and beside H5Dread. By hand.

    bench_virtual.py [STAGERS [REPEATS [ROWS]]]: medians of turns; every turn starts a service for each of the
    three. ROWS (4000) of 256 B are in each of 300 files.
"""

import re
import statistics
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
from service import running

FILES, COLUMNS = 300, 64


def make(folder, rows):
    """A list, a virtual file over it, and one that is not seen through since a dataset lies beside."""
    paths = []
    whole = h5py.VirtualLayout((FILES * rows, COLUMNS), "<f4")
    for k in range(FILES):
        paths.append(folder / f"part{k:03}.h5")
        with h5py.File(paths[-1], "w") as file:
            file["x"] = np.full((rows, COLUMNS), k, "<f4")
        whole[k * rows:(k + 1) * rows] = h5py.VirtualSource(paths[-1].name, "x", shape=(rows, COLUMNS))
    for name in "through", "library":
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.create_virtual_dataset("x", whole)
            if name == "library":
                file["beside"] = np.zeros((3, 2))
    return {"list of files": paths, "virtual file": [folder / "through.h5"], "through HDF5": [folder / "library.h5"]}


def main(stagers=2, repeats=9, rows=4000):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        ways = make(folder, rows)
        seconds = {way: [] for way in ways}
        for turn in range(repeats):
            order = list(ways.items())
            for way, files in order[turn % 3:] + order[:turn % 3]:  # each comes first, second and last
                with running(folder, files, stagers, batch=4096) as service:
                    service.ready()
                    seconds[way].append(float(re.search(r"loaded .* in ([0-9.]+) s", service.text)[1]))
    base = statistics.median(seconds["list of files"])
    gigabytes = FILES * rows * COLUMNS * 4 / 1e9
    for way, times in seconds.items():
        middle = statistics.median(times)
        print(f"{way}: median {middle:.3f} s of {repeats} ({gigabytes / middle:.2f} GB/s), "
              f"{min(times):.3f} to {max(times):.3f} s; {base / middle:.2f} of the list")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
