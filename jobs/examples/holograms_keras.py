#!/usr/bin/env python3
"""Holograms in Keras, on any backend: how many particles has each? A loss of one's own sees the mask.

headrace serve -c jobs/holograms.toml --name holograms &
KERAS_BACKEND=jax python jobs/examples/holograms_keras.py holograms
"""

import sys

import headrace
import headrace.keras
import keras
from keras import layers

STRUCTURE = ("image", "particles_valid")


def squared_error_of_count(real, counted):
    """The target is the mask of what is real."""
    return keras.ops.square(keras.ops.sum(keras.ops.cast(real, "float32"), axis=-1) - counted[:, 0])


def main(service, epochs=2):
    with headrace.connect(service, "train") as train, headrace.connect(service, "val") as val:
        image = keras.Input(train.schema["image"].shape)
        x = layers.Permute((2, 3, 1))(image)
        x = layers.Conv2D(4, 5, strides=4, activation="relu")(x)
        x = layers.Dense(1)(layers.GlobalAveragePooling2D()(x))
        model = keras.Model(image, x)
        model.compile("adam", squared_error_of_count)
        data = headrace.keras.Dataset(train, STRUCTURE)
        model.fit(data, validation_data=headrace.keras.Dataset(val, STRUCTURE), epochs=epochs, verbose=2)


if __name__ == "__main__":
    main(*sys.argv[1:2])
