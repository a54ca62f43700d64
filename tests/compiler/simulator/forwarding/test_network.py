"""Forwarding networks by hand: paths, drops, counts; and what is refused."""

import random

import numpy as np
import pytest

from compiler.fields import Family
from compiler.policy.network import (
    CheckGateway,
    Interface,
    InterfaceAddress,
    Network,
    NextHop,
    Prefix,
    Route,
    RoutingRule,
)
from compiler.simulator.forwarding import loop
from compiler.simulator.forwarding.compiling import compiled_forward
from compiler.simulator.forwarding.description import Attachment, Cable, Description, describe, label
from compiler.simulator.forwarding.network import ForwardingNetwork
from compiler.simulator.forwarding.values import (
    Flow,
    ForwardingLink,
    ForwardingNode,
    Hop,
    LinkCounts,
    NodeKind,
    Outcome,
    Traffic,
)
from compiler.simulator.link import Wire
from compiler.simulator.machine_code import has_numba

IPV4 = Family.IPV4
WIRE = Wire(8_000_000_000, 100)
"""A nanosecond for each octet."""
HOST, ROUTER, SWITCH = NodeKind.HOST, NodeKind.ROUTER, NodeKind.SWITCH


def one_packet(flow, octets=86, moments=(0,)):
    return Traffic(np.array(moments), octets, [flow])


def ring(ttl_nodes=ROUTER):
    """a -> b -> c -> a, and nobody has what is sent to d."""
    names = ["a", "b", "c"]
    nodes = [ForwardingNode(name, ttl_nodes) for name in names] + [ForwardingNode("d")]
    links = [ForwardingLink(one + other, one, other, WIRE) for one, other in ("ab", "bc", "ca")]
    return nodes, links, {(link.source, "d"): Hop(link.name) for link in links}


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.skipif(not has_numba(), reason="no numba"))])
def compiled(request):
    return request.param


def test_merge_with_a_full_queue(compiled):
    """Two senders, one line behind them: ties go by the order of sending."""
    nodes = [ForwardingNode(name, HOST) for name in "abd"] + [ForwardingNode("r")]
    out = ForwardingLink("out", "r", "d", Wire(8_000_000_000, 0, queue=1))
    links = [ForwardingLink("ar", "a", "r", WIRE), ForwardingLink("br", "b", "r", WIRE), out]
    network = ForwardingNetwork(nodes, links, {("a", "d"): Hop("ar"), ("b", "d"): Hop("br"), ("r", "d"): Hop("out")})
    traffic = Traffic(np.zeros(4, int), 86, [Flow("a", "d"), Flow("b", "d")], np.array([1, 0, 0, 1]))
    arrivals = network.run(traffic, compiled=compiled)
    # Both first packets reach r at 200, b's first; then both second ones at 300, where one is being sent still.
    assert arrivals.time.tolist() == [300, 400, 500, -1]
    assert arrivals.outcome.tolist() == [0, 0, 0, Outcome.QUEUE_FULL]
    assert arrivals.drop_link.tolist() == [-1, -1, -1, 2]
    assert arrivals.hops.tolist() == [2, 2, 2, 1]
    assert arrivals.ended.tolist() == [300, 400, 500, 300]
    assert arrivals.order.tolist() == [3, 0, 1, 2]  # at 300 b's second was asked for before the first one's arrival
    assert arrivals.links["out"] == LinkCounts(3, 300, 1, 0)
    assert arrivals.packet_hops == 7
    assert arrivals.errors_due == 0


def test_round_in_circles_until_the_ttl_is_out(compiled):
    arrivals = ForwardingNetwork(*ring()).run(one_packet(Flow("a", "d", ttl=5)), compiled=compiled)
    assert arrivals.outcome.tolist() == [Outcome.TTL_EXCEEDED]
    assert (arrivals.hops.tolist(), arrivals.ended.tolist()) == ([5], [1000])
    assert arrivals.drop_link.tolist() == [1]
    assert arrivals.errors_due == 1


def test_nothing_to_do(compiled):
    network = ForwardingNetwork(*ring())
    arrivals = network.run(Traffic(np.array([], int), 86, [Flow("a", "b")]), compiled=compiled)
    assert len(arrivals.time) == arrivals.events == 0
    assert network.run(one_packet(Flow("a", "a")), compiled=compiled).time.tolist() == [0]


def test_hosts_do_not_forward(compiled):
    nodes, links, hops = ring(HOST)
    arrivals = ForwardingNetwork(nodes, links, hops).run(one_packet(Flow("a", "d")), compiled=compiled)
    assert (arrivals.outcome.tolist(), arrivals.hops.tolist()) == ([Outcome.NO_ROUTE], [1])


