"""A claim refuted by sets: one packet of those that speak against it, its way, who decided it there, and a command."""

from __future__ import annotations

import shlex
from pathlib import Path as FilePath

from compiler.addresses import AddressSet
from compiler.analysis.findings.lints.quoting import quoted
from compiler.fields import Family
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet
from compiler.semantics.decision import decide as decide_packet
from compiler.semantics.machine import Context
from compiler.testing.answer import Answer, DecidingRule, Hop, Sureness, Witness
from compiler.testing.networks.claims import Begin, Claim
from compiler.testing.networks.ends import Beyond, Place, addresses_of
from compiler.testing.networks.flows import Arrival, End, Flows, Visit
from compiler.testing.networks.model import NetworkModel, PortName

__all__ = ["lines_of", "refuted", "repeating", "way", "while_dead"]


def refuted(claim: Claim, flows: Flows, begin: Begin, arrival: Arrival, dead: frozenset[str]) -> Answer:
    """The answer that shows one packet of the arrival, its way, and who decided it there."""
    from compiler.symbolic.witness import plainest_packet

    packet = plainest_packet(arrival.region, flows.space, _as_sent(begin))
    said = f"{claim.said}: {arrival.end.value}" + (f" ({arrival.why})" if arrival.why else "")
    said += while_dead(dead)
    command = _command(flows.ground.model, begin, arrival, packet)
    witness = Witness(format_packet(packet), way(flows, begin, arrival, packet), command)
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


def while_dead(dead: frozenset[str]) -> str:
    """``; while isp1 is dead``."""
    return f"; while {', '.join(sorted(dead))} {'is' if len(dead) == 1 else 'are'} dead" if dead else ""


def repeating(model: NetworkModel, sender: str, text: str, dead: frozenset[str]) -> str:
    """What sends the packet again: a command for a lab, a line of Python for a network made there.

    ``dead`` is what does not work meanwhile, with what never does.
    """
    extra = sorted(dead - model.dead)
    if model.repeats:
        return shlex.join([*model.repeats, *(word for name in extra for word in ("--dead", name)), sender, text])
    more = f", dead={extra!r}" if extra else ""
    return f"print(network.follow({sender!r}, {text!r}{more}))"


def _command(model: NetworkModel, begin: Begin, arrival: Arrival, packet: Packet) -> str:
    """The trace through the device that decided last, where that is a file of no lab; else through the network."""
    for visit in reversed(arrival.visits) if not model.repeats else ():
        router = next(one for one in model.routers if one.name == visit.node)
        if visit.context is None or not visit.stages or router.tree is None:
            continue
        if FilePath(router.tree.source).is_file():
            return shlex.join(["gerbang", "trace", router.tree.source, format_packet(_there(visit, packet))])
    source = _sender(begin, packet)
    if not isinstance(source, Beyond):
        return repeating(model, source.name, format_packet(packet), begin.dead)
    first = PortName(arrival.visits[0].node, arrival.visits[0].ingress) if arrival.visits else arrival.port
    return repeating(model, str(first), format_packet(packet), begin.dead)


def _sender(begin: Begin, packet: Packet) -> Place:
    """The end that a packet is from."""
    return next(one for one in begin.sources if _has(one, begin.family, packet.source))


def _has(place: Place, family: Family, address: int) -> bool:
    own: AddressSet | None = addresses_of(place, family)
    return own is not None and own.contains(address)
