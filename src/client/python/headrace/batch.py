"""One batch: a mapping of field names to arrays over shared memory, and the lease that they own together."""

from __future__ import annotations

import ctypes
import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional

import numpy as np

from . import _lib
from ._deferred import happening
from ._files import FileTable, Origin
from ._show import batch_table
from .schema import FieldSpec


class Layout:
    """What all batches of a stream have in common: name to (place, shape of a full batch, type)."""

    __slots__ = ("batch", "count", "fields", "read_only", "ring", "state_after")

    def __init__(
        self,
        schema: Mapping[str, FieldSpec],
        batch: int,
        ring: int,
        state_after: Callable[[int, int], dict[str, Any]],
        read_only: bool = False,
    ) -> None:
        self.fields = {name: (i, (batch, *spec.shape), spec.dtype) for i, (name, spec) in enumerate(schema.items())}
        self.count = len(self.fields)
        self.batch = batch
        self.ring = ring
        self.read_only = read_only  #: replicas share the batch
        self.state_after = state_after  #: the state of the stream once that batch is consumed


class Copied(dict[str, "np.ndarray[Any, Any]"]):
    """A batch's arrays as copies, which hold no slot: ``batch.copy()``, ``stream.peek()``. A dict, pickled as one.

    Attributes:
        epoch, step: which batch it is a copy of
        rows: how many rows are real
        index: the sample numbers, int64
    """

    epoch: int
    step: int
    rows: int
    index: np.ndarray[Any, Any]

    def __repr__(self) -> str:
        return f"<headrace copy of epoch {self.epoch} step {self.step} rows {self.rows}: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        return batch_table(self, "copy of batch")


