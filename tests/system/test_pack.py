"""headrace pack: the samples of an inventory in one file, in the order of its table, however many stagers wrote it."""

import csv
import hashlib
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from fault_server import serving
from field_files import configuration, deliver
from inventories import C_DECODER, FASHION, fashion, images, inventory, npy, table
from premixing import call, leftovers

IMAGE = {"image": {"source": "@file"}}


def pack(folder, output, fields, *flags, stagers=None, name="pack.toml", **keys):
    config = configuration(folder / name, fields, **keys)
    return call("pack", "-c", config, "-o", output, *flags, stagers=stagers)


def packed(folder, output, fields, *flags, **keys):
    """The file, after a call that went well."""
    done = pack(folder, output, fields, *flags, **keys)
    assert done.returncode == 0, done.stderr
    assert set(leftovers(output)) <= {f"{output.name}.failed.csv"}
    return output


def refused(*arguments, code=2, **keys):
    done = pack(*arguments, **keys)
    assert done.returncode == code, (done.returncode, done.stderr)
    return done.stderr


def listed(output):
    """The samples that a packed file lacks: their lines, by id."""
    with Path(f"{output}.failed.csv").open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_rows_are_lines_of_the_table_whoever_writes(tmp_path):
    pictures, kinds = images(300, "f4"), ["owl", "cat", "dog"]
    order = np.random.default_rng(5).permutation(300)
    table(tmp_path / "table.csv", [(f"{i:03}", kinds[i % 3], i / 4) for i in order], ("id", "kind", "energy"))
    for i in range(300):
        np.save(tmp_path / f"{i:03}.npy", pictures[i])
    fields = {"image": {"source": "@file", "scale": 2, "dtype": "float16"}, "label": {"source": "@csv.kind", "encode": "one-hot"},
              "energy": {"source": "@csv.energy"}}
    keys = {"inventory": inventory(tmp_path, "{id}.npy")}
    alone = packed(tmp_path, tmp_path / "1.h5", fields, "--verify", **keys)
    with h5py.File(alone) as file:
        assert file["image"].dtype == np.float16
        np.testing.assert_array_equal(file["image"][:], (pictures[order] / 2).astype("f2"))
        assert list(file["label"].attrs["classes"]) == ["cat", "dog", "owl"]
        np.testing.assert_array_equal(file["label"][:].argmax(1), [["cat", "dog", "owl"].index(kinds[i % 3]) for i in order])
        np.testing.assert_array_equal(file["energy"][:], order / 4)
        assert list(file["id"].asstr()[:]) == [f"{i:03}" for i in order]
        assert file.attrs["complete"] == 1 and file.attrs["left_out"] == 0
    for stagers in (2, 4):
        again = packed(tmp_path, tmp_path / f"{stagers}.h5", fields, "--split-nodes", stagers=stagers, **keys)
        assert again.read_bytes() == alone.read_bytes()
    got, numbers, _ = deliver(tmp_path, [alone], {"image": {}, "label": {}}, 2)
    assert (numbers == np.arange(300)).all()
    np.testing.assert_array_equal(got["image"], (pictures[order] / 2).astype("f2"))


DECODERS = """
import numpy as np

def tail(file, record):
    return np.fromfile(record["@path"], "u1")[-8:]

class Batches:
    def fit(self, inventory):
        self.offset = len(inventory)
    def transform_batch(self, records):
        return [np.fromfile(record["@path"], ">f4").reshape(5, 4) for record in records]
    def finalize_batch(self, arrays):
        return [array + self.offset for array in arrays]

def transform(file, record):
    return np.frombuffer(file.read(), ">f4").reshape(5, 4) * int(record["target"])
"""


