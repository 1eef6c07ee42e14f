"""The trainers of soak.py, forked off it and told by it what to do: honest ones, and one that is not."""

import collections
import contextlib
import ctypes
import json
import mmap
import multiprocessing
import os
import random
import signal
import socket
import time

import headrace
from test_garbage import FREED, FREED_TAIL, hello, number, raw

PATIENCE = 60  # seconds for the service to notice that the one before us is gone


class Worker:
    """In soak.py: a process that runs the methods of `side`. ask() and answer() are a call in two steps."""

    def __init__(self, side):
        self.ours, theirs = multiprocessing.Pipe()
        self.pid = os.fork()
        self.alive = True
        if self.pid == 0:
            try:
                self.ours.close()
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                _listen(theirs, side)
            finally:
                os._exit(0)
        theirs.close()

    def ask(self, method, *args, **keys):
        self.ours.send((method, args, keys))

    def answer(self, seconds=600):
        assert self.ours.poll(seconds), f"process {self.pid} has not answered for {seconds} s"
        what, value = self.ours.recv()
        assert what == "value", value
        return value

    def call(self, method, *args, **keys):
        self.ask(method, *args, **keys)
        return self.answer()

    def kill(self):
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.ours.close()
            self.alive = False


def _listen(pipe, side):
    while True:
        method, args, keys = pipe.recv()
        try:
            pipe.send(("value", getattr(side, method)(*args, **keys)))
        except Exception as error:
            pipe.send(("raised", f"{type(error).__name__}: {error}"))


