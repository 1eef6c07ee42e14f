"""What goes wrong with the files while samples are read window by window: told by file, dataset and row, to everybody."""

import os
import re
import shutil

import h5py
import headrace
import numpy as np
import pytest
from service import HEADRACE, running
from telling_samples import write
from test_window import connect, lost, room, train_only

ODD_DISK = str(HEADRACE.parents[1] / "lib" / "odd_disk.so")
ONE, NODES = (None, False), (2, True)


def goes(path):
    path.unlink()


def is_replaced(path):
    """By one that is as long, and that other tools would take for the same."""
    other = path.with_suffix(".new")
    shutil.copy(path, other)
    with h5py.File(other, "r+") as file:
        file["image"][1] = -5
    assert other.stat().st_size == path.stat().st_size
    os.utime(other, ns=(0, path.stat().st_mtime_ns + 1))
    os.replace(other, path)


def is_rewritten(path):
    with h5py.File(path, "r+") as file:
        file["packed"][:] = -file["packed"][:]


def is_shortened(path):
    os.truncate(path, path.stat().st_size // 3)


def breaks(path):
    path.with_suffix(".broken").touch()


TO_DO = "; put back what was there, unless it was only touched, then start again and resume"
TROUBLE = {
    "gone": (goes, "it is gone: No such file or directory" + TO_DO),
    "replaced": (is_replaced, "it has changed since it was examined: another file of the same size stands in its place" + TO_DO),
    "rewritten": (is_rewritten, r"it has changed since it was examined: .*" + TO_DO),
    "shortened": (is_shortened, r"it has changed since it was examined: \d+ bytes then, \d+ now" + TO_DO),
    "broken": (breaks, "pread: Input/output error"),
}
CASES = [(kind, *ONE) for kind in TROUBLE] + [("replaced", *NODES)]


@pytest.mark.parametrize("kind, stagers, split", CASES, ids=[f"{case[0]}{', 2 nodes' if case[2] else ''}" for case in CASES])
def test_it_is_told_by_file_dataset_and_row(tmp_path, monkeypatch, kind, stagers, split):
    files = write(tmp_path)
    for file in files:  # long ago, as data are
        os.utime(file, (1.7e9, 1.7e9))
    if kind == "broken":
        monkeypatch.setenv("LD_PRELOAD", ODD_DISK)
        monkeypatch.setenv("BROKEN", str(files[0]))
        monkeypatch.setenv("FAIL", str(files[0].with_suffix(".broken")))
    config = train_only(tmp_path, files)
    with running(tmp_path, stagers=stagers, split_nodes=split, config=config, memory=room(config, stagers, split, 0.4)) as service:
        stream = connect(service)
        for batch in stream:
            batch.release()
        happens, reason = TROUBLE[kind]
        happens(files[0])
        said = lost(service, stream)
        message = rf"cannot read rows \d+ to \d+ of dataset '\w+' in {re.escape(str(files[0]))} \({reason}\)"
        assert 1 <= len(service.lines(message)) <= (stagers or 1), service.text  # each who met it before the end tells of his rows
        if not split:  # of another node the launcher tells
            assert re.search(message, said)


def test_touched_in_the_first_second_is_no_other_file(tmp_path):
    """File systems forget fractions of seconds."""
    files = write(tmp_path)
    for file in files:
        os.utime(file, ns=(0, 1_700_000_000_900_000_000))
    config = train_only(tmp_path, files, epochs=2)
    with running(tmp_path, config=config, memory=room(config, share=0.4)) as service:
        stream = connect(service)
        for batch in stream:
            batch.release()
        os.utime(files[0], ns=(0, 1_700_000_000_000_000_000))
        for batch in stream:
            batch.release()
        stream.close()
        assert service.wait() == 0, service.text


@pytest.mark.parametrize("stagers", [None, 2], ids=["1 process", "2 stagers"])
def test_a_value_that_must_not_be_in_a_later_window(tmp_path, stagers):
    files = write(tmp_path)
    with running(tmp_path, config=train_only(tmp_path, files, epochs=1)) as service, connect(service) as stream:
        order = np.concatenate([batch.index.copy() for batch in stream])
    # It is in one of the last windows: those before it are delivered.
    number = int(next(n for n in order[::-1] if n < 2900))
    with h5py.File(files[0], "r+") as file:
        file["packed"][number, 7] = np.nan
    config = train_only(tmp_path, files)
    with config.open("a") as out:
        for name in "image", "label", "odd":
            out.write(f"\n[field.{name}]\n")
        out.write("\n[field.packed]\nscale = 2.0\nnonfinite = \"error\"\n")
    with running(tmp_path, stagers=stagers, config=config, memory=room(config, stagers, share=0.4)) as service:
        stream, taken = connect(service), 0
        with pytest.raises(headrace.ServiceLost) as told:
            for batch in stream:
                taken += batch.rows
                batch.release()
        stream.close()
        assert taken > len(order) // 3
        assert service.wait() == 1, service.text
        for said in service.text, str(told.value):
            assert re.search(rf"'packed'.*row {number}\b.*{re.escape(str(files[0]))}|{re.escape(str(files[0]))}.*'packed'.*\b{number}\b", said), said


def test_a_file_behind_external_links_is_watched_as_well(tmp_path):
    (tmp_path / "behind").mkdir()
    behind = write(tmp_path / "behind")
    files = []
    for file in behind:
        os.utime(file, (1.7e9, 1.7e9))
        files.append(tmp_path / file.name)
        with h5py.File(file) as there, h5py.File(files[-1], "w") as out:
            for name in there:
                out[name] = h5py.ExternalLink(str(file), name)
    config = train_only(tmp_path, files)
    with running(tmp_path, config=config, memory=room(config, share=0.4)) as service:
        stream = connect(service)
        for batch in stream:
            batch.release()
        is_rewritten(behind[0])
        said = lost(service, stream)
    assert f"of the file {behind[0]}, which it is made of: it has changed since it was examined" in said, said


def is_overwritten(raw):
    with raw.open("r+b") as file:
        file.write(bytes(1000))


def is_exchanged(raw):
    other = raw.with_suffix(".new")
    other.write_bytes(bytes(raw.stat().st_size))
    os.utime(other, ns=(0, raw.stat().st_mtime_ns + 1))
    os.replace(other, raw)


@pytest.mark.parametrize("happens", [goes, is_overwritten, is_exchanged])
def test_a_raw_file_beside_is_watched_as_well(tmp_path, happens):
    """It is as long as before, so that HDF5 takes whatever stands in it."""
    numbers = np.arange(8000)
    values = (numbers[:, None] * 8209 + np.arange(2000)).astype("<i4")
    raw = tmp_path / "values.raw"
    values.tofile(raw)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.create_dataset("x", values.shape, "<i4", external=[(str(raw), 0, values.nbytes)])
    os.utime(raw, (1.7e9, 1.7e9))
    config = train_only(tmp_path, [tmp_path / "data.h5"])
    with running(tmp_path, config=config, memory=room(config, share=0.4)) as service:
        stream = connect(service)
        for batch in stream:
            assert np.array_equal(batch["x"], values[batch.index])
            batch.release()
        happens(raw)
        said = lost(service, stream)
        assert f"of the file {raw}, which it is made of: it" in said, said
