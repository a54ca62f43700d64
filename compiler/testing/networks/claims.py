"""What is asked of a network: packets from some ends to some, and what must not become of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from compiler.fields import Family
from compiler.policy.match import Match
from compiler.symbolic.space import space
from compiler.testing.headers import Headers
from compiler.testing.networks.ends import Beyond, Itself, Place, addresses_of
from compiler.testing.networks.flows import Arrival, End
from compiler.testing.networks.ground import Ground, neighbour_discovery
from compiler.testing.networks.model import HostEnd, PortName
from compiler.testing.networks.segments import Segments

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Begin", "Claim", "begins", "crossed", "gathered", "is_there", "missing", "packets_to"]


class Begin(NamedTuple):
    """One beginning: from some ends to some (None: to anywhere), in one family, whole packets or later fragments."""

    sources: tuple[Place, ...]
    destinations: tuple[Place, ...] | None
    family: Family
    noninitial: bool
    dead: frozenset[str] = frozenset()
    """What does not work meanwhile, beside what the network itself says is dead."""

    @property
    def source(self) -> Place:
        """The end that sends, of a pair."""
        return self.sources[0]

    @property
    def destination(self) -> Place | None:
        """The end that is meant, of a pair; None for anywhere."""
        return self.destinations[0] if self.destinations is not None else None

    def regions(self, headers: Headers, ground: Ground) -> dict[Place, BDDFunction]:
        """The packets of the set from each end to the others. What an end sends to itself never leaves it."""
        space = ground.space
        asked = headers.encode(space, noninitial=self.noninitial)
        found: dict[Place, BDDFunction] = {}
        theirs = {one: packets_to(one, self.family, ground) for one in self.destinations or ()}
        every = space.full if self.destinations is None else space.empty
        for region in theirs.values():
            every = every | region
        for source in self.sources:
            own = addresses_of(source, self.family)
            region = asked & space.encode(Match(source=own)) & every
            if not isinstance(source, Beyond):
                region = region & ~packets_to(source, self.family, ground)
            elif source in theirs:
                region = region & ~theirs[source]
            if region.satisfiable():
                found[source] = region
        return found

    def senders(self) -> Iterator[Begin]:
        """The same, an end that sends at a time."""
        return (self._replace(sources=(source,)) for source in self.sources)

    def pairs(self) -> Iterator[Begin]:
        """The same, an end to an end at a time."""
        for one in self.senders():
            if one.destinations is None:
                yield one
                continue
            yield from (one._replace(destinations=(place,)) for place in one.destinations if place != one.source)


class Claim(NamedTuple):
    """What must not be: ``wrong`` tells of packets from an end to an end whether their arrival speaks against it.

    Of all ends that packets did not come to it says the same.
    """

    question: str
    wrong: Callable[[Begin, Arrival], bool]
    said: str
    by_any_address: bool = False
    """Whether an end may be reached by any address that a router turns into one of its own."""
    apart: bool = False
    """Whether ``wrong`` looks at the sender: then each sends alone, else all senders together."""


def begins(headers: Headers, sources: tuple[Place, ...], destinations: tuple[Place, ...] | None) -> Iterator[Begin]:
    """Every pair of ends: an end to itself is none, nor one to an end of another family."""
    halves = headers.halves
    for family in headers.families:
        for source in sources:
            if addresses_of(source, family) is None:
                continue
            for destination in destinations if destinations is not None else (None,):
                if destination is not None and (destination == source or addresses_of(destination, family) is None):
                    continue
                ends = (destination,) if destination is not None else None
                yield from (Begin((source,), ends, family, noninitial) for noninitial in halves)


def gathered(pairs: Iterable[Begin]) -> tuple[Begin, ...]:
    """The same beginnings, those of one family and half as one."""
    sources: dict[tuple[Family, bool], dict[Place, None]] = {}
    destinations: dict[tuple[Family, bool], dict[Place, None]] = {}
    for pair in pairs:
        key = pair.family, pair.noninitial
        sources.setdefault(key, {})[pair.source] = None
        destinations.setdefault(key, {}).update(dict.fromkeys(pair.destinations or ()))
    return tuple(Begin(tuple(ends), tuple(destinations[key]) or None, *key) for key, ends in sources.items())


def is_there(begin: Begin, arrival: Arrival) -> bool:
    """Whether packets to an end have arrived at it."""
    there = begin.destination
    if isinstance(there, Itself):
        return arrival.end is End.TAKEN and arrival.port.node == there.name
    if arrival.end is not End.DELIVERED:
        return False
    if isinstance(there, Beyond):
        return arrival.port in there.ports
    return there is not None and arrival.port.node == there.name


def missing(headers: Headers) -> Callable[[Begin, Arrival], bool]:
    """Whether packets to an end have not arrived at it.

    Messages that stay on their link are wanted beyond it only where nothing else is asked about.
    """
    family_space = space(Family.IPV6)
    asked = headers.encode(family_space) if Family.IPV6 in headers.families else family_space.empty
    others = (asked & ~neighbour_discovery(family_space)).satisfiable()

    def is_missing(begin: Begin, arrival: Arrival) -> bool:
        return not is_there(begin, arrival) and not (others and arrival.end is End.LINK)

    return is_missing


def packets_to(place: Place, family: Family, ground: Ground) -> BDDFunction:
    """All packets to the addresses of an end."""
    theirs = addresses_of(place, family)
    return ground.space.field("destination", theirs) if theirs is not None else ground.space.empty


def crossed(segments: Segments, source: Place, arrival: Arrival) -> frozenset[str]:
    """Every router, switch and cable that what one end sent has passed on its way to an arrival."""
    found = {visit.node for visit in arrival.visits}
    leaves = PortName(source.name, source.port) if isinstance(source, HostEnd) else None
    for visit in arrival.visits:
        if leaves is not None:
            found |= segments.between(leaves, PortName(visit.node, visit.ingress))
        leaves = PortName(visit.node, visit.egress)
    if leaves is not None and arrival.port.node != leaves.node:
        found |= segments.between(leaves, arrival.port)
    return frozenset(found)
