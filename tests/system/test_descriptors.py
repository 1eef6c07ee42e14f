"""File descriptors have an end: the start reckons with it, and nobody who takes many ends the service."""

import contextlib
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
from samples import write
from service import control, running

import headrace


def limited(soft, hard):
    return ["bash", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"', "sh"]


def knock(service):
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    caller.settimeout(5)
    caller.connect(service.address("\0"))
    return caller


def take_all(name):
    with headrace.connect(name, rank=0, world_size=1, progress=False, timeout=300) as stream:
        return sorted(np.concatenate([batch.index.copy() for batch in stream]))


def test_a_limit_too_low_for_the_trainers_is_refused_by_name(tmp_path):
    with running(tmp_path, write(tmp_path, 40), 2, prefix=limited(512, 512), listens=False, batch=4, last="partial",
                 trainers_per_node=1000) as service:
        assert service.wait() == 1
        said = service.lines("too few file descriptors")
        assert len(said) == 1 and "trainers-per-node = 1000" in said[0] and "512 are allowed" in said[0], service.text
        assert int(re.search(r"needs (\d+)", said[0]).group(1)) > 1000


def test_the_least_limit_that_is_accepted_is_enough_for_all_trainers(tmp_path):
    data = write(tmp_path, 80)
    flags = {"batch": 1, "trainers_per_node": 40, "stay": True}
    with running(tmp_path, data, prefix=limited(64, 64), listens=False, **flags) as service:
        assert service.wait() == 1
        # What MPI has open while it starts differs by some from run to run.
        needed = int(re.search(r"needs (\d+)", service.text).group(1)) + 6
    with running(tmp_path, data, prefix=limited(needed, needed), **flags) as service, contextlib.ExitStack() as stack:
        service.ready()
        for _ in range(10):
            stack.enter_context(knock(service))
        trainers = [stack.enter_context(headrace.connect(service.name, None, rank, 40, rank, progress=False)) for rank in range(40)]
        taken = [int(batch.index[0]) for batches in zip(*trainers, strict=True) for batch in batches]
        assert sorted(taken) == list(range(80))
        assert control("stat", service.name).returncode == 0
        stack.close()
        assert control("stop", service.name).returncode == 0
        assert service.wait() == 0


def test_the_soft_limit_is_raised(tmp_path):
    with running(tmp_path, write(tmp_path, 40), prefix=limited(64, 1000), batch=4, epochs=1, last="partial",
                 trainers_per_node=60) as service:
        service.ready()
        (pid,) = service.stagers()
        assert re.search(r"Max open files +1000 +1000", Path(f"/proc/{pid}/limits").read_text())
        assert take_all(service.name) == list(range(40))
        assert service.wait() == 0


def test_callers_wait_while_none_are_left(tmp_path):
    with running(tmp_path, write(tmp_path, 40), prefix=limited(200, 200), batch=4, epochs=1) as service, \
         contextlib.ExitStack() as crowd:
        service.ready()
        (pid,) = service.stagers()
        for _ in range(300):
            crowd.enter_context(knock(service))
        told = service.says("no file descriptor for who connects")
        assert "ulimit -n allows 200" in told
        assert len(list(Path(f"/proc/{pid}/fd").iterdir())) < 180  # some are kept for trainers
        crowd.close()
        assert take_all(service.name) == list(range(40))
        assert service.wait() == 0
        assert len(service.lines("no file descriptor")) == 1
        assert service.lines("every sample exactly once")


def test_who_says_nothing_keeps_nobody_out(tmp_path):
    """More silent connections than there is room for, tools that ask nothing among them; all stay."""
    with running(tmp_path, write(tmp_path, 40), prefix=limited(110, 110), batch=4, epochs=1) as service, \
         contextlib.ExitStack() as crowd:
        service.ready()
        silent = [crowd.enter_context(knock(service)) for _ in range(150)]
        for caller in silent[::3]:
            caller.send(json.dumps({"headrace": 2, "role": "control"}).encode())
        for caller in silent[1::3]:
            caller.shutdown(socket.SHUT_WR)
        service.says("no file descriptor for who connects")
        assert take_all(service.name) == list(range(40))
        assert service.wait() == 0


def test_a_trainer_without_descriptors_is_told_so(tmp_path):
    script = ("import headrace, os, resource, sys\n"
              "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
              "taken = []\n"
              "try:\n"
              "    while True: taken.append(os.open('/dev/null', os.O_RDONLY))\n"
              "except OSError: pass\n"
              "for fd in taken[-3:]: os.close(fd)\n"  # for the socket, and its own process
              "headrace.connect(sys.argv[1], rank=0, world_size=1, timeout=5, progress=False)\n")


    with running(tmp_path, write(tmp_path, 40), batch=4, stay=True) as service:
        service.ready()
        done = subprocess.run([sys.executable, "-c", script, service.name], capture_output=True, text=True)
        last = done.stderr.strip().splitlines()[-1]
        assert "no file descriptor left in process" in last and "ulimit -n allows it 64" in last, done.stderr
        assert take_all(service.name) == list(range(40))
        assert control("stop", service.name).returncode == 0
        assert service.wait() == 0
