"""Loops of faces that take batches ahead: some are on their way to a device while the user has another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, Optional, Protocol, TypeVar

from ._loop import Loop
from .batch import Batch


class OnItsWay(Protocol):
    @property
    def position(self) -> tuple[int, int]: ...


Sent = TypeVar("Sent", bound=OnItsWay)


class Ahead(Iterator[Any], Generic[Sent]):
    """take(wait) from the loop, send() on its way, and give() what has arrived to the user.

    No generator: that would be over after an exception, such as a Timeout, and the rest of the epoch with it.
    """

    def __init__(
        self,
        loop: Loop,
        prefetch: int,
        take: Callable[[bool], Optional[Batch]],
        send: Callable[[Batch], Sent],
        give: Callable[[Sent], Any],
    ) -> None:
        self._loop, self._prefetch = loop, prefetch
        self._take, self._send, self._give = take, send, give
        self._ahead: deque[Sent] = deque()
        self._jumps = loop.jumps

    def __next__(self) -> Any:
        loop, ahead = self._loop, self._ahead
        if self._jumps != loop.jumps or loop.over:  # what was taken ahead is of the place before, or comes again
            ahead.clear()
            self._jumps = loop.jumps
        while len(ahead) <= self._prefetch:
            batch = self._take(not ahead)
            if batch is None:
                break
            ahead.append(self._send(batch))
            del batch
        if not ahead:
            loop.end()
            raise StopIteration
        made = self._give(ahead[0])
        loop.give(ahead.popleft().position)
        return made
