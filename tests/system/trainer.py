"""A trainer in a process of its own, told what to do by the test.

In the test, Trainer(name, rank=...) starts it and calls its methods, those of Side; ask() and answer() do so in two steps,
so that several trainers work at once.
"""

import collections
import contextlib
import os
import pickle
import select
import subprocess
import sys
from pathlib import Path

SYSTEM = Path(__file__).resolve().parent


class Failed(Exception):
    """What the trainer's method raised; `kind` is the name of its class."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


class Trainer:
    _idle = collections.defaultdict(list)  # processes that have served and may again, by their prefix

    def __init__(self, service, prefix=(), again=False, **options):
        """prefix: of the command line, to start it elsewhere. again: its process may be one that another trainer left,
        and is left to the next: to start a Python and all that it imports costs more than a short test does."""
        self._place = tuple(map(str, prefix)) if again else None
        idle = Trainer._idle[self._place] if again else []
        while idle and idle[-1].poll() is not None:
            idle.pop()
        self.process = idle.pop() if idle else Trainer._start(prefix)
        self.ask("connect", str(service), **options)
        self._connecting = True

    @staticmethod
    def _start(prefix=()):
        return subprocess.Popen([*prefix, sys.executable, "-u", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @staticmethod
    def warm():
        """There is a process that has all its imports, for the next Trainer(again=True): where the service does not wait."""
        idle = Trainer._idle[()]
        if any(process.poll() is None for process in idle):
            return
        process = Trainer._start()
        pickle.dump(("load", (), {}), process.stdin)
        process.stdin.flush()
        assert pickle.load(process.stdout) == ("value", None)
        idle.append(process)

    @property
    def pid(self):
        return self.process.pid

    def ask(self, method, *args, **keys):
        pickle.dump((method, args, keys), self.process.stdin)
        self.process.stdin.flush()

    def answer(self, seconds=300):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        assert ready, f"the trainer has not answered for {seconds} s"
        what, *answer = pickle.load(self.process.stdout)
        if what == "raised":
            raise Failed(*answer)
        return answer[0]

    def connected(self):
        """What connect() came to; the other methods call it first."""
        if self._connecting:
            self._connecting = False
            return self.answer()

    def __getattr__(self, method):
        def call(*args, **keys):
            self.connected()
            self.ask(method, *args, **keys)
            return self.answer()

        return call

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None and self._place is not None and not self._connecting and self.process.poll() is None:
            self.ask("end")  # it says goodbye
            self.answer()
            Trainer._idle[self._place].append(self.process)
            return
        if kind is None and self.process.poll() is None:
            self.process.stdin.close()  # it says goodbye and ends
            self.process.wait(30)
        self.kill()
        self.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()


class Side:
    """The trainer's side. Batches that it takes are held until released."""

    def load(self):
        import headrace, samples  # noqa: E401, F401

    def connect(self, service, **options):
        import headrace

        self.stream = headrace.connect(service, **{"timeout": 30, "progress": False, **options})
        self.batches = iter(self.stream)
        self.held = []

    def describe(self):
        stream = self.stream
        return {"steps": len(stream), "samples": stream.samples, "batch": stream.batch, "slots": stream.slots,
                "position": stream.position, "finished": stream.finished,
                "schema": {name: (spec.shape, spec.dtype.str) for name, spec in stream.schema.items()}}

    def take(self, count=1):
        """[(epoch, step, sample numbers)] of the next batches of this epoch, whose fields are checked."""
        taken = []
        for _ in range(count):
            batch = next(self.batches)
            self.held.append(batch)
            taken.append(self._checked(batch))
        return taken

    def release(self, *places):
        """Those of the held batches, or all."""
        for place in sorted(places or range(len(self.held)), reverse=True):
            self.held.pop(place).release()

    def rest(self):
        """take() of all that is left of this epoch, each batch released at once; then the next epoch begins."""
        done = []
        for batch in self.batches:
            done.append(self._checked(batch))
            batch.release()
        self.batches = iter(self.stream)
        return done

    def epochs(self, count):
        return [self.rest() for _ in range(count)]

    def rows(self):
        """(rows that are real, rows that there are) of each batch of an epoch."""
        seen = [(batch.rows, len(batch.index)) for batch in self.batches]
        self.batches = iter(self.stream)
        return seen

    def seek(self, epoch, step):
        self.stream.seek(epoch, step)
        self.batches = iter(self.stream)

    def until_lost(self):
        """(name of the exception, its text, when it came) at the end of a service; batches come and go until then."""
        import time

        try:
            while True:
                self.rest()
        except Exception as error:
            return type(error).__name__, str(error), time.monotonic()

    def resume(self, epoch, step):
        """Loads a state of that place."""
        state = self.stream.state_dict()
        state["epoch"], state["step"] = epoch, step
        self.stream.load_state_dict(state)
        self.batches = iter(self.stream)

    def checked(self):
        """take() of all that is held, looked at once more."""
        return [self._checked(batch) for batch in self.held]

    def scribble(self):
        """Overwrites all values of the batches held."""
        for batch in self.held:
            for rows in batch.values():
                rows[...] = 1

    def fork(self):
        """Number of a child that holds copies of all descriptors and does nothing."""
        child = os.fork()
        if child == 0:
            import signal

            while True:
                signal.pause()
        return child

    def write_ring(self, offset, data):
        """Writes into the ring what no trainer should, and rings the stager's bell."""
        import ctypes

        ctypes.memmove(self.stream._connection.ring[0] + offset, data, len(data))
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/self/fd/{number}") == "anon_inode:[eventfd]":
                    os.write(int(number), (1).to_bytes(8, "little"))

    def read_ring(self, offset, length):
        import ctypes

        return ctypes.string_at(self.stream._connection.ring[0] + offset, length)

    def close(self, goodbye=True):
        self.stream.close(goodbye)

    def end(self):
        if getattr(self, "stream", None) is not None:
            self.held.clear()
            self.stream.close()
            self.batches = self.stream = None

    @staticmethod
    def _checked(batch):
        from samples import wrong_fields

        wrong = wrong_fields(batch)
        assert not wrong, f"epoch {batch.epoch}, step {batch.step}: {wrong} are not those of samples {batch.index}"
        return batch.epoch, batch.step, batch.index.tolist()


def main():
    sys.path.insert(0, str(SYSTEM))
    side, replies = Side(), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            method, args, keys = pickle.load(sys.stdin.buffer)
        except EOFError:
            return side.end()
        try:
            reply = "value", getattr(side, method)(*args, **keys)
        except Exception as error:
            reply = "raised", type(error).__name__, str(error)
        pickle.dump(reply, replies)
        replies.flush()


if __name__ == "__main__":
    main()
