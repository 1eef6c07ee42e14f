"""headrace export after runs that were killed, and where room is asked for: what it left itself is never in its way."""

import json
import subprocess

import h5py
import numpy as np
import pytest
from premixing import call
from service import HEADRACE

DRAFT = ".df54b9e83ae97eb4.part"
FLAGS = "--format=zarr", "--chunk-size=50"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "in.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(600.0).reshape(200, 3)
        file["y"] = np.arange(200)
    return path


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def exported(source, folder, *flags, **how):
    done = call("export", source, "-o", folder, *flags, **how)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("flag", ["--force", "--resume"])
def test_drafts_of_a_run_that_was_killed_go(tmp_path, source, flag):
    folder = tmp_path / "E"
    exported(source, folder, *FLAGS)
    whole = contents(folder)
    # As a kill leaves it while the last files are written.
    (folder / "metadata.json").unlink()
    (folder / "y" / ".zattrs").rename(folder / "y" / f".zattrs{DRAFT}")
    (folder / f"metadata.json{DRAFT}").write_text("{")
    journal = {"stream": "train", "export.format": "zarr", "@fields": json.dumps(["x", "y"])}
    if flag == "--resume":  # the same facts: those of a run of its own
        exported(source, tmp_path / "F", *FLAGS)
        journal = facts_of(source, tmp_path)
    (tmp_path / "E.part.json").write_text(json.dumps(journal))
    (tmp_path / f"E.part.json{DRAFT}").write_text("{")
    exported(source, folder, *FLAGS, flag)
    assert contents(folder) == whole
    assert not list(tmp_path.glob("E.*"))


def facts_of(source, folder):
    """The journal of a run that is over before it has written anything, as it cannot make its log."""
    (folder / "J.part.blocks.0" / "x").mkdir(parents=True)
    call("export", source, "-o", folder / "J", *FLAGS)
    journal = folder / "J.part.json"
    if not journal.exists():
        pytest.skip("no journal is left")
    return json.loads(journal.read_text())


def test_drafts_of_others_stay_in_the_way(tmp_path, source):
    folder = tmp_path / "E"
    exported(source, folder, *FLAGS)
    own = folder / "mine.txt.0123456789abcdef.part"
    own.write_text("mine")
    done = call("export", source, "-o", folder, *FLAGS, "--force")
    assert done.returncode == 2 and "is no file of an export" in done.stderr and own.read_text() == "mine", done.stderr


def test_the_folder_that_one_is_in(tmp_path, source):
    folder = tmp_path / "here"
    folder.mkdir()
    exported(source, ".", *FLAGS, cwd=folder)
    whole = contents(folder)
    (folder / "metadata.json").unlink()
    (tmp_path / "here.part.json").write_text(json.dumps({"export.format": "zarr", "@fields": json.dumps(["x", "y"])}))
    exported(source, ".", *FLAGS, "--force", cwd=folder)
    assert contents(folder) == whole and [path.name for path in tmp_path.iterdir()] == ["here"]


def mounted(tmp_path, script, *arguments):
    done = subprocess.run(["unshare", "-m", "bash", "-c", script, "_", tmp_path, HEADRACE, *arguments], capture_output=True,
                          text=True, timeout=120)
    if done.returncode in (1, 77) and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip("only root can mount a file system")
    return done.stdout + done.stderr


def test_room_is_asked_of_the_folder_and_not_for_what_is_compressed(tmp_path):
    source = tmp_path / "in.h5"
    with h5py.File(source, "w") as file:
        file["x"] = np.zeros((20000, 100), "f4")
    (tmp_path / "t").mkdir()
    told = mounted(tmp_path, """mount -t tmpfs -o size=2m tmpfs "$1/t" || exit 77
        "$2" export "$3" --format=zarr -o "$1/t"; echo "raw $?"; ls -A "$1/t"
        "$2" export "$3" --format=zarr --compression=zstd:3 --chunk-size=1000 -o "$1/t" && echo compressed""", source)
    assert "too little room" in told and "raw 1" in told, told
    assert "compressed" in told, told