@pytest.mark.parametrize("stagers", [None, 2])
def test_every_decoder(tmp_path, stagers):
    pictures = images(30, "f4")
    (tmp_path / "my_decoders.py").write_text(DECODERS)
    (tmp_path / "decoder.c").write_text(C_DECODER)
    include = Path(__file__).resolve().parents[2] / "include"
    subprocess.run(["cc", "-shared", "-fPIC", f"-I{include}", "-o", tmp_path / "lib.so", tmp_path / "decoder.c"], check=True)
    table(tmp_path / "table.csv", [(i, i % 7) for i in range(30)])
    for i in range(30):
        np.savez(tmp_path / f"{i}.npz", image=pictures[i], mask=pictures[i] > 100)
        np.savetxt(tmp_path / f"{i}.txt", pictures[i])
        pictures[i].astype(">f4").tofile(tmp_path / f"{i}.raw")
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            file.create_dataset("climate/data", data=pictures[i], compression="gzip")
    targets = (np.arange(30) % 7).astype("f4")
    for path, decoders in [
        ("{id}.npz", {"npz:image": pictures, "npz:mask": pictures > 100}),
        ("{id}.txt", {"text": pictures.astype("f8")}),
        ("{id}.h5", {"hdf5:climate/data": pictures}),
        ("{id}.raw", {"raw:float32:5,4:big": pictures, "python:my_decoders:Batches": pictures + 30,
                      "python:my_decoders:transform": pictures * targets[:, None, None],
                      "plugin:lib.so:three": np.stack([np.frombuffer(p.astype(">f4").tobytes(), "u1")[:3] for p in pictures])}),
    ]:
        fields = {f"field{k}": {"decoder": decoder} for k, decoder in enumerate(decoders)}
        output = packed(tmp_path, tmp_path / f"{path[5:]}.packed", fields, stagers=stagers,
                        inventory=inventory(tmp_path, path, python=sys.executable))
        with h5py.File(output) as file:
            for k, (decoder, expected) in enumerate(decoders.items()):
                assert file[f"field{k}"].dtype == expected.dtype, decoder
                np.testing.assert_array_equal(file[f"field{k}"][:], expected, decoder)


def test_urls_and_what_is_not_to_be_had(tmp_path, monkeypatch):
    """What fails for a while comes; what fails for good is listed, and the list is the next inventory."""
    monkeypatch.setenv("HEADRACE_WAIT_RETRY", "0.05")
    arrays = {f"{i:02}": np.full((3, 2), i, "i4") for i in range(40)}
    arrays["03"] = np.arange(400_000)  # another shape
    kinds = {"05": "busy/", "07": "cut/", "09": "changed/", "11": "moved/", "13": "circle/", "17": "elsewhere/", "19": "always_busy/"}
    contents = {f"{name}.npy": npy(array) for name, array in arrays.items()}
    del contents["23.npy"], contents["39.npy"]
    bad = ["03", "13", "17", "19", "23", "39"]
    good = [name for name in arrays if name not in bad]
    table(tmp_path / "table.csv", [(name, kinds.get(name, "") + name, int(name) % 3) for name in arrays], ("id", "path", "target"))
    fields = {**IMAGE, "label": {"source": "@csv.target"}}
    with serving(contents) as server:
        where = inventory(tmp_path, server.url.replace("//", "//user:pass@") + "/{path}.npy", missing="skip")
        keys = {"inventory": where, "fetch": {"retries": 2, "headers": ["Authorization: secret"]}}
        files = [packed(tmp_path, tmp_path / f"{stagers}.h5", fields, "--verify", stagers=stagers, **keys) for stagers in (None, 2, 4)]
        assert files[0].read_bytes() == files[1].read_bytes() == files[2].read_bytes()
        with h5py.File(files[0]) as file:
            assert list(file["id"].asstr()[:]) == good
            np.testing.assert_array_equal(file["image"][:], np.stack([arrays[name] for name in good]))
            np.testing.assert_array_equal(file["label"][:], [int(name) % 3 for name in good])
            assert file.attrs["left_out"] == len(bad) and file.attrs["complete"] == 1
        for path in tmp_path.iterdir():
            assert b"secret" not in path.read_bytes() and b"pass@" not in path.read_bytes() or path.suffix == ".toml", path
        for output in files:
            told = listed(output)
            assert list(told) == bad and list(told["23"]) == ["id", "path", "target", "why"] and told["23"]["path"] == "23"
            for name, why in {"03": "int64 (400000,)", "13": "redirected more than 10", "17": "neither http", "19": "answers 503",
                              "23": "answers 404"}.items():
                assert why in told[name]["why"], name
        server.contents |= {"23.npy": npy(arrays["23"]), "39.npy": npy(arrays["39"])}
        keys["inventory"]["csv"] = f"{files[0]}.failed.csv"
        rest = packed(tmp_path, tmp_path / "rest.h5", fields, stagers=2, **keys)
        with h5py.File(rest) as file:  # the form is that of the first one that can be had
            assert list(file["id"].asstr()[:]) == ["03"] and file["image"].shape == (1, 400_000)
        assert list(listed(rest)) == bad[1:]


