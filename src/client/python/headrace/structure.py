"""Structures: how a batch is arranged, such as ``(["ECAL", "HCAL"], "label")`` for two inputs and a target."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from .errors import Invalid

if TYPE_CHECKING:
    from .batch import Batch, Copied

#: A field's name, INDEX, ROWS or VALID; or a dict, tuple, list or named tuple of structures.
Structure = Any
#: Makes what a framework has of an array; the name is that of the leaf.
Convert = Callable[[str, "np.ndarray[Any, Any]"], Any]


class Leaf(str):
    """What stands in a structure beside names of fields. No field can have such a name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"headrace.{self[1:].upper()}"


INDEX = Leaf("@index")  #: the sample numbers, int64
ROWS = Leaf("@rows")  #: how many rows are real, an int
VALID = Leaf("@valid")  #: float32, 1 for each real row and 0 for each that `last = pad` repeats: a weight, a mask


class Arrangement:
    """A structure that was checked against the fields of a stream. None stands for a dict of all fields."""

    def __init__(self, schema: Mapping[str, Any], structure: Optional[Structure]) -> None:
        self.structure: Structure = {name: name for name in schema} if structure is None else structure
        _check(schema, self.structure)
        self._made = _compiled(self.structure)

    def leaves(self) -> list[str]:
        """In their order, as often as they stand there."""
        return list(_leaves(self.structure))

    def beside(self, other: Any) -> list[Any]:
        """What of `other` belongs to each leaf but ROWS: one thing for all of them, or a structure like this one."""
        return list(_beside(self.structure, other))

    def build(self, batch: Union[Batch, Copied], convert: Convert) -> Any:
        """The structure with convert(name, array) in place of each leaf; ROWS stays an int."""

        def made(leaf: str) -> Any:
            return batch.rows if leaf == ROWS else convert(leaf, array_of(batch, leaf))

        return self.map(made)

    def map(self, function: Callable[[str], Any]) -> Any:
        """The structure with function(leaf) in place of each leaf."""
        return self._made(function)


def array_of(batch: Union[Batch, Copied], leaf: str) -> np.ndarray[Any, Any]:
    if type(leaf) is not Leaf:
        return batch[leaf]
    if leaf == INDEX:
        return batch.index
    valid: np.ndarray[Any, Any] = (np.arange(len(batch.index)) < batch.rows).astype(np.float32)
    return valid


def without_lists(structure: Structure) -> Structure:
    """With tuples in place of lists, which tf.data takes for tensors."""
    if isinstance(structure, Mapping):
        return {key: without_lists(part) for key, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        parts = [without_lists(part) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    return structure


def _compiled(structure: Structure) -> Callable[[Callable[[str], Any]], Any]:
    """A function that makes the structure with function(leaf) in place of each leaf: called for each batch."""
    if isinstance(structure, str):
        return lambda function: function(structure)
    if isinstance(structure, Mapping):
        keyed = [(key, _compiled(part)) for key, part in structure.items()]
        return lambda function: {key: part(function) for key, part in keyed}
    parts = [_compiled(part) for part in structure]
    if hasattr(structure, "_fields"):  # a named tuple
        return lambda function: type(structure)(*[part(function) for part in parts])
    if isinstance(structure, list):
        return lambda function: [part(function) for part in parts]
    return lambda function: tuple([part(function) for part in parts])


def _leaves(structure: Structure) -> Iterator[str]:
    if isinstance(structure, str):
        yield structure
    else:
        for part in structure.values() if isinstance(structure, Mapping) else structure:
            yield from _leaves(part)


def _beside(structure: Structure, other: Any) -> Iterator[Any]:
    if isinstance(structure, str):
        if structure != ROWS:
            yield other
    elif isinstance(other, (Mapping, tuple, list)):
        keys = list(structure) if isinstance(structure, Mapping) else range(len(structure))
        if len(other) != len(keys) or isinstance(other, Mapping) != isinstance(structure, Mapping):
            raise Invalid(f"{other!r} is not arranged like the structure {structure!r}")
        for key in keys:
            yield from _beside(structure[key], other[key])
    else:
        for part in structure.values() if isinstance(structure, Mapping) else structure:
            yield from _beside(part, other)


def _check(schema: Mapping[str, Any], structure: Structure) -> None:
    if isinstance(structure, str):
        if structure not in schema and structure not in (INDEX, ROWS, VALID):
            raise Invalid(_unknown(schema, structure))
    elif isinstance(structure, (Mapping, tuple, list)):
        if not structure:
            raise Invalid("the structure has an empty part; give names of fields, or leave the part out")
        for part in structure.values() if isinstance(structure, Mapping) else structure:
            _check(schema, part)
    else:
        raise Invalid(
            f"a structure is made of field names, headrace.INDEX, ROWS and VALID, in dicts, tuples and lists; not of "
            f"{structure!r} ({type(structure).__name__})"
        )


def _unknown(schema: Mapping[str, Any], name: str) -> str:
    folded = {known.lower(): known for known in schema}
    near = difflib.get_close_matches(name.lower(), list(folded), n=1)
    hint = f". Did you mean '{folded[near[0]]}'?" if near else ""
    return (
        f"the structure names '{name}', and the stream has no such field; there are {', '.join(schema)}, "
        f"headrace.INDEX, headrace.ROWS and headrace.VALID{hint}"
    )
