"""What is shown while waiting: one line that rewrites itself on a terminal, rare lines elsewhere."""

import io

import pytest
from headrace import _progress
from headrace._progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(_progress.time, "monotonic", lambda: Clock.now)
    return Clock


def test_terminal_rewrites_one_line(clock):
    out = Terminal()
    line = ProgressLine("headrace lcd", out=out)
    line.show("loading", 0.25)
    clock.now += 2
    line.show("ready", -1)
    line.clear()
    assert out.getvalue().count("\n") == 0
    first, second, cleared = out.getvalue().split("\r")[1:4]
    assert first == "headrace lcd: loading 25% (0 s)"
    assert second.rstrip() == "headrace lcd: ready (2 s)"
    assert len(second) == len(first)  # covers what was there
    assert cleared.strip() == ""


@pytest.mark.parametrize("first_of_node", [True, False])
def test_lines_elsewhere_are_rare(clock, first_of_node):
    out = io.StringIO()
    line = ProgressLine("headrace lcd", first_of_node, out)
    for _ in range(120):  # a minute, told every half second
        clock.now += 0.5
        line.show("loading", 0.5)
    line.clear()
    lines = out.getvalue().splitlines()
    assert len(lines) == (4 if first_of_node else 3)
    assert lines[0] == f"headrace lcd: loading 50% ({3 if first_of_node else 30} s)"


def test_a_closed_stderr_is_no_failure():
    out = io.StringIO()
    out.close()
    line = ProgressLine("x", out=out)
    line.show("loading", 0.1)
    line.clear()
