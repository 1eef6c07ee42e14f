"""headrace.keras: fit, evaluate and predict see every sample once, on the backend that KERAS_BACKEND names."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import headrace
import numpy as np
import pytest
from conftest import BATCH, SAMPLES, STEPS, expected

keras = pytest.importorskip("keras", reason="Keras is not installed (tools/bootstrap --frameworks)")
pytest.importorskip(keras.backend.backend(), reason="Keras' backend is not installed (tools/bootstrap --frameworks)")
from headrace.keras import Dataset  # noqa: E402

TRAIN, VAL = range(128, SAMPLES), range(120)
STRUCTURE = ({"x": "x", "big": "big"}, "label")


class Odd(keras.metrics.Metric):
    """How many samples were not seen exactly once, or with other values than theirs. The target is their number."""

    def __init__(self, wanted, name="odd"):
        super().__init__(name=name)
        self.wanted = np.isin(np.arange(SAMPLES), wanted).astype(np.float32)
        self.seen = self.add_weight(shape=(SAMPLES,), initializer="zeros", name="seen")
        self.wrong = self.add_weight(shape=(), initializer="zeros", name="wrong")

    def update_state(self, y_true, y_pred, sample_weight=None):
        number = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1,))
        weight = keras.ops.ones_like(number) if sample_weight is None else keras.ops.reshape(sample_weight, (-1,))
        off = keras.ops.max(keras.ops.abs(y_pred - keras.ops.cast(number, "float32")[:, None]), axis=1)
        self.wrong.assign_add(keras.ops.sum(keras.ops.cast(off > 0, "float32")))
        self.seen.assign_add(
            keras.ops.sum(keras.ops.one_hot(number, SAMPLES) * keras.ops.cast(weight, "float32")[:, None], axis=0)
        )

    def result(self):
        return keras.ops.sum(keras.ops.abs(self.seen - self.wanted)) + 1000 * self.wrong


def make_model(wanted, validated=None):
    """Gives its inputs, averaged over places: all of them are the sample's number."""
    x, big = keras.Input((4, 4), name="x"), keras.Input((32, 48), name="big")
    means = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling1D()(part) for part in (x, big)])
    out = keras.layers.Dense(52, use_bias=False, kernel_initializer="identity")(means)
    model = keras.Model({"x": x, "big": big}, out)
    metrics = [Odd(wanted)] + ([Odd(validated, "odd_validated")] if validated is not None else [])
    model.compile(keras.optimizers.SGD(0.0), lambda y, out: keras.ops.mean(out, axis=-1), weighted_metrics=metrics)
    return model


def lazy_model():
    """Is built by a look at the first batch."""
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("shuffle", [True, False])
def test_fit_with_validation(stream, val, shuffle):
    model = make_model(list(TRAIN), list(VAL))
    train, validation = Dataset(stream, STRUCTURE), Dataset(val, STRUCTURE)
    assert len(train) == STEPS
    history = model.fit(train, validation_data=validation, epochs=3, shuffle=shuffle, verbose=0).history
    assert history["odd"] == [0, 0, 0]
    assert history["val_odd_validated"] == [0, 0, 0]  # last = pad: without the rows that are repeated
    assert stream.position == (3, 0) and val.position == (3, 0)
    again = model.fit(train, epochs=2, verbose=0).history
    assert again["odd"] == [0, 0] and stream.position == (5, 0)


def test_several_inputs_and_targets(stream):
    """As lists of Keras' functional models."""
    inputs = [keras.Input((4, 4)), keras.Input((8, 6, 3))]
    means = [
        keras.layers.GlobalAveragePooling1D()(inputs[0]),
        keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1.0)(inputs[1])),
    ]
    model = keras.Model(inputs, means)
    first = lambda y, out: keras.ops.mean(keras.ops.square(out[:, 0] - keras.ops.cast(y, "float32")))  # noqa: E731
    image = lambda y, out: keras.ops.mean(keras.ops.square(out - keras.ops.cast(y, "float32")[:, 0, 0]))  # noqa: E731
    model.compile("sgd", [first, image])
    history = model.fit(Dataset(stream, (["x", "image"], ["label", "image"])), epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], 0, atol=1e-3)
    assert stream.position == (2, 0)


def test_counted_epochs(service):
    with service.connect("counted") as stream:
        stream.seek(0)
        data = Dataset(stream, STRUCTURE)
        history = make_model(list(TRAIN)).fit(data, epochs=2, verbose=0).history
        assert history["odd"] == [0, 0] and stream.finished
        with pytest.raises(Exception, match=r"epochs of .* are consumed"):
            make_model(list(TRAIN)).fit(data, epochs=1, verbose=0)


def test_building_a_model_costs_nothing(service):
    with service.connect("counted") as stream:
        stream.seek(0)
        model = lazy_model()
        model.fit(Dataset(stream, ("x", "x")), epochs=2, verbose=0)
        assert stream.position == (2, 0)


