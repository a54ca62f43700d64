"""Routes, tables and routing rules of both versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import format_address, parse_address
from compiler.dialects.routeros.network import read_network
from compiler.errors import InputErrors, SyntaxFault, Unmodelled
from compiler.fields import Family
from compiler.policy.network import CheckGateway, NextHop, Prefix, Route, RouteKind, RoutingRule, RuleAction
from compiler.policy.stateful import MarkNamed, Register

DEFAULT = Prefix(Family.IPV4, 0, 0)


def address(text):
    return parse_address(text)[0]


def hop(text, interface="", weight=1):
    return NextHop(address(text), interface, weight)


def prefix(text):
    base, _, length = text.partition("/")
    value, width = parse_address(base)
    return Prefix(Family.IPV4 if width == 32 else Family.IPV6, value, int(length))


def network(text, **options):
    return read_network(text, "t.rsc", **options)


def route(words, *, menu="/ip route", before="", **options):
    (only,) = network(f"{before}\n{menu} add {words}", **options).routes
    return only


def faults(text, **options):
    with pytest.raises(InputErrors) as caught:
        network(text, **options)
    return caught.value.errors


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("gateway=192.168.1.1", Route(DEFAULT, (hop("192.168.1.1"),))),
        ("dst-address=10.1.2.3/8 gateway=ether1", Route(prefix("10.0.0.0/8"), (NextHop(None, "ether1"),))),
        ("dst-address=10.1.2.3 gateway=1.1.1.1", Route(prefix("10.1.2.3/32"), (hop("1.1.1.1"),))),
        ("gateway=1.2.3.4%ether1", Route(DEFAULT, (hop("1.2.3.4", "ether1"),))),
        ("gateway=1.1.1.1,2.2.2.2", Route(DEFAULT, (hop("1.1.1.1"), hop("2.2.2.2")))),
        ("gateway=1.1.1.1,2.2.2.2,1.1.1.1", Route(DEFAULT, (hop("1.1.1.1", weight=2), hop("2.2.2.2")))),
        (
            "gateway=pppoe-out1,pppoe-out1,pppoe-out2",
            Route(DEFAULT, (NextHop(None, "pppoe-out1", 2), NextHop(None, "pppoe-out2"))),
        ),
        (
            "gateway=8.8.8.8 check-gateway=ping distance=2 scope=10 target-scope=11 pref-src=10.0.0.1 disabled=yes",
            Route(
                DEFAULT,
                (hop("8.8.8.8"),),
                distance=2,
                check_gateway=CheckGateway.PING,
                scope=10,
                target_scope=11,
                preferred_source=address("10.0.0.1"),
                enabled=False,
            ),
        ),
        (
            "gateway=1.1.1.1 check-gateway=arp comment=x",
            Route(DEFAULT, (hop("1.1.1.1"),), check_gateway=CheckGateway.ARP),
        ),
    ],
)
@pytest.mark.parametrize("version", [6, 7])
def test_routes_of_both_versions(words, expected, version):
    found = route(words, version=version)
    assert found.comment == ("x" if "comment" in words else "")
    assert found.span.line == 2
    fields = Route.__dataclass_fields__.keys() - {"comment", "span"}
    assert {name: getattr(found, name) for name in fields} == {name: getattr(expected, name) for name in fields}


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_kinds_of_version_6(kind):
    found = route(f"dst-address=10.0.0.0/8 type={kind} distance=254")
    assert (found.kind, found.next_hops, found.distance) == (RouteKind(kind), (), 254)


@pytest.mark.parametrize(
    "words", ["blackhole", "blackhole=yes", 'blackhole disabled=no gateway=""', "gateway=ether5 blackhole"]
)
def test_black_holes_of_version_7(words):
    found = route(f"dst-address=10.0.0.0/8 {words}")
    assert (found.kind, found.next_hops) == (RouteKind.BLACKHOLE, ())


def test_tables_of_version_6_come_with_their_routes():
    found = network(
        "/ip route\nadd gateway=1.1.1.1 routing-mark=a\nadd gateway=2.2.2.2\nadd gateway=3.3.3.3 routing-mark=a"
    )
    assert (found.version, found.tables) == (6, ("a",))
    assert [one.table for one in found.routes] == ["a", "main", "a"]


def test_tables_of_version_7_are_declared():
    found = network(
        """
