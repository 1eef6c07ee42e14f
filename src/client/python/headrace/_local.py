"""A service as a child process, for notebooks, tests and laptops."""

from __future__ import annotations

import collections
import os
import re
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, Union

from . import _lib
from ._dial import Dial
from ._slots import EXHAUSTED_TIMEOUT
from .errors import Error, ServiceLost, Timeout
from .ranks import Placement
from .stream import Stream

# Ends with the thread that started it (Linux tells by thread): set in the child, before it becomes the service.
_TIED_TO_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15)\n"  # PR_SET_PDEATHSIG, SIGTERM
    "os.getppid() == int(sys.argv[1]) or sys.exit('the parent is gone')\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)
# What a launcher tells its own processes, of which the service is none. Settings of MPI that users make stay.
_OF_LAUNCHER = re.compile(
    "OMPI_(?!MCA_|ALLOW_)|OMPI_MCA_(orte_|ess|pmix|initial_wdir|shmem_RUNTIME)|ORTE_|OPAL_|PMIX_|PMI_|PRTE_|MPI_LOCAL|"
    "SLURM_(STEP|PROCID|LOCALID)"
)
_GRACE = 15.0  # seconds for each of: a graceful stop, SIGTERM


@contextmanager
def local(
    config: Union[str, os.PathLike[str], None] = None,
    trainers_per_node: int = 1,
    stream: Optional[str] = None,
    *,
    timeout: Optional[float] = 600.0,
    batch_timeout: Optional[float] = None,
    exhausted_timeout: float = EXHAUSTED_TIMEOUT,
    progress: bool = True,
    echo: bool = False,
    **flags: Any,
) -> Iterator[Stream]:
    """Runs ``headrace serve`` for the duration of a ``with`` block and yields a Stream of it::

        with headrace.local("lcd.toml", stream="train", batch=64) as stream:
            ...

    config
        TOML file; may be left out where flags say enough (``files="data/*.h5"``)
    flags
        configuration keys of the service: ``batch=64, slots=8, **{"stream.val.batch": 64}``
    echo
        shows what the service prints
    timeout, batch_timeout, exhausted_timeout, progress
        as for headrace.connect()

    The stream is that of rank 0 of `trainers_per_node`; other trainers and streams of the same service attach with
    ``headrace.connect(stream.service, ...)``. The service is stopped at the end of the block, and dies with this
    process. The program is the one that HEADRACE_BIN names, else that of this build or installation, else the one on
    PATH.
    """
    name = f"local-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    service = _Service(find_program(), name, _arguments(config, name, trainers_per_node, flags), echo)
    try:
        place = Placement(0, trainers_per_node, 0, "of headrace.local", "trainers_per_node")
        dial = Dial(name, stream, place, timeout, progress)
        with Stream(dial, batch_timeout, watch=service.check, exhausted_timeout=exhausted_timeout) as attached:
            yield attached
    except (ServiceLost, Timeout) as error:
        error.args = (f"{error}{service.last_words()}",)
        raise
    finally:
        service.stop()


def find_program() -> str:
    """The `headrace` program: HEADRACE_BIN, else beside the library, else on PATH."""
    named = os.environ.get("HEADRACE_BIN")
    if named:
        if not os.access(named, os.X_OK):
            raise Error(f"HEADRACE_BIN={named} is not a program; set it to the path of `headrace`")
        return named
    library = _lib.real_path()
    for folder in list(library.parents)[1:3]:  # PREFIX/lib/libheadrace.so or PREFIX/lib/TRIPLET/libheadrace.so
        program = folder / "bin" / "headrace"
        if os.access(program, os.X_OK):
            return str(program)
    program_on_path = shutil.which("headrace")
    if program_on_path is None:
        raise Error(
            f"no program `headrace` in {library.parents[1] / 'bin'} or on PATH (a package from pip holds the trainers' "
            "side alone); build the service and set HEADRACE_BIN to its path"
        )
    return program_on_path


def _arguments(
    config: Union[str, os.PathLike[str], None], name: str, trainers: int, flags: dict[str, Any]
) -> list[str]:
    arguments = [] if config is None else [f"--config={os.fspath(config)}"]
    arguments += [f"--name={name}", f"--trainers-per-node={trainers}"]
    for key, value in flags.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        arguments += [f"--{key.replace('_', '-') if '.' not in key else key}={_text(item)}" for item in values]
    return arguments


def _text(value: Any) -> str:
    return (
        str(value).lower() if isinstance(value, bool) else os.fspath(value) if isinstance(value, Path) else str(value)
    )


class _Service:
    """The child. One thread starts it, reads what it prints, and lives as long as it does."""

    def __init__(self, program: str, name: str, arguments: list[str], echo: bool) -> None:
        self._program, self._name, self._echo = program, name, echo
        self._lines: collections.deque[str] = collections.deque(maxlen=40)
        self._process: Optional[subprocess.Popen[str]] = None
        self._failure: Optional[OSError] = None
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=([program, "serve", *arguments], started), daemon=True, name=f"headrace serve {name}"
        )
        self._thread.start()
        started.wait()
        if self._failure is not None:
            raise Error(f"cannot run {program} ({self._failure}); set HEADRACE_BIN to the path of `headrace`")

    def _run(self, command: list[str], started: threading.Event) -> None:
        if sys.executable:
            command = [sys.executable, "-I", "-S", "-c", _TIED_TO_PARENT, str(os.getpid()), *command]
        try:
            # A session of its own: Ctrl-C is for the trainer, whose `with` block then stops the service.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                stderr=subprocess.STDOUT,
                errors="replace",
                start_new_session=True,
                env={name: value for name, value in os.environ.items() if not _OF_LAUNCHER.match(name)},
            )
        except OSError as error:
            self._failure = error
            return
        finally:
            started.set()
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._lines.append(line)
                if self._echo:
                    sys.stderr.write(line)
        self._process.wait()

    def check(self) -> None:
        """Raises, with what the service printed last, if it has ended."""
        assert self._process is not None
        code = self._process.poll()
        if code is not None:
            self._thread.join(_GRACE)
            raise Error(f"headrace serve ended with exit code {code} before a trainer could attach{self.last_words()}")

    def last_words(self) -> str:
        self._thread.join(0.5)  # lets the last lines arrive if it has just died
        lines = "".join(list(self._lines)[-20:]).rstrip()
        return f"; it printed:\n{lines}" if lines else ""

    def stop(self) -> None:
        """Gracefully, else by SIGTERM, else by SIGKILL."""
        process = self._process
        assert process is not None
        if process.poll() is None and not self._stopped_gracefully(process):
            process.terminate()
            if not self._ended(process):
                process.kill()
                process.wait()
        self._thread.join(_GRACE)

    def _stopped_gracefully(self, process: subprocess.Popen[str]) -> bool:
        try:
            asked = subprocess.run(
                [self._program, "stop", self._name],
                stdin=subprocess.DEVNULL,
                timeout=_GRACE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return asked.returncode == 0 and self._ended(process)

    @staticmethod
    def _ended(process: subprocess.Popen[str]) -> bool:
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return False
        return True
