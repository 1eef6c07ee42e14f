"""headrace premix: row p of the file is position p of the stream's first epoch, however many stagers wrote it."""

import json
import shutil

import h5py
import headrace
import numpy as np
import pytest
from disk import memory_for
from field_files import configuration
from inventories import inventory, table
from order import epoch_order
from premixing import call, leftovers, made, premix
from samples import FIELDS, values, write
from service import AT_ONCE, running

SAMPLES = (90, 1, 120)
TOTAL = sum(SAMPLES)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), *SAMPLES)


def rows(path, name):
    with h5py.File(path) as file:
        return file[name][:]


def holds(path, order):
    """Whether every dataset has exactly these samples, in this order."""
    with h5py.File(path) as file:
        for name in FIELDS:
            expected = values(name, order)
            assert file[name].dtype == expected.dtype and np.array_equal(file[name][:], expected), name
        return file.attrs["complete"] == 1


@pytest.mark.parametrize("stagers", [None, 2, 4])
def test_rows_are_positions(tmp_path, files, stagers):
    path = made(tmp_path / "out.h5", files, "--seed=5", stagers=stagers)
    assert holds(path, epoch_order(TOTAL, 5))


def test_the_same_bytes_whoever_writes(tmp_path, files):
    alone = made(tmp_path / "1.h5", files).read_bytes()
    assert made(tmp_path / "2.h5", files, stagers=2).read_bytes() == alone
    assert made(tmp_path / "4.h5", files, "--split-nodes", stagers=4).read_bytes() == alone


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "in.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3000 * 4100).reshape(3000, 4100).astype("<i4")
        file["y"] = np.arange(3000)
    return path


@pytest.fixture(scope="module", params=[(), ("--shuffle=none",), ("--premix.compression=gzip:1",)],
                ids=["shuffled", "in order", "compressed"])
def whole(request, large):
    """(flags, the file that one process makes with them where memory holds all)"""
    flags = "--seed=5", "--slots=2", *request.param
    path = made(large.parent / "whole.h5", [large], *flags)
    yield flags, path
    path.unlink()


@pytest.mark.parametrize("stagers, split", [(None, False), (2, False), (2, True)], ids=["1 process", "2 stagers", "2 nodes"])
def test_more_than_memory_holds(tmp_path, large, whole, stagers, split):
    """Most of the rows lie on a disk of the node meanwhile: the same bytes."""
    (flags, same), disk = whole, tmp_path / "disk"
    disk.mkdir()
    memory = memory_for(0.1, files=[large], stagers=stagers or 1, split_nodes=split, slots=2, batch=1)
    done = premix(tmp_path / "out.h5", [large], *flags, f"--memory={memory}", stagers=stagers, **AT_ONCE)
    assert done.returncode != 0 and "memory" in done.stderr, done.stderr  # without the disk it cannot be
    done = premix(tmp_path / "out.h5", [large], *flags, f"--memory={memory}", f"--scratch={disk}", *["--split-nodes"] * split, stagers=stagers)
    assert done.returncode == 0 and "regime scratch" in done.stderr, done.stderr
    assert leftovers(tmp_path / "out.h5") == [] and not list(disk.iterdir())
    with h5py.File(tmp_path / "out.h5") as file:
        numbers = np.arange(3000) if "--shuffle=none" in flags else epoch_order(3000, 5)
        assert np.array_equal(file["y"][:], numbers) and np.array_equal(file["x"][:, 0], file["y"][:] * 4100)
    assert (tmp_path / "out.h5").read_bytes() == same.read_bytes()


def test_file_order_and_a_part_of_a_split(tmp_path, files):
    assert holds(made(tmp_path / "plain.h5", files, "--shuffle=none"), range(TOTAL))
    path = made(tmp_path / "val.h5", files, "--split=train:0.8,val:0.2", "--stream.train.select=train",
                "--stream.val.select=val", "--stream.val.shuffle=none", "--stream=val", stagers=2)
    chosen = rows(path, "run") ^ 0x5A5A5A
    assert 0 < len(chosen) < TOTAL / 3 and list(chosen) == sorted(chosen)
    assert holds(path, chosen)


@pytest.mark.parametrize("compression", ["gzip:1", "lzf", "lz4", "zstd:3"])
def test_compressed_chunks_by_all_stagers(tmp_path, files, compression):
    flags = f"--premix.compression={compression}", "--premix.chunk=64B"
    alone = made(tmp_path / "1.h5", files, *flags)
    import hdf5plugin  # noqa: F401: h5py learns lz4 and zstd
    assert holds(alone, epoch_order(TOTAL))
    assert made(tmp_path / "3.h5", files, *flags, "--split-nodes", stagers=3).read_bytes() == alone.read_bytes()
    with h5py.File(alone) as file:
        assert file["run"].chunks == (16,)


@pytest.mark.parametrize("flags", [(), ("--premix.compression=lzf",)])
def test_several_files_and_one_name_for_all(tmp_path, files, flags):
    path = made(tmp_path / "out.h5", files, "--premix.file-samples=50", *flags, stagers=3)
    assert holds(path, epoch_order(TOTAL))
    parts = sorted(tmp_path.glob("out.0*.h5"))
    assert [part.name for part in parts] == [f"out.000{k}.h5" for k in range(1, 6)]
    assert holds(parts[1], epoch_order(TOTAL)[50:100])
    (tmp_path / "moved").mkdir()
    for file in tmp_path.glob("out*.h5"):
        file.rename(tmp_path / "moved" / file.name)
    assert holds(tmp_path / "moved" / "out.h5", epoch_order(TOTAL))
    done = call("premix", *files, "-o", tmp_path / "moved" / "out.h5", "--verify")
    assert done.returncode == 0 and "all checksums match" in done.stderr