def test_without_skip_the_first_that_is_not_to_be_had_ends_it(tmp_path):
    contents = {f"{i:04}.npy": npy(np.full((128, 128), i, "f4")) for i in range(640) if i != 600}
    table(tmp_path / "table.csv", [(f"{i:04}", i) for i in range(640)])
    output = tmp_path / "out.h5"
    with serving(contents) as server:
        keys = {"inventory": inventory(tmp_path, server.url + "/{id}.npy")}
        text = refused(tmp_path, output, IMAGE, code=1, stagers=2, **keys)
        assert "answers 404" in text and "id '0600'" in text
        assert not output.exists()
        if not Path(f"{output}.part.json").exists():  # nothing had been written
            assert leftovers(output) == [] and "--resume" not in text
            return
        assert "go on with --resume" in text
        server.contents["0600.npy"] = npy(np.full((128, 128), 600, "f4"))
        asked = sum(map(len, server.asked.values()))
        packed(tmp_path, output, IMAGE, "--resume", **keys)
        assert sum(map(len, server.asked.values())) - asked < 640
        with h5py.File(output) as file:
            np.testing.assert_array_equal(file["image"][:, 0, 0], np.arange(640))
            assert (file["image"][:] == np.arange(640)[:, None, None]).all()


def test_mistakes(tmp_path):
    for i in range(4):
        np.save(tmp_path / f"{i}.npy", np.zeros(3))
    output = tmp_path / "out.h5"
    keys = {"inventory": inventory(tmp_path, "{id}.npy")}
    table(tmp_path / "table.csv", [(i, i) for i in range(6)])
    text = refused(tmp_path, output, IMAGE, code=1, **keys)
    assert "2 of 6 samples" in text and "4.npy (No such file" in text and "5.npy (No such file" in text
    table(tmp_path / "table.csv", [(0, 1), (1, 2), (0, 3)])
    assert "id '0' stands in lines 2 and 4" in refused(tmp_path, output, IMAGE, code=1, **keys)
    table(tmp_path / "table.csv", [(i, i) for i in range(4)])
    text = refused(tmp_path, output, {"y": {"source": "@csv.energy"}}, **keys)
    assert "no column 'energy'" in text and "id" in text and "target" in text
    assert "no column 'name'" in refused(tmp_path, output, IMAGE, code=1, inventory=inventory(tmp_path, "{name}.npy"))
    assert "drop where" in refused(tmp_path, output, IMAGE, where="@csv.target > 2", **keys)
    assert "[field.id] 'id' is what" in refused(tmp_path, output, {"id": {"source": "@csv.id"}, **IMAGE}, code=2, **keys)
    assert "pack takes an inventory" in refused(tmp_path, output, {}, files=[str(tmp_path / "0.npy")])
    np.save(tmp_path / "2.npy", np.zeros(4))
    text = refused(tmp_path, output, IMAGE, code=1, stagers=2, **keys)
    assert "2.npy (it holds float64 (4,), and the first sample's file float64 (3,)" in text
    assert leftovers(output) == [] and not output.exists()
    np.save(tmp_path / "2.npy", np.full(3, 1e6))
    text = refused(tmp_path, output, {"image": {"source": "@file", "dtype": "float16"}}, code=1, **keys)
    assert "1e+06" in text or "1000000" in text
    np.save(tmp_path / "2.npy", np.zeros(3))
    packed(tmp_path, output, IMAGE, **keys)
    assert "exists (it would be lost)" in refused(tmp_path, output, IMAGE, **keys)
    assert "is complete (there is nothing to resume)" in refused(tmp_path, output, IMAGE, "--resume", **keys)
    assert "there is nothing to resume" in refused(tmp_path, tmp_path / "other.h5", IMAGE, "--resume", code=1, **keys)
    assert "name a file in it" in refused(tmp_path, tmp_path, IMAGE, **keys)


