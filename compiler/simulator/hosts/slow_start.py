"""HyStart: leaving slow start when a queue builds up, before it overflows (Ha and Rhee, 2008; ``tcp_cubic.c``)."""

from __future__ import annotations

from compiler.simulator.engine import MILLISECOND

__all__ = ["SlowStartExit"]

_LEAST_WINDOW = 16
_SAMPLES = 8
_LEAST_DELAY, _MOST_DELAY = 4 * MILLISECOND, 16 * MILLISECOND
_SPACING = 2 * MILLISECOND


class SlowStartExit:
    """Watches the round trips of slow start, one window after the other."""

    __slots__ = ("_end", "_last", "_least", "_samples", "_start")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin a first round."""
        self._end = 0
        self._start = 0
        self._last = 0
        self._samples = 0
        self._least = 0

    def heard(self, now: int, taken: int, delay: int, una: int, nxt: int, window: float) -> bool:
        """Whether to leave: the acknowledgement train is long, or the round's shortest time is well over ``delay``."""
        if una > self._end:
            self._end = nxt
            self._start = self._last = now
            self._samples = 0
            self._least = taken
        if window < _LEAST_WINDOW:
            return False
        if now - self._last <= _SPACING:
            self._last = now
            if now - self._start > delay >> 1:
                return True
        self._least = min(self._least, taken)
        if self._samples < _SAMPLES:
            self._samples += 1
            return False
        return self._least > delay + min(max(delay >> 3, _LEAST_DELAY), _MOST_DELAY)
