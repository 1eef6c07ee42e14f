"""Leases that are kept until something has happened, such as an asynchronous copy of their batch to a device."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Optional

log = logging.getLogger("headrace")
_NAP = 0.0005  # seconds from asking to asking


class Happening(NamedTuple):
    """Something that is waited for."""

    happened: Callable[[], bool]
    wait: Callable[[], Any]  #: returns once a device is done; at once for a future, which may never be and is asked
    what: Any  #: with all that it keeps


def happening(after: Any) -> Happening:
    """An event of a device, an array of JAX, a future, or a list of them; else TypeError."""
    if isinstance(after, (list, tuple)):
        parts = [happening(part) for part in after]
        return Happening(lambda: all(part.happened() for part in parts), lambda: [part.wait() for part in parts], after)
    for asked, waited in (("query", "synchronize"), ("is_ready", "block_until_ready")):
        ask, wait = _method(after, asked), _method(after, waited)
        if ask is not None and wait is not None:
            return Happening(ask, wait, after)
    done = _method(after, "done")
    if done is not None and _method(after, "result") is not None:
        return Happening(done, lambda: None, after)  # whether it failed is its owner's concern
    raise TypeError(
        f"release(after=) takes what says when it has happened, an event of a device (query(), synchronize()), a "
        f"jax.Array, a Future or a list of these; {type(after).__name__} does not. The batch is as it was"
    )


def _method(of: Any, name: str) -> Optional[Callable[[], Any]]:
    found = None if isinstance(of, type) else getattr(of, name, None)
    return found if callable(found) else None


class Deferred:
    """What has to happen, and the lease that is kept until then. add() by any thread, the rest by one."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Happening, Any]] = deque()  # and the lease

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, what: Happening, lease: Any) -> None:
        self._waiting.append((what, lease))

    def return_finished(self) -> bool:
        """Those that have happened; False where there are none. Where asking fails, the lease stays."""
        before = len(self._waiting)
        for _ in range(before):
            if self._waiting[0][0].happened():
                self._waiting.popleft()
            else:
                self._waiting.rotate(-1)
        return len(self._waiting) < before

    def return_oldest(self) -> bool:
        """Waits for the oldest, if it is a device; False where nothing has happened."""
        if self._waiting:
            self._waiting[0][0].wait()
        return self.return_finished()

    def finish(self, who: str, limit: float) -> None:
        """Waits for all devices, and up to `limit` seconds for futures: their leases stay then, as views do."""
        ends = time.monotonic() + limit
        while self._waiting:
            try:
                if not self.return_oldest():
                    if time.monotonic() >= ends:
                        log.warning("%s: batches are still kept until this happens: %s", who, self)
                        return
                    time.sleep(_NAP)
            except Exception as error:  # the device failed: its copies are over in any case
                log.warning("%s: waiting for a device copy failed at close: %s", who, error)
                self._waiting.popleft()

    def __str__(self) -> str:
        return ", ".join(repr(what.what) for what, _ in self._waiting)
