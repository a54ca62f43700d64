"""Whole configurations, read as networks: every field."""

from pathlib import Path

import pytest

from compiler.addresses import parse_address
from compiler.dialects import read_network
from compiler.dialects.ios.network import read_network as read
from compiler.errors import UsageError
from compiler.fields import TCP, UDP, Family
from compiler.policy.network import (
    InterfaceAddress,
    NatSide,
    NextHop,
    Prefix,
    RouteKind,
)
from compiler.policy.stateful import AddressRange

CORPUS = Path(__file__).parents[3] / "corpus" / "ios"


def load(name):
    return read((CORPUS / "networks" / name).read_text(encoding="utf-8"), name)


def ip(text):
    return parse_address(text)[0]


def at(text):
    """``A/LENGTH`` as the address of an interface."""
    address, _, length = text.partition("/")
    return InterfaceAddress(Family.IPV6 if ":" in text else Family.IPV4, ip(address), int(length))


def to(text):
    """``A/LENGTH`` as a prefix."""
    return Prefix(*at(text))


def shown(interface):
    return (
        interface.name,
        interface.addresses,
        interface.enabled,
        interface.mtu,
        interface.nat,
        interface.policy,
        interface.unreachables,
        interface.comment,
    )


def routes(network):
    return [(r.prefix, r.next_hops, r.distance, r.kind, r.comment, r.enabled, r.permanent) for r in network.routes]


def via(address=None, interface=""):
    return (NextHop(ip(address) if address else None, interface),)


UNICAST = RouteKind.UNICAST


@pytest.fixture(scope="module")
def branch():
    return load("branch.cfg")


def test_interfaces_of_a_branch(branch):
    assert (branch.source, branch.dialect, branch.hostname, branch.version) == ("branch.cfg", "ios", "branch-3", 0)
    outside = (at("203.0.113.9/29"), at("203.0.113.10/29"))
    assert [shown(one) for one in branch.interfaces] == [
        ("Loopback0", (at("10.255.3.1/32"),), True, 1500, None, "", True, ""),
        ("GigabitEthernet0/0", outside, True, 1500, NatSide.OUTSIDE, "", False, "the provider, 100 Mbit/s"),
        ("GigabitEthernet0/1", (at("192.168.3.1/24"),), True, 1400, NatSide.INSIDE, "", True, ""),
        ("GigabitEthernet0/2", (), False, 1500, None, "", True, ""),
        ("Dialer1", (), True, 1492, NatSide.OUTSIDE, "", True, ""),
    ]
    assert branch.name_servers == (ip("192.0.2.53"), ip("192.0.2.54"))
    assert branch.multipath_policy == "l3"
    assert branch.interfaces[1].span.line == 23


def test_routes_of_a_branch(branch):
    assert routes(branch) == [
        (to("0.0.0.0/0"), via("203.0.113.14"), 1, UNICAST, "default", True, False),
        (to("10.0.0.0/8"), (), 254, RouteKind.BLACKHOLE, "", True, False),
    ]


def test_translations_of_a_branch(branch):
    found = [
        (s.local, s.global_address, s.interface, s.protocol, s.local_port, s.global_port, s.length, s.outside, s.alias)
        for s in branch.static_translations
    ]
    assert found == [
        (ip("192.168.3.10"), None, "GigabitEthernet0/0", TCP, 80, 8080, 32, False, True),
        (ip("192.168.3.11"), ip("203.0.113.10"), "", UDP, 53, 53, 32, False, True),
        (ip("192.168.3.20"), ip("203.0.113.13"), "", None, 0, 0, 32, False, False),
        (ip("192.168.40.0"), ip("198.51.100.0"), "", None, 0, 0, 28, False, True),
        (ip("192.168.3.99"), ip("10.9.9.9"), "", None, 0, 0, 32, True, True),
    ]
    pool = AddressRange(Family.IPV4, ip("203.0.113.11"), ip("203.0.113.12"))
    assert [(d.access_list, d.route_map, d.pool, d.interface, d.overload) for d in branch.dynamic_translations] == [
        ("10", "", None, "GigabitEthernet0/0", True),
        ("SERVERS", "", pool, "", False),
    ]


@pytest.fixture(scope="module")
def dual():
    return load("dual-isp.cfg")


