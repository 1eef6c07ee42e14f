"""Leases that are kept until something has happened, such as an asynchronous copy of their batch to a device."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Optional


class Happening(NamedTuple):
    """Something that is waited for: whether it has happened, and a call that returns once it has."""

    happened: Callable[[], bool]
    wait: Callable[[], Any]
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
        return Happening(done, lambda: _wait_for_future(after, done), after)
    raise TypeError(
        f"release(after=) takes what says when it has happened, an event of a device (query(), synchronize()), a "
        f"jax.Array, a Future or a list of these; {type(after).__name__} does not. The batch is as it was"
    )


def _method(of: Any, name: str) -> Optional[Callable[[], Any]]:
    found = None if isinstance(of, type) else getattr(of, name, None)
    return found if callable(found) else None


def _wait_for_future(future: Any, done: Callable[[], Any]) -> None:
    """Whether it failed is its owner's concern: what it did with the batch is over in any case."""
    while not done():
        with contextlib.suppress(Exception):
            future.result()
        if not done():  # asyncio's do not wait
            time.sleep(0.001)


class Deferred:
    """What has to happen, and the lease that is kept until then. add() by any thread, the rest by one."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Happening, Any]] = deque()  # and the lease

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, what: Happening, lease: Any) -> None:
        self._waiting.append((what, lease))

    def return_finished(self) -> None:
        """Those that have happened. Where asking fails, the lease stays."""
        for _ in range(len(self._waiting)):
            if self._waiting[0][0].happened():
                self._waiting.popleft()
            else:
                self._waiting.rotate(-1)

    def return_oldest(self) -> bool:
        """Waits for the oldest; False where there is none."""
        if not self._waiting:
            return False
        self._waiting[0][0].wait()
        self._waiting.popleft()
        return True

    def drop_oldest(self) -> None:
        """Whatever became of it."""
        self._waiting.popleft()
