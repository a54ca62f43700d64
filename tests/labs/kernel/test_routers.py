"""Routers of the kernel world: translation, marks and tables, other dialects, and what cannot be realised."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from compiler.dialects import read
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.network import (
    Network,
    NextHop,
    Prefix,
    Route,
    RouteKind,
    RoutingRule,
    RuleAction,
    StaticTranslation,
)
from compiler.policy.ruleset import Ruleset
from compiler.policy.stateful import MarkIn, Register
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import FailureKind
from labs.kernel import run, why_not
from labs.topology import Configuration, Lab, Link, Node, Service, Traffic, TrafficKind
from tests.labs.kernel.topologies import host, interface, link, number, router, star

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

KIND = TrafficKind
V4 = Family.IPV4

NAT = """
table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat;
        iifname "wan" tcp dport 8080 dnat to 10.0.0.12:80
    }
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "wan" masquerade
    }
}
"""

BALANCE = """
table inet balance {
    chain prerouting {
        type filter hook prerouting priority mangle;
        iifname "lan" ct mark 0 ct mark set numgen inc mod 2 offset 1
        iifname "lan" meta mark set ct mark
    }
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "isp*" masquerade
    }
}
"""

PROVIDER = NAT.replace('"wan"', '"out"').replace("dnat to 10.0.0.12:80", "accept")

IOS = """
interface GigabitEthernet0/1
 ip address 10.0.0.1 255.255.255.0
 ip access-group 101 in
interface GigabitEthernet0/2
 ip address 192.0.2.1 255.255.255.0
