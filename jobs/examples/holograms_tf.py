#!/usr/bin/env python3
"""Holograms as a tf.data pipeline, and a look at one of them.

headrace serve -c jobs/holograms.toml --name holograms &
python jobs/examples/holograms_tf.py holograms hologram.png
"""

import sys

import headrace
import headrace.tensorflow
import matplotlib
import tensorflow as tf

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main(service, picture="hologram.png"):
    with headrace.connect(service, "train") as stream:
        image = stream.peek()["image"][0]  # a copy; the epoch is still whole
        plt.imshow(image.squeeze(), cmap="gray")
        plt.savefig(picture)

        data = headrace.tensorflow.dataset(stream, ("image", "particles"))
        data = data.map(lambda image, particles: (tf.image.per_image_standardization(image), particles)).prefetch(2)
        layer = tf.Variable(tf.zeros((image.size, 4)))
        for x, particles in data:
            with tf.GradientTape() as tape:
                guess = tf.reshape(x, (len(x), -1)) @ layer
                loss = tf.reduce_mean(tf.square(guess - tf.reduce_mean(particles, axis=1)))
            layer.assign_sub(1e-6 * tape.gradient(loss, layer))
        print(f"{int(data.cardinality())} batches, loss {float(loss):.3f}; the first hologram is in {picture}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
