"""`headrace stat` over all nodes, the log of events, and the figures for Prometheus."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import h5py
import numpy as np
from service import HEADRACE, control, running, stand_still, until

import headrace


def write(path, n=64):
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(n)
    return path


def stat(name):
    done = control("stat", name, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def go_to(stream, step):
    """Releases everything before this step of the first epoch."""
    batches = iter(stream)
    while next(batches).step + 1 < step:
        pass


@contextlib.contextmanager
def two_trainers(tmp_path, **flags):
    """Trainer 0 on the first node at step 2, trainer 1 on the last at step 6."""
    with running(tmp_path, [write(tmp_path / "a.h5", 160)], batch=8, **flags) as service, contextlib.ExitStack() as stack:
        nodes = [0, flags["stagers"] - 1] if flags.get("split_nodes") else [0, 0]
        streams = [stack.enter_context(headrace.connect(service.node(node), rank=rank, world_size=2, progress=False))
                   for rank, node in enumerate(nodes)]
        for stream, step in zip(streams, (2, 6)):
            go_to(stream, step)
        # What a trainer gave back is seen when its stager next looks, and told when the nodes next talk.
        until(lambda: [g["step"] for g in stat(service.node(0))["trainers"]] == [2, 6], "both steps are told")
        yield service


def test_every_node_shows_all_trainers(tmp_path):
    with two_trainers(tmp_path, stagers=3, split_nodes=True) as service:
        for node in range(3):
            seen = stat(service.node(node))
            assert (seen["nodes"], seen["stagers"], seen["missing_nodes"]) == (3, 3, [])
            assert [(g["rank"], g["epoch"], g["step"], g["steps"], g["stager"]) for g in seen["trainers"]] == \
                   [(0, 0, 2, 10, 0), (1, 0, 6, 10, 2)]
            assert [n["node"] for n in sorted(seen["nodes_seen"], key=lambda n: n["node"])] == [0, 1, 2]
            for n in seen["nodes_seen"]:
                assert n["memory"]["store_bytes"] >= 160 * 8 // 3 and n["memory"]["private_bytes"] > 1e6
            train, = seen["service"]["streams"]
            assert (train["attached"], train["world_size"], train["first"], train["last"]) == \
                   (2, 2, {"epoch": 0, "step": 6}, {"epoch": 0, "step": 2})
            assert (train["behind"]["rank"], train["behind"]["steps_behind"]) == (0, 4)
        text = control("stat", service.name).stdout
        assert "3 nodes, 3 stagers, 2 trainers" in text
        assert "at epoch 0, step 2 to epoch 0, step 6 of 10" in text
        assert "furthest back: trainer 0" in text and "4 steps" in text
        assert text.count("memory on") == 3


def test_all_stagers_of_a_node_are_seen(tmp_path):
    with two_trainers(tmp_path, stagers=2, trainers_per_node=2) as service:
        seen = stat(service.name)
        assert [(g["rank"], g["step"]) for g in seen["trainers"]] == [(0, 2), (1, 6)]
        assert {g["stager"] for g in seen["trainers"]} == {0, 1}


def test_trainers_come_and_go(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], stagers=2, split_nodes=True, batch=8) as service:
        service.ready(2)
        assert stat(service.name)["trainers"] == []
        assert "no trainers" in control("stat", service.name).stdout
        with headrace.connect(service.node(1), progress=False):
            until(lambda: len(stat(service.name)["trainers"]) == 1, "the trainer is seen")
        until(lambda: stat(service.name)["trainers"] == [], "it is gone")


def watch(service, *flags):
    return subprocess.Popen([HEADRACE, "stat", "--watch", *flags, service.name], stdout=subprocess.PIPE, text=True)


def test_watch_until_interrupted(tmp_path):
    with two_trainers(tmp_path, stagers=2, split_nodes=True) as service, watch(service, "--json") as tool:
        for _ in range(2):
            assert [g["step"] for g in json.loads(tool.stdout.readline())["trainers"]] == [2, 6]
        tool.send_signal(signal.SIGINT)
        assert tool.wait(20) == 0


def poll_limit(pid):
    """Milliseconds that it may stand in its poll(); 0 where it stands in none."""
    call = Path(f"/proc/{pid}/syscall").read_text().split()  # "running", or a number, its arguments, and two addresses
    return int(call[3], 16) if len(call) > 3 else 0


def test_watch_is_interrupted_while_nobody_answers(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8) as service, watch(service.ready()) as tool:
        assert "service " + service.name in tool.stdout.readline()
        stand_still(service.process.pid)
        until(lambda: poll_limit(tool.pid) > 1000, "it has asked once more")
        tool.send_signal(signal.SIGINT)
        assert tool.wait(20) == 0
        os.kill(service.process.pid, signal.SIGCONT)


def test_watch_until_the_service_ends(tmp_path):
    with running(tmp_path, [write(tmp_path / "a.h5")], batch=8) as service, watch(service.ready()) as tool:
        assert "service " + service.name in tool.stdout.readline()
        assert service.stop() == 0
        assert "has ended" in tool.stdout.read()
        assert tool.wait(20) == 0


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_log_of_events(tmp_path):
    log = tmp_path / "events.jsonl"
    with running(tmp_path, [write(tmp_path / "a.h5")], stagers=2, split_nodes=True, batch=8, epochs=1, log=log) as service:
        with headrace.connect(service.node(1), progress=False) as stream:
            for _ in stream:
                pass
        assert service.wait() == 0
        told = events(log)
        assert [e["event"] for e in told] in (["start", "loaded", "came", "epoch", "end"],
                                              ["start", "loaded", "came", "epoch", "went", "end"])
        assert {e["service"] for e in told} == {service.name}
        assert [e["time"] for e in told] == sorted(e["time"] for e in told)
        start, loaded, came, epoch, end = *told[:4], told[-1]
        assert (start["samples"], start["nodes"], start["stagers"], start["regime"]) == (64, 2, 2, "resident")
        assert loaded["bytes"] == 64 * 8
        assert (came["stream"], came["rank"], came["world_size"]) == ("train", 0, 1)
        assert f"process {os.getpid()}" in came["who"]
        assert (epoch["epoch"], epoch["samples"], epoch["bytes"], epoch["exactly_once"]) == (0, 64, 512, True)
        assert (end["reason"], end["exactly_once"]) == ("all epochs are consumed", True)


def test_log_tells_of_a_violent_end_once(tmp_path):
    log = tmp_path / "events.jsonl"
    with running(tmp_path, [write(tmp_path / "a.h5")], stagers=2, batch=8, log=log) as service:
        os.kill(service.ready().stagers()[1], signal.SIGKILL)
        assert service.wait() != 0
        end, = [e for e in events(log) if e["event"] == "end"]
        assert "error" in end and events(log)[-1] == end


def test_log_and_metrics_that_cannot_be_written(tmp_path):
    data = write(tmp_path / "a.h5")
    for key in ("log", "metrics"):
        done = subprocess.run([HEADRACE, "serve", data, f"--{key}={tmp_path}/none/file"], capture_output=True, text=True)
        assert done.returncode == 1
        assert f"{key} = {tmp_path}/none/file cannot be written" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_figures_for_prometheus(tmp_path):
    metrics = tmp_path / "out" / "headrace-%h.prom"
    metrics.parent.mkdir()
    first = Path(str(metrics).replace("%h", os.uname().nodename))
    second = first.with_name(first.stem + ".1.prom")
    with running(tmp_path, [write(tmp_path / "a.h5")], stagers=2, split_nodes=True, batch=8, metrics=metrics) as service:
        with headrace.connect(service.node(1), progress=False) as stream:
            go_to(stream, 3)
            taken = f'headrace_batches_total{{service="{service.name}",stream="train",rank="0"}} 3\n'
            until(lambda: second.exists() and taken in second.read_text(), "the step is written")
            until(lambda: first.exists() and "headrace_trainers" in first.read_text(), "the figures of the first node")
            assert "rank" not in first.read_text()
        assert service.stop() == 0
    assert list(metrics.parent.iterdir()) == []
