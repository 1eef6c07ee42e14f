"""One hr_stream of the C library, from hr_connect to hr_close: its ring, and who holds which slot of it.

1. `guard` serializes hr_release, hr_get_stats and hr_close. It is re-entrant, because the garbage collector may release
   a lease in the middle of any of them.
2. The handle is None once the session is over; then nothing calls the library any more, and a lease that returns is
   nobody's concern. (A service that came back is another session.)
3. A lease that the library gave and nobody has adopted (a signal came in between) stays in `raw` for the next acquire.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Protocol

from . import _lib

if TYPE_CHECKING:
    from ._files import FileTable
    from .batch import Batch

NOTHING = 0xFFFFFFFF  # no lease has this number
_hr_release = _lib.quick.hr_release  # called for each batch


class Stats(NamedTuple):
    """What this trainer has acquired so far."""

    batches: int
    rows: int
    bytes: int
    wait_seconds: float  #: spent waiting for batches
    held: int  #: slots that are ours now


class Owner(Protocol):
    """What a session needs of its connection."""

    def postpone(self, error: BaseException) -> None: ...


class Session:
    def __init__(self, owner: Owner, handle: int, info: _lib.Info) -> None:
        self.handle: Optional[int] = handle
        self.guard = threading.RLock()
        #: Lease, batch and (epoch, step), by the lease's number.
        self.held: dict[int, tuple[weakref.ref[Any], weakref.ref[Batch], tuple[int, int]]] = {}
        self.pin: Optional[Callable[[], None]] = None  #: undoes that the ring is registered with a device
        self.raw = _lib.RawBatch(size=ctypes.sizeof(_lib.RawBatch), lease=NOTHING)
        self.raw_ref = ctypes.byref(self.raw)
        self.files: Optional[FileTable] = None  #: as the service told it, once asked
        self.stager: str = info.stager.decode()
        self.batches: int = info.batches
        self.epochs: int = info.epochs
        self.slots: int = info.slots
        self.shared: bool = info.replicas > 1
        self.ring: int = info.ring or 0
        self.ring_bytes: int = info.ring_bytes
        self.lease_type = _lib.bytes_array(
            info.ring_bytes,
            "Lease",
            {
                "__doc__": "The ring, seen by one lease: the base of its views. When it is gone, the slot returns.",
                "__slots__": ("number", "__weakref__"),
                "session": self,
                "connection": owner,
                "__del__": _return_lease,
            },
        )

    def release(self, number: int) -> None:
        """Called by the garbage collector, in any thread: never raises, never waits for anything slow."""
        with self.guard:
            if self.handle is not None:
                _hr_release(self.handle, number, 1)
                self.held.pop(number, None)

    def return_unadopted(self, at_end: bool = False) -> None:
        """As not taken: after a seek that is refused it is still the next, and replicas count what has been taken.

        At the end as not used, so that the service hears of it; but where there are replicas, others go on.
        """
        if self.raw.lease != NOTHING:
            number, self.raw.lease = self.raw.lease, NOTHING
            if (at_end and not self.shared) or _lib.quick.hr_put_back(self.handle, number) != _lib.OK:
                _hr_release(self.handle, number, 0)

    def return_lost(self) -> bool:
        """Leases whose return was cut short by a signal handler that raised; False where there are none."""
        with self.guard:
            # Of a copy: a garbage collection in the middle may return others.
            lost = [number for number, (lease, *_) in self.held.copy().items() if lease() is None]
            for number in lost:
                self.release(number)
        return bool(lost)

    def stats(self) -> Stats:
        """Of this session. Its end is an error."""
        counted = _lib.Stats(size=ctypes.sizeof(_lib.Stats))
        with self.guard:
            code = _lib.quick.hr_get_stats(self.handle, ctypes.byref(counted))
        if code != _lib.OK:
            raise _lib.failure(code)
        return Stats(counted.batches, counted.rows, counted.bytes, counted.wait_seconds, counted.held)

    def end(self, goodbye: bool) -> None:
        """A second call does nothing. Views keep their values."""
        with self.guard:
            if self.handle is None:
                return
            self.return_unadopted(at_end=True)
            pin, self.pin = self.pin, None
            if pin is not None:
                pin()  # before the pages go, or get others
            handle, self.handle = self.handle, None
            held, self.held = self.held, {}
            _lib.waiting.hr_close(handle, int(goodbye), int(bool(held)))

    def die_in_child(self) -> None:
        """Of a fork: the parent's other threads may have held the guard."""
        self.handle, self.guard, self.held = None, threading.RLock(), {}


def _return_lease(lease: Any) -> None:
    try:
        if hasattr(lease, "number"):  # else never adopted
            lease.session.release(lease.number)
    except BaseException as error:
        lease.connection.postpone(error)