def test_the_second_run_begins_with_empty_links(compiled):
    nodes, links, hops = ring()
    lossy = [ForwardingLink(one.name, one.source, one.target, Wire(1000, loss=0.5), one.name) for one in links]
    network = ForwardingNetwork(nodes, lossy, hops)
    traffic = one_packet(Flow("a", "b"), moments=range(60))
    hops["a", "b"] = Hop("ab")
    network = ForwardingNetwork(nodes, lossy, hops)
    one, other = network.run(traffic, compiled=compiled), network.run(traffic, compiled=compiled)
    assert one.ended.tolist() == other.ended.tolist()
    assert one.links == other.links
    assert 10 < one.links["ab"].drops_loss < 50


def test_the_generator_is_that_of_python():
    """Beyond the 312 numbers that one state of the Mersenne Twister gives, seeded by a string."""
    generator = random.Random("1/wire/forward")
    words = list(generator.getstate()[1])
    assert [loop._chance(words, 0) for _ in range(1000)] == [generator.random() for _ in range(1000)]


@pytest.mark.skipif(not has_numba(), reason="numba is absent")
def test_one_signature():
    """Whatever the traffic's columns are made of, the loop is compiled once."""
    nodes, links, hops = ring()
    hops["a", "b"] = Hop("ab")
    network = ForwardingNetwork(nodes, links, hops)
    for moments in (np.array([1], np.int32), np.arange(4)[::2], np.broadcast_to(np.int64(3), 2)):
        network.run(Traffic(moments, np.uint16(86), [Flow("a", "b")]))
    frozen = np.array([5])
    frozen.flags.writeable = False
    network.run(Traffic(frozen, frozen, [Flow("a", "b")], np.zeros(1, np.uint8)))
    assert len(compiled_forward().signatures) == 1


class TestRefused:
    """Each with its reason."""

    @pytest.mark.parametrize(
        ("moments", "octets", "flow_of", "reason"),
        [
            ([2, 1], 86, 0, "in order of time"),
            ([-1, 1], 86, 0, "moments from 0"),
            ([0, loop.LATEST], 86, 0, "moments from 0"),
            ([0, 1], 0, 0, "1 to 65575 octets"),
            ([0, 1], [86, 70_000], 0, "1 to 65575 octets"),
            ([0, 1], 86, 1, "not among the 1"),
            ([0, 1], 86, [0, -1], "not among the 1"),
            ([[0], [1]], 86, 0, "1 expected"),
        ],
    )
    def test_traffic(self, moments, octets, flow_of, reason):
        with pytest.raises(ValueError, match=reason):
            Traffic(np.array(moments), np.array(octets), [Flow("a", "b")], np.array(flow_of))

    @pytest.mark.parametrize(
        ("flow", "reason"),
        [
            (Flow("x", "d"), "no node 'x'"),
            (Flow("a", "x"), "no destination 'x'"),
            (Flow("a", "d", ttl=0), "TTL of 0"),
        ],
    )
    def test_flows(self, flow, reason):
        with pytest.raises(ValueError, match=reason):
            ForwardingNetwork(*ring()).run(one_packet(flow))

    def test_a_packet_beyond_an_mtu(self, compiled):
        """Only on its way: others may be as large as they are."""
        nodes, links, hops = ring()
        links[1] = ForwardingLink("bc", "b", "c", WIRE, mtu=500)
        hops |= {("a", "c"): Hop("ab"), ("b", "c"): Hop("bc"), ("a", "b"): Hop("ab")}
        network = ForwardingNetwork(nodes, links, hops)
        traffic = Traffic(
            np.arange(3), np.array([600, 500, 501]), [Flow("a", "b"), Flow("a", "c")], np.array([0, 1, 1])
        )
        with pytest.raises(ValueError, match="packet 2 is larger than an MTU"):
            network.run(traffic, compiled=compiled)

    def test_moments_too_late(self, compiled):
        nodes, links, hops = ring()
        links[0] = ForwardingLink("ab", "a", "b", Wire(1, queue=None))
        hops["a", "b"] = Hop("ab")
        first = loop.LATEST // (65_535 * 8 * 10**9)
        with pytest.raises(ValueError, match=f"packet {first} would be sent later"):
            ForwardingNetwork(nodes, links, hops).run(
                one_packet(Flow("a", "b"), 65_521, moments=[0] * 5000), compiled=compiled
            )

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"nodes": [ForwardingNode("a"), ForwardingNode("a")]}, "two nodes are called 'a'"),
            ({"links": [ForwardingLink("ab", "a", "b", WIRE)] * 2}, "two links are called 'ab'"),
            ({"links": [ForwardingLink("ab", "a", "x", WIRE)]}, "not both nodes"),
            ({"links": [ForwardingLink("ab", "a", "b", Wire(0))]}, "a rate of 0 bit/s"),
            ({"links": [ForwardingLink("ab", "a", "b", Wire(1, -1))]}, "a delay of -1 ns"),
            ({"next_hops": {("a", "d"): Hop("xy")}}, "no link 'xy'"),
            ({"next_hops": {("a", "d"): Hop("bc")}}, "link bc does not begin at a"),
            ({"next_hops": {("a", "a"): Hop("ab")}}, "a has a itself"),
            ({"next_hops": {("a", "x"): Hop("ab")}}, "no destination 'x'"),
            ({"switching": {("a", "d"): "ab"}}, "a is no switch"),
        ],
    )
    def test_networks(self, change, reason):
        nodes, links, next_hops = ring()
        made = {"nodes": nodes, "links": links, "next_hops": next_hops, "switching": {}} | change
        if "links" in change or "nodes" in change:
            made["next_hops"] = {}
        with pytest.raises(ValueError, match=reason):
            ForwardingNetwork(made["nodes"], made["links"], made["next_hops"], switching=made["switching"])

    def test_switches_in_a_circle(self):
        nodes, links, _ = ring(SWITCH)
        with pytest.raises(ValueError, match="frames for d would go round"):
            ForwardingNetwork(nodes, links, {}, switching={(link.source, "d"): link.name for link in links})
        with pytest.raises(ValueError, match="a is a switch: it sends nothing"):
            ForwardingNetwork(nodes, links, {}).run(one_packet(Flow("a", "d")))


