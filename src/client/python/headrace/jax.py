"""JAX: batches of a stream as jax.Arrays, placed as a sharding says, transfers running ahead of the steps.

for epoch in range(10):
    for x, y in headrace.jax.batches(stream, ("ECAL", "label")):
        state = step(state, x, y)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Optional, Union

import numpy as np

try:
    import jax
except ImportError as error:
    raise ImportError(f"headrace.jax needs JAX ({error}): pip install 'headrace[jax]'") from error

from ._ahead import Ahead
from ._loop import Loop
from ._mapped import Standing
from ._memory import Buffers, aligned_copy, unowned
from .batch import Batch, Copied
from .errors import Invalid
from .stream import Stream
from .structure import INDEX, ROWS, VALID, Arrangement, Structure, array_of

__all__ = ["Batches", "batches"]

_SMALL = 128 << 10  # bytes; up to here a call of a jitted function, whose results are copies, costs least by far
_through = jax.jit(lambda arrays: arrays)


def batches(
    stream: Stream,
    structure: Optional[Structure] = None,
    *,
    sharding: Any = None,
    prefetch: int = 2,
    copy: bool = True,
) -> Batches:
    """An iterable of batches, one epoch for each loop, with the length and the state of the stream.

    structure
        field names, headrace.INDEX, ROWS and VALID in tuples, lists and dicts; None: a dict of all fields
    sharding
        where the arrays go: a jax.sharding.Sharding or a device, for all leaves, or a structure like that of the batch.
        One that spans processes makes global arrays, of which each process gives the rows of its own trainer
    prefetch
        how many batches are on their way while one is used
    copy
        True: what is given owns its memory, and any loop, also one that never waits, keeps it as it likes. False, which
        says something on CPUs alone: arrays over the slot itself, which returns once JAX lets go of them, some time
        after the last computation that reads them; for loops that keep none, with slots enough

    64-bit types need jax_enable_x64; without it JAX makes 32 of them, as everywhere.
    """
    return Batches(stream, structure, sharding, prefetch, copy)


class Batches(Standing):
    """See batches()."""

    def __init__(
        self, stream: Stream, structure: Optional[Structure], sharding: Any, prefetch: int, copy: bool = True
    ) -> None:
        if not isinstance(stream, Stream):
            raise TypeError(f"batches() takes a headrace.Stream, not {type(stream).__name__}")
        if prefetch < 0:
            raise Invalid(f"prefetch = {prefetch}: how many batches to take ahead, 0 or more")
        self._stream: Stream = stream
        self._arrangement = Arrangement(stream.schema, structure)
        self._leaves = [leaf for leaf in self._arrangement.leaves() if leaf != ROWS]
        self._shardings = self._arrangement.beside(sharding)
        self._prefetch = prefetch
        self._copies = copy
        self._placed = any(sharding is not None for sharding in self._shardings)
        self._owned = _on_cpu(self._shardings)
        self._buffers = Buffers()

    def __iter__(self) -> Iterator[Any]:
        return self._run(Loop(self._stream, resumes=False, ahead=True))

    def resume(self) -> Iterator[Any]:
        """The rest of the current epoch, as Stream.resume()."""
        return self._run(Loop(self._stream, resumes=True, ahead=True))

    def peek(self) -> Any:
        """The next batch as a loop would give it, from a copy; nothing moves."""
        copied = self._stream.peek()
        return self._arranged(copied.rows, self._put([aligned_copy(array) for array in self._arrays(copied)]))

    @property
    def stream(self) -> Stream:
        """The stream behind it."""
        return self._stream

    def __repr__(self) -> str:
        return f"<headrace.jax.Batches of {self._stream!r}: {self._arrangement.structure!r}>"

    def _run(self, loop: Loop) -> Iterator[Any]:
        return Ahead(loop, self._prefetch, loop.take, self._send, self._given)

    def _send(self, batch: Batch) -> _Sent:
        """On a CPU JAX takes over a copy. A device reads the slot, which is kept until the transfer is done."""
        position, rows = (batch.epoch, batch.step), batch.rows
        if self._owned:
            make = self._copy if self._copies else _itself
            return _Sent(position, rows, self._put([make(array) for array in self._arrays(batch)]), None)
        of_slot = [leaf not in (INDEX, VALID) for leaf in self._leaves]
        arrays = self._put([unowned(x) if slot else x for x, slot in zip(self._arrays(batch), of_slot)])
        transfer = _Transfer(arrays)
        batch.release(after=transfer)
        return _Sent(position, rows, arrays, transfer)

    def _copy(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Ours, that JAX may take over; what it will copy once more needs no alignment."""
        plain = array.nbytes <= _SMALL and not self._placed
        return np.array(array) if plain else self._buffers.copy(array)

    def _given(self, sent: _Sent) -> Any:
        if sent.transfer is not None:
            sent.transfer.synchronize()  # before the user may donate the arrays, after which nobody can ask them
        return self._arranged(sent.rows, sent.arrays)

    def _arrays(self, batch: Union[Batch, Copied]) -> list[np.ndarray[Any, Any]]:
        return [array_of(batch, leaf) for leaf in self._leaves]

    def _arranged(self, rows: int, arrays: list[Any]) -> Any:
        following = iter(arrays)
        return self._arrangement.map(lambda leaf: rows if leaf == ROWS else next(following))

    def _put(self, arrays: list[np.ndarray[Any, Any]]) -> list[Any]:
        """One call for all of them, where none spans processes, and but for small ones on a CPU."""
        shardings = self._shardings
        if not self._placed:
            if not self._owned:
                return jax.device_put(arrays)  # type: ignore[no-any-return]
            return _put_on_cpu(arrays)
        if all(getattr(sharding, "is_fully_addressable", True) for sharding in shardings):
            return jax.device_put(arrays, shardings)  # type: ignore[no-any-return]
        return [jax.make_array_from_process_local_data(*pair) for pair in zip(shardings, arrays)]


def _put_on_cpu(arrays: list[np.ndarray[Any, Any]]) -> list[Any]:
    """By one call for the small ones and one for the others."""
    small = [] if jax.config.jax_disable_jit else [array for array in arrays if array.nbytes <= _SMALL]
    large = [array for array in arrays if array.nbytes > _SMALL] if small else arrays
    if not small:
        return jax.device_put(large)  # type: ignore[no-any-return]
    with jax.transfer_guard_host_to_device("allow"):  # it is for transfers that nobody asked for, as in device_put()
        put = _through(small)
    if not large:
        return put  # type: ignore[no-any-return]
    of_small, of_large = iter(put), iter(jax.device_put(large))
    return [next(of_small) if array.nbytes <= _SMALL else next(of_large) for array in arrays]


def _itself(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array


class _Transfer:
    """Of a batch to a device."""

    def __init__(self, arrays: list[Any]) -> None:
        self._arrays = arrays

    def query(self) -> bool:
        return all(array.is_ready() for array in self._arrays)

    def synchronize(self) -> None:
        jax.block_until_ready(self._arrays)
        self._arrays = []  # for ever


class _Sent(NamedTuple):
    """A batch on its way."""

    position: tuple[int, int]
    rows: int
    arrays: list[Any]  #: as the leaves come, without ROWS
    transfer: Optional[_Transfer]  #: None where nothing of the slot is read any more


def _on_cpu(shardings: list[Any]) -> bool:
    for sharding in shardings:
        if sharding is None:
            sharding = jax.config.jax_default_device or jax.devices()[0]
        devices = sharding.device_set if isinstance(sharding, jax.sharding.Sharding) else [sharding]
        if any(getattr(device, "platform", device) == "cpu" for device in devices):
            return True
    return False
