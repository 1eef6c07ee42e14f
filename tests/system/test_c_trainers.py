"""The whole service with trainers in plain C, those of `headrace bench`: no Python takes part, so that all of it runs in
builds for sanitizers, too."""

import contextlib
import os
import subprocess

import pytest
from samples import write
from service import HEADRACE, running

SAMPLES, BATCH = 211, 7
STEPS = -(-SAMPLES // (2 * BATCH))  # of two trainers


def launched(stagers):
    return ["mpirun", "-n", str(stagers)] if stagers else []


@pytest.mark.parametrize("stagers, flags", [(None, []), (3, []), (3, ["--split-nodes"]), (2, ["--split-nodes", "--order=shuffled"])])
def test_bench(tmp_path, stagers, flags):
    command = [*launched(stagers), HEADRACE, "bench", "--synthetic", "512B x 20000", "--trainers-per-node", "2", "--batch", "64",
               "--repeats", "1", "--round", "10MB", *flags]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "exactly once" in done.stdout and done.stderr == ""


@contextlib.contextmanager
def trainer(name, rank, world_size):
    words = [HEADRACE.with_name("headrace-trainer"), name, "train", rank, world_size, rank]
    with subprocess.Popen([*map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.wait(300) == 0


def rows_of_epoch(trainers):
    """How many rows they get together, working side by side."""
    for process in trainers:
        process.stdin.write(f"{STEPS} 0\n")
        process.stdin.flush()
    return sum(int(process.stdout.readline().split()[1]) for process in trainers)


@pytest.mark.parametrize("stagers, split", [(None, False), (2, False), (2, True)])
def test_epochs_of_files(tmp_path, stagers, split):
    files = write(tmp_path, 90, 1, 0, 120)
    with running(tmp_path, files, stagers=stagers, split_nodes=split, batch=BATCH, last="pad", epochs=2, audit="full",
                 trainers_per_node=1 if split else 2) as service:
        with trainer(service.name, 0, 2) as first, trainer(service.node(split), 1, 2) as second:
            assert [rows_of_epoch((first, second)) for _ in range(2)] == [SAMPLES, SAMPLES]
            for process in (first, second):
                process.stdin.close()
        assert service.wait() == 0
        for epoch in range(2):
            assert service.says(rf"train epoch {epoch}: ").endswith("every sample exactly once")
