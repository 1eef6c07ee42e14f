#!/usr/bin/env python3
"""Two calorimeters, one classifier: DLKit's model with two inputs, in Keras on any backend.

headrace serve -c jobs/lcd.toml lcd.h5 --name lcd &
KERAS_BACKEND=torch python jobs/examples/keras_lcd.py lcd
"""

import sys

import headrace
import headrace.keras
import keras
from keras import layers

STRUCTURE = (["ECAL", "HCAL"], "label")


def tower(shape, name):
    cells = keras.Input(shape, name=name)
    x = layers.Reshape((*shape, 1))(cells)
    x = layers.Conv3D(4, 5, strides=2, activation="relu")(x)
    return cells, layers.Flatten()(layers.MaxPooling3D(2, padding="same")(x))


def main(service, epochs=2):
    with headrace.connect(service, "train") as train, headrace.connect(service, "val") as val:
        towers = [tower(train.schema[name].shape, name) for name in STRUCTURE[0]]
        x = layers.Concatenate()([features for _, features in towers])
        x = layers.Dense(32, activation="relu")(x)
        x = layers.Dense(train.schema["label"].shape[0], activation="softmax")(x)
        model = keras.Model([cells for cells, _ in towers], x)
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        data, validation = (headrace.keras.Dataset(stream, STRUCTURE) for stream in (train, val))
        model.fit(data, validation_data=validation, epochs=epochs, verbose=2)


if __name__ == "__main__":
    main(*sys.argv[1:2])
