"""Ways of packets: what a routing decision looks at, what it says, and how several next hops share the traffic."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from compiler.fields import Family
from compiler.policy.stateful import AddressKind

__all__ = ["FIRST", "NO_ROUTE", "Asked", "Choice", "SharedWays", "Way"]


class Asked(NamedTuple):
    """What a routing decision looks at."""

    family: Family
    source: int
    destination: int
    ingress: str = ""
    mark: int | str = 0
    routing_mark: str = ""


class Way(NamedTuple):
    """What was decided. ``next_hop`` is the neighbour on ``interface`` that gets the packet.

    ``kind`` LOCAL: the packet is for the router itself; BROADCAST: for all on
    the interface's network. ``why`` names route and table for traces.
    """

    kind: AddressKind
    interface: str = ""
    next_hop: int = 0
    source: int | None = None
    """The address that the router's own packets should have this way."""
    why: str = ""
    is_default: bool = False
    """Whether no route more specific than the default one was found."""


NO_ROUTE = Way(AddressKind.UNREACHABLE, why="no route")


class Choice(NamedTuple):
    """What several next hops that share the traffic choose by.

    ``source``: the address of a packet of the router's own, or 0. Linux takes
    the next hop that has it before the one that the hash falls on
    (``fib_select_multipath``, since 6.14).
    """

    number: int
    """31 bits: see :func:`~compiler.simulator.router.multipath.flow_hash`."""
    source: int = 0


FIRST = Choice(0)


class SharedWays(NamedTuple):
    """Ways that share the traffic, and up to which number each is taken."""

    bounds: tuple[int, ...]
    ways: tuple[Way, ...]

    def chosen(self, choice: Choice) -> Way:
        """The way of one packet."""
        falls_on = self.ways[min(bisect_left(self.bounds, choice.number), len(self.ways) - 1)]
        if not choice.source or falls_on.source == choice.source:
            return falls_on
        return next((way for way in self.ways if way.source == choice.source), falls_on)
