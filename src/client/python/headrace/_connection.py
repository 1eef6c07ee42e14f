"""One hr_stream of the C library, and who may touch it when.

1. `_turn` serializes hr_acquire, seek and close; `_guard` serializes hr_release and the end of the handle. Both are
   re-entrant, because the garbage collector may release a lease in the middle of either. Order: _turn, then _guard.
2. The handle is None once closed or forked; then nothing calls the library any more.
3. A lease that the library gave and nobody has adopted (a signal came in between) stays in `_raw` for the next acquire.
4. A lost service is left and found again inside acquire, seek and resume, where `find_again` is given. `_age` tells the
   leases of one service from those of the next: what an old one returns concerns nobody.
5. A fork marks every connection of the child as dead, before any other Python code of the child runs.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import os
import re
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

from . import _lib
from ._recovery import NOTHING, FindAgain, Recovery, log
from .errors import Closed, Forked, Timeout

if TYPE_CHECKING:
    from .batch import Batch

_SLICE = 0.25  # seconds in the library at a time: also bounds how long a signal that came just before can wait
_AGE = 1 << 32  # more than a lease's number
_FIRST_WARNING = 30.0  # seconds of waiting for one batch


class Connection(Recovery):
    def __init__(
        self, handle: int, info: _lib.Info, batch_timeout: Optional[float], find_again: Optional[FindAgain] = None
    ) -> None:
        self._find_again = find_again
        self._closing = self._lost = False
        self._forked = False
        self._turn = threading.RLock()
        self._guard = threading.RLock()
        self._held: dict[int, tuple[weakref.ref[Any], weakref.ref[Batch]]] = {}  # lease and batch, by number
        self._postponed: Optional[BaseException] = None
        self._deferred: deque[tuple[Any, Any]] = deque()  # (event, lease); appended to by any thread
        self._raw = _lib.RawBatch(lease=NOTHING)
        self._raw_ref = ctypes.byref(self._raw)
        self._try_acquire = _lib.quick.hr_acquire
        self._hr_release = _lib.quick.hr_release
        self._batch_timeout = batch_timeout
        self.label = f"stream {info.stream.decode()} of service {info.service.decode()}"
        self.rank: int = info.rank
        self._age = -_AGE
        self._before = (0, 0, 0, 0.0)  # batches, rows, bytes and seconds of waiting with earlier services
        self._take(handle, info)
        self.position = (info.epoch, info.step)  #: of the next batch
        _open.add(self)

    def _take(self, handle: int, info: _lib.Info) -> None:
        self._handle: Optional[int] = handle
        self._age += _AGE
        self._files = None
        self.batches: int = info.batches
        self.epochs: int = info.epochs
        self.ring: int = info.ring or 0
        self.ring_bytes: int = info.ring_bytes
        self._lease_type = _lib.bytes_array(
            info.ring_bytes,
            "Lease",
            {
                "__doc__": "The ring, seen by one lease: the base of its views. When it is gone, the slot returns.",
                "__slots__": ("connection", "number", "__weakref__"),
                "__del__": _return_lease,
            },
        )

    # -- acquiring -----------------------------------------------------------------------------------------------------

    def acquire(self, epoch: int, make_batch: Callable[[Any, _lib.RawBatch], Batch]) -> Optional[Batch]:
        """make_batch(lease, raw batch) for the next batch; None where the epoch has none left."""
        with self._turn:
            raw = self._raw
            handle = self._ready()
            if self._postponed is not None:
                error, self._postponed = self._postponed, None
                raise error
            if self.position[0] != epoch or self.finished:
                return None
            if raw.lease == NOTHING:
                if self._deferred:
                    self._return_finished()
                code = self._try_acquire(handle, 0.0, self._raw_ref)
                if code != _lib.OK and self._wait(code) == _lib.END:
                    return None
            lease = self._lease_type.from_address(self.ring)
            lease.connection = self
            batch = make_batch(lease, raw)
            step = batch.step + 1
            following = (batch.epoch, step) if step < self.batches else (batch.epoch + 1, 0)
            self._held[raw.lease] = weakref.ref(lease), weakref.ref(batch)
            # No Python signal handler can run between these: adopted, and passed, exactly once.
            self.position = following
            lease.number = self._age + raw.lease
            raw.lease = NOTHING
            return batch

    def _wait(self, code: int) -> int:
        """The slow path of acquire: OK or END, or an exception. `code` is what the first try said."""
        began = time.monotonic()
        warn_at, collected = _FIRST_WARNING, False
        while code not in (_lib.OK, _lib.END):
            if code == _lib.EXHAUSTED:
                if not (self._return_oldest() or self._return_lost()):
                    if collected:
                        raise _lib.failure(code)
                    collected = True
                    gc.collect()  # batches in reference cycles hold slots, too
            elif code == _lib.TIMEOUT:
                waited = time.monotonic() - began
                if self._batch_timeout is not None and waited >= self._batch_timeout:
                    raise Timeout(self._waiting_for(waited))
                if waited >= warn_at:
                    log.warning("%s", self._waiting_for(waited))
                    warn_at *= 2
            elif code == _lib.LOST and self._find_again is not None:
                self._come_back()
                began, warn_at = time.monotonic(), _FIRST_WARNING
            elif code != _lib.INTERRUPTED:
                raise _lib.failure(code)
            self._return_finished()
            code = _lib.waiting.hr_acquire(self._usable(), self._slice(began), self._raw_ref)
        return code

    def _slice(self, began: float) -> float:
        if self._batch_timeout is None:
            return _SLICE
        return min(_SLICE, max(0.0, self._batch_timeout - (time.monotonic() - began)))

    def _waiting_for(self, seconds: float) -> str:
        what = re.sub(r" (within [\d.e-]+ s|without a wait)", "", _lib.error_text(), count=1)  # a slice says nothing
        return f"trainer {self.rank} of {self.label} has waited {seconds:.3g} s: {what}"

    def _usable(self) -> int:
        handle = self._handle
        if handle is None or self._closing:
            if self._forked:
                raise Forked(f"{self.label}: {_lib.FORKED_TEXT}")
            raise Closed(f"{self.label} is closed; connect again")
        return handle

    # -- returning -----------------------------------------------------------------------------------------------------

    def release(self, number: int) -> None:
        """Called by the garbage collector, in any thread: never raises, never waits for anything slow."""
        with self._guard:
            number -= self._age
            if self._handle is not None and number >= 0:
                self._hr_release(self._handle, number, 1)
                self._held.pop(number, None)

    def postpone(self, error: BaseException) -> None:
        """A signal handler raised while a lease was returned, where Python swallows it: the next acquire raises it."""
        self._postponed = error

    def _return_lost(self) -> bool:
        """Leases whose return was cut short by a signal handler that raised; False where there are none."""
        with self._guard:
            lost = [number for number, (lease, _) in self._held.items() if lease() is None]
            for number in lost:
                self.release(self._age + number)
        return bool(lost)

    def defer(self, lease: Any, event: Any) -> None:
        """Keeps a lease until event.query() is true."""
        self._deferred.append((event, lease))

    def _return_finished(self) -> None:
        for _ in range(len(self._deferred)):
            event, lease = self._deferred.popleft()
            if not event.query():
                self._deferred.append((event, lease))

    def _return_oldest(self) -> bool:
        """Waits for the oldest deferred lease's event; False where there is none."""
        if not self._deferred:
            return False
        self._deferred[0][0].synchronize()
        self._deferred.popleft()
        return True

    # -- the rest ------------------------------------------------------------------------------------------------------

    def stats(self) -> tuple[int, int, int, float, int]:
        """Batches, rows, bytes, seconds of waiting, and leases held."""
        with self._guard:
            if self._lost:
                return (*self._before, 0)
            return self._counted(self._usable())

    @property
    def finished(self) -> bool:
        """Nothing is left, or nothing ever was."""
        return 0 < self.epochs <= self.position[0] or self.batches == 0

    @property
    def closed(self) -> bool:
        return self._closing or (self._handle is None and not self._lost)

    def close(self, goodbye: bool) -> None:
        """With a goodbye, batches still held count as consumed; without, they come again. Views keep their values."""
        self._closing = True  # an acquire in another thread notices within a slice
        with self._turn:
            if goodbye:
                self._drop_viewless()
            self._finish_deferred()
            with self._guard:
                handle, self._handle = self._handle, None
                if handle is None:
                    return
                self._return_unadopted(handle)
                held, self._held = self._held, {}
                _lib.waiting.hr_close(handle, int(goodbye), int(bool(held)))
                _open.discard(self)

    def _drop_viewless(self) -> None:
        """Batches whose views are gone need no copy of their slot; such is the loop variable after a loop."""
        for _, reference in list(self._held.values()):
            batch = reference()
            if batch is not None:
                with contextlib.suppress(BufferError):
                    batch.release()

    def _finish_deferred(self) -> None:
        while self._deferred:
            try:
                self._return_oldest()
            except Exception as error:  # the device failed: its copies are over in any case
                log.warning("%s: waiting for a device copy failed at close: %s", self.label, error)
                self._deferred.popleft()

    def _die_in_child(self) -> None:
        self._forked, self._handle = True, None
        self._turn, self._guard = threading.RLock(), threading.RLock()  # the parent's other threads may have held them
        self._held, self._deferred = {}, deque()


def _return_lease(lease: Any) -> None:
    try:
        if hasattr(lease, "number"):  # else never adopted
            lease.connection.release(lease.number)
    except BaseException as error:
        lease.connection.postpone(error)


_open: weakref.WeakSet[Connection] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for connection in list(_open):
        connection._die_in_child()
    _open.clear()


def _at_exit() -> None:
    """A program that ends without closing says goodbye, unless an exception that nobody caught ended it."""
    interactive = hasattr(sys, "ps1") or bool(sys.flags.interactive)
    failed = getattr(sys, "last_exc", None) is not None or getattr(sys, "last_value", None) is not None
    for connection in list(_open):
        connection.close(goodbye=interactive or not failed)


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