/routing table
add name=a fib
add disabled=no fib name=b
add name=c fib=yes disabled=yes
/ip route
add gateway=1.1.1.1@main routing-table=a
add gateway=1.1.1.2%ether1@main routing-table=main
/ipv6 route
add gateway=fe80::1%ether1 dst-address=2001:db8::/32
"""
    )
    assert (found.version, found.tables) == (7, ("a", "b"))
    assert [one.table for one in found.routes] == ["a", "main", "main"]
    assert found.routes[0].next_hops == (hop("1.1.1.1"),)
    assert found.routes[2].prefix == prefix("2001:db8::/32")
    assert found.routes[2].next_hops == (hop("fe80::1", "ether1"),)


def test_rules_of_version_6():
    found = network(
        """
/ip route
add gateway=1.1.1.1 routing-mark=a
/ip route rule
add dst-address=192.168.0.0/16 action=lookup table=main
add src-address=10.0.0.0/24 interface=LAN table=a action=lookup-only-in-table
add routing-mark=a action=drop disabled=yes comment=x
"""
    )
    assert list(found.rules) == [
        RoutingRule(Family.IPV4, 0, destination=prefix("192.168.0.0/16"), span=found.rules[0].span),
        RoutingRule(
            Family.IPV4,
            1,
            "a",
            RuleAction.LOOKUP_ONLY,
            source=prefix("10.0.0.0/24"),
            ingress="LAN",
            span=found.rules[1].span,
        ),
        RoutingRule(
            Family.IPV4,
            2,
            action=RuleAction.BLACKHOLE,
            mark=MarkNamed(Register.ROUTING, "a"),
            enabled=False,
            comment="x",
            span=found.rules[2].span,
        ),
    ]


def test_rules_of_version_7_are_for_both_families_unless_they_name_addresses():
    found = network(
        """
/routing table add name=a fib
/routing rule
add action=lookup min-prefix=0 table=main
add action=lookup routing-mark=a table=a
add dst-address=2001:db8::/32 action=unreachable
add src-address=10.0.0.0/8 table=a
"""
    )
    assert [(rule.family, rule.priority, rule.table, rule.suppress_prefix_length) for rule in found.rules] == [
        (Family.IPV4, 0, "main", 0),
        (Family.IPV6, 0, "main", 0),
        (Family.IPV4, 1, "a", None),
        (Family.IPV6, 1, "a", None),
        (Family.IPV6, 2, "main", None),
        (Family.IPV4, 3, "a", None),
    ]
    assert found.rules[4].action is RuleAction.UNREACHABLE


def test_rows_are_changed_moved_and_found():
    found = network(
        """
