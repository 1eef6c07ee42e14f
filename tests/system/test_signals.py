"""What batch systems, shells and terminals do to a service that they do not mean to end."""

import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from samples import write
from service import HEADRACE, control, last_words_come, running, until

import headrace
from trainer import Trainer

# Starts a program on a terminal of its own, and closes that once the program listens.
ON_A_TERMINAL_THAT_GOES = """
import os, pty, signal, sys
name, ignore = sys.argv[1], sys.argv[2] == "nohup"
if ignore:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[3], sys.argv[3:])
text = b""
while b"trainers connect to" not in text:
    text += os.read(terminal, 4096)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def shell(redirections):
    return ["bash", "-c", f'set -o pipefail; "$@" {redirections}', "sh"]


def ignores(pid, number):
    mask = re.search(r"SigIgn:\s+(\w+)", Path(f"/proc/{pid}/status").read_text()).group(1)
    return int(mask, 16) >> number - 1 & 1


def take_all(name, epochs=1):
    with headrace.connect(name, rank=0, world_size=1, progress=False, timeout=300) as stream:
        for _ in range(epochs):
            samples = np.concatenate([batch.index.copy() for batch in stream])
    return sorted(samples)


def test_signals_of_batch_systems(tmp_path):
    events = tmp_path / "events.jsonl"
    with running(tmp_path, write(tmp_path, 40), 2, batch=4, stay=True, log=events) as service:
        service.ready()
        with Trainer(service.name, rank=0, world_size=1) as trainer:
            trainer.take()
            service.process.send_signal(signal.SIGUSR1)  # as srun --signal=USR1@90 does: to each rank
            service.says("1 trainer$")
            assert service.says("stream train: 40 samples").startswith(f"headrace {service}: ")
            service.says("trainers wait .* of their time")
            for pid in service.stagers():
                os.kill(pid, signal.SIGUSR2)
            trainer.take()
            state = until(lambda: [e for e in map(json.loads, events.read_text().split("\n")[:-1]) if e["event"] == "state"],
                          "the state among the events")[0]
            assert state["service"] == service.name and state["stat"]["trainers"][0]["rank"] == 0
            service.process.send_signal(signal.SIGTERM)  # and it still hears what ends it
            if last_words_come():
                service.says("ended by SIGTERM")
            service.wait()


def test_a_pause_is_only_a_pause(tmp_path):
    with running(tmp_path, write(tmp_path, 40), batch=4, epochs=2) as service:
        service.ready()
        (pid,) = service.stagers()
        os.kill(pid, signal.SIGSTOP)  # what SIGTSTP does, too, in a shell
        until(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "T", "stopped")
        os.kill(pid, signal.SIGCONT)
        assert take_all(service.name, 2) == list(range(40))
        assert service.wait() == 0
        assert service.lines("every sample exactly once")


@pytest.mark.parametrize("redirections", ["2>&1 | head -1", "> /dev/full 2>&1", "<&- >&- 2>&-"],
                         ids=["nobody reads it", "the disk is full", "all closed"])
def test_goes_on_when_nobody_hears_it(tmp_path, redirections):
    events = tmp_path / "events.jsonl"
    with running(tmp_path, write(tmp_path, 40), prefix=shell(redirections), batch=4, epochs=1, log=events) as service:
        service.ready()
        (pid,) = service.stagers()
        if "&-" in redirections:
            assert {os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)} == {"/dev/null"}
        assert take_all(service.name) == list(range(40))
        assert service.wait() == 0
        end = json.loads(events.read_text().splitlines()[-1])
        assert end["event"] == "end" and end["exactly_once"]
        assert len(service.text.splitlines()) == ("head" in redirections)


def test_goes_on_when_its_words_find_no_room(tmp_path):
    """stderr is a pipe that nobody reads, as in a terminal that is stopped: trainers and tools are answered all the same."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    prefix = ["bash", "-c", f'"$@" 2>&{theirs}', "sh"]
    with running(tmp_path, write(tmp_path, 40), prefix=prefix, pass_fds=[theirs], batch=4, stay=True, verbose=True) as service:
        service.ready()
        for _ in range(30):  # a trainer that comes and goes is told
            with headrace.connect(service.name, rank=0, world_size=1, progress=False, timeout=300):
                pass
        assert take_all(service.name) == list(range(40))
        assert control("stat", service.name).returncode == 0
        assert service.stop() == 0
    os.close(theirs)
    with open(ours) as said:
        assert "memory" in said.read()


