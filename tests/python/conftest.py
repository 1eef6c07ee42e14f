"""Services to test against: the fake one of tests/client, and the real one over a small file written by h5py.

Both deliver the values of tests/client/formula.hpp, which say of which sample they are.
"""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path

import h5py
import headrace
import numpy as np
import pytest

BUILD = Path(os.environ.get("HEADRACE_BUILD", "build/release"))
SHAPE = (3, 4)


def expected(index):
    """Field name to values, for these samples."""
    index = np.asarray(index)
    return {
        "x": (index[:, None, None] + np.arange(12).reshape(SHAPE) / 16).astype(np.float32),
        "label": 10 * index,
        "even": np.stack([index % 2 == 0, index % 3 == 0], axis=1),
    }


def assert_right(batch):
    """Every field of the batch is that of its sample numbers."""
    for name, values in expected(batch.index).items():
        np.testing.assert_array_equal(batch[name], values)


def patiently(take):
    """What take() gives, however often a short timeout is over before; ctest's is the watchdog."""
    while True:
        try:
            return take()
        except headrace.Timeout:
            pass


def state_of(task):
    """A thread's, as /proc says; one that has ended stands still, too."""
    with contextlib.suppress(OSError):
        return (task / "stat").read_text().rsplit(")", 1)[1].split()[0]
    return "T"


class Service:
    """A running service process; `log` collects what it prints."""

    def __init__(self, command, name, log):
        self.name, self.log = name, log
        with log.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)

    def connect(self, **options):
        return headrace.connect(self.name, **{"timeout": 60, "progress": False, **options})

    def pause(self):
        """Returns when every thread has stopped."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")
        while any(state_of(task) != "T" for task in tasks.iterdir()):
            time.sleep(0.001)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def events(self):
        """Lines of the fake service's log: "train 0 released 0 3", ..."""
        return self.log.read_text().splitlines()

    def wait_for(self, event):
        while event not in self.events():  # ctest's timeout is the watchdog
            assert self.process.poll() is None, f"the service ended without {event!r}: {self.events()}"
            time.sleep(0.01)


def flags(keys):
    return [f"--{key.replace('_', '-')}={value}" for key, value in keys.items()]


def fake_command(folder, name, keys):
    words = {"samples": "rows", "trainers_per_node": "trainers"}
    program = BUILD / "bin" / "fake_stager"
    return program, [str(program), "--log", *flags({"name": name, **{words.get(k, k): v for k, v in keys.items()}})]


def real_command(folder, name, keys):
    keys = dict(keys)
    samples = keys.pop("samples")
    path = folder / f"{samples}.h5"
    if not path.exists():
        with h5py.File(path, "w") as file:
            for field, values in expected(np.arange(samples)).items():
                file[field] = values
    order = {f"field.{field}.source": field for field in ("x", "label", "even")}
    program = BUILD / "bin" / "headrace"
    return program, [
        str(program),
        "serve",
        *flags({"files": path, "name": name, "stay": "true", "slots": 4, **order, **keys}),
    ]


@pytest.fixture
def start(tmp_path):
    """start(fake_command or real_command, samples=80, ...): a Service that ends with the test. name: of a lost one."""
    running = []

    def run(make_command, **keys):
        name = keys.pop("name", None) or f"test-{uuid.uuid4().hex[:12]}"
        program, command = make_command(tmp_path, name, {"samples": 80, "batch": 8, "epochs": 3, **keys})
        if not program.exists():
            pytest.skip(f"{program} is not built")
        running.append(Service(command, name, tmp_path / f"{name}.log"))
        return running[-1]

    yield run
    for service in running:
        with contextlib.suppress(ProcessLookupError):
            service.go_on()
        service.kill()
        # pytest shows it with a failure
        print(" ".join(service.process.args), service.log.read_text(errors="replace"), sep="\n")


@pytest.fixture(params=[fake_command, real_command], ids=["fake", "real"])
def serve(request, start):
    """serve(samples=80, batch=8, epochs=3, last=, slots=, trainers_per_node=), against both services."""
    return lambda **keys: start(request.param, **keys)


@pytest.fixture
def serve_fake(start):
    """For what the fake service alone can do: delay_ms, load_ms, streams, and a log of what it saw."""
    return lambda **keys: start(fake_command, **keys)


@pytest.fixture
def serve_real(start):
    return lambda **keys: start(real_command, **keys)


@pytest.fixture
def service(serve):
    """10 batches of 8 samples in each of 3 epochs."""
    return serve()


@pytest.fixture
def stream(service):
    with service.connect() as stream:
        yield stream


@pytest.fixture
def run_python():
    """run_python(code, *arguments) starts another interpreter; its output comes from communicate()."""
    running = []

    def run(code, *arguments):
        command = [sys.executable, "-u", "-c", textwrap.dedent(code), *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()
