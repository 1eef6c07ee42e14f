"""Layouts of premixed files, against the readers of others and the tables of their documents."""

import json
import re
import sys
import types

import h5py
import numpy as np
import pytest
from order import epoch_order
from premixing import call, made, premix

JETS, TRACKS = 300, 5
CONFIG = """
files = ["in.h5"]
seed = 11
[field.jets]
source = "jets[pt, eta]"
dtype = "float32"
[field.tracks]
source = "tracks[d0, z0]"
mask = "tracks_valid"
valid = "tracks.valid"
dtype = "float16"
[field.tracks_origin]
source = "tracks.origin"
[field.flavour]
source = "jets.flavour"
encode = "one-hot"
classes = ["ujets:0", "cjets:4", "bjets:5"]
[field.mass]
source = "jets.mass"
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jets")
    rng = np.random.default_rng(3)
    jets = np.zeros(JETS, [("pt", "f4"), ("eta", "f4"), ("mass", "f4"), ("flavour", "i4")])
    jets["pt"] = rng.exponential(5e4, JETS)
    jets["eta"] = rng.uniform(-2.5, 2.5, JETS)
    jets["mass"] = np.where(rng.random(JETS) < 0.1, np.nan, rng.random(JETS))
    jets["flavour"] = rng.choice([0, 4, 5], JETS, p=[0.6, 0.3, 0.1])
    tracks = np.zeros((JETS, TRACKS), [("d0", "f4"), ("z0", "f4"), ("origin", "i4"), ("valid", "?")])
    tracks["d0"], tracks["z0"] = rng.normal(size=(2, JETS, TRACKS))
    tracks["origin"] = rng.integers(0, 8, (JETS, TRACKS))
    tracks["valid"] = rng.random((JETS, TRACKS)) < 0.7
    with h5py.File(folder / "in.h5", "w") as file:
        file["jets"], file["tracks"] = jets, tracks
    (folder / "c.toml").write_text(CONFIG)
    return folder, jets[epoch_order(JETS, 11)], tracks[epoch_order(JETS, 11)]


def write(data, path, layout, *flags, **how):
    return made(path, ["-c", data[0] / "c.toml"], f"--premix.layout={layout}", "--field.mass.nonfinite=keep", *flags, **how)


def test_umami(tmp_path, data):
    _, jets, tracks = data
    path = write(data, tmp_path / "u.h5", "umami", stagers=2)
    codes = np.searchsorted([0, 4, 5], jets["flavour"])
    valid = tracks["valid"]
    with h5py.File(path) as file:
        found = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
        assert sorted(found) == ["jets/add_labels/mass", "jets/inputs", "jets/labels", "jets/labels_one_hot", "jets/weight",
                                 "tracks/inputs", "tracks/labels/origin", "tracks/valid"]
        assert np.array_equal(file["jets/inputs"], np.stack([jets["pt"], jets["eta"]], 1))
        assert file["jets/labels"].dtype == np.uint8 and np.array_equal(file["jets/labels"], codes)
        assert file["jets/labels_one_hot"].dtype == np.uint8
        assert np.array_equal(file["jets/labels_one_hot"], np.eye(3, dtype="u1")[codes])
        assert file["jets/weight"].dtype == np.float32 and set(file["jets/weight"]) == {1}
        assert np.array_equal(file["jets/add_labels/mass"], np.nan_to_num(jets["mass"], nan=0.0))
        assert file["tracks/valid"].dtype == bool and np.array_equal(file["tracks/valid"], valid)
        assert file["tracks/inputs"].dtype == np.float16
        expected = np.where(valid[..., None], np.stack([tracks["d0"], tracks["z0"]], 2), 0).astype("f2")
        assert np.array_equal(file["tracks/inputs"], expected)
        assert file["tracks/labels/origin"].dtype == np.int8
        assert list(file["jets"].attrs["flavour_label"]) == ["ujets", "cjets", "bjets"]
        assert list(file["jets/labels"].attrs["label_classes"]) == ["ujets", "cjets", "bjets"]
        assert list(file["jets/inputs"].attrs["jet_variables"]) == ["pt", "eta"]
        assert list(file["tracks/inputs"].attrs["variables"]) == ["d0", "z0"]


def test_umami_without_jets_says_what_is_missing(tmp_path, data):
    done = premix(tmp_path / "u.h5", [data[0] / "in.h5"], "--premix.layout=umami", "--field.pt.source=jets.pt")
    assert done.returncode == 2 and '"jets/inputs" = "FIELD"' in done.stderr


def test_a_label_that_does_not_fit_is_an_error(tmp_path, data):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.zeros((4, 2))
        file["tracks"] = np.zeros((4, 3, 2))
        file["origin"] = np.full((4, 3), 1000)
    done = premix(tmp_path / "u.h5", [tmp_path / "in.h5"], "--premix.layout=umami", "--field.jets.source=x",
                  "--field.tracks.source=tracks", "--field.tracks_origin.source=origin")
    assert done.returncode == 1 and "1000 does not fit int8" in done.stderr and "tracks/labels/origin" in done.stderr
    assert not list(tmp_path.glob("u.h5*"))


LABELLED = """[field.jets]
source = "x"
[field.flavour]
source = "flavour"
encode = "one-hot"
classes = ["b:5", "c:4"]
"""


@pytest.mark.parametrize("layout", ["umami", "ftag"])
def test_a_jet_without_a_label_is_never_of_the_first_class(tmp_path, layout):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["pt"] = np.zeros((4, 2), "f4"), np.zeros(4, "f4")
        file["flavour"], file["ok"] = np.array([5, 4, 5, 4]), np.array([True, True, False, True])
    (tmp_path / "c.toml").write_text('files = ["in.h5"]\n' + LABELLED + 'valid = "ok"\n')
    done = premix(tmp_path / "u.h5", ["-c", tmp_path / "c.toml"], f"--premix.layout={layout}")
    assert done.returncode == 1 and "field flavour holds no label" in done.stderr and "where" in done.stderr, done.stderr
    assert not list(tmp_path.glob("u.h5*"))
    with h5py.File(made(tmp_path / "w.h5", ["-c", tmp_path / "c.toml"], f"--premix.layout={layout}", "--where=ok == 1")) as file:
        labels = file["jets/labels"][:] if layout == "umami" else file["jets"]["flavour_label"]
        assert sorted(labels) == [0, 1, 1]


@pytest.mark.parametrize("layout", ["umami", "ftag"])
def test_the_only_class_is_the_first(tmp_path, layout):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["pt"], file["kind"] = np.zeros((4, 2), "f4"), np.zeros(4, "f4"), np.full(4, 7)
    flags = ["--field.jets.source=x", "--field.kind.source=kind", "--field.kind.encode=one-hot", f"--premix.layout={layout}"]
    with h5py.File(made(tmp_path / "o.h5", [tmp_path / "in.h5"], *flags)) as file:
        assert not (file["jets/labels"][:] if layout == "umami" else file["jets"]["flavour_label"]).any()


WEIGHTED = """
files = ["in.h5"]
class-column = "flavour"
class-names = ["b:5", "c:4"]
[resample]
bins = ["pt = 0:1:2"]
target = "b"
as = "weights"
""" + LABELLED + """[field.%s]
source = "@weight"
"""


@pytest.fixture
def weighed(tmp_path):
    """The folder of jets, of which those of class c weigh otherwise than 1."""
    rng = np.random.default_rng(7)
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["pt"] = np.zeros((200, 2), "f4"), rng.random(200) ** 2
        file["flavour"] = np.where(np.arange(200) % 4 == 0, 5, 4)
    return tmp_path


def test_weights_are_weights_whatever_their_field_is_called(weighed):
    found = []
    for name in ("weight", "weights"):
        (weighed / "c.toml").write_text(WEIGHTED % name)
        with h5py.File(made(weighed / f"{name}.h5", ["-c", weighed / "c.toml"], "--premix.layout=umami")) as file:
            assert "add_labels" not in file["jets"]
            found.append(file["jets/weight"][:])
    assert len(set(found[0])) > 1 and np.array_equal(*found)
    with (weighed / "c.toml").open("a") as text:
        text.write('[field.weight]\nsource = "pt"\n')
    done = premix(weighed / "two.h5", ["-c", weighed / "c.toml"], "--premix.layout=umami")
    assert done.returncode == 2 and "jets/weight" in done.stderr, done.stderr
    done = call("export", "-c", weighed / "c.toml", "-o", weighed / "two", "--names=umami")
    assert done.returncode == 2 and "both 'weights' and 'weight' would be Weights" in done.stderr, done.stderr


@pytest.fixture
def several_labels(tmp_path):
    """A file whose jets have three labels each, and the configuration of it."""
    kinds = np.random.default_rng(5).integers(0, 3, (50, 3)).astype("i4")
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["pt"], file["kinds"] = np.arange(50, dtype="f4"), kinds
        file["x"] = np.zeros((50, 2), "f4")
    (tmp_path / "c.toml").write_text("""