def test_goes_on_without_its_terminal_if_started_so(tmp_path):
    events = tmp_path / "events.jsonl"
    prefix = [sys.executable, "-c", ON_A_TERMINAL_THAT_GOES, "x", "nohup"]
    with running(tmp_path, write(tmp_path, 40), prefix=prefix, batch=4, epochs=1, log=events) as service:
        assert take_all(service.name) == list(range(40))
        assert service.wait() == 0
        assert json.loads(events.read_text().splitlines()[-1])["exactly_once"]


def test_a_lost_terminal_ends_it_with_a_word(tmp_path):
    events = tmp_path / "events.jsonl"
    prefix = [sys.executable, "-c", ON_A_TERMINAL_THAT_GOES, "x", "plain"]
    # Not waited for: it may have ended before anybody looks whether it listens.
    with running(tmp_path, write(tmp_path, 40), prefix=prefix, listens=False, batch=4, stay=True, log=events) as service:
        assert service.wait() == 128 + signal.SIGHUP
        assert "ended by SIGHUP" in json.loads(events.read_text().splitlines()[-1])["error"]


@pytest.mark.parametrize("command", ["inspect {data}", "inspect --json {data}", "inspect -c {config} {data}",
                                     "inspect -c {config} --sample 0 {data}", "plan --samples 1000 --row-bytes 100 --nodes 4",
                                     "stats --help", "--version", "help"])
def test_output_that_did_not_arrive_is_a_failure(tmp_path, command):
    data, config = write(tmp_path, 40)[0], tmp_path / "c.toml"
    config.write_text("batch = 4\n")
    words = [str(HEADRACE), *shlex.split(command.format(data=data, config=config))]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "No space left" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert subprocess.run(words, stdout=subprocess.DEVNULL).returncode == 0


def test_output_that_nobody_wants_is_none(tmp_path):
    data = write(tmp_path, 40)[0]
    quiet = subprocess.run(["bash", "-c", 'set -o pipefail; "$@" | true', "sh", HEADRACE, "inspect", data],
                           capture_output=True, text=True)
    assert quiet.stderr == ""
    closed = subprocess.run(["bash", "-c", '"$@" >&-', "sh", HEADRACE, "inspect", data], capture_output=True, text=True)
    assert closed.returncode == 1 and "standard output is closed" in closed.stderr


def test_stat_of_a_service_on_a_full_disk_and_warnings_while_waiting(tmp_path):
    with running(tmp_path, write(tmp_path, 40), batch=4, stay=True) as service:
        service.ready()
        for more in ([], ["--json"], ["--watch"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([HEADRACE, "stat", service.name, *more], stdout=full, stderr=subprocess.PIPE, text=True)
            assert done.returncode == 1 and "No space left" in done.stderr
        watch = subprocess.Popen([HEADRACE, "stat", service.name, "--watch"], stdout=subprocess.PIPE, text=True)
        assert watch.stdout.readline().startswith("service")
        watch.send_signal(signal.SIGUSR1)
        watch.send_signal(signal.SIGUSR2)
        assert control("stop", service.name).returncode == 0
        assert "has ended" in watch.communicate()[0] and watch.returncode == 0
        assert service.wait() == 0
    waiting = subprocess.Popen([HEADRACE, "wait", "sys-nobody", "--timeout=1"], stderr=subprocess.PIPE, text=True)
    until(lambda: ignores(waiting.pid, signal.SIGUSR1), "the command has begun")
    waiting.send_signal(signal.SIGUSR1)
    assert "no service 'sys-nobody'" in waiting.communicate()[1] and waiting.returncode == 1
