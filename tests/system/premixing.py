"""`headrace premix` and `headrace export`, called as users call them."""

import os

import h5py
import numpy as np
from service import HEADRACE
from stacks import finished


def call(command, *arguments, stagers=None, cwd=None, timeout=120, prefix=(), **environment):
    """The finished call of one command, by itself or under mpirun."""
    launch = ["mpirun", "-n", str(stagers)] if stagers else []
    clean = {key: value for key, value in os.environ.items()
             if key.startswith("HEADRACE_WAIT_") or not key.startswith("HEADRACE_")}
    # What MPI hangs in is told before this gives up itself; those beside the first stager wait 1.2 times as long.
    patience = {"HEADRACE_START_TIMEOUT": "60s"}
    return finished([*prefix, *launch, HEADRACE, command, *map(str, arguments)], timeout, cwd=cwd, env=clean | patience | environment)


def premix(output, files, *flags, **how):
    return call("premix", *files, "-o", output, *flags, **how)


def made(output, files, *flags, **how):
    """The file, after a call that went well."""
    done = premix(output, files, *flags, **how)
    assert done.returncode == 0, done.stderr
    assert leftovers(output) == []
    return output


def numbered(path, rows, width):
    """A file of x, noise, and y, the row's number."""
    with h5py.File(path, "w") as file:
        file["x"] = np.random.default_rng(1).normal(size=(rows, width)).astype("f4")
        file["y"] = np.arange(rows)
    return path


def leftovers(output):
    return sorted(path.name for path in output.parent.glob(f"{output.name}?*"))
