"""What the service refuses: one clear message, whatever the number of ranks; a non-zero exit code; nothing left."""

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import h5py
import numpy as np
import pytest
from service import HEADRACE, control, processes_with, running, sockets_with, until

RANKS = (None, 3)


def write(path, n=20, **datasets):
    with h5py.File(path, "w") as file:
        for name, values in (datasets or {"x": np.arange(n * 4, dtype="f4").reshape(n, 4), "y": np.arange(n)}).items():
            file[name] = values
    return path


def refused(folder, ranks, *arguments, code=1, prefix=(), program=HEADRACE, **how):
    """Runs `headrace serve ARGUMENTS`, checks that it fails, leaves nothing and says one thing; returns that."""
    name = f"no-{os.getpid()}-{Path(folder).name}"
    launch = ["mpirun", "-n", str(ranks)] if ranks else []
    done = subprocess.run([*prefix, *launch, program, "serve", f"--name={name}", *map(str, arguments)], cwd=folder, timeout=300,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, **how)
    messages = [line for line in done.stderr.splitlines() if line.startswith("headrace: ")]
    assert done.returncode == code and len(messages) == 1, done.stderr
    until(lambda: not processes_with(name), "processes left", 20)
    until(lambda: not sockets_with(name), "sockets left", 20)  # they go a moment after the command line
    return messages[0]


@pytest.fixture(params=RANKS, ids=["alone", "3 ranks"])
def ranks(request):
    return request.param


def test_missing_file(tmp_path, ranks):
    assert "none.h5" in refused(tmp_path, ranks, "none.h5")


def test_pattern_without_a_match(tmp_path):
    assert "none-*.h5" in refused(tmp_path, None, "none-*.h5", code=2)


def test_directory(tmp_path):
    (tmp_path / "folder.h5").mkdir()
    assert "folder.h5" in refused(tmp_path, None, "folder.h5")


def test_a_link_to_itself(tmp_path):
    (tmp_path / "loop.h5").symlink_to("loop.h5")
    assert "loop.h5 (Too many levels of symbolic links)" in refused(tmp_path, None, "loop.h5")


@pytest.mark.parametrize("shape, words", [((1 << 60,), "would hold 1152921504606846976 samples"), ((48, 1 << 40), "too little memory")],
                         ids=["long", "wide"])
def test_sizes_that_no_machine_holds(tmp_path, shape, words):
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("x", shape, "f8", chunks=(1, 1 << 22)[:len(shape)])
    assert words in refused(tmp_path, None, "huge.h5")


def test_not_hdf5(tmp_path, ranks):
    (tmp_path / "text.h5").write_text("not what it says\n" * 100)
    assert "text.h5" in refused(tmp_path, ranks, "text.h5")


def test_truncated(tmp_path):
    write(tmp_path / "cut.h5", 2000)
    os.truncate(tmp_path / "cut.h5", 3000)
    assert "cut.h5" in refused(tmp_path, None, "cut.h5")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("ranks", RANKS)
def test_no_permission(ranks):
    with tempfile.TemporaryDirectory(prefix="headrace-test-", dir="/tmp") as folder:  # where others may look
        os.chmod(folder, 0o755)
        write(Path(folder) / "secret.h5").chmod(0o600)
        program = shutil.copy(HEADRACE, folder)
        said = refused(folder, ranks, "secret.h5", program=program, user=65534, group=65534, extra_groups=[])
    assert "secret.h5 (no permission to read it)" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_that_cannot_be_looked_into(ranks):
    """Its files would be missing without a word."""
    with tempfile.TemporaryDirectory(prefix="headrace-test-", dir="/tmp") as folder:  # where others may look
        os.chmod(folder, 0o755)
        for name in ("open", "closed"):
            Path(folder, name).mkdir()
            write(Path(folder, name) / "part.h5").chmod(0o644)
        Path(folder, "closed").chmod(0o700)
        program = shutil.copy(HEADRACE, folder)
        said = refused(folder, ranks, "*/part*.h5", code=2, program=program, user=65534, group=65534, extra_groups=[])
    assert "cannot look for files" in said and "closed: Permission denied" in said