def test_columns_of_structured_arrays(tmp_path):
    rows = np.zeros((3, 4), [("a", "f4"), ("b", "i4"), ("c.d", "f8")])
    rows["a"], rows["b"], rows["c.d"] = np.arange(12).reshape(3, 4), np.arange(12).reshape(3, 4) * 10, 0.5
    for i in range(3):
        np.save(tmp_path / f"{i}.npy", rows[i])
    table(tmp_path / "table.csv", [(i, i) for i in range(3)])
    fields = {"one": {"source": "@file.b"}, "two": {"source": "@file[b, a]"}, "odd": {"source": "@file.`c.d`", "scale": 2}}
    with h5py.File(packed(tmp_path, tmp_path / "out.h5", fields, inventory=inventory(tmp_path, "{id}.npy"))) as file:
        assert np.array_equal(file["one"], rows["b"]) and np.all(file["odd"][:] == 0.25)
        assert np.array_equal(file["two"], np.stack([rows["b"], rows["a"]], 2))


def test_a_column_of_the_table_called_why_stays_its_own(tmp_path):
    for i in (1, 2):
        np.save(tmp_path / f"{i}.npy", np.zeros(3))
    table(tmp_path / "table.csv", [(i, f"reason {i}") for i in range(4)], ("id", "why"))
    fields = {**IMAGE, "reason": {"source": "@csv.why", "encode": "index"}}
    for source in ("table.csv", "out0.h5.failed.csv"):
        output = tmp_path / f"out{len(list(tmp_path.glob('out*.h5')))}.h5"
        where = {**inventory(tmp_path, "{id}.npy", missing="skip"), "csv": str(tmp_path / source)}
        packed(tmp_path, output, fields, inventory=where)
        told = listed(output)
        assert all(list(line) == ["id", "why", "why_left_out"] and line["why"] == f"reason {name}" for name, line in told.items())
        assert all("No such file" in line["why_left_out"] for line in told.values())
        np.save(tmp_path / "0.npy", np.zeros(3))
    with h5py.File(output) as file:
        assert list(file["reason"].attrs["classes"]) == ["reason 0"] and list(told) == ["3"]


def test_one_cell_that_is_no_number_makes_no_codes_of_a_column_in_silence(tmp_path):
    keys = {"inventory": {"csv": str(tmp_path / "table.csv")}}
    (tmp_path / "table.csv").write_text("id,mass,speed\n" + "".join(f"{i},{'n/a' if i == 7 else i}, +{i}.5 \n" for i in range(20)))
    output = tmp_path / "out.h5"
    for key in ({"scale": 10}, {"shift": 1}, {"norm": "tanh-log"}, {"log": ["mass"]}, {"dtype": "float32"}):
        text = refused(tmp_path, output, {"m": {"source": "@csv.mass", **key}}, **keys)
        assert "[field.m]" in text and "line 9 of" in text and "holds 'n/a'" in text, text
    assert "ids, which are texts" in refused(tmp_path, output, {"m": {"source": "@csv.id", "dtype": "float32"}}, **keys)
    fields = {"mass": {"source": "@csv.mass"}, "kind": {"source": "@csv.mass", "encode": "index"}, "speed": {"source": "@csv.speed"}}
    done = pack(tmp_path, output, fields, **keys)
    assert done.returncode == 0 and done.stderr.count("is taken as texts") == 1, done.stderr
    assert "[field.mass] column 'mass'" in done.stderr and "19 of its 20 values are numbers" in done.stderr
    with h5py.File(output) as file:
        assert np.array_equal(file["speed"], np.arange(20) + 0.5)


