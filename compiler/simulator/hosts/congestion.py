"""Congestion control: how many segments may be under way.

NewReno's window (RFC 5681) and CUBIC (RFC 9438), in the form of Linux: windows
count segments. When to reduce, and how to send while losses are repaired, is
the sender's business (proportional rate reduction, RFC 6937).
"""

from __future__ import annotations

from math import inf
from typing import Protocol

from compiler.simulator.engine import MICROSECOND, SECOND
from compiler.simulator.hosts.slow_start import SlowStartExit

__all__ = ["Cubic", "NewReno", "Window"]


class Window(Protocol):
    """A congestion window, in segments."""

    window: float
    threshold: float

    def grow(self, delivered: int, now: int) -> None:
        """So many segments arrived while the window was in full use."""
        ...

    def round_trip(self, now: int, taken: int, una: int, nxt: int) -> None:
        """A segment took so long; ``una`` and ``nxt`` are the sender's edges."""
        ...

    def reduce(self) -> None:
        """Congestion: lower ``threshold``. The caller sets the window."""
        ...

    def restart(self) -> None:
        """Forget what was learnt: a timeout, or a long silence."""
        ...


class NewReno:
    """One segment a round trip more, and half after a loss."""

    __slots__ = ("threshold", "window")

    def __init__(self, initial: int) -> None:
        self.window: float = initial
        self.threshold: float = inf

    def grow(self, delivered: int, now: int) -> None:
        """Slow start below the threshold, then one segment a window."""
        if self.window < self.threshold:
            self.window += delivered
            if self.window <= self.threshold:
                return
            delivered = int(self.window - self.threshold)
            self.window = self.threshold
        self.window += delivered / self.window

    def round_trip(self, now: int, taken: int, una: int, nxt: int) -> None:
        """Times mean nothing to it."""

    def reduce(self) -> None:
        """Half, and two at least."""
        self.threshold = max(2, int(self.window) >> 1)

    def restart(self) -> None:
        """It learns nothing else."""


class Cubic:
    """The window follows a cubic function of the time since the last loss (RFC 9438), as in ``tcp_cubic.c``."""

    __slots__ = (
        "_beginning",
        "_delay",
        "_exit",
        "_inflection",
        "_last_maximum",
        "_origin",
        "_reno",
        "threshold",
        "window",
    )

    BETA = 717 / 1024
    """What is left of the window after a loss, as the kernel rounds it."""
    SCALE = 0.4
    """C: segments a second cubed (RFC 9438, 5.1)."""

    def __init__(self, initial: int, slow_start_exit: bool = True) -> None:
        self.window: float = initial
        self.threshold: float = inf
        self._exit = SlowStartExit() if slow_start_exit else None
        self._last_maximum = 0.0
        self._delay = 0
        self._forget()

    def _forget(self) -> None:
        self._beginning: int | None = None
        self._origin = 0.0
        self._inflection = 0.0
        self._reno = 0.0

    def grow(self, delivered: int, now: int) -> None:
        """Slow start below the threshold, the cubic function above it."""
        window = self.window
        if window < self.threshold:
            window += delivered
            if window <= self.threshold:
                self.window = window
                return
            delivered = int(window - self.threshold)
            self.window = window = self.threshold
        if self._beginning is None:
            self._begin(window, now)
        # One round trip ahead: that is where the window is to be when these segments are acknowledged.
        since = (now - self._beginning + self._delay) / SECOND - self._inflection  # type: ignore[operator]
        target = self._origin + self.SCALE * since * since * since
        # What NewReno would have with the same reduction (RFC 9438, 4.3).
        self._reno += 3 * (1 - self.BETA) / (1 + self.BETA) * delivered / window
        target = max(target, self._reno)
        if target > window:
            # No faster than by half in a round trip.
            self.window = window + min((target - window) / window, 0.5) * delivered
        else:
            self.window = window + delivered / (100 * window)

    def _begin(self, window: float, now: int) -> None:
        self._beginning = now
        self._reno = window
        if window < self._last_maximum:
            self._inflection = float(((self._last_maximum - window) / self.SCALE) ** (1 / 3))
            self._origin = self._last_maximum
        else:
            self._inflection = 0.0
            self._origin = window

    def round_trip(self, now: int, taken: int, una: int, nxt: int) -> None:
        """Keep the shortest; in slow start see whether a queue builds up."""
        # The first second after a loss is biased by the queue that the loss came from.
        if self._beginning is not None and now - self._beginning < SECOND:
            return
        taken = max(taken, MICROSECOND)
        if not self._delay or taken < self._delay:
            self._delay = taken
        if (
            self._exit
            and self.window < self.threshold
            and self._exit.heard(now, taken, self._delay, una, nxt, self.window)
        ):
            self.threshold = self.window

    def reduce(self) -> None:
        """To 0.7; a window that shrinks from loss to loss gives room to newcomers (fast convergence, RFC 9438, 4.7)."""
        window = int(self.window)
        self._beginning = None
        shrinks = window < self._last_maximum
        self._last_maximum = window * (1 + self.BETA) / 2 if shrinks else float(window)
        self.threshold = max(2, int(window * self.BETA))

    def restart(self) -> None:
        """Begin anew, also with what is known of the path (``bictcp_reset``)."""
        self._last_maximum = 0.0
        self._delay = 0
        self._forget()
        if self._exit:
            self._exit.restart()
