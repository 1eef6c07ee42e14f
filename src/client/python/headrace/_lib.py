"""The C library: where it is, and include/headrace/headrace.h in ctypes. Nothing else in this package declares C."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, TypeVar

from . import errors

OK, END, TIMEOUT, INTERRUPTED, EXHAUSTED, REFUSED, LOST, FORKED, INVALID, CLOSED = range(10)

EXCEPTIONS = {
    TIMEOUT: errors.Timeout,
    EXHAUSTED: errors.Exhausted,
    REFUSED: errors.Refused,
    LOST: errors.ServiceLost,
    FORKED: errors.Forked,
    INVALID: errors.Invalid,
    CLOSED: errors.Closed,
}

FORKED_TEXT = (
    "the stream belongs to the process that connected, and this is a forked child of it; connect in the child itself, "
    "or in a torch DataLoader use num_workers=0 (batches come ready-made, workers would only copy them)"
)

Progress = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_double)


class Options(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("service", c_char_p),
        ("stream", c_char_p),
        ("rank", c_int32),
        ("world_size", c_int32),
        ("local_rank", c_int32),
        ("timeout", c_double),
        ("progress", Progress),
        ("progress_context", c_void_p),
        ("replica", c_int32),
        ("replicas", c_int32),
    ]


class Field(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("name", c_char_p),
        ("dtype", c_char_p),
        ("itemsize", c_size_t),
        ("ndim", c_int32),
        ("shape", POINTER(c_uint64)),
        ("row_bytes", c_size_t),
        ("ncolumns", c_int32),
        ("columns", POINTER(c_char_p)),
        ("nclasses", c_int32),
        ("classes", POINTER(c_char_p)),
    ]


class Info(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("service", c_char_p),
        ("stream", c_char_p),
        ("rank", c_int32),
        ("world_size", c_int32),
        ("batches", c_uint64),
        ("samples", c_uint64),
        ("epochs", c_uint64),
        ("batch", c_uint32),
        ("slots", c_uint32),
        ("epoch", c_uint64),
        ("step", c_uint64),
        ("nfields", c_int32),
        ("fields", POINTER(POINTER(Field))),
        ("schema_json", c_char_p),
        ("ring", c_void_p),
        ("ring_bytes", c_size_t),
        ("stager", c_char_p),
        ("replica", c_int32),
        ("replicas", c_int32),
    ]


class RawBatch(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("lease", c_uint32),
        ("rows", c_uint32),
        ("filled", c_uint32),
        ("epoch", c_uint64),
        ("step", c_uint64),
        ("index", c_void_p),  # const int64_t*
        ("data", POINTER(c_void_p)),
    ]


class File(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("path", c_char_p), ("first_sample", c_uint64), ("samples", c_uint64)]


class Stats(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("batches", c_uint64),
        ("rows", c_uint64),
        ("bytes", c_uint64),
        ("wait_seconds", c_double),
        ("held", c_uint64),
    ]


_PROTOTYPES = {
    "hr_connect": (c_int, [POINTER(Options), POINTER(c_void_p)]),
    "hr_get_info": (c_int, [c_void_p, POINTER(Info)]),
    "hr_acquire": (c_int, [c_void_p, c_double, POINTER(RawBatch)]),
    "hr_release": (c_int, [c_void_p, c_uint32, c_int]),
    "hr_put_back": (c_int, [c_void_p, c_uint32]),
    "hr_follow": (c_int, [c_void_p, c_double]),
    "hr_seek": (c_int, [c_void_p, c_uint64, c_uint64]),
    "hr_resume": (c_int, [c_void_p, c_uint64, c_uint64, c_double]),
    "hr_files": (c_int, [c_void_p, POINTER(POINTER(POINTER(File))), POINTER(c_size_t)]),
    "hr_get_stats": (c_int, [c_void_p, POINTER(Stats)]),
    "hr_close": (None, [c_void_p, c_int, c_int]),
    "hr_error": (c_char_p, []),
    "hr_version": (c_char_p, []),
}
_COMPATIBLE = "0.1."  # the series of headrace.h that the structs above follow


def _find() -> str:
    """The library beside the package (build tree and wheel), else wherever the loader finds it."""
    beside = Path(__file__).parent / "libheadrace.so"
    return str(beside) if beside.exists() else "libheadrace.so"


_Library = TypeVar("_Library", bound=ctypes.CDLL)


def _prototyped(library: _Library) -> _Library:
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _load(path: str) -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    try:
        waiting, quick = ctypes.CDLL(path), ctypes.PyDLL(path)
    except OSError as error:
        raise ImportError(
            f"headrace's trainers' library cannot be loaded ({error}); build it (cmake --build --preset release) and "
            "put build/release/python on PYTHONPATH, or `pip install .` in the source tree"
        ) from None
    found = _prototyped(waiting).hr_version().decode()
    if not found.startswith(_COMPATIBLE):
        raise ImportError(
            f"headrace's Python package wants the library {_COMPATIBLE}x, but {path} is {found}; "
            "install both from one source tree"
        )
    return waiting, _prototyped(quick)


PATH = _find()
# `waiting` gives the GIL away during a call; `quick` keeps it, for calls that return within microseconds.
waiting, quick = _load(PATH)
VERSION: str = waiting.hr_version().decode()


def error_text() -> str:
    """What went wrong in this thread's last failing call."""
    text: bytes = quick.hr_error()
    return text.decode(errors="replace")


def failure(code: int, about: str = "") -> errors.Error:
    """The exception for a return code, worded by the library; `about` opens the text."""
    text = FORKED_TEXT if code == FORKED else error_text()
    return EXCEPTIONS.get(code, errors.Error)(f"{about}: {text}" if about else text)


def real_path() -> Path:
    """The loaded library's file, links resolved (to look for the service's program near it)."""
    return Path(PATH).resolve()


def bytes_array(size: int, name: str, members: dict[str, Any]) -> Any:
    """A ctypes array type of `size` bytes with extra members."""
    return type(name, (ctypes.Array,), {"_type_": ctypes.c_ubyte, "_length_": size, **members})
