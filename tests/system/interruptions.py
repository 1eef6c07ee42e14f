"""Commands that write a file, interrupted once they have written some blocks of it."""

import contextlib
import os
import re
import select
import signal
import subprocess
import tempfile
from pathlib import Path

from service import HEADRACE, processes_with, until
from shims import HELD, preloaded

OFTEN = {"HEADRACE_WAIT_COMMIT": "0"}  # each block is safe at once, and known to be


def blocks_in(output):
    """Lines that are whole, in all logs of an unfinished file; a log that goes while they are read had none left to wait for."""
    blocks = 0
    for log in output.parent.glob(f"{output.name}.part.blocks.*"):
        with contextlib.suppress(FileNotFoundError):
            blocks += log.read_text().count(" ;\n")
    return blocks


def killed(word):
    """Kills all whose command line has this word. When it returns they are gone, with all that they had open: who waits for the
    disk is not gone at once, nor is its name free."""
    with contextlib.ExitStack() as ends:
        going = []
        for pid in processes_with(word):
            with contextlib.suppress(ProcessLookupError):
                going.append(os.pidfd_open(pid))
                ends.callback(os.close, going[-1])
                signal.pidfd_send_signal(going[-1], signal.SIGKILL)
        for one in going:
            assert select.select([one], [], [], 300)[0], "killed, and still there"


def taken(pid, number):
    """Whether the signal has come to the thread that waits for it."""
    with contextlib.suppress(OSError):
        pending = re.findall(r"^S(?:ig|hd)Pnd:\s+(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.M)
        return not any(int(mask, 16) >> number - 1 & 1 for mask in pending)
    return True


def stagers_with(word):
    """Rank -> process, of the MPI job whose command lines have this word."""
    found = {}
    for pid in processes_with(word):
        with contextlib.suppress(OSError):
            for rank in re.findall(rb"(?:^|\0)OMPI_COMM_WORLD_RANK=(\d+)", Path(f"/proc/{pid}/environ").read_bytes()):
                found[int(rank)] = pid
    return found


def interrupted(command, output, *arguments, blocks, how=signal.SIGKILL, stagers=None, then=lambda said: None, launch=(),
                environment=None):
    """Exit code and stderr of a run that gets a signal once so many more blocks are written, and goes no further until it has it.
    `then` is called when it has it, unless it is dead, with what tells what has been said by now. `how` may be a call itself."""
    launch = ["mpirun", "-n", str(stagers)] if stagers else launch
    environment = environment or os.environ
    blocks += blocks_in(output)
    with tempfile.TemporaryDirectory() as folder:
        on, said = Path(folder) / "on", Path(folder) / "said"
        held = {"LD_PRELOAD": preloaded(Path(folder), "held", HELD), "HELD_PART": f"{os.path.realpath(output)}.part",
                "HELD_BLOCKS": str(blocks), "HELD_UNTIL": str(on)}
        with said.open("w") as stderr, subprocess.Popen(
                [*launch, HEADRACE, command, *map(str, arguments), "-o", str(output)], env=environment | OFTEN | held,
                stdin=subprocess.DEVNULL, stderr=stderr, start_new_session=True) as run:
            try:
                until(lambda: run.poll() is not None or blocks_in(output) >= blocks, "some blocks")
                if callable(how):
                    how()
                    on.touch()
                    then(said.read_text)
                elif how == signal.SIGKILL:
                    killed(str(output))
                else:
                    run.send_signal(how)
                    until(lambda: run.poll() is not None or taken(run.pid, how), "the signal's arrival")
                    on.touch()
                    then(said.read_text)
                run.wait(300)
            finally:
                killed(str(output))
        text = said.read_text()
    until(lambda: not [*output.parent.glob("*.token")], "no token")
    return run.returncode, text