def test_what_the_file_tells_of_itself(tmp_path, files):
    with h5py.File(tmp_path / "labels.h5", "w") as file:
        file["label"] = np.arange(20) % 3
        file["x"] = np.arange(20.0)
    path = made(tmp_path / "out.h5", [tmp_path / "labels.h5"], "--field.x.dtype=float16", "--field.label.encode=one-hot",
                "--field.label.classes=b:2,a:0,c:1", "--premix.dataset=jets/one_hot=label", "--premix.provenance", "--seed=9")
    with h5py.File(path) as file:
        assert list(file["jets/one_hot"].attrs["classes"]) == ["b", "a", "c"]
        assert file["x"].dtype == np.float16 and "label" not in file
        order = epoch_order(20, 9)
        assert list(file["x"]) == order and list(file["headrace_row"]) == order and set(file["headrace_file"]) == {0}
        assert file.attrs["seed"] == 9 and file.attrs["stream"] == "train" and file.attrs["epoch"] == 0
        assert json.loads(file.attrs["sources"])[0]["samples"] == 20
        assert json.loads(file.attrs["config"])["field.x.dtype"] == "float16"
        assert file.attrs["headrace_version"]


@pytest.mark.parametrize("flags", [(), ("--premix.compression=lzf",), ("--premix.file-samples=2000",)])
def test_more_classes_than_the_header_of_an_object_holds(tmp_path, flags):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["kind"] = np.arange(5000)
    path = made(tmp_path / "out.h5", [tmp_path / "in.h5"], "--field.kind.source=kind", "--field.kind.encode=index", *flags)
    with h5py.File(path) as file:
        assert list(file["kind"].attrs["classes"]) == [str(k) for k in range(5000)]
        assert np.array_equal(file["kind"], epoch_order(5000))
    assert premix(path, [tmp_path / "in.h5"], "--verify").returncode == 0


def test_it_can_be_served(tmp_path, files):
    path = made(tmp_path / "out.h5", files, stagers=2)
    with running(tmp_path, [path], epochs=1, batch=30, last="partial", shuffle="none") as service:
        with headrace.connect(service.name) as stream:
            got = np.concatenate([np.array(batch["run"]) for batch in stream])
    assert np.array_equal(got, values("run", epoch_order(TOTAL)))


def test_a_flipped_byte_is_found(tmp_path, files):
    path = made(tmp_path / "out.h5", files)
    with h5py.File(path) as file:
        place = file["grid/hits"].id.get_offset() + 8 * 100
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 4]))
    done = premix(path, files, "--verify", stagers=2, **AT_ONCE)
    assert done.returncode == 1 and "are not what was written" in done.stderr and str(path) in done.stderr
    assert made(path, files, "--verify", "--force")


def refused(done, code, *words):
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr
    return True


def test_what_is_refused_before_anything_is_read(tmp_path, files):
    there = tmp_path / "there.h5"
    there.write_text("mine")
    assert refused(premix(there, files, stagers=2, **AT_ONCE), 2, "'", "there.h5' exists", "--force")
    assert there.read_text() == "mine"
    assert refused(premix(files[0], files, "--force"), 2, "part0.h5' is one of the files that are read")
    assert refused(premix(tmp_path / "no" / "x.h5", files), 2, "has no folder", "make it")
    assert refused(premix(tmp_path, files), 2, "is a folder")
    assert refused(call("premix", *files), 2, "give -o FILE")
    assert refused(premix(tmp_path / "x.h5", files, "--resume"), 1, "there is nothing to resume")
    assert refused(premix(tmp_path / "x.h5", files, "--resume", "--force"), 2, "contradicts")
    assert refused(premix(tmp_path / "x.h5", files, "--premix.dataset=a=nothing"), 2, "no such field")
    assert refused(premix(tmp_path / "x.h5", files, "--stream=tain"), 2, "did you mean 'train'")
    assert refused(premix(tmp_path / "x.h5", files, "--premix.dataset=flag=run", "--premix.dataset=x=run"), 2, "the dataset 'flag'")
    assert refused(premix(tmp_path / "x.h5", files, "--field.run.dtype=bfloat16"), 2, "bfloat16 cannot be written")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.h5"]


def test_no_part_takes_the_place_of_a_file_that_is_read(tmp_path, files):
    inputs = [shutil.copy(file, tmp_path / f"data.{k:04}.h5") for k, file in enumerate(files, 1)]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = premix(tmp_path / "data.h5", inputs, "--premix.file-samples=50", "--force", stagers=2, **AT_ONCE)
    assert refused(done, 2, "data.0001.h5' is one of the files that are read", "name another file")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_no_file_of_an_inventory_is_lost(tmp_path):
    for i in range(3):
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            file["x"] = np.full(4, i)
    keys = {"inventory": inventory(tmp_path, "{id}.h5"), "batch": 1}
    config = configuration(tmp_path / "each.toml", {"x": {"decoder": "hdf5:x"}}, **keys)
    for lost in (table(tmp_path / "table.csv", [(i, i) for i in range(3)]), tmp_path / "1.h5"):
        before = lost.read_bytes()
        assert refused(premix(lost, [], "-c", config, "--force"), 2, f"{lost.name}' is one of the files that are read")
        assert lost.read_bytes() == before


def test_a_bad_value_leaves_nothing(tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.array([1.0, np.nan, 3.0])
    done = premix(tmp_path / "out.h5", [tmp_path / "in.h5"], "--field.x.dtype=int32", stagers=2)
    assert refused(done, 1, "NaN")
    assert leftovers(tmp_path / "out.h5") == [] and not (tmp_path / "out.h5").exists()