def test_two_providers(dual):
    first, second, third = dual.interfaces
    assert (first.nat, second.nat, third.nat) == (NatSide.OUTSIDE, NatSide.OUTSIDE, NatSide.INSIDE)
    assert (first.policy, second.policy, third.policy) == ("", "", "OFFICE-SECOND")
    assert third.enabled  # the 'shutdown' is that of the BGP process
    assert routes(dual) == [
        (to("0.0.0.0/0"), via("198.51.100.1"), 1, UNICAST, "", True, False),
        (to("0.0.0.0/0"), via("203.0.113.1"), 10, UNICAST, "", True, False),
        (to("192.0.2.0/24"), via("198.51.100.1"), 1, UNICAST, "", True, True),
        (to("192.0.2.0/24"), via("203.0.113.1", "GigabitEthernet0/1"), 1, UNICAST, "", True, False),
        (to("192.0.2.128/25"), via("203.0.113.1"), 255, UNICAST, "never", False, False),
    ]
    assert [(d.access_list, d.route_map, d.interface, d.overload) for d in dual.dynamic_translations] == [
        ("", "FIRST", "GigabitEthernet0/0", True),
        ("", "SECOND", "GigabitEthernet0/1", True),
    ]


def test_route_maps(dual):
    maps = {found.name: found.entries for found in dual.route_maps}
    assert list(maps) == ["OFFICE-SECOND", "FIRST", "SECOND"]  # OUT is for BGP
    deny, office, rest = maps["OFFICE-SECOND"]
    assert (deny.sequence, deny.permits, deny.lists, deny.next_hops) == (5, False, ("SERVERS", "101"), ())
    assert (office.sequence, office.permits, office.lists) == (10, True, ("OFFICE",))
    assert office.next_hops == (ip("203.0.113.1"), ip("198.51.100.1"))
    assert office.default_next_hops == (ip("198.51.100.1"),)
    assert office.default_interfaces == ("GigabitEthernet0/1", "GigabitEthernet0/0")
    assert office.interfaces == ()
    assert (rest.sequence, rest.lists, rest.interfaces) == (20, ("102",), ("Null0",))
    assert [entry.egress for entry in maps["FIRST"] + maps["SECOND"]] == [
        ("GigabitEthernet0/0",),
        ("GigabitEthernet0/1",),
    ]
    assert office.span.line == 42


def test_a_router_on_a_stick_as_it_is_typed():
    stick = load("stick.cfg")
    assert [(one.name, one.addresses, one.enabled) for one in stick.interfaces] == [
        ("FastEthernet0/0", (), True),
        ("FastEthernet0/0.10", (at("10.0.10.1/24"),), True),
        ("FastEthernet0/0.20", (at("10.0.20.1/24"),), True),
        ("FastEthernet0/0.30", (at("10.0.30.1/24"),), True),
        ("Serial0/1", (at("10.0.99.1/30"),), False),
    ]
    assert [(r.prefix, r.next_hops) for r in stick.routes] == [
        (to("10.5.0.0/16"), via(None, "Serial0/1")),
        (to("10.5.0.0/16"), via("10.0.30.2")),
    ]


def test_ipv6():
    six = load("six.cfg")
    assert [(one.name, one.addresses) for one in six.interfaces] == [
        ("GigabitEthernet0/0", (at("2001:db8:0:1::1/64"), at("2001:db8:0:2::1/64"))),
        ("GigabitEthernet0/1", ()),
    ]
    assert [(r.prefix, r.next_hops, r.distance, r.kind) for r in six.routes] == [
        (to("::/0"), via("fe80::1", "GigabitEthernet0/1"), 1, UNICAST),
        (to("2001:db8:5::/48"), via("2001:db8:0:1::9"), 200, UNICAST),
        (to("2001:db8:6::/48"), (), 1, RouteKind.BLACKHOLE),
    ]
    assert six.name_servers == (ip("2001:db8::53"), ip("192.0.2.53"))


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.cfg")), ids=lambda path: path.name)
def test_configurations_of_the_list_reader(path):
    network = read(path.read_text(encoding="utf-8"), path.name)
    assert network.hostname
    assert any(one.addresses for one in network.interfaces)
    assert 0 < network.skipped_lines < len(network.lines)


def test_by_dialect():
    text = (CORPUS / "networks" / "stick.cfg").read_text(encoding="utf-8")
    assert read_network(text, "stick.cfg") == load("stick.cfg")
    with pytest.raises(UsageError, match="the lab file gives"):
        read_network("table inet filter {\n}\n", "r.nft")
    with pytest.raises(UsageError, match="unknown dialect 'junos'"):
        read_network(text, "stick.cfg", dialect="junos")
