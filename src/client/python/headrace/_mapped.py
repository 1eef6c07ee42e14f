"""What stands for a stream: the faces of frameworks, and a stream whose batches a function of the user's changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from .schema import Schema

Made = TypeVar("Made")


class Streams(Protocol):
    """What is asked of a stream."""

    schema: Schema
    samples: int
    batch: int

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def resume(self) -> Iterator[Any]: ...
    def peek(self) -> Any: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None: ...
    def seek(self, epoch: int, step: int = 0) -> None: ...
    def set_epoch(self, epoch: int) -> None: ...
    def close(self, goodbye: bool = True) -> None: ...
    @property
    def position(self) -> tuple[int, int]: ...
    @property
    def finished(self) -> bool: ...


class Standing:
    """Passes on what is asked of a loop that is not iterating: the stream is the state."""

    _stream: Streams

    def __len__(self) -> int:
        return len(self._stream)

    def state_dict(self) -> dict[str, Any]:
        """As Stream.state_dict(): after the batch last given."""
        return self._stream.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """As Stream.load_state_dict()."""
        self._stream.load_state_dict(state, strict)

    def seek(self, epoch: int, step: int = 0) -> None:
        """As Stream.seek()."""
        self._stream.seek(epoch, step)

    def set_epoch(self, epoch: int) -> None:
        """As Stream.set_epoch()."""
        self._stream.set_epoch(epoch)

    def close(self, goodbye: bool = True) -> None:
        """As Stream.close()."""
        self._stream.close(goodbye)

    @property
    def schema(self) -> Schema:
        return self._stream.schema

    @property
    def samples(self) -> int:
        return self._stream.samples

    @property
    def batch_size(self) -> int:
        """Rows of a full batch of this trainer."""
        return self._stream.batch

    @property
    def position(self) -> tuple[int, int]:
        return self._stream.position

    @property
    def finished(self) -> bool:
        return self._stream.finished


class Mapped(Standing, Generic[Made]):
    """What Stream.map() returns: iterates like the stream, with its state, and holds no batch itself.

    A result that holds views of the batch keeps its slot, as the views themselves do; one that holds copies does not.
    """

    def __init__(self, stream: Streams, *functions: Callable[[Any], Any]) -> None:
        if not callable(functions[-1]):
            raise TypeError(f"map() takes a function of a batch, not {type(functions[-1]).__name__}")
        self._stream = stream
        self._functions = functions

    def __iter__(self) -> Iterator[Made]:
        return self._through(iter(self._stream))

    def resume(self) -> Iterator[Made]:
        """The rest of the current epoch, as Stream.resume()."""
        return self._through(self._stream.resume())

    def peek(self) -> Made:
        """What the functions make of a copy of the next batch; nothing moves."""
        made: Any = self._stream.peek()
        for function in self._functions:
            made = function(made)
        return made  # type: ignore[no-any-return]

    def map(self, function: Callable[[Made], Any]) -> Mapped[Any]:
        """The same with another function after this one."""
        return Mapped(self._stream, *self._functions, function)

    def _through(self, batches: Iterator[Any]) -> Iterator[Made]:
        for function in self._functions:
            batches = map(function, batches)
        return batches

    def __repr__(self) -> str:
        names = " through ".join(getattr(f, "__qualname__", None) or repr(f) for f in self._functions)
        return f"<{self._stream!r} through {names}>"
