"""headrace export after runs that were killed, and where room is asked for: what it left itself is never in its way."""

import json
import shutil
import subprocess
from pathlib import Path

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


KINDS = "tfrecord", "zarr"


@pytest.fixture(scope="module")
def wholes(tmp_path_factory, source):
    """What an export that nothing disturbs makes of each kind."""
    folders = {kind: tmp_path_factory.mktemp(kind) / "E" for kind in KINDS}
    for kind, folder in folders.items():
        exported(source, folder, f"--format={kind}", "--chunk-size=50")
    return {kind: contents(folder) for kind, folder in folders.items()}


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
    if flag == "--resume":  # the same facts
        journal = facts_of(source, tmp_path)
    (tmp_path / "E.part.json").write_text(json.dumps(journal))
    (tmp_path / f"E.part.json{DRAFT}").write_text("{")
    exported(source, folder, *FLAGS, flag)
    assert contents(folder) == whole
    assert not list(tmp_path.glob("E.*"))


def broken_off(source, output, folder, *flags):
    """The journal, which stands beside the folder, of a run that was over before it wrote anything: it cannot make its log."""
    log, journal = Path(f"{folder}.part.blocks.0"), Path(f"{folder}.part.json")
    (log / "x").mkdir(parents=True)
    done = call("export", source, "-o", output, *flags)
    assert done.returncode == 1 and "0 of 4 files are written: make room and go on with --resume" in done.stderr, done.stderr
    shutil.rmtree(log)
    return journal


def facts_of(source, folder):
    return json.loads(broken_off(source, folder / "J", folder / "J", *FLAGS).read_text())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first, second", [("E", "link"), ("link", "E"), ("link/", "link")])
def test_a_link_is_the_folder_that_it_leads_to(tmp_path, source, wholes, kind, first, second):
    flags, whole = (f"--format={kind}", "--chunk-size=50"), wholes[kind]
    folder = tmp_path / "E"
    folder.mkdir()
    (tmp_path / "link").symlink_to("E")
    journal = broken_off(source, f"{tmp_path}/{first}", folder, *flags)
    assert journal.exists() and folder.is_dir()
    done = call("export", source, "-o", tmp_path / second, *flags)
    assert done.returncode == 2 and f"'{folder}' is what an earlier run left; go on with --resume" in done.stderr, done.stderr
    exported(source, tmp_path / second, *flags, "--resume")
    assert contents(folder) == whole
    exported(source, tmp_path / first, *flags, "--force")
    assert contents(folder) == whole and sorted(path.name for path in tmp_path.iterdir()) == ["E", "link"]


def test_a_link_that_leads_nowhere_is_told(tmp_path, source):
    for target in "gone", "link":
        (tmp_path / "link").symlink_to(target)
        done = call("export", source, "-o", tmp_path / "link", *FLAGS)
        told = f"is a link that leads nowhere ({target} is not there); make that folder"
        assert done.returncode == 2 and told in done.stderr, done.stderr
        (tmp_path / "link").unlink()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_was_there_stays_when_nothing_comes_of_it(tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["u"] = np.array([2**63, 1], np.uint64)
    for name, stays in ("mine", True), ("new", False):
        folder = tmp_path / name
        if stays:
            folder.mkdir()
        done = call("export", tmp_path / "in.h5", "-o", folder)
        assert done.returncode == 1 and "does not fit int64" in done.stderr, done.stderr
        assert folder.is_dir() == stays and not contents(tmp_path).keys() - {"in.h5"}


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
    """What the script says in a file system of its own, and what its commands do beside."""
    done = subprocess.run(["unshare", "-m", "bash", "-c", script, "_", tmp_path, HEADRACE, *arguments], capture_output=True,
                          text=True, timeout=120)
    if done.returncode == 77 or done.returncode == 1 and done.stderr.startswith("unshare: "):
        pytest.skip("only root can mount a file system")
    return done.stdout.splitlines(), done.stderr


def test_room_is_asked_of_the_folder_and_not_for_what_is_compressed(tmp_path):
    source = tmp_path / "in.h5"
    with h5py.File(source, "w") as file:
        file["x"] = np.zeros((20000, 100), "f4")
    (tmp_path / "t").mkdir()
    words, told = mounted(tmp_path, """mount -t tmpfs -o size=2m tmpfs "$1/t" || exit 77
        "$2" export "$3" --format=zarr -o "$1/t"; echo "raw $?"; ls -A "$1/t"
        "$2" export "$3" --format=zarr --compression=zstd:3 --chunk-size=1000 -o "$1/t" && echo compressed""", source)
    assert words == ["raw 1", "compressed"] and told.count("too little room") == 1, (words, told)
