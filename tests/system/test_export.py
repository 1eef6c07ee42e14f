"""headrace export: TFRecords read by a reader written here after the format's page, .npy by NumPy, Zarr by its own rules."""

import itertools
import json
import struct
import subprocess

import h5py
import numpy as np
import pytest
from interruptions import interrupted
from order import epoch_order
from premixing import call
from service import HEADRACE

N, T = 230, 4


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(5)
    with h5py.File(folder / "in.h5", "w") as file:
        file["a/x"] = rng.normal(size=(N, 3)).astype("f2")
        file["d"] = rng.normal(size=N)
        file["n"] = rng.integers(-2**40, 2**40, (N, 2))
        file["tracks"] = rng.normal(size=(N, T, 2)).astype("f4")
        file["flag"] = rng.random(N) < 0.5
        file["label"] = rng.integers(0, 3, N)
    with h5py.File(folder / "in.h5") as file:
        order = epoch_order(N)
        values = {name: file[name][:][order] for name in ("a/x", "d", "n", "tracks", "flag", "label")}
    return folder / "in.h5", values


def crc32c(data, table=[]):
    if not table:
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
            table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def messages(data):
    """(number of the field, its bytes) of a protobuf message whose fields all have a length."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        assert key & 7 == 2
        length, at = varint(data, at)
        yield key >> 3, data[at:at + length]
        at += length


def example(payload):
    features = {}
    (one, all_features), = messages(payload)
    assert one == 1
    for _, entry in messages(all_features):
        (_, name), (_, feature) = messages(entry)
        (kind, numbers), = messages(feature)
        (_, packed), = messages(numbers)
        if kind == 2:
            features[name.decode()] = np.frombuffer(packed, "<f4")
            continue
        assert kind == 3
        found, at = [], 0
        while at < len(packed):
            value, at = varint(packed, at)
            found.append(value - 2**64 if value >= 2**63 else value)
        features[name.decode()] = np.array(found, np.int64)
    return features


def records(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        length, = struct.unpack_from("<Q", data, at)
        assert struct.unpack_from("<I", data, at + 8)[0] == masked(data[at:at + 8])
        payload = data[at + 12:at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(payload)
        yield example(payload)
        at += 16 + length


def export(folder, data, *flags, **how):
    done = call("export", data[0], "-o", folder, *flags, **how)
    assert done.returncode == 0, done.stderr
    assert not list(folder.parent.glob(f"{folder.name}.*"))
    return folder


def within(folder):
    folder.mkdir()
    return folder / "t"


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tfrecords_under_the_fields_names(tmp_path, data):
    folder = export(tmp_path / "train", data, "--chunk-size=100", stagers=2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "metadata.json", "train_0001.tfrecord", "train_0002.tfrecord", "train_0003.tfrecord"]
    found = list(itertools.chain.from_iterable(records(path) for path in sorted(folder.glob("*.tfrecord"))))
    assert len(found) == N
    for name, values in data[1].items():
        kind = np.float32 if values.dtype.kind == "f" else np.int64
        for row, record in zip(values, found, strict=True):
            assert record[name].dtype == kind and np.array_equal(record[name], row.astype(kind).ravel()), name
    told = json.loads((folder / "metadata.json").read_text())
    assert told["samples"] == N and told["features"]["tracks"]["shape"] == [T, 2] and told["features"]["a/x"]["dtype"] == "float16"


def test_readers_of_others_read_the_records(tmp_path, data):
    reader = pytest.importorskip("tfrecord.reader", reason="tfrecord is not installed (tools/bootstrap --readers)")
    crc = pytest.importorskip("google_crc32c", reason="google-crc32c is not installed (tools/bootstrap --readers)")
    path = export(tmp_path / "t", data) / "t_0001.tfrecord"
    found = list(reader.tfrecord_loader(str(path), None, {"d": "float", "n": "int", "tracks": "float"}))
    assert np.array_equal(np.concatenate([record["d"] for record in found]), data[1]["d"].astype("f4"))
    assert np.array_equal([record["n"] for record in found], data[1]["n"])
    assert np.array_equal([record["tracks"] for record in found], data[1]["tracks"].reshape(N, -1))
    head = path.read_bytes()[:12]
    value = crc.value(head[:8])
    assert struct.unpack("<I", head[8:])[0] == ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_the_same_files_whoever_writes(tmp_path, data):
    one = contents(export(within(tmp_path / "1"), data, "--chunk-size=50"))
    three = contents(export(within(tmp_path / "3"), data, "--chunk-size=50", "--split-nodes", stagers=3))
    assert one == three and len(one) == 6


def test_records_as_umami_lays_them_out(tmp_path, data):
    flags = ["--field.jets.source=a/x", "--field.tracks.source=tracks", "--field.flavour.source=label",
             "--field.flavour.encode=one-hot", "--field.flavour.classes=b:2,c:1,u:0", "--field.weight.source=d",
             "--names=umami", "--add-vars=2"]
    folder = export(tmp_path / "records", data, *flags)
    found = list(records(folder / "records_0001.tfrecord"))
    values = data[1]
    assert set(found[0]) == {"X_jets", "Y_jets", "Weights", "X_Add_Vars", "tracks/inputs"}
    assert np.array_equal([r["X_jets"] for r in found], values["a/x"].astype("f4"))
    assert np.array_equal([r["X_Add_Vars"] for r in found], values["a/x"][:, :2].astype("f4"))
    assert np.array_equal([r["Y_jets"] for r in found], np.eye(3, dtype=int)[2 - values["label"]])
    assert np.array_equal([r["Weights"] for r in found], values["d"].astype("f4")[:, None])
    assert np.array_equal([r["tracks/inputs"] for r in found], values["tracks"].reshape(N, -1))
    told = json.loads((folder / "metadata.json").read_text())
    assert [told[key] for key in ("n_jets", "n_jet_features", "n_dim", "n_trks", "n_trk_features", "n_trks_labels", "n_add_vars")] == [
        N, 3, 3, {"tracks": T}, {"tracks": 2}, None, 2]
    done = call("export", data[0], "-o", tmp_path / "no", *flags[:-1], "--add-vars=4")
    assert done.returncode == 2 and "add-vars = 4" in done.stderr and not (tmp_path / "no").exists()


def test_umami_drops_no_field_in_silence(tmp_path):
    jets = np.zeros(20, [("pt", "f8"), ("eta", "f8"), ("flavour", "i4"), ("event", "i8")])
    jets["flavour"] = np.arange(20) % 2
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["jets"] = jets
    flags = ["--names=umami", "--add-vars=1", "--field.jets.source=jets[pt, eta]", "--field.flavour.source=jets.flavour",
             "--field.flavour.encode=one-hot"]
    more = ["--field.event.source=jets.event", "--field.other.source=jets.flavour", "--field.other.encode=one-hot"]
    done = call("export", tmp_path / "in.h5", "-o", tmp_path / "no", *flags, *more)
    assert done.returncode == 2 and "has no feature for 'event', 'other'; leave them out" in done.stderr, done.stderr
    assert not (tmp_path / "no").exists()
    done = call("export", tmp_path / "in.h5", "-o", tmp_path / "yes", *flags)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "yes" / "metadata.json").read_text())["features"]
    assert told["X_jets"]["columns"] == ["pt", "eta"] and told["X_Add_Vars"]["columns"] == ["pt"]
    assert "columns" not in told["Weights"] and told["Weights"]["dtype"] == "float32"


def test_npy(tmp_path, data):
    folder = export(tmp_path / "arrays", data, "--format=npy", "--chunk-size=100", stagers=2)
    for name, values in data[1].items():
        parts = [np.load(folder / f"{name.replace('/', '.')}_{k:04}.npy", mmap_mode="r") for k in (1, 2, 3)]
        assert [len(part) for part in parts] == [100, 100, 30]
        assert parts[0].dtype == values.dtype and np.array_equal(np.concatenate(parts), values)


def test_zarr(tmp_path, data):
    folder = export(tmp_path / "z", data, "--format=zarr", "--chunk-size=64", stagers=2)
    for name, values in data[1].items():
        told = json.loads((folder / name / ".zarray").read_text())
        assert told["shape"] == list(values.shape) and told["chunks"] == [64, *values.shape[1:]] and told["zarr_format"] == 2
        chunks = [np.frombuffer((folder / name / ".".join([str(k), *"0" * (values.ndim - 1)])).read_bytes(), told["dtype"])
                  for k in range(4)]
        assert np.array_equal(np.concatenate(chunks).reshape(-1, *values.shape[1:])[:N], values)
    assert json.loads((folder / "a" / ".zgroup").read_text()) == {"zarr_format": 2}


@pytest.mark.parametrize("how, within, level", [("gzip:6", "zlib", 6), ("lz4", "lz4", 5), ("zstd:3", "zstd", 2), ("none", None, 0)])
def test_zarr_itself_reads_compressed_chunks(tmp_path, data, how, within, level):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed (tools/bootstrap --readers)")
    folder = export(tmp_path / "z", data, "--format=zarr", "--chunk-size=64", f"--compression={how}", stagers=2)
    for group in (zarr.open_group(str(folder), mode="r", zarr_format=2), zarr.open_consolidated(str(folder), zarr_format=2)):
        for name, values in data[1].items():
            array = group[name]
            assert array.dtype == values.dtype and array.chunks == (min(64, N), *values.shape[1:])
            assert np.array_equal(array[:], values), name
            assert array.attrs["_ARRAY_DIMENSIONS"][0] == "sample"
    told = json.loads((folder / "tracks/.zarray").read_text())["compressor"]
    assert told is None if within is None else (told["id"], told["cname"], told["clevel"], told["shuffle"]) == ("blosc", within, level, 1)


def test_compression_makes_zarr_smaller_and_the_same_by_any_number(tmp_path, data):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.arange(20_000, dtype="f4").reshape(1000, 20)
    mine = tmp_path / "in.h5", {}
    flags = "--format=zarr", "--chunk-size=300"
    plain = contents(export(within(tmp_path / "plain"), mine, *flags))
    one = contents(export(within(tmp_path / "1"), mine, *flags, "--compression=zstd:3"))
    three = contents(export(within(tmp_path / "3"), mine, *flags, "--compression=zstd:3", "--split-nodes", stagers=3))
    assert one == three and len(one["x/0.0"]) < len(plain["x/0.0"]) / 4
    done = call("export", tmp_path / "in.h5", "-o", tmp_path / "no", "--compression=zstd")
    assert done.returncode == 2 and "is for Zarr" in done.stderr and not (tmp_path / "no").exists()
    done = call("export", tmp_path / "in.h5", "-o", tmp_path / "no", "--format=zarr", "--compression=lzf")
    assert done.returncode == 2 and "none, lz4, gzip:1 to gzip:9" in done.stderr


def test_it_goes_on_where_it_was_killed(tmp_path, data):
    whole = contents(export(within(tmp_path / "whole"), data, "--chunk-size=2"))
    folder = tmp_path / "t"
    interrupted("export", folder, data[0], "--chunk-size=2", blocks=6)
    assert len(list(folder.glob("*.tfrecord"))) > 5
    done = call("export", data[0], "-o", folder, "--chunk-size=2")
    assert done.returncode == 2 and "--resume" in done.stderr
    done = call("export", data[0], "-o", folder, "--chunk-size=3", "--resume")
    assert done.returncode == 2 and "export.chunk-size = 2, now 3" in done.stderr
    export(folder, data, "--chunk-size=2", "--resume", stagers=2)
    assert contents(folder) == whole


def test_another_compression_is_not_gone_on_with(tmp_path, data):
    folder, flags = tmp_path / "z", ("--format=zarr", "--chunk-size=1", "--compression=zstd:3")
    interrupted("export", folder, data[0], *flags, blocks=1)
    done = call("export", data[0], "-o", folder, *flags[:2], "--compression=lz4", "--resume")
    assert done.returncode == 2 and "export.compression = zstd:3, now lz4" in done.stderr, done.stderr


def test_what_is_there_needs_no_room_again(tmp_path):
    """In a file system that holds the output once."""
    source, disk = tmp_path / "in.h5", tmp_path / "disk"
    with h5py.File(source, "w") as file:
        file["x"] = np.random.default_rng(1).random((17500, 200), "f4")
    disk.mkdir()
    script = """mount -t tmpfs -o size=16m tmpfs "$1" || exit 77
        "$2" export "$3" --format=npy -o "$1/t" && "$2" export "$3" --format=npy -o "$1/t" --force && echo again"""
    done = subprocess.run(["unshare", "-m", "bash", "-c", script, "_", disk, HEADRACE, source],
                          capture_output=True, text=True, timeout=120)
    if done.returncode in (1, 77) and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip("only root can mount a file system")
    assert "again" in done.stdout, done.stdout + done.stderr


FILES_OF_BLOCK = {"tfrecord": lambda block: f"t_{block + 1:04}.tfrecord", "npy": lambda block: f"n_{block + 1:04}.npy",
                  "zarr": lambda block: f"a/x/{block}.0"}


@pytest.mark.parametrize("kind", FILES_OF_BLOCK)
def test_files_that_went_since_are_written_again(tmp_path, data, kind):
    flags = f"--format={kind}", "--chunk-size=2"
    whole = contents(export(within(tmp_path / "whole"), data, *flags))
    folder = tmp_path / "t"
    interrupted("export", folder, data[0], *flags, blocks=1)
    first = FILES_OF_BLOCK[kind](int((tmp_path / "t.part.blocks.0").read_text().split()[0]))
    # As a power cut leaves it: the journal has these files, and one of them has not got its name.
    (folder / first).rename(folder / f"{first}.part")
    export(folder, data, *flags, "--resume", stagers=2)
    assert contents(folder) == whole


@pytest.mark.parametrize("kind, mine", [("tfrecord", "results.tfrecord"), ("npy", "predictions.npy"), ("npy", "other_0001.npy"),
                                        ("zarr", "own/0.0"), ("zarr", "2024.11"), ("npy", "weights.part")])
def test_force_takes_nothing_away_that_no_export_wrote(tmp_path, data, kind, mine):
    folder = export(tmp_path / "t", data, f"--format={kind}", "--chunk-size=100")
    before = contents(folder)
    (folder / mine).parent.mkdir(exist_ok=True)
    (folder / mine).write_text("mine")
    done = call("export", data[0], "-o", folder, f"--format={kind}", "--chunk-size=50", "--force")
    assert done.returncode == 2 and f"{folder / mine}' is no file of an export" in done.stderr, done.stderr
    assert contents(folder) == before | {mine: b"mine"}
    (folder / mine).unlink()
    assert len(contents(export(folder, data, f"--format={kind}", "--chunk-size=50", "--force"))) > len(before)


@pytest.mark.parametrize("kind, mine", [("tfrecord", "d_0001.npy"), ("tfrecord", "own/0.0"), ("npy", "other_0001.npy"),
                                        ("npy", "t_0001.tfrecord"), ("zarr", "own/0.0"), ("zarr", "own/.zarray")])
def test_force_over_what_was_not_finished_takes_nothing_away(tmp_path, data, kind, mine):
    folder = tmp_path / "t"
    flags = f"--format={kind}", "--chunk-size=100"
    whole = contents(export(within(tmp_path / "whole"), data, *flags))
    # As a kill at the end leaves it: all files but those that are written last, and the journal.
    export(folder, data, *flags)
    (folder / "metadata.json").unlink()
    journal = {"stream": "train", "@fields": json.dumps(sorted(data[1]))} | ({} if kind == "tfrecord" else {"export.format": kind})
    (tmp_path / "t.part.json").write_text(json.dumps(journal))
    (folder / mine).parent.mkdir(exist_ok=True)
    (folder / mine).write_text("mine")
    done = call("export", data[0], "-o", folder, *flags, "--force")
    assert done.returncode == 2 and f"{folder / mine}' is no file of an export" in done.stderr, done.stderr
    assert (folder / mine).read_text() == "mine"
    (folder / mine).unlink()
    assert contents(export(folder, data, *flags, "--force")) == whole


def test_names_that_files_cannot_have(tmp_path, data):
    for kind, names, told in [("npy", ("a/b", "a.b"), "would both be written as a.b_0001.npy"),
                              ("zarr", ("x", "x/0"), "'x' would be an array of Zarr and, for 'x/0', a group"),
                              ("zarr", ("../up", "x"), "'..' is none"),
                              ("zarr", ("/dev/null/x", "x"), "'' is none"),
                              ("zarr", ("x", "y/.zarray"), "'.zarray' is none"),
                              ("zarr", ("x", "metadata.json"), "metadata.json")]:
        config = tmp_path / "names.toml"
        config.write_text(f"files = [{json.dumps(str(data[0]))}]\n" + "".join(
            f"[field.{json.dumps(name)}]\nsource = {json.dumps(source)}\n" for name, source in zip(names, ("d", "n"))))
        done = call("export", "-c", config, "-o", tmp_path / "e", f"--format={kind}")
        assert done.returncode == 2 and told in done.stderr, done.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["names.toml"]


def test_what_is_refused(tmp_path, data):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for flags in ((), ("--force",)):
        done = call("export", data[0], "-o", tmp_path / "full", *flags)
        assert done.returncode == 2 and "full" in done.stderr
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    done = call("export", data[0])
    assert done.returncode == 2 and "give -o FOLDER" in done.stderr
    done = call("export", data[0], "-o", tmp_path / "u", "--names=umami")
    assert done.returncode == 2 and "Y_jets" in done.stderr and not (tmp_path / "u").exists()
    with h5py.File(tmp_path / "big.h5", "w") as file:
        file["u"] = np.array([2**63, 1], np.uint64)
    done = call("export", tmp_path / "big.h5", "-o", tmp_path / "b")
    assert done.returncode == 1 and "9223372036854775808 does not fit int64" in done.stderr and not (tmp_path / "b").exists()
    again = export(tmp_path / "twice", data)
    assert contents(export(again, data, "--force")) == contents(again)
