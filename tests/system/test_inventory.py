"""Samples with a file each, listed in a table: every decoder, the table's columns, files behind URLs, and what goes wrong."""

import hashlib
import json
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from fault_server import serving
from field_files import configuration, deliver
from field_files import refusal as refused_service
from inventories import C_DECODER, FASHION, fashion, images, inventory, npy, table
from service import HEADRACE


def refusal(*arguments, **keys):
    return refused_service(*arguments, batch=1, **keys)


def test_single_values_of_files_and_links_to_others(tmp_path):
    """A value may lie among the metadata; behind an external link is another file, of which nothing is known."""
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    for i in range(5):
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            file["plain"] = float(i)
            one = h5py.h5d.create(file.id, b"compact", h5py.h5t.NATIVE_INT32, h5py.h5s.create(h5py.h5s.SCALAR), compact)
            one.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(10 * i, "i4"))
            file["linked"] = h5py.ExternalLink("other.h5", "x")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(600)
    table(tmp_path / "table.csv", [(i, i) for i in range(5)])
    fields = {"plain": {"decoder": "hdf5:plain"}, "compact": {"decoder": "hdf5:compact"}}
    got, _, _ = deliver(tmp_path, [], fields, inventory=inventory(tmp_path, "{id}.h5"))
    assert got["plain"].tolist() == [0, 1, 2, 3, 4] and got["compact"].tolist() == [0, 10, 20, 30, 40]
    assert "other files" in refusal(tmp_path, [], {"x": {"decoder": "hdf5:linked"}}, inventory=inventory(tmp_path, "{id}.h5"))
    with h5py.File(tmp_path / "3.h5", "a") as file:
        del file["plain"]
        file["plain"] = h5py.Empty("f8")
    text = refusal(tmp_path, [], {"x": {"decoder": "hdf5:plain"}}, inventory=inventory(tmp_path, "{id}.h5"))
    assert "its dataset 'plain' is empty" in text and "id '3'" in text, text


@pytest.mark.parametrize("stagers", [None, 2])
def test_every_decoder_gives_what_was_written(tmp_path, stagers):
    """Several arrays of the same files at once; the table's columns beside them."""
    pictures, spectra = images(41, "f4"), np.random.default_rng(4).normal(size=(41, 3))
    folder = tmp_path / "data"
    folder.mkdir()
    labels = [["cat", "dog", "owl"][i % 3] for i in range(41)]
    table(tmp_path / "table.csv", [(f"{i:03}", labels[i], i * 0.5) for i in range(41)], ("id", "kind", "energy"))
    for i in range(41):
        np.savez(folder / f"{i:03}.npz", image=pictures[i], spectrum=spectra[i])
        np.savez_compressed(folder / f"{i:03}.packed.npz", image=pictures[i])
        np.save(folder / f"{i:03}.npy", pictures[i] if i % 2 else np.asfortranarray(pictures[i]))
        np.savetxt(folder / f"{i:03}.txt", spectra[i])
        pictures[i].astype(">f4").tofile(folder / f"{i:03}.raw")
        with h5py.File(folder / f"{i:03}.h5", "w") as file:
            file["climate/data"] = pictures[i]
            file.create_dataset("climate/packed", data=pictures[i], compression="gzip")
    got = {}
    for path, fields in [
        ("data/{id}.npz", {"image": {"decoder": "npz:image"}, "spectrum": {"decoder": "npz:spectrum"}}),
        ("data/{id}.packed.npz", {"image": {"decoder": "npz:image"}}),
        ("data/{id}.npy", {"image": {"source": "@file"}}),
        ("data/{id}.txt", {"spectrum": {"source": "@file"}}),
        ("data/{id}.raw", {"image": {"decoder": "raw:float32:5,4:big"}}),
        ("data/{id}.h5", {"image": {"decoder": "hdf5:climate/data"}, "packed": {"decoder": "hdf5:climate/packed"}}),
    ]:
        fields = {**fields, "label": {"source": "@csv.kind", "encode": "index"}, "energy": {"source": "@csv.energy"}}
        got, numbers, schema = deliver(tmp_path, [], fields, stagers, inventory=inventory(tmp_path, path))
        assert (numbers == np.arange(41)).all()
        for name in {"image", "packed"} & set(got):
            np.testing.assert_array_equal(got[name], pictures, path)
        if "spectrum" in got:
            np.testing.assert_array_equal(got["spectrum"], spectra)
        assert (got["label"] == np.arange(41) % 3).all()
        assert (got["energy"] == np.arange(41) * 0.5).all()
        assert list(schema["label"].classes) == ["cat", "dog", "owl"]


