"""A job that is killed in parts or as a whole, and started again as job scripts do: service and trainers, and what survives.

Each time it is started with other numbers of stagers and trainers, but for the same global batch. What counts is the history
that survives: all batches taken since the state that the trainers began with, up to the checkpoint that the next ones begin
with. What came behind it is void.
"""

import collections
import os
import re
import signal
import subprocess
import sys

import kills_trainer
import service
from samples import write

SAMPLES, GLOBAL_BATCH = 480, 24
STEPS = SAMPLES // GLOBAL_BATCH
PATIENCE = 300  # seconds: on a machine that has much else to do
# Where a node goes without a word while MPI starts, nobody tells the others: they give up by themselves.
START = "100s"


def until(condition, what):
    return service.until(condition, what, PATIENCE)


class Job:
    """Service and trainers as they are started now, and what survives of all that were started before."""

    def __init__(self, folder, chance, place):
        """place: where all of it is started (kills_places.py)."""
        self.folder, self.chance, self.place = folder, chance, place
        self.files = write(folder, SAMPLES // 2 + 10, SAMPLES // 2 - 10)
        self.history = {}  # (epoch, step) -> sample numbers of all trainers, in the order of ranks
        self.sets = {}  # (epoch, step) -> which samples these were, also where void
        self.segment, self.begin, self.start = 0, "first", (0, 0)
        self.resumed = 0
        self.old = {}  # rank -> life and lines of its log when this service came in the place of another
        self.service = None
        self.start_service()
        self.start_trainers()

    # -- starting ------------------------------------------------------------------------------------------------------

    def start_service(self, alike=False):
        """alike: for trainers that live on, on the nodes where they are."""
        if not alike:
            self.world_size = self.chance.choice([1, 2, 3, 4])
            self.nodes = self.place.lay_out(self.chance)
            self.per_node = -(-self.world_size // self.nodes)
        flags = {"global_batch": GLOBAL_BATCH, "trainers_per_node": self.per_node, "audit": "full", "stay": True, "threads": 1,
                 "start_timeout": START}
        name = self.service.name if self.service else None
        self.service = self.place.service(self.folder, self.files, self.chance, flags, name)

    def start_trainers(self):
        self.reconnect = self.chance.random() < 0.5
        self.trainers, self.lives = {}, collections.Counter()
        for rank in range(self.world_size):
            self.start_trainer(rank, self.begin)

    def start_trainer(self, rank, begin):
        self.lives[rank] += 1
        label = self.label(rank, self.lives[rank])
        prefix, name = self.place.node(self.service, rank % self.nodes)
        command = [*prefix, sys.executable, kills_trainer.__file__, self.folder, label, name, rank, self.world_size,
                   self.reconnect, begin]
        with (self.folder / f"{label}.out").open("w") as out:
            self.trainers[rank] = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT)

    def label(self, rank, life):
        return f"{self.segment}.{rank}.{life}"

    # -- killing -------------------------------------------------------------------------------------------------------

    def kill(self, kind):
        return getattr(self, f"kill_{kind}")()

    def kill_trainer(self):
        rank = self.chance.choice(list(self.trainers))
        self.end_trainers(rank)
        if self.known(rank):
            self.start_trainer(rank, "own")
        elif not self.taken(rank):
            self.start_trainer(rank, self.begin)  # it had hardly begun
        else:
            self.begin_anew()  # its place died with the service

    def kill_stager(self):
        stagers = self.service.stagers()
        if stagers:  # not yet, where it is just being started
            os.kill(self.chance.choice(stagers), signal.SIGKILL)
            self.after_the_service()
        else:
            self.kill_service()

    def kill_mpirun(self):
        """The stagers end by themselves."""
        self.service.process.kill()
        self.after_the_service()

    def kill_service(self):
        self.service.kill()
        self.after_the_service()

    def kill_node(self):
        """With all that runs there: stagers, MPI's daemon, trainers."""
        k = self.chance.randrange(self.nodes)
        self.place.end(k, self.chance)
        there = range(k, self.world_size, self.nodes)
        for rank in there:  # one that was on its way to that node ends otherwise than those who were there
            self.trainers[rank].wait(PATIENCE)
        self.place.wait_for_the_end(self.service)
        self.end_trainers(*[rank for rank in self.trainers if rank not in there])
        self.settle()
        self.place.boot(k)
        self.start_service()
        self.start_trainers()

    def kill_job(self):
        self.end_trainers(*self.trainers)
        self.begin_anew()

    def after_the_service(self):
        self.place.wait_for_the_end(self.service)
        # A trainer on its way in has no place to go on at; a job script would start all anew.
        if self.reconnect and all(self.known(rank, self.lives[rank]) for rank in self.trainers):
            self.old = {rank: (life, len(self.log(rank, life))) for rank, life in self.lives.items()}
            return self.start_service(alike=True)
        self.end_trainers(*self.trainers)
        self.settle()
        self.start_service()
        self.start_trainers()

    def begin_anew(self):
        self.end_trainers(*self.trainers)
        self.settle()
        places = self.per_node * self.nodes
        self.world_size = self.chance.choice([t for t in (1, 2, 3, 4) if places / 4 <= t <= places])
        self.start_trainers()

    def end_trainers(self, *ranks):
        for rank in ranks:
            self.place.kill(self.trainers[rank])
        for rank in ranks:
            code = self.trainers[rank].wait()
            assert code in (-signal.SIGKILL, kills_trainer.LOST), self.words(rank)

    def words(self, rank="*"):
        """What they printed."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob(f"{self.segment}.{rank}.*.out")))

    # -- what they did -------------------------------------------------------------------------------------------------

    def log(self, rank, life):
        path = self.folder / f"{self.label(rank, life)}.log"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [line.split() for line in lines if line.endswith("\n")]

    def known(self, rank, only=None):
        """Whether it (or one of its lives) got a batch of this very service, which then knows its place."""
        old_life, old_lines = self.old.get(rank, (1, 0))
        for life in range(old_life, self.lives[rank] + 1):
            words = [line[0] for line in self.log(rank, life)][old_lines if life == old_life else 0:]
            if only in (None, life) and "in" in words and "take" in words[words.index("in"):]:
                return True
        return False

    def taken(self, rank):
        """(epoch, step) -> sample numbers. A batch may come again to the next life if it was not released."""
        taken, released = {}, set()
        for life in range(1, self.lives[rank] + 1):
            for what, *numbers in self.log(rank, life):
                if what == "in":
                    continue
                (epoch, step), index = numbers[:2], numbers[2:]
                place = int(epoch), int(step)
                if what == "done":
                    released.add(place)
                    continue
                assert place not in released, f"trainer {rank} released {place} and got it again"
                assert taken.setdefault(place, index) == index, f"{place} came again with other samples"
        return taken

    def checkpoint(self):
        """The newest position that every trainer saved, and its files; nothing where there is none."""
        found = collections.defaultdict(list)
        for path in sorted(self.folder.glob(f"{self.segment}-*.json")):
            _, _, epoch, step = map(int, re.findall(r"\d+", path.stem))
            found[epoch, step].append(path)
        return max(((place, paths) for place, paths in found.items() if len(paths) == self.world_size), default=None)

    def settle(self, end=None):
        """The trainers are gone: what they did up to the checkpoint goes into the history, the rest is void."""
        saved = self.checkpoint()
        self.resumed += saved is not None and not end
        if end:
            place, state = end, None
        else:
            place, state = (saved[0], self.chance.choice(saved[1])) if saved else (self.start, self.begin)
        all_taken = [self.taken(rank) for rank in range(self.world_size)]
        for at in set.intersection(*(set(taken) for taken in all_taken)):
            samples = [int(number) for taken in all_taken for number in taken[at]]
            assert self.sets.setdefault(at, set(samples)) == set(samples), f"{at} is another set of samples now"
        at = self.start
        while at < place:
            for rank, taken in enumerate(all_taken):
                assert at in taken, f"trainer {rank} of {self.world_size} never got {at}, but went on to {place}"
            assert at not in self.history
            self.history[at] = [int(number) for taken in all_taken for number in taken[at]]
            at = (at[0], at[1] + 1) if at[1] + 1 < STEPS else (at[0] + 1, 0)
        self.segment, self.start, self.begin = self.segment + 1, place, state
        self.old = {}

    def finish(self):
        """Lets the trainers go on to the end of an epoch that none of them has begun."""
        last = 1 + max([self.start[0]] + [epoch for rank in self.trainers for epoch, _ in self.taken(rank)])
        for rank, trainer in self.trainers.items():
            until(lambda: trainer.poll() is not None or max(self.taken(rank), default=(0, 0))[0] > last,
                  f"trainer {rank} to come to epoch {last + 1}:\n{self.words(rank)}\n{self.service.text[-3000:]}")
        self.end_trainers(*self.trainers)
        self.settle((last + 1, 0))
        assert self.service.stop() == 0, self.service.text
        return last + 1

    def check(self, epochs):
        for epoch in range(epochs):
            seen = collections.Counter(n for step in range(STEPS) for n in self.history[epoch, step])
            assert len(seen) == SAMPLES and set(seen.values()) == {1}, f"epoch {epoch}: {seen.most_common(3)}"
