"""What a batch is made of, as the service told it: no name, shape or type is given twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import _lib


class FieldSpec(NamedTuple):
    """One field of every batch."""

    shape: tuple[int, ...]  #: of one row, without the sample axis
    dtype: np.dtype
    columns: tuple[str, ...] = ()  #: names along the last axis, where it has names
    classes: tuple[str, ...] = ()  #: label names in code order, where the field is a label


def dtype_named(name: str) -> np.dtype:
    """NumPy's type of that name; bfloat16 is ml_dtypes' where that is installed, else its bits as uint16."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError:
        return np.dtype(np.uint16)
    bfloat16: np.dtype = np.dtype(ml_dtypes.bfloat16)
    return bfloat16


def read_schema(info: _lib.Info) -> dict[str, FieldSpec]:
    """Name to FieldSpec, in the service's order."""
    fields = [info.fields[i].contents for i in range(info.nfields)]
    return {field.name.decode(): _spec(field) for field in fields}


def _spec(field: _lib.Field) -> FieldSpec:
    return FieldSpec(
        shape=tuple(field.shape[: field.ndim]),
        dtype=dtype_named(field.dtype.decode()),
        columns=tuple(name.decode() for name in field.columns[: field.ncolumns]),
        classes=tuple(name.decode() for name in field.classes[: field.nclasses]),
    )
