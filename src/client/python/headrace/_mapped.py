"""A stream whose batches a function of the user's makes into what the trainer wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union

if TYPE_CHECKING:
    from .batch import Batch
    from .stream import Stream

Made = TypeVar("Made")


class Mapped(Generic[Made]):
    """What Stream.map() returns: iterates like the stream, and holds no batch itself.

    A result that holds views of the batch keeps its slot, as the views themselves do; one that holds copies does not.
    """

    def __init__(self, stream: Union[Stream, Mapped[Any]], function: Callable[[Any], Made]) -> None:
        if not callable(function):
            raise TypeError(f"map() takes a function of a batch, not {type(function).__name__}")
        self._stream = stream
        self._function = function

    def __len__(self) -> int:
        return len(self._stream)

    def __iter__(self) -> Iterator[Made]:
        return map(self._function, self._stream)

    def resume(self) -> Iterator[Made]:
        """The rest of the current epoch, as Stream.resume()."""
        return map(self._function, self._stream.resume())

    def map(self, function: Callable[[Made], Any]) -> Mapped[Any]:
        """The same with another function after this one."""
        return Mapped(self, function)

    def __repr__(self) -> str:
        return f"<{self._stream!r} through {getattr(self._function, '__qualname__', self._function)!s}>"
