"""One batch: a mapping of field names to arrays over shared memory, and the lease that they own together."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, Optional

import numpy as np

from . import _lib
from ._files import Origin
from .schema import FieldSpec


class Layout:
    """What all batches of a stream have in common: name to (place, shape of a full batch, type)."""

    __slots__ = ("batch", "count", "fields", "ring")

    def __init__(self, schema: Mapping[str, FieldSpec], batch: int, ring: int) -> None:
        self.fields = {name: (i, (batch, *spec.shape), spec.dtype) for i, (name, spec) in enumerate(schema.items())}
        self.count = len(self.fields)
        self.batch = batch
        self.ring = ring


class Batch(Mapping[str, np.ndarray]):
    """What a trainer gets in one step: ``batch["ECAL"]`` is a NumPy view of shared memory, writable and not copied.

    The views own the lease: the slot goes back to the service when the batch is dropped and its last view is gone,
    where a view of a view, a memoryview or a torch tensor over one counts. Whoever keeps data for longer copies it.

    As a context manager a batch is released at the end of the block, or with its last view if some are still alive.
    """

    __slots__ = ("__weakref__", "_addresses", "_filled", "_index", "_layout", "_lease", "epoch", "rows", "step")

    epoch: int  #: which epoch this batch is of, from 0
    step: int  #: its number in the epoch, from 0
    rows: int  #: how many rows are real: fewer than the arrays have only in a stream with last = pad

    def __init__(self, layout: Layout, lease: Any, raw: _lib.RawBatch) -> None:
        self._layout = layout
        self._lease = lease
        self._addresses = raw.data[: layout.count]
        self._index = raw.index
        self._filled = raw.filled
        self.epoch = raw.epoch
        self.step = raw.step
        self.rows = raw.rows

    def __getitem__(self, name: str) -> np.ndarray:
        layout = self._layout
        try:
            place, shape, dtype = layout.fields[name]
        except KeyError:
            raise KeyError(f"no field {name!r}; there are {', '.join(layout.fields)}") from None
        if self._filled != layout.batch:
            shape = (self._filled, *shape[1:])
        return np.ndarray(shape, dtype, self._leased(), self._addresses[place] - layout.ring)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layout.fields)

    def __len__(self) -> int:
        return self._layout.count

    def __contains__(self, name: object) -> bool:
        return name in self._layout.fields

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def index(self) -> np.ndarray:
        """The sample numbers, int64, one per row of the arrays; a copy, so that keeping it holds no slot."""
        lease = self._leased()
        numbers = np.empty(self._filled, np.int64)
        ctypes.memmove(numbers.ctypes.data, self._index, numbers.nbytes)
        del lease  # held until here
        return numbers

    def files(self) -> Origin:
        """Which file and which row of it each sample is: ``paths, rows = batch.files()``, real rows only.

        The service is asked for its files at the first call of the stream; a stream that does not call pays nothing.
        """
        table = self._leased().connection.files()
        return table.origin(self.index[: self.rows])

    def release(self, after: Optional[Any] = None) -> None:
        """Returns the slot now. BufferError while views live, as with memoryview; a second call does nothing.

        With `after`, an event with query() and synchronize() such as torch.cuda.Event, the slot is kept until the event
        has happened (an asynchronous copy to a device is done) and the last view is gone.
        """
        lease = self._lease
        if lease is None:
            return
        self._lease = None
        if after is not None:
            lease.connection.defer(lease, after)
            return
        alive = weakref.ref(lease)
        del lease  # the last reference, unless views hold others: then the lease is still there
        self._lease = alive()
        if self._lease is not None:
            raise BufferError(f"views of {self!r} are alive; drop them first (del, or copy what is to be kept)")

    @property
    def released(self) -> bool:
        """Whether release() has given it back."""
        return self._lease is None

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *exception: object) -> None:
        self._lease = None

    def __repr__(self) -> str:
        state = ", released" if self._lease is None else ""
        return f"<headrace.Batch epoch {self.epoch} step {self.step} rows {self.rows}: {', '.join(self)}{state}>"

    def __reduce__(self) -> Any:
        raise TypeError("a batch lives in memory leased to this process and cannot be pickled; copy its arrays first")

    def _leased(self) -> Any:
        lease = self._lease
        if lease is None:
            raise ValueError("this batch was released; its arrays are no longer ours")
        if lease.connection.closed:
            raise ValueError("the stream of this batch is closed; copy what is needed before that")
        return lease