def machine(address, *routes, **more):
    interface = Interface("e0", (InterfaceAddress(IPV4, address, 24),))
    return Network("test", "linux", **({"interfaces": (interface,), "routes": routes} | more))


def pair(one, other, **more):
    cable = Cable("c", (Attachment("one", "e0"), Attachment("other", "e0")), (WIRE, WIRE))
    return Description({"one": one}, {"other": other}, frozenset(), (cable,), **more)


class TestDescription:
    """Networks made of what configurations say."""

    NEAR, FAR = 10 << 24 | 1, 10 << 24 | 2

    def test_two_machines(self, compiled):
        network = describe(pair(machine(self.NEAR), machine(self.FAR)), [(IPV4, self.FAR), (IPV4, 99)])
        flows = [Flow("one", label(IPV4, self.FAR)), Flow("one", label(IPV4, 99))]
        arrivals = network.run(Traffic(np.zeros(2, int), 86, flows, np.array([0, 1])), compiled=compiled)
        assert arrivals.time.tolist() == [200, -1]
        assert arrivals.errors_due == 1
        assert [link.name for link in network.links] == ["c/forward", "c/backward"]
        assert [link.mtu for link in network.links] == [1500, 1500]

    @pytest.mark.parametrize(
        ("one", "reason"),
        [
            (machine(NEAR, rules=(RoutingRule(IPV4, 1),)), "one has routing rules"),
            (machine(NEAR, interfaces=(Interface("e0", policy="map"),)), "one has policy routing"),
            (machine(NEAR, interfaces=(Interface("e0", enabled=False),)), "one has interfaces that are off"),
            (
                machine(NEAR, Route(Prefix(IPV4, 0, 0), (NextHop(FAR),), check_gateway=CheckGateway.PING)),
                "one has checked gateways",
            ),
            (machine(NEAR, Route(Prefix(IPV4, 0, 0), (NextHop(FAR), NextHop(FAR + 1)))), "several next hops"),
            (machine(FAR), "is an address of other and of another interface"),
        ],
    )
    def test_refused(self, one, reason):
        with pytest.raises(ValueError, match=reason):
            describe(pair(one, machine(self.FAR)), [(IPV4, self.FAR)])

    @pytest.mark.parametrize(
        ("address", "reason"), [(0xE0000001, "group"), (0xFFFFFFFF, "group"), (10 << 24 | 255, "broadcast")]
    )
    def test_groups(self, address, reason):
        with pytest.raises(ValueError, match=reason):
            describe(pair(machine(self.NEAR), machine(self.FAR)), [(IPV4, address)])

    def test_switches_in_a_loop(self):
        ends = [("one", "e0", "s", "1"), ("other", "e0", "t", "1"), ("s", "2", "t", "2"), ("s", "3", "t", "3")]
        cables = tuple(
            Cable(f"c{n}", (Attachment(*end[:2]), Attachment(*end[2:])), (WIRE, WIRE)) for n, end in enumerate(ends)
        )
        machines = machine(self.NEAR), machine(self.FAR)
        made = Description({"one": machines[0]}, {"other": machines[1]}, frozenset("st"), cables)
        with pytest.raises(ValueError, match="are in a loop"):
            describe(made, [(IPV4, self.FAR)])
