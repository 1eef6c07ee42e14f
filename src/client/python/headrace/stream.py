"""A stream as a trainer sees it: an iterable of batches, one epoch per loop."""

from __future__ import annotations

import functools
import inspect
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional

from . import _lib, _state
from ._connection import Connection
from ._dial import Dial, info_of
from ._files import File
from ._loop import Course, Loop
from ._mapped import Made, Mapped
from ._recovery import log
from ._session import Stats
from ._slots import EXHAUSTED_TIMEOUT
from .batch import Batch, Copied, Layout, leased_batch
from .errors import Error, Invalid, Refused
from .ranks import place
from .schema import Schema, read_schema
from .structure import Arrangement, Structure


class Stream:
    """One ordered sequence of batches; made by :func:`connect`, closed by ``with`` or :meth:`close`::

        with headrace.connect("lcd", stream="train") as stream:
            for epoch in range(3):
                for batch in stream:
                    loss = step(batch["ECAL"], batch["label"])

    * ``for batch in stream`` is one epoch, the next loop is the next epoch. After ``break`` the next ``for`` starts the
      next epoch, or the same again where it was left after one batch, which was a look (better: :meth:`peek`).
      :meth:`resume` iterates the rest of the current epoch instead. A stream that attaches in the middle of an epoch,
      and one after :meth:`seek`, goes on from there in its first loop.
    * Where epochs are counted, a loop after the last one yields nothing (see :attr:`finished`).
    * A ``with`` block left normally says goodbye: this trainer is done. Left by an exception it says nothing, and the
      service waits for this rank to come back: batches that it held come again. So does a program killed or ended by an
      exception that nobody caught; one that ends normally without closing says goodbye.
    * Threads may share a stream; each batch goes to one of them. In a forked child every call raises
      Forked, and the memory of views is not there.

    Attributes:
        service: name of the service
        name: name of the stream
        rank, world_size: this trainer's place
        samples: selected, over all trainers
        batch: rows of a full batch of this trainer
        epochs: how many there are; 0: endless
        slots: batches that can be held at once
        replica, replicas: which of the processes that are this trainer together (0 of 1 where it is one)
        last: what becomes of the rows that fill no batch: "drop", "partial" or "pad" ("" where the service is older)
        schema: name to FieldSpec (shape, dtype, columns, classes), a mapping
        placement: rank and size, and where each came from
    """

    __signature__ = inspect.Signature()  # for help(): made by connect() and local() alone

    def __init__(
        self,
        dial: Dial,
        batch_timeout: Optional[float] = None,
        reconnect: bool = False,
        watch: Optional[Callable[[], None]] = None,
        exhausted_timeout: float = EXHAUSTED_TIMEOUT,
    ) -> None:
        # `watch` is called about every half second and ends the waiting by raising.
        handle = dial.call(watch)
        try:
            info = info_of(handle)
            self.schema: Schema = read_schema(info)
            welcome = json.loads(info.schema_json)["welcome"]
            self._plan = _plan(info)
        except Error:
            _lib.waiting.hr_close(handle, 0, 0)
            raise
        self.service: str = info.service.decode()
        self.name: str = info.stream.decode()
        self.rank: int = info.rank
        self.world_size: int = info.world_size
        self.samples: int = info.samples
        self.batch: int = info.batch
        self.epochs: int = info.epochs
        self.slots: int = info.slots
        self.replica: int = info.replica
        self.replicas: int = info.replicas
        self.last: str = welcome.get("last", "")
        self.placement = dial.placement
        self._dial = Dial(dial.name, self.name, dial.placement, dial.timeout, dial.progress, dial.replica)
        if reconnect and self.replicas > 1:
            _lib.waiting.hr_close(handle, 0, 0)
            raise Invalid(
                f"reconnect=True, but stream '{self.name}' has {self.replicas} replicas, which could come back at "
                "different batches; start all of them again instead, and load a state in replica 0"
            )
        self._layout = self._layout_of(info)
        find_again = self._find_again if reconnect else None
        self._connection = Connection(handle, info, batch_timeout, find_again, exhausted_timeout)
        self._course = Course(self._connection)
        self._tell_of_empty_batches()

    # -- iterating -----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Batches per epoch, the same for every trainer of the stream."""
        return self._connection.batches

    def __iter__(self) -> Iterator[Batch]:
        """The next epoch, or the rest of one that was attached to or sought. Nothing moves before its first batch."""
        return Loop(self, resumes=False)

    def resume(self) -> Iterator[Batch]:
        """The rest of the current epoch: goes on after a ``break``. Yields nothing where the epoch was finished."""
        return Loop(self, resumes=True)

    def peek(self) -> Copied:
        """A copy of the next batch, as a dict of arrays::

            shapes = {name: array.shape for name, array in stream.peek().items()}

        Nothing moves: the next loop gives the batch itself.
        """
        if self._course.position != self._connection.position:
            raise Error(
                f"{self!r}: batches were taken ahead by a loop of a loader; peek before that loop, or after a seek"
            )
        copied = self._connection.peek(self._make_batch, Batch.copy)
        if copied is None:
            raise Invalid(f"{self!r} has no batch left to look at: its {self.epochs} epochs are consumed")
        return copied

    def __getitem__(self, key: object) -> Any:
        raise TypeError(
            "a stream gives whole batches in an order of its own, and has no sample or batch by number: `for batch in "
            "stream`, headrace.torch.Loader(stream), or DataLoader(headrace.torch.Dataset(stream), batch_size=None)"
        )

    def map(self, function: Callable[[Batch], Made]) -> Mapped[Made]:
        """The same epochs, with what ``function(batch)`` returns in place of each batch, and the same state::

            pairs = stream.map(lambda batch: (torch.from_numpy(batch["ECAL"]), torch.from_numpy(batch["label"])))
            for x, y in pairs: ...

        A result that holds views holds the batch's slot. The function runs in the trainer, when the loop asks for the
        batch. What depends on nothing but the sample is computed once while loading if it is a key of the field, a C
        plugin too; here it is computed every epoch. For pairs, dicts and the like there are structures:
        headrace.torch.Loader(stream, ("ECAL", "label")).
        """
        return Mapped(self, function)

    def numpy(self, structure: Optional[Structure] = None, copy: bool = False) -> Mapped[Any]:
        """The same epochs, as NumPy arrays arranged by a structure::

            for (ecal, hcal), label in stream.numpy((["ECAL", "HCAL"], "label")): ...

        Views, or with copy=True copies, which hold no slot.
        """
        arrangement = Arrangement(self.schema, structure)
        if copy:
            return self.map(lambda batch: arrangement.build(batch, lambda _, array: array.copy()))
        return self.map(lambda batch: arrangement.build(batch, lambda _, array: array))

    def state_dict(self) -> dict[str, Any]:
        """Where this stream goes on, for a checkpoint: a plain dict of numbers and texts, for JSON or torch.save.

        Batches that were given count as consumed: inside the loop's body, the current one, and not those that a loader
        took ahead. All trainers of a stream are at the same step when they save, so the state of one of them will do
        for all::

            torch.save({"model": model.state_dict(), "data": stream.state_dict()}, path)
            ...
            stream.load_state_dict(torch.load(path)["data"])   # the next loop goes on with what was not consumed
        """
        self._require_leader("saves the state")
        return _state.make(self._plan, self.service, self.position)

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """The next loop goes on with exactly the samples that were not consumed when the state was saved.

        A seek, no replay; it costs the same anywhere. The service may have been restarted with other stagers, nodes and
        trainers: where the global batch is the same, so are the steps.

        Refused where the state does not fit (other files, fields, stream, seed or global batch; strict=False goes on
        all the same, and converts the step to another global batch where it comes out even), and where another trainer
        of the stream goes on elsewhere.
        """
        self._require_leader("loads a state")
        self._connection.resume(*_state.position_in(self._plan, state, strict))
        self._course.jumped()

    def seek(self, epoch: int, step: int = 0) -> None:
        """The next loop starts at this batch, and goes on to the end of its epoch. Batches held stay valid.

        Takes what `position` gave: after the last of counted epochs, that is (epochs, 0).
        """
        epoch, step = int(epoch), int(step)
        if epoch < 0 or step < 0:
            raise Invalid(f"no such position: epoch {epoch}, step {step}; both count from 0")
        self._connection.seek(epoch, step)
        self._course.jumped()

    def set_epoch(self, epoch: int) -> None:
        """The next loop is of this epoch: as samplers of PyTorch have it, harmless where that is so in any case.

        Inside that epoch, such as after load_state_dict(), it moves nothing; but where a loop over it was left, the
        next one begins it anew.
        """
        if int(epoch) == self.position[0]:
            self._course.wanted = int(epoch)
            return
        if self.replica == 0:
            return self.seek(epoch)
        self._connection.move(int(epoch), 0)  # as all replicas are told
        self._course.jumped()

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, step) of the next batch to be given: what a checkpoint saves (better: state_dict())."""
        return self._course.position

    @property
    def finished(self) -> bool:
        """All counted epochs are consumed or passed over; never for an endless stream."""
        return self._connection.finished

    def _require_leader(self, does: str) -> None:
        if self.replica > 0:
            raise Refused(
                f"replica {self.replica} of rank {self.rank} of stream '{self.name}': replica 0 alone {does}, for all "
                f"{self.replicas}; the others go where it goes"
            )

    def _take(self, epoch: int, wait: bool, to_device: bool) -> Optional[Batch]:
        return self._connection.acquire(epoch, self._make_batch, wait, to_device)

    def _tell_of_empty_batches(self) -> None:
        rows = _state.rows_of_last_batch(self._plan, self.samples, self.rank)
        if self.last == "partial" and rows == 0:
            log.warning(
                "rank %d gets an empty last batch in each epoch of stream '%s' (last = \"partial\": %d samples, %d "
                'trainers with batch %d), whose mean is NaN; serve it with last = "pad", where headrace.VALID is the '
                'weight of each row, or "drop"',
                self.rank,
                self.name,
                self.samples,
                self.world_size,
                self.batch,
            )

    def _find_again(self, watch: Callable[[], None]) -> tuple[int, _lib.Info]:
        """The service that came back, if it serves what the lost one did."""
        handle = self._dial.call_again(watch)
        try:
            info = info_of(handle)
            plan = _plan(info)
            different = _state.differences(plan, self._plan.fingerprint)
            if plan.global_batch != self._plan.global_batch:
                different.append(f"the global batch, {self._plan.global_batch} then and {plan.global_batch} now")
            if different or plan != self._plan or read_schema(info) != self.schema:
                raise Refused(
                    f"service '{self.service}' came back as another: {'; '.join(different) or 'its fields'} changed; "
                    "end the trainers, and start them with what they shall do now"
                )
        except Error:
            _lib.waiting.hr_close(handle, 0, 0)
            raise
        self.epochs, self.slots = info.epochs, info.slots
        self._layout = self._layout_of(info)
        return handle, info

    def _layout_of(self, info: _lib.Info) -> Layout:
        state_after = functools.partial(_state.after, self._plan, self.service)  # no cycle through this stream
        return Layout(self.schema, info.batch, info.ring or 0, state_after, info.replicas > 1)

    def _make_batch(self, lease: Any, raw: _lib.RawBatch) -> Batch:
        return leased_batch(self._layout, lease, raw)

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
        of = f", replica {self.replica} of {self.replicas}" if self.replicas > 1 else ""
        return f"<headrace.Stream {self.name} of {self.service}, rank {self.rank} of {self.world_size}{of}, {state}>"

    def __reduce__(self) -> Any:
        raise TypeError(
            "a stream belongs to the process that connected and cannot be pickled; in a torch DataLoader use "
            "num_workers=0, or iterate over the stream itself"
        )


def _plan(info: _lib.Info) -> _state.Plan:
    fingerprint = json.loads(info.schema_json)["welcome"]["fingerprint"]
    return _state.Plan(info.stream.decode(), info.world_size, info.batch, info.batches, fingerprint)


def connect(
    name: str = "headrace",
    stream: Optional[str] = None,
    rank: Optional[int] = None,
    world_size: Optional[int] = None,
    local_rank: Optional[int] = None,
    timeout: Optional[float] = 600.0,
    *,
    batch_timeout: Optional[float] = None,
    exhausted_timeout: float = EXHAUSTED_TIMEOUT,
    progress: bool = True,
    reconnect: bool = False,
    replica: Optional[int] = None,
) -> Stream:
    """Attaches this process to a stream of a service on this node, as one of its trainers.

    name
        of the service, or the path of its socket
    stream
        which of its streams; may be left out where there is one
    rank, world_size, local_rank
        this trainer's place; by default from torchrun, Open MPI, PMI or Slurm, from torch.distributed or JAX where
        these are initialised, else 0 of 1
    timeout
        seconds to wait for a service not yet started or still loading (0: not at all; None: no limit)
    batch_timeout
        seconds that a loop may wait for one batch before it raises Timeout (None: no limit, but it says so in the log
        "headrace" after half a minute)
    exhausted_timeout
        seconds to wait for a slot where this trainer holds all of them, before Exhausted: JAX and TensorFlow give
        theirs back late, and those in reference cycles come back by garbage collection
    progress
        shows on stderr what it waits for
    reconnect
        a service that dies or is stopped is waited for, `timeout` seconds each time: once it is started again (in the
        job script: a loop around ``headrace serve`` is all it takes), iteration goes on with the next batch, and the
        log "headrace" tells. Batches held stay valid; they count as consumed. The new service must serve the same
        samples in the same order. Without it, ServiceLost is raised.

    replica
        of a stream that is served with ``replicas = N``: which of the N processes of this node that are this rank
        together, and get the same batches, to read only (tensor or pipeline parallel training). Then `rank` and
        `world_size` count such groups and must be given, too. Replica 0 alone seeks, saves and loads states; the first
        batch comes when all have connected

    Where the whole job starts again, the trainers keep stream.state_dict() in their checkpoints instead.

    Raises Refused, Timeout, Invalid or ServiceLost; the text says where the rank came from.
    """
    if replica is not None and (rank is None or world_size is None):
        raise Invalid(
            f"replica = {replica} was given without rank and world_size: those of a launcher count processes, and here "
            "they count groups of replicas, such as the ranks of a mesh's data-parallel dimension"
        )
    place_here = place(rank, world_size, local_rank)
    dial = Dial(name, stream, place_here, timeout, progress, 0 if replica is None else int(replica))
    return Stream(dial, batch_timeout, reconnect, exhausted_timeout=exhausted_timeout)
