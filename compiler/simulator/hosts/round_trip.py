"""How long to wait for an acknowledgement (RFC 6298)."""

from __future__ import annotations

__all__ = ["Patience", "RoundTrip"]


class RoundTrip:
    """Smoothed round-trip time, its variance, and the retransmission timeout. All in nanoseconds.

    As in Linux (``tcp_set_rto``) the variance's part, not the whole timeout,
    is at least ``minimum``.
    """

    __slots__ = ("_maximum", "_minimum", "least", "smoothed", "timeout", "variance")

    def __init__(self, initial: int, minimum: int, maximum: int) -> None:
        self._minimum = minimum
        self._maximum = maximum
        self.smoothed = 0
        """0 until the first sample."""
        self.variance = 0
        self.least = 0
        """The shortest sample."""
        self.timeout = initial

    def sample(self, taken: int) -> None:
        """A segment was acknowledged ``taken`` nanoseconds after it was sent, once."""
        taken = max(taken, 1)
        if self.smoothed:
            self.variance += (abs(taken - self.smoothed) - self.variance) >> 2
            self.smoothed += (taken - self.smoothed) >> 3
            self.least = min(self.least, taken)
        else:
            self.smoothed = self.least = taken
            self.variance = taken >> 1
        self.timeout = min(self.smoothed + max(4 * self.variance, self._minimum), self._maximum)

    def backed_off(self, times: int) -> int:
        """The timeout after so many retransmissions without an answer."""
        return min(self.timeout << min(times, 32), self._maximum)


class Patience:
    """How long one goes on without an answer: from the first timeout on, ``limit`` nanoseconds."""

    __slots__ = ("_limit", "_since")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since: int | None = None

    def renew(self) -> None:
        """There was an answer."""
        self._since = None

    def lasts(self, now: int) -> bool:
        """There was a timeout: whether to go on."""
        if self._since is None:
            self._since = now
        return now - self._since < self._limit