class Honest:
    """A trainer as users write them. `known`: the sample numbers that steps of an epoch must have, by epoch."""

    def __init__(self, service, stream, rank, world_size, board, truth, known):
        self.place = {"stream": stream, "rank": rank, "world_size": world_size, "local_rank": rank}
        self.service, self.board, self.truth, self.known = service, board, truth, known
        self.held = collections.deque()

    def attach(self):
        self.board.look_at_all()  # what is first read later is no growth
        for taken in self.known.values():
            taken.sum()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.stream = headrace.connect(self.service, timeout=300, progress=False, **self.place)
                return self.stream.position
            except headrace.Refused:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def leave(self, goodbye=True):
        if goodbye:
            self.held.clear()
        self.position = self.stream.position
        self.stream.close(goodbye)

    def come_back(self):
        """After a goodbye, which would be the end of the epoch."""
        self.attach()
        self.stream.seek(*self.position)

    def load(self, epoch):
        self.stream.load_state_dict({**self.stream.state_dict(), "epoch": epoch, "step": 0})

    def epoch(self, epoch, begin=None, breaks=(), hold=0, until=None):
        """The epoch, or the rest of it where this rank goes on. `begin`: "seek", or "left": out of the epoch before it.

        breaks: steps after which the loop is left and another goes on. hold: batches kept while the next are taken.
        until: the step to stop at, with what is held then.
        """
        if begin == "seek":
            self.stream.seek(epoch)
        elif begin == "left":
            self._leave_the_one_before(epoch)
        if self.stream.position[0] > epoch:
            return  # the one before us in this place had done it all
        loop = self.stream
        while self._loop(loop, epoch, breaks, hold, until) == "broken":
            loop = self.stream.resume()
        if until is None:
            while self.held:
                self._give()

    def _leave_the_one_before(self, epoch):
        self.stream.seek(epoch - 1, random.randrange(self.board.steps - 2))
        for taken, batch in enumerate(self.stream, 1):
            self.board.count("batches")
            if batch.epoch != epoch - 1 or not self.truth.fits(batch):
                self.board.count("wrong")
            if taken == 2:  # after one it would have been a look, and its epoch would begin anew
                break

    def _loop(self, loop, epoch, breaks, hold, until):
        known = self.known.get(epoch)
        for batch in loop:
            fits = batch.epoch == epoch and self.truth.fits(batch)
            if known is not None and known[batch.step][0] >= 0:
                fits = fits and list(known[batch.step][:len(batch.index)]) == list(batch.index)
            self.board.note(batch, fits)
            self.held.append(batch)
            while len(self.held) > hold:
                self._give()
            if batch.step == until:
                return "stopped"
            if batch.step in breaks:
                return "broken"
        return "done"

    def _give(self):
        """Releases a batch, whose values must still be those that came."""
        self.held.rotate(-random.randrange(len(self.held)))
        batch = self.held.popleft()
        if not self.truth.fits(batch):
            self.board.count("wrong")
        step = batch.step
        batch.release()
        self.board.done[step] = 1  # not before: a kill between the two must not look like a batch that comes twice

    def seeks(self, places):
        """A few batches at each of (epoch, step), all of known epochs."""
        for epoch, step in places:
            self.stream.seek(epoch, step)
            self.board.count("seeks")
            for taken, batch in enumerate(self.stream):
                expected = self.known[epoch][step + taken][:len(batch.index)]
                right = (batch.epoch, batch.step) == (epoch, step + taken) and list(expected) == list(batch.index)
                self.board.count("batches")
                if not right or not self.truth.fits(batch):
                    self.board.count("wrong")
                batch.release()
                if taken == 2:
                    break

    def fork(self):
        """Number of a child that may not use the stream, and stays."""
        child = os.fork()
        if child == 0:
            with contextlib.suppress(headrace.Forked):
                self.stream.seek(0)
                self.board.count("wrong")
            while True:
                signal.pause()
        return child

    def end_child(self, child):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    def stray(self):
        """Goes on where the others did not, until it is thrown out; then it writes into all memory that it has."""
        with contextlib.suppress(headrace.Error):
            while True:
                for batch in self.stream:
                    self.board.count("batches")
                    if len(self.held) < 2:
                        self.held.append(batch)
        self.scribble()

    def scribble(self):
        address, size = self.stream._connection.ring
        ctypes.memset(address + size // 2, 0xEE, size - size // 2)
        for batch in self.held:
            for rows in batch.values():
                rows[...] = 1

    def endless(self):
        """The trainer whom nothing may disturb: one epoch after the other, alone in its stream. Told to end by SIGTERM."""
        while True:
            epoch = self.stream.position[0]
            self.epoch(epoch)
            times = self.board.times(self.truth.samples)
            self.board.count("lost", (times == 0).sum())
            self.board.count("twice", (times > 1).sum())
            self.board.clear()


class Hostile:
    """By the socket alone: it breaks the rules, is thrown out, and writes into its memory all the time."""

    BREACHES = ("nonsense", "count", "slot", "use", "everything", "close")

    def __init__(self, address, stream, rank, world_size):
        self.address, self.claim = address, {"stream": stream, "rank": rank, "world_size": world_size, "local_rank": rank}

    def attach(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            self.connection = raw(self.address)
            me = os.pidfd_open(os.getpid())
            socket.send_fds(self.connection, [hello(pid=os.getpid(), **self.claim)], [me])
            os.close(me)
            answer, fds, _, _ = socket.recv_fds(self.connection, 1 << 20, 3)
            answer = json.loads(answer)
            if "welcome" in answer:
                break
            self.connection.close()
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
        self.ring = mmap.mmap(fds[0], answer["welcome"]["ring_bytes"])
        self.bell = fds[1]

    def breach(self, how):
        writes = {"count": [(FREED_TAIL, number(0xFFFFFFFF))],
                  "slot": [(FREED, number(77) + number(1)), (FREED_TAIL, number(1))],
                  "use": [(FREED, number(0) + number(9)), (FREED_TAIL, number(1))],
                  "everything": [(0, b"\xff" * len(self.ring))]}
        for at, data in writes.get(how, ()):
            self.ring[at:at + len(data)] = data
        if how == "nonsense":
            self.connection.send(b"nonsense")
        elif how != "close":
            os.write(self.bell, (1).to_bytes(8, "little"))
        if how != "close":
            with contextlib.suppress(ConnectionResetError):
                while self.connection.recv(1 << 16):
                    pass
        self.connection.close()

    def scribble(self, seconds):
        """Writes for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.ring[:] = b"\xee" * len(self.ring)
            time.sleep(0.001)
