"""The bar shows itself to people, after a while, and leaves the line clean."""

import io

import pytest

from compiler.cli import progress as module
from compiler.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_nothing_without_a_terminal(clock):
    stream = io.StringIO()
    with Progress("proving", stream) as progress:
        clock[0] += 60
        progress(1, 2)
    assert stream.getvalue() == ""


def test_nothing_for_short_work(clock):
    stream = Terminal()
    with Progress("proving", stream) as progress:
        clock[0] += module.PATIENCE / 2
        progress(1, 2)
    assert stream.getvalue() == ""


def test_the_share_done_then_a_clean_line(clock):
    stream = Terminal()
    with Progress("proving", stream) as progress:
        clock[0] += module.PATIENCE
        progress(1, 4)
        progress(2, 4)  # too soon to draw again
    drawn = stream.getvalue()
    assert "proving" in drawn
    assert " 25%" in drawn
    assert " 50%" not in drawn
    assert drawn.endswith("\r\x1b[K")


@pytest.mark.parametrize(("done", "total", "shown"), [(0, 0, "0%"), (9, 4, "100%")])
def test_odd_counts_do_no_harm(clock, done, total, shown):
    stream = Terminal()
    with Progress("proving", stream) as progress:
        clock[0] += module.PATIENCE
        progress(done, total)
    assert shown in stream.getvalue()
