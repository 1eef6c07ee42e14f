"""The table of jobs/peers.py --larger: data of which a quarter fits memory, in files sorted by class. One trainer for each
contender, all over the same samples and batches, in turns:

    headrace scratch    exactly shuffled; three quarters of the samples on a disk of the node
    headrace window     shuffled in windows which are read from the file
    torch N             DataLoader over h5py with N workers, each sample at random
    mosaic py1e         MosaicML streaming over MDS shards, its shuffle algorithm py1e; N of it in a block
    tf.data             TFRecord shards, interleaved, then a shuffle buffer
    webdataset          tar shards in random order, then a shuffle buffer

Blocks of py1e are an eighth of the samples; buffers of tf.data and WebDataset a sixteenth, since with an eighth their
memory limit ended them. Headrace's blocks are small beside its window, as those of a large file are. Each contender lives
in a cgroup that limits its memory, page cache included, to a quarter of the data, beside what it took before it read any
(interpreter and libraries); Headrace's service is told to do with a quarter, all included, in a cgroup of 1.15 quarters.
Where cgroups cannot limit memory the files are dropped from the page cache before each turn instead, and the table says so.

A turn begins in a cold cache; half an epoch passes, then one is timed. Design effect: variance of how many samples of a
class a batch has, over that of a global shuffle, which has 1; over all batches of the timed epochs. Contenders that
cannot be imported are named and left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from peers_contenders import BATCH, CLASSES, CONTENDERS, ROW, WRITERS, Task

CONTEND = Path(__file__).with_name("peers_contenders.py")


def drop(folder: Path) -> None:
    """Nothing of the data is in the page cache any more."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Limit:
    """A cgroup (version 1) whose memory can be limited; without the right to make one, nothing."""

    def __init__(self) -> None:
        self.group = Path("/sys/fs/cgroup/memory") / f"headrace-{uuid.uuid4().hex[:8]}"
        try:
            self.group.mkdir()
            self.there = (self.group / "memory.limit_in_bytes").exists()
        except OSError:
            self.there = False

    def prefix(self) -> list[str]:
        return ["sh", "-c", f'echo $$ > {self.group}/cgroup.procs && exec "$@"', "sh"] if self.there else []

    def allow(self, more: int) -> None:
        if self.there:
            (self.group / "memory.limit_in_bytes").write_text(str(more))

    def allow_beside(self, more: int) -> None:
        """So much beside what is taken now for good."""
        if not self.there:
            return
        stat = dict(line.split() for line in (self.group / "memory.stat").read_text().splitlines())
        (self.group / "memory.force_empty").write_text("0")  # what reading libraries left in the cache
        self.allow(int(stat["rss"]) + int(stat["mapped_file"]) + more)

    def end(self) -> None:
        deadline = time.monotonic() + 30
        while self.there and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return self.group.rmdir()
            time.sleep(0.1)


class Gone(Exception):
    """A contender has ended."""


class Side:
    """A contender in a process of its own."""

    def __init__(self, task: Task, python: str) -> None:
        self.name, self.limit = task.contender, Limit()
        command = [python, str(CONTEND), json.dumps(task)]
        self.process = subprocess.Popen(
            [*self.limit.prefix(), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}, start_new_session=True,
        )
        self.answer()

    def answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise Gone(f"peers.py: {self.name} has ended with exit code {self.process.wait()} (-9: it took more memory than "
                       "it may have), and is left out from here on")
        return line

    def turn(self) -> dict[str, Any]:
        self.process.stdin.write("turn\n")
        self.process.stdin.flush()
        return json.loads(self.answer())

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # workers, too
        self.process.wait()
        self.limit.end()


