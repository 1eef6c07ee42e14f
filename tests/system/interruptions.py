"""Commands that write a file, interrupted once they have written some blocks of it."""

import contextlib
import os
import signal
import subprocess

from service import HEADRACE, processes_with, until

OFTEN = {"HEADRACE_WAIT_COMMIT": "0"}  # each block is safe at once, and known to be


def blocks_in(output):
    """Lines that are whole, in all logs of an unfinished file; a log that goes while they are read had none left to wait for."""
    blocks = 0
    for log in output.parent.glob(f"{output.name}.part.blocks.*"):
        with contextlib.suppress(FileNotFoundError):
            blocks += log.read_text().count(" ;\n")
    return blocks


def interrupted(command, output, *arguments, blocks, how=signal.SIGKILL, stagers=None, then=lambda: None):
    """Exit code and stderr of a run that gets a signal once so many blocks are written, if it is not done before. `then`
    is called when it has it, unless it is dead."""
    launch = ["mpirun", "-n", str(stagers)] if stagers else []
    with subprocess.Popen([*launch, HEADRACE, command, *map(str, arguments), "-o", str(output)], env=os.environ | OFTEN,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        until(lambda: run.poll() is not None or blocks_in(output) >= blocks, "some blocks")
        if how == signal.SIGKILL:
            for pid in processes_with(str(output)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
        else:
            run.send_signal(how)
            then()
        stderr = run.communicate(timeout=60)[1]
    until(lambda: not [*output.parent.glob("*.token")], "no token")
    return run.returncode, stderr