def test_dataset_missing_in_one_of_two_files(tmp_path, ranks):
    write(tmp_path / "a.h5")
    write(tmp_path / "b.h5", x=np.zeros((5, 4), "f4"))
    said = refused(tmp_path, ranks, "a.h5", "b.h5", "--field.y.source=y", code=2)
    assert "'y'" in said and "b.h5" in said


def test_row_shapes_that_disagree(tmp_path):
    write(tmp_path / "a.h5", x=np.zeros((5, 4), "f4"))
    write(tmp_path / "b.h5", x=np.zeros((5, 3), "f4"))
    said = refused(tmp_path, None, "a.h5", "b.h5")
    assert "a.h5" in said and "b.h5" in said


def test_lengths_that_disagree(tmp_path, ranks):
    write(tmp_path / "a.h5", x=np.zeros((5, 4), "f4"), y=np.zeros(6))
    said = refused(tmp_path, ranks, "a.h5", "--field.x.source=x", "--field.y.source=y")
    assert "5" in said and "6" in said


def test_zero_samples(tmp_path):
    write(tmp_path / "empty.h5", x=np.zeros((0, 4), "f4"))
    assert "sample" in refused(tmp_path, None, "empty.h5")


def test_unknown_field_source_names_what_there_is(tmp_path):
    write(tmp_path / "a.h5")
    said = refused(tmp_path, None, "a.h5", "--field.label.source=yy", code=2)
    assert "'yy'" in said and "y" in said


def test_wrong_words(tmp_path, ranks):
    write(tmp_path / "a.h5")
    assert "did you mean '--batch'" in refused(tmp_path, ranks, "a.h5", "--bacth=3", code=2)
    assert "batch" in refused(tmp_path, ranks, "a.h5", "--batch=none", code=2)


def test_malformed_configuration(tmp_path):
    (tmp_path / "bad.toml").write_text("files = [\n")
    assert "bad.toml" in refused(tmp_path, None, "-c", "bad.toml", code=2)


def test_batch_larger_than_the_selection(tmp_path, ranks):
    write(tmp_path / "a.h5", 20)
    said = refused(tmp_path, ranks, "a.h5", "--batch=21")
    assert "21" in said and "20" in said and "partial" in said


def test_select_out_of_range(tmp_path):
    write(tmp_path / "a.h5", 20)
    assert "20" in refused(tmp_path, None, "a.h5", "--select=20:", code=2)


def test_too_little_memory_by_option(tmp_path, ranks):
    write(tmp_path / "a.h5", 2000)
    said = refused(tmp_path, ranks, "a.h5", "--memory=1MB")
    assert "memory" in said and "1.00 MB" in said


@pytest.fixture
def small_cgroup():
    """A command prefix that runs in a cgroup of 48 MB."""
    for root, limit in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max")):
        group = root / f"headrace-test-{uuid.uuid4().hex[:8]}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(48 << 20))
        except OSError:
            group.rmdir()
            continue
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
        until(lambda: not (group / "cgroup.procs").read_text(), "processes left in the cgroup")
        group.rmdir()
        return
    pytest.skip("no cgroup with a memory limit can be made here")


def test_too_little_memory_by_cgroup(tmp_path, small_cgroup):
    write(tmp_path / "a.h5", 2000)
    assert "cgroup" in refused(tmp_path, None, "a.h5", prefix=small_cgroup)


def test_name_already_served(tmp_path, ranks):
    write(tmp_path / "a.h5")
    with running(tmp_path, [tmp_path / "a.h5"], batch=4) as service:
        launch = ["mpirun", "-n", str(ranks)] if ranks else []
        done = subprocess.run([*launch, HEADRACE, "serve", tmp_path / "a.h5", f"--name={service}", "--batch=4"], timeout=300,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        messages = [line for line in done.stderr.splitlines() if line.startswith("headrace: ")]
        assert done.returncode != 0 and len(messages) == 1
        assert service.name in messages[0] and "already" in messages[0]


def test_no_such_service():
    done = control("stat", "nobody")
    assert done.returncode == 1 and "nobody" in done.stderr
    done = control("wait", "nobody", "--timeout=0.2")
    assert done.returncode == 1 and "nobody" in done.stderr
