"""What a Cisco router does: fragments, implicit entries, undefined lists, time ranges, bounds."""

import pytest

from compiler.addresses import AddressSet, Wildcard
from compiler.errors import InputErrors
from compiler.fields import ICMPV6, TCP, Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import (
    AccessList,
    Action,
    Binding,
    Clause,
    Device,
    Direction,
    Entry,
    ListKind,
    ListUse,
    TimeRange,
)
from compiler.policy.match import ANY, Match, layer4
from compiler.policy.packet import Packet, Path
from compiler.semantics.lower import machine
from compiler.semantics.machine import Context, ListName, Standing
from tests.deciding import decide, decision

WEB = layer4(Match(protocol=IntegerSet.values(TCP), destination_port=IntegerSet.values(80)))
PERMIT, DENY = Action.PERMIT, Action.DENY


def device(*entries: Entry, family: Family = Family.IPV4, direction: Direction = Direction.IN, **more) -> Device:
    """A router with one list, bound to e0."""
    access_list = AccessList("X", family, ListKind.EXTENDED, entries)
    return Device("test", (access_list,), (Binding("e0", direction, family, "X"),), **more)


def packet(**fields) -> Packet:
    """A web request that comes in by e0, with some fields changed."""
    plain = Packet(Family.IPV4, 1, 2, TCP, 1025, 80, 2, ingress="e0", egress="e1")
    return plain._replace(**fields)


@pytest.mark.parametrize(
    ("entries", "whole", "fragment"),
    [
        pytest.param([Entry(PERMIT, (WEB,))], True, True, id="a permit with ports takes later fragments too"),
        pytest.param([Entry(DENY, (WEB,)), Entry(PERMIT, (ANY,))], False, True, id="a deny with ports skips them"),
        pytest.param([Entry(DENY, (ANY,)), Entry(PERMIT, (WEB,))], False, False, id="layer 3 alone takes all"),
        pytest.param([Entry(PERMIT, (ANY,), fragments=True)], False, True, id="fragments takes later ones alone"),
        pytest.param([Entry(DENY, (ANY,), fragments=True), Entry(PERMIT, (ANY,))], True, False, id="deny fragments"),
        pytest.param(
            [Entry(DENY, (Match(protocol=IntegerSet.values(TCP)),), layer4_named=True), Entry(PERMIT, (ANY,))],
            False,
            True,
            id="a full range of ports still names layer 4",
        ),
    ],
)
def test_fragments_are_decided_as_cisco_says(entries, whole, fragment):
    router = machine(device(*entries))
    assert decide(router, packet()) is whole
    assert decide(router, packet(noninitial=True, source_port=0, destination_port=0, tcp_flags=0)) is fragment


def test_a_permitted_fragment_must_agree_in_protocol():
    assert not decide(machine(device(Entry(PERMIT, (WEB,)))), packet(protocol=17, noninitial=True))


def test_undefined_and_empty_lists_permit_everything():
    empty = device()
    undefined = Device("test", (), (Binding("e0", Direction.IN, Family.IPV4, "X"),))
    for one in (empty, undefined):
        assert decide(machine(one), packet())
        assert machine(one).stages(Context(Family.IPV4, Path.FORWARD, "e0", "e1", False)) == ()


def test_what_no_entry_matches_is_denied():
    found = decision(machine(device(Entry(PERMIT, (WEB,)))), packet(destination_port=81))
    assert not found.passes
    assert found.step is None
    assert "implicit deny" in found.why


def test_own_packets_meet_no_list():
    own = packet(path=Path.OUTPUT, ingress="", egress="e0")
    assert decide(machine(device(Entry(DENY, (ANY,)), direction=Direction.OUT)), own)
    assert not decide(machine(device(Entry(DENY, (ANY,)), direction=Direction.OUT)), packet(ingress="e1", egress="e0"))


def test_packets_to_the_router_meet_in_lists_only():
    to_us = packet(path=Path.INPUT, egress="")
    assert not decide(machine(device(Entry(DENY, (ANY,)))), to_us)
    assert decide(machine(device(Entry(DENY, (ANY,)), direction=Direction.OUT)), to_us)


def test_an_out_list_sees_the_ttl_lowered():
    asks = Entry(PERMIT, (Match(ttl=IntegerSet.values(9)),))
    inward, outward = machine(device(asks)), machine(device(asks, direction=Direction.OUT))
    assert [decide(inward, packet(ttl=ttl)) for ttl in (9, 10)] == [True, False]
    assert [decide(outward, packet(ingress="e1", egress="e0", ttl=ttl)) for ttl in (9, 10)] == [False, True]


@pytest.mark.parametrize("kind", [135, 136])
def test_neighbour_discovery_passes_an_ipv6_list(kind):
    router = machine(device(Entry(PERMIT, (WEB,)), family=Family.IPV6))
    discovery = packet(family=Family.IPV6, protocol=ICMPV6, icmp_type=kind, source_port=0, destination_port=0)
    assert decide(router, discovery)
    assert not decide(router, discovery._replace(icmp_type=128))
    explicit = machine(device(Entry(PERMIT, (WEB,)), Entry(DENY, (ANY,)), family=Family.IPV6))
    assert not decide(explicit, discovery)


def test_a_time_range_says_when_an_entry_acts():
    week = TimeRange("WORK", IntegerSet.range(480, 1020))
    one = Entry(PERMIT, (WEB,), time_range="WORK")
    router = machine(device(one, time_ranges=(week,)))
    assert [decide(router, packet(week_minute=minute)) for minute in (479, 480, 1020, 1021)] == [
        False,
        True,
        True,
        False,
    ]


def test_an_entry_with_an_unknown_time_range_is_active():
    assert decide(machine(device(Entry(PERMIT, (WEB,), time_range="NOWHERE"))), packet())


UNKNOWN = (Clause("option ssr"),)


@pytest.mark.parametrize(
    ("action", "lower", "upper"), [(PERMIT, False, True), (DENY, False, True)], ids=["permit", "deny"]
)
def test_bounds_enclose_what_an_unknown_clause_may_do(action, lower, upper):
    entries = [Entry(action, (WEB,), unmodelled=UNKNOWN)]
    if action is DENY:
        entries.append(Entry(PERMIT, (ANY,)))
    one = device(*entries)
    assert decide(machine(one, bound="lower"), packet()) is lower
    assert decide(machine(one, bound="upper"), packet()) is upper
    with pytest.raises(InputErrors, match="option ssr"):
        machine(one)


def test_standing_tells_bound_used_and_free_lists_apart():
    lists = tuple(AccessList(name, Family.IPV4, ListKind.EXTENDED, ()) for name in "XYZ")
    one = Device("test", lists, (Binding("e0", Direction.IN, Family.IPV4, "X"),), (ListUse("Y", "NAT"),))
    standings = [machine(one).standing(ListName(name, Family.IPV4)) for name in "XYZ"]
    assert standings == [Standing.BOUND, Standing.USED, Standing.FREE]


def test_a_wildcard_compares_the_zero_bits_only():
    odd = Entry(PERMIT, (Match(source=AddressSet.wildcard(Wildcard.of(0xAC100600, 0x08FF))),))
    router = machine(device(odd))
    assert decide(router, packet(source=0xAC100E07))
    assert not decide(router, packet(source=0xAC100707))
