"""How a claim about packets between two ends is decided: family by family, failure by failure, in sets."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple

from compiler.addresses import AddressSet
from compiler.analysis.findings.lints.quoting import quoted
from compiler.fields import Family
from compiler.policy.match import Match
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet
from compiler.semantics.decision import decide as decide_packet
from compiler.semantics.machine import Context
from compiler.testing.answer import Answer, DecidingRule, Hop, Sureness, Witness
from compiler.testing.headers import Headers
from compiler.testing.networks.ends import Beyond, Place, addresses_of
from compiler.testing.networks.flows import Arrival, End, Flows, Visit
from compiler.testing.networks.ground import Ground
from compiler.testing.networks.model import NetworkModel, PortName
from compiler.testing.networks.segments import Segments

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = [
    "Begin",
    "Claim",
    "Field",
    "begins",
    "broken",
    "crossed",
    "gathered",
    "is_there",
    "lines_of",
    "refuted",
    "way",
]


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
        asked = headers.encode(space)
        found: dict[Place, BDDFunction] = {}
        theirs = {one: _to(one, self.family, ground) for one in self.destinations or ()}
        every = space.full if self.destinations is None else space.empty
        for region in theirs.values():
            every = every | region
        for source in self.sources:
            own = addresses_of(source, self.family)
            region = asked & space.encode(Match(source=own)) & every
            if not isinstance(source, Beyond):
                region = region & ~_to(source, self.family, ground)
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


class _Targets:
    """The ends that a beginning is for: each as a pair with the senders, and as a set of destinations."""

    def __init__(self, begin: Begin, ground: Ground) -> None:
        places = begin.destinations or ()
        self.pairs = tuple(begin._replace(destinations=(place,)) for place in places)
        self.regions = tuple(_to(place, begin.family, ground) for place in places)
        self._here: dict[str, list[int]] = {}
        for number, place in enumerate(places):
            for node in {port.node for port in place.ports} if isinstance(place, Beyond) else (place.name,):
                self._here.setdefault(node, []).append(number)
        self.every = self.clashes = ground.space.empty
        for region in self.regions:
            self.clashes = self.clashes | (self.every & region)
            self.every = self.every | region

    def against(self, claim: Claim, arrival: Arrival) -> BDDFunction:
        """The packets of an arrival that speak against the claim: of an address that two ends have, for either."""
        near = self._here.get(arrival.port.node, [])
        wrong = [number for number in near if claim.wrong(self.pairs[number], arrival)]
        far = next((number for number in range(len(self.pairs)) if number not in near), None)
        if far is None or not claim.wrong(self.pairs[far], arrival):
            return arrival.region & self._joined(wrong)
        right = [number for number in near if number not in wrong]
        found = arrival.region & ~self._joined(right)
        clashing = arrival.region & self.clashes
        if right and clashing.satisfiable():
            found = found | (
                clashing & self._joined(number for number in range(len(self.pairs)) if number not in right)
            )
        return found

    def _joined(self, numbers: Iterable[int]) -> BDDFunction:
        found = self.every & ~self.every
        for number in numbers:
            found = found | self.regions[number]
        return found


class Field:
    """A network in all its failures: what is worked out for one is there for the next."""

    def __init__(self, model: NetworkModel) -> None:
        self.model = model
        self._grounds: dict[Family, Ground] = {}
        self._flows: dict[tuple[Family, bool], Flows] = {}
        self._sent: dict[tuple[Headers, Begin], dict[Place, BDDFunction]] = {}
        self._segments = Segments(model)
        self._last: tuple[Headers, Begin, tuple[Arrival, ...]] | None = None

    def flows(self, begin: Begin) -> Flows:
        """The ways of the network while that much is dead."""
        if begin.dead | self.model.dead != self._segments.dead:
            self._flows, self._segments = {}, Segments(self.model, begin.dead)
        key = begin.family, begin.noninitial
        if key not in self._flows:
            ground = self.ground(begin.family)
            self._flows[key] = Flows(ground, self._segments, noninitial=begin.noninitial)
        return self._flows[key]

    def ground(self, family: Family) -> Ground:
        """What no failure changes."""
        if family not in self._grounds:
            self._grounds[family] = Ground(self.model, family)
        return self._grounds[family]

    def asks(self, headers: Headers, begin: Begin) -> bool:
        """Whether the set has any packet there."""
        return bool(self._regions(headers, begin))

    def arrivals(self, headers: Headers, begin: Begin) -> tuple[Arrival, ...]:
        """What becomes of the packets of the set. Raises BeyondSets."""
        flows = self.flows(begin)
        if self._last is None or self._last[:2] != (headers, begin):
            self._last = (headers, begin, tuple(self._arrivals(flows, headers, begin)))
        return self._last[2]

    def _arrivals(self, flows: Flows, headers: Headers, begin: Begin) -> Iterator[Arrival]:
        regions = self._regions(headers, begin)
        hosts = {place.name: region for place, region in regions.items() if not isinstance(place, Beyond)}
        yield from flows.from_hosts(hosts)
        for place, region in regions.items():
            if isinstance(place, Beyond):
                for port in place.ports:
                    yield from flows.into(port, region)

    def refutation(self, headers: Headers, begin: Begin, claim: Claim) -> tuple[Flows, Arrival] | None:
        """The first arrival that speaks against the claim, cut to the packets that do. Raises BeyondSets."""
        flows = self.flows(begin)
        for one in begin.senders() if claim.apart else (begin,):
            arrivals = self.arrivals(headers, one)
            targets = _Targets(one, flows.ground) if one.destinations is not None else None
            for arrival in arrivals:
                if targets is not None:
                    wrong = targets.against(claim, arrival)
                else:
                    wrong = arrival.region if claim.wrong(one, arrival) else flows.space.empty
                if wrong.satisfiable():
                    return flows, arrival._replace(region=wrong)
        return None

    def _regions(self, headers: Headers, begin: Begin) -> dict[Place, BDDFunction]:
        """Failures change nothing about what is sent."""
        key = (headers, begin._replace(dead=frozenset()))
        if key not in self._sent:
            self._sent[key] = begin.regions(headers, self.ground(begin.family))
        return self._sent[key]


def begins(headers: Headers, sources: tuple[Place, ...], destinations: tuple[Place, ...] | None) -> Iterator[Begin]:
    """Every pair of ends: an end to itself is none, nor one to an end of another family."""
    halves = (False,) if headers.looks_at_layer4 else (False, True)
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


def broken(
    model: NetworkModel, headers: Headers, begin: Begin, dead: frozenset[str], claim: Claim
) -> tuple[Flows, Arrival] | None:
    """What speaks against the claim, once: see :meth:`Field.refutation`. Raises BeyondSets."""
    return Field(model).refutation(headers, begin._replace(dead=dead), claim)


def is_there(begin: Begin, arrival: Arrival) -> bool:
    """Whether packets to an end have arrived at it."""
    if arrival.end is not End.DELIVERED:
        return False
    there = begin.destination
    if isinstance(there, Beyond):
        return arrival.port in there.ports
    return there is not None and arrival.port.node == there.name


def _to(place: Place, family: Family, ground: Ground) -> BDDFunction:
    theirs = addresses_of(place, family)
    return ground.space.field("destination", theirs) if theirs is not None else ground.space.empty


def _sender(begin: Begin, packet: Packet) -> Place:
    """The end that a packet is from."""
    return next(one for one in begin.sources if _has(one, begin.family, packet.source))


def _has(place: Place, family: Family, address: int) -> bool:
    own: AddressSet | None = addresses_of(place, family)
    return own is not None and own.contains(address)


def crossed(segments: Segments, source: Place, arrival: Arrival) -> frozenset[str]:
    """Every router, switch and cable that what one end sent has passed on its way to an arrival."""
    found = {visit.node for visit in arrival.visits}
    leaves = None if isinstance(source, Beyond) else PortName(source.name, source.port)
    for visit in arrival.visits:
        if leaves is not None:
            found |= segments.between(leaves, PortName(visit.node, visit.ingress))
        leaves = PortName(visit.node, visit.egress)
    if leaves is not None and arrival.port.node != leaves.node:
        found |= segments.between(leaves, arrival.port)
    return frozenset(found)


# -- telling ---------------------------------------------------------------------------------------


def refuted(claim: Claim, flows: Flows, begin: Begin, arrival: Arrival, dead: frozenset[str]) -> Answer:
    """The answer that shows one packet of the arrival, its way, and who decided it there."""
    from compiler.symbolic.witness import plainest_packet

    packet = plainest_packet(arrival.region, flows.space, _as_sent(begin))
    said = f"{claim.said}: {arrival.end.value}" + (f" ({arrival.why})" if arrival.why else "")
    if dead:
        said += f"; while {', '.join(sorted(dead))} {'is' if len(dead) == 1 else 'are'} dead"
    model = flows.ground.model
    witness = Witness(format_packet(packet), way(flows, begin, arrival, packet), _command(model, arrival, packet))
    return Answer(claim.question, False, Sureness.PROVED, "over all packets", said, witness)


def way(flows: Flows, begin: Begin, arrival: Arrival, packet: Packet) -> tuple[Hop, ...]:
    """From the sender to where the packet came, with the rules that decided on the way."""
    source = _sender(begin, packet)
    first = Hop(source.name)
    path = (first, *(_hop(flows.ground.model, visit, packet) for visit in arrival.visits))
    if arrival.port.node != path[-1].node and arrival.port.node not in flows.ground.hosts:
        return (*path, Hop(arrival.port.node, arrival.port.port))
    if arrival.port.node in flows.ground.hosts and arrival.end in (End.DELIVERED, End.REFUSED):
        return (*path, Hop(arrival.port.node, arrival.port.port))
    return path


def _as_sent(begin: Begin) -> Context:
    return Context(begin.family, Path.FORWARD, "", "", begin.noninitial)


def _hop(model: NetworkModel, visit: Visit, packet: Packet) -> Hop:
    if visit.context is None or not visit.stages:
        return Hop(visit.node, visit.ingress, visit.egress)
    decision = decide_packet(visit.stages, _there(visit, packet))
    verdict = "permits" if decision.passes else "denies"
    text = quoted(lines_of(model, visit.node), decision.span) if decision.span.line else ""
    rule = DecidingRule(decision.span, text, verdict if text else f"{verdict}: {decision.why}")
    return Hop(visit.node, visit.ingress, visit.egress, (rule,))


def _there(visit: Visit, packet: Packet) -> Packet:
    assert visit.context is not None
    return packet._replace(ingress=visit.context.ingress, egress=visit.context.egress, path=visit.context.path)


def lines_of(model: NetworkModel, node: str) -> tuple[str, ...]:
    """The lines of a router's configuration."""
    router = next(one for one in model.routers if one.name == node)
    return tuple(router.tree.lines) if router.tree is not None else ()


def _command(model: NetworkModel, arrival: Arrival, packet: Packet) -> str:
    """The trace through the device that decided last, where its configuration is a file."""
    for visit in reversed(arrival.visits):
        router = next(one for one in model.routers if one.name == visit.node)
        if visit.context is None or not visit.stages or router.tree is None:
            continue
        if FilePath(router.tree.source).is_file():
            return shlex.join(["gerbang", "trace", router.tree.source, format_packet(_there(visit, packet))])
    return ""
