"""Memory that the system cannot take back from processes: their own, and what of shared memory is in use; at 10 Hz."""

import contextlib
import re
import threading
from pathlib import Path


def unreclaimable(pids, sharers=()):
    """Bytes now: what is anonymous of each, and its part of shared memory (Pss), of which others' parts are added where
    those are named. Pages of files come and go as the system likes, and do not count."""
    total = 0
    for pid, kinds in [*((pid, "Anon|Shmem") for pid in pids), *((pid, "Shmem") for pid in sharers)]:
        with contextlib.suppress(OSError):  # it has ended
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(1024 * int(kib) for kib in re.findall(rf"^Pss_(?:{kinds}): +(\d+)", text, re.M))
    return total


class Watch:
    """The most that these processes had while the block ran; sharers: others that use their shared memory."""

    def __init__(self, pids, sharers=(), every=0.1):
        self.pids, self.sharers, self.every, self.most = list(pids), list(sharers), every, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.over.wait(self.every):
            self.most = max(self.most, unreclaimable(self.pids, self.sharers))

    def __enter__(self):
        self.most = unreclaimable(self.pids, self.sharers)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
