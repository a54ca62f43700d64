"""What servers saw: who came, from where after all translations, and how much arrived."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.simulator.engine import MILLISECOND
from compiler.simulator.sockets import Cancel, Endpoint

__all__ = ["Flow", "Meter", "Seen", "ServerLog", "Settings"]

Settings = tuple[tuple[str, str], ...]
"""What a service is told: names and values; a name may stand several times."""


class Meter:
    """Octets in all against time, at most one sample each ``period`` nanoseconds."""

    __slots__ = ("_last", "_next", "_samples", "period", "total")

    def __init__(self, period: int = 100 * MILLISECOND) -> None:
        self.period = period
        self.total = 0
        self._next = 0
        self._last = 0
        self._samples: list[tuple[int, int]] = []

    def count(self, now: int, octets: int) -> None:
        """So many more arrived."""
        self.total += octets
        self._last = now
        if now >= self._next:
            self._samples.append((now, self.total))
            self._next = (now // self.period + 1) * self.period

    def total_at(self, moment: int) -> int:
        """Octets until that moment; between two samples as if they had come evenly."""
        before = (0, 0)
        for sample in self.samples:
            if sample[0] > moment:
                span = sample[0] - before[0]
                return before[1] + (sample[1] - before[1]) * (moment - before[0]) // span
            before = sample
        return before[1]

    @property
    def samples(self) -> tuple[tuple[int, int], ...]:
        """The pairs so far; the last one is what is known now."""
        if self._samples and self._samples[-1][1] != self.total:
            return (*self._samples, (self._last, self.total))
        return tuple(self._samples)


@dataclass(slots=True, eq=False)
class Seen:
    """One connection, exchange or datagram flow as the server saw it."""

    moment: int
    remote: Endpoint
    local: Endpoint
    octets: int = 0
    """Payload that arrived here and is not a command."""
    token: str = ""
    meter: Meter | None = None
    """Where what arrives is worth a plot."""


@dataclass(slots=True, eq=False)
class Flow:
    """The datagrams of one client's flow. ``late`` came after one with a higher number."""

    seen: Seen
    numbers: set[int] = field(default_factory=set)
    highest: int = -1
    late: int = 0
    repeated: int = 0
    delays: list[int] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)


@dataclass(slots=True, eq=False)
class ServerLog:
    """What one service of one host saw. ``stop`` ends the service."""

    service: str
    port: int
    entries: list[Seen] = field(default_factory=list)
    flows: dict[str, Flow] = field(default_factory=dict)
    stop: Cancel = lambda: None

    def saw(self, moment: int, remote: Endpoint, local: Endpoint, token: str = "") -> Seen:
        """Enter one more."""
        seen = Seen(moment, remote, local, token=token)
        self.entries.append(seen)
        return seen
