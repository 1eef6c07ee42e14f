#!/usr/bin/env python3
"""What a face costs for each batch that is ready, beside the plain stream: microseconds, 64 KiB a batch.

    bench_faces.py [--bytes 65536] [--rounds 40]

The ring is filled before each measurement of a dozen batches, the ways alternate, and the median of the rounds counts,
so that a service on the same cores disturbs little. By the same loop in the same turns go, beside JAX, one device_put
of the same arrays; beside TensorFlow, from_generator of the same arrays, which need no copy: as users have it, and
without the prefetching that tf.data adds at the end. One memcpy of a batch is told.
"""

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import headrace
import numpy as np
from headrace._memory import aligned_copy

BATCH, SLOTS, TAKE = 64, 16, 12


def timed(stream, loop):
    """Seconds a batch, over TAKE batches that lie ready; nothing is kept."""
    stream.seek(stream.position[0] + 1)
    stream.peek()
    time.sleep(0.03)  # the other slots fill
    batches = iter(loop)
    next(batches)
    began = time.perf_counter()
    for item in itertools.islice(batches, TAKE):
        pass
    return (time.perf_counter() - began) / TAKE


def once(call, times=50):
    best = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        best.append(time.perf_counter() - began)
    return statistics.median(best)


def ways(stream, size):
    """Name and loop: over the stream, or of what is done without us."""
    structure = ("x", "label")
    held = [aligned_copy(stream.peek()[name]) for name in structure]
    yield "the stream, both views", stream.map(lambda batch: (batch["x"], batch["label"]))
    try:
        import headrace.torch

        yield "torch.Loader", headrace.torch.Loader(stream, structure, copy=False)
        yield "torch.Loader, small copies", headrace.torch.Loader(stream, structure)
        import headrace.keras

        data = headrace.keras.Dataset(stream, structure)
        data.on_epoch_begin()
        yield "keras.Dataset (torch)", (data[i] for i in itertools.count())
    except ImportError as error:
        print(error)
    try:
        import headrace.jax
        import jax

        yield "jax.batches", headrace.jax.batches(stream, structure, prefetch=0)
        yield "device_put alone", map(lambda _: jax.device_put(held), itertools.count())
    except ImportError as error:
        print(error)
    try:
        import headrace.tensorflow
        import tensorflow as tf

        for copy in (True, False):
            ours = headrace.tensorflow.dataset(stream, structure, copy=copy)
            yield f"tensorflow.dataset, copy={copy}", ours
        own = tf.data.Dataset.from_generator(lambda: itertools.repeat(tuple(held)), output_signature=ours.element_spec)
        yield "from_generator alone", own
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        yield "from_generator, no prefetch", own.with_options(options)
    except ImportError as error:
        print(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=64 << 10)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    columns = arguments.bytes // BATCH // 4
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.h5")
        with h5py.File(path, "w") as file:
            file["x"] = np.zeros((BATCH * 40, columns), np.float32)
            file["label"] = np.zeros(BATCH * 40, np.int64)
        flags = {"field.x.source": "x", "field.label.source": "label", "batch": BATCH, "slots": SLOTS}
        with headrace.local(files=path, progress=False, exhausted_timeout=30, **flags) as stream:
            found = list(ways(stream, arguments.bytes))
            seconds = {name: [] for name, _ in found}
            for _ in range(arguments.rounds):
                for name, loop in found:
                    seconds[name].append(timed(stream, loop))
            plain = statistics.median(seconds[found[0][0]])
            source = np.zeros(arguments.bytes, np.uint8)
            print(f"{arguments.bytes} bytes a batch; memcpy of one {1e6 * once(lambda: source.copy()):.1f} us")
            for name, _ in found:
                each = statistics.median(seconds[name])
                print(f"{name:30}{1e6 * each:8.1f} us ({1e6 * (each - plain):+.1f})")


if __name__ == "__main__":
    sys.exit(main())
