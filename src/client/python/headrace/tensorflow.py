"""TensorFlow: a stream as a tf.data.Dataset, one epoch of the stream for each iteration.

train = headrace.tensorflow.dataset(stream, ("ECAL", "label")).prefetch(2)
for epoch in range(10):
    for x, y in train:
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

import numpy as np

try:
    import tensorflow as tf
except ImportError as error:
    raise ImportError(f"headrace.tensorflow needs TensorFlow ({error}): pip install 'headrace[tensorflow]'") from error

from ._memory import Buffers
from .errors import Error
from .stream import Stream
from .structure import INDEX, ROWS, VALID, Arrangement, Structure, without_lists

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
    stream.seek(epoch, steps done). After stream.load_state_dict() into the middle of an epoch make the dataset anew:
    its cardinality is not known then.
    """
    if not isinstance(stream, Stream):
        raise TypeError(f"dataset() takes a headrace.Stream, not {type(stream).__name__}")
    arrangement = Arrangement(stream.schema, without_lists(structure))
    whole_epochs = stream.position[1] == 0
    buffers = Buffers()

    def convert(_: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return buffers.copy(array) if copy else array

    def batches() -> Iterator[Any]:
        _check_start(stream, whole_epochs)
        for batch in stream:
            made = arrangement.build(batch, convert)
            del batch
            yield made
            del made

    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    signature = arrangement.map(lambda leaf: _spec(stream, leaf))
    made = tf.data.Dataset.from_generator(batches, output_signature=signature).with_options(options)
    return made.apply(tf.data.experimental.assert_cardinality(len(stream))) if whole_epochs else made


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
