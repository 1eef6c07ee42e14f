"""Finding a service and getting in: once for connect(), and again where a service comes back."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Optional

from . import _lib
from ._beside import beside
from ._progress import ProgressLine
from .errors import Refused, ServiceLost
from .ranks import Placement

_PATIENCE = 10.0  # seconds for a service that dies to let go of our rank
_BETWEEN = 0.1  # seconds between two tries

Watch = Callable[[], None]


class Dial:
    """Whom to call, and as whom. `watch` is called about every half second and ends the waiting by raising."""

    def __init__(
        self,
        name: str,
        stream: Optional[str],
        placement: Placement,
        timeout: Optional[float],
        progress: bool,
        replica: int = 0,
    ) -> None:
        self.name, self.stream, self.placement = name, stream, placement
        self.timeout, self.progress, self.replica = timeout, progress, replica

    def call(self, watch: Optional[Watch] = None) -> int:
        """A handle of the library, once the service is there and has loaded."""
        return self._call(watch, self._deadline())

    def call_again(self, watch: Watch) -> int:
        """The same where a service has just gone: what is left of it may answer for a moment."""
        began, deadline = time.monotonic(), self._deadline()
        while True:
            try:
                return self._call(watch, deadline)
            except ServiceLost:  # it ended while we waited
                if deadline is not None and time.monotonic() >= deadline:
                    raise
            except Refused:
                if time.monotonic() >= began + _PATIENCE:
                    raise
            watch()
            time.sleep(_BETWEEN)

    def _deadline(self) -> Optional[float]:
        return None if self.timeout is None else time.monotonic() + self.timeout

    def _call(self, watch: Optional[Watch], deadline: Optional[float]) -> int:
        label = f"headrace {self.name}" if self.stream is None else f"headrace {self.name}/{self.stream}"
        line = ProgressLine(label, self.placement.local_rank <= 0) if self.progress else None
        try:
            return beside(lambda given_up: self._connect(watch, line, deadline, given_up), hang_up)
        finally:
            if line is not None:
                line.clear()

    def _connect(
        self, watch: Optional[Watch], line: Optional[ProgressLine], deadline: Optional[float], given_up: threading.Event
    ) -> int:
        raised: list[BaseException] = []

        def tell(_: object, what: Optional[bytes], fraction: float) -> int:
            try:
                if watch is not None:
                    watch()
                if line is not None and not given_up.is_set():
                    line.show((what or b"waiting").decode(errors="replace"), fraction)
                return int(given_up.is_set())
            except BaseException as error:  # it cannot cross the library
                raised.append(error)
                return 1

        options = _lib.Options(
            size=ctypes.sizeof(_lib.Options),
            service=self.name.encode(),
            stream=None if self.stream is None else self.stream.encode(),
            rank=self.placement.rank,
            world_size=self.placement.world_size,
            local_rank=self.placement.local_rank,
            progress=_lib.Progress(tell),
            replica=self.replica,
        )
        handle = ctypes.c_void_p()
        while True:
            options.timeout = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
            code = _lib.waiting.hr_connect(ctypes.byref(options), ctypes.byref(handle))
            if raised:
                raise raised[0]
            if code != _lib.INTERRUPTED or given_up.is_set():
                break
        if code != _lib.OK or handle.value is None:
            raise _lib.failure(code, str(self.placement))
        return handle.value


def hang_up(handle: int) -> None:
    _lib.waiting.hr_close(handle, 0, 0)


def info_of(handle: int) -> _lib.Info:
    info = _lib.Info(size=ctypes.sizeof(_lib.Info))
    code = _lib.waiting.hr_get_info(handle, ctypes.byref(info))
    if code != _lib.OK:
        raise _lib.failure(code)
    return info