def test_other_keys_hold(tmp_path):
    pictures = images(30)
    table(tmp_path / "table.csv", [(i, i % 5) for i in range(30)])
    for i in range(30):
        np.save(tmp_path / f"{i}.npy", pictures[i])
    fields = {"image": {"source": "@file", "scale": 2, "dtype": "float16"}, "label": {"source": "@csv.target"}}
    got, numbers, _ = deliver(tmp_path, [], fields, inventory=inventory(tmp_path, "{id}.npy"), where="@csv.target < 2")
    assert (numbers == [i for i in range(30) if i % 5 < 2]).all()
    np.testing.assert_array_equal(got["image"], (pictures[numbers] / 2).astype("f2"))
    assert (got["label"] == numbers % 5).all()


def test_mistakes_name_the_sample(tmp_path):
    field = {"image": {"source": "@file"}}
    where = inventory(tmp_path, "{id}.npy")
    table(tmp_path / "table.csv", [("a", 1), ("b", 2), ("c", 3), ("d", 4)])
    np.save(tmp_path / "a.npy", np.zeros(3))
    np.save(tmp_path / "c.npy", np.zeros(4))
    text = refusal(tmp_path, [], field, inventory=where)
    assert "2 of 4 samples" in text
    np.save(tmp_path / "b.npy", np.zeros(3))
    np.save(tmp_path / "d.npy", np.zeros(3))
    text = refusal(tmp_path, [], field, 2, inventory=where)
    assert "c.npy (it holds float64 (4,), and the first sample's file float64 (3,)" in text and "id 'c'" in text
    np.save(tmp_path / "c.npy", np.array([{}], object), allow_pickle=True)
    assert "Python objects" in refusal(tmp_path, [], field, inventory=where)
    assert "no column 'targte'" in refusal(tmp_path, [], {"y": {"source": "@csv.targte"}}, inventory=where)
    table(tmp_path / "table.csv", [("a", 1), ("a", 2)])
    assert "id 'a' stands in lines 2 and 3" in refusal(tmp_path, [], field, inventory=where)


def test_samples_without_a_file_are_left_out(tmp_path):
    table(tmp_path / "table.csv", [(i, i) for i in range(10)])
    for i in set(range(10)) - {0, 3}:
        np.save(tmp_path / f"{i}.npy", np.full(2, i))
    got, _, _ = deliver(tmp_path, [], {"x": {"source": "@file"}, "y": {"source": "@csv.target"}}, 2,
                        inventory=inventory(tmp_path, "{id}.npy", missing="skip"))
    assert got["y"].tolist() == [1, 2, 4, 5, 6, 7, 8, 9]
    assert got["x"][:, 0].tolist() == [1, 2, 4, 5, 6, 7, 8, 9]


