"""Replicas: what the loops of those other than replica 0 do where it seeks, and where all leave a loop alike."""

from __future__ import annotations

import threading
import time
from typing import Optional

from . import _lib
from ._recovery import log
from ._session import Session
from .errors import Timeout

_SLICE = 0.25  # seconds in the library at a time: also bounds how long a signal that came just before can wait
FIRST_WARNING = 30.0  # seconds of waiting for one batch


class Following:
    """A part of a connection."""

    label: str
    position: tuple[int, int]
    _who: str
    _session: Session
    _follows: bool
    _turn: threading.RLock
    _batch_timeout: Optional[float]

    def seek(self, epoch: int, step: int) -> None:
        raise NotImplementedError

    def _ready(self) -> Session:
        raise NotImplementedError

    def _obtained(self, wait: bool) -> bool:
        raise NotImplementedError

    def _slice(self, began: float) -> float:
        if self._batch_timeout is None:
            return _SLICE
        return min(_SLICE, max(0.0, self._batch_timeout - (time.monotonic() - began)))

    def _met(self, epoch: int) -> bool:
        """Whether the batch is of that epoch; of another, where replica 0 has led elsewhere."""
        raw = self._session.raw
        self.position = raw.epoch, raw.step
        if raw.epoch == epoch:
            return True
        self._session.return_unadopted()  # replica 0 may go on before somebody wants it
        return False

    def place_of_next(self) -> tuple[int, int]:
        """Of the next batch. A follower waits for it: it may be anywhere."""
        if self._follows:
            with self._turn:
                self._ready()
                if self._obtained(True):
                    self.position = self._session.raw.epoch, self._session.raw.step
        return self.position

    def move(self, epoch: int, step: int) -> None:
        """Where the loops of all replicas go of themselves: replica 0 seeks, the others follow."""
        if not self._follows:
            return self.seek(epoch, step)
        with self._turn:
            self._ready().return_unadopted()
            began, warn_at = time.monotonic(), FIRST_WARNING
            while True:
                code = _lib.waiting.hr_follow(self._ready().handle, self._slice(began))
                if code == _lib.OK:
                    break
                waited = time.monotonic() - began
                if code == _lib.TIMEOUT:
                    text = f"{self._who} has waited {waited:.3g} s for replica 0 to leave its loop as well"
                    if self._batch_timeout is not None and waited >= self._batch_timeout:
                        raise Timeout(f"{text}; all replicas must iterate alike")
                    if waited >= warn_at:
                        log.warning("%s", text)
                        warn_at *= 2
                elif code != _lib.INTERRUPTED:
                    raise _lib.failure(code, self.label)
            self.position = epoch, step
