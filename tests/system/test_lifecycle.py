"""How a service ends, and what it says then."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

import h5py
import numpy as np
import pytest
from service import HEADRACE, control, running, stand_still, until, why_not_two_programs

import headrace


def write(path, n=64):
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(n)
    return path


def test_ends_by_itself_when_all_epochs_are_consumed(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], stagers=2, batch=8, epochs=2) as service:
        with headrace.connect(service.name, progress=False) as stream:
            assert [sum(batch.rows for batch in stream) for _ in range(2)] == [64, 64]
        assert service.wait() == 0
        assert service.lines("ended: all epochs are consumed")
        assert service.lines("train: 2 epochs complete, 128 samples.*every sample exactly once")


def test_ends_after_goodbyes_and_linger(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8, linger="0.2s") as service:
        with headrace.connect(service.name, progress=False) as stream:
            for _ in stream:
                pass
        assert service.wait() == 0
        assert service.lines("ended: every trainer has said goodbye")


def test_stays_where_asked_to(tmp_path):
    data = write(tmp_path / "a.h5")
    with running(tmp_path, [data], batch=8, linger="0s", stay=True) as patient, \
         running(tmp_path, [data], batch=8, linger="0s") as other:
        for service in (patient, other):
            with headrace.connect(service.name, progress=False) as stream:
                assert sum(batch.rows for batch in stream) == 64
        assert other.wait() == 0
        with headrace.connect(patient.name, progress=False) as stream:
            assert {batch.epoch for batch in stream} == {1}
        assert patient.process.poll() is None


def test_a_trainer_that_fails_says_no_goodbye(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8, linger="0s") as service:
        script = (f"import headrace\nwith headrace.connect('{service}', progress=False) as s:\n"
                  "    batch = next(iter(s))\n    raise RuntimeError('on purpose')\n")
        assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode != 0
        service.says("trainer 0 .* is gone")
        # its batch waits: whoever takes its rank gets it again, and the epoch is whole
        with headrace.connect(service.name, progress=False) as stream:
            samples = np.concatenate([batch.index.copy() for batch in stream])
        assert sorted(samples) == list(range(64))
        assert service.wait() == 0
        assert service.lines("train epoch 0: .*every sample exactly once")


def test_an_epoch_left_by_break_is_named(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8, linger="0s") as service:
        with headrace.connect(service.name, progress=False) as stream:
            for batch in stream:
                if batch.step == 2:
                    break
            del batch
            assert {batch.epoch for batch in stream} == {1}
        assert service.wait() == 0
        assert service.lines(r"train epoch 0: unfinished \(trainer 0 left it at step")
        assert service.lines("train epoch 1: .*every sample exactly once")


def test_an_epoch_left_by_seek_is_named(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], stagers=2, batch=8, split_nodes=True) as service:
        with headrace.connect(service.node(1), progress=False) as stream:
            for batch in stream:
                if batch.step == 4:
                    break
            del batch
            stream.seek(5, 6)
            assert [(batch.epoch, batch.step) for batch in stream] == [(5, 6), (5, 7)]
        assert service.stop() == 0
        assert service.lines(r"train epoch 0: unfinished \(trainer 0 left it at step 5\)")
        assert service.lines("train epoch 5: 16 samples.*every sample exactly once from where the trainers began")


def test_who_comes_back_goes_on_with_the_next_epoch(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8) as service:
        for epoch in range(3):
            with headrace.connect(service.name, progress=False) as stream:
                assert {batch.epoch for batch in stream} == {epoch}


def test_a_service_that_stands_still_is_waited_for(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8) as service:
        service.ready()
        stand_still(service.process.pid)
        done = control("wait", service, "--timeout=0.5")
        assert done.returncode == 1 and "does not answer, after 0.5 s" in done.stderr, done.stderr
        os.kill(service.process.pid, signal.SIGCONT)
        assert control("wait", service, "--timeout=300").returncode == 0


def test_a_benchmark_leaves_what_the_service_of_its_configuration_has(tmp_path):
    write(tmp_path / "a.h5")
    config, metrics, log = tmp_path / "a.toml", tmp_path / "a.prom", tmp_path / "a.log"
    config.write_text(f'files = ["a.h5"]\nbatch = 8\nsocket = "{tmp_path}/s"\nmetrics = "{metrics}"\nlog = "{log}"\n')
    with running(tmp_path, config=config, listens=False) as service:
        assert control("wait", tmp_path / "s", "--timeout=300").returncode == 0
        until(metrics.exists, "figures")
        before = log.read_text()
        done = subprocess.run([HEADRACE, "bench", "-c", config, "--repeats=1", "--round=10KB"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert metrics.exists() and log.read_text() == before
        assert control("stop", tmp_path / "s").returncode == 0
        assert service.wait() == 0


def test_two_services_at_once(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5", 32)], batch=8) as one, \
         running(tmp_path, [write(tmp_path / "b.h5", 48)], batch=8) as two:
        for service, samples in ((one, 32), (two, 48)):
            with headrace.connect(service.name, progress=False) as stream:
                assert sum(batch.rows for batch in stream) == samples
        done = control("stat")
        assert done.returncode == 1 and one.name in done.stderr and two.name in done.stderr


def test_a_path_for_the_socket(tmp_path):
    path = tmp_path / "here.sock"
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8, socket=path, listens=False) as service:
        done = control("wait", path, "--timeout=30")
        assert done.returncode == 0, done.stderr
        with headrace.connect(str(path), progress=False) as stream:
            assert sum(batch.rows for batch in stream) == 64
        assert control("stop", path).returncode == 0
        assert service.wait() == 0
    assert not path.exists()


def test_relative_names_in_a_configuration(tmp_path):
    (tmp_path / "conf").mkdir()
    write(tmp_path / "conf" / "a.h5")
    (tmp_path / "conf" / "a.toml").write_text('files = ["a.h5"]\nbatch = 8\n')
    with running(tmp_path, cwd="/", config=tmp_path / "conf" / "a.toml") as service:
        assert service.ready().stop() == 0
        assert service.lines("ended: headrace stop")


def test_stat_tells_where_trainers_are(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8) as service:
        with headrace.connect(service.name, progress=False) as stream:
            for batch in stream:
                pass
            del batch
            done = control("stat", service.name)
            assert done.returncode == 0, done.stderr
            assert f"process {os.getpid()}" in done.stdout and "stream train: 64 samples" in done.stdout


def test_relative_names_on_the_command_line(tmp_path):
    write(tmp_path / "a.h5")
    with running(tmp_path, ["a.h5"], batch=8, cwd=tmp_path) as service:
        assert service.ready().stop() == 0


def test_it_says_where_trainers_connect(tmp_path):
    data = write(tmp_path / "a.h5")
    with running(tmp_path, [data], batch=8, trainers_per_node=3) as service:
        assert service.says(f"trainers connect to '{service}' \\(abstract socket headrace/{os.geteuid()}/{service}\\), up to 3 on each")
    with running(tmp_path, [data], batch=8, socket=tmp_path / "s", listens=False) as service:
        assert service.says(f"trainers connect to '{tmp_path / 's'}'")
        assert control("wait", tmp_path / "s").returncode == 0
        assert control("stop", tmp_path / "s").returncode == 0
        assert service.wait() == 0
    with running(tmp_path, [data], 2, batch=8, split_nodes=True) as service:
        assert service.says(f"trainers connect to '{service}' .. '{service.node(1)}'")
        service.ready()


def test_wait_ends_with_the_service_that_it_waits_for():
    name = f"gone-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as service:
        service.bind(f"\0headrace/{os.geteuid()}/{name}")
        service.listen()
        waiting = subprocess.Popen([HEADRACE, "wait", name, "--timeout=20"], stderr=subprocess.PIPE, text=True)
        connection = service.accept()[0]
        while not connection.recv(1 << 16):  # the hello; who only looks whose service this is says nothing
            connection.close()
            connection = service.accept()[0]
        with connection:
            connection.recv(1 << 16)  # the question
            connection.send(json.dumps({"ready": False, "what": "loading", "fraction": 0.1}).encode())
    said = waiting.communicate()[1]
    assert waiting.returncode == 1 and f"'{name}' ended before trainers could attach" in said


def test_who_connects_right_after_a_goodbye_is_let_in(tmp_path):
    """The goodbye goes to the stager of the ring, and the next hello to the first: which hears of it later."""
    with running(tmp_path, [write(tmp_path / "a.h5")], stagers=2, batch=8, trainers_per_node=2) as service:
        for turn in range(200):
            size = 1 + turn % 2
            with contextlib.ExitStack() as stack:
                for rank in range(size):
                    stream = headrace.connect(service.name, rank=rank, world_size=size, progress=False)
                    next(iter(stack.enter_context(stream)))
        assert service.stop() == 0


@pytest.mark.skipif(bool(why_not_two_programs()), reason=why_not_two_programs())
def test_a_program_beside_the_service_that_is_no_mpi_program(tmp_path):
    """MPI waits for every process of its job, and trainers are none of MPI's (headrace run is): that is told, and it ends."""
    command = ["mpirun", "-n", "2", HEADRACE, "serve", write(tmp_path / "a.h5"), "--start-timeout=10", ":",
               "-n", "1", "sleep", "600"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)  # ctest is the watchdog
    assert result.returncode != 0
    for words in ("headrace: MPI waits for 5 s:", "headrace: MPI did not come up; ended after waiting for 10 s:"):
        assert result.stderr.count(words) == 1
    assert "start trainers as 'headrace run -- COMMAND', or with an mpirun of their own" in result.stderr
