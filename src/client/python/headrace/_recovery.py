"""The part of a connection that outlives services: finds the one that came back, and adds up what all of them gave."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Optional

from . import _lib
from ._session import Session, Stats

log = logging.getLogger("headrace")

#: Calls its argument now and then while it waits, and gives a handle and what it is of.
FindAgain = Callable[[Callable[[], None]], tuple[int, _lib.Info]]


class Recovery:
    """Used by the thread that has the connection's turn; `total` by any."""

    def __init__(self, who: str, find_again: Optional[FindAgain]) -> None:
        self._who = who
        self._find_again = find_again
        self._before = Stats(0, 0, 0, 0.0, 0)  # of sessions that are over

    @property
    def possible(self) -> bool:
        return self._find_again is not None

    def keep(self, given: Stats) -> None:
        """What a session gave that is over now stays counted."""
        self._before = self.total(given)._replace(held=0)

    def find(
        self, make: Callable[[int, _lib.Info], Session], position: tuple[int, int], watch: Callable[[], None]
    ) -> Session:
        """Waits for the service to come back: a session that goes on at the position. `watch` ends it by raising."""
        assert self._find_again is not None
        began = time.monotonic()
        while True:
            session = make(*self._find_again(watch))
            code = _lib.waiting.hr_seek(session.handle, *position)
            if code == _lib.OK:
                break
            failure = _lib.failure(code, self._who)
            session.end(goodbye=False)
            if code != _lib.LOST:
                raise failure
        back = "%s is back after %.1f s; going on at epoch %d, step %d"
        log.warning(back, self._who, time.monotonic() - began, *position)
        return session

    def total(self, of_session: Optional[Stats]) -> Stats:
        """With all sessions before it."""
        before = self._before
        if of_session is None:
            return before
        return Stats(
            before.batches + of_session.batches,
            before.rows + of_session.rows,
            before.bytes + of_session.bytes,
            before.wait_seconds + of_session.wait_seconds,
            of_session.held,
        )
