"""A few kills of what kills.py does; run that by hand for a thousand."""

import random

import kills


def test_exactly_once_over_kills(tmp_path):
    seed = random.randrange(10**6)
    print("seed", seed)
    print(kills.words(kills.run(tmp_path, 10, seed)))
