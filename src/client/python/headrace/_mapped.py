"""A stream whose batches a function of the user's makes into what the trainer wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

Made = TypeVar("Made")


class Epochs(Protocol):
    """What iterates by epochs: a stream, or what another function makes of one."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def resume(self) -> Iterator[Any]: ...


class Mapped(Generic[Made]):
    """What Stream.map() returns: iterates like the stream, and holds no batch itself.

    A result that holds views of the batch keeps its slot, as the views themselves do; one that holds copies does not.
    """

    def __init__(self, epochs: Epochs, function: Callable[[Any], Made]) -> None:
        if not callable(function):
            raise TypeError(f"map() takes a function of a batch, not {type(function).__name__}")
        self._epochs = epochs
        self._function = function

    def __len__(self) -> int:
        return len(self._epochs)

    def __iter__(self) -> Iterator[Made]:
        return map(self._function, self._epochs)

    def resume(self) -> Iterator[Made]:
        """The rest of the current epoch, as Stream.resume()."""
        return map(self._function, self._epochs.resume())

    def map(self, function: Callable[[Made], Any]) -> Mapped[Any]:
        """The same with another function after this one."""
        return Mapped(self, function)

    def __repr__(self) -> str:
        return f"<{self._epochs!r} through {getattr(self._function, '__qualname__', self._function)!s}>"
