"""Skips are told as skips, in every test of pytest: a file of which all was skipped ends with the exit code that ctest takes
for one (tests/CMakeLists.txt), and what was skipped and why goes, a line each, to the file $HEADRACE_SKIPS, for tests/run."""

import os
import signal
from pathlib import Path

import pytest

ALL_SKIPPED = 77


class Skips:
    def __init__(self):
        self.lines, self.ran = [], False

    def note(self, report):
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.lines.append(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}".replace("\n", " "))
        return report.skipped

    @pytest.hookimpl
    def pytest_collectreport(self, report):
        if not self.note(report):
            self.ran |= report.failed

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report):
        if not self.note(report):
            self.ran |= report.failed or report.when == "call"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self.lines and not self.ran and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = ALL_SKIPPED
        if file := os.environ.get("HEADRACE_SKIPS"):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text("".join(f"{line}\n" for line in self.lines))


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as it is behind a shell's `&`: some tests press Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Skips(), "headrace-skips")