class Batch(Mapping[str, "np.ndarray[Any, Any]"]):
    """What a trainer gets in one step: ``batch["ECAL"]`` is a NumPy view of shared memory, writable and not copied.

    The views own the lease: the slot goes back to the service when the batch is dropped and its last view is gone,
    where a view of a view, a memoryview or a torch tensor over one counts. Whoever keeps data for longer copies it::

        for batch in stream:
            x, label = batch["ECAL"], batch["label"]   # views
            seen.append(batch["label"].copy())         # kept: a copy

    Where replicas share a batch the views are read-only, and so is the memory: to get around that ends the process.

    As a context manager a batch is released at the end of the block, or with its last view if some are still alive.
    A forked child has no views: the memory is not mapped there, and touching it ends the child with SIGSEGV.

    Attributes:
        epoch: which epoch this batch is of, from 0
        step: its number in the epoch, from 0
        rows: how many rows are real: fewer than the arrays have only in a stream with last = pad
    """

    __slots__ = ("__weakref__", "_addresses", "_filled", "_index", "_layout", "_lease", "epoch", "rows", "step")

    epoch: int
    step: int
    rows: int
    _layout: Layout
    _lease: Any
    _addresses: list[int]
    _index: int
    _filled: int

    def __new__(cls, values: Optional[Mapping[str, Any]] = None) -> Batch:
        """Batches come from streams. ``type(batch)(mapping)``, by which frameworks rebuild mappings, is a Rebuilt."""
        rebuilt: Rebuilt = object.__new__(Rebuilt)
        rebuilt._values = dict(values or {})
        return rebuilt

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        layout = self._layout
        try:
            place, shape, dtype = layout.fields[name]
        except KeyError:
            raise KeyError(f"no field {name!r}; there are {', '.join(layout.fields)}") from None
        if self._filled != layout.batch:
            shape = (self._filled, *shape[1:])
        first = self._addresses[place] - layout.ring
        if layout.read_only:
            return _read_only(self._leased(), first, shape, dtype)
        view: np.ndarray[Any, Any] = np.ndarray(shape, dtype, self._leased(), first)
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(self._layout.fields)

    def __len__(self) -> int:
        return self._layout.count

    def __contains__(self, name: object) -> bool:
        return name in self._layout.fields

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def index(self) -> np.ndarray[Any, Any]:
        """The sample numbers, int64, one per row of the arrays; a copy, so that keeping it holds no slot."""
        lease = self._leased()
        numbers: np.ndarray[Any, Any] = np.empty(self._filled, np.int64)
        ctypes.memmove(numbers.ctypes.data, self._index, numbers.nbytes)
        del lease  # held until here
        return numbers

    @property
    def nbytes(self) -> int:
        """Of all arrays."""
        return sum(int(array.nbytes) for array in self.values())

    def files(self) -> Origin:
        """Which file and which row of it each sample is: ``paths, rows = batch.files()``, real rows only.

        The service is asked for its files at the first call of the stream; a stream that does not call pays nothing.
        """
        table: FileTable = self._leased().connection.files()
        return table.origin(self.index[: self.rows])

    def to_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """The views, as a dict."""
        return dict(self)

    def copy(self) -> Copied:
        """Copies of all arrays, as a dict that may be kept: it holds no slot."""
        copied = Copied((name, view.copy()) for name, view in self.items())
        copied.epoch, copied.step, copied.rows, copied.index = self.epoch, self.step, self.rows, self.index
        return copied

    def state_dict(self) -> dict[str, Any]:
        """The stream's state once this batch is consumed, whatever was read ahead: see Stream.state_dict()."""
        return self._layout.state_after(self.epoch, self.step)

    def release(self, after: Optional[Any] = None) -> None:
        """Returns the slot now. BufferError while views live, as with memoryview; a second call does nothing.

        With `after` the slot is kept until that has happened (an asynchronous copy to a device is done) and the last
        view is gone: a torch.cuda.Event, a jax.Array, a Future, or a list of these::

            x = torch.from_numpy(batch["x"]).to("cuda", non_blocking=True)
            event = torch.cuda.Event()
            event.record()
            batch.release(after=event)
        """
        lease = self._lease
        if lease is None:
            return
        if after is not None:
            lease.connection.defer(lease, happening(after))
            self._lease = None
            return
        self._lease = None
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

    def _repr_html_(self) -> str:
        return batch_table({} if self.released else self, repr(self))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __reduce__(self) -> Any:
        raise TypeError(
            "a batch lives in memory leased to this process and cannot be pickled; batch.copy() is a dict that can"
        )

    def _leased(self) -> Any:
        lease = self._lease
        if lease is None:
            raise ValueError("this batch was released; its arrays are no longer ours")
        if lease.connection.closed:
            raise ValueError("the stream of this batch is closed; copy what is needed before that")
        return lease


class Rebuilt(Batch):
    """What a framework made of a batch by moving its parts: a mapping of these, which owns no lease itself."""

    __slots__ = ("_values",)

    _values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"this batch was rebuilt by a framework from its arrays alone and has no '{name}'; where that is needed, "
            "put headrace.INDEX or ROWS into a structure: headrace.torch.Loader(stream, {...})"
        )

    @property
    def index(self) -> np.ndarray[Any, Any]:
        return self.__getattr__("index")  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<headrace.Batch rebuilt: {', '.join(self)}>"

    def __reduce__(self) -> Any:
        return Batch, (self._values,)


def _read_only(lease: Any, first: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A view that cannot be made writable: its base is a memoryview, through which np.ndarray() would see."""
    count = math.prod(shape)
    if count == 0:
        return np.empty(shape, dtype)
    memory = memoryview(lease).toreadonly()[first : first + count * dtype.itemsize]
    return np.frombuffer(memory, dtype).reshape(shape)


def leased_batch(layout: Layout, lease: Any, raw: _lib.RawBatch) -> Batch:
    """For streams: the batch that the library gave, owner of its lease."""
    batch: Batch = object.__new__(Batch)
    batch._layout = layout
    batch._lease = lease
    batch._addresses = raw.data[: layout.count]
    batch._index = raw.index
    batch._filled = raw.filled
    batch.epoch = raw.epoch
    batch.step = raw.step
    batch.rows = raw.rows
    return batch
