"""The way of a packet that was followed: node by node, with translations and the rules that decided."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.analysis.findings.lints.quoting import quoted
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.simulator.tracing import TraceEvent
from compiler.source import NOWHERE
from compiler.testing.answer import DecidingRule, Hop, Witness
from compiler.testing.dynamic.telling import MATCHES
from compiler.testing.dynamic.world import Journey, NetworkWorld
from compiler.testing.networks.flows import Arrival, End, Visit
from compiler.testing.networks.model import NetworkModel, PortName
from compiler.testing.networks.refuting import repeating
from compiler.testing.networks.segments import Segments

__all__ = ["arrival_of", "command_for", "end_of", "hops_of", "lost_because", "sender_of", "witness_of"]


def sender_of(model: NetworkModel, name: str) -> str | PortName:
    """The end that a sender's name means: a host, or the network beyond ``router:port``. KeyError when it is none."""
    if any(host.name == name for host in model.hosts):
        return name
    node, colon, port = name.partition(":")
    if colon and PortName(node, port) in model.addresses() and Segments(model).is_outside(PortName(node, port)):
        return PortName(node, port)
    raise KeyError(name)


def end_of(journey: Journey) -> End:
    """Where the way ended, as proofs call it. What was lost was denied, for whatever reason."""
    if journey.arrived is not None:
        return End.DELIVERED
    if journey.taken is not None:
        return End.TAKEN
    if journey.refused:
        return End.REFUSED
    return End.LOOPED if journey.loops else End.DENIED


def arrival_of(world: NetworkWorld, journey: Journey) -> Arrival:
    """The journey in the form that claims are about."""
    from compiler.fields import Family
    from compiler.symbolic.space import space

    visits = []
    for number, crossing in enumerate(journey.crossings):
        node = crossing.enters.node
        if node in world.routers:
            later = journey.crossings[number + 1 : number + 2]
            egress = later[0].leaves.port if later and later[0].leaves.node == node else ""
            visits.append(Visit(node, crossing.enters.port, egress))
    last = journey.crossings[-1].enters if journey.crossings else PortName("", "")
    return Arrival(end_of(journey), space(Family.IPV4).empty, tuple(visits), journey.arrived or journey.taken or last)


def hops_of(world: NetworkWorld, journey: Journey, sender: str | PortName) -> tuple[Hop, ...]:
    """The nodes in their order, each with what was done to the packet there. The world has a tracer."""
    visits = {name: iter(_visits(world, name, journey.number)) for name in world.routers}
    hops = [Hop(str(sender))]
    for number, crossing in enumerate(journey.crossings):
        later = journey.crossings[number + 1 : number + 2]
        egress = later[0].leaves.port if later and later[0].leaves.node == crossing.enters.node else ""
        node, port = crossing.enters
        if node in world.routers:
            hops.append(Hop(node, port, egress, next(visits[node], ())))
        elif node in world.hosts:
            hops.append(Hop(node, port))
        elif node in world.switches:
            hops.append(Hop(node, port, egress))
        elif journey.arrived is not None:
            hops.append(Hop(f"beyond {journey.arrived}"))
    return tuple(hops)


def _visits(world: NetworkWorld, node: str, number: int) -> Iterator[tuple[DecidingRule, ...]]:
    """What each visit of a packet to a router came to."""
    if world.tracer is None:
        return
    events = [event for event in world.tracer.events if event.node == node and event.number == number]
    found: list[DecidingRule] | None = None
    for event in events:
        if event.station == "receive":
            if found is not None:
                yield tuple(found)
            found = []
        elif found is not None:
            rule = _rule(world, event)
            # A list tells its denial, then the drop: once is enough.
            is_told = event.station == "drop" and event.span.line and found and found[-1].span == event.span
            if rule is not None and not is_told:
                found.append(rule)
    if found is not None:
        yield tuple(found)


def _rule(world: NetworkWorld, event: TraceEvent) -> DecidingRule | None:
    policy = next(one.policy for one in world.model.routers if one.name == event.node)
    text = quoted(policy.lines, event.span) if policy is not None and event.span.line else ""
    if event.station.startswith("chain "):
        if not event.text.startswith(MATCHES):
            return None
        return DecidingRule(event.span, text, event.text.removeprefix(MATCHES))
    if event.station == "conntrack":
        return DecidingRule(NOWHERE, "", f"connection: {event.text}")
    if event.station == "nat":
        return DecidingRule(NOWHERE, "", event.text)
    if event.station == "drop":
        return DecidingRule(event.span, text, f"dropped: {event.text}")
    if event.station.startswith(("list ", "route-map ")):
        return DecidingRule(event.span, text, f"{event.station}: {event.text}")
    return None


def lost_because(world: NetworkWorld, journey: Journey) -> str:
    """Why the packet came no further, as its last node says."""
    if world.tracer is None:
        return ""
    drops = [event for event in world.tracer.events if event.number == journey.number and event.station == "drop"]
    if drops:
        return f"{drops[-1].node}: {drops[-1].text}"
    if journey.taken is not None:
        return End.TAKEN.value
    return "nobody answered for the next hop" if end_of(journey) is End.DENIED else ""


def witness_of(
    model: NetworkModel, dead: frozenset[str], sender: str | PortName, packet: Packet
) -> tuple[Witness, Arrival]:
    """The packet sent once more, and followed."""
    world = NetworkWorld(model, dead, tracing=True)
    journey = world.send(sender, packet)
    arrival = arrival_of(world, journey)
    if arrival.end is not End.DELIVERED:
        arrival = arrival._replace(why=lost_because(world, journey))
    command = command_for(model, sender, packet, dead)
    return Witness(format_packet(packet), hops_of(world, journey, sender), command), arrival


def command_for(model: NetworkModel, sender: str | PortName, packet: Packet, dead: frozenset[str]) -> str:
    """See :func:`compiler.testing.networks.refuting.repeating`."""
    return repeating(model, str(sender), format_packet(packet), dead)
