"""Loops over a stream: which epoch the next one is of, and what counts as given where batches are taken ahead.

1. A `for` is the next epoch; or the rest of one that was attached to or sought; or, where the loop before was dropped
   after at most one batch (a probe: somebody wanted to see what a batch looks like), the same once more; or the epoch
   that set_epoch() has named.
2. Nothing moves before a loop is asked for its first batch, so that iter() alone never costs anything.
3. What is taken is not yet given: a face that reads ahead says what it has given, and the stream's position and state
   are those of the batch last given. Whoever goes on without the face goes on there.
"""

from __future__ import annotations

from typing import Optional, Protocol

from ._connection import Connection
from ._recovery import log
from ._state import Plan
from .batch import Batch

Position = tuple[int, int]


class Source(Protocol):
    """What a loop needs of its stream."""

    _course: Course
    _plan: Plan

    def _take(self, epoch: int, wait: bool, to_device: bool) -> Optional[Batch]: ...


class Course:
    """Where the loops of one stream have come to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.number = 0  #: of the last `for`: older ones are over
        self.jumps = 0  #: seeks by the user: what was taken ahead before is worth nothing
        self.start: Optional[Position] = None  #: of the last loop; None after attaching and seeking
        self.wanted: Optional[int] = None  #: the epoch that the next loop is of, where the user has said so
        self._given = 0  # batches of that loop
        self._ended = False
        self._next: Optional[Position] = None  # after the batch last given, where more were taken
        self._told = False

    @property
    def position(self) -> Position:
        """Of the next batch to be given."""
        return self._next or self._connection.position

    @property
    def untouched(self) -> bool:
        """No loop has begun, and the user went nowhere."""
        return self.number == 0 and self.jumps == 0

    def go_to(self, position: Position, dropped: bool = False) -> None:
        """What was taken ahead comes again.

        How much that is differs between replicas; whether to move must not, so there it goes by what loops did.
        """
        connection = self._connection
        moved = connection.position != position
        if (dropped or self._next is not None) if connection.shared else moved:
            connection.move(*position)
        self._next = None

    def jumped(self) -> None:
        """The user has gone elsewhere: the next loop starts there."""
        self.jumps += 1
        self.start = self._next = self.wanted = None

    def begin(self) -> int:
        """A `for` starts: its epoch."""
        epoch, step = position = self.position
        start = self.start
        dropped = start is not None and not self._ended and step > 0
        if start is not None and dropped:
            if self._given <= 1:
                self._tell_once(start)
                position = start
            elif self.wanted == epoch:
                position = epoch, 0
            else:
                position = epoch + 1, 0  # past the last epoch, too: the service learns that the rest is not wanted
        self.go_to(position, dropped)
        self.wanted = None
        self.number += 1
        self.start, self._given, self._ended = self._connection.place_of_next(), 0, False
        return self.start[0]

    def resume(self) -> int:
        """A loop goes on where the last one was left: its epoch."""
        position = self.position
        self.go_to(position)
        return self._connection.place_of_next()[0] if self.start is None else self.start[0]

    def take_ahead(self) -> None:
        """From here on what is taken is not yet given."""
        self._next = self.position

    def give(self, position: Position, after: Optional[Position]) -> None:
        """The batch at `position` is the user's. after: of the next to give, where batches are taken ahead."""
        if self.start is None:
            self.start, self._given, self._ended = position, 0, False
        self._given += 1
        self._next = after

    def end(self) -> None:
        """The epoch has no more."""
        self._ended, self._next = True, None

    def _tell_once(self, start: Position) -> None:
        if not self._told and self._given:
            self._told = True
            log.info(
                "a loop over %s was left after one batch; the next one starts at the same place again (epoch %d, step "
                "%d). To look at a batch there is stream.peek(); after more than one batch the next loop is the next "
                "epoch",
                self._connection.label,
                *start,
            )


class Loop:
    """Iterates over what is left of one epoch. Holds no batch itself, so a loop holds at most two.

    With `ahead` its owner says what it has given, and what a batch taken is of when it gives it.
    """

    __slots__ = ("_ahead", "_course", "_epoch", "_number", "_resumes", "_stream")

    def __init__(self, stream: Source, resumes: bool, ahead: bool = False) -> None:
        self._stream, self._course, self._resumes, self._ahead = stream, stream._course, resumes, ahead
        self._epoch = -1
        self._number = -1

    def __iter__(self) -> Loop:
        return self

    def __next__(self) -> Batch:
        batch = self.take()
        if batch is None:
            self.end()
            raise StopIteration
        self._course.give((batch.epoch, batch.step), None)
        return batch

    def take(self, wait: bool = True, to_device: bool = False) -> Optional[Batch]:
        """The next batch; None where there is none left or, with wait=False, none ready. See Connection.acquire."""
        if self._epoch < 0:
            self._begin()
        elif self.over:
            return None
        return self._stream._take(self._epoch, wait, to_device)

    def give(self, position: Position) -> None:
        """The batch at this position, which was taken, is the user's now."""
        if self._number == self._course.number:
            self._course.give(position, self._stream._plan.following(*position))

    def end(self) -> None:
        if self._number == self._course.number:
            self._course.end()

    @property
    def jumps(self) -> int:
        return self._course.jumps

    @property
    def over(self) -> bool:
        """A newer one has begun."""
        return self._epoch >= 0 and self._number != self._course.number

    def _begin(self) -> None:
        self._epoch = self._course.resume() if self._resumes else self._course.begin()
        self._number = self._course.number
        if self._ahead:
            self._course.take_ahead()
