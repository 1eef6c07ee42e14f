"""Memory, descriptors and threads of processes, looked at over and over: what of them grows?

Something has grown where the least of the last third of looks is above the most of the first third, so that what comes and
goes is not taken for growth.
"""

import collections
import contextlib
import os
from pathlib import Path

WHAT = {"anonymous": "KiB", "shared": "KiB", "memfd": "KiB", "descriptors": "", "threads": ""}
# Allocators keep some of what was freed, and pages of a mapping are counted when they are touched.
ALLOWED = {"anonymous": 2048, "shared": 512, "memfd": 0, "descriptors": 0, "threads": 0}


def facts(pid):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    folder = Path(f"/proc/{pid}/fd")
    memfd, numbers = {}, os.listdir(folder)
    for number in numbers:
        with contextlib.suppress(OSError):
            if os.readlink(folder / number).startswith("/memfd:"):
                seen = os.stat(folder / number)
                memfd[seen.st_ino] = seen.st_blocks // 2
    kib = lambda name: int(status.get(name, "0 kB").split()[0])
    return {"anonymous": kib("RssAnon"), "shared": kib("RssShmem"), "memfd": sum(memfd.values()),
            "descriptors": len(numbers), "threads": int(status["Threads"])}


class Series:
    """What was seen, from first to last, in no more than so many parts: the least and the most of each."""

    PARTS = 120

    def __init__(self):
        self.parts, self.width = [], 1  # [least, most, looks], of so many looks each
        self.first = self.last = self.looks = 0

    def add(self, value):
        self.first, self.last, self.looks = self.first if self.looks else value, value, self.looks + 1
        if self.parts and self.parts[-1][2] < self.width:
            least, most, looks = self.parts[-1]
            self.parts[-1] = [min(least, value), max(most, value), looks + 1]
        else:
            self.parts.append([value, value, 1])
        if len(self.parts) > self.PARTS:
            pairs = zip(self.parts[::2], [*self.parts[1::2], None])
            self.parts = [[min(a[0], b[0]), max(a[1], b[1]), a[2] + b[2]] if b else a for a, b in pairs]
            self.width *= 2

    @property
    def most(self):
        return max(part[1] for part in self.parts)

    @property
    def grown(self):
        third = len(self.parts) // 3
        return min(part[0] for part in self.parts[-third:]) - max(part[1] for part in self.parts[:third]) if third else 0


class Growth:
    def __init__(self):
        self.looks = collections.defaultdict(Series)  # (name, pid, what) -> what was seen

    def look(self, processes, folder):
        """processes: name -> number. folder: where MPI's shared memory is."""
        for name, pid in processes.items():
            for what, value in facts(pid).items():
                self.looks[name, pid, what].add(value)
        used = sum(entry.stat().st_blocks // 2 for entry in folder.iterdir()) + len(list(folder.iterdir()))
        self.looks["/dev/shm", 0, "memfd"].add(used)
        alive = {(name, pid) for name, pid in processes.items()} | {("/dev/shm", 0)}
        for key in [key for key in self.looks if key[:2] not in alive]:  # its successor is another process
            if self.looks[key].looks < 9 or not self._by(key):
                del self.looks[key]

    def _by(self, key):
        """How much more than allowed it has grown."""
        by = self.looks[key].grown
        return by if by > ALLOWED[key[2]] else 0

    def grown(self):
        return [f"{what} of {name} (process {pid}) by {self._by((name, pid, what))} {WHAT[what]}"
                for name, pid, what in self.looks if self._by((name, pid, what))]

    def brief(self):
        return "grown: " + (", ".join(self.grown()) or "nothing")

    def table(self):
        """First look, last look and the most of each, and what has grown."""
        lines = [f"{'':20}{'':14}{'first':>10}{'last':>10}{'most':>10}{'looks':>8}"]
        for (name, _, what), seen in sorted(self.looks.items(), key=lambda look: look[0][:2]):
            if seen.looks < 9:
                continue  # a trainer that came late
            unit = f"{what} {WHAT[what]}".strip()
            lines.append(f"{name:20}{unit:18}{seen.first:>6}{seen.last:>10}{seen.most:>10}{seen.looks:>8}")
        return "\n".join([*lines, self.brief()])
