"""Stagers that are killed, ended by a signal or stopped, and loads that fail: every trainer learns of it."""

import os
import re
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
from samples import write
from service import HEADRACE, control, last_words_come, open_files, running, sockets_with, until
from trainer import Failed, Trainer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), 70, 50)


ODD_DISK = str(HEADRACE.parents[1] / "lib" / "odd_disk.so")


@pytest.fixture
def held(tmp_path, monkeypatch):
    """A file whose second half cannot be read, as of a disk that hangs, until held.gate is gone."""
    path = tmp_path / "held.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.random.default_rng(1).integers(0, 256, (4096, 1024), np.uint8)
    gate = path.with_suffix(".gate")
    gate.touch()
    for name, value in {"LD_PRELOAD": ODD_DISK, "BROKEN": path, "HELD": gate, "HELD_FROM": path.stat().st_size // 2}.items():
        monkeypatch.setenv(name, str(value))
    return path


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_stager_is_told_to_every_trainer(tmp_path, files, split, victim):
    with running(tmp_path, files, 2, batch=10, trainers_per_node=1 if split else 2, split_nodes=split) as service:
        with Trainer(service, rank=0, world_size=2) as first, Trainer(service.node(split), rank=1, world_size=2) as second:
            group = first, second
            for trainer in group:
                trainer.take()
                trainer.release()
                trainer.ask("until_lost")
            began = time.monotonic()
            os.kill(service.stagers()[victim], signal.SIGKILL)
            lost = [trainer.answer() for trainer in group]
        assert service.wait() != 0
    print("trainers learned after", *[f"{when - began:.2f} s" for _, _, when in lost])
    for node, (kind, text, _) in enumerate(lost):
        assert kind == "ServiceLost"
        # On other nodes it is the launcher that tells their stagers.
        assert (f"stager {victim}" if not split or node == victim else "as launchers do to all when one dies") in text
    assert len(service.lines(f"stager {victim} on .* died")) <= 1


def ended_by(service, name, victim):
    began = time.monotonic()
    os.kill(service.stagers()[victim], getattr(signal, name))
    code = service.wait()
    print(f"gone after {time.monotonic() - began:.2f} s with exit code {code}")
    assert code != 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("stagers, victim", [(None, 0), (2, 1)])
def test_a_signal_while_serving(tmp_path, files, name, stagers, victim):
    with running(tmp_path, files, stagers, batch=10) as service, Trainer(service) as trainer:
        trainer.take()
        trainer.release()
        trainer.ask("until_lost")
        ended_by(service, name, victim)
        kind, text, _ = trainer.answer()
        assert kind == "ServiceLost" and (name in text or f"stager {victim} on" in text), text
        assert service.lines(f"ended by {name}") or (stagers and not last_words_come())
        assert not service.lines("stager .* died")  # whoever was first to go


def is_connected(pid):
    lines = sockets_with("")[1:]
    mine = open_files(pid).values()
    return any(line.split()[5] == "03" and f"socket:[{line.split()[6]}]" in mine for line in lines)


@pytest.mark.parametrize("stagers, victim, name", [(None, 0, "SIGTERM"), (None, 0, "SIGINT"), (2, 1, "SIGTERM"), (2, 1, "SIGINT"),
                                                   (None, 0, "SIGKILL"), (2, 0, "SIGKILL"), (2, 1, "SIGKILL")])
def test_a_signal_while_loading(tmp_path, held, name, stagers, victim):
    with running(tmp_path, [held], stagers) as service, Trainer(service) as trainer:
        until(lambda: "is still loading" in control("wait", service, "--timeout=0").stderr, "loading")
        until(lambda: is_connected(trainer.pid), "the trainer's connection")
        ended_by(service, name, victim)
        with pytest.raises(Failed) as failed:
            trainer.connected()
        kind, text = failed.value.kind, failed.value.text
        assert kind == "ServiceLost" and (name in text or "died" in text or "SIGTERM" in text
                                          or name == "SIGKILL" and re.search("ended while loading|ended before it said a word", text)), text


@pytest.mark.parametrize("stagers, node, code", [(None, 0, 0), (2, 0, 1), (2, 1, 1)])
def test_a_stop_while_loading(tmp_path, held, stagers, node, code):
    path = tmp_path / "here.sock"
    with running(tmp_path, [held], stagers, socket=path, split_nodes=True, listens=False) as service:
        here = f"{path}.{node}" if node else path
        until(lambda: "is still loading" in control("wait", here, "--timeout=0").stderr, "loading")
        with Trainer(here) as trainer:
            until(lambda: is_connected(trainer.pid), "the trainer's connection")
            waits = subprocess.Popen([HEADRACE, "wait", here], stderr=subprocess.PIPE, text=True)
            until(lambda: is_connected(waits.pid), "its question")  # for a moment, ten times a second
            assert "is still loading" in control("wait", here, "--timeout=0").stderr
            began = time.monotonic()
            stopped = control("stop", here)
            assert (stopped.returncode, stopped.stdout) == (0, "stopped\n"), stopped.stderr
            said = waits.communicate()[1]
            print(f"stopped after {time.monotonic() - began:.2f} s")
            with pytest.raises(Failed) as failed:
                trainer.connected()
        assert waits.returncode == 1 and ("ended before trainers could attach" in said or "is ending" in said), said
        why = r"stopped while loading \(headrace stop\)"
        assert failed.value.kind == "ServiceLost" and re.search(why, failed.value.text), failed.value.text
        assert service.wait() == code
        assert len(service.lines(why)) == 1
    assert not list(tmp_path.glob("*.sock*"))


def test_a_load_that_fails_is_told_to_trainers_that_wait(tmp_path, held):
    with h5py.File(held, "w") as file:
        dataset = file.create_dataset("x", (4096, 1024), "u1", chunks=(256, 1024), compression="gzip")
        dataset[:] = np.random.default_rng(1).integers(0, 256, dataset.shape)
        dataset.id.write_direct_chunk((4096 - 256, 0), b"garbage")
    with running(tmp_path, [held], 2) as service, Trainer(service) as trainer:
        until(lambda: is_connected(trainer.pid), "the trainer's connection")
        held.with_suffix(".gate").unlink()
        with pytest.raises(Failed) as failed:
            trainer.connected()
        assert service.wait() == 1
        assert failed.value.kind == "ServiceLost" and "held.h5" in failed.value.text
        assert len(service.lines("^headrace: .*held.h5")) == 1


def test_stop_is_graceful(tmp_path, files):
    with running(tmp_path, files, 3, batch=10, trainers_per_node=2) as service:
        with Trainer(service, rank=0, world_size=2) as busy, Trainer(service, rank=1, world_size=2) as holding:
            holding.take(2)
            busy.take()
            busy.release()
            busy.ask("until_lost")
            assert service.stop() == 0
            kind, text, _ = busy.answer()
            # Batches that were ready in its ring may still come; then it is told, too.
            holding.release()
            holding.ask("until_lost")
            held_kind, held_text, _ = holding.answer()
        assert (kind, held_kind) == ("ServiceLost", "ServiceLost")
        assert "has ended" in text and "headrace stop" in text and "headrace stop" in held_text
        assert service.lines("ended: headrace stop") and service.lines(r"train epoch \d+: unfinished")