def test_every_command_takes_an_inventory(tmp_path):
    """What is told of it is what its files hold, not what the table's bytes would be as HDF5."""
    pictures = images(40, "f4")
    table(tmp_path / "table.csv", [(i, "ab"[i % 4 == 0]) for i in range(40)])
    for i in range(40):
        np.save(tmp_path / f"{i}.npy", pictures[i])
    config = configuration(tmp_path / "x.toml", {
        "image": {"source": "@file", "scale-file": "scales.json", "norm": "standard"},
        "label": {"source": "@csv.target", "encode": "index"}}, inventory=inventory(tmp_path, "{id}.npy"), batch=8)

    def told(*arguments):
        done = subprocess.run([HEADRACE, *arguments, "-c", config], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "a" in told("stats") and (tmp_path / "scales.json").exists()
    scales = json.loads((tmp_path / "scales.json").read_text())
    assert scales["headrace-stats"]["classes"] == {"label": {"a": 30, "b": 10}}
    mean, std = pictures.mean((0, 1), dtype="f8"), pictures.std((0, 1), dtype="f8")  # of each column
    np.testing.assert_allclose([scales["@file:npy"][str(k)]["mean"] for k in range(4)], mean)
    report = json.loads(told("inspect", "--json"))
    assert report["samples"] == 40 and [field["shape"] for field in report["fields"]] == [[5, 4], []]
    assert report["files"] == [str(tmp_path / "table.csv")]
    sample = json.loads(told("inspect", "--json", "--sample", "7"))
    image = next(field for field in sample["fields"] if field["name"] == "image")
    np.testing.assert_array_equal(image["raw"][0]["values"], pictures[7])
    np.testing.assert_allclose(image["values"], (pictures[7] - mean) / std, atol=1e-4)
    assert "40" in told("plan", "--nodes", "2")
    figures = tmp_path / "figures.json"
    told("bench", "--repeats", "1", "--round", "1MB", "--json", str(figures))
    figures = json.loads(figures.read_text())
    assert figures["measured"]["load_gbps"] > 0 and figures["limits"]["read_gbps"] is None and figures["audit"]["exactly_once"]


DECODERS = """
import os, signal, sys, time
import numpy as np

def plain(file):
    return np.frombuffer(file.read(), "u1")

def with_record(file, record):
    return np.array([float(record["target"]), file.read()[0]])

def text(file):
    return int(file.read().split("_")[1])
text.binary = False

def failing(file, record):
    if record["id"] == "id3":
        raise ValueError("no such thing")
    return np.zeros(2)

def dying(file, record):
    if record["id"] == "id3":
        os.kill(os.getpid(), signal.SIGSEGV)
    return np.zeros(2)

def dying_before_its_child(file, record):
    # It holds all that was open here, the way to the service too.
    if record["id"] == "id3":
        starter = os.getppid()
        if os.fork() == 0:
            while os.getppid() != 1 and os.path.exists(f"/proc/{starter}"):
                time.sleep(0.1)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGSEGV)
    return np.zeros(2)

def reading(file, record):
    return np.frombuffer(sys.stdin.buffer.read(10) + b"nothing", "u1")

def ragged(file):
    return [[1], [1, 2]]

class Encoder:
    def fit(self, inventory):
        self.largest = max(record["target"] for record in inventory.to_dict("records")) if hasattr(inventory, "to_dict") \\
            else max(record["target"] for record in inventory)
    def transform(self, record):
        return np.array([record["target"] / self.largest])
    def finalize_batch(self, arrays):
        return [array * 10 for array in arrays]

class Batches:
    def transform_batch(self, records):
        return np.stack([np.fromfile(record["@path"], "u1")[:2] for record in records])
"""


def test_decoders_in_python(tmp_path):
    (tmp_path / "my_decoders.py").write_text(DECODERS)
    for i in range(1, 9):
        (tmp_path / f"id{i}.txt").write_text(f"data_{i}")
    table(tmp_path / "table.csv", [(f"id{i}", i) for i in range(1, 9)])
    where = inventory(tmp_path, "{id}.txt", python=str(Path(__import__("sys").executable)))

    def made(name, stagers=None):
        return deliver(tmp_path, [], {"x": {"decoder": f"python:my_decoders:{name}"}}, stagers, inventory=where)[0]["x"]

    numbers = np.arange(1, 9)
    assert [bytes(row) for row in made("plain", 2)] == [f"data_{i}".encode() for i in numbers]
    assert (made("with_record") == np.stack([numbers, np.full(8, ord("d"))], 1)).all()
    assert (made("text") == numbers).all()
    np.testing.assert_allclose(made("Encoder")[:, 0], numbers / 8 * 10)
    assert (made("Batches") == np.frombuffer(b"da", "u1")).all()

    def refused(name):
        return refusal(tmp_path, [], {"x": {"decoder": f"python:my_decoders:{name}"}}, inventory=where)

    text = refused("failing")
    assert "ValueError: no such thing (my_decoders.py:" in text and "id 'id3'" in text and "id3.txt" in text
    for name in "dying", "dying_before_its_child":
        text = refused(name)
        assert "was ended by signal 11" in text and "id 'id3'" in text
    assert {bytes(row) for row in made("reading")} == {b"nothing"}
    assert "no array of numbers" in refused("ragged")
    assert "has no attribute 'absent'" in refused("absent")


ODD_DECODERS = """
import numpy as np

def with_default(file, scale=2.0):
    return np.full(1, scale)

def with_named(file, record=None):
    return np.full(1, record["weight"])
"""


def test_decoders_of_others_and_what_json_has_no_numbers_for(tmp_path):
    (tmp_path / "odd_decoders.py").write_text(ODD_DECODERS)
    for i in range(1, 5):
        np.save(tmp_path / f"id{i}.npy", np.full(2, i))
    (tmp_path / "table.csv").write_text("id,weight\nid1,1.5\nid2,inf\nid3,nan\nid4,-inf\n")
    where = inventory(tmp_path, "{id}.npy", python=str(Path(__import__("sys").executable)))

    def made(name):
        return deliver(tmp_path, [], {"x": {"decoder": f"python:{name}"}}, inventory=where)[0]["x"]

    assert (made("numpy:load") == np.repeat([1, 2, 3, 4], 2).reshape(4, 2)).all()
    assert (made("odd_decoders:with_default") == 2).all()
    np.testing.assert_array_equal(made("odd_decoders:with_named")[:, 0], [1.5, np.inf, np.nan, -np.inf])


def test_urls_that_fail_for_a_while(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADRACE_WAIT_RETRY", "0.05")
    large = np.arange(400_000, dtype="f8")
    arrays = {"a": large, "b": large + 1, "c": large + 2, "d": large + 3, "e": large + 4, "f": large + 5,
              "g": large + 6}
    paths = ["a.npy", "busy/b.npy", "cut/c.npy", "changed/d.npy", "moved/e.npy", "slow/f.npy", "pieces/g.npy"]
    with serving({f"{name}.npy": npy(array) for name, array in arrays.items()}) as server:
        sums = [hashlib.sha256(npy(array)).hexdigest() for array in arrays.values()]
        table(tmp_path / "table.csv", [(i, path, sums[i]) for i, path in enumerate(paths)], ("id", "path", "sha256"))
        got, _, _ = deliver(tmp_path, [], {"x": {"decoder": "npy"}}, inventory=inventory(tmp_path, server.url + "/{path}"),
                            fetch={"checksum": "sha256", "headers": ["X-Secret: abc"], "timeout": "4s"})
        np.testing.assert_array_equal(got["x"], np.stack(list(arrays.values())))
        assert len(server.asked["busy/b.npy"]) == 3
        first, second = server.asked["cut/c.npy"]
        assert "Range" not in first and second["If-Range"] == '"one"' and second["Range"].startswith("bytes=1600")
        assert len(server.asked["pieces/g.npy"]) == 3
        assert all(headers["X-Secret"] == "abc" for asked in server.asked.values() for headers in asked)


@pytest.mark.parametrize("path, why", [
    ("gone.npy", "the server answers 404"),
    ("always_busy/a.npy", "the server answers 503; tried 3 times"),
    ("circle/a.npy", "redirected more than 10 times"),
    ("elsewhere/a.npy", "neither http nor https"),
    ("garbage/a.npy", "the server's answer is no HTTP"),
    ("silent/a.npy", "nothing came for 1000 ms; tried 3 times"),
    ("part/a.npy", "another part of it than was asked for; tried 3 times"),
])
def test_urls_that_fail_for_good(tmp_path, monkeypatch, path, why):
    monkeypatch.setenv("HEADRACE_WAIT_RETRY", "0.05")
    with serving({"a.npy": npy(np.zeros(3))}) as server:
        table(tmp_path / "table.csv", [("good", "a.npy"), ("bad", path)], ("id", "path"))
        text = refusal(tmp_path, [], {"x": {"decoder": "npy"}},
                       inventory=inventory(tmp_path, server.url.replace("//", "//user:pass@") + "/{path}"),
                       fetch={"retries": 2, "timeout": "1s" if "silent" in path else "20s", "headers": ["Authorization: secret"]})
        assert why in text and "id 'bad'" in text and "secret" not in text and "pass@" not in text
        if "404" in why:
            assert len(server.asked[path]) == 1


def test_secrets_are_for_the_server_of_the_url_alone(tmp_path):
    """Not for another port of the same host, where a URL may lead; still for another path of the server."""
    table(tmp_path / "table.csv", [("home", "home/a.npy"), ("away", "away/b.npy")], ("id", "path"))
    with serving({"a.npy": npy(np.zeros(3))}) as server, serving({"b.npy": npy(np.ones(3))}) as other:
        server.other = other.url
        got, _, _ = deliver(tmp_path, [], {"x": {"decoder": "npy"}}, fetch={"headers": ["X-Secret: abc"]},
                            inventory=inventory(tmp_path, server.url.replace("//", "//user:pass@") + "/{path}"))
        assert got["x"][:, 0].tolist() == [0, 1]
        for path in ("home/a.npy", "a.npy", "away/b.npy"):
            assert all({"X-Secret", "Authorization"} <= headers.keys() for headers in server.asked[path]), path
        assert other.asked["b.npy"]
        assert not any({"X-Secret", "Authorization"} & headers.keys() for headers in other.asked["b.npy"])


def test_many_threads_have_the_connections_of_the_stager_together(tmp_path):
    table(tmp_path / "table.csv", [(i, i) for i in range(130)])
    with serving({f"{i}.npy": npy(np.full(2, i)) for i in range(130)}) as server:
        got, _, _ = deliver(tmp_path, [], {"x": {"source": "@file"}}, threads=4, fetch={"connections": 1},
                            inventory=inventory(tmp_path, server.url + "/tardy/{id}.npy"))
        assert got["x"][:, 0].tolist() == list(range(130)) and server.most_busy == 1


def test_a_server_without_any_of_the_samples_is_told_soon(tmp_path):
    """Though samples may be missing."""
    table(tmp_path / "table.csv", [(i, i) for i in range(100)])
    with serving({}) as server:
        text = refusal(tmp_path, [], {"x": {"source": "@file"}},
                       inventory=inventory(tmp_path, server.url + "/{id}.npy", missing="skip"))
        assert "none of the first 16 samples can be read" in text and "15.npy (the server answers 404" in text
        assert len(server.asked) == 16


def test_a_wrong_checksum(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    table(tmp_path / "table.csv", [("a", "00ff")], ("id", "md5"))
    with serving({"a.npy": npy(np.zeros(3))}) as server:
        assert "and the table says 00ff" in refusal(tmp_path, [], {"x": {"source": "@file"}}, fetch={"checksum": "md5"},
                                                    inventory=inventory(tmp_path, server.url + "/{id}.npy"))


@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_as_files(tmp_path):
    pixels, labels = fashion(2000)
    for i, image in enumerate(pixels):
        np.save(tmp_path / f"{i}.npy", image)
    table(tmp_path / "table.csv", enumerate(labels.tolist()))
    got, _, _ = deliver(tmp_path, [], {"image": {"source": "@file"}, "label": {"source": "@csv.target", "encode": "one-hot"}}, 2,
                        batch=64, inventory=inventory(tmp_path, "{id}.npy"))
    np.testing.assert_array_equal(got["image"], pixels)
    np.testing.assert_array_equal(got["label"].argmax(1), labels)


def test_a_decoder_in_c(tmp_path):
    (tmp_path / "decoder.c").write_text(C_DECODER)
    include = Path(__file__).resolve().parents[2] / "include"
    subprocess.run(["cc", "-shared", "-fPIC", f"-I{include}", "-o", tmp_path / "lib.so", tmp_path / "decoder.c"], check=True)
    table(tmp_path / "table.csv", [("a", 1), ("b", 2)])
    (tmp_path / "a.bin").write_bytes(b"abcd")
    (tmp_path / "b.bin").write_bytes(b"bcde")
    where = inventory(tmp_path, "{id}.bin")
    got, _, _ = deliver(tmp_path, [], {"x": {"decoder": "plugin:lib.so:three"}}, 2, inventory=where)
    assert got["x"].tobytes() == b"abcbcd"
    assert "cannot be used: not three" in refusal(tmp_path, [], {"x": {"decoder": "plugin:lib.so:two"}}, inventory=where)
    (tmp_path / "b.bin").write_bytes(b"b")
    text = refusal(tmp_path, [], {"x": {"decoder": "plugin:lib.so:three"}}, inventory=where)
    assert "too short" in text and "id 'b'" in text
    (tmp_path / "lib.so").chmod(0o777)
    assert "cannot be used" in refusal(tmp_path, [], {"x": {"decoder": "plugin:lib.so:three"}}, inventory=where)
