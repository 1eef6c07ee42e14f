#!/usr/bin/env python3
"""Epochs end to end, in one script and by turns: the plain stream, its face, and what the framework offers over h5py.

    bench_end_to_end.py [--of torch tensorflow jax keras] [--row 69000 512] [--mb 300] [--rounds 5]

Files are contiguous and in the page cache. A round takes each way once, for at least half a second; medians count, in
GB/s of samples given, with the least and the greatest. Of the framework's own ways the best one counts. Each framework
has a process of its own.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import headrace
import numpy as np

FIELDS = ("x", "label")


def permuted_batches(path, batch, seed):
    """What one writes by hand: each batch is one sorted selection."""
    with h5py.File(path) as file:
        x, label = file["x"], file["label"]
        order = np.random.default_rng(seed).permutation(len(x))
        for first in range(0, len(x) - batch + 1, batch):
            rows = np.sort(order[first : first + batch])
            yield x[rows], label[rows]


def torch_ways(stream, path, batch):
    import torch
    from headrace.torch import Loader

    class Samples(torch.utils.data.Dataset):
        file = None

        def __len__(self):
            with h5py.File(path) as file:
                return len(file["x"])

        def __getitem__(self, row):
            self.file = self.file or h5py.File(path)
            return self.file["x"][row], self.file["label"][row]

        def __getitems__(self, rows):
            self.file = self.file or h5py.File(path)
            rows = np.sort(rows)
            return list(zip(self.file["x"][rows], self.file["label"][rows]))

    class OneByOne(Samples):
        __getitems__ = None

    yield "headrace.torch.Loader", Loader(stream, FIELDS)
    for name, data in (("samples", OneByOne()), ("sorted batches", Samples())):
        for workers in (0, 2):
            loader = torch.utils.data.DataLoader(
                data, batch, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
            )
            yield f"DataLoader, {name}, {workers} workers", loader


def tensorflow_ways(stream, path, batch):
    import tensorflow as tf
    from headrace.tensorflow import dataset

    with h5py.File(path) as file:
        columns = file["x"].shape[1]
    signature = (tf.TensorSpec((batch, columns), tf.float32), tf.TensorSpec((batch,), tf.int64))
    own = tf.data.Dataset.from_generator(lambda: permuted_batches(path, batch, 1), output_signature=signature)
    yield "headrace.tensorflow.dataset", dataset(stream, FIELDS)
    yield "from_generator", own
    yield "from_generator, prefetch", own.prefetch(2)


def jax_ways(stream, path, batch):
    import jax

    class Own:
        def __iter__(self):
            return map(jax.device_put, permuted_batches(path, batch, 1))

    yield "headrace.jax.batches", headrace.jax.batches(stream, FIELDS)
    yield "device_put of batches", Own()


def keras_ways(stream, path, batch):
    import keras
    from headrace.keras import Dataset

    class Own(keras.utils.PyDataset):
        def __init__(self, **options):
            super().__init__(**options)
            self.file = h5py.File(path)
            self.order = np.random.default_rng(1).permutation(len(self.file["x"]))

        def __len__(self):
            return len(self.order) // batch

        def __getitem__(self, number):
            rows = np.sort(self.order[number * batch : (number + 1) * batch])
            return self.file["x"][rows], self.file["label"][rows]

    class Epochs:
        """As fit() goes through a PyDataset."""

        def __init__(self, data):
            self.data = data

        def __iter__(self):
            from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

            self.data.on_epoch_begin()
            adapter = PyDatasetAdapter(self.data, shuffle=False)
            loader = adapter.get_torch_dataloader() if keras.backend.backend() == "torch" else None
            yield from loader if loader is not None else adapter.get_jax_iterator()
            self.data.on_epoch_end()

    yield "headrace.keras.Dataset", Epochs(Dataset(stream, FIELDS))
    for workers in (1, 2):
        yield f"PyDataset, {workers} workers", Epochs(Own(workers=workers))


WAYS = {"torch": torch_ways, "tensorflow": tensorflow_ways, "jax": jax_ways, "keras": keras_ways}


def rate(way, row, least=0.5):
    """GB/s over whole epochs that take at least so long."""
    began, rows = time.perf_counter(), 0
    while time.perf_counter() - began < least:
        for batch in way:
            rows += len(batch[0])
    return rows * row / (time.perf_counter() - began) / 1e9


def measure(of, row, size, rounds):
    batch = max(32, min(256, (4 << 20) // row))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "samples.h5")
        samples = int(size * 1e6) // row // batch * batch
        with h5py.File(path, "w") as file:
            file["x"] = np.random.default_rng(0).random((samples, row // 4), np.float32)
            file["label"] = np.arange(samples)
        flags = {"field.x.source": "x", "field.label.source": "label", "batch": batch}
        with headrace.local(files=path, progress=False, exhausted_timeout=60, **flags) as stream:
            ways = {
                "the plain stream": stream.map(lambda b: (b["x"], b["label"])),
                **dict(WAYS[of](stream, path, batch)),
            }
            rates = {name: [] for name in ways}
            for turn in range(rounds + 1):
                for name, way in ways.items():
                    found = rate(way, row)
                    if turn:  # the first one warms up
                        rates[name].append(found)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    plain, ours, *own = medians.values()
    for name, found in rates.items():
        print(f"{of:10} {row:6} B {name:36} {medians[name]:7.3f} GB/s ({min(found):.3f} - {max(found):.3f})")
    print(f"{of:10} {row:6} B {ours / plain:.2f} of the plain stream, {ours / max(own):.1f} x its own best", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--row", type=int, nargs="+", default=[69_000, 512])
    parser.add_argument("--mb", type=float, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
    if len(arguments.of) == 1:
        for row in arguments.row:
            measure(arguments.of[0], row, arguments.mb, arguments.rounds)
        return 0
    rest = ["--mb", str(arguments.mb), "--rounds", str(arguments.rounds), "--row", *map(str, arguments.row)]
    return max(
        subprocess.run([sys.executable, __file__, "--of", of, *rest], check=False).returncode for of in arguments.of
    )


if __name__ == "__main__":
    sys.exit(main())
