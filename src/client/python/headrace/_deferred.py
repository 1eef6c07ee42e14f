"""Leases that are kept until something has happened, such as an asynchronous copy of their batch to a device."""

from __future__ import annotations

from collections import deque
from typing import Any


class Deferred:
    """Events with query() and synchronize(), and the lease that each keeps. add() by any thread, the rest by one."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Any, Any]] = deque()  # (event, lease)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, event: Any, lease: Any) -> None:
        self._waiting.append((event, lease))

    def return_finished(self) -> None:
        """Those whose event has happened."""
        for _ in range(len(self._waiting)):
            event, lease = self._waiting.popleft()
            if not event.query():
                self._waiting.append((event, lease))

    def return_oldest(self) -> bool:
        """Waits for the oldest event; False where there is none."""
        if not self._waiting:
            return False
        self._waiting[0][0].synchronize()
        self._waiting.popleft()
        return True

    def drop_oldest(self) -> None:
        """Whatever became of its event."""
        self._waiting.popleft()
