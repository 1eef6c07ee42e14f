"""Batches to a GPU: asynchronous copies out of the ring, which is page-locked for them.

1. Nobody but the event of a batch knows when its copies are done: neither torch nor CUDA keeps memory that others
   have page-locked. So each batch has an event, until which its lease and all sources of its copies are kept.
2. A ring is registered once, and unregistered by its session before it is unmapped or another takes its place.
3. Where it cannot be registered, copies are of pageable memory: slower, and as right.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Optional, Protocol

from ._recovery import log

if TYPE_CHECKING:
    from ._connection import Connection

_PORTABLE, _READ_ONLY = 1, 8  # cudaHostRegisterPortable: for all devices of this process; ...ReadOnly


class Runtime(Protocol):
    """What is asked of a GPU. Tests have one that copies late, and by address, as such devices do."""

    def register(self, address: int, size: int, read_only: bool) -> str:
        """Page-locks that memory, which is mapped to read only where replicas share it: "" or what went wrong."""
        ...

    def unregister(self, address: int) -> None: ...

    def copy(self, source: Any) -> Any:
        """A tensor on the device, which has the source's values once the next event has happened."""
        ...

    def event(self) -> Any:
        """Has query() and synchronize(); happens once all copies asked for so far are done."""
        ...

    def give(self, tensors: Sequence[Any], event: Any) -> None:
        """What is asked of the device from here on finds the values there."""
        ...


class Gpu:
    def __init__(self, runtime: Runtime, pin: bool) -> None:
        self.runtime = runtime
        self._pin = pin
        self._tried: Any = None  # to page-lock the ring of this session

    def begin(self) -> None:
        """A loop begins: a ring that could not be page-locked yet, because somebody had views of it, is tried again."""
        self._tried = None

    def see_to(self, connection: Connection) -> None:
        """Before each batch is taken: page-locks the ring, once, and again where another service brought another."""
        if self._pin and connection.session is not self._tried:
            connection.pin(functools.partial(self._register, connection.shared))
            self._tried = connection.session

    def _register(self, read_only: bool, address: int, size: int) -> Optional[Callable[[], None]]:
        failure = self.runtime.register(address, size, read_only)
        if not failure:
            return lambda: self.runtime.unregister(address)
        log.warning(
            "the ring (%.0f MB) cannot be page-locked for the GPU (%s); batches are copied out of pageable memory, "
            "slower. Raise the limit of locked memory (ulimit -l), or give the service fewer slots",
            size / 1e6,
            failure,
        )
        self._pin = False
        return None


class Cuda:
    """The runtime of PyTorch, on a stream of its own."""

    def __init__(self, torch: Any, device: Any) -> None:
        self._torch, self._device = torch, device
        self._stream = torch.cuda.Stream(device)
        self._cudart = torch.cuda.cudart()

    def register(self, address: int, size: int, read_only: bool) -> str:
        with self._torch.cuda.device(self._device):
            code = self._cudart.cudaHostRegister(address, size, _PORTABLE | (_READ_ONLY if read_only else 0))
        if int(code) == 0:
            return ""
        _forget_last_error()
        return f"cudaHostRegister: {self._cudart.cudaGetErrorString(code)}"

    def unregister(self, address: int) -> None:
        self._cudart.cudaHostUnregister(address)

    def copy(self, source: Any) -> Any:
        torch = self._torch
        with torch.cuda.stream(self._stream):
            target = torch.empty(source.shape, dtype=source.dtype, device=self._device)
            return target.copy_(source, non_blocking=True)

    def event(self) -> Any:
        event = self._torch.cuda.Event()
        event.record(self._stream)
        return event

    def give(self, tensors: Sequence[Any], event: Any) -> None:
        current = self._torch.cuda.current_stream(self._device)
        current.wait_event(event)
        for tensor in tensors:
            tensor.record_stream(current)  # else its memory were free for the next copy while this stream reads it


def _forget_last_error() -> None:
    """A failed call leaves an error behind that torch would report with its next kernel; torch cannot clear it."""
    for name in (None, "libcudart.so.13", "libcudart.so.12", "libcudart.so"):
        try:
            ctypes.CDLL(name).cudaGetLastError()
            return
        except (OSError, AttributeError):
            continue
