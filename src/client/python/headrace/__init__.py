"""Headrace feeds trainers: batches already shuffled, scaled, cast and cut, in place in shared memory.

import headrace

with headrace.connect("lcd", stream="train") as stream:  # rank and world size from the launcher, or given
    for batch in stream:                                 # one epoch; the next loop is the next epoch
        batch["ECAL"], batch.index                       # NumPy views; sample numbers

For frameworks: headrace.torch.Loader, headrace.keras.Dataset, headrace.tensorflow.dataset, headrace.jax.batches.
"""

import importlib
from typing import Any

from . import _lib
from ._files import File, Origin
from ._local import local
from ._mapped import Mapped
from ._session import Stats
from .batch import Batch, Copied
from .errors import Closed, Error, Exhausted, Forked, Invalid, Refused, ServiceLost, Timeout
from .schema import FieldSpec, Schema
from .stream import Stream, connect
from .structure import INDEX, ROWS, VALID

__version__ = _lib.VERSION
__all__ = [
    "INDEX",
    "ROWS",
    "VALID",
    "Batch",
    "Closed",
    "Copied",
    "Error",
    "Exhausted",
    "FieldSpec",
    "File",
    "Forked",
    "Invalid",
    "Mapped",
    "Origin",
    "Refused",
    "Schema",
    "ServiceLost",
    "Stats",
    "Stream",
    "Timeout",
    "connect",
    "local",
]
_FACES = ("jax", "keras", "tensorflow", "torch")


def __getattr__(name: str) -> Any:
    """headrace.torch and the like, with their framework, once they are asked for."""
    if name in _FACES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'headrace' has no attribute {name!r}")
