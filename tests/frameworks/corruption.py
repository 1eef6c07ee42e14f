#!/usr/bin/env python3
"""Every way by which frameworks read memory that goes back to the service: is a batch ever seen with another's values?

    corruption.py [--batches 10000] [--slots 2 4] [--of torch jax tensorflow keras control] [--only WORDS]

Values name their sample. Each way is tried with two consumers: one keeps results for as long as slots allow before it
looks at them, the other looks at them in threads of its own, late. An epoch that misses a sample, or has one twice, has
lost a batch. Exit code 1 if anything was wrong, lost, or failed; or if nothing was wrong with the control, whose views
have no lease, so that their slots are filled again under them. test_corruption.py runs some of it in the tests.
"""

import argparse
import collections
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import headrace
import numpy as np
from headrace import INDEX
from headrace._memory import Buffers, unowned

SAMPLES, BATCH, COLUMNS = 320, 8, 64  # 40 batches an epoch, of 2 KiB; by hand 400, as TensorFlow begins epochs slowly
FIELDS = {"x": np.float32, "wide": np.int64}
Buffers._LEAST = 0  # so that copies of these, too, take memory again


def of_batches(make, field="x"):
    """A way that takes one array of a batch. What it makes may alias the slot; the sample numbers are a copy."""

    def way(stream):
        for batch in stream:
            index = batch.index
            made = make(batch[field])
            del batch
            yield made, index
            del made

    return way


def torch_ways():
    import torch
    from headrace.torch import Dataset, Loader

    yield "torch.from_numpy", of_batches(torch.from_numpy)
    yield "torch.as_tensor", of_batches(torch.as_tensor)
    yield "default_convert", of_batches(torch.utils.data.default_convert)
    yield "torch.tensor", of_batches(torch.tensor)
    yield "default_collate", of_batches(lambda x: torch.utils.data.default_collate([x])[0])
    weight = torch.ones(1, requires_grad=True)
    # What autograd saved is the slot's: the product's gradient gives it back.
    yield "saved by autograd", of_batches(lambda x: (weight * torch.from_numpy(x)).grad_fn._saved_other)
    yield "headrace.torch.Loader", lambda stream: Loader(stream, ("x", INDEX), copy=False)
    yield (
        "DataLoader over Dataset",
        lambda stream: torch.utils.data.DataLoader(Dataset(stream, ("x", INDEX), copy=False), batch_size=None),
    )


def jax_ways():
    import jax
    import jax.numpy as jnp

    headrace.jax._SMALL = 0  # small arrays would be copied in any case
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    slow = jax.jit(lambda x: x + jnp.sum(jnp.linalg.matrix_power(jnp.eye(64), 50)) * 0)
    donated = jax.jit(lambda x: x * 1, donate_argnums=0)
    yield "jax.device_put", of_batches(jax.device_put)
    yield "device_put(may_alias=False)", of_batches(lambda x: jax.device_put(x, may_alias=False))
    yield "jnp.from_dlpack", of_batches(jnp.from_dlpack)
    yield "make_array_from_process...", of_batches(lambda x: jax.make_array_from_process_local_data(device, x))
    yield "jit(f)(view)", of_batches(slow)
    yield "jit(f) of a donated array", of_batches(lambda x: donated(jax.device_put(x)))
    yield "jnp.asarray", of_batches(jnp.asarray)
    yield "jnp.array", of_batches(jnp.array)
    yield "device_put of int64 (to 32 bits)", of_batches(jax.device_put, "wide")
    yield "headrace.jax.batches", lambda stream: headrace.jax.batches(stream, ("x", INDEX))
    yield "the same, copy=False", lambda stream: headrace.jax.batches(stream, ("x", INDEX), copy=False)


def tensorflow_ways():
    import tensorflow as tf
    from headrace.tensorflow import dataset

    x, index = tf.TensorSpec((None, COLUMNS), tf.float32), tf.TensorSpec((None,), tf.int64)

    def generated(stream):
        return tf.data.Dataset.from_generator(lambda: ((b["x"], b.index) for b in stream), output_signature=(x, index))

    def by(function):
        def way(stream):
            batches = iter(stream)

            def take():
                batch = next(batches)
                return batch["x"], batch.index

            return (function(take, [], [tf.float32, tf.int64]) for _ in range(len(stream)))

        return way

    yield "tf.convert_to_tensor", of_batches(tf.convert_to_tensor)
    yield "tf.constant", of_batches(tf.constant)
    yield "tf dlpack", of_batches(lambda view: tf.experimental.dlpack.from_dlpack(view.__dlpack__()))
    yield "tf.data.from_generator", generated
    yield "tf.numpy_function", by(tf.numpy_function)
    yield "tf.py_function", by(tf.py_function)
    yield "headrace.tensorflow.dataset", lambda stream: dataset(stream, ("x", INDEX))
    yield "the same, copy=False", lambda stream: dataset(stream, ("x", INDEX), copy=False)


