"""What is left of a job that was killed hard, launcher and all, is removed by the next service."""

import os
import signal
import socket
from pathlib import Path

from samples import write
from service import Service, control, running, until


def session_folders(top):
    """Of Open MPI 4 and 5."""
    return [*top.glob("ompi.*/pid.*"), *top.glob("prterun.*")]


def test_the_next_service_removes_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where Open MPI keeps its session folders
    data = write(tmp_path, 40)
    killed = Service(tmp_path, data, 2, dict(batch=4, stay=True))
    try:
        killed.ready()
        pids = killed.stagers()
        until(lambda: len([mark for folder in session_folders(tmp_path) for mark in folder.rglob("headrace.mark.*")]) == 2,
              "the marks of both stagers")
        os.kill(killed.process.pid, signal.SIGSTOP)  # it would end what is left; and they end by themselves without it
        for pid in [*pids, killed.process.pid]:
            os.kill(pid, signal.SIGKILL)
        killed.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "all of them gone")
        (folder,) = session_folders(tmp_path)
        assert list(killed.shared.iterdir())
        with running(tmp_path, data, 2, batch=4, stay=True) as service:
            service.ready()
            assert str(folder) in service.says("removed .* that Open MPI left behind")
            assert not folder.exists() and not list(killed.shared.iterdir())
            assert session_folders(tmp_path)  # its own
            assert control("stop", service.name).returncode == 0
            assert service.wait() == 0
        assert not session_folders(tmp_path)
    finally:
        killed.kill()
        if killed.shared.exists():
            for segment in killed.shared.iterdir():
                segment.unlink()
            killed.shared.rmdir()


def test_without_an_mpirun_nobody_stands_in_the_way(tmp_path, monkeypatch):
    """Others' folders of that name come and go, which failed now and then; here is a file, which fails always."""
    data, config = write(tmp_path, 40), tmp_path / "config.toml"
    config.write_text(f"files = {[str(path) for path in data]}\n[stream.train]\nbatch = 4\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    in_the_way = temporary / f"ompi.{socket.gethostname().split('.')[0]}.{os.geteuid()}"
    in_the_way.write_text("")
    done = control("inspect", "-c", config, "--sample=3")
    assert done.returncode == 0, done.stderr
    assert list(temporary.iterdir()) == [in_the_way]
