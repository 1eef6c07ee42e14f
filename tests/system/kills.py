"""Kills at random moments, restart and resume: is every sample of every epoch consumed exactly once?

    kills.py [--kills 100] [--seed N]        with HEADRACE_BUILD and PYTHONPATH as the tests have them
    kills.py --journal FILE --until 1000     goes on where it was stopped: FILE has a line for each part that is done
             [--only here | --only nodes]    parts are on this machine and over simulated nodes in turns

A job is a service and its trainers. What is killed:

    trainer   one trainer; its successor goes on where the service has its rank
    stager    one stager (mpirun ends the others), mpirun (the stagers end by themselves), or    service   all of it at once:
              where trainers reconnect they live on; else all start again, with the newest checkpoint that each of them wrote
    job       all trainers; others come to the same service, with that checkpoint
    node      a node with all that runs on it, half of the time by a power cut, of which nobody is told; all start again

The end of a part is the check: every sample of every epoch once. Exit code 1 where one failed; its line has the seed.
"""

import argparse
import collections
import json
import os
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

from kills_job import Job, until
from kills_places import Here, Nodes

PART = 20  # kills


def run(folder, kills, seed, place=None):
    """Returns what was done."""
    chance, count, began = random.Random(seed), collections.Counter(), time.monotonic()
    with place or Here() as place:
        job = Job(folder, chance, place)
        try:
            for _ in range(kills):
                if chance.random() < 0.7:  # else they may still be starting
                    until(job.checkpoint, f"a checkpoint:\n{job.words()}")
                time.sleep(chance.uniform(0, 0.7))  # any moment
                kind = chance.choice(place.kinds)
                job.kill(kind)
                count[kind] += 1
            epochs = job.finish()
            job.check(epochs)
            assert "AUDIT FAILED" not in job.service.text, job.service.text
        finally:
            for trainer in job.trainers.values():
                place.kill(trainer)
                trainer.wait()
            place.clear(job.service)
        return {"where": place.name, "seed": seed, "kills": dict(sorted(count.items())), "epochs": epochs,
                "begins": job.segment, "resumed": job.resumed, "seconds": round(time.monotonic() - began)}


def words(done):
    kinds = ", ".join(f"{n} x {kind}" for kind, n in done["kills"].items())
    return (f"{sum(done['kills'].values())} kills ({kinds}) in {done['seconds']:,} s: trainers began {done['begins']} times, "
            f"{done['resumed']} of them at a new checkpoint; every sample of {done['epochs']} epochs exactly once")


def total(parts):
    """Of what was done, all together."""
    numbers = {key: sum(part[key] for part in parts) for key in ("epochs", "begins", "resumed", "seconds")}
    kills = collections.Counter()
    for part in parts:
        kills.update(part["kills"])
    return {"kills": dict(sorted(kills.items())), **numbers}


def go_on(journal, goal, only):
    """Parts until so many kills are in the journal. Returns the number of parts that failed."""
    lines = journal.read_text().splitlines(keepends=True) if journal.exists() else []
    parts = [json.loads(line) for line in lines if line.endswith("\n")]
    places = {"here": [Here], "nodes": [Nodes]}.get(only, [Here, Nodes])
    while sum(total(good(parts))["kills"].values()) < goal:
        place, seed = places[len(parts) % len(places)], random.randrange(10**6)
        with tempfile.TemporaryDirectory() as folder:
            try:
                part = run(Path(folder), PART, seed, place())
            except Exception:  # not where it is told to end: such a part is not done
                part = {"where": place.name, "seed": seed, "failed": traceback.format_exc()[-4000:]}
        parts.append(part)
        with journal.open("a") as file:
            file.write(json.dumps(part) + "\n")
            os.fsync(file.fileno())
        print(part.get("failed") or words(total(good(parts))), flush=True)
    for place in (Here, Nodes):
        if there := [part for part in good(parts) if part["where"] == place.name]:
            print(f"{place.name}: {words(total(there))}")
    failed = [part for part in parts if "failed" in part]
    for part in failed:
        print(f"FAILED on {part['where']} with seed {part['seed']}:\n{part['failed']}")
    return len(failed)


def good(parts):
    return [part for part in parts if "failed" not in part]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--until", type=int, default=1000, help="kills in the journal")
    parser.add_argument("--only", choices=["here", "nodes"])
    given = parser.parse_args()
    if given.journal:
        return 1 if go_on(given.journal, given.until, given.only) else 0
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as made:
        print(words(run(Path(made), given.kills, given.seed, Nodes() if given.only == "nodes" else Here())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