def test_files_that_are_missing_are_left_out_and_listed(tmp_path):
    (tmp_path / "data").mkdir()
    for i in set(range(12)) - {0, 5}:
        np.save(tmp_path / f"data/{i}.npy", np.full(2, i))
    table(tmp_path / "table.csv", [(i, f"a, {i}") for i in range(12)], ("id", "note"))
    keys = {"inventory": inventory(tmp_path, "data/{id}.npy", missing="skip")}
    output = packed(tmp_path, tmp_path / "out.h5", IMAGE, stagers=2, **keys)
    with h5py.File(output) as file:
        assert file["image"][:, 0].tolist() == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11] and file.attrs["left_out"] == 2
    told = listed(output)
    assert list(told) == ["0", "5"] and told["5"]["note"] == "a, 5" and "No such file" in told["5"]["why"]


def test_a_decoder_that_hangs_costs_its_sample(tmp_path):
    (tmp_path / "hanging.py").write_text(
        "import time\nimport numpy as np\n\ndef decode(file, record):\n    while record['id'] == 'id3':\n"
        "        time.sleep(1)\n    return np.full(1, int(record['id'][2:]))\n")
    for i in range(1, 8):
        (tmp_path / f"id{i}").write_text("-")
    table(tmp_path / "table.csv", [(f"id{i}", i) for i in range(1, 8)])
    fields = {"x": {"source": "@file", "decoder": "python:hanging:decode"}}
    keys = {"inventory": inventory(tmp_path, "{id}", python=sys.executable, missing="skip", **{"decoder-timeout": "8s"})}
    output = packed(tmp_path, tmp_path / "out.h5", fields, **keys)
    with h5py.File(output) as file:
        assert file["x"][:, 0].tolist() == [1, 2, 4, 5, 6, 7] and file.attrs["left_out"] == 1
    told = listed(output)
    assert list(told) == ["id3"] and "has said nothing for 8 s" in told["id3"]["why"] and "decoder-timeout" in told["id3"]["why"]


def test_a_label_that_cannot_be_read_makes_no_class(tmp_path):
    for i, text in enumerate(["1", "2", "x", "3", "4", "5"]):
        (tmp_path / f"{i}.txt").write_text(text)
    table(tmp_path / "table.csv", [(i, i) for i in range(6)])
    fields = {"label": {"source": "@file", "decoder": "text", "encode": "one-hot"}}
    for stagers in (None, 2):
        output = packed(tmp_path, tmp_path / f"{stagers}.h5", fields, stagers=stagers,
                        inventory=inventory(tmp_path, "{id}.txt", missing="skip"))
        with h5py.File(output) as file:
            assert list(file["label"].attrs["classes"]) == ["1", "2", "3", "4", "5"]
            assert file["label"][:].argmax(1).tolist() == [0, 1, 2, 3, 4]
        assert list(listed(output)) == ["2"]


@pytest.mark.parametrize("decoder", ["hdf5:x", "python:my_decoders:tail"])
def test_files_beside_the_table_are_held_to_its_checksums(tmp_path, decoder):
    (tmp_path / "my_decoders.py").write_text(DECODERS)
    sums = []
    for i in range(5):
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            file["x"] = np.full(3, i)
        sums.append(hashlib.sha256((tmp_path / f"{i}.h5").read_bytes()).hexdigest())
    sums[0] = sums[3] = "0" * 64
    table(tmp_path / "table.csv", list(enumerate(sums)), ("id", "sha256"))
    fields, fetch = {"x": {"source": "@file", "decoder": decoder}}, {"checksum": "sha256"}
    keys = inventory(tmp_path, "{id}.h5", python=sys.executable)
    text = refused(tmp_path, tmp_path / "out.h5", fields, code=1, inventory=keys, fetch=fetch)
    assert "0.h5 (its sha256 is " in text and "the table says 0000" in text
    output = packed(tmp_path, tmp_path / "out.h5", fields, stagers=2, inventory=keys | {"missing": "skip"}, fetch=fetch)
    told = listed(output)
    assert list(told) == ["0", "3"] and all("its sha256 is " in line["why"] for line in told.values())
    with h5py.File(output) as file:
        assert list(file["id"].asstr()[:]) == ["1", "2", "4"] and len(file["x"]) == 3


