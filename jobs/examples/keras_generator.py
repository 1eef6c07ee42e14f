#!/usr/bin/env python3
"""Where a script has a generator of its own for Keras: the stream in its place, for fit() and for train_on_batch().

headrace serve -c jobs/lcd.toml lcd.h5 --name lcd &
KERAS_BACKEND=torch python jobs/examples/keras_generator.py lcd
"""

import sys

import headrace
import headrace.keras
import keras


def generate(stream):
    """Pairs, for ever."""
    while True:
        for batch in stream:
            yield batch["ECAL"].copy(), batch["label"].copy()


def main(service):
    with headrace.connect(service, "train") as stream:
        classes = stream.schema["label"].shape[0]
        model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes, activation="softmax")])
        model.compile("adam", "categorical_crossentropy")
        # As it was: Keras takes some batches ahead, and knows no length.
        model.fit(generate(stream), steps_per_epoch=len(stream), epochs=1, verbose=2)
        # Better: exact epochs, no copy where the backend needs none, and a state to save.
        model.fit(headrace.keras.Dataset(stream, ("ECAL", "label")), epochs=1, verbose=2)
        for batch in stream:  # a loop of one's own
            model.train_on_batch(batch["ECAL"], batch["label"])
        print("trained until epoch", stream.position[0])


if __name__ == "__main__":
    main(*sys.argv[1:2])
