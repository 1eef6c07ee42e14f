"""Fields of random shapes, types, byte orders and operations, on any number of stagers, against NumPy."""

import numpy as np
import pytest
from field_files import deliver
from random_fields import Drawn, Files


@pytest.mark.parametrize("seed, stagers, split", [(1, None, False), (2, 1, False), (3, 2, True), (4, 3, False), (5, 5, True)])
def test_random_fields(tmp_path, seed, stagers, split):
    files = Files(np.random.default_rng(seed), tmp_path)
    drawn = [Drawn(files, f"field {i}") for i in range(60)]
    chosen = slice(None) if seed % 2 else slice(2, -1, 2)
    keys = {} if seed % 2 else {"select": "2:-1:2"}
    rows, numbers, _ = deliver(tmp_path, files.paths, {field.name: field.section for field in drawn}, stagers, split, **keys)
    assert numbers.tolist() == list(range(files.n))[chosen]
    for field in drawn:
        field.rows, field.real = field.rows[numbers], field.real if field.real is None else field.real[numbers]
        field.check(rows[field.name], rows)


@pytest.mark.parametrize("seed", range(100, 112))
def test_random_layouts(tmp_path, seed):
    """Whatever layout, index and filters the rows have, read in every way by 1 to 5 stagers."""
    stagers, io = 1 + seed % 5, ["auto", "collective", "direct"][seed % 3]
    files = Files(np.random.default_rng(seed), tmp_path, np.random.default_rng(1000 + seed))
    drawn = [Drawn(files, f"field {i}") for i in range(30)]
    rows, numbers, _ = deliver(tmp_path, files.paths, {field.name: field.section for field in drawn}, stagers, seed % 2 == 0, io=io)
    assert numbers.tolist() == list(range(files.n))
    for field in drawn:
        field.check(rows[field.name], rows)
