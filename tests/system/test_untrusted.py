"""Names and texts that others made up, and code that others wrote: shown, and not run."""

import json
import os
import socket
import subprocess

import h5py
import numpy as np
import pytest
from samples import write
from service import HEADRACE, control, running

import headrace

FORGED = "n01\nheadrace: train epoch 9: every sample exactly once"
FIELDS = "[field.words]\nencode = 'index'\n[field.p]\nsource = 'table.plain'\n"
STEERING = "a\x1b[31mred\x1b]0;owned\x07\u202e" + FORGED


def is_plain(text):
    """Nothing that steers a terminal or turns its lines about."""
    return all(c == "\n" or (ord(c) >= 32 and not 127 <= ord(c) < 160 and c != "\u202e") for c in text)


def inspect(*arguments):
    return subprocess.run([HEADRACE, "inspect", *map(str, arguments)], capture_output=True)


@pytest.fixture
def odd(tmp_path):
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file[STEERING] = np.arange(48)
        file[b"caf\xe9"] = np.arange(48)
        file["table"] = np.zeros(48, [(STEERING, "f4"), ("plain", "f4")])
        file["words"] = np.array([STEERING] * 48, dtype=h5py.string_dtype())
    return tmp_path / "odd.h5"


def test_names_in_files_steer_nothing(tmp_path, odd):
    config = tmp_path / "c.toml"
    config.write_text(FIELDS)
    for arguments in ([odd], ["-c", config, odd], ["-c", config, odd, "--count"], ["-c", config, odd, "--sample", 0],
                      ["--field.x.source", STEERING + "?", odd], ["--field.y.source", "table.no", odd]):
        done = inspect(*arguments)
        assert is_plain((done.stdout + done.stderr).decode()), arguments
        assert not any(line.startswith(b"headrace: train") for line in (done.stdout + done.stderr).splitlines())
    for arguments in ([odd], ["-c", config, odd], ["-c", config, odd, "--sample", 0]):
        done = inspect(*arguments, "--json")
        assert done.returncode == 0 and done.stdout.isascii(), done.stderr
        document = json.loads(done.stdout)
    assert document["fields"][0]["classes"] == [STEERING]


@pytest.mark.parametrize("stagers", [None, 2])
def test_names_in_files_and_of_hosts_forge_no_line_of_the_log(odd, tmp_path, stagers):
    fields = tmp_path / "c.toml"
    fields.write_text(FIELDS)
    with running(tmp_path, [odd], stagers, batch=4, stay=True, verbose=True, config=fields) as service:
        service.ready()
        me = os.pidfd_open(os.getpid())
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        caller.connect(service.address("\0"))
        hello = {"headrace": 2, "role": "trainer", "stream": "", "rank": 0, "world_size": 1, "local_rank": -1,
                 "host": STEERING, "pid": os.getpid()}
        socket.send_fds(caller, [json.dumps(hello).encode()], [me])
        assert "welcome" in json.loads(caller.recv(1 << 20))
        stat = control("stat", service.name)
        assert stat.returncode == 0 and is_plain(stat.stdout) and r"owned\x07" in stat.stdout
        assert not any(line.startswith("headrace: train epoch 9") for line in stat.stdout.splitlines())
        caller.send(b'{"' + STEERING.encode() + b'": 1}')
        service.says("trainer 0 .*owned.* is gone")
        caller.close()
        os.close(me)
        with headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream:
            assert sum(batch.rows for batch in stream) == 48
            assert list(stream.schema["words"].classes) == [STEERING]
        assert control("stop", service.name).returncode == 0
        assert service.wait() == 0
        assert is_plain(service.text)
        assert not service.lines("^headrace: train|^ *headrace: train")
        assert len(service.lines("epoch 9")) == len(service.lines(r"\\x1b.*\\x07.*epoch 9"))


@pytest.fixture
def plugin(tmp_path):
    """A library that leaves a trace as soon as it is loaded."""
    source, library, trace = tmp_path / "trace.c", tmp_path / "trace.so", tmp_path / "loaded"
    source.write_text('#include <fcntl.h>\n#include <unistd.h>\n__attribute__((constructor)) static void loaded(void) '
                      f'{{ close(open("{trace}", O_CREAT | O_WRONLY, 0600)); }}\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    library.chmod(0o755)
    return library, trace


def test_inspect_and_plan_run_no_plugins_code_unless_told_to(tmp_path, plugin):
    library, trace = plugin
    data = write(tmp_path, 40)[0]
    flags = ["--field.x.source", "run", "--field.x.plugin", library, data]
    done = inspect(*flags)
    assert done.returncode == 0 and b"with --plugins" in done.stdout, done.stderr
    assert inspect(*flags, "--json").returncode == 0
    sample = inspect(*flags, "--sample", 0)
    assert sample.returncode == 2 and b"add --plugins" in sample.stderr
    assert b"no such key" not in inspect(*flags, "--batch", 0).stderr
    subprocess.run([HEADRACE, "plan", *map(str, flags)], capture_output=True)
    assert not trace.exists()
    done = inspect(*flags, "--plugins")
    assert done.returncode == 2 and b"does not define hr_plugin_abi" in done.stderr
    assert trace.exists()


def test_a_plugin_that_others_may_write_is_not_loaded(tmp_path, plugin):
    library, trace = plugin
    data = write(tmp_path, 40)
    library.chmod(0o757)
    for arguments in ([], ["--plugins"]):
        done = inspect("--field.x.source", "run", "--field.x.plugin", library, data[0], *arguments)
        assert done.returncode == 2 and b"others may write" in done.stderr and b"mode 0757" in done.stderr
    with running(tmp_path, data, 2, listens=False, **{"field.x.source": "run", "field.x.plugin": library}) as service:
        assert service.wait() == 2
        assert len(service.lines("others may write")) == 1
    assert not trace.exists()


def test_files_that_data_files_name_elsewhere_are_told(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "raw.bin").write_bytes(bytes(range(48)))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["z"] = np.arange(48)
    with h5py.File(data / "a.h5", "w") as file:
        file.create_dataset("x", (48,), "u1", external=[(tmp_path / "raw.bin", 0, 48)])
        file["z"] = h5py.ExternalLink("../other.h5", "/z")
    done = inspect(data / "a.h5")
    for name in (f"external storage '{tmp_path / 'raw.bin'}'", "external link to '../other.h5'"):
        assert name in done.stderr.decode()
    with running(tmp_path, [data / "a.h5"], 2, batch=4, epochs=1) as service:
        service.ready()
        with headrace.connect(service.name, rank=0, world_size=1, progress=False) as stream:
            assert sum(int(batch["x"].sum()) for batch in stream) == sum(range(48))
        assert service.wait() == 0
        assert len(service.lines("external storage ")) == len(service.lines("external link to ")) == 1
