"""A service serves the user who started it, and nobody else of the node."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from samples import write
from service import HEADRACE, running
from trainer import Trainer

NOBODY = 65534
CONNECT = "import headrace; headrace.connect({socket!r}, rank=0, world_size=1, timeout=5)"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def open_folder():
    """Where anybody may look; with the trainers' package, which may lie where others may not."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-test-"))
    folder.chmod(0o755)
    package = Path(os.environ["HEADRACE_BUILD"]) / "python" / "headrace"
    shutil.copytree(package, folder / "headrace")
    shutil.copy(HEADRACE.parent.parent / "lib" / "libheadrace.so", folder / "headrace")
    yield folder
    shutil.rmtree(folder)


def as_nobody(folder, *command):
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{numpy_folder()}"}
    return subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], cwd=folder, env=environment,
                          capture_output=True, text=True, timeout=300)


def numpy_folder():
    import numpy

    return Path(numpy.__file__).parent.parent


def test_another_users_trainer_is_refused(tmp_path, open_folder):
    socket = open_folder / "socket"
    with running(tmp_path, write(tmp_path, 40), None, batch=4, socket=socket, listens=False) as service:
        with Trainer(socket, rank=0, world_size=1) as first:
            first.take()
        socket.chmod(0o777)  # as if a user had opened it by mistake
        probe = as_nobody(open_folder, sys.executable, "-c", "import numpy")
        if probe.returncode != 0:
            pytest.skip(f"another user cannot run this Python ({probe.stderr.strip().splitlines()[-1]})")
        done = as_nobody(open_folder, sys.executable, "-c", CONNECT.format(socket=str(socket)))
        assert done.returncode != 0
        assert "another user, uid 0" in done.stderr, done.stderr
        with Trainer(socket, rank=0, world_size=1) as own:  # and the service goes on
            own.take()
        assert service.process.poll() is None
        service.process.terminate()
        service.wait()


FLOOD = """
import socket, sys
for attempt in range(3000):
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    caller.setblocking(False)
    try:
        caller.connect(sys.argv[1].replace("@", chr(0)))
        caller.send(b'{"headrace": 2, "role": "control"}')
        caller.send(b'{"command": "stop"}')
    except OSError:
        pass  # refused, or not let in yet
    caller.close()
"""


def test_another_user_who_knocks_without_end_stops_nobody(tmp_path, open_folder):
    with running(tmp_path, write(tmp_path, 40), 2, batch=4) as service, Trainer(service) as trainer:
        trainer.take()
        done = as_nobody(open_folder, sys.executable, "-c", FLOOD, service.address())
        assert done.returncode == 0, done.stderr
        assert len(trainer.rest()) == 9
        assert service.process.poll() is None and not service.lines("stop")
