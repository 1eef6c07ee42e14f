"""What `headrace export` writes, read by TensorFlow's own reader of records."""

import json
import os
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import numpy as np
import pytest
from conftest import BUILD

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (tools/bootstrap --frameworks)")

SAMPLES = 130


def run(*words):
    done = subprocess.run([BUILD / "bin" / "headrace", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of records, and the same stream as an HDF5 file that h5py reads."""
    folder = tmp_path_factory.mktemp("records")
    rng = np.random.default_rng(7)
    with h5py.File(folder / "in.h5", "w") as file:
        file["x"] = rng.normal(size=(SAMPLES, 4, 3)).astype("f4")
        file["half"] = rng.normal(size=(SAMPLES, 2)).astype("f2")
        file["n"] = rng.integers(-(2**60), 2**60, (SAMPLES, 5))
        file["flag"] = rng.random(SAMPLES) < 0.5
    run("export", folder / "in.h5", "-o", folder / "train", "--chunk-size=50")
    run("premix", folder / "in.h5", "-o", folder / "train.h5")
    with h5py.File(folder / "train.h5") as file:
        return folder / "train", {name: file[name][:] for name in ("x", "half", "n", "flag")}


def files(folder):
    return sorted(map(str, folder.glob("*.tfrecord")))


def test_tensorflow_reads_every_value(written):
    folder, values = written
    told = json.loads((folder / "metadata.json").read_text())["features"]
    kinds = {name: tf.float32 if data.dtype.kind == "f" else tf.int64 for name, data in values.items()}
    features = {name: tf.io.FixedLenFeature(told[name]["shape"], kinds[name]) for name in values}
    records = tf.data.TFRecordDataset(files(folder))
    found = list(records.map(lambda record: tf.io.parse_single_example(record, features)).batch(SAMPLES))
    assert len(found) == 1 and len(files(folder)) == 3
    for name, data in values.items():
        np.testing.assert_array_equal(found[0][name].numpy(), data.astype(kinds[name].as_numpy_dtype), err_msg=name)


def test_tensorflow_finds_a_flipped_byte(written, tmp_path):
    content = bytearray((written[0] / "train_0001.tfrecord").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "bad.tfrecord").write_bytes(content)
    with pytest.raises(tf.errors.DataLossError):
        list(tf.data.TFRecordDataset(str(tmp_path / "bad.tfrecord")))
