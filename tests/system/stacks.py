"""Where processes are that have no end: a test that waits in vain says so, as it may be the only time that it is seen."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

_GDB_SECONDS = 30


def _text(path):
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace").strip()
    return "?"


def _parents():
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            parents[int(path.parent.name)] = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
    return parents


def family(pid):
    """The process and all that it and its children started."""
    parents, found = _parents(), [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _threads(pid):
    for task in sorted(Path(f"/proc/{pid}/task").glob("*")):
        state = _text(task / "stat").rpartition(")")[2].split()[:1]
        yield f"  {task.name} {_text(task / 'comm')}: {''.join(state)}, in {_text(task / 'wchan') or '?'} ({_text(task / 'syscall')})"


def stacks(pid):
    """Of the process and its family: what each thread waits for, and the stacks where there is a gdb."""
    told = []
    for one in family(pid):
        told.append(f"{one}: {_text(Path(f'/proc/{one}/cmdline')).replace(chr(0), ' ')[:300]}")
        told += _threads(one)
        if shutil.which("gdb"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                told.append(subprocess.run(["gdb", "-p", str(one), "-batch", "-ex", "thread apply all bt"], text=True,
                                           capture_output=True, timeout=_GDB_SECONDS).stdout)
    return "\n".join(told)


def finished(command, timeout, **how):
    """As subprocess.run() with its output captured as text; where it has no end, an error says where everybody was."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
    try:
        output = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        told = stacks(process.pid)
        for one in reversed(family(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        output = process.communicate()
        raise AssertionError(f"{command} had no end within {timeout} s; it said:\n{output[1]}\n{told}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, *output)
