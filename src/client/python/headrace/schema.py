"""What a batch is made of, as the service told it: no name, shape or type is given twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from . import _lib
from ._show import table


class FieldSpec(NamedTuple):
    """One field of every batch."""

    shape: tuple[int, ...]  #: of one row, without the sample axis
    dtype: np.dtype[Any]
    columns: tuple[str, ...] = ()  #: names along the last axis, where it has names
    classes: tuple[str, ...] = ()  #: label names in code order, where the field is a label
    type: str = ""  #: its name; dtype differs where NumPy has no such type (bfloat16 without ml_dtypes)


class Schema(Mapping[str, FieldSpec]):
    """Name to FieldSpec, in the service's order. In a notebook it shows as a table."""

    def __init__(self, fields: Mapping[str, FieldSpec]) -> None:
        self._fields = dict(fields)

    def __getitem__(self, name: str) -> FieldSpec:
        try:
            return self._fields[name]
        except KeyError:
            raise KeyError(f"no field {name!r}; there are {', '.join(self._fields)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Schema({self._fields!r})"

    def _repr_html_(self) -> str:
        rows = [(name, spec.shape, spec.type, ", ".join(spec.columns or spec.classes)) for name, spec in self.items()]
        return table("schema: a row of each batch", ("field", "shape", "type", "columns or classes"), rows)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def dtype_named(name: str) -> np.dtype[Any]:
    """NumPy's type of that name; bfloat16 is ml_dtypes' where that is installed, else its bits as uint16."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError:
        return np.dtype(np.uint16)
    bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return bfloat16


def read_schema(info: _lib.Info) -> Schema:
    fields = [info.fields[i].contents for i in range(info.nfields)]
    return Schema({field.name.decode(): _spec(field) for field in fields})


def _spec(field: _lib.Field) -> FieldSpec:
    return FieldSpec(
        shape=tuple(field.shape[: field.ndim]),
        dtype=dtype_named(field.dtype.decode()),
        columns=tuple(name.decode() for name in field.columns[: field.ncolumns]),
        classes=tuple(name.decode() for name in field.classes[: field.nclasses]),
        type=field.dtype.decode(),
    )
