"""`headrace bench` and what jobs/scaling makes of its figures: what is compared with what, never how fast it was."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from service import HEADRACE, until

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "jobs"))
from scaling_plots import limit_of, line_of  # noqa: E402


def bench(folder, *flags):
    figures = folder / "figures.json"
    command = [HEADRACE, "bench", "--synthetic", "1KB x 600", "--batch", "10", "--trainers-per-node", "2", "--repeats", "1",
               "--round", "600KB", "--json", figures, *flags]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(folder)})
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == [figures]  # the made-up data are gone
    return done.stdout, json.loads(figures.read_text())


def test_a_trainer_that_cannot_be_started_is_told(tmp_path):
    """Trainers could come already: the service ends, not the process."""
    (tmp_path / "headrace").write_bytes(HEADRACE.read_bytes())
    (tmp_path / "headrace").chmod(0o755)
    for _ in range(3):
        done = subprocess.run([tmp_path / "headrace", "bench", "--synthetic", "1KB x 600", "--batch", "10", "--repeats", "1", "--round", "600KB"],
                              capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}, timeout=300)
        assert done.returncode == 1 and "is missing; install it with headrace" in done.stderr, (done.returncode, done.stderr)
        assert "crashed" not in done.stderr


def test_trainers_that_compute(tmp_path):
    text, figures = bench(tmp_path, "--compute", "2ms")
    measured = figures["measured"]
    assert measured["compute_s"] == 0.002
    assert measured["computed_gbps"] == pytest.approx(2 * 10 * 1000 / 0.002 / 1e9)
    assert 0 < measured["trainer_busy_share"] <= 1
    assert re.search(r"trainers that compute 2 ms a batch.*\n  their time not waiting", text)
    assert figures["audit"]["exactly_once"]


def test_trainers_that_do_not(tmp_path):
    text, figures = bench(tmp_path)
    assert figures["measured"]["trainer_busy_share"] is None
    assert "compute" not in text

@pytest.mark.parametrize("synthetic, says", [
    ("0 x 10", "from 1 up"), ("1KB x 0", "from 1 up"), ("9EiB x 9", "not a size"), ("5 x", "'' is not a size"), ("x", "'' is not a size"),
    ("5000", "not \"BYTES x SAMPLES\""), ("1000TB x 9000", "no room for 9000 PB"), ("1000TB x 90000", "from 1 up"),
])
def test_made_up_data_that_cannot_be(tmp_path, synthetic, says):
    done = subprocess.run([HEADRACE, "bench", "--synthetic", synthetic], capture_output=True, text=True)
    assert done.returncode in (1, 2) and done.stderr.startswith("headrace: ") and says in done.stderr, done.stderr


def test_figures_that_cannot_be_written_are_told_before_anything_is_measured(tmp_path):
    for place in (tmp_path / "nowhere" / "f.json", tmp_path):
        done = subprocess.run([HEADRACE, "bench", "--synthetic", "1KB x 600", "--json", place], capture_output=True, text=True)
        assert done.returncode == 2 and f"--json {place} cannot be written" in done.stderr


LAUNCH = {"alone": [], "2 ranks": ["mpirun", "-n", "2"]}


@pytest.mark.parametrize("launch", LAUNCH.values(), ids=LAUNCH)
def test_a_signal_while_data_are_made_up_leaves_no_file(tmp_path, launch):
    command = [*launch, str(HEADRACE), "bench", "--synthetic", "1MB x 3000"]
    process = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or [f for f in tmp_path.glob("*.h5") if f.stat().st_size > 0], "a file that grows")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(300) != 0
    finally:
        process.kill()
    until(lambda: not list(tmp_path.glob("*.h5")), "no file")


@pytest.mark.parametrize("split", [False, True])
def test_under_mpirun_on_a_file(tmp_path, split):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = np.arange(600 * 4000, dtype="f4").reshape(600, 4000)  # reading less than 1 MB is not measured
    command = ["mpirun", "-n", "2", HEADRACE, "bench", tmp_path / "data.h5", "--batch=10", "--repeats=1", "--round=20MB",
               f"--split-nodes={str(split).lower()}", "--json", tmp_path / "figures.json"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    expected = {
        "limits": {"gather_gbps", "read_gbps", "alltoallv_gbps"},
        "measured": {"load_gbps", "delivered_gbps", "samples_per_s", "reserve_s", "batch_wait_us", "idle_cpu_percent",
                     "peak_rss_bytes", "slab_bytes"},
        "ratios": {"delivered_of_gather", "load_of_read", "exchange_of_alltoallv", "memory_of_slab"},
        "audit": {"epochs", "exactly_once"},
    }
    for part, keys in expected.items():
        for key in keys:
            between_nodes = "alltoallv" in key
            assert (figures[part][key] is None) == (between_nodes and not split), (part, key)
    assert figures["measured"]["slab_bytes"] >= 600 * 16000 // (2 if split else 1)
    assert figures["audit"]["exactly_once"] and figures["audit"]["epochs"] >= 2
    assert ("limit: alltoallv" in done.stdout) == split


def point(nodes, shape=None):
    figures = {"measured": {"delivered_gbps": 3.0}, "ratios": {"exchange_of_alltoallv": 0.75 if nodes > 1 else None},
               "ranges": {"gather_gbps": [4.0, 6.0], "delivered_gbps": [2.5, 3.5]}, "limits": {"alltoallv_gbps": None}}
    return {"series": "weak-nodes", "x": nodes, "nodes": nodes, "launcher": {"shape": shape}, "bench": figures}


@pytest.mark.parametrize("nodes, shape, gbps, what", [
    (1, None, 6.0, "gather"),  # the best of its repeats
    (4, None, 4.0, "alltoallv"),
    (2, "1gbit", 0.5, "links"),  # half of the rows come over a link of 0.125 GB/s
    (4, "100mbit", 4 * 0.0125 * 4 / 3, "links"),
])
def test_each_point_has_its_limit(nodes, shape, gbps, what):
    limit = limit_of(point(nodes, shape))
    assert limit.gbps == pytest.approx(gbps)
    assert limit.what.startswith(what)
    assert f"{3 / gbps:.2f} of" in line_of(point(nodes, shape))


def test_a_rate_that_is_none():
    with pytest.raises(SystemExit, match="--shape fast is not a rate"):
        limit_of(point(2, "fast"))
