"""When faults of the kernel world really happen: a loaded machine may be late."""

from __future__ import annotations

import time
from typing import NamedTuple

import pytest

from labs.kernel import world
from labs.kernel.cables import Cable
from labs.kernel.loop import Loop

__all__ = ["Moments", "Silence", "watched"]


class Silence(NamedTuple):
    """Nanoseconds since the run began, the plan's time: cutting begins, is done; mending begins, is done."""

    cutting: int
    cut: int
    mending: int
    settled: int


class Moments:
    """What was done to cables in one run, in order."""

    def __init__(self) -> None:
        self.origin = 0
        self._events: list[tuple[str, int, int]] = []

    def clear(self) -> None:
        """Begin a new run."""
        self._events.clear()

    def note(self, what: str, before: int) -> None:
        """Something was begun at that moment of the monotonic clock, and is done."""
        self._events.append((what, before - self.origin, time.monotonic_ns() - self.origin))

    def silences(self) -> list[Silence]:
        """From the first cable that is cut to when the last is mended and its ends have come up."""
        found: list[Silence] = []
        is_cut = False
        for what, before, after in self._events:
            if what == "cut" and not is_cut:
                found.append(Silence(before, after, 0, 0))
                is_cut = True
            elif what == "cut":
                found[-1] = found[-1]._replace(cut=after)
            elif what == "mend" and is_cut:
                found[-1] = found[-1]._replace(mending=before, settled=after)
                is_cut = False
            elif found and not is_cut:
                found[-1] = found[-1]._replace(settled=after)
        return found


def watched(monkeypatch: pytest.MonkeyPatch) -> Moments:
    """Have every run note its moments from now on."""
    seen = Moments()
    start, set_up, forget = Loop.start, Cable.set_up, world.forget_unanswered

    def started(loop: Loop) -> None:
        start(loop)
        seen.origin = loop._origin

    def set_and_noted(cable: Cable, is_up: bool, **more: str) -> None:
        before = time.monotonic_ns()
        set_up(cable, is_up, **more)
        seen.note("mend" if is_up else "cut", before)

    def forgotten(*words: object) -> None:
        before = time.monotonic_ns()
        forget(*words)  # type: ignore[arg-type]
        seen.note("settle", before)

    monkeypatch.setattr(Loop, "start", started)
    monkeypatch.setattr(Cable, "set_up", set_and_noted)
    monkeypatch.setattr(world, "forget_unanswered", forgotten)
    return seen
