"""What fails or takes long is said at once, so that a run that is cut off has told which test it was."""

import time

import pytest

SLOW = 120.0
"""Seconds from which a test is named though it passes."""

ENDING = 12
"""How many of a failure's last lines are said at once; all of them come at the end."""


class AtOnce:
    """Names each failure, and each very slow test, when its report comes in."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._start = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A line of time, outcome and name; of a failure, how it ended."""
        if not report.failed and report.duration < SLOW:
            return
        since = time.monotonic() - self._start
        outcome = "FAILED" if report.failed else "slow"
        self._terminal.write_line(
            f"\n[{since:.0f} s] {outcome} after {report.duration:.1f} s ({report.when}): {report.nodeid}"
        )
        if report.failed:
            self._terminal.write_line("\n".join(report.longreprtext.splitlines()[-ENDING:]))
