"""Keras 3 on any backend: a Dataset is a keras.utils.PyDataset, for fit(), evaluate() and predict().

train = headrace.keras.Dataset(stream, ("ECAL", "label"))
model.fit(train, validation_data=headrace.keras.Dataset(val, ("ECAL", "label")), epochs=10)
"""

from __future__ import annotations

import threading
from typing import Any, Optional

import numpy as np

try:
    import keras
except ImportError as error:
    raise ImportError(f"headrace.keras needs Keras 3 ({error}): pip install 'headrace[keras]'") from error

from ._loop import Loop
from ._mapped import Standing
from ._memory import Buffers
from .batch import Batch
from .errors import Error, Invalid
from .stream import Stream
from .structure import ROWS, VALID, Arrangement, Structure, without_lists

__all__ = ["Dataset"]

_LOOKS_OUTSIDE = 2  # batches of which TensorFlow's adapter makes a signature; who takes more has a loop of his own


class Dataset(Standing, keras.utils.PyDataset):  # type: ignore[misc]
    """Batches for Keras: ``(x, y)`` or ``(x, y, sample_weight)``, with x and y arranged as the structure says.

    structure
        ("ECAL", "label"), (["ECAL", "HCAL"], "label"), ({"a": "ECAL"}, "label", "weight"); one part alone is x. None:
        the fields of the stream in their order, of which there must be two or three
    copy
        None: views with PyTorch as the backend, copies with JAX and TensorFlow, which keep arrays for longer

    Each epoch of fit() is the stream's next, and each evaluate() all of the next one, whatever number of a batch Keras
    asks for and whatever `shuffle` says. What Keras takes to build a model comes again. With steps_per_epoch, fit()
    goes on in the same epoch of the stream. Batches come ready-made: workers and use_multiprocessing are refused.

    Where the stream has last = pad, rows that are repeated are cut off, as Keras' own arrays end with a short batch: so
    losses and metrics are those of the samples, and predict() gives one row for each. Of several trainers, whose
    batches must be alike, and where the structure names headrace.VALID, all rows come, and VALID is the sample weight
    if there is no other. Then use weighted_metrics; Keras' losses divide by all rows, also those that weigh nothing.
    """

    # Keras reads `num_batches` when it is about to iterate anew, and nowhere between two batches of one iteration. An
    # epoch that ends after such a reading, before all of its batches were asked for, was broken off: it was a look, to
    # build a model. What is asked for outside of epochs is one, too (TensorFlow's signature), up to two batches. So a
    # batch counts as given once it cannot have been a look. TensorFlow takes as many as it likes to build a model, and
    # reads no `num_batches` at the end of an epoch: there all count when it ends. Before each epoch of fit() another
    # one ended, if only by a reset; where `num_batches` was read since, a model is about to be built.

    def __init__(
        self, stream: Stream, structure: Optional[Structure] = None, *, copy: Optional[bool] = None, **options: Any
    ) -> None:
        if not isinstance(stream, Stream):
            raise TypeError(f"a Dataset takes a headrace.Stream, not {type(stream).__name__}")
        if options.get("workers", 1) not in (0, 1) or options.get("use_multiprocessing"):
            raise Invalid(
                "batches come ready-made from the service, workers would only copy them: leave out workers and "
                "use_multiprocessing"
            )
        unknown = set(options) - {"workers", "use_multiprocessing", "max_queue_size"}
        if unknown:
            raise TypeError(f"a Dataset knows no {', '.join(sorted(unknown))}")
        super().__init__(workers=0)
        backend = keras.backend.backend()
        self._stream: Stream = stream
        arranged = _arranged(stream, structure)
        self._arrangement = Arrangement(stream.schema, without_lists(arranged) if backend == "tensorflow" else arranged)
        leaves = self._arrangement.leaves()
        self._cuts = stream.last == "pad" and VALID not in leaves and stream.world_size == 1
        self._copy = backend != "torch" or stream.replicas > 1 if copy is None else copy
        self._buffers = Buffers()
        self._backend: str = backend
        self._ahead = 0  # batches that Keras has asked for and not yet given to the model
        self._lock = threading.Lock()  # TensorFlow asks in a thread of its own
        self._loop: Optional[Loop] = None
        self._anew = True  # Keras is about to iterate anew
        self._begins = True  # fit() or the like: `num_batches` was read since an epoch ended
        self._builds = False  # in this epoch, perhaps
        self._inside = False  # of an epoch of Keras
        self._asked = 0  # for batches in this iteration
        self._taken: list[tuple[int, int]] = []  # and not yet given
        self._jumps = 0  # of the loop, when these were taken

    @property
    def stream(self) -> Stream:
        """The stream behind it."""
        return self._stream

    def __len__(self) -> int:
        return len(self._stream)

    @property
    def num_batches(self) -> int:
        self._anew = self._begins = True
        return len(self._stream)

    def __getitem__(self, index: int) -> Any:
        """The next batch, whatever the number."""
        with self._lock:
            batch = self._next()
            position, rows = (batch.epoch, batch.step), batch.rows if self._cuts else None
            made = self._arrangement.build(batch, lambda _, array: self._convert(array[:rows]))
            del batch
            self._count(position)
            return made

    def on_epoch_begin(self) -> None:
        with self._lock:
            self._builds = self._begins
            if self._anew or self._builds:
                self._forget_look()
            self._inside = True
            self._ahead = int(self._backend == "jax" and _jax_reads_ahead())

    def on_epoch_end(self) -> None:
        with self._lock:
            whole = self._asked >= len(self._stream) and not self._builds and self._backend != "tensorflow"
            if self._inside and self._anew and not whole:
                self._forget_look()
            elif self._inside:
                self._give()
            self._inside = self._begins = False

    def state_dict(self) -> dict[str, Any]:
        """As Stream.state_dict(). Keras with TensorFlow reads ahead: there it is right between epochs."""
        self._settle()
        return super().state_dict()

    @property
    def position(self) -> tuple[int, int]:
        self._settle()
        return super().position

    def __repr__(self) -> str:
        return f"<headrace.keras.Dataset of {self._stream!r}: {self._arrangement.structure!r}>"

    def _convert(self, array: np.ndarray[Any, Any]) -> Any:
        return self._buffers.copy(array) if self._copy else array

    def _next(self) -> Batch:
        self._forget_before_jump()
        if self._anew:
            if self._inside:
                self._give()  # the last iteration was broken off
            # Where all batches of the last iteration were given, go on; inside of an epoch, too, if that began there.
            complete = self._asked >= len(self._stream) and not self._taken
            self._begin(resumes=complete)
            self._anew, self._asked = False, 0
        assert self._loop is not None
        batch = self._loop.take()
        if batch is None and not self._stream.finished:
            self._give(keep=0)  # as the loop's that gave them
            self._loop.end()
            self._begin(resumes=False)
            batch = self._loop.take()
        if batch is None:
            raise Error(
                f"all {self._stream.epochs} epochs of {self._stream!r} are consumed; give fit() fewer epochs, or the "
                "service more (epochs = 0: endless)"
            )
        return batch

    def _begin(self, resumes: bool) -> None:
        self._loop, self._taken = Loop(self._stream, resumes, ahead=True), []
        self._jumps = self._loop.jumps

    def _count(self, position: tuple[int, int]) -> None:
        self._asked += 1
        self._taken.append(position)
        if not self._inside:
            sure = self._asked > _LOOKS_OUTSIDE
        else:
            sure = self._asked > 1 + self._ahead and self._backend != "tensorflow"
        if sure:
            self._give()

    def _settle(self) -> None:
        """Somebody asks for the state inside of an epoch: that is no look."""
        with self._lock:
            if self._inside and not self._anew:
                self._give()

    def _give(self, keep: Optional[int] = None) -> None:
        """All but what the model has not seen yet. When all of an epoch were asked for, the last is taken for seen."""
        self._forget_before_jump()
        if keep is None:
            keep = 0 if self._asked >= len(self._stream) else self._ahead
        while len(self._taken) > keep:
            assert self._loop is not None
            self._loop.give(self._taken.pop(0))

    def _forget_look(self) -> None:
        """It comes again, and the next iteration does not go on after it."""
        if self._taken:
            self._taken.clear()
            self._asked = 0

    def _forget_before_jump(self) -> None:
        """The user went elsewhere: what was taken before that counts no more."""
        if self._loop is not None and self._jumps != self._loop.jumps:
            self._taken.clear()
            self._jumps = self._loop.jumps


def _jax_reads_ahead() -> bool:
    """Keras' iterator for JAX takes one more batch on its way to a device; not for CPUs, nor under a distribution."""
    import jax

    return jax.default_backend() != "cpu" and keras.distribution.distribution() is None


def _arranged(stream: Stream, structure: Optional[Structure]) -> Structure:
    """(x,), (x, y) or (x, y, sample_weight)."""
    if structure is None:
        structure = tuple(stream.schema)
        if not 2 <= len(structure) <= 3:
            raise Invalid(
                f"which fields are inputs and targets? There are {', '.join(stream.schema)}; give a structure, such as "
                "(x, y), ([x1, x2], y) or (x, y, sample_weight)"
            )
    if not isinstance(structure, tuple):
        structure = (structure,)
    if len(structure) > 3:
        raise Invalid(f"Keras takes (x, y, sample_weight), and the structure has {len(structure)} parts: {structure!r}")
    if len(structure) == 2 and stream.last == "pad" and stream.world_size > 1:
        structure = (*structure, VALID)
    if ROWS in Arrangement(stream.schema, structure).leaves():
        raise Invalid("Keras takes arrays, and headrace.ROWS is a number; headrace.VALID says which rows are real")
    return structure