files = ["in.h5"]
seed = 11
[field.pt]
source = "pt"
[field.jets]
source = "x"
[field.kinds]
source = "kinds"
encode = "index"
classes = ["u:0", "c:1", "b:2"]
""")
    return tmp_path / "c.toml", kinds[epoch_order(50, 11)]


def test_several_labels_of_a_jet_are_no_class_of_it(tmp_path, several_labels):
    config, kinds = several_labels
    with h5py.File(made(tmp_path / "f.h5", ["-c", config], "--premix.layout=ftag")) as file:
        jets = file["jets"][:]
    assert set(jets.dtype.names) == {"pt", "jets_0", "jets_1", "kinds_0", "kinds_1", "kinds_2"}
    assert np.array_equal(np.stack([jets[f"kinds_{i}"] for i in range(3)], 1), kinds)
    assert np.array_equal(jets["pt"], epoch_order(50, 11))
    with h5py.File(made(tmp_path / "u.h5", ["-c", config], "--premix.layout=umami")) as file:
        assert "labels" not in file["jets"] and np.array_equal(file["jets/add_labels/kinds"], kinds)
    with config.open("a") as text:
        text.write('[premix.dataset]\n"jets/labels" = "kinds"\n')
    done = premix(tmp_path / "v.h5", ["-c", config], "--premix.layout=umami")
    assert done.returncode == 2 and "3 labels for each jet" in done.stderr and not list(tmp_path.glob("v.h5*"))


def test_more_classes_than_umami_has_labels_for(tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["kind"] = np.zeros((300, 2), "f4"), np.arange(300)
    for encode in ("index", "one-hot"):
        done = premix(tmp_path / "u.h5", [tmp_path / "in.h5"], "--premix.layout=umami", "--field.jets.source=x",
                      "--field.kind.source=kind", f"--field.kind.encode={encode}")
        assert done.returncode == 2 and "256 classes apart, and 'kind' has 300; join some" in done.stderr, done.stderr


def test_ftag_refuses_what_it_has_no_place_for(tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["pt"], file["image"] = np.zeros(4, "f4"), np.zeros((4, 3, 32, 32), "f4")
    flags = ["--premix.layout=ftag", "--field.pt.source=pt", "--field.image.source=image"]
    done = premix(tmp_path / "f.h5", [tmp_path / "in.h5"], *flags)
    assert done.returncode == 2 and "'image', which has 3 axes" in done.stderr and "shape" in done.stderr
    assert not list(tmp_path.glob("f.h5*"))


def test_what_salt_and_ftag_tools_read(tmp_path, data):
    _, jets, tracks = data
    path = write(data, tmp_path / "f.h5", "ftag", stagers=3)
    with h5py.File(path) as file:
        assert file["jets"].dtype.names == ("pt", "eta", "flavour_label", "mass")
        assert file["jets"]["flavour_label"].dtype == np.int32
        assert np.array_equal(file["jets"]["flavour_label"], np.searchsorted([0, 4, 5], jets["flavour"]))
        assert np.array_equal(file["jets"]["pt"], jets["pt"])
        assert file["tracks"].dtype.names == ("d0", "z0", "valid", "origin") and file["tracks"].shape == (JETS, TRACKS)
        assert np.array_equal(file["tracks"]["valid"], tracks["valid"])
        assert list(file["jets"].attrs["flavour_label"]) == ["ujets", "cjets", "bjets"]
        assert file.attrs["unique_jets"] == JETS
        assert sum(json.loads(file.attrs["jet_counts"]).values()) == JETS
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed (tools/bootstrap --readers)")
    norm = yaml.safe_load((tmp_path / "norm_dict.yaml").read_text())
    assert norm["jets"]["pt"]["mean"] == pytest.approx(jets["pt"].mean(dtype="f8"))
    assert norm["jets"]["pt"]["std"] == pytest.approx(jets["pt"].std(dtype="f8"))
    real = tracks["d0"][tracks["valid"]].astype("f2").astype("f8")
    assert norm["tracks"]["d0"]["mean"] == pytest.approx(real.mean(), abs=1e-6)
    weights = yaml.safe_load((tmp_path / "class_dict.yaml").read_text())["jets"]["flavour_label"]
    counts = np.array([(jets["flavour"] == flavour).sum() for flavour in (0, 4, 5)])
    assert weights == pytest.approx(counts.max() / counts)


def test_norms_are_right_far_from_zero_and_numbers_for_all_readers(tmp_path):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["time"] = 1.7e9 + np.random.default_rng(1).choice([0.0, 1.0], 500)
        file["far"] = np.full(500, 5e20)
        file["small"] = np.where(np.arange(500) % 2, 1e-5, -1e-5)
        file["huge"] = np.where(np.arange(500) % 2, 1e300, -1e300)  # whose squares no double holds
        file["flavour"] = np.arange(500, dtype="i4") % 2
    flags = [f"--field.{name}.source={name}" for name in ("time", "far", "small", "huge", "flavour")]
    done = premix(tmp_path / "f.h5", [tmp_path / "t.h5"], "--premix.layout=ftag", *flags, stagers=2)
    assert done.returncode == 0, done.stderr
    norm = dict(re.findall(r'"(\w+)": {(.*)}', (tmp_path / "norm_dict.yaml").read_text()))
    with h5py.File(tmp_path / "t.h5") as file:
        time = file["time"][:]
    assert norm["far"] == "mean: 5.0e+20, std: 1" and re.search(r"std: \d\.\d+e-0\d$", norm["small"]) and norm["huge"].endswith("std: .inf")
    mean, deviation = (float(part.split()[1]) for part in norm["time"].split(","))
    assert mean == pytest.approx(time.mean(), rel=1e-15) and deviation == pytest.approx(time.std(), rel=1e-9)


def test_dictionaries_of_another_file_are_not_replaced(tmp_path, data):
    write(data, tmp_path / "a.h5", "ftag")
    names = [tmp_path / "norm_dict.yaml", tmp_path / "class_dict.yaml"]
    before = [path.read_bytes() for path in names]
    flags = ["-c", data[0] / "c.toml", "--premix.layout=ftag", "--field.mass.nonfinite=keep"]
    done = premix(tmp_path / "b.h5", flags, stagers=2)
    assert done.returncode == 2 and "norm_dict.yaml' is of a.h5" in done.stderr and "--force" in done.stderr, done.stderr
    assert not list(tmp_path.glob("b.h5*")) and [path.read_bytes() for path in names] == before
    write(data, tmp_path / "a.h5", "ftag", "--force")
    assert [path.read_bytes() for path in names] == before
    write(data, tmp_path / "b.h5", "ftag", "--force")
    assert all(path.read_text().startswith("# headrace premix, stream train, file b.h5\n") for path in names)
    for path in names:
        path.write_text("mine")
    write(data, tmp_path / "c.h5", "ftag")
    assert all(path.read_text() == "mine" for path in names)


def test_ftag_tools_read_it(tmp_path, data):
    reader = pytest.importorskip("ftag.hdf5", reason="atlas-ftag-tools is not installed (tools/bootstrap --readers)")
    path = write(data, tmp_path / "f.h5", "ftag")
    got = reader.H5Reader(path, batch_size=100, shuffle=False).load({"jets": ["pt", "flavour_label"], "tracks": ["d0", "valid"]})
    with h5py.File(path) as file:
        assert np.array_equal(got["jets"]["pt"], file["jets"]["pt"])
        assert np.array_equal(got["tracks"]["d0"], file["tracks"]["d0"])


def test_salt_reads_it(tmp_path, data, monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed (tools/bootstrap --peers)")
    lightning = types.ModuleType("lightning")  # of which salt's data sets need a name
    lightning.LightningDataModule = object
    monkeypatch.setitem(sys.modules, "lightning", lightning)
    salt = pytest.importorskip("salt.data.datasets", reason="salt-ml is not installed (tools/bootstrap --readers)")
    _, jets, tracks = data
    path = write(data, tmp_path / "f.h5", "ftag", stagers=2)
    dataset = salt.SaltDataset(path, tmp_path / "norm_dict.yaml", {"jets": ["pt", "eta"], "tracks": ["d0", "z0"]}, "fit",
                               labels={"jets": ["flavour_label"], "tracks": ["origin"]})
    assert len(dataset) == JETS
    inputs, pads, labels = dataset[slice(100, 200)]
    mine, rows = jets[100:200], tracks[100:200]
    for column, name in enumerate(("pt", "eta")):
        assert np.array_equal(inputs["jets"][:, column], mine[name])
    assert np.array_equal(pads["tracks"], ~rows["valid"])
    for column, name in enumerate(("d0", "z0")):
        assert np.array_equal(inputs["tracks"][..., column][rows["valid"]], rows[name][rows["valid"]].astype("f2"))
    assert np.array_equal(labels["jets"]["flavour_label"], np.searchsorted([0, 4, 5], mine["flavour"]))
    assert np.array_equal(labels["tracks"]["origin"][rows["valid"]], rows["origin"][rows["valid"]])


def test_validation_is_scaled_as_the_training_was(tmp_path, data):
    (tmp_path / "scales.json").write_text(json.dumps({"pt": {"mean": 1, "std": 2}, "headrace-stats": {"stream": "val"}}))
    config = tmp_path / "c.toml"
    config.write_text(f'files = ["{data[0]}/in.h5"]\n[field.x]\nsource = "jets.pt"\nscale-file = "scales.json"\n'
                      '[stream.train]\nselect = ":200"\n[stream.val]\nselect = "200:"\n')
    done = premix(tmp_path / "val.h5", ["-c", config], "--stream=val")
    assert done.returncode == 2 and "was measured on the stream 'val'" in done.stderr and "--stream train" in done.stderr
    assert premix(tmp_path / "val.h5", ["-c", config], "--stream=val", "--force").returncode == 0
    assert premix(tmp_path / "train.h5", ["-c", config], "--stream=train").returncode == 0
