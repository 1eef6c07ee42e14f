"""Two trainers of one stream: every sample once, and gradients that agree."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (tools/bootstrap --frameworks)")
TWO = Path(__file__).with_name("two.py")
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0"]


@pytest.mark.parametrize("way", ["ddp", "fsdp", "accelerate", "spawn"])
def test_two_trainers(serve, tmp_path, way):
    if way == "accelerate":
        pytest.importorskip("accelerate", reason="accelerate is not installed (tools/bootstrap --frameworks)")
    with serve(trainers_per_node=2, **{"stream.val.last": "partial"}) as service:
        launcher = [] if way == "spawn" else TORCHRUN
        command = [sys.executable, *launcher, str(TWO), service.name, str(tmp_path), way]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    one, two = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert sorted(one["seen"] + two["seen"]) == list(range(128, 448))
    assert len(one["seen"]) == len(two["seen"]) == 160
    assert one["weight"] == two["weight"]
