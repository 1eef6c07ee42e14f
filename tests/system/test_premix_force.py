"""headrace premix over what is there: --force replaces all of it or tells so, --verify knows a file from another, and what is somebody's own stays."""

import os
import shutil
import signal
import subprocess

import h5py
import numpy as np
import pytest
from interruptions import interrupted
from order import epoch_order
from premixing import leftovers, made, numbered, premix
from service import HEADRACE, until

ROWS = 1000
SPLIT = "--premix.file-samples=250"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return [numbered(tmp_path_factory.mktemp("data") / "in.h5", ROWS, 8)]


def column(path, name="y"):
    with h5py.File(path) as file:
        return file[name][:].tolist()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(done, code, *words):
    assert done.returncode == code and all(word in done.stderr for word in words), (done.returncode, done.stderr)
    assert "filesystem error" not in done.stderr
    return True


@pytest.mark.parametrize("flags", [(), ("--premix.compression=lzf",)], ids=["plain", "compressed"])
def test_force_that_fails_in_the_middle_leaves_no_file_that_joins_two_runs(tmp_path, files, flags):
    output, whole = tmp_path / "m.h5", tmp_path / "whole" / "m.h5"
    whole.parent.mkdir()
    made(whole, files, SPLIT, *flags, "--seed=7")
    made(output, files, SPLIT, *flags)
    # The third file's log cannot be made: two files are new by then.
    blocked = tmp_path / "m.0003.h5.part.blocks.0"
    (blocked / "x").mkdir(parents=True)
    assert refused(premix(output, files, SPLIT, *flags, "--seed=7", "--force"), 1, "m.0003.h5.part.blocks.0")
    assert not output.exists() and (tmp_path / "m.h5.part.json").exists()
    assert refused(premix(output, files, SPLIT, *flags, "--seed=7"), 2, "is what an earlier run left")
    shutil.rmtree(blocked)
    made(output, files, SPLIT, *flags, "--seed=7", "--resume")
    assert column(output) == epoch_order(ROWS, 7)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("m*")} == {
        path.name: path.read_bytes() for path in whole.parent.iterdir()}
    assert premix(output, files, "--verify").returncode == 0


def test_verify_knows_a_part_from_another_and_from_that_of_another_run(tmp_path, files):
    output = made(tmp_path / "m.h5", files, SPLIT)
    (tmp_path / "other").mkdir()
    other = made(tmp_path / "other" / "m.h5", files, SPLIT, "--seed=3")
    second = tmp_path / "m.0002.h5"
    kept = second.read_bytes()
    for strange in (tmp_path / "m.0001.h5", other.parent / "m.0002.h5"):
        shutil.copy(strange, second)
        assert refused(premix(output, files, "--verify", stagers=2), 1, "m.0002.h5 is not the file that", "from its row 250 on", "write it again")
    second.write_bytes(kept)
    done = premix(output, files, "--verify")
    assert done.returncode == 0 and "all checksums match" in done.stderr
    # Files of older versions do not tell, and are read as they were.
    for path in tmp_path.glob("m*.h5"):
        with h5py.File(path, "r+") as file:
            assert file.attrs.pop("run")
    assert premix(output, files, "--verify").returncode == 0


def test_files_that_nothing_joins_any_more_go(tmp_path, files):
    output = made(tmp_path / "m.h5", files, SPLIT)
    own = tmp_path / "m.0007.h5"
    own.write_text("mine")
    done = premix(output, files, "--premix.file-samples=400", "--force", "--seed=2", stagers=2)
    assert done.returncode == 0 and "1 file of an earlier run was beside" in done.stderr, done.stderr
    assert names(tmp_path) == ["m.0001.h5", "m.0002.h5", "m.0003.h5", "m.0007.h5", "m.h5"]
    assert column(output) == epoch_order(ROWS, 2)
    made(output, files, "--force")
    assert names(tmp_path) == ["m.0007.h5", "m.h5"] and own.read_text() == "mine"
    assert column(output) == epoch_order(ROWS)


