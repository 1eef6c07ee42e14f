"""headrace.local: a service for the duration of a block."""

import os
import stat
import subprocess
import sys
import time

import h5py
import headrace
import numpy as np
import pytest
from conftest import BUILD, assert_right, expected

pytestmark = pytest.mark.skipif(not (BUILD / "bin" / "headrace").exists(), reason="the service is not built")
FIELDS = {f"field.{name}.source": name for name in ("x", "label", "even")}


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        for field, values in expected(np.arange(80)).items():
            file[field] = values
    return path


@pytest.fixture
def config(tmp_path, data):
    path = tmp_path / "lcd.toml"
    path.write_text('files = ["data.h5"]\nbatch = 8\n[stream.train]\nselect = ":64"\n[stream.val]\nselect = "64:"\n')
    return path


def ended(pid):
    """No such process, or only its remains."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def service_pid(name):
    found = [
        int(entry)
        for entry in os.listdir("/proc")
        if entry.isdigit() and f"--name={name}" in command_line(entry) and not ended(entry)
    ]
    assert len(found) <= 1
    return found[0] if found else None


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().split("\0")
    except OSError:
        return []


def test_flags_alone(data):
    with headrace.local(files=data, batch=16, epochs=2, **FIELDS, progress=False) as stream:
        assert (stream.batch, len(stream), stream.epochs) == (16, 5, 2)
        assert (stream.rank, stream.world_size) == (0, 1)
        for batch in stream:
            assert_right(batch)
        assert service_pid(stream.service)
    assert service_pid(stream.service) is None
    assert stream.closed


def test_config_with_several_streams(config):
    with (
        headrace.local(config, stream="train", progress=False) as train,
        headrace.connect(train.service, "val", progress=False) as val,
    ):
        assert (train.samples, val.samples) == (64, 16)
        assert len(list(batch.step for batch in train)) == 8
    with pytest.raises(headrace.Refused, match=r"(?s)train.*val"), headrace.local(config, progress=False):
        pass


def test_several_trainers(data, monkeypatch):
    monkeypatch.setenv("RANK", "5")  # the launcher's world is not that of a service of our own
    monkeypatch.setenv("WORLD_SIZE", "6")
    with headrace.local(files=data, batch=8, trainers_per_node=2, progress=False) as one:
        assert (one.rank, one.world_size, len(one)) == (0, 2, 5)
        with headrace.connect(one.service, rank=1, world_size=2, progress=False) as other:
            assert not set(next(iter(one)).index) & set(next(iter(other)).index)


def test_processes_of_a_launcher_have_services_of_their_own(data):
    """MPI would take the service for one of the launcher's ranks, and wait for the others."""
    code = """
import sys, headrace
with headrace.local(files=sys.argv[1], batch=8, progress=False) as stream:
    # In one write: two processes share the output.
    sys.stdout.write(f"{stream.world_size} {sum(batch.rows for batch in stream)}\\n")
"""
    command = ["mpirun", "-n", "2", sys.executable, "-c", code, str(data)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout == 2 * "1 80\n"


def test_an_exception_passes_and_the_service_ends(data):
    with pytest.raises(ZeroDivisionError), headrace.local(files=data, progress=False) as stream:
        for _ in stream:
            raise ZeroDivisionError
    assert service_pid(stream.service) is None


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"files": "/no/such/file.h5"}, ["/no/such/file.h5"]),
        ({"files": "DATA", "no_such_key": 3}, ["no-such-key"]),
        ({"files": "DATA", "batch": "many"}, ["batch", "many"]),
    ],
)
def test_what_the_service_says_is_in_the_error(data, flags, named):
    flags = {key: data if value == "DATA" else value for key, value in flags.items()}
    with pytest.raises(headrace.Error) as error, headrace.local(**flags, timeout=60, progress=False):
        pass
    for words in named:
        assert words in str(error.value)


def test_a_service_that_dies(data):
    with pytest.raises(headrace.ServiceLost), headrace.local(files=data, progress=False) as stream:
        os.kill(service_pid(stream.service), 9)
        while True:
            for batch in stream:
                batch.release()


def test_the_service_dies_with_its_parent(data, run_python):
    parent = run_python(
        """
        import sys, time, headrace
        with headrace.local(files=sys.argv[1], progress=False) as stream:
            print(stream.service)
            time.sleep(600)
        """,
        data,
    )
    name = parent.stdout.readline().strip()
    pid = service_pid(name)
    assert pid
    parent.kill()
    while not ended(pid):  # ctest's timeout is the watchdog
        time.sleep(0.01)


def test_the_service_outlives_the_thread_that_started_it(data):
    """A notebook may run each cell in another thread."""
    import threading

    context = headrace.local(files=data, epochs=0, progress=False)
    streams = []
    thread = threading.Thread(target=lambda: streams.append(context.__enter__()))
    thread.start()
    thread.join()
    for _ in range(3):
        assert sum(1 for _ in streams[0]) > 0
    context.__exit__(None, None, None)


def test_ctrl_c_is_for_the_trainer(data, run_python):
    """A terminal sends SIGINT to the whole group; the service is none of it and ends in good order."""
    code = """
        import os, signal, sys, headrace
        os.setpgrp()
        try:
            with headrace.local(files=sys.argv[1], epochs=1, batch=8, echo=True, progress=False) as stream:
                try:
                    os.killpg(0, signal.SIGINT)
                except KeyboardInterrupt:
                    print(sum(1 for _ in stream))
                    raise
        except KeyboardInterrupt:
            print("interrupted")
        """
    output, errors = run_python(code, data).communicate()
    assert output == "10\ninterrupted\n", errors


def test_where_the_program_is(data, monkeypatch, tmp_path):
    from headrace import _lib, _local

    assert _local.find_program() == str((BUILD / "bin" / "headrace").resolve())
    monkeypatch.setenv("HEADRACE_BIN", "/no/such/program")
    with pytest.raises(headrace.Error, match="HEADRACE_BIN=/no/such/program"):
        _local.find_program()
    program = tmp_path / "headrace"
    program.write_text("#!/bin/sh\necho this is no service >&2\nexit 7\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("HEADRACE_BIN", str(program))
    with pytest.raises(headrace.Error, match=r"(?s)exit code 7.*this is no service"), headrace.local(progress=False):
        pass
    monkeypatch.delenv("HEADRACE_BIN")
    monkeypatch.setattr(_lib, "PATH", str(tmp_path / "lib" / "libheadrace.so"))  # an installation without the service
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _local.find_program() == str(program)
    monkeypatch.setenv("PATH", "/")
    with pytest.raises(headrace.Error, match="set HEADRACE_BIN"):
        _local.find_program()


def test_echo(data):
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, headrace\nwith headrace.local(files=sys.argv[1], echo=True, progress=False): pass",
            str(data),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "80 samples" in shown.stderr and shown.stdout == ""
