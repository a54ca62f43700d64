"""How a claim about packets between two ends is decided: family by family, failure by failure, in sets."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

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
from compiler.testing.networks.model import HostEnd, NetworkModel

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

__all__ = ["Begin", "Claim", "begins", "broken", "is_there", "lines_of", "refuted"]


class Begin(NamedTuple):
    """One beginning: from an end to an end (None: to anywhere), in one family, whole packets or later fragments."""

    source: Place
    destination: Place | None
    family: Family
    noninitial: bool

    def region(self, headers: Headers, flows: Flows) -> BDDFunction:
        """The packets of the set between the two ends."""
        own = addresses_of(self.source, self.family)
        theirs = addresses_of(self.destination, self.family) if self.destination is not None else None
        return headers.encode(flows.space) & flows.space.encode(Match(source=own, destination=theirs))


class Claim(NamedTuple):
    """What must not be: ``wrong`` tells of each arrival whether it speaks against the claim, ``said`` what that is."""

    question: str
    wrong: Callable[[Begin, Arrival], bool]
    said: str


def begins(headers: Headers, sources: tuple[Place, ...], destinations: tuple[Place, ...] | None) -> Iterator[Begin]:
    """Every beginning: an end to itself is none, nor one to an end of another family."""
    halves = (False,) if headers.looks_at_layer4 else (False, True)
    for family in headers.families:
        for source in sources:
            if addresses_of(source, family) is None:
                continue
            for destination in destinations if destinations is not None else (None,):
                if destination is not None and (destination == source or addresses_of(destination, family) is None):
                    continue
                for noninitial in halves:
                    yield Begin(source, destination, family, noninitial)


def is_there(begin: Begin, arrival: Arrival) -> bool:
    """Whether the set has arrived at the end that it was meant for."""
    if arrival.end is not End.DELIVERED:
        return False
    there = begin.destination
    if isinstance(there, Beyond):
        return arrival.port in there.ports
    return there is not None and arrival.port.node == there.name


def broken(
    model: NetworkModel, headers: Headers, begin: Begin, dead: frozenset[str], claim: Claim
) -> tuple[Flows, Arrival] | None:
    """The first arrival that speaks against the claim. Raises BeyondSets."""
    flows = Flows(model, begin.family, dead, noninitial=begin.noninitial)
    region = begin.region(headers, flows)
    if not region.satisfiable():
        return None
    found = (one for one in _arrivals(flows, begin, region) if claim.wrong(begin, one))
    arrival = next(found, None)
    return (flows, arrival) if arrival is not None else None


def _arrivals(flows: Flows, begin: Begin, region: BDDFunction) -> Iterator[Arrival]:
    if isinstance(begin.source, HostEnd):
        yield from flows.from_host(begin.source.name, region)
        return
    for port in begin.source.ports:
        yield from flows.into(port, region)


def refuted(claim: Claim, flows: Flows, begin: Begin, arrival: Arrival, dead: frozenset[str]) -> Answer:
    """The answer that shows one packet of the arrival, its way, and who decided it there."""
    from compiler.symbolic.witness import plainest_packet

    context = Context(begin.family, Path.FORWARD, "", "", begin.noninitial)
    packet = plainest_packet(arrival.region, flows.space, context)
    sender = Hop(begin.source.name)
    path = (sender, *(_hop(flows.model, visit, packet) for visit in arrival.visits))
    if arrival.port.node != path[-1].node:
        path = (*path, Hop(arrival.port.node, arrival.port.port))
    said = f"{claim.said}: {arrival.end.value}" + (f" ({arrival.why})" if arrival.why else "")
    if dead:
        said += f"; while {', '.join(sorted(dead))} {'is' if len(dead) == 1 else 'are'} dead"
    witness = Witness(format_packet(packet), path, _command(flows.model, arrival.visits, packet))
    return Answer(claim.question, False, Sureness.PROVED, "over all packets", said, witness)


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


def _command(model: NetworkModel, visits: tuple[Visit, ...], packet: Packet) -> str:
    """The trace through the device that decided last."""
    for visit in reversed(visits):
        router = next(one for one in model.routers if one.name == visit.node)
        if visit.context is not None and visit.stages and router.tree is not None:
            return shlex.join(["gerbang", "trace", router.tree.source, format_packet(_there(visit, packet))])
    return ""
