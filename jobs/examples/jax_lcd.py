#!/usr/bin/env python3
"""JAX: batches spread over all devices of this process, steps that are never waited for.

headrace serve -c jobs/lcd.toml lcd.h5 --name lcd &
python jobs/examples/jax_lcd.py lcd
"""

import sys

import headrace
import headrace.jax
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


@jax.jit
def step(weights, cells, label):
    def loss(weights):
        logits = cells.reshape(len(cells), -1) @ weights
        return -(label * jax.nn.log_softmax(logits)).sum(-1).mean()

    value, gradient = jax.value_and_grad(loss)(weights)
    return weights - 1e-3 * gradient, value


def main(service, epochs=2):
    mesh = Mesh(np.array(jax.local_devices()), ("data",))
    rows, whole = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("data",), ()))
    with headrace.connect(service, "train") as stream:
        weights = jnp.zeros((np.prod(stream.schema["ECAL"].shape), 4), device=whole)
        for epoch in range(epochs):
            for cells, label in headrace.jax.batches(stream, ("ECAL", "label"), sharding=rows):
                weights, value = step(weights, cells, label)
            print(f"epoch {epoch}: loss {float(value):.3f} on {len(mesh.devices)} devices")


if __name__ == "__main__":
    main(*sys.argv[1:2])