if keras.backend.backend() == "tensorflow":  # whose strategies are

    def test_building_a_model_in_a_strategy_costs_nothing(service):
        """It iterates a dataset that reads ahead: several batches, as many as TensorFlow likes."""
        import tensorflow as tf

        with service.connect("counted") as stream:
            stream.seek(0)
            data = Dataset(stream, ("x", "x"))
            with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
                model = lazy_model()
            model.fit(data, epochs=1, verbose=0)
            assert data.position == (1, 0)
            model.fit(data, epochs=1, verbose=0)
            assert data.position == (2, 0)


@pytest.mark.parametrize("batches", [1, 2])
def test_epochs_of_few_batches_follow_one_another(serve, batches):
    """As few as a look may take."""
    rows = list(range(128, 128 + batches * BATCH))
    with serve(**{"stream.train.select": f"128:{rows[-1] + 1}"}) as service, service.connect() as stream:
        data = Dataset(stream, STRUCTURE)
        positions = []
        told = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: positions.append(data.position))
        for _ in range(2):
            assert make_model(rows).fit(data, epochs=3, callbacks=[told], verbose=0).history["odd"] == [0] * 3
        assert positions == [(epoch, 0) for epoch in range(1, 7)]


def test_an_epoch_that_was_broken_off(stream):
    """The next one is that after it; but who goes elsewhere is there, whatever had been taken."""

    class Fails(keras.callbacks.Callback):
        at = 0

        def on_train_batch_end(self, batch, logs=None):
            if batch == self.at:
                raise KeyError("of a test")

    data, model, fails = Dataset(stream, STRUCTURE), make_model(list(TRAIN)), Fails()
    with pytest.raises(KeyError):
        model.fit(data, callbacks=[fails], verbose=0)
    data.seek(3, 5)
    assert data.position == (3, 5)
    data.seek(4)
    fails.at = 9
    with pytest.raises(KeyError):
        model.fit(data, callbacks=[fails], verbose=0)
    assert model.fit(data, verbose=0).history["odd"] == [0] and data.position == (6, 0)


