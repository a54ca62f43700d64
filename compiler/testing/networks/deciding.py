"""Claims about all packets of a set, decided by following sets through the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from compiler.fields import Family
from compiler.testing.headers import Headers
from compiler.testing.networks.claims import Begin, Claim, packets_to
from compiler.testing.networks.ends import Beyond, Place
from compiler.testing.networks.flows import Arrival, Flows
from compiler.testing.networks.ground import Ground
from compiler.testing.networks.model import NetworkModel
from compiler.testing.networks.segments import Segments

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Field", "broken"]


class _Targets:
    """The ends that a beginning is for: each as a pair with the senders, and as a set of destinations."""

    def __init__(self, begin: Begin, ground: Ground) -> None:
        places = begin.destinations or ()
        self.pairs = tuple(begin._replace(destinations=(place,)) for place in places)
        self.regions = tuple(packets_to(place, begin.family, ground) for place in places)
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


def broken(
    model: NetworkModel, headers: Headers, begin: Begin, dead: frozenset[str], claim: Claim
) -> tuple[Flows, Arrival] | None:
    """What speaks against the claim, once: see :meth:`Field.refutation`. Raises BeyondSets."""
    return Field(model).refutation(headers, begin._replace(dead=dead), claim)