@contextlib.contextmanager
def service(name: str, folder: Path, quarter: int, build: Path) -> Iterator[str]:
    """`headrace serve`, which is to do with a quarter."""
    program, called = str(build / "bin" / "headrace"), f"larger-{name.split()[1]}-{os.getpid()}"
    command = [program, "serve", f"--files={folder}/data.h5", f"--name={called}", f"--batch={BATCH}", "--stay", "--quiet"]
    command += [f"--memory={quarter}", "--slots=3"]
    # Of a small budget most are rings and buffers: at --scale 0.5 a window is 64 blocks, 4 % of the samples.
    command += [f"--scratch={folder}"] if name.endswith("scratch") else ["--window=auto", "--block=256KiB"]
    limit = Limit()
    limit.allow(int(1.15 * quarter))
    child = subprocess.Popen([*limit.prefix(), *command])
    try:
        while subprocess.run([program, "wait", called, "--timeout=1"], capture_output=True, check=False).returncode != 0:
            if child.poll() is not None:
                sys.exit(f"peers.py: the service ended with exit code {child.returncode}; see its message above")
        yield called
    finally:
        subprocess.run([program, "stop", called], check=False, capture_output=True)
        child.wait(30)
        limit.end()


def design_effect(counts: list[list[int]], samples: int) -> float:
    p = 1 / CLASSES
    global_variance = BATCH * p * (1 - p) * (samples - BATCH) / (samples - 1)
    return float(np.mean((np.array(counts) - BATCH * p) ** 2) / global_variance)


def can_import(python: str, module: str) -> bool:
    find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", find], check=False).returncode == 0


def table(options: Any) -> dict[str, Any]:
    """Measures and prints it."""
    samples = int(1e9 * options.scale / ROW) // (2 * BATCH) * 2 * BATCH
    quarter, others = samples * ROW // 4, str(options.python)
    folder = Path(tempfile.mkdtemp(prefix="headrace-peers-", dir=options.folder))
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        with contextlib.ExitStack() as stack:
            sides = []
            for name, (needs, _) in CONTENDERS.items():
                python = sys.executable if needs == "headrace" else others
                if needs != "headrace" and not can_import(python, needs):
                    print(f"peers.py: {needs} is not installed, so {name} is left out; `tools/bootstrap --peers-larger` "
                          "installs it", file=sys.stderr, flush=True)
                    continue
                writer = WRITERS[needs]
                written = subprocess.run([python, str(CONTEND), "write", writer.__name__, str(folder), str(samples)], check=False)
                if written.returncode != 0:
                    print(f"peers.py: {needs} cannot write its files here (see above), so {name} is left out", file=sys.stderr)
                    continue
                called = stack.enter_context(service(name, folder, quarter, options.build)) if needs == "headrace" else ""
                side = Side(Task(name, str(folder), samples, called), python)
                stack.callback(side.end)
                side.limit.allow_beside(quarter)
                sides.append(side)
            for _ in range(options.repeats):
                for side in random.sample(sides, len(sides)):
                    drop(folder)
                    try:
                        found.setdefault(side.name, []).append(side.turn())
                    except Gone as gone:
                        print(gone, file=sys.stderr, flush=True)
                        sides.remove(side)
                        continue
                    print(f"{side.name}: {found[side.name][-1]['rate'] * ROW / 1e9:.3f} GB/s", file=sys.stderr, flush=True)
            limited = all(side.limit.there for side in sides)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report(found, samples, limited)


def report(found: dict[str, list[dict[str, Any]]], samples: int, limited: bool) -> dict[str, Any]:
    how = "a quarter in memory" if limited else "cold page cache at each turn, memory not limited (no right to make cgroups)"
    print(f"\nlarger than memory: {samples} samples of {ROW} B sorted by {CLASSES} classes, batch {BATCH}, {how}")
    print(f"  {'':18} {'GB/s':>7}   {'range':15} {'design effect':>13}")
    rates, effects = {}, {}
    for name, turns in found.items():
        if not turns:
            continue
        rates[name] = [turn["rate"] * ROW / 1e9 for turn in turns]
        effects[name] = design_effect([one for turn in turns for one in turn["counts"]], samples)
        print(f"  {name:18} {statistics.median(rates[name]):7.3f}   {min(rates[name]):.3f} - {max(rates[name]):.3f}   "
              f"{effects[name]:13.2f}")
    return {"samples": samples, "sample_bytes": ROW, "limited": limited, "gbps": rates, "design_effect": effects}
