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


class Growth:
    def __init__(self):
        self.looks = collections.defaultdict(list)  # (name, pid, what) -> [value at each look]

    def look(self, processes, folder):
        """processes: name -> number. folder: where MPI's shared memory is."""
        for name, pid in processes.items():
            for what, value in facts(pid).items():
                self.looks[name, pid, what].append(value)
        used = sum(entry.stat().st_blocks // 2 for entry in folder.iterdir()) + len(list(folder.iterdir()))
        self.looks["/dev/shm", 0, "memfd"].append(used)
        alive = {(name, pid) for name, pid in processes.items()} | {("/dev/shm", 0)}
        for key in [key for key in self.looks if key[:2] not in alive]:  # its successor is another process
            if len(self.looks[key]) < 9 or not self._by(key):
                del self.looks[key]

    def _by(self, key):
        """How much more than allowed it has grown."""
        values = self.looks[key]
        third = len(values) // 3
        if third == 0:
            return 0
        by = min(values[-third:]) - max(values[:third])
        return by if by > ALLOWED[key[2]] else 0

    def grown(self):
        return [f"{what} of {name} (process {pid}) by {self._by((name, pid, what))} {WHAT[what]}"
                for name, pid, what in self.looks if self._by((name, pid, what))]

    def brief(self):
        return "grown: " + (", ".join(self.grown()) or "nothing")

    def table(self):
        """First look, last look and the most of each, and what has grown."""
        lines = [f"{'':20}{'':14}{'first':>10}{'last':>10}{'most':>10}{'looks':>8}"]
        for (name, _, what), values in sorted(self.looks.items(), key=lambda look: look[0][:2]):
            if len(values) < 9:
                continue  # a trainer that came late
            unit = f"{what} {WHAT[what]}".strip()
            lines.append(f"{name:20}{unit:18}{values[0]:>6}{values[-1]:>10}{max(values):>10}{len(values):>8}")
        return "\n".join([*lines, self.brief()])