access-list 101 deny tcp 10.0.0.0 0.0.0.254 host 192.0.2.9 eq 80
access-list 101 permit ip any any
"""


def lab_of(nodes: tuple[Node, ...], links: tuple[Link, ...], *traffic: Traffic, arp: bool = True) -> Lab:
    return Lab("routers", Path(), duration=4 * SECOND, arp=arp, nodes=nodes, links=links, traffic=traffic)


def test_masquerade_and_a_forwarded_port() -> None:
    nodes = (
        host("inside", "10.0.0.12/24", gateways=("10.0.0.1",), services=(Service("http", 80),)),
        router("gate", interface("lan", "10.0.0.1/24"), interface("wan", "192.0.2.1/24"), text=NAT),
        host("outside", "192.0.2.9/24", services=(Service("http", 80), Service("dns", 53, (("zone", "a=192.0.2.1"),)))),
    )
    links = (link("l1", "inside:eth0", "gate:lan"), link("l2", "gate:wan", "outside:eth0"))
    observation = run(
        lab_of(
            nodes,
            links,
            Traffic("out", KIND.CONNECT, "inside", "outside", port=80, connections=2, source_ports=(5001, 5002)),
            Traffic("page", KIND.HTTP, "inside", "outside", port=80, octets=1000),
            Traffic("name", KIND.DNS, "inside", "outside", port=53, query="a"),
            Traffic("in", KIND.HTTP, "outside", "192.0.2.1", port=8080, octets=500),
            Traffic("ping", KIND.PING, "inside", "outside"),
        )
    )
    by_name = {one.traffic: one.connections for one in observation.outcomes}
    own = number("192.0.2.1")
    assert [record.seen_as for record in by_name["out"]] == [(V4, own, 5001), (V4, own, 5002)]
    for name, octets in (("page", 1000), ("in", 500)):
        assert by_name[name][0].transferred == octets
    page = by_name["page"][0]
    assert page.seen_as == (V4, own, page.client.port)
    assert by_name["name"][0].seen_as == (V4, own, by_name["name"][0].client.port)
    forwarded = by_name["in"][0]
    assert forwarded.seen_as == forwarded.client
    assert by_name["ping"][0].failure is None


def two_isps() -> Node:
    mark = IntegerSet.values
    tables = ("first", "second")
    network = Network(
        "balancer",
        "nftables",
        interfaces=(
            interface("lan", "10.0.0.1/24"),
            interface("isp1", "198.51.100.2/24"),
            interface("isp2", "203.0.113.2/24"),
        ),
        tables=tables,
        routes=(
            Route(Prefix(V4, 0, 0), (NextHop(number("198.51.100.1")),), table="first"),
            Route(Prefix(V4, 0, 0), (NextHop(number("203.0.113.1"), "isp2"),), table="second"),
            Route(Prefix(V4, number("192.0.2.128"), 25), kind=RouteKind.PROHIBIT),
        ),
        rules=(
            RoutingRule(V4, 100, suppress_prefix_length=0),
            *(
                RoutingRule(V4, 200 + n, table, RuleAction.LOOKUP_ONLY, mark=MarkIn(Register.PACKET, mark(n), 0xFF))
                for n, table in enumerate(tables, 1)
            ),
            RoutingRule(V4, 300, "first", ingress="lan"),
        ),
    )
    return router("balancer", *network.interfaces, text=BALANCE, network=network)


def test_every_second_connection_goes_by_the_other_provider() -> None:
    nodes = (
        host("client", "10.0.0.5/24", gateways=("10.0.0.1",)),
        two_isps(),
        # The providers masquerade once more, so that the server's answers find the way back.
        router("isp1", interface("in", "198.51.100.1/24"), interface("out", "192.0.2.1/24"), text=PROVIDER),
        router("isp2", interface("in", "203.0.113.1/24"), interface("out", "192.0.2.2/24"), text=PROVIDER),
        Node("exchange", star().nodes[2].kind, ("a", "b", "c")),
        host("server", "192.0.2.9/24", services=(Service("source", 19),)),
    )
    links = (
        link("lan", "client:eth0", "balancer:lan"),
        link("up1", "balancer:isp1", "isp1:in"),
        link("up2", "balancer:isp2", "isp2:in"),
        link("x1", "isp1:out", "exchange:a"),
        link("x2", "isp2:out", "exchange:b"),
        link("x3", "exchange:c", "server:eth0"),
    )
    traffic = Traffic("many", KIND.DOWNLOAD, "client", "server", port=19, octets=100, connections=20, interval=10**6)
    barred = Traffic("barred", KIND.CONNECT, "client", "192.0.2.200", port=19, start=SECOND // 2)
    observation = run(lab_of(nodes, links, traffic, barred))
    outcome = observation.outcome("many")
    assert outcome is not None
    seen = [record.seen_as.address for record in outcome.connections if record.seen_as]
    ways = [number("192.0.2.1"), number("192.0.2.2")]
    assert sorted(seen) == sorted(ways * 10)
    assert all(one != other for one, other in pairwise(seen))
    refused = observation.outcome("barred")
    assert refused is not None
    assert refused.connections[0].failure is not None
    assert refused.connections[0].failure.kind is FailureKind.PROHIBITED


def cisco(text: str, network: Network | None = None) -> tuple[tuple[Node, ...], tuple[Link, ...]]:
    interfaces = (
        interface("GigabitEthernet0/1", "10.0.0.1/24"),
        interface("GigabitEthernet0/2", "192.0.2.1/24"),
    )
    made = network or Network("cisco", "ios", interfaces=interfaces)
    configuration = Configuration("ios", None, read(text, "cisco.cfg", dialect="ios"), made, text)
    nodes = (
        host("even", "10.0.0.12/24", gateways=("10.0.0.1",)),
        host("odd", "10.0.0.13/24", gateways=("10.0.0.1",)),
        Node("switch", star().nodes[2].kind, ("p1", "p2", "p3")),
        Node("cisco", star().nodes[3].kind, tuple(one.name for one in interfaces), configuration=configuration),
        host("server", "192.0.2.9/24", gateways=("192.0.2.1",), services=(Service("http", 80),)),
    )
    links = (
        link("l1", "even:eth0", "switch:p1"),
        link("l2", "odd:eth0", "switch:p2"),
        link("l3", "switch:p3", "cisco:GigabitEthernet0/1"),
        link("l4", "cisco:GigabitEthernet0/2", "server:eth0"),
    )
    return nodes, links


@pytest.mark.parametrize("arp", [True, False])
def test_a_cisco_list_is_compiled_and_does_what_it_says(arp: bool) -> None:
    nodes, links = cisco(IOS)
    traffic = tuple(
        Traffic(name, KIND.CONNECT, name, "server", port=80, timeout=200_000_000) for name in ("even", "odd")
    )
    observation = run(lab_of(nodes, links, *traffic, arp=arp))
    assert not observation.lacks
    even, odd = (one.connections[0] for one in observation.outcomes)
    assert even.connected is None
    assert even.failure is not None
    assert (even.failure.kind, even.failure.reporter) == (FailureKind.PROHIBITED, number("10.0.0.1"))
    assert odd.connected is not None
    assert odd.seen_as == odd.client


@pytest.mark.parametrize(
    ("rule", "lacking"),
    [
        ("in-interface=ether1 action=drop", False),
        ("in-interface=bridge-of-the-hall action=drop", False),
        ("protocol=tcp dst-port=80 src-address=10.0.0.12 action=drop", True),
    ],
)
def test_a_mikrotik_filter_is_translated(rule: str, lacking: bool) -> None:
    """An interface's name that is too long for Linux is another there."""
    text = f"/ip firewall filter\nadd chain=forward {rule}\nadd chain=forward action=accept\n"
    names = ("ether1", "bridge-of-the-hall")
    network = Network("mikrotik", "routeros", interfaces=(
        interface(names[0], "10.0.0.1/24"), interface(names[1], "192.0.2.1/24"),
    ))  # fmt: skip
    nodes, links = cisco(IOS)
    configuration = Configuration("routeros", None, read(text, "mikrotik.rsc", dialect="routeros"), network, text)
    old = nodes[3].interfaces
    nodes = (*nodes[:3], replace(nodes[3], interfaces=names, configuration=configuration), nodes[4])
    renamed = dict(zip(old, names, strict=True))
    links = tuple(
        replace(one, ends=tuple(end._replace(interface=renamed.get(end.interface, end.interface)) for end in one.ends))
        for one in links
    )
    traffic = [Traffic(name, KIND.CONNECT, name, "server", port=80, timeout=200_000_000) for name in ("even", "odd")]
    observation = run(lab_of(nodes, links, *traffic))
    connected = [one.connections[0].connected is not None for one in observation.outcomes]
    assert connected == ([False, True] if "10.0.0.12" in rule else [False, False])
    assert [feature for feature, _ in observation.lacks] == (["fragments"] if lacking else [])


