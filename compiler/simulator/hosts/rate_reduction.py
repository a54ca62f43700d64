"""Proportional rate reduction (RFC 6937): how fast to send while losses are repaired."""

from __future__ import annotations

__all__ = ["RateReduction"]


class RateReduction:
    """Lets the window come down to the threshold evenly over one round trip, as in ``tcp_cwnd_reduction``."""

    __slots__ = ("_arrived", "_before", "_sent")

    def __init__(self, before: float) -> None:
        self._before = max(1, int(before))
        self._arrived = 0
        self._sent = 0

    def count(self, sent: int) -> None:
        """So many segments have been sent since."""
        self._sent += sent

    def window(self, threshold: int, in_flight: int, delivered: int, makes_progress: bool) -> int:
        """The window now that ``delivered`` segments more have arrived.

        ``makes_progress`` is true when the first gap has closed and nothing else is known to be lost.
        """
        self._arrived += delivered
        room = threshold - in_flight
        if room < 0:
            count = -(-threshold * self._arrived // self._before) - self._sent
        else:
            count = min(room, max(self._arrived - self._sent, delivered) + makes_progress)
        # Something is sent at once, so that the first repair does not wait.
        return in_flight + max(count, 0 if self._sent else 1)
