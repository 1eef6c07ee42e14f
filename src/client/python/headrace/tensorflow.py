"""TensorFlow: a stream as a tf.data.Dataset, one epoch of the stream for each iteration.

train = headrace.tensorflow.dataset(stream, ("ECAL", "label")).prefetch(2)
for epoch in range(10):
    for x, y in train:
        ...
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Optional

import numpy as np

try:
    import tensorflow as tf
except ImportError as error:
    raise ImportError(f"headrace.tensorflow needs TensorFlow ({error}): pip install 'headrace[tensorflow]'") from error

from ._memory import Buffers
from .batch import Batch
from .errors import Error
from .stream import Stream
from .structure import INDEX, ROWS, VALID, Arrangement, Structure, array_of, without_lists

__all__ = ["dataset"]


def dataset(stream: Stream, structure: Optional[Structure] = None, *, copy: bool = True) -> tf.data.Dataset:
    """Batches as tensors, arranged as the structure says; element_spec and cardinality are those of the stream.

    structure
        field names, headrace.INDEX, ROWS and VALID in tuples and dicts (lists become tuples: tf.data takes them for
        tensors); None: a dict of all fields
    copy
        True: one copy, into memory that TensorFlow takes over, so that shuffle(), cache(), prefetch() and lists of
        tensors hold no slot. False: tensors over the slot itself, which returns once TensorFlow lets go of them: for
        loops that keep none

    In a plain loop the state of the stream is that of the batch last given (tf.data's own prefetch is switched off for
    that); with prefetch(), shuffle() and the like batches are taken ahead, so save it between epochs, or as
    stream.seek(epoch, steps done). A look, next(iter(...)), takes several there, which costs the epoch: use
    stream.peek(), or look before prefetch(). After stream.load_state_dict() into the middle of an epoch make the
    dataset anew: its cardinality is not known then.
    """
    if not isinstance(stream, Stream):
        raise TypeError(f"dataset() takes a headrace.Stream, not {type(stream).__name__}")
    arrangement = Arrangement(stream.schema, without_lists(structure))
    whole_epochs = stream.position[1] == 0
    buffers = Buffers()

    def tensor_of(batch: Batch, leaf: str) -> Any:
        if leaf == ROWS:
            return batch.rows
        array = array_of(batch, leaf)
        return buffers.copy(array) if copy else array

    leaves = tf.nest.flatten(arrangement.map(lambda leaf: leaf))  # tf.data sorts the keys of dicts

    def batches() -> Iterator[list[Any]]:
        _check_start(stream, whole_epochs)
        for batch in stream:
            made = [tensor_of(batch, leaf) for leaf in leaves]
            del batch
            yield made
            del made

    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    made = _generated(batches, arrangement.map(lambda leaf: _spec(stream, leaf))).with_options(options)
    return made.apply(tf.data.experimental.assert_cardinality(len(stream))) if whole_epochs else made


def _generated(generator: Callable[[], Iterator[list[Any]]], signature: Any) -> tf.data.Dataset:
    """What Dataset.from_generator() makes, of a generator of lists in the order of tf.nest.flatten(signature).

    from_generator() makes eager tensors of each element and compares them with the signature. Here the arrays go into
    tf.data as they are, which takes less time (bench_faces.py): a stream keeps to its schema.
    """
    specs = tf.nest.flatten(signature)
    numbers, running = itertools.count(), dict[int, Iterator[list[Any]]]()

    def begin() -> Any:
        number = next(numbers)
        running[number] = generator()
        return np.int64(number)

    def give(number: np.int64) -> list[Any]:
        return next(running[int(number)])  # StopIteration is the end for tf.data, too

    def end(number: np.int64) -> Any:
        running.pop(int(number), None)
        return number

    def first() -> Any:
        return tf.ensure_shape(tf.numpy_function(begin, [], tf.int64), ())

    def following(number: Any) -> Any:
        return tf.numpy_function(give, [number], [spec.dtype for spec in specs])

    def last(number: Any) -> Any:
        return tf.numpy_function(end, [number], tf.int64)

    numbered = [tf.TensorSpec((), tf.int64)]
    functions = [
        tf.function(function, input_signature=takes).get_concrete_function()
        for function, takes in ((first, []), (following, numbered), (last, numbered))
    ]

    def one_run(_: tf.Tensor) -> tf.data.Dataset:
        variant = tf.raw_ops.GeneratorDataset(
            init_func_other_args=[],
            next_func_other_args=[],
            finalize_func_other_args=[],
            init_func=functions[0],
            next_func=functions[1],
            finalize_func=functions[2],
            output_types=[spec.dtype for spec in specs],
            output_shapes=[spec.shape for spec in specs],
        )
        return tf.data.experimental.from_variant(variant, signature)

    # Of one run for each of one element: strategies that shard a dataset look for elements to share out.
    made = tf.data.Dataset.from_tensors(np.int64(0)).flat_map(one_run)
    made._functions = functions  # they end with the last who refers to them
    return made


def _check_start(stream: Stream, whole_epochs: bool) -> None:
    if stream.finished:
        raise Error(f"all {stream.epochs} epochs of {stream!r} are consumed; epochs = 0 in the service has no end")
    if whole_epochs and _goes_on_inside(stream):
        raise Error(
            f"{stream!r} goes on inside of an epoch, and this dataset was made for whole ones; call "
            "headrace.tensorflow.dataset() after load_state_dict() or seek()"
        )


def _goes_on_inside(stream: Stream) -> bool:
    """Attached to or sought there; a loop that was left in the middle of one is followed by the next epoch."""
    return stream._course.start is None and stream.position[1] > 0


def _spec(stream: Stream, leaf: str) -> tf.TensorSpec:
    rows = stream.batch if stream.last in ("drop", "pad") else None
    if leaf == ROWS:
        return tf.TensorSpec((), tf.int64)
    if leaf in (INDEX, VALID):
        return tf.TensorSpec((rows,), tf.int64 if leaf == INDEX else tf.float32)
    spec = stream.schema[leaf]
    return tf.TensorSpec((rows, *spec.shape), tf.dtypes.as_dtype(spec.type))
