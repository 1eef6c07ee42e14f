"""A service over a file whose values name their samples: whatever is wrong, swapped or overwritten is seen at once.

x[i] is i everywhere, and so is `big` (more than 64 KiB a batch); `half` is i as bfloat16, `count` as uint16.
"""

import contextlib
import os
import subprocess
import uuid
from pathlib import Path

import h5py
import headrace
import numpy as np
import pytest

BUILD = Path(os.environ.get("HEADRACE_BUILD", "build/release"))
SAMPLES, BATCH, STEPS = 448, 16, 20  # 320 train, the first 128 validate
FIELDS = {
    "x": (np.float32, (4, 4)),
    "big": (np.float32, (32, 48)),
    "image": (np.uint8, (8, 6, 3)),
    "label": (np.int64, ()),
    "half": (np.float32, (3,)),
    "count": (np.uint16, ()),
    "flag": (np.bool_, ()),
}


def expected(name, index):
    dtype, shape = FIELDS[name]
    return np.broadcast_to(np.asarray(index).reshape(-1, *[1] * len(shape)), (len(index), *shape)).astype(dtype)


def assert_right(name, values, index):
    """Of any framework, moved to NumPy."""
    np.testing.assert_array_equal(np.asarray(values), expected(name, np.asarray(index)), err_msg=name)


def fail_once(stream):
    """Its next attempt to take a batch raises Timeout."""

    def fail(*_):
        del stream._take
        raise headrace.Timeout("of a test")

    stream._take = fail


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "samples.h5"
    with h5py.File(path, "w") as file:
        for name in FIELDS:
            file[name] = expected(name, np.arange(SAMPLES))
    return path


class Service:
    """Its streams: train (endless, shuffled), counted (two epochs), val (in order, padded), odd (partial)."""

    def __init__(self, name, command, log):
        self.name, self._command, self._log = name, command, log
        self.start()

    def start(self):
        with self._log.open("a") as out:
            self._process = subprocess.Popen(
                self._command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )

    def stop(self):
        self._process.kill()
        self._process.wait()

    def restart(self):
        """As if it had died, and a loop around it had started it again."""
        self.stop()
        self.start()

    def connect(self, stream="train", **options):
        options = {"timeout": 60, "progress": False, "exhausted_timeout": 20, **options}
        return headrace.connect(self.name, stream, **options)


STREAMS = {
    "train": {"select": "128:"},
    "counted": {"select": "128:", "epochs": 2},
    "val": {"select": ":120", "shuffle": "none", "last": "pad"},
    "odd": {"select": ":120", "last": "partial"},
}


@contextlib.contextmanager
def serving(file, folder, **flags):
    name = f"frameworks-{uuid.uuid4().hex[:12]}"
    keys = {"files": file, "name": name, "stay": "true", "batch": BATCH, "slots": 4, "field.half.dtype": "bfloat16"}
    keys |= {f"field.{field}.source": field for field in FIELDS}
    keys |= {f"stream.{stream}.{key}": value for stream, of in STREAMS.items() for key, value in of.items()}
    words = [f"--{key.replace('_', '-')}={value}" for key, value in {**keys, **flags}.items()]
    log = folder / f"{name}.log"
    service = Service(name, [str(BUILD / "bin" / "headrace"), "serve", *words], log)
    try:
        yield service
    finally:
        service.stop()
        print(log.read_text(errors="replace"))


@pytest.fixture(scope="module", params=[4], ids=lambda slots: f"{slots} slots")
def service(request, file, tmp_path_factory):
    with serving(file, tmp_path_factory.mktemp("service"), slots=request.param) as service:
        yield service


@pytest.fixture
def stream(service):
    with service.connect() as stream:
        stream.seek(0)
        yield stream


@pytest.fixture
def val(service):
    with service.connect("val") as stream:
        stream.seek(0)
        yield stream


@pytest.fixture
def serve(file, tmp_path):
    """serve(slots=2, ...): a context of a service of its own."""
    return lambda **flags: serving(file, tmp_path, **flags)


@pytest.fixture
def steps(stream):
    """The sample numbers of each step of an epoch."""
    numbers = [batch.index.tolist() for batch in stream]
    stream.seek(0)
    return numbers
