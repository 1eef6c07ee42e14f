"""PyTorch: a Loader stands where a DataLoader would.

loader = headrace.torch.Loader(stream, ("ECAL", "label"), device="cuda")
for epoch in range(10):
    for x, y in loader:
        ...
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, Optional, Union

import numpy as np

try:
    import torch
except ImportError as error:
    raise ImportError(f"headrace.torch needs PyTorch ({error}): pip install 'headrace[torch]'") from error

from ._ahead import Ahead
from ._cuda import Cuda, Gpu
from ._loop import Loop
from ._mapped import Standing
from ._memory import unowned
from .batch import Batch
from .errors import Error, Invalid
from .stream import Stream
from .structure import INDEX, ROWS, VALID, Arrangement, Structure, array_of

__all__ = ["Dataset", "Loader"]

SMALL = 64 << 10  #: bytes of a field in one batch; up to here a copy costs less than a slot that stays away
_NO_WORKERS = (
    "batches come ready-made from the service, workers would only copy them, and the stream belongs to the process "
    "that connected: DataLoader(dataset, batch_size=None, num_workers=0), or headrace.torch.Loader(stream, ...)"
)


class Loader(Standing):
    """Batches as tensors, arranged as the structure says; iterates by epochs, with the length and state of its stream.

    ::

        loader = headrace.torch.Loader(stream, (["ECAL", "HCAL"], "label"))
        for (ecal, hcal), label in loader: ...

    structure
        field names, headrace.INDEX, ROWS and VALID in tuples, lists and dicts; None: a dict of all fields
    device
        where the tensors are. None, "cpu": views of shared memory, which own it. "cuda": copies made asynchronously out
        of page-locked memory, up to `prefetch` batches ahead
    dtype
        {"ECAL": torch.float32}: converted after the copy, on the device; a type alone: for all fields of floating point
    channels_last
        names of fields whose rows are stored as (height, width, channels): given as (channels, height, width) in
        torch.channels_last memory format, without a copy
    copy
        "small": fields of up to 64 KiB a batch (labels, weights) are copies, so that a list of them holds no slot.
        True: all; False: none. Where replicas share a batch, whose memory is read-only and which torch does not keep
        from being written to, "small" are all. On a device all are copies in any case
    pin
        page-lock the ring, once, for copies to a GPU; from then on this stream gives no views to anybody

    Each ``for`` is the next epoch, as with the stream. It is no DataLoader and needs none around it: Lightning, Hugging
    Face's Trainer and accelerate take it as it is.
    """

    prefetch_factor = None  # a DataLoader's without workers, for code that makes one like this loader

    def __init__(
        self,
        stream: Stream,
        structure: Optional[Structure] = None,
        *,
        device: Union[str, int, torch.device, None] = None,
        prefetch: int = 2,
        dtype: Union[torch.dtype, Mapping[str, torch.dtype], None] = None,
        channels_last: Collection[str] = (),
        copy: Union[bool, str] = "small",
        pin: bool = True,
    ) -> None:
        if not isinstance(stream, Stream):
            raise TypeError(f"a Loader takes a headrace.Stream, not {type(stream).__name__}")
        if copy not in (True, False, "small"):
            raise Invalid(f'copy = {copy!r} is none of "small", True and False')
        if prefetch < 0:
            raise Invalid(f"prefetch = {prefetch}: how many batches to take ahead, 0 or more")
        self._stream: Stream = stream
        self._arrangement = Arrangement(stream.schema, structure)
        leaves = self._arrangement.leaves()
        for given in (channels_last, dtype if isinstance(dtype, Mapping) else ()):
            for name in given:
                if name not in leaves:
                    raise Invalid(f"'{name}' is no field of the structure, which has {', '.join(leaves)}")
        self._made = {leaf: _Made.of(stream, leaf, dtype, channels_last) for leaf in leaves}
        all_of_them = copy is True or (copy == "small" and stream.replicas > 1)  # which torch would write into
        self._copied = frozenset(x for x in leaves if all_of_them or (copy == "small" and _is_small(stream, x)))
        self._makers = {leaf: self._made[leaf].maker(leaf in self._copied) for leaf in leaves}
        self._gpu = _open(device, pin)
        self._prefetch = prefetch
        self._told = -1  # the epoch that a trainer was in, the last time it said so

    def __iter__(self) -> Iterator[Any]:
        return self._loop(resumes=False)

    def resume(self) -> Iterator[Any]:
        """The rest of the current epoch, as Stream.resume()."""
        return self._loop(resumes=True)

    def peek(self) -> Any:
        """The next batch as the loop would give it, from a copy; nothing moves."""
        copied = self._stream.peek()

        def convert(leaf: str, array: np.ndarray[Any, Any]) -> Any:
            source = _tensor(self._made[leaf], array)
            if self._gpu is not None:
                source, event = self._gpu.runtime.copy(source), self._gpu.runtime.event()
                event.synchronize()
                self._gpu.runtime.give([source], event)
            return self._made[leaf].finish(source)

        return self._arrangement.build(copied, convert)

    @property
    def stream(self) -> Stream:
        """The stream behind it."""
        return self._stream

    @property
    def sampler(self) -> _Epochs:
        """For trainers that tell a sampler which epoch they are in, as Lightning does."""
        return _Epochs(self)

    @property
    def batch_sampler(self) -> _Epochs:
        """Where there is a sampler, trainers look here, too."""
        return _Epochs(self)

    @property
    def dataset(self) -> Loader:
        """Itself: code that asks a loader for its dataset wants a length."""
        return self

    def __getitem__(self, index: Any) -> Any:
        raise TypeError(
            "a Loader stands in place of a DataLoader: iterate it as it is. For code that insists on one there is "
            "DataLoader(headrace.torch.Dataset(stream, ...), batch_size=None)"
        )

    def __repr__(self) -> str:
        return f"<headrace.torch.Loader of {self._stream!r}: {self._arrangement.structure!r}>"

    def _loop(self, resumes: bool) -> Iterator[Any]:
        if self._gpu is None:
            return map(self._here, Loop(self._stream, resumes))
        return self._through_gpu(self._gpu, Loop(self._stream, resumes, ahead=True))

    def _here(self, batch: Batch) -> Any:
        makers = self._makers

        def made(leaf: str) -> Any:
            return batch.rows if leaf == ROWS else makers[leaf](array_of(batch, leaf))

        return self._arrangement.map(made)

    # -- through a GPU -------------------------------------------------------------------------------------------------

    def _through_gpu(self, gpu: Gpu, loop: Loop) -> Iterator[Any]:
        def take(wait: bool) -> Optional[Batch]:
            gpu.see_to(self._stream._connection)
            return loop.take(wait, to_device=True)

        gpu.begin()
        return Ahead(loop, self._prefetch, take, partial(self._send, gpu), partial(self._given, gpu))

    def _send(self, gpu: Gpu, batch: Batch) -> _Sent:
        """Asks for the copies. The lease and what they read are kept until all of them are done."""
        of_slot = unowned if self._stream.replicas > 1 else _itself  # torch warns of arrays that are read-only
        sources = [
            _tensor(self._made[leaf], of_slot(array) if leaf in batch else array)
            for leaf, array in ((x, array_of(batch, x)) for x in self._arrangement.leaves() if x != ROWS)
        ]
        tensors = [gpu.runtime.copy(source) for source in sources]
        event = gpu.runtime.event()
        batch.release(after=_Kept(event, sources))
        return _Sent((batch.epoch, batch.step), batch.rows, tensors, event)

    def _given(self, gpu: Gpu, sent: _Sent) -> Any:
        gpu.runtime.give(sent.tensors, sent.event)
        tensors = iter(sent.tensors)
        return self._arrangement.map(lambda leaf: sent.rows if leaf == ROWS else self._made[leaf].finish(next(tensors)))


class _Sent(NamedTuple):
    """A batch on its way to a device."""

    position: tuple[int, int]
    rows: int
    tensors: list[Any]  #: as the leaves come, without ROWS
    event: Any


class _Kept:
    """An event, and what must live until it has happened."""

    def __init__(self, event: Any, sources: list[torch.Tensor]) -> None:
        self.query, self.synchronize, self._sources = event.query, event.synchronize, sources


class _Epochs(torch.utils.data.SequentialSampler):  # type: ignore[misc]
    """Where a trainer goes on: Lightning restores no loader from a checkpoint that an epoch ended with.

    A trainer counts from 0 whatever the stream has behind it, so what it tells moves the stream only where its epochs
    do not follow one another: then it goes on with a checkpoint.
    """

    def __init__(self, loader: Loader) -> None:
        super().__init__(loader)
        self._loader = loader

    def __iter__(self) -> Iterator[int]:
        raise TypeError(
            "batches of a stream are not skipped by their numbers: where a trainer goes on with a checkpoint, load the "
            "loader's state_dict(), which is a seek. Hugging Face's Trainer: TrainingArguments(ignore_data_skip=True)"
        )

    def set_epoch(self, epoch: int) -> None:
        loader, stream = self._loader, self._loader.stream
        before, loader._told = loader._told, epoch
        if epoch == 0 or epoch in (before, before + 1) or 0 < stream.epochs <= epoch:
            return
        if stream._course.untouched and stream.replica == 0:  # where somebody before us had come to
            stream.seek(epoch)
        else:
            stream.set_epoch(epoch)


class Dataset(torch.utils.data.IterableDataset[Any]):  # type: ignore[misc]
    """For code that insists on a DataLoader: ``DataLoader(headrace.torch.Dataset(stream, ...), batch_size=None)``.

    The items are whole batches, so batch_size=None; there are no workers. Else use Loader.
    """

    def __init__(self, stream: Stream, structure: Optional[Structure] = None, **options: Any) -> None:
        """options: as for Loader."""
        self._loader = Loader(stream, structure, **options)

    def __iter__(self) -> Iterator[Any]:
        if torch.utils.data.get_worker_info() is not None:
            raise Error(f"a headrace.torch.Dataset was used in a worker of a DataLoader; {_NO_WORKERS}")
        # DataLoader tells a data set nothing, and would stack whole batches to (batch_size, rows, ...).
        if getattr(sys._getframe(1).f_locals.get("self"), "auto_collation", False):
            raise Invalid(
                "a headrace.torch.Dataset gives whole batches, and this DataLoader would stack several of them: "
                f"DataLoader(dataset, batch_size=None). How many rows a batch has ({self._loader.batch_size}) is the "
                "service's `batch`"
            )
        return iter(self._loader)

    def __len__(self) -> int:
        return len(self._loader)

    def __getitem__(self, index: Any) -> Any:
        raise TypeError(
            "a stream gives whole batches in an order of its own, and has no sample by number; iterate over "
            "DataLoader(dataset, batch_size=None) or headrace.torch.Loader(stream, ...). headrace.INDEX in a structure "
            "says which samples a batch has; a selection of samples is the service's `select`"
        )

    def state_dict(self) -> dict[str, Any]:
        return self._loader.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        self._loader.load_state_dict(state, strict)

    def set_epoch(self, epoch: int) -> None:
        self._loader.set_epoch(epoch)


class _Made(NamedTuple):
    """What is made of a leaf's array."""

    bits: bool  #: bfloat16, whose arrays torch does not take
    permuted: Optional[tuple[int, ...]]
    dtype: Optional[torch.dtype]

    @classmethod
    def of(
        cls,
        stream: Stream,
        leaf: str,
        dtype: Union[torch.dtype, Mapping[str, torch.dtype], None],
        channels_last: Collection[str],
    ) -> _Made:
        if leaf in (INDEX, ROWS, VALID):
            return cls(False, None, None)
        spec = stream.schema[leaf]
        rank = len(spec.shape) + 1
        if leaf in channels_last and rank < 4:
            raise Invalid(f"channels_last: a row of '{leaf}' has the shape {spec.shape}, not (height, width, channels)")
        floats = spec.type.startswith(("float", "bfloat"))
        wanted = dtype.get(leaf) if isinstance(dtype, Mapping) else dtype if floats else None
        permuted = (0, rank - 1, *range(1, rank - 1)) if leaf in channels_last else None
        return cls(spec.type == "bfloat16", permuted, wanted)

    def maker(self, copy: bool) -> Callable[[np.ndarray[Any, Any]], torch.Tensor]:
        """What makes the tensor of an array, here: called for each batch."""
        if self == (False, None, None):
            return (lambda array: torch.from_numpy(array.copy())) if copy else torch.from_numpy
        return lambda array: self.finish(_tensor(self, array.copy() if copy else array))

    def finish(self, tensor: torch.Tensor) -> torch.Tensor:
        if self.permuted is not None:
            tensor = tensor.permute(self.permuted)
        return tensor if self.dtype is None else tensor.to(self.dtype)


def _tensor(made: _Made, array: np.ndarray[Any, Any]) -> torch.Tensor:
    """Over the same memory."""
    if made.bits:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _itself(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array


def _is_small(stream: Stream, leaf: str) -> bool:
    spec = stream.schema.get(leaf)
    return spec is not None and stream.batch * int(np.prod(spec.shape)) * spec.dtype.itemsize <= SMALL


def _open(device: Union[str, int, torch.device, None], pin: bool) -> Optional[Gpu]:
    """None for the CPU."""
    if device is None:
        return None
    found = torch.device(device)
    if found.type == "cpu":
        return None
    if found.type != "cuda":
        raise Invalid(f"device '{found}': this loader knows the CPU and CUDA (ROCm, too); move its tensors with .to()")
    if not torch.cuda.is_available():
        raise Invalid(f"device '{found}', but PyTorch sees no GPU here (torch.cuda.is_available() is False)")
    index = torch.cuda.current_device() if found.index is None else found.index
    return Gpu(Cuda(torch, torch.device("cuda", index)), pin)