/ip route
add gateway=1.1.1.1 comment=one
add gateway=2.2.2.2 comment=two
set [find comment=one] distance=5
set [find gateway=2.2.2.2] blackhole
remove [find comment=two]
disable 0
/routing rule
add table=main src-address=10.0.0.0/8
add table=main src-address=10.1.0.0/16
move 1 0
"""
    )
    (only,) = found.routes
    assert (only.distance, only.enabled) == (5, False)
    assert [rule.source.length for rule in found.rules] == [16, 8]


@pytest.mark.parametrize(
    ("text", "kind", "words", "highlight"),
    [
        ("/ip route add ateway=1.1.1.1", SyntaxFault, "did you mean gateway?", "ateway="),
        ("/ip route add gateway=192.168.1.300", SyntaxFault, "300 is above 255", "gateway="),
        ("/ip route add gateway=192.168.1", SyntaxFault, "not an IPv4 address", "gateway="),
        ("/ip route add gateway=192.168.1.l", SyntaxFault, "not an IPv4 address", "gateway="),
        ("/ip route add gateway=2001:db8::1", SyntaxFault, "other address family", "gateway="),
        ("/ip route add gateway=1.1.1.1@vrf1", Unmodelled, "only @main", "gateway="),
        ("/ip route add gateway=ether1%ether2", SyntaxFault, "an address before %", "gateway="),
        ("/ip route add distance=1", SyntaxFault, "a route without gateway", "/ip"),
        ("/ip route add gateway=1.1.1.1 distance=300", SyntaxFault, "from 0 to 255", "distance="),
        ("/ip route add gateway=1.1.1.1 dst-address=10.0.0.0/99", SyntaxFault, "0 to 32", "dst-address="),
        ("/ip route add gateway=1.1.1.1 check-gateway=pin", SyntaxFault, "did you mean ping?", "check-gateway="),
        ("/ip route add gateway=1.1.1.1 check-gateway=bfd", Unmodelled, "check-gateway=bfd", "check-gateway="),
        ("/ip route add gateway=1.1.1.1 vrf-interface=ether1", Unmodelled, "VRF", "vrf-interface="),
        ("/ip route add gateway=1.1.1.1 type=blackole", SyntaxFault, "did you mean blackhole?", "type="),
        ("/ip route add gateway=1.1.1.1 pref-src=x", SyntaxFault, "not an IPv4 address", "pref-src="),
        (
            "/ip route add gateway=1.1.1.1 routing-table=wan1",
            SyntaxFault,
            "add name=wan1 fib is missing",
            "routing-table=",
        ),
        ("/ip route rule add action=jump", SyntaxFault, "none of its values", "action="),
        ("/ip route rule add dst-address=10.0.0.0/8 tabel=main", SyntaxFault, "did you mean table?", "tabel="),
        ("/routing rule add src-address=10.0.0.0.0/8", SyntaxFault, "not an IPv4 address", "src-address="),
        ("/routing rule add table=nowhere", SyntaxFault, "names no routing table", "table="),
        ("/routing table add fib", SyntaxFault, "add without name", "/routing"),
        ("/routing table add name=x fbi", SyntaxFault, "did you mean fib=", "fbi"),
        ("/routing table add name=x; /routing table add name=x", SyntaxFault, "already", "name=x"),
    ],
)
def test_faults_have_a_place(text, kind, words, highlight):
    (fault,) = faults(text)
    assert type(fault) is kind
    assert words in fault.message
    assert fault.text[fault.span.column - 1 :].startswith(highlight)


SEVEN = "# 2024-01-01 00:00:00 by RouterOS 7.12\n"
SIX = "# jan/01/2020 00:00:00 by RouterOS 6.49\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{SEVEN}/ip route add gateway=1.1.1.1 routing-mark=a", "expected routing-table"),
        (f"{SEVEN}/ip route add dst-address=10.0.0.0/8 gateway=1.1.1.1 type=unicast", "expected blackhole"),
        (f"{SEVEN}/ip route rule add table=main", "expected /routing rule"),
        (f"{SIX}/ip route add gateway=1.1.1.1 routing-table=a", "expected routing-mark"),
        (f"{SIX}/ip route add dst-address=10.0.0.0/8 gateway=1.1.1.1 blackhole", "expected type=blackhole"),
        (f"{SIX}/routing rule add table=main", "expected /ip route rule"),
        (f"{SIX}/ip/route/add gateway=1.1.1.1", "blanks between"),
    ],
)
def test_words_of_the_other_version_are_faults(text, words):
    assert any(words in fault.message for fault in faults(text))


def test_the_routers_own_address_is_no_fault_as_a_gateway():
    found = network("/ip address add address=192.168.1.252/24 interface=x\n/ip route add gateway=192.168.1.252")
    assert found.routes[0].next_hops[0].address == found.interfaces[0].addresses[0].address


@given(
    st.lists(st.tuples(st.integers(1, 2**32 - 1), st.sampled_from(["", "ether1", "wan"])), min_size=1, max_size=8),
    st.integers(0, 32),
    st.integers(0, 2**32 - 1),
)
def test_gateways_and_weights_come_back(hops, length, base):
    texts = [format_address(value, 32) + (f"%{interface}" if interface else "") for value, interface in hops]
    found = route(f"dst-address={format_address(base, 32)}/{length} gateway={','.join(texts)}")
    assert {(one.address, one.interface): one.weight for one in found.next_hops} == {
        one: hops.count(one) for one in hops
    }
    assert found.prefix.contains(base)
    assert (found.prefix.length, found.prefix.value & ((1 << (32 - length)) - 1)) == (length, 0)
