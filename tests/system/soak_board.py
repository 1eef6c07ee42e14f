"""What soak.py and its trainers share: the values that samples have, and a board on which each trainer notes its batches.

The board is memory that outlives the trainer that writes to it: one that is killed leaves what it had taken and released.
"""

import mmap

import numpy as np
from samples import values

FIELDS = ("run", "grid/deep/energy")  # both name their sample


class Truth:
    """The rows of every sample, made once by the formula that the files were made by."""

    def __init__(self, samples):
        self.samples = samples
        self.rows = {name: np.ascontiguousarray(values(name, np.arange(samples))) for name in FIELDS}

    def fits(self, batch):
        return all(np.array_equal(batch[name], rows[batch.index]) for name, rows in self.rows.items())


class Board:
    """Of one rank: sample numbers by step, which steps were released, and what it counted. Shared with forked children."""

    COUNTS = ("batches", "wrong", "lost", "twice", "turn", "seeks")

    def __init__(self, steps, batch):
        self.steps = steps
        size = steps * batch * 4
        memory = mmap.mmap(-1, size + 8 * len(self.COUNTS) + steps)
        self.taken = np.frombuffer(memory, np.int32, steps * batch).reshape(steps, batch)
        self._counts = np.frombuffer(memory, np.int64, len(self.COUNTS), size)
        self.done = np.frombuffer(memory, np.uint8, steps, size + 8 * len(self.COUNTS))
        self.clear()

    def clear(self):
        """Before an epoch."""
        self.taken[:] = -1
        self.done[:] = 0
        self._counts[self.COUNTS.index("turn")] = 0

    def look_at_all(self):
        return self.taken.sum(), self.done.sum(), self._counts.sum()

    def count(self, what, by=1):
        self._counts[self.COUNTS.index(what)] += by

    def __getattr__(self, what):
        return int(self._counts[self.COUNTS.index(what)])

    def note(self, batch, fits):
        """A batch that was got. One that was not released may come again, with the same samples."""
        row, index = self.taken[batch.step], batch.index
        self.count("batches")
        self.count("turn")
        again = row[0] >= 0 and not np.array_equal(row[:len(index)], index)
        if not fits or again:
            self.count("wrong")
        if self.done[batch.step]:
            self.count("twice")
        row[:len(index)] = index

    def times(self, samples):
        """How often each sample was taken since clear()."""
        return np.bincount(self.taken[self.taken >= 0], minlength=samples)
