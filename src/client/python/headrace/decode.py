"""A decoder in Python at work for `headrace`: samples in, arrays out.

    python -m headrace.decode MODULE:NAME [FOLDER]

is what the service starts, with a socket as standard input; nobody types it. FOLDER is looked into for the module, too.
Requests and answers stand behind their lengths (8 bytes, little-endian):

    {"fit": [{column: value}, ...],                        {}, or {"error": text}
     "infinite": [[row, column, "nan" | "inf" | "-inf"]]}
    {"samples": [{"row": n, "path": p, "sent": b}, ...]}   for each a .npy; or nothing, and a text: why there is none

The contents of those that are `sent` follow the request, each behind its length.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import IO, Any, Optional

FILE_KEY = "@path"  # of a record: where its file is

Sample = dict[str, Any]  # "row", "path", "sent"
Made = tuple[Any, Optional[str]]  # an array, or None and why there is none


class Pipe:
    """Standard input, which is a socket: both ways. What a decoder starts reads nothing instead."""

    def __init__(self) -> None:
        self.descriptor = os.dup(0)  # not inherited
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)

    def read(self, count: int) -> bytes:
        parts = []
        while count > 0:
            part = os.read(self.descriptor, min(count, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def read_framed(self) -> bytes:
        return self.read(int.from_bytes(self.read(8), "little"))


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data


def reason(error: BaseException) -> str:
    """The last line of the traceback, with the place in the user's code."""
    last = traceback.format_exception_only(type(error), error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    return f"{last} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if len(frames) > 1 else last


def arity(function: Callable[..., Any]) -> int:
    """How many arguments it wants by position: one or two.

    A second that may be left out is wanted where it is called record.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    by_position = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind == p.VAR_POSITIONAL for p in parameters):
        return 2
    wanted = [p for p in by_position if p.default is p.empty or p.name == "record"]
    return max(1, min(2, len(wanted)))


class Decoder:
    """What MODULE:NAME is: a function of the file, or an object with `transform` and its companions."""

    def __init__(self, name: str) -> None:
        module, _, attribute = name.partition(":")
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        self.user: Any = found() if inspect.isclass(found) else found
        self.records: list[dict[str, Any]] = []

    def fit(self, records: list[dict[str, Any]]) -> None:
        self.records = records
        fit = getattr(self.user, "fit", None)
        if fit is None:
            return
        try:
            import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]
        except ImportError:
            fit(records)
        else:
            fit(pandas.DataFrame.from_records(records))

    def handle(self, sample: Sample, content: Optional[bytes]) -> IO[Any]:
        binary = getattr(self.user, "binary", True)
        if content is not None:
            return io.BytesIO(content) if binary else io.StringIO(content.decode())
        return open(sample["path"], "rb") if binary else open(sample["path"], encoding="utf-8")

    def record(self, sample: Sample) -> dict[str, Any]:
        return {**self.records[sample["row"]], FILE_KEY: sample["path"]}

    def one(self, sample: Sample, content: Optional[bytes]) -> Any:
        transform = getattr(self.user, "transform", None)
        if transform is not None and arity(transform) == 1:
            return transform(self.record(sample))
        function = transform if transform is not None else self.user
        with self.handle(sample, content) as file:
            return function(file, self.record(sample)) if arity(function) == 2 else function(file)

    def whole_batch(self, samples: list[Sample], contents: list[Optional[bytes]]) -> Sequence[Any]:
        """All of them, or an exception."""
        batch = getattr(self.user, "transform_batch", None)
        made: Sequence[Any]
        if batch:
            made = batch([self.record(s) for s in samples])
        else:
            made = [self.one(s, c) for s, c in zip(samples, contents)]
        finalize = getattr(self.user, "finalize_batch", None)
        made = finalize(made) if finalize else made
        if len(made) != len(samples):
            raise ValueError(f"{len(made)} arrays were made of {len(samples)} samples")
        return made

    def batch(self, samples: list[Sample], contents: list[Optional[bytes]]) -> list[Made]:
        """(array, None) or (None, why) of each."""
        try:
            return [(array, None) for array in self.whole_batch(samples, contents)]
        except Exception as error:  # whatever users' code raises
            if len(samples) == 1:
                return [(None, reason(error))]
        # Which of them it was: one by one.
        return [self.batch([s], [c])[0] for s, c in zip(samples, contents)]


def as_npy(array: Any) -> bytes:
    import numpy

    file = io.BytesIO()
    numpy.save(file, numpy.ascontiguousarray(array) if numpy.ndim(array) else numpy.asarray(array), allow_pickle=False)
    return file.getvalue()


def answer(array: Any, why: Optional[str]) -> bytes:
    if why is None:
        try:
            return framed(as_npy(array))
        except Exception as error:  # objects, ragged lists
            why = f"what the decoder returned is no array of numbers: {reason(error)}"
    return framed(b"") + framed(why.encode("utf-8", "replace"))


def with_infinite(records: list[dict[str, Any]], infinite: list[tuple[int, str, str]]) -> list[dict[str, Any]]:
    """With the numbers that JSON has none for."""
    for row, column, text in infinite:
        records[row][column] = float(text)
    return records


def serve(name: str, pipe: Pipe) -> None:
    decoder: Optional[Decoder] = None
    while True:
        request = json.loads(pipe.read_framed())
        if "fit" in request:
            try:
                decoder = Decoder(name)
                decoder.fit(with_infinite(request["fit"], request.get("infinite", [])))
                told: dict[str, str] = {}
            except BaseException as error:  # a module may even call sys.exit
                told = {"error": reason(error)}
            pipe.write(framed(json.dumps(told).encode()))
            continue
        if decoder is None:
            raise EOFError  # asked in the wrong order: not by the service
        samples = request["samples"]
        contents = [pipe.read_framed() if s["sent"] else None for s in samples]
        for array, why in decoder.batch(samples, contents):
            pipe.write(answer(array, why))


def main(arguments: list[str]) -> None:
    sys.path[:0] = [folder for folder in arguments[1:2] if folder] + [os.getcwd()]
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):  # the service is done, or gone
        serve(arguments[0], Pipe())


if __name__ == "__main__":
    main(sys.argv[1:])