def test_files_that_are_read_are_not_among_those_that_go(tmp_path, files):
    output = made(tmp_path / "m.h5", files, SPLIT)
    parts = sorted(tmp_path.glob("m.0*.h5"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert refused(premix(output, parts, "--force"), 2, "is one of the files that are read (it would be lost)")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["a%%b.h5", "cut_50%.h5", "x%b.h5"])
def test_percent_signs_in_names(tmp_path, files, name):
    output = tmp_path / name
    done = premix(output, files, SPLIT, "--field.p%%q%.source=y", "--field.x.source=x", "--verify")
    assert done.returncode == 0, done.stderr
    assert column(output, "p%%q%") == epoch_order(ROWS)
    moved = tmp_path / "again.h5"
    made(moved, [output], "--shuffle=none")  # by this program's own reader of virtual files
    assert column(moved, "p%%q%") == epoch_order(ROWS)


def test_somebodys_own_files_and_links_stay(tmp_path, files):
    for name in ("z.h5.part", "zz.h5.part.old"):
        own = tmp_path / name
        own.write_text("mine")
        output = tmp_path / f"{name.split('.')[0]}.h5"
        assert refused(premix(output, files), 2, f"{name}' is there, and", "move it away, or begin with --force")
        assert own.read_text() == "mine" and not output.exists()
    made(tmp_path / "z.h5", files, "--force")
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (tmp_path / "w.h5.part").symlink_to(victim)
    assert refused(premix(tmp_path / "w.h5", files), 2, "w.h5.part' is there, and")
    made(tmp_path / "w.h5", files, "--force")
    assert victim.read_text() == "mine" and not (tmp_path / "w.h5").is_symlink()
    (tmp_path / "v.h5.part").symlink_to(victim)
    made(tmp_path / "v.h5", files, SPLIT, "--force")
    assert victim.read_text() == "mine" and not (tmp_path / "v.h5").is_symlink()
    os.mkfifo(tmp_path / "pipe.h5")
    assert refused(premix(tmp_path / "pipe.h5", files, "--force"), 2, "pipe.h5' is no regular file")
    os.mkfifo(tmp_path / "q.0002.h5")
    assert refused(premix(tmp_path / "q.h5", files, SPLIT, "--force"), 2, "q.0002.h5' is no regular file")


@pytest.mark.parametrize("flags", [(), ("--premix.compression=gzip:1",)], ids=["plain", "compressed"])
def test_a_part_file_that_is_gone_is_told(tmp_path, flags):
    source, output, flags = tmp_path / "big.h5", tmp_path / "m.h5", ("--premix.chunk=1KiB", *flags)
    with h5py.File(source, "w") as file:
        file["x"] = np.random.default_rng(1).normal(size=(20000, 32)).astype("f4")
    interrupted("premix", output, source, *flags, blocks=2)
    (tmp_path / "m.h5.part").unlink()
    for _ in range(2):
        assert refused(premix(output, [source], *flags, "--resume"), 1, "m.h5.part' is gone, or no file", "begin anew with --force")
    made(output, [source], *flags, "--force")


def test_what_is_refused_before_anything_is_written(tmp_path, files):
    output = tmp_path / "o.h5"
    config = tmp_path / "break.toml"
    config.write_text(f'files = ["{files[0]}"]\n[field."a\\nb"]\nsource = "y"\n')
    assert refused(premix(output, [], "-c", config), 2, "'a\\nb' (its name has a line break)")
    assert refused(premix(tmp_path / os.fsdecode(b"\xff.h5"), files, SPLIT), 2, r"'\xff.h5' is no UTF-8")
    (tmp_path / "norm_dict.yaml").mkdir()
    with h5py.File(tmp_path / "jets.h5", "w") as file:
        file["pt"] = np.arange(10.0)
    assert refused(premix(output, [tmp_path / "jets.h5"], "--premix.layout=ftag"), 2, "norm_dict.yaml' is no regular file")
    assert leftovers(output) == [] and not output.exists()


@pytest.mark.parametrize("seed", [5, 2**63, 2**64 - 1])
def test_seeds_are_told_as_they_are(tmp_path, files, seed):
    with h5py.File(made(tmp_path / "o.h5", files, f"--seed={seed}")) as file:
        assert int(file.attrs["seed"]) == seed


def test_two_runs_for_one_file_whatever_the_way_to_it(tmp_path, files):
    source, folder = tmp_path / "big.h5", tmp_path / "data"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    with h5py.File(source, "w") as file:
        file["x"] = np.zeros((3000, 2048), "f4")
    with subprocess.Popen([HEADRACE, "premix", source, "-o", folder / "o.h5"], stderr=subprocess.DEVNULL) as first:
        until(lambda: (folder / "o.h5.part.json").exists() or first.poll() is not None, "a journal")
        first.send_signal(signal.SIGSTOP)
        try:
            if (folder / "o.h5.part.json").exists():  # else it was done before
                for flags in ((), ("--force",), ("--resume",)):
                    done = premix(tmp_path / "link" / "o.h5", [source], *flags)
                    assert refused(done, 2, "o.h5' is being written by another run", str(first.pid))
        finally:
            first.send_signal(signal.SIGCONT)
    assert first.returncode == 0
