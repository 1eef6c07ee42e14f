"""headrace.tensorflow: a tf.data.Dataset whose tensors own their memory, with the spec and the length of its stream."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import headrace
import numpy as np
import pytest
from conftest import BATCH, STEPS, assert_right
from headrace import INDEX, ROWS, VALID

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (tools/bootstrap --frameworks)")
from headrace.tensorflow import dataset  # noqa: E402


def test_spec_and_cardinality(stream):
    data = dataset(stream, {"x": ("x", "half"), "c": "count", "f": "flag", "i": INDEX, "n": ROWS, "v": VALID})
    assert int(data.cardinality()) == len(data) == STEPS
    assert data.element_spec == {
        "x": (tf.TensorSpec((BATCH, 4, 4), tf.float32), tf.TensorSpec((BATCH, 3), tf.bfloat16)),
        "c": tf.TensorSpec((BATCH,), tf.uint16),
        "f": tf.TensorSpec((BATCH,), tf.bool),
        "i": tf.TensorSpec((BATCH,), tf.int64),
        "n": tf.TensorSpec((), tf.int64),
        "v": tf.TensorSpec((BATCH,), tf.float32),
    }
    for batch in data:
        assert_right("x", batch["x"][0], batch["i"])
        assert_right("count", batch["c"], batch["i"])
    assert list(dataset(stream).element_spec) == list(stream.schema)
    with pytest.raises(headrace.Invalid, match="Did you mean 'label'"):
        dataset(stream, ("x", "lable"))


def test_short_batches_have_an_open_axis(service):
    with service.connect("odd") as stream:
        assert dataset(stream, "x").element_spec == tf.TensorSpec((None, 4, 4), tf.float32)
        assert [len(x) for x in dataset(stream, "x")] == [16] * 7 + [8]


@pytest.mark.parametrize("slots", [2, 4])
@pytest.mark.parametrize(
    "through",
    [lambda d: d, lambda d: d.prefetch(8), lambda d: d.shuffle(16), lambda d: d.cache(), lambda d: d.map(lambda *x: x)],
    ids=["plain", "prefetch", "shuffle", "cache", "map"],
)
def test_pipelines(serve, slots, through):
    with serve(slots=slots) as service, service.connect() as stream:
        data = through(dataset(stream, ("big", INDEX)))
        for _ in range(3):
            batches = list(data)  # more than slots
            assert sorted(np.concatenate([index for _, index in batches])) == list(range(128, 448))
            for big, index in batches:
                assert_right("big", big, index)
        assert stream.stats().held == 0


def test_without_a_copy(serve):
    with serve(slots=4) as service, service.connect() as stream:
        for _ in range(5):
            for big, index in dataset(stream, ("big", INDEX), copy=False):
                assert_right("big", big, index)


def test_lives_with_its_iterator(stream, steps):
    batches = iter(dataset(stream, INDEX))
    gc.collect()
    assert [index.numpy().tolist() for index in batches] == steps


def test_in_graphs_and_strategies(stream):
    data = dataset(stream, {"x": "x", "index": INDEX})  # tf.data sorts keys

    @tf.function
    def indexes(batches):
        seen = tf.TensorArray(tf.int64, size=0, dynamic_size=True)
        for batch in batches:
            seen = seen.write(seen.size(), batch["index"])
        return seen.concat()

    @tf.function
    def one(iterator):
        return next(iterator)

    everything = sorted(indexes(data).numpy())
    assert len(set(everything)) == STEPS * BATCH
    iterator = iter(data)
    given = [one(iterator) for _ in range(STEPS)]
    with pytest.raises(tf.errors.OutOfRangeError):
        one(iterator)
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    for batches in (given, list(strategy.experimental_distribute_dataset(data))):
        for batch in batches:
            assert_right("x", batch["x"], batch["index"])
        assert sorted(np.concatenate([batch["index"] for batch in batches])) == everything


def test_looks_and_state(stream, steps):
    data = dataset(stream, INDEX)
    assert next(iter(data)).numpy().tolist() == steps[0]
    assert next(iter(data.take(1))).numpy().tolist() == steps[0]
    for i, index in enumerate(data):
        if i == 5:
            state = stream.state_dict()
            break
    assert (state["epoch"], state["step"]) == (0, 6)
    stream.load_state_dict(state)
    with pytest.raises(tf.errors.UnknownError, match="after load_state_dict"):
        list(data)
    stream.load_state_dict(state)
    rest = dataset(stream, INDEX)
    assert rest.cardinality() == tf.data.UNKNOWN_CARDINALITY
    assert [index.numpy().tolist() for index in rest] == steps[6:]
    assert len(list(rest)) == STEPS  # the next epoch


def test_the_end(service):
    with service.connect("counted") as stream:
        stream.seek(1)
        data = dataset(stream, "x")
        assert len(list(data)) == STEPS
        with pytest.raises(tf.errors.UnknownError, match=r"2 epochs of .* are consumed"):
            list(data)


def test_wrong_arguments():
    with pytest.raises(TypeError, match=r"headrace.Stream"):
        dataset([1])
