"""One connection of the workload, and what was seen of it."""

from __future__ import annotations

from compiler.fields import Family
from compiler.simulator.router.connections import Tuple

__all__ = ["Flow", "ipv4"]


class Flow:
    """A connection that a client inside opens. Drivers move it on; the observer at the router writes into it."""

    __slots__ = (
        "asks_twice",
        "astray",
        "expected",
        "finished",
        "marks",
        "octets",
        "opened",
        "reasons",
        "reply",
        "request",
        "sources",
        "started",
        "uplinks",
        "wanted",
    )

    def __init__(self, wanted: Tuple, request: int, reply: int, *, asks_twice: bool = False) -> None:
        self.wanted = wanted
        """Who asks whom, as the client sends it."""
        self.request = request
        """Octets of payload that the client sends."""
        self.reply = reply
        """Octets of payload that it waits for."""
        self.asks_twice = asks_twice
        self.started = 0
        self.opened: int | None = None
        """When the first answer came, in ns."""
        self.finished: int | None = None
        self.expected: int | None = None
        """The number of the payload octets that have come so far, while it runs."""
        self.marks: list[int | str] = []
        """Different connection marks of packets that left by an uplink, in the order in which they appeared."""
        self.uplinks: list[str] = []
        """Interfaces of uplinks by which its packets left."""
        self.sources: list[int] = []
        """Source addresses with which they left."""
        self.octets: dict[str, int] = {}
        """Octets of IP by interface, both ways."""
        self.reasons: list[str] = []
        """Why packets of it ended in the router, or behind it."""
        self.astray = False
        """Whether packets left with an address that is another uplink's, or nobody's."""

    @property
    def first_uplink(self) -> str:
        """The interface by which it left first; empty for one that never did."""
        return self.uplinks[0] if self.uplinks else ""


def ipv4(protocol: int, source: int, destination: int, source_port: int, destination_port: int) -> Tuple:
    """The tuple of an IPv4 connection."""
    return Tuple(Family.IPV4, protocol, source, destination, source_port, destination_port)