def test_what_cannot_be_realised_is_said_and_skipped() -> None:
    interfaces = cisco(IOS)[0][3].configuration.network.interfaces  # type: ignore[union-attr]
    network = Network(
        "cisco", "ios", interfaces=interfaces, static_translations=(StaticTranslation(number("10.0.0.12"), 1),)
    )
    nodes, links = cisco(IOS, network)
    through = Traffic("through", KIND.CONNECT, "even", "server", port=80)
    beside = Traffic("beside", KIND.PING, "even", "odd")
    observation = run(lab_of(nodes, links, through, beside))
    assert observation.outcome("through") is None
    outcome = observation.outcome("beside")
    assert outcome is not None
    assert outcome.received == 1
    lacks = dict(observation.lacks)
    assert "address translation" in lacks["node cisco"]
    assert "cisco" in lacks["traffic through"]
    assert "traffic beside" not in lacks


def test_rules_that_nft_refuses_are_told() -> None:
    lab = star(Traffic("t", KIND.PING, "anna", "server"), rules="table inet x {\n chain y { nonsense }\n}\n")
    observation = run(lab)
    assert not observation.outcomes
    assert "nft refuses" in dict(observation.lacks)["node router"]


def test_rules_count_where_they_stand() -> None:
    rules = (
        "table inet filter {\n    chain forward {\n        type filter hook forward priority filter; policy accept;\n"
        "        tcp dport 80 counter accept\n        udp dport 9 accept\n"
        "        tcp dport 19 counter accept\n    }\n}\n"
    )
    lab = star(Traffic("t", KIND.CONNECT, "anna", "server", port=80, connections=3), rules=rules)
    tree = read(rules, "rules.nft", dialect="nftables")
    assert isinstance(tree, Ruleset)
    nodes = tuple(
        replace(node, configuration=replace(node.configuration, policy=tree)) if node.configuration else node
        for node in lab.nodes
    )
    counted = {count.place: count.packets for count in run(replace(lab, nodes=nodes)).rules}
    (first, packets), (second, none) = counted.items()
    assert first.startswith("rules.nft:4:")
    assert second.startswith("rules.nft:6:")
    assert packets >= 9
    assert none == 0
