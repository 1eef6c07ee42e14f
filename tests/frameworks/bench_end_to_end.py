#!/usr/bin/env python3
"""Epochs end to end, in one script and by turns: the plain stream, its face, and what the framework offers over h5py.

    bench_end_to_end.py [--of torch tensorflow jax keras:torch keras:jax keras:tensorflow] [--case lcd 512B]
                        [--mb 300] [--turns 7] [--seconds 0.4]

Files are contiguous and in the page cache: `lcd` as the LCD data set is (two float32 fields, 62.5 and 6 KB a sample,
and a label; batch 64), `512B` one field and a label (batch 1024). In each turn every way is read for at least so many
seconds, ours for whole epochs; the first turn warms up. Ratios are taken within each turn: medians, with the least and
the greatest, where of the framework's own ways the best of the turn counts. Each framework has a process of its own.
What samples in memory give, copied once by NumPy, is the limit of a face that gives copies; Keras has one of its own.

Beside GB/s stands what a second of processor time gives, over all turns: of this process with its threads, its workers
and the service. On a machine that others use, too, that is the figure that says something.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import headrace
import numpy as np


class Case(NamedTuple):
    fields: dict  #: inputs, by name: the shape of a row; a label comes behind them
    batch: int

    @property
    def names(self):
        return (*self.fields, "label")

    @property
    def structure(self):
        """As Keras has it: one input, or a list of them."""
        inputs = list(self.fields)
        return (inputs if len(inputs) > 1 else inputs[0], "label")

    @property
    def row(self):
        return sum(4 * int(np.prod(shape)) for shape in self.fields.values()) + 8


CASES = {
    "lcd": Case({"ECAL": (25, 25, 25), "HCAL": (5, 5, 60)}, 64),
    "512B": Case({"x": (126,)}, 1024),
}


def write(path, case, size):
    samples = int(size) // case.row // case.batch * case.batch
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name, shape in case.fields.items():
            file[name] = rng.random((samples, *shape), np.float32)
        file["label"] = np.arange(samples)


def permuted_batches(path, case, seed=1):
    """What one writes by hand: each batch is one sorted selection."""
    with h5py.File(path) as file:
        parts = [file[name] for name in case.names]
        order = np.random.default_rng(seed).permutation(len(parts[0]))
        for first in range(0, len(order), case.batch):
            rows = np.sort(order[first : first + case.batch])
            yield tuple([part[rows] for part in parts])


def copied_batches(path, case, seed=1):
    """The limit of whatever gives copies: all samples are in memory, and each is copied once."""
    with h5py.File(path) as file:
        parts = [file[name][()] for name in case.names]
    order = np.random.default_rng(seed).permutation(len(parts[0]))
    while True:
        for first in range(0, len(order), case.batch):
            yield tuple([part[order[first : first + case.batch]] for part in parts])


def torch_loaders(path, case, collate=None, counts=(0, 2)):
    """DataLoaders in the ways that people use for HDF5."""
    import torch

    class Samples(torch.utils.data.Dataset):
        parts = None

        def __len__(self):
            with h5py.File(path) as file:
                return len(file["label"])

        def open(self):
            if self.parts is None:  # in each worker its own
                file = h5py.File(path)
                self.parts = [file[name] for name in case.names]
            return self.parts

        def __getitem__(self, row):
            return tuple([part[row] for part in self.open()])

    class SortedBatches(Samples):
        def __getitems__(self, rows):
            rows = np.sort(rows)
            return list(zip(*[part[rows] for part in self.open()]))

    class WholeBatches(Samples):
        def __getitem__(self, rows):
            rows = np.sort(rows)
            return tuple([part[rows] for part in self.open()])

    for name, data in (("samples", Samples()), ("sorted batches", SortedBatches()), ("whole batches", WholeBatches())):
        for workers in counts:
            options = {"num_workers": workers, "persistent_workers": workers > 0, "collate_fn": collate}
            if name == "whole batches":  # nothing to collate
                random = torch.utils.data.RandomSampler(data)
                options |= {"sampler": torch.utils.data.BatchSampler(random, case.batch, True), "batch_size": None}
                options["collate_fn"] = (lambda batch: batch) if collate else None
            else:
                options |= {"batch_size": case.batch, "shuffle": True, "drop_last": True}
            yield f"DataLoader, {name}, {workers} workers", torch.utils.data.DataLoader(data, **options)


def torch_ways(stream, path, case):
    from headrace.torch import Loader

    yield "headrace.torch.Loader", Loader(stream, case.names)
    yield from torch_loaders(path, case)


def tensorflow_ways(stream, path, case):
    import tensorflow as tf
    from headrace.tensorflow import dataset

    shapes = [(case.batch, *shape) for shape in case.fields.values()] + [(case.batch,)]
    types = [tf.float32] * len(case.fields) + [tf.int64]
    signature = tuple(tf.TensorSpec(shape, dtype) for shape, dtype in zip(shapes, types))
    own = tf.data.Dataset.from_generator(lambda: permuted_batches(path, case), output_signature=signature)
    file = h5py.File(path)
    samples = len(file["label"])

    def read(rows):
        rows = np.sort(rows)
        return [file[name][rows] for name in case.names]

    def by_number(calls):
        numbers = tf.data.Dataset.range(samples).shuffle(samples).batch(case.batch, drop_remainder=True)
        return numbers.map(lambda rows: tf.numpy_function(read, [rows], types), num_parallel_calls=calls).prefetch(2)

    yield "headrace.tensorflow.dataset", dataset(stream, case.names)
    yield "the same, copy=False", dataset(stream, case.names, copy=False)
    yield "from_generator", own
    yield "from_generator, prefetch", own.prefetch(2)
    yield "map of numpy_function, 2 at a time", by_number(2)


def jax_ways(stream, path, case):
    import jax

    class Placed:
        def __init__(self, make):
            self.make = make

        def __iter__(self):
            return map(jax.device_put, self.make())

    def stacked(samples):
        return tuple([np.stack(part) for part in zip(*samples)])

    yield "headrace.jax.batches", headrace.jax.batches(stream, case.names)
    yield "the same, copy=False", headrace.jax.batches(stream, case.names, copy=False)
    yield "device_put of batches", Placed(lambda: permuted_batches(path, case))
    # As JAX's tutorials have it; without workers, which would be forked from a process with JAX's threads.
    for name, loader in torch_loaders(path, case, stacked, counts=(0,)):
        yield name, Placed(loader.__iter__)


def keras_ways(stream, path, case):
    import keras
    from headrace.keras import Dataset
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    class Own(keras.utils.PyDataset):
        def __init__(self, **options):
            super().__init__(**options)
            file = h5py.File(path)
            self.parts = [file[name] for name in case.names]
            self.order = np.random.default_rng(1).permutation(len(self.parts[0]))

        def __len__(self):
            return len(self.order) // case.batch

        def __getitem__(self, number):
            rows = np.sort(self.order[number * case.batch : (number + 1) * case.batch])
            *inputs, label = [part[rows] for part in self.parts]
            return (tuple(inputs) if len(inputs) > 1 else inputs[0]), label  # TensorFlow takes no lists

    class Epochs:
        """As fit() goes through a PyDataset."""

        def __init__(self, data):
            self.data = data

        def __iter__(self):
            adapter = PyDatasetAdapter(self.data, shuffle=False)
            kind = {"torch": "torch_dataloader", "jax": "jax_iterator", "tensorflow": "tf_dataset"}
            batches = getattr(adapter, f"get_{kind[keras.backend.backend()]}")()
            adapter.on_epoch_begin()
            try:
                yield from batches
            finally:
                adapter.on_epoch_end()  # ends its workers' threads

    class Given(Own):
        def __getitem__(self, number):
            self.given = getattr(self, "given", None) or super().__getitem__(number)
            return self.given

    yield "headrace.keras.Dataset", Epochs(Dataset(stream, case.structure))
    yield "limit: Keras given the same arrays each time", Epochs(Given())
    for workers in (1, 2):
        yield f"PyDataset, {workers} workers", Epochs(Own(workers=workers))


PLAIN, LIMIT = "the plain stream", "limit: samples in memory, copied once"
WAYS = {"torch": torch_ways, "tensorflow": tensorflow_ways, "jax": jax_ways, "keras": keras_ways}
OF = ("torch", "tensorflow", "jax", "keras:torch", "keras:jax", "keras:tensorflow")


def forever(way):
    while True:
        yield from way


def processor_seconds():
    """Of this process and all below it that live: workers, the service."""
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(stat.parent.name)], used[int(stat.parent.name)] = int(words[1]), int(words[11]) + int(words[12])
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(used[pid] for pid in ours) / os.sysconf("SC_CLK_TCK")


class Read(NamedTuple):
    """What one way has given in one turn."""

    gigabytes: float
    seconds: float
    processor: float

    @property
    def rate(self):
        return self.gigabytes / self.seconds


def read(batches, case, seconds):
    """Whole epochs; what comes in that time of a generator, which has no end."""
    endless = isinstance(batches, types.GeneratorType)
    time.sleep(0.05)  # the service fills its slots after the loop before
    used, began, count, ended = processor_seconds(), time.perf_counter(), 0, False
    while not ended:
        for _ in batches:
            count += 1
            if endless and time.perf_counter() - began >= seconds:
                break
        ended = time.perf_counter() - began >= seconds
    took = time.perf_counter() - began
    return Read(count * case.batch * case.row / 1e9, took, processor_seconds() - used)


def told(values, form=".2f"):
    return f"{statistics.median(values):{form}} ({min(values):{form}} .. {max(values):{form}})"


def per_processor_second(found):
    return sum(one.gigabytes for one in found) / max(0.01, sum(one.processor for one in found))


def measure(of, case_name, path, turns, seconds):
    case = CASES[case_name]
    flags = {f"field.{name}.source": name for name in case.names}
    with headrace.local(files=path, progress=False, exhausted_timeout=60, batch=case.batch, **flags) as stream:
        plain = stream.map(lambda batch: tuple([batch[name] for name in case.names]))
        ways = {PLAIN: plain, LIMIT: copied_batches(path, case), **dict(WAYS[of.partition(":")[0]](stream, path, case))}
        faces = [name for name in ways if name.startswith(("headrace", "the same"))]
        limits = [name for name in ways if name.startswith("limit")]
        ways = {name: way if name in (PLAIN, *faces) else forever(way) for name, way in ways.items()}
        found = {name: [] for name in ways}
        for turn in range(turns + 1):
            for name, way in ways.items():
                one = read(way, case, seconds)
                if turn:  # the first one warms up
                    found[name].append(one)
        for way in ways.values():
            if isinstance(way, types.GeneratorType):
                way.close()
    label = f"{of:16} {case_name:5}"
    for name, each in found.items():
        rates = told([one.rate for one in each], ".3f")
        print(f"{label} {name:40} {rates} GB/s, {per_processor_second(each):.3f} GB a processor second")
    own = [each for name, each in found.items() if name not in (PLAIN, *limits, *faces)]
    best = [max(one.rate for one in turn) for turn in zip(*own)]
    plain, most = found[PLAIN], max(map(per_processor_second, own))
    for name in limits:
        print(f"{label} {name}: x its own best {told([one.rate / b for one, b in zip(found[name], best)], '.1f')}")
    for name in faces:
        of_plain = told([a.rate / b.rate for a, b in zip(found[name], plain)])
        of_own = told([a.rate / b for a, b in zip(found[name], best)], ".1f")
        work = per_processor_second(found[name])
        print(
            f"{label} {name}: of the plain stream {of_plain}; x its own best {of_own}; "
            f"by processor time {work / per_processor_second(plain):.2f}; {work / most:.1f}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", nargs="+", choices=OF, default=list(OF))
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--mb", type=float, default=300)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--file", help=argparse.SUPPRESS)  # of the one case
    arguments = parser.parse_args()
    if arguments.file:
        measure(arguments.of[0], arguments.case[0], arguments.file, arguments.turns, arguments.seconds)
        return 0
    codes = []
    with tempfile.TemporaryDirectory() as folder:
        for of, case in itertools.product(arguments.of, arguments.case):
            path = Path(folder, f"{case}.h5")
            if not path.exists():
                write(path, CASES[case], arguments.mb * 1e6)
            print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
            command = [sys.executable, __file__, "--of", of, "--case", case, "--file", str(path)]
            command += ["--turns", str(arguments.turns), "--seconds", str(arguments.seconds)]
            backend = {"KERAS_BACKEND": of.partition(":")[2]} if ":" in of else {}
            codes.append(subprocess.run(command, env={**os.environ, **backend}, check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
