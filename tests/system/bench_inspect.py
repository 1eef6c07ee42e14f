"""How long inspect takes over a file of 50,000 datasets, beside h5py's own walk of it. By hand:

    HEADRACE_BUILD=build/release python tests/system/bench_inspect.py [DATASETS]

Both read shape, type and chunks of every dataset, each in a process of its own, in turns. Told are the seconds of the
processor, which other work on the machine does not change much, and those of the clock; the best of five turns.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

HEADRACE = os.path.join(os.environ.get("HEADRACE_BUILD", "build/release"), "bin", "headrace")
TURNS = 5
WALK = """
import h5py, sys
seen = []
with h5py.File(sys.argv[1]) as file:
    file.visititems(lambda path, o: seen.append((path, o.shape, o.dtype, o.chunks)) if isinstance(o, h5py.Dataset) else None)
"""


def make(path, datasets):
    with h5py.File(path, "w", libver="v110") as file:
        for i in range(datasets // 2):
            group = file.create_group(f"m{i:06d}")
            group["s"] = np.arange(5, dtype="i1")
            group["x"] = np.zeros((5, 4), "f4")


def seconds(command):
    """Of the processor, and of the clock."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


def main(datasets):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "many.h5")
        make(path, datasets)
        commands = {"h5py's walk": [sys.executable, "-c", WALK, path], "headrace inspect": [HEADRACE, "inspect", path],
                    "headrace inspect --all": [HEADRACE, "inspect", "--all", path],
                    "headrace inspect --json": [HEADRACE, "inspect", "--json", path]}
        nothing = min(seconds([sys.executable, "-c", "import h5py"]) for _ in range(TURNS))
        found = {name: [] for name in commands}
        for _ in range(TURNS):
            for name, command in commands.items():
                found[name].append(seconds(command))
    best = {name: tuple(min(column) for column in zip(*times)) for name, times in found.items()}
    walk = tuple(all_of_it - start for all_of_it, start in zip(best["h5py's walk"], nothing))  # without its imports
    print(f"{datasets} datasets: h5py's walk takes {walk[0]:.2f} s of the processor, {walk[1]:.2f} s of the clock")
    for name in list(commands)[1:]:
        cpu, clock = best[name]
        print(f"{name}: {cpu:.2f} s ({cpu / walk[0]:.2f} of the walk), {clock:.2f} s ({clock / walk[1]:.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
