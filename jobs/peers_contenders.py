"""Contenders of jobs/peers_larger.py, each in a process of its own, and the files that they like best."""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import io
import itertools
import json
import os
import sys
import tarfile
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

ROW, BATCH, CLASSES, SHARDS, SEED = 68540, 64, 10, 16, 7


class Task(NamedTuple):
    """What a contender does: samples of ROW bytes and a label in `folder`, as it likes them best."""

    contender: str
    folder: str
    samples: int
    service: str = ""

    @property
    def part(self) -> int:
        return self.samples // 8

    def shards(self, ending: str) -> list[str]:
        return [str(path) for path in sorted(Path(self.folder).glob(f"*.{ending}"))]


# -- contenders: the labels of one batch after another, of one epoch after another; every byte of x has been brought ------


def headrace_batches(task: Task) -> Iterator[np.ndarray]:
    import headrace

    with headrace.connect(task.service, rank=0, world_size=1, progress=False) as stream:
        while True:
            for batch in stream:
                yield touch(batch["x"], batch["label"])
                batch.release()


class H5Samples:
    """A torch data set as its tutorials write it."""

    def __init__(self, path: str) -> None:
        self.path, self.x = path, None
        with h5py.File(path, "r") as file:
            self.label = file["label"][:]

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, i: int) -> tuple[np.ndarray, int]:
        if self.x is None:
            self.x = h5py.File(self.path, "r")["x"]
        return self.x[i], self.label[i]


def torch_loader(data: Any, workers: int, **options: Any) -> Any:
    from torch.utils.data import DataLoader

    return DataLoader(data, num_workers=workers, persistent_workers=workers > 0, **options)


def torch_batches(task: Task) -> Iterator[np.ndarray]:
    data = H5Samples(f"{task.folder}/data.h5")
    loader = torch_loader(data, int(task.contender.split()[1]), batch_size=BATCH, shuffle=True, drop_last=True)
    while True:
        for x, label in loader:
            yield touch(x.numpy(), label.numpy())


def import_streaming() -> Any:
    """It imports torchvision for data sets of pictures, whose builds fit PyTorch's for GPUs alone: an empty one will do."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        for name, what in (("", ""), (".datasets", "VisionDataset"), (".transforms", ""), (".transforms.functional", "to_tensor")):
            module = sys.modules["torchvision" + name] = types.ModuleType("torchvision" + name)
            module.__spec__ = importlib.machinery.ModuleSpec("torchvision" + name, None)
            if what:
                setattr(module, what, type(what, (), {}))
    return importlib.import_module("streaming")


def mosaic_batches(task: Task) -> Iterator[np.ndarray]:
    StreamingDataset = import_streaming().StreamingDataset

    data = StreamingDataset(
        local=f"{task.folder}/mds", shuffle=True, shuffle_algo="py1e", shuffle_block_size=task.part, batch_size=BATCH,
        num_canonical_nodes=1, shuffle_seed=SEED,
    )
    loader = torch_loader(data, 2, batch_size=BATCH, drop_last=True)
    while True:
        for batch in loader:
            yield touch(batch["x"].numpy(), batch["label"].numpy())


def tfdata_batches(task: Task) -> Iterator[np.ndarray]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    import tensorflow as tf

    features = {"x": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}

    def parsed(record: Any) -> Any:
        one = tf.io.parse_single_example(record, features)
        return tf.io.decode_raw(one["x"], tf.uint8), one["label"]

    files = task.shards("tfrecord")
    data = tf.data.Dataset.from_tensor_slices(files).shuffle(len(files), seed=SEED)
    data = data.interleave(tf.data.TFRecordDataset, cycle_length=4, num_parallel_calls=2, deterministic=False)
    data = data.shuffle(task.part // 2, seed=SEED).map(parsed, num_parallel_calls=2)
    data = data.batch(BATCH, drop_remainder=True).prefetch(2)
    while True:
        for x, label in data.as_numpy_iterator():
            yield touch(x, label)


def webdataset_batches(task: Task) -> Iterator[np.ndarray]:
    import webdataset

    data = webdataset.WebDataset(task.shards("tar"), shardshuffle=SHARDS, seed=SEED, empty_check=False)
    data = data.shuffle(task.part // 4).map(  # each of two workers has a buffer
        lambda one: (np.frombuffer(one["x"], np.uint8), int(one["cls"]))
    )
    loader = torch_loader(data.batched(BATCH, partial=False), 2, batch_size=None)
    while True:
        for x, label in loader:
            yield touch(np.asarray(x), np.asarray(label))


def touch(x: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The least that a trainer does: a look at every row."""
    int(x[:, 0].sum())
    return np.array(label)