def test_steps_per_epoch_go_on_in_the_epoch(stream):
    """Four times five steps are one epoch of the stream."""

    class Seen(keras.callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1

    seen, model = Seen(), make_model(list(TRAIN))
    history = model.fit(Dataset(stream, STRUCTURE), epochs=4, steps_per_epoch=5, callbacks=[seen], verbose=0).history
    assert history["odd"] == [len(TRAIN) - 5 * BATCH] * 4  # 80 of them once, none twice
    assert seen.batches == STEPS
    model.fit(Dataset(stream, STRUCTURE), epochs=1, verbose=0)
    assert model.history.history["odd"] == [0]


def test_evaluate_and_predict(val):
    model = make_model(list(VAL))
    data = Dataset(val, STRUCTURE)
    for _ in range(2):
        assert model.evaluate(data, return_dict=True, verbose=0)["odd"] == 0
    predicted = model.predict(data, verbose=0)
    np.testing.assert_array_equal(predicted[:120, 0], expected("x", np.arange(120))[:, 0, 0])
    assert model.evaluate(data, steps=3, return_dict=True, verbose=0)["odd"] == 120 - 3 * BATCH
    alone = keras.Model(model.input, model.output)
    assert alone.predict(Dataset(val, {"x": "x", "big": "big"}), verbose=0).shape == (120, 52)


def classifier():
    """Starts alike each time."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax", kernel_initializer="zeros")]
    model = keras.Sequential([keras.Input((4, 4)), keras.layers.Rescaling(1 / SAMPLES), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
    return model


class Thirds(keras.utils.PyDataset):
    """Labels 0 to 2, of a Dataset whose second part is sample numbers."""

    def __init__(self, data):
        super().__init__()
        self.data, self.on_epoch_begin, self.on_epoch_end = data, data.on_epoch_begin, data.on_epoch_end

    @property
    def num_batches(self):
        return self.data.num_batches

    def __len__(self):
        return len(self.data)

    def __getitem__(self, number):
        x, label = self.data[number]
        return x, np.asarray(label) % 3


def test_what_fit_says_is_what_it_says_of_arrays(serve):
    """Losses, metrics and class weights, with a last batch that is not full and was padded by the service."""
    index = np.arange(120)
    x, label, weights = expected("x", index), index % 3, {0: 1.0, 1: 2.0, 2: 0.5}
    model, given = classifier(), {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    wanted = model.fit(x, label, epochs=2, class_weight=weights, validation_data=(x, label), **given).history
    evaluated = model.evaluate(x, label, batch_size=BATCH, return_dict=True, verbose=0)
    as_val = {"stream.train.select": ":120", "stream.train.shuffle": "none", "stream.train.last": "pad"}
    with serve(**as_val) as service, service.connect() as stream, service.connect("val") as val:
        data, checks = (Thirds(Dataset(each, ("x", "label"))) for each in (stream, val))
        model = classifier()
        history = model.fit(data, epochs=2, class_weight=weights, validation_data=checks, verbose=0).history
        assert set(history) == set(wanted)
        for name, values in wanted.items():
            np.testing.assert_allclose(history[name], values, rtol=1e-4, err_msg=name)
        found = model.evaluate(checks, return_dict=True, verbose=0)
        np.testing.assert_allclose([found[name] for name in evaluated], list(evaluated.values()), rtol=1e-4)


def test_a_loop_over_batches_by_number(stream, steps):
    """Of a user's own, outside of fit(): after two batches it is no look."""
    data = Dataset(stream, headrace.INDEX)
    assert [data[i][0].tolist() for i in range(3)] == steps[:3]
    assert data.position == (0, 3)
    assert [data[i][0].tolist() for i in range(3, len(data))] == steps[3:] and data.position == (1, 0)
    assert sorted(row for i in range(len(data)) for row in data[i][0]) == list(TRAIN) and data.position == (2, 0)


def test_validation_in_steps_begins_at_the_first_sample(stream, val):
    model = make_model(list(TRAIN), list(range(48)))
    validation = Dataset(val, STRUCTURE)
    history = model.fit(Dataset(stream, STRUCTURE), validation_data=validation, validation_steps=3, epochs=3, verbose=0)
    assert history.history["val_odd_validated"] == [0, 0, 0]


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_state_inside_of_an_epoch(stream, monkeypatch, device):
    if keras.backend.backend() == "tensorflow":
        return  # it reads ahead of the state, and the face's help says so
    if keras.backend.backend() == "jax":  # of which Keras' iterator reads one batch ahead, if it is no CPU
        monkeypatch.setattr("jax.default_backend", lambda: device)
    states = []

    class Save(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            state = data.state_dict()
            states.append((state["epoch"], state["step"]))

    data = Dataset(stream, STRUCTURE)
    make_model(list(TRAIN)).fit(data, epochs=2, callbacks=[Save()], verbose=0)
    wanted = [(epoch + (step == STEPS), step % STEPS) for epoch in range(2) for step in range(1, STEPS + 1)]
    if keras.backend.backend() == "jax" and device == "gpu":
        wanted[STEPS - 2 :: STEPS] = wanted[STEPS - 1 :: STEPS]  # the last was asked for: for the face that is the end
    assert states == wanted


def test_arrays_that_are_kept(stream):
    """A callback, or a metric, that keeps what it got: more of them than slots."""
    data = Dataset(stream, ("x", "label"), copy=True)
    kept = [data[i] for i in range(STEPS)]
    assert stream.stats().held == 0
    for x, label in kept:
        np.testing.assert_array_equal(x, expected("x", label))


def test_structures_of_keras(stream, val):
    assert [type(part).__name__ for part in Dataset(val, ("x", "label"))[0]] == ["ndarray"] * 2
    val.seek(0, 7)
    assert [len(part) for part in Dataset(val, ("x", "label"))[0]] == [8, 8]
    val.seek(0, 7)
    *parts, valid = Dataset(val, ("x", "label", headrace.VALID))[0]
    assert [len(part) for part in parts] == [BATCH] * 2 and valid.tolist() == [1] * 8 + [0] * 8
    val.seek(0)
    assert len(Dataset(stream, ("x", "label"))[0]) == 2
    assert len(Dataset(val, ("x", "label", "x"))[0]) == 3
    assert len(Dataset(stream, "x")[0]) == 1
    for structure, words in (
        (None, "which fields are inputs"),
        (("x", "x", "x", "label"), "4 parts"),
        (("x", headrace.ROWS), "ROWS"),
        (("x", "lable"), "Did you mean 'label'"),
    ):
        with pytest.raises(headrace.Invalid, match=words):
            Dataset(stream, structure)


def test_workers_are_refused(stream):
    for options in ({"workers": 3}, {"use_multiprocessing": True}):
        with pytest.raises(headrace.Invalid, match="leave out workers"):
            Dataset(stream, ("x", "label"), **options)
    with pytest.raises(TypeError, match="knows no batch_size"):
        Dataset(stream, ("x", "label"), batch_size=3)
    with pytest.raises(TypeError, match=r"takes a headrace.Stream"):
        Dataset([1, 2])


def test_padded_batches_of_several_trainers_stay_alike(serve):
    """They go through collective operations together."""
    with serve(trainers_per_node=2, batch=BATCH) as service, service.connect("val", rank=1, world_size=2) as stream:
        data = Dataset(stream, ("x", "label"))
        *parts, weight = [data[i] for i in range(len(data))][-1]
        assert {len(part) for part in parts} == {BATCH} and 0 < weight.sum() < BATCH


@pytest.mark.parametrize("slots", [2])
def test_few_slots(serve, slots):
    with serve(slots=slots) as service, service.connect() as stream:
        history = make_model(list(TRAIN)).fit(Dataset(stream, STRUCTURE), epochs=4, verbose=0).history
        assert history["odd"] == [0] * 4