def test_the_list_of_what_is_left_out_spares_what_is_read_and_goes_when_nothing_is(tmp_path):
    output, listing = tmp_path / "out.h5", tmp_path / "out.h5.failed.csv"
    for i in range(3):
        np.save(tmp_path / f"{i}.npy", np.full(2, i))
    table(tmp_path / "table.csv", [(i, i) for i in range(4)])
    keys = {"inventory": inventory(tmp_path, "{id}.npy", missing="skip")}
    packed(tmp_path, output, IMAGE, **keys)
    before = listing.read_bytes(), output.read_bytes()
    np.save(tmp_path / "3.npy", np.full(2, 3))
    text = refused(tmp_path, output, IMAGE, "--force", "--inventory.csv", listing, stagers=2, **keys)
    assert "out.h5.failed.csv' is the table that is read" in text and "name another" in text
    assert (listing.read_bytes(), output.read_bytes()) == before
    assert "'" + str(tmp_path / "1.npy") + "' is one of the files that are read" in refused(
        tmp_path, tmp_path / "1.npy", IMAGE, "--force", **keys)
    packed(tmp_path, output, IMAGE, "--force", **keys)
    assert not listing.exists()
    listing.write_text("id,note\n1,mine\n")
    packed(tmp_path, output, IMAGE, "--force", **keys)
    assert listing.read_text() == "id,note\n1,mine\n"
    listing.unlink()
    listing.mkdir()
    assert "out.h5.failed.csv' is no regular file" in refused(tmp_path, output, IMAGE, "--force", **keys)


def test_a_changed_byte_is_found(tmp_path):
    for i in range(50):
        np.save(tmp_path / f"{i}.npy", images(1)[0] + i)
    table(tmp_path / "table.csv", [(i, i) for i in range(50)])
    keys = {"inventory": inventory(tmp_path, "{id}.npy")}
    output = packed(tmp_path, tmp_path / "out.h5", IMAGE, **keys)
    assert "all checksums match" in pack(tmp_path, output, IMAGE, "--verify", stagers=2, **keys).stderr
    with h5py.File(output, "r+") as file:
        file["image"][7, 0, 0] += 1
    assert "rows 0 to 49 are not what was written" in refused(tmp_path, output, IMAGE, "--verify", code=1, **keys)
    with h5py.File(output, "r+") as file:
        file["image"][7, 0, 0] -= 1
        file["id"][3] = "4"
    assert "id is not what was written" in refused(tmp_path, output, IMAGE, "--verify", code=1, stagers=2, **keys)


@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
@pytest.mark.parametrize("decoder", ["npy", "raw:uint8:28,28"])
def test_ten_thousand_pictures(tmp_path, decoder):
    pixels, labels = fashion(10_000)
    for i, picture in enumerate(pixels):
        if decoder == "npy":
            np.save(tmp_path / f"{i}.npy", picture)
        else:
            picture.tofile(tmp_path / f"{i}.npy")
    table(tmp_path / "table.csv", enumerate(labels.tolist()))
    fields = {"image": {"decoder": decoder}, "label": {"source": "@csv.target", "encode": "one-hot"}}
    output = packed(tmp_path, tmp_path / "out.h5", fields, "--verify", stagers=2, inventory=inventory(tmp_path, "{id}.npy"))
    with h5py.File(output) as file:
        np.testing.assert_array_equal(file["image"][:], pixels)
        np.testing.assert_array_equal(file["label"][:].argmax(1), labels)
        assert list(file["id"].asstr()[:]) == [str(i) for i in range(10_000)]