CONTENDERS = {  # what it needs, and how it goes
    "headrace scratch": ("headrace", headrace_batches),
    "headrace window": ("headrace", headrace_batches),
    "torch 0": ("torch", torch_batches),
    "torch 2": ("torch", torch_batches),
    "mosaic py1e": ("streaming", mosaic_batches),
    "tf.data": ("tensorflow", tfdata_batches),
    "webdataset": ("webdataset", webdataset_batches),
}


def contend(task: Task) -> None:
    """A contender's process: begins when told so, and answers each turn with one line."""
    needs, batches = CONTENDERS[task.contender]
    import_streaming() if needs == "streaming" else importlib.import_module(needs)
    if needs in ("streaming", "webdataset"):
        importlib.import_module("torch.utils.data")
    print("there", flush=True)
    steps, made = task.samples // BATCH, None
    for _ in sys.stdin:
        made = made or batches(task)
        for _ in itertools.islice(made, steps // 2):
            pass
        began = time.perf_counter()
        labels = list(itertools.islice(made, steps))
        seconds = time.perf_counter() - began
        counts = [np.bincount(one, minlength=CLASSES).tolist() for one in labels]
        print(json.dumps({"rate": steps * BATCH / seconds, "counts": counts}), flush=True)


# -- the data ----------------------------------------------------------------------------------------------------------


def rows(samples: int) -> Iterator[tuple[int, np.ndarray]]:
    numbers = np.random.default_rng(1)
    for first in range(0, samples, 512):
        yield first, numbers.integers(0, 255, (min(512, samples - first), ROW), "u1")


def write_hdf5(folder: Path, samples: int) -> None:
    with h5py.File(folder / "data.h5", "w") as file:
        x = file.create_dataset("x", (samples, ROW), "u1")
        for first, block in rows(samples):
            x[first : first + len(block)] = block
        file["label"] = np.arange(samples) * CLASSES // samples  # sorted


def write_mds(folder: Path, samples: int) -> None:
    with import_streaming().MDSWriter(out=f"{folder}/mds", columns={"x": f"ndarray:uint8:{ROW}", "label": "int"}) as out:
        for first, block in rows(samples):
            for i, row in enumerate(block, first):
                out.write({"x": row, "label": i * CLASSES // samples})


def write_tfrecord(folder: Path, samples: int) -> None:
    import tensorflow as tf

    def feature(**kind: Any) -> Any:
        return tf.train.Feature(**kind)

    with contextlib.ExitStack() as stack:
        outs = [stack.enter_context(tf.io.TFRecordWriter(f"{folder}/{k:02}.tfrecord")) for k in range(SHARDS)]
        for first, block in rows(samples):
            for i, row in enumerate(block, first):
                both = {
                    "x": feature(bytes_list=tf.train.BytesList(value=[row.tobytes()])),
                    "label": feature(int64_list=tf.train.Int64List(value=[i * CLASSES // samples])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=both))
                outs[i * SHARDS // samples].write(example.SerializeToString())


def write_tar(folder: Path, samples: int) -> None:
    with contextlib.ExitStack() as stack:
        outs = [stack.enter_context(tarfile.open(folder / f"{k:02}.tar", "w")) for k in range(SHARDS)]
        for first, block in rows(samples):
            for i, row in enumerate(block, first):
                for ending, content in (("x", row.tobytes()), ("cls", str(i * CLASSES // samples).encode())):
                    entry = tarfile.TarInfo(f"{i:08}.{ending}")
                    entry.size = len(content)
                    outs[i * SHARDS // samples].addfile(entry, io.BytesIO(content))


WRITERS = {
    "headrace": write_hdf5,
    "torch": write_hdf5,
    "streaming": write_mds,
    "tensorflow": write_tfrecord,
    "webdataset": write_tar,
}


if __name__ == "__main__":
    if sys.argv[1] == "write":
        wanted, where = sys.argv[2], Path(sys.argv[3])
        if wanted != "write_hdf5" or not (where / "data.h5").exists():
            globals()[wanted](where, int(sys.argv[4]))
    else:
        contend(Task(*json.loads(sys.argv[1])))
