"""A service for hours under what trainers do to it: is every batch right, and does nothing grow?

    soak.py [--seconds 3600] [--batches 1e7] [--turns N] [--samples 12000] [--stagers 2] [--split-nodes] [--seed N]
                                             with HEADRACE_BUILD and PYTHONPATH as the tests have them

One service lives all the time. In each turn its trainers take one epoch together, and something happens to one of them:

    full, broken, left     nothing; loops that are left and go on; the epoch before is left in its middle
    seeks                  hundreds of seeks, a few batches at each
    again, fork            it comes again in the same process; and while a forked child still has its descriptors
    killed, stopped        by SIGKILL, with batches held and overwritten; while it stands still. Its place is taken over
    taken                  it closes without a goodbye and lives on with its batches, while another has its place
    hostile                somebody else takes its place, breaks the rules, is thrown out, and writes on
    stray                  it does not load the state that the others loaded, is thrown out, and writes on

while one more trainer, in a stream of its own, is never disturbed. Each value of each batch is compared with that of the
sample that it claims to be; each epoch must have every sample once. After each turn, when all who were thrown out are
gone, memory, descriptors and threads of every process are looked at: once there was a turn of each kind, none may grow.

SIGINT or SIGTERM ends it after the turn, with what was found so far.
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads are counted

from samples import FIELDS as ALL_FIELDS
from samples import write
from service import Service, control, until
from soak_board import FIELDS, Board, Truth
from soak_growth import Growth
from soak_trainer import Honest, Hostile, Worker

SAMPLES, BATCH, RANKS, KNOWN = 12_000, 4, 3, 4
KINDS = ("full", "broken", "left", "seeks", "again", "fork", "killed", "stopped", "taken", "hostile", "stray")
LONG = 1200  # seconds: on a machine that has much else to do


class Soak:
    def __init__(self, folder, seed, stagers=2, split=False, tell=print, samples=SAMPLES):
        self.tell = tell
        self.chance, self.seed = random.Random(seed), seed
        self.nodes = stagers if split else 1
        self.samples = samples
        files = write(folder, samples // 2 + 100, samples // 2 - 100, fields={name: ALL_FIELDS[name] for name in FIELDS})
        (folder / "soak.toml").write_text(f'[stream.train]\nbatch = {BATCH}\nlast = "partial"\n'
                                          f'[stream.alone]\nbatch = {BATCH}\nlast = "partial"\n')
        flags = {"config": folder / "soak.toml", "trainers_per_node": RANKS, "split_nodes": split, "audit": "full",
                 "stay": True, "threads": 1, "seed": seed}
        self.truth = Truth(samples)
        steps = -(-samples // (BATCH * RANKS))
        self.boards = [Board(steps, BATCH) for _ in range(RANKS)]
        self.own = Board(-(-samples // BATCH), BATCH)
        self.known = {epoch: [Board(steps, BATCH).taken for _ in range(RANKS)] for epoch in range(1, KNOWN + 1)}
        self.learnt = set()
        self.turns, self.lost, self.twice, self.epochs = collections.Counter(), 0, 0, 0
        self.growth, self.began = Growth(), time.monotonic()
        self.others = []  # who was thrown out, for as long as the turn takes
        self.workers = {}
        self.service = Service(folder, files, stagers, flags)

    # -- trainers ------------------------------------------------------------------------------------------------------

    def start(self):
        self.service.ready(self.nodes)
        for rank in range(RANKS):
            self.come(rank)
        self.alone = Worker(Honest(self.service.name, "alone", 0, 1, self.own, self.truth, {}))
        self.alone.call("attach")
        self.alone.ask("endless")

    def node(self, rank):
        return rank % self.nodes

    def come(self, rank):
        """A new process for this rank, which goes on where the service has it."""
        known = {epoch: boards[rank] for epoch, boards in self.known.items()}
        name = self.service.node(self.node(rank))
        self.workers[rank] = Worker(Honest(name, "train", rank, RANKS, self.boards[rank], self.truth, known))
        return self.workers[rank].call("attach")

    def begin(self, epoch, ranks=range(RANKS), **how):
        for rank in ranks:
            self.workers[rank].ask("epoch", epoch, **{"begin": "seek", "hold": self.chance.randrange(3), **how})

    def finish(self, *ranks):
        for rank in ranks or range(RANKS):
            self.workers[rank].answer(LONG)

    def in_the_middle(self, rank):
        """Waits until this rank has come to some place in its epoch."""
        board = self.boards[rank]
        place = self.chance.randrange(board.steps * 2 // 3)
        until(lambda: board.turn > place or self.workers[rank].ours.poll(), f"step {place} of trainer {rank}", LONG)

    def others_than(self, rank):
        return [other for other in range(RANKS) if other != rank]

    # -- what happens in a turn ----------------------------------------------------------------------------------------

    def full(self, epoch, rank):
        self.begin(epoch)
        self.finish()

    def broken(self, epoch, rank):
        steps = self.boards[0].steps
        self.begin(epoch, breaks=sorted(self.chance.sample(range(steps - 1), 40)))
        self.finish()

    def left(self, epoch, rank):
        self.begin(epoch, begin="left")
        self.finish()

    def seeks(self, epoch, rank):
        for other in range(RANKS):
            places = [(self.chance.choice(sorted(self.learnt)), self.chance.randrange(self.boards[0].steps - 3)) for _ in range(200)]
            self.workers[other].ask("seeks", places)
        self.finish()
        self.full(epoch, rank)

    def again(self, epoch, rank):
        self.begin(epoch, self.others_than(rank))
        worker = self.workers[rank]
        begin = "seek"
        for stop in sorted(self.chance.sample(range(self.boards[0].steps - 1), 5)):
            worker.call("epoch", epoch, begin=begin, until=stop)
            worker.call("leave")
            worker.call("come_back")
            begin = None
        worker.call("epoch", epoch)
        self.finish(*self.others_than(rank))

    def fork(self, epoch, rank):
        self.begin(epoch, self.others_than(rank))
        worker = self.workers[rank]
        worker.call("epoch", epoch, begin="seek", hold=1, until=self.chance.randrange(self.boards[0].steps - 1))
        child = worker.call("fork")
        worker.call("leave")
        worker.call("come_back")
        worker.call("epoch", epoch)
        worker.call("end_child", child)
        self.finish(*self.others_than(rank))

    def killed(self, epoch, rank):
        self.begin(epoch)
        self.in_the_middle(rank)
        self.workers[rank].kill()
        self.take_over(epoch, rank)

    def stopped(self, epoch, rank):
        self.begin(epoch)
        self.in_the_middle(rank)
        os.kill(self.workers[rank].pid, signal.SIGSTOP)
        self.finish(*self.others_than(rank))  # held up by nobody
        if self.chance.random() < 0.5:
            os.kill(self.workers[rank].pid, signal.SIGCONT)
            return self.finish(rank)
        self.workers[rank].kill()
        self.come(rank)
        self.workers[rank].call("epoch", epoch)

    def taken(self, epoch, rank):
        self.begin(epoch, self.others_than(rank))
        worker = self.workers[rank]
        worker.call("epoch", epoch, begin="seek", hold=2, until=self.chance.randrange(2, self.boards[0].steps - 1))
        worker.call("leave", goodbye=False)
        self.others.append(worker)
        self.take_over(epoch, rank)

    def hostile(self, epoch, rank):
        self.begin(epoch, self.others_than(rank))
        worker = self.workers[rank]
        worker.call("epoch", epoch, begin="seek", until=self.chance.randrange(self.boards[0].steps - 1))
        killed = self.chance.random() < 0.5  # else it says goodbye
        if killed:
            worker.kill()
        else:
            worker.call("leave")
        address = f"\0headrace/{os.geteuid()}/{self.service.node(self.node(rank))}"
        enemy = Worker(Hostile(address, "train", rank, RANKS))
        self.others.append(enemy)
        enemy.call("attach")
        enemy.call("breach", self.chance.choice(Hostile.BREACHES))
        enemy.ask("scribble", LONG)
        if killed:
            self.come(rank)
        else:
            worker.call("come_back")
        self.workers[rank].ask("epoch", epoch, hold=2)
        self.finish()

    def stray(self, epoch, rank):
        for other in self.others_than(rank):
            self.workers[other].call("load", epoch)
        stray = self.workers[rank]
        stray.call("stray")
        self.others.append(stray)
        self.come(rank)
        self.workers[rank].call("load", epoch)
        self.begin(epoch, begin=None, hold=2)
        stray.call("scribble")
        self.finish()

    def take_over(self, epoch, rank):
        self.come(rank)
        self.workers[rank].ask("epoch", epoch, hold=2)
        self.finish()

    # -- turns ---------------------------------------------------------------------------------------------------------

    def turn(self, kind):
        """One epoch of all trainers, and what came of it."""
        epoch = next((e for e in range(1, KNOWN + 1) if e not in self.learnt), None)
        if epoch is None:
            afar = self.chance.randrange(KNOWN + 2, 2**40)
            # A stray must not be where the others go, by going on.
            epoch = afar if kind == "stray" else self.chance.choice([*range(1, KNOWN + 1), afar])
        for board in self.boards:
            board.clear()
        rank, before = self.chance.randrange(RANKS), self.bad
        getattr(self, kind)(epoch, rank)
        for other in self.others:
            other.kill()
        self.others.clear()
        self.count(epoch)
        if self.bad != before:
            self.tell(f"{kind}, epoch {epoch}, trainer {rank}: {self.words()}")
        self.turns[kind] += 1
        assert self.alone.alive and not self.alone.ours.poll(), self.alone.answer()
        self.look()

    def count(self, epoch):
        times = sum(board.times(self.samples) for board in self.boards)
        self.lost += int((times == 0).sum())
        self.twice += int((times > 1).sum())
        self.epochs += 1
        if epoch in self.known and epoch not in self.learnt:
            for known, board in zip(self.known[epoch], self.boards):
                known[:] = board.taken
            self.learnt.add(epoch)

    def look(self):
        """At every process, once the memory of all who were thrown out is free again."""
        def quiet():
            said = json.loads(control("stat", self.service.name, "--json").stdout)
            return len(said["trainers"]) == RANKS + 1 and not any(node["retired"] for node in said["nodes_seen"])

        until(quiet, "the end of all who were thrown out", LONG)
        if not all(self.turns[kind] for kind in KINDS):
            return  # what is made at its first use is no growth
        processes = {f"stager {k}": pid for k, pid in enumerate(self.service.stagers())}
        processes |= {"mpirun": self.service.process.pid, "trainer alone": self.alone.pid, "soak.py": os.getpid()}
        processes |= {f"trainer {rank}": worker.pid for rank, worker in self.workers.items()}
        self.growth.look(processes, self.service.shared)

    # -- the end -------------------------------------------------------------------------------------------------------

    def end(self):
        self.alone.kill()
        for rank, worker in self.workers.items():
            worker.call("leave")
            worker.kill()
        code = self.service.stop()
        assert code == 0, self.service.text[-3000:]
        assert "AUDIT FAILED" not in self.service.text
        self.service.leaves_nothing()

    def close(self):
        for worker in [*self.workers.values(), *self.others, *([self.alone] if hasattr(self, "alone") else [])]:
            worker.kill()
        self.service.kill()
        shutil.rmtree(self.service.shared, ignore_errors=True)

    def total(self, what):
        return sum(getattr(board, what) for board in (*self.boards, self.own))

    @property
    def found(self):
        return {"batches": self.total("batches"), "wrong": self.total("wrong"), "lost": self.lost + self.total("lost"),
                "twice": self.twice + self.total("twice")}

    @property
    def bad(self):
        found = self.found
        return found["wrong"] + found["lost"] + found["twice"]

    def words(self):
        found = self.found
        thrown = sum(self.turns[kind] for kind in ("killed", "stopped", "taken", "hostile", "stray"))
        return (f"{found['batches']:,} batches in {time.monotonic() - self.began:,.0f} s, {sum(self.turns.values())} turns "
                f"({thrown} with somebody killed or thrown out), {self.total('seeks')} seeks: {found['wrong']} wrong, "
                f"{found['lost']} lost, {found['twice']} twice (seed {self.seed})")


def run(folder, seed, enough, tell=print, **how):
    """Turns until enough(soak); returns the soak, ended, with what it found."""
    soak = Soak(folder, seed, tell=tell, **how)
    told = time.monotonic()
    try:
        soak.start()
        for _ in range(KNOWN):
            soak.turn("full")
        while not enough(soak):
            # Each kind comes as often as the others.
            fewest = min(soak.turns[kind] for kind in KINDS)
            soak.turn(soak.chance.choice([kind for kind in KINDS if soak.turns[kind] <= fewest]))
            if time.monotonic() - told > 60:
                told = time.monotonic()
                tell(f"{soak.words()}; {soak.growth.brief()}")
        soak.end()
    finally:
        soak.close()
    return soak


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0, help="at least so long")
    parser.add_argument("--batches", type=float, default=0, help="at least so many")
    parser.add_argument("--turns", type=int, default=0, help="at least so many")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="so many: with more, an epoch has more batches")
    parser.add_argument("--stagers", type=int, default=2)
    parser.add_argument("--split-nodes", action="store_true", help="stagers are nodes of their own")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    ended = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.append(True))

    def enough(soak):
        return ended or (time.monotonic() - soak.began >= given.seconds and soak.total("batches") >= given.batches
                         and sum(soak.turns.values()) >= given.turns)

    tell = lambda text: print(text, flush=True)
    tell(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as made:
        soak = run(Path(made), given.seed, enough, tell, stagers=given.stagers, split=given.split_nodes,
                   samples=given.samples)
    tell(soak.words())
    tell(", ".join(f"{n} x {kind}" for kind, n in soak.turns.items()))
    tell(soak.growth.table())
    return 1 if soak.bad or soak.growth.grown() else 0


if __name__ == "__main__":
    sys.exit(main())
