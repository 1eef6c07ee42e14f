"""A few kills of what tests/system/kills.py does over simulated nodes; run that by hand for a thousand."""

import random

import kills
import pytest
from cluster import Unavailable
from kills_places import Nodes


def test_exactly_once_over_kills(tmp_path):
    try:
        nodes = Nodes()
    except Unavailable as error:
        pytest.skip(str(error))
    seed = random.randrange(10**6)
    print("seed", seed)
    print(kills.words(kills.run(tmp_path, 5, seed, nodes)))
