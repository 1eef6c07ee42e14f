"""A stager that is killed under a launcher that ends nobody else for it, as srun without --kill-on-bad-exit: the others end by
themselves, and what they had written is gone on with."""

import os
import re
import signal

import pytest
from field_files import configuration
from interruptions import interrupted, stagers_with
from inventories import inventory, table
from premixing import call, numbered

HELPLESS = ["mpirun", "--enable-recovery", "-n", "3"]  # lets the others go on


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return numbered(tmp_path_factory.mktemp("data") / "in.h5", 40000, 32)


@pytest.fixture
def what(request, tmp_path, source):
    """Command, output and flags."""
    if request.param == "pack":
        (tmp_path / "data").mkdir()
        for i in range(60):
            (tmp_path / f"data/{i}").write_bytes(bytes([i]) * (1 << 20))
        table(tmp_path / "table.csv", [(i, i) for i in range(60)])
        configuration(tmp_path / "pack.toml", {"x": {"decoder": f"raw:uint8:{1 << 20}"}},
                      inventory=inventory(tmp_path, "data/{id}"))
        return "pack", tmp_path / "out.h5", ["-c", tmp_path / "pack.toml"]
    if request.param == "export":
        return "export", tmp_path / "out", [source, "--format=npy", "--chunk-size=100"]
    return "premix", tmp_path / "out.h5", [source, "--premix.chunk=2KiB", f"--premix.compression={request.param}"]


@pytest.mark.parametrize("what", ["none", "zstd:1", "export", "pack"], indirect=True)
@pytest.mark.parametrize("rank", [0, 2])
def test_the_others_end_and_say_why(what, rank, monkeypatch):
    monkeypatch.setenv("HEADRACE_WAIT_LAUNCHER", "0.2")
    command, output, flags = what
    _, stderr = interrupted(command, output, *flags, blocks=3, launch=HELPLESS,
                            how=lambda: os.kill(stagers_with(str(output))[rank], signal.SIGKILL))
    assert re.findall(r"stager (\d) on \S+ died; what is written stays, go on with --resume", stderr) == [str(rank)], stderr
    done = call(command, *flags, "-o", output, "--resume")
    assert done.returncode == 0 and output.exists(), done.stderr