def keras_ways():
    import keras
    from headrace.keras import Dataset
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    backend = keras.backend.backend()

    def fitted(copy):
        def way(stream):
            """What Keras' own adapter hands to a training step, placed as that does it."""
            data = Dataset(stream, ("x", INDEX), copy=copy)
            adapter = PyDatasetAdapter(data, shuffle=False)
            adapter.on_epoch_begin()
            if backend == "jax":
                import jax

                batches = map(jax.device_put, adapter.get_jax_iterator())
            else:
                batches = adapter.get_torch_dataloader() if backend == "torch" else adapter.get_tf_dataset()
            for x, index in batches:
                yield x, keras.ops.convert_to_numpy(index)
                del x
            adapter.on_epoch_end()

        return way

    yield f"keras.Dataset ({backend})", fitted(None)
    yield f"PyDataset of views ({backend})", fitted(False)


def control_ways():
    yield "views without a lease", of_batches(unowned)


WAYS = {
    "torch": torch_ways,
    "jax": jax_ways,
    "tensorflow": tensorflow_ways,
    "keras": keras_ways,
    "control": control_ways,
}


class Seen:
    """What was wrong, lost, or failed; and how many batches there were."""

    def __init__(self):
        self.batches = self.wrong = self.lost = 0
        self.errors = []

    def look(self, made, index):
        values = made.detach() if hasattr(made, "detach") else made
        if not (np.asarray(values) == np.asarray(index)[:, None]).all():
            self.wrong += 1

    @property
    def good(self):
        return self.batches and not (self.wrong or self.lost or self.errors)

    def __str__(self):
        what = f"; {self.errors[0]}" if self.errors else ""
        return f"{self.batches:6} batches {self.wrong:3} wrong {self.lost:3} lost {len(self.errors):3} errors{what}"


class Keeps:
    """Looks at each result when as many as slots allow have come after it."""

    def __init__(self, seen, slots):
        self.seen, self.kept = seen, collections.deque()
        self.room = slots - 1

    def take(self, made, index):
        self.kept.append((made, index))
        del made
        while len(self.kept) >= self.room:
            self.seen.look(*self.kept.popleft())

    def end(self):
        while self.kept:
            self.seen.look(*self.kept.popleft())


class Threads:
    """Looks at them in two threads, some of them late."""

    def __init__(self, seen, slots):
        self.seen, self.queue = seen, queue.Queue(slots)
        self.threads = [threading.Thread(target=self.run) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def run(self):
        rng = random.Random(7)
        while (item := self.queue.get()) is not None:
            if rng.random() < 0.05:
                time.sleep(rng.random() / 500)
            self.seen.look(*item)
            del item

    def take(self, made, index):
        self.queue.put((made, index))

    def end(self):
        for _ in self.threads:
            self.queue.put(None)
        for thread in self.threads:
            thread.join()


CONSUMERS = {"kept": Keeps, "threads": Threads}


def attempt(stream, way, consumer, batches):
    seen = Seen()
    stream.seek(stream.position[0] + 1)
    takes = CONSUMERS[consumer](seen, stream.slots)
    try:
        while seen.batches < batches:
            numbers = []
            for made, index in way(stream):
                numbers.append(np.asarray(index).copy())
                takes.take(made, index)
                del made
            seen.batches += len(numbers)
            told = np.sort(np.concatenate(numbers)) if numbers else np.array([])
            seen.lost += not np.array_equal(told, np.arange(SAMPLES))
    except Exception as error:
        seen.errors.append(f"{type(error).__name__}: {error}")
    finally:
        takes.end()
    return seen


def attempts(of, slots, batches, only=""):
    """(way, consumer, what was seen) over a service of its own; of ways whose names have these words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "named.h5")
        with h5py.File(path, "w") as file:
            for name, dtype in FIELDS.items():
                file[name] = np.repeat(np.arange(SAMPLES, dtype=dtype)[:, None], COLUMNS, 1)
        flags = {f"field.{name}.source": name for name in FIELDS}
        with headrace.local(
            files=path, batch=BATCH, slots=slots, progress=False, exhausted_timeout=60, **flags
        ) as stream:
            for name, way in WAYS[of]():
                for consumer in CONSUMERS if only in name else ():
                    yield name, consumer, attempt(stream, way, consumer, batches)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=10_000)
    parser.add_argument("--slots", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--of", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--only", default="", metavar="WORDS", help="ways whose names have these words")
    parser.add_argument("--samples", type=int, default=10 * SAMPLES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    globals()["SAMPLES"] = arguments.samples
    if len(arguments.of) > 1:  # frameworks do not share a process well, and Keras has one backend
        codes = []
        for of in arguments.of:
            for backend in ("torch", "jax", "tensorflow") if of == "keras" else ("",):
                command = [sys.executable, __file__, "--batches", str(arguments.batches), "--only", arguments.only]
                command += ["--of", of, "--slots", *map(str, arguments.slots)]
                environ = {**os.environ, **({"KERAS_BACKEND": backend} if backend else {})}
                codes.append(subprocess.run(command, env=environ, check=False).returncode)
        return max(codes)
    good = True
    for slots in arguments.slots:
        for name, consumer, seen in attempts(arguments.of[0], slots, arguments.batches, arguments.only):
            good = bool(good and (seen.wrong if arguments.of[0] == "control" else seen.good))
            print(f"{name:32} {slots} slots {consumer:8} {seen}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
