"""Sets of packets go where single packets go: what proofs say of a network is what the simulator does."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.addresses import AddressSet
from compiler.fields import ICMP, ICMPV6, TCP, UDP, Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match
from compiler.policy.packet import Packet, Path
from compiler.policy.ruleset import Ruleset
from compiler.semantics.machine import Context
from compiler.symbolic.drawing import Drawing
from compiler.symbolic.witness import plainest_packet
from compiler.testing.answer import Sureness
from compiler.testing.dynamic.paths import end_of
from compiler.testing.dynamic.world import NetworkWorld
from compiler.testing.headers import packets
from compiler.testing.networks.claims import Begin
from compiler.testing.networks.deciding import Field
from compiler.testing.networks.ends import Beyond, outside
from compiler.testing.networks.failures import mortal
from compiler.testing.networks.flows import Arrival, End
from compiler.testing.networks.model import NetworkModel, PortName
from tests.compiler.testing.networks.stars import Star, stars

ROUTED = {End.UNHEARD: "lost", End.DENIED: "lost", End.UNROUTED: "lost", End.REFUSED: "refused", End.LOOPED: "looped"}
ROUTED[End.LINK] = "lost"


def told(arrival: Arrival, model: NetworkModel) -> str:
    """The end of an arrival, in words that both sides have."""
    if arrival.end in ROUTED:
        return ROUTED[arrival.end]
    if arrival.port.node in {host.name for host in model.hosts} or arrival.end is End.TAKEN:
        return arrival.port.node
    return str(arrival.port)


def seen(model: NetworkModel, dead: frozenset[str], sender: str | PortName, packet: Packet) -> str:
    """What really becomes of one packet."""
    world = NetworkWorld(model, dead)
    journey = world.send(sender, packet)
    end = end_of(journey)
    if journey.arrived is not None:
        return str(journey.arrived) if journey.arrived in world.outsides else journey.arrived.node
    if journey.taken is not None:
        return journey.taken.node
    return {End.REFUSED: "refused", End.LOOPED: "looped"}.get(end, "lost")


def holds(region, packet: Packet, field: Field) -> bool:
    width = packet.family.width
    ends = {
        name: AddressSet.of(width, ranges=[(value, value)])
        for name, value in (("source", packet.source), ("destination", packet.destination))
    }
    numbers = {
        name: IntegerSet.values(getattr(packet, name))
        for name in ("protocol", "source_port", "destination_port", "tcp_flags", "icmp_type", "icmp_code", "ttl")
    }
    return (region & field.ground(packet.family).space.encode(Match(**ends, **numbers))).satisfiable()


def agree(star: Star, field: Field, begin: Begin, packet: Packet, arrivals: tuple[Arrival, ...]) -> None:
    source = begin.source
    sender = source.ports[0] if isinstance(source, Beyond) else source.name
    expected = {told(one, star.model) for one in arrivals if holds(one.region, packet, field)}
    really = seen(star.model, begin.dead, sender, packet)
    assert really in expected, (packet, expected, begin.dead)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Star, Begin]:
    star = draw(stars())
    ends = [*star.model.hosts]
    for beyond in outside(star.model):
        ends += [beyond._replace(ports=(port,)) for port in beyond.ports]
    source = draw(st.sampled_from(ends))
    dead = frozenset()
    if draw(st.booleans()):
        parts = [*mortal(star.model), *(cable.name for cable in star.model.cables)]
        dead = frozenset(draw(st.lists(st.sampled_from(parts), max_size=2)))
    # RouterOS puts fragments together first: one that comes alone waits for ever, whatever the rules say of it.
    waits = any(isinstance(one.policy, Ruleset) and one.policy.dialect == "routeros" for one in star.model.routers)
    return star, Begin((source,), None, star.family, not waits and draw(st.booleans()), dead)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(), st.data())
def test_a_packet_goes_where_its_set_goes(question, data):
    star, begin = question
    source = begin.source
    if not isinstance(source, Beyond):
        family = star.family
        own = next(one.address for one in source.addresses)
    else:
        family = star.family
        own = data.draw(st.sampled_from(star.destinations))
    field = Field(star.model)
    arrivals = field.arrivals(packets(), begin)
    if isinstance(source, Beyond) and source.ports[0].node in begin.dead:
        assert not arrivals
        return
    for _ in range(3):
        protocol = data.draw(st.sampled_from([TCP, UDP, ICMP if family is Family.IPV4 else ICMPV6]))
        ports = (data.draw(st.sampled_from([80, 443, 22])), 1025) if protocol in (TCP, UDP) else (0, 0)
        destination = data.draw(st.sampled_from(star.destinations))
        if destination == own:
            continue
        packet = Packet(family, own, destination, protocol, ttl=64)
        if begin.noninitial:
            packet = packet._replace(noninitial=True)
        elif protocol in (TCP, UDP):
            packet = packet._replace(destination_port=ports[0], source_port=ports[1])
            packet = packet._replace(tcp_flags=2) if protocol == TCP else packet
        else:
            packet = packet._replace(icmp_type=8 if family is Family.IPV4 else 128)
        if not begin.noninitial or not is_reassembled(star, destination):
            agree(star, field, begin, packet, arrivals)


def is_reassembled(star: Star, destination: int) -> bool:
    """A later fragment alone is never whole, so no router takes it for itself."""
    own = {one.address for router in star.model.routers for port in router.network.interfaces for one in port.addresses}
    return destination in own


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(), st.integers(0, 1000))
def test_each_corner_of_what_is_said_is_so(question, seed):
    star, begin = question
    field = Field(star.model)
    arrivals = field.arrivals(packets(), begin)
    context = Context(star.family, Path.FORWARD, "", "", begin.noninitial)
    space = field.ground(star.family).space
    plain = space.encode(Match(ttl=IntegerSet.values(64), protocol=IntegerSet.values(TCP, UDP)))
    if begin.noninitial:  # nft reads the data where the ports would be; the data that are sent are zeros
        zero = {name: IntegerSet.values(0) for name in ("source_port", "destination_port", "tcp_flags")}
        plain = plain & space.encode(Match(**zero))
    source = random.Random(seed)
    for arrival in arrivals:
        region = arrival.region & plain & ~groups(space)
        if not region.satisfiable():
            continue
        chosen = [plainest_packet(region, space, context)]
        chosen += Drawing(region, space, noninitial=begin.noninitial).packets(context, source, 1)
        for packet in chosen:
            if not begin.noninitial or not is_reassembled(star, packet.destination):
                agree(star, field, begin, packet, arrivals)


def groups(space):
    """Groups and broadcasts, which all on a network hear."""
    if space.family is Family.IPV6:
        return space.encode(Match(destination=AddressSet.of(128, ranges=[(0xFF << 120, (1 << 128) - 1)])))
    found = [(0xE0000000, (1 << 32) - 1)]
    found += [(10 << 24 | net << 16 | end,) * 2 for net in range(256) for end in (0, 255)]
    return space.encode(Match(destination=AddressSet.of(32, ranges=found)))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stars(), st.sampled_from(["reachable", "unreachable"]), st.sampled_from(["", "tcp/80", "udp"]))
def test_all_ends_together_are_every_pair_alone(star, word, service):
    asked = star.model.verify().under(failures=1)
    names = [host.name for host in star.model.hosts]
    ask = getattr(asked, f"ask_{word}")
    pairs = [(one, other) for one in names for other in names if one != other]
    if pairs:
        alone = [ask(one, other, service) for one, other in pairs]
        together = ask("h*", "h*", service)
        assert together.held == all(answer.held for answer in alone)
        assert together.sureness is Sureness.PROVED
        if not together.held:
            path = together.witness.path
            assert path[0].node in names
            assert path[-1].node in names or word == "reachable"
