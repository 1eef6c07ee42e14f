"""A stream as a trainer sees it: an iterable of batches, one epoch per loop."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Optional

from . import _lib, _state
from ._connection import Connection
from ._dial import Dial, info_of
from ._files import File
from ._mapped import Made, Mapped
from ._session import Stats
from .batch import Batch, Layout
from .errors import Error, Invalid, Refused
from .ranks import place
from .schema import FieldSpec, read_schema


class Stream:
    """One ordered sequence of batches; made by :func:`connect`, closed by ``with`` or :meth:`close`.

    * ``for batch in stream`` is one epoch, the next loop is the next epoch. After ``break`` the next ``for`` starts the
      next epoch; :meth:`resume` iterates the rest of the current one instead. A stream that attaches in the middle of
      an epoch, and one after :meth:`seek`, goes on from there in its first loop.
    * Where epochs are counted, a loop after the last one yields nothing (see :attr:`finished`).
    * A ``with`` block left normally says goodbye: this trainer is done. Left by an exception it says nothing, and the
      service waits for this rank to come back: batches that it held come again. So does a program killed or ended by an
      exception that nobody caught; one that ends normally without closing says goodbye.
    * Threads may share a stream; each batch goes to one of them. In a forked child every call raises
      Forked, and the memory of views is not there.
    """

    def __init__(
        self,
        dial: Dial,
        batch_timeout: Optional[float] = None,
        reconnect: bool = False,
        watch: Optional[Callable[[], None]] = None,
    ) -> None:
        """For connect() and local(). `watch` is called about every half second and ends the waiting by raising."""
        handle = dial.call(watch)
        try:
            info = info_of(handle)
            self.schema: Mapping[str, FieldSpec] = MappingProxyType(read_schema(info))  #: fields by name, in order
            self._plan = _plan(info)
        except Error:
            _lib.waiting.hr_close(handle, 0, 0)
            raise
        self.service: str = info.service.decode()  #: name of the service
        self.name: str = info.stream.decode()  #: name of the stream
        self.rank: int = info.rank  #: of this trainer, 0 .. world_size - 1
        self.world_size: int = info.world_size  #: how many trainers the stream has
        self.samples: int = info.samples  #: selected, over all trainers
        self.batch: int = info.batch  #: rows of a full batch of this trainer
        self.epochs: int = info.epochs  #: 0: endless
        self.slots: int = info.slots  #: batches that can be held at once
        self.placement = dial.placement
        self._dial = Dial(dial.name, self.name, dial.placement, dial.timeout, dial.progress)
        self._layout = Layout(self.schema, info.batch, info.ring or 0)
        self._connection = Connection(handle, info, batch_timeout, self._find_again if reconnect else None)
        # The epoch of the last batch delivered; None after attaching and seeking: the next loop starts at the position,
        # even inside an epoch.
        self._loop: Optional[int] = None

    # -- iterating -----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Batches per epoch, the same for every trainer of the stream."""
        return self._connection.batches

    def __iter__(self) -> Iterator[Batch]:
        """The next epoch, or the rest of one that was attached to or sought."""
        epoch, step = self._connection.position
        if step and self._loop is not None:
            epoch += 1
            # Past the last epoch, too: so the service knows that the rest is not wanted.
            self._connection.seek(epoch, 0)
        return _Epoch(self, epoch)

    def resume(self) -> Iterator[Batch]:
        """The rest of the current epoch: goes on after a ``break``. Yields nothing where the epoch was finished."""
        return _Epoch(self, self._connection.position[0] if self._loop is None else self._loop)

    def map(self, function: Callable[[Batch], Made]) -> Mapped[Made]:
        """The same epochs, with what ``function(batch)`` returns in place of each batch.

        The function runs in the trainer, when the loop asks for the batch. What depends on nothing but the sample is
        computed once while loading if it is a key of the field, a C plugin too; here it is computed every epoch.
        """
        return Mapped(self, function)

    def state_dict(self) -> dict[str, Any]:
        """Where this stream goes on, for a checkpoint: a plain dict of numbers and texts, for JSON or torch.save.

        Batches that were handed out count as consumed: inside the loop's body, the current one. All trainers of a
        stream are at the same step when they save, so the state of one of them will do for all.
        """
        return _state.make(self._plan, self.service, self.position)

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """The next loop goes on with exactly the samples that were not consumed when the state was saved.

        A seek, no replay; it costs the same anywhere. The service may have been restarted with other stagers, nodes and
        trainers: where the global batch is the same, so are the steps.

        Refused where the state does not fit (other files, fields, stream, seed or global batch; strict=False goes on
        all the same, and converts the step to another global batch where it comes out even), and where another trainer
        of the stream goes on elsewhere.
        """
        self._connection.resume(*_state.position_in(self._plan, state, strict))
        self._loop = None

    def seek(self, epoch: int, step: int = 0) -> None:
        """The next loop starts at this batch, and goes on to the end of its epoch. Batches held stay valid.

        Takes what `position` gave: after the last of counted epochs, that is (epochs, 0).
        """
        epoch, step = int(epoch), int(step)
        if epoch < 0 or step < 0:
            raise Invalid(f"no such position: epoch {epoch}, step {step}; both count from 0")
        self._connection.seek(epoch, step)
        self._loop = None

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, step) of the next batch in order: what a checkpoint saves (better: state_dict())."""
        return self._connection.position

    @property
    def finished(self) -> bool:
        """All counted epochs are consumed or passed over; never for an endless stream."""
        return self._connection.finished

    def _next(self, epoch: int) -> Optional[Batch]:
        """The next batch of this epoch; None where it has none left."""
        batch = self._connection.acquire(epoch, self._make_batch)
        if batch is not None:
            self._loop = epoch
        return batch

    def _find_again(self, watch: Callable[[], None]) -> tuple[int, _lib.Info]:
        """The service that came back, if it serves what the lost one did."""
        handle = self._dial.call_again(watch)
        try:
            info = info_of(handle)
            plan = _plan(info)
            different = _state.differences(plan, self._plan.fingerprint)
            if plan.global_batch != self._plan.global_batch:
                different.append(f"the global batch, {self._plan.global_batch} then and {plan.global_batch} now")
            if different or plan != self._plan or read_schema(info) != dict(self.schema):
                raise Refused(
                    f"service '{self.service}' came back as another: {'; '.join(different) or 'its fields'} changed; "
                    "end the trainers, and start them with what they shall do now"
                )
        except Error:
            _lib.waiting.hr_close(handle, 0, 0)
            raise
        self.epochs, self.slots = info.epochs, info.slots
        self._layout = Layout(self.schema, info.batch, info.ring or 0)
        return handle, info

    def _make_batch(self, lease: Any, raw: _lib.RawBatch) -> Batch:
        return Batch(self._layout, lease, raw)

    # -- the rest ------------------------------------------------------------------------------------------------------

    def stats(self) -> Stats:
        """What this trainer has acquired so far, and how long it has waited."""
        return self._connection.stats()

    @property
    def files(self) -> tuple[File, ...]:
        """All files of the service, in the order of their samples: (path, first_sample, samples) each.

        The service is asked at the first use. Which file a batch's rows are from: Batch.files().
        """
        return self._connection.files().files

    @property
    def ring(self) -> tuple[int, int]:
        """Address and bytes of the one writable mapping that holds all slots, page-aligned (for cudaHostRegister)."""
        return self._connection.ring

    @property
    def closed(self) -> bool:
        """Whether close(), or the end of a ``with`` block, has ended it."""
        return self._connection.closed

    def close(self, goodbye: bool = True) -> None:
        """Ends the connection; a second call does nothing. goodbye=False: as if this trainer had died.

        Views that are still alive stay valid, with the values that they have then.
        """
        self._connection.close(goodbye)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace: object) -> None:
        # A generator around the block that its consumer closes is a loop left by `break`.
        clean = error is None or isinstance(error, GeneratorExit)
        self.close(goodbye=clean or (isinstance(error, SystemExit) and error.code in (None, 0)))

    def __del__(self) -> None:
        connection = getattr(self, "_connection", None)  # missing where the constructor failed
        if connection is not None and not connection.closed:
            warnings.warn(f"{self!r} was dropped without close(); use `with`", ResourceWarning, stacklevel=2)
            connection.close(goodbye=True)

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"at epoch {self.position[0]} step {self.position[1]}"
        return f"<headrace.Stream {self.name} of {self.service}, rank {self.rank} of {self.world_size}, {state}>"

    def __reduce__(self) -> Any:
        raise TypeError(
            "a stream belongs to the process that connected and cannot be pickled; in a torch DataLoader use "
            "num_workers=0, or iterate over the stream itself"
        )


def _plan(info: _lib.Info) -> _state.Plan:
    fingerprint = json.loads(info.schema_json)["welcome"]["fingerprint"]
    return _state.Plan(info.stream.decode(), info.world_size, info.batch, info.batches, fingerprint)


class _Epoch:
    """Iterates over what is left of one epoch. Holds no batch itself, so a loop holds at most two."""

    __slots__ = ("_epoch", "_stream")

    def __init__(self, stream: Stream, epoch: int) -> None:
        self._stream = stream
        self._epoch = epoch

    def __iter__(self) -> _Epoch:
        return self

    def __next__(self) -> Batch:
        batch = self._stream._next(self._epoch)
        if batch is None:
            raise StopIteration
        return batch


def connect(
    name: str = "headrace",
    stream: Optional[str] = None,
    rank: Optional[int] = None,
    world_size: Optional[int] = None,
    local_rank: Optional[int] = None,
    timeout: Optional[float] = 600.0,
    *,
    batch_timeout: Optional[float] = None,
    progress: bool = True,
    reconnect: bool = False,
) -> Stream:
    """Attaches this process to a stream of a service on this node, as one of its trainers.

    name
        of the service, or the path of its socket
    stream
        which of its streams; may be left out where there is one
    rank, world_size, local_rank
        this trainer's place; by default from torchrun, Open MPI, PMI or Slurm, else 0 of 1
    timeout
        seconds to wait for a service not yet started or still loading (0: not at all; None: no limit)
    batch_timeout
        seconds that a loop may wait for one batch before it raises Timeout (None: no limit, but it says so in the log
        "headrace" after half a minute)
    progress
        shows on stderr what it waits for
    reconnect
        a service that dies or is stopped is waited for, `timeout` seconds each time: once it is started again (in the
        job script: a loop around ``headrace serve`` is all it takes), iteration goes on with the next batch, and the
        log "headrace" tells. Batches held stay valid; they count as consumed. The new service must serve the same
        samples in the same order. Without it, ServiceLost is raised.

    Where the whole job starts again, the trainers keep stream.state_dict() in their checkpoints instead.

    Raises Refused, Timeout, Invalid or ServiceLost; the text says where the rank came from.
    """
    place_here = place(rank, world_size, local_rank)
    return Stream(Dial(name, stream, place_here, timeout, progress), batch_timeout, reconnect)
