"""What a trainer shows while it waits to connect: one line that rewrites itself on a terminal, rare lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Optional, TextIO


class ProgressLine:
    """Off a terminal only the first trainer of a node speaks soon, the others after a while."""

    FIRST, OTHERS, BETWEEN = 3.0, 30.0, 15.0  # seconds: until a first line, the same for others, from line to line

    def __init__(self, label: str, first_of_node: bool = True, out: Optional[TextIO] = None) -> None:
        self._label = label
        self._out = sys.stderr if out is None else out
        self._terminal = first_of_node and _is_terminal(self._out)
        self._began = time.monotonic()
        self._due = self._began + (self.FIRST if first_of_node else self.OTHERS)
        self._width = 0

    def show(self, what: str, fraction: float) -> None:
        percent = f" {100 * fraction:.0f}%" if fraction >= 0 else ""
        now = time.monotonic()
        text = f"{self._label}: {what}{percent} ({now - self._began:.0f} s)"
        if self._terminal:
            self._write("\r" + text.ljust(self._width))
            self._width = len(text)
        elif now >= self._due:
            self._due = now + self.BETWEEN
            self._write(text + "\n")

    def clear(self) -> None:
        if self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError, AttributeError):  # a closed or missing stderr is no reason to fail
            pass


def _is_terminal(out: TextIO) -> bool:
    try:
        return out.isatty()
    except (AttributeError, ValueError):
        return False
