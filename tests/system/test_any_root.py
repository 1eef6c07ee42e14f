"""tests/any_root where it cannot do what it is asked: it says why at once. What it does takes minutes and a network."""

import os
import subprocess
from pathlib import Path

import pytest

ANY_ROOT = Path(__file__).resolve().parents[1] / "any_root"
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may enter another root folder")


def any_root(*arguments, **variables):
    return subprocess.run([ANY_ROOT, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, **variables})


@pytest.mark.parametrize("arguments, words", [
    ([], "name a version of Debian, as in: tests/any_root trixie"),
    (["../etc"], "'../etc' is no version of Debian"),
    (["--root", "x"], "'--root' is no version of Debian"),
    (["trixie", "--root"], "--root needs a folder"),
    (["trixie", "--run"], "--run needs a command"),
])
def test_wrong_usage(arguments, words):
    done = any_root(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"any_root: {words}")


@only_root
def test_a_version_that_nobody_knows(tmp_path):
    done = any_root("potato9", "--root", tmp_path / "root")
    assert done.returncode == 2
    assert "debootstrap knows no 'potato9'" in done.stderr or "there is no debootstrap" in done.stderr
    assert not (tmp_path / "root").exists() and not (tmp_path / "root.part").exists()


@only_root
def test_a_root_that_cannot_be_made_leaves_nothing_that_looks_like_one(tmp_path):
    """And nothing mounted."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "debootstrap").write_text("#!/bin/sh\nmount -t tmpfs tmpfs \"$3\" && echo 'E: no such source'; exit 1\n")
    (programs / "debootstrap").chmod(0o755)
    if not Path("/usr/share/debootstrap/scripts/trixie").exists():
        pytest.skip("no debootstrap here (tools/bootstrap --roots)")
    done = any_root("trixie", "--root", tmp_path / "root", PATH=f"{programs}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "any_root: that failed:\nE: no such source\n" in done.stderr
    assert not (tmp_path / "root").exists()
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
