"""A seek is no replay: what it costs is counted, far into an epoch as at its begin (bench_seek.py measures it)."""

import json

import h5py
import headrace
import numpy as np
import pytest
from service import control, running

STEPS, LATE = 1_200_000, 1_000_000


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "many.h5"
    with h5py.File(path, "w") as file:
        file["x"] = (np.arange(STEPS) % 251).astype(np.uint8)
    return path


@pytest.mark.parametrize("stagers", [1, 2])
def test_only_what_fits_the_ring_is_filled_after_a_seek(tmp_path, many, stagers):
    slots = 3
    with running(tmp_path, [many], stagers, batch=1, slots=slots, split_nodes=stagers > 1) as service, \
         headrace.connect(service.ready().name, progress=False) as stream:
        taken = 0
        for step in (0, LATE, 7, LATE + 1):
            stream.load_state_dict({**stream.state_dict(), "epoch": 0, "step": step})
            with next(iter(stream)) as batch:
                assert (batch.epoch, batch.step) == (0, step)
                assert batch["x"][0] == batch.index[0] % 251
            taken += 1
            guest = json.loads(control("stat", service, "--json").stdout)["trainers"][0]
            assert guest["batches"] == taken and guest["ready"] <= 2 * slots
            assert guest["epoch"] == 0 and guest["step"] in (step, step + 1)
