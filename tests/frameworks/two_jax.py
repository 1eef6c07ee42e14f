"""One of two JAX processes that make one global array of each batch: writes the sample numbers of its own rows, and
what a computation over the rows of both found at each step.

    two_jax.py SERVICE FOLDER PROCESS ADDRESS
"""

import json
import os
import sys
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"

import headrace
import headrace.jax
import jax
import jax.numpy as jnp
import numpy as np
from headrace import INDEX
from jax.sharding import Mesh, NamedSharding, PartitionSpec


@jax.jit
def over_all_rows(x, index):
    return jnp.abs(x - index.astype(x.dtype)[:, None, None]).max(), index.sum(), index.shape[0]


def main(service, folder, process, address):
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(address, 2, int(process))
    rows = NamedSharding(Mesh(jax.devices(), "data"), PartitionSpec("data"))
    seen, found = [], []
    # Rank and world size are those of JAX.
    with headrace.connect(service, "train", timeout=60, progress=False) as stream:
        for x, index in headrace.jax.batches(stream, ("x", INDEX), sharding=rows):
            found.append([float(of_all) for of_all in over_all_rows(x, index)])
            seen += [int(i) for shard in index.addressable_shards for i in np.asarray(shard.data)]
        rank = stream.rank
    assert rank == jax.process_index()
    Path(folder, f"{rank}.json").write_text(json.dumps({"seen": seen, "found": found}))
    jax.distributed.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
