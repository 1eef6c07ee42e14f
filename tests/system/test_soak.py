"""Every kind of turn of soak.py, twice; by hand it goes on for hours."""

import random

import soak


def test_nothing_wrong_lost_or_twice_and_nothing_grows(tmp_path):
    seed = random.randrange(10**6)
    print("seed", seed)
    enough = lambda done: all(done.turns[kind] >= 2 for kind in soak.KINDS)
    done = soak.run(tmp_path, seed, enough, split=True, samples=2400)
    print(done.words())
    assert done.bad == 0 and not done.growth.grown()
