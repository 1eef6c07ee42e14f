"""Two JAX processes, a trainer each: batches are global arrays, of which each process gives its own rows."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BATCH, STEPS

pytest.importorskip("jax", reason="JAX is not installed (tools/bootstrap --frameworks)")
TWO = Path(__file__).with_name("two_jax.py")


def free_address():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return f"localhost:{probe.getsockname()[1]}"


def test_global_arrays_over_two_processes(serve, tmp_path):
    address = free_address()
    with serve(trainers_per_node=2) as service:
        command = [sys.executable, str(TWO), service.name, str(tmp_path)]
        processes = [
            subprocess.Popen(
                [*command, str(process), address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            for process in (0, 1)
        ]
        try:
            said = [process.communicate(timeout=120)[0] for process in processes]
        finally:
            for process in processes:
                process.kill()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)
    one, two = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert sorted(one["seen"] + two["seen"]) == list(range(128, 448))
    assert one["found"] == two["found"] and len(one["found"]) == STEPS // 2
    for step, (off, total, rows) in enumerate(one["found"]):
        mine = [of["seen"][step * BATCH : (step + 1) * BATCH] for of in (one, two)]
        assert (off, total, rows) == (0, sum(map(sum, mine)), 2 * BATCH)
