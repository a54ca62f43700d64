"""Many connections through one network, one after another: by which line each left, and as whom it was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.policy.packet import Packet
from compiler.testing.dynamic.candidates import drawn, plain_class, region_of
from compiler.testing.dynamic.trying import Sender, senders
from compiler.testing.dynamic.world import Journey, NetworkWorld
from compiler.testing.headers import Headers
from compiler.testing.networks.claims import Begin
from compiler.testing.networks.model import NetworkModel

__all__ = ["Opened", "Planned", "check_lines", "drawn_connections", "in_region", "open_all", "openable"]

_APART = 5_000_000
"""Nanoseconds between the beginnings of connections."""
_PATIENCE = 4_000_000_000


class Planned(NamedTuple):
    """A connection that is to be opened: between whom, and what its first packet is."""

    pair: Begin
    sender: Sender
    packet: Packet


class Opened(NamedTuple):
    """A connection, and the way of its first packet."""

    planned: Planned
    journey: Journey

    @property
    def shown(self) -> int | None:
        """The source address that the other end saw; None where nothing arrived."""
        return self.journey.heard.source if self.journey.heard is not None else None

    def line(self, lines: Sequence[str]) -> str:
        """The first of these lines that it went over; empty when it went over none."""
        return next((line for line in lines if self.journey.crosses(line)), "")


def openable(question: str, headers: Headers, beginnings: Sequence[Begin]) -> tuple[Begin, ...]:
    """The pairs of ends between which a connection can begin. UsageError when there is none."""
    found = tuple(
        pair
        for begin in beginnings
        if not begin.noninitial
        for pair in begin.pairs()
        if region_of(headers, pair.source, pair.destination, pair.family, opening=True).satisfiable()
    )
    if not found:
        raise UsageError(f"{question}: there is no such connection, so nothing was asked")
    return found


def check_lines(model: NetworkModel, lines: Sequence[str]) -> None:
    """That each names a cable, a node, or a port. Raises UsageError."""
    cables = [cable.name for cable in model.cables]
    ports = [str(port) for port in model.addresses()]
    for line in lines:
        if line not in (*cables, *model.names, *ports):
            known = ", ".join((*cables, *ports))
            raise UsageError(f"no cable, node or port is called {line!r}; there are {known}")


def drawn_connections(
    headers: Headers, pairs: Sequence[Begin], number: int, dead: frozenset[str], seed: str
) -> list[Planned]:
    """So many different connections, the pairs of ends in turn, each drawn by chance from all that there are."""
    streams = [_drawn(headers, pair, number, dead, f"{seed}/{count}") for count, pair in enumerate(pairs)]
    found: dict[Packet, Planned] = {}
    while streams and len(found) < number:
        for stream in tuple(streams):
            planned = next(stream, None)
            if planned is None:
                streams.remove(stream)
            elif len(found) < number:
                found.setdefault(planned.packet, planned)
    return list(found.values())


def _drawn(headers: Headers, pair: Begin, number: int, dead: frozenset[str], seed: str) -> Iterator[Planned]:
    region = region_of(headers, pair.source, pair.destination, pair.family, opening=True)
    region = plain_class(region, pair.family)
    ways = tuple(senders(pair, dead))
    if ways:
        for count, packet in enumerate(drawn(region, pair.family, number, seed=seed)):
            yield Planned(pair, ways[count % len(ways)], packet)


def in_region(headers: Headers, planned: Planned) -> bool:
    """Whether the packet is one of those that were asked about."""
    from compiler.symbolic.space import space
    from compiler.testing.dynamic.trying import exactly

    pair = planned.pair
    region = region_of(headers, pair.source, pair.destination, pair.family, opening=True)
    return (region & space(pair.family).encode(exactly(planned.packet))).satisfiable()


def open_all(world: NetworkWorld, planned: Sequence[Planned]) -> list[Opened]:
    """Send the first packet of each, and wait for the last."""
    found = []
    for one in planned:
        found.append(Opened(one, world.begin(one.sender, one.packet)))
        world.run(_APART)
    if any(not one.journey.is_over for one in found):
        world.run(_PATIENCE)
    return found
