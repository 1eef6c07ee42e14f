"""A trainer's connection: who may touch its session with a service when, and what becomes of it.

          close()               hr_close done
    OPEN ---------> CLOSING -----------------> CLOSED
    |  ^               ^
    v  | find          | close()
    LOST --------------'         any of them, in a forked child ---> FORKED

1. `_turn` serializes acquire, seek and close; it is re-entrant, because a signal handler may close in the middle of
   either. Then comes the session's guard (_session.py).
2. OPEN: the session's handle is there. Only whoever has the turn opens, loses and closes it; CLOSING may be set by any
   thread, and whoever waits notices within a slice. `_change` makes sure that nothing is made of it but CLOSED.
3. A lost service is left and found again inside acquire, seek and resume, where there is a way (_recovery.py).
4. A fork marks every connection of the child as dead, before any other Python code of the child runs.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import enum
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from . import _lib
from ._deferred import Deferred, Happening
from ._files import FileTable
from ._following import FIRST_WARNING as _FIRST_WARNING
from ._following import Following
from ._recovery import FindAgain, Recovery, log
from ._session import NOTHING, Session, Stats
from ._slots import EXHAUSTED_TIMEOUT, wait_for_slot
from .errors import Closed, Error, Forked, Timeout

if TYPE_CHECKING:
    from .batch import Batch

_ANSWER = 60.0  # seconds for a word of the service that it gives at once

_PINNED_TEXT = (
    "its ring is registered with the GPU by headrace.torch.Loader(device=...), and a copy to it out of a view would go "
    "on after the view is dropped; iterate that loader, connect another trainer, or give the loader pin=False"
)

Seen = TypeVar("Seen")


class Phase(enum.Enum):
    OPEN = "open"
    LOST = "lost"  #: its service is gone, and another not yet there
    CLOSING = "closing"
    CLOSED = "closed"
    FORKED = "forked"


_OPEN, _LOST = Phase.OPEN, Phase.LOST  # looked up at each batch


class Connection(Following):
    def __init__(
        self,
        handle: int,
        info: _lib.Info,
        batch_timeout: Optional[float],
        find_again: Optional[FindAgain] = None,
        exhausted_timeout: float = EXHAUSTED_TIMEOUT,
    ) -> None:
        self._phase = _OPEN
        self._changing = threading.RLock()
        self._turn = threading.RLock()
        self._postponed: Optional[BaseException] = None
        self._deferred = Deferred()
        self._try_acquire = _lib.quick.hr_acquire
        self._batch_timeout = batch_timeout
        self._exhausted_timeout = exhausted_timeout
        self.service: str = info.service.decode()
        self.label = f"stream {info.stream.decode()} of service {self.service}"
        self._who = f"trainer {info.rank} of {self.label}"
        self._recovery = Recovery(self._who, find_again)
        self._session = Session(self, handle, info)
        self.position = (info.epoch, info.step)  #: of the next batch; a follower's own count
        self.shared: bool = info.replicas > 1
        self._follows: bool = info.replica > 0  #: replica 0
        _open.add(self)

    # -- acquiring -----------------------------------------------------------------------------------------------------

    def acquire(
        self,
        epoch: int,
        make_batch: Callable[[Any, _lib.RawBatch], Batch],
        wait: bool = True,
        to_device: bool = False,
    ) -> Optional[Batch]:
        """make_batch(lease, raw batch) for the next batch; None where the epoch has none left.

        wait=False: None, too, where it would have to wait. to_device: the caller keeps the lease until a device has
        read the slot. Nobody else gets views of a ring that is registered with one, because a copy out of them may go
        on after the call that asked for it.
        """
        with self._turn:
            session = self._ready()
            if session.pin is not None and not to_device:
                raise Error(f"{self.label}: {_PINNED_TEXT}")
            if not self._leased(epoch, wait):
                return None
            session = self._session
            raw = session.raw
            lease = session.lease_type.from_address(session.ring)
            batch = make_batch(lease, raw)
            step = batch.step + 1
            following = (batch.epoch, step) if step < session.batches else (batch.epoch + 1, 0)
            with session.guard:  # this slot's last lease may just be returned, in another thread
                session.held[raw.lease] = weakref.ref(lease), weakref.ref(batch), (batch.epoch, batch.step)
                # No Python signal handler can run between these: adopted, and passed, exactly once.
                self.position = following
                lease.number = raw.lease
                raw.lease = NOTHING
            return batch

    def peek(self, make_batch: Callable[[Any, _lib.RawBatch], Batch], look: Callable[[Batch], Seen]) -> Optional[Seen]:
        """look(the next batch), which stays the next; None where there is none. `look` may keep no view."""
        with self._turn:
            self._ready()
            if not self._leased(self.position[0], True):
                return None
            session = self._session
            # A lease without a number returns nothing.
            seen = look(make_batch(session.lease_type.from_address(session.ring), session.raw))
            if session.shared:
                session.return_unadopted()
            return seen

    def _leased(self, epoch: int, wait: bool) -> bool:
        """The next batch is in the session's `raw`; False where there is none or, with wait=False, none yet."""
        if self._postponed is not None:
            error, self._postponed = self._postponed, None
            raise error
        if self.position[0] != epoch or (self.finished and not self._follows):
            return False
        if not self._obtained(wait):
            return False
        return not self._follows or self._met(epoch)

    def _obtained(self, wait: bool) -> bool:
        session = self._session
        if session.raw.lease == NOTHING:
            if self._deferred:
                self._deferred.return_finished()
            code = self._try_acquire(session.handle, 0.0, session.raw_ref)
            if code != _lib.OK:
                return (wait or code not in (_lib.TIMEOUT, _lib.EXHAUSTED)) and self._wait(code) == _lib.OK
        return True

    def _wait(self, code: int) -> int:
        """The slow path of acquire: OK or END, or an exception. `code` is what the first try said."""
        began = time.monotonic()
        warn_at = _FIRST_WARNING
        while code not in (_lib.OK, _lib.END):
            if code == _lib.EXHAUSTED:
                self._wait_for_slot()
                began = time.monotonic()
            elif code == _lib.TIMEOUT:
                waited = time.monotonic() - began
                if self._batch_timeout is not None and waited >= self._batch_timeout:
                    raise Timeout(self._waiting_for(waited))
                if waited >= warn_at:
                    log.warning("%s", self._waiting_for(waited))
                    warn_at *= 2
            elif code == _lib.LOST and self._recovery.possible:
                self._come_back()
                began, warn_at = time.monotonic(), _FIRST_WARNING
            elif code != _lib.INTERRUPTED:
                raise _lib.failure(code)
            self._deferred.return_finished()
            session = self._ready()
            code = _lib.waiting.hr_acquire(session.handle, self._slice(began), session.raw_ref)
        return code

    def _wait_for_slot(self) -> None:
        def come_back() -> bool:
            return self._deferred.return_oldest() or self._session.return_lost()

        wait_for_slot(self._ready, come_back, self._who, self._exhausted_timeout)

    def _waiting_for(self, seconds: float) -> str:
        epoch, step = self.position
        return (
            f"{self._who} has waited {seconds:.3g} s for a batch (epoch {epoch}, step {step}) from "
            f"{self._session.stager}; wait longer, or see what it waits for: headrace stat {self.service}"
        )

    # -- phases --------------------------------------------------------------------------------------------------------

    def _ready(self) -> Session:
        """The session; with a service that came back, if an attempt to wait for it was cut short."""
        if self._phase is _OPEN:
            return self._session
        if self._phase is _LOST:
            self._find()
        self._require_open()
        return self._session

    def _require_open(self) -> None:
        if self._phase is Phase.FORKED:
            raise Forked(f"{self.label}: {_lib.FORKED_TEXT}")
        if self._phase is not _OPEN:
            raise Closed(f"{self.label} is closed; connect again")

    def _change(self, before: tuple[Phase, ...], after: Phase) -> bool:
        with self._changing:
            # No Python signal handler, which might close, can run between these.
            if self._phase in before:
                self._phase = after
                return True
            return False

    def _come_back(self) -> None:
        self._require_open()
        log.warning("%s: %s; waiting for it to come back", self._who, _lib.error_text())
        session = self._session
        with session.guard:  # stats() sees it whole before or after
            given = session.stats()
            self._change((_OPEN,), _LOST)
            self._recovery.keep(given)
            if session.pin is not None:
                self._deferred.finish(self.label, self._exhausted_timeout)  # a device reads the ring until then
            session.end(goodbye=False)
        self._find()

    def _find(self) -> None:
        def watch() -> None:
            if self._phase is not _LOST:
                raise Closed(f"{self.label} was closed while it waited for its service")

        watch()
        session = self._recovery.find(lambda *found: Session(self, *found), self.position, watch)
        self._session = session  # close() ends it, too, if it comes in between
        if not self._change((_LOST,), _OPEN):
            watch()

    # -- going elsewhere, asking ---------------------------------------------------------------------------------------

    def seek(self, epoch: int, step: int) -> None:
        self._go_to((epoch, step), lambda handle: _lib.waiting.hr_seek(handle, epoch, step))

    def resume(self, epoch: int, step: int) -> None:
        """seek(), if the other trainers of the stream want to go on there, too."""
        self._go_to((epoch, step), lambda handle: _lib.waiting.hr_resume(handle, epoch, step, _ANSWER))

    def _go_to(self, position: tuple[int, int], go: Callable[[Optional[int]], int]) -> None:
        def call(session: Session) -> int:
            session.return_unadopted()
            return go(session.handle)

        with self._turn:
            self._insist(call)
            self.position = position

    def files(self) -> FileTable:
        """In which files samples are. Asked once of each service; dead and closed connections say nothing."""
        table = self._session.files
        if table is not None and self._phase is _OPEN:
            return table
        with self._turn:
            found, count = ctypes.POINTER(ctypes.POINTER(_lib.File))(), ctypes.c_size_t()
            references = ctypes.byref(found), ctypes.byref(count)
            self._insist(lambda session: _lib.waiting.hr_files(session.handle, *references))
            self._session.files = table = FileTable([found[i].contents for i in range(count.value)])
            return table

    def _insist(self, call: Callable[[Session], int]) -> None:
        """Calls until it is done, with a service found again where that was lost. With _turn held."""
        code = _lib.INTERRUPTED
        while code == _lib.INTERRUPTED:
            code = call(self._ready())
            if code == _lib.LOST and self._recovery.possible:
                self._come_back()
                code = _lib.INTERRUPTED
        if code != _lib.OK:
            raise _lib.failure(code, self.label)

    # -- returning -----------------------------------------------------------------------------------------------------

    def postpone(self, error: BaseException) -> None:
        """A signal handler raised while a lease was returned, where Python swallows it: the next acquire raises it."""
        self._postponed = error

    def defer(self, lease: Any, what: Happening) -> None:
        """Keeps a lease until that has happened."""
        self._deferred.add(what, lease)

    def pin(self, pin: Callable[[int, int], Optional[Callable[[], None]]]) -> None:
        """pin(address, bytes) registers the ring with a device and gives what undoes that, or None where it could not.

        Once for each ring. Not while batches are held, whose views somebody may have.
        """
        with self._turn:
            session = self._ready()
            while session.pin is None and self._deferred.return_oldest():
                pass
            if session.pin is None and not session.held:
                session.return_unadopted()  # a look at it gave copies
                session.pin = pin(session.ring, session.ring_bytes)

    # -- the rest ------------------------------------------------------------------------------------------------------

    def stats(self) -> Stats:
        while True:
            session = self._session
            with session.guard:  # its end waits
                if session is self._session:  # else it has ended, and another is in its place
                    if self._phase is not _LOST:
                        self._require_open()
                    return self._recovery.total(None if self._phase is _LOST else session.stats())

    @property
    def session(self) -> Session:
        return self._session

    @property
    def batches(self) -> int:
        return self._session.batches

    @property
    def ring(self) -> tuple[int, int]:
        """Address and bytes."""
        return self._session.ring, self._session.ring_bytes

    @property
    def finished(self) -> bool:
        """Nothing is left, or nothing ever was."""
        session = self._session
        return 0 < session.epochs <= self.position[0] or session.batches == 0

    @property
    def closed(self) -> bool:
        return self._phase is not _OPEN and self._phase is not _LOST

    def close(self, goodbye: bool) -> None:
        """With a goodbye, batches still held count as consumed; without, they come again. Views keep their values."""
        self._change((_OPEN, _LOST), Phase.CLOSING)  # an acquire in another thread notices within a slice
        with self._turn:
            if self._phase is not Phase.CLOSING:
                return
            if goodbye:
                self._drop_viewless()
            self._deferred.finish(self.label, self._exhausted_timeout)
            self._session.end(goodbye)
            self._change((Phase.CLOSING,), Phase.CLOSED)
            _open.discard(self)

    def _drop_viewless(self) -> None:
        """Batches whose views are gone need no copy of their slot; such is the loop variable after a loop."""
        for _, reference, _ in list(self._session.held.values()):
            batch = reference()
            if batch is not None:
                with contextlib.suppress(BufferError):
                    batch.release()

    def _die_in_child(self) -> None:
        self._phase = Phase.FORKED
        self._turn, self._changing = threading.RLock(), threading.RLock()  # other threads of the parent may hold them
        self._deferred = Deferred()
        self._session.die_in_child()


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
