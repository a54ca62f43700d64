"""Entry text -> what it matches, as a table."""

import pytest

from compiler.addresses import AddressSet, Wildcard, parse_address
from compiler.dialects.ios.reader import read
from compiler.fields import flags_all, flags_any
from compiler.integers import IntegerSet, bit_pattern
from compiler.policy.access_list import Action
from compiler.policy.match import Match


def one(text, header="ip access-list extended L"):
    """The only entry of a list with this line."""
    device = read(f"{header}\n {text}\n", "t")
    (entry,) = device.lists[0].entries
    return entry


def wild(address, mask):
    return AddressSet.wildcard(Wildcard.of(parse_address(address)[0], parse_address(mask)[0]))


def host(address):
    value, width = parse_address(address)
    return AddressSet.of(width, ((value, value),))


def values(*numbers):
    return IntegerSet.values(*numbers)


TCP, UDP, ICMP = values(6), values(17), values(1)

EXTENDED = {
    "permit ip any any": Match(),
    "permit 0 any any": Match(protocol=values(0)),
    "permit tcp any any": Match(protocol=TCP),
    "permit 6 any any eq www": Match(protocol=TCP, destination_port=values(80)),
    "permit ahp any any": Match(protocol=values(51)),
    "permit esp any any": Match(protocol=values(50)),
    "permit ospf any host 224.0.0.5": Match(protocol=values(89), destination=host("224.0.0.5")),
    "permit ip 10.1.2.3 0.255.0.255 any": Match(source=wild("10.0.2.0", "0.255.0.255")),
    "permit ip 10.1.2.3 0.0.0.0 any": Match(source=host("10.1.2.3")),
    "permit ip 0.0.0.0 255.255.255.255 any": Match(),
    "permit ip host 10.1.2.3 10.0.0.0 0.0.0.255": Match(
        source=host("10.1.2.3"), destination=wild("10.0.0.0", "0.0.0.255")
    ),
    "permit udp any eq snmp any": Match(protocol=UDP, source_port=values(161)),
    "permit udp any neq snmp snmptrap any": Match(protocol=UDP, source_port=values(161, 162).complement(16)),
    "permit tcp any gt 1023 any lt 1024": Match(
        protocol=TCP, source_port=IntegerSet.range(1024, 65535), destination_port=IntegerSet.range(0, 1023)
    ),
    "permit tcp any any eq cmd": Match(protocol=TCP, destination_port=values(514)),
    "permit tcp any any eq syslog": Match(protocol=TCP, destination_port=values(514)),
    "permit tcp any any eq exec login": Match(protocol=TCP, destination_port=values(512, 513)),
    "permit udp any any eq biff who syslog": Match(protocol=UDP, destination_port=values(512, 513, 514)),
    "permit tcp any any eq 1 2 3 4 5 6 7 8 9 10": Match(protocol=TCP, destination_port=IntegerSet.range(1, 10)),
    "permit tcp any any range ftp-data ftp": Match(protocol=TCP, destination_port=values(20, 21)),
    "permit tcp any any range 0 65535": Match(protocol=TCP),
    "permit sctp any any eq 9": Match(protocol=values(132), destination_port=values(9)),
    "permit tcp any any established": Match(protocol=TCP, tcp_flags=flags_any(0x14)),
    "permit tcp any any syn fin": Match(protocol=TCP, tcp_flags=flags_any(0x03)),
    "permit tcp any any match-all +syn -ack": Match(protocol=TCP, tcp_flags=flags_all(0x02, 0x10)),
    "permit tcp any any match-any +syn -ack": Match(protocol=TCP, tcp_flags=flags_any(0x02, 0x10)),
    "permit icmp any any echo": Match(protocol=ICMP, icmp_type=values(8)),
    "permit icmp any any 8 0": Match(protocol=ICMP, icmp_type=values(8), icmp_code=values(0)),
    "permit icmp any any 3": Match(protocol=ICMP, icmp_type=values(3)),
    "permit icmp any any packet-too-big": Match(protocol=ICMP, icmp_type=values(3), icmp_code=values(4)),
    "permit icmp any any administratively-prohibited": Match(protocol=ICMP, icmp_type=values(3), icmp_code=values(13)),
    "permit icmp any any ttl-exceeded": Match(protocol=ICMP, icmp_type=values(11), icmp_code=values(0)),
    "permit icmp any any time-exceeded": Match(protocol=ICMP, icmp_type=values(11)),
    "permit icmp any any conversion-error": Match(protocol=ICMP, icmp_type=values(31)),
    "permit icmp any any mobile-redirect log": Match(protocol=ICMP, icmp_type=values(32)),
    "permit ip any any dscp ef": Match(traffic_class=bit_pattern(46 << 2, 0xFC, 8)),
    "permit ip any any dscp af11": Match(traffic_class=bit_pattern(10 << 2, 0xFC, 8)),
    "permit ip any any dscp cs7": Match(traffic_class=bit_pattern(56 << 2, 0xFC, 8)),
    "permit ip any any precedence critical": Match(traffic_class=IntegerSet.range(160, 191)),
    "permit ip any any tos 1": Match(traffic_class=bit_pattern(0x02, 0x1E, 8)),
    "permit ip any any tos min-delay precedence 0": Match(traffic_class=values(16, 17)),
    "permit ip any any ttl lt 2": Match(ttl=values(0, 1)),
    "permit ip any any ttl range 3 5": Match(ttl=IntegerSet.range(3, 5)),
    "permit ip any any fragments": Match(),
    "permit ip any any log": Match(),
    "permit ip any any log my-cookie": Match(),
    "permit ip any any log-input time-range NIGHT": Match(),
    "PERMIT TCP ANY HOST 10.0.0.1 eq WWW": None,
    "permit ip HOST 10.0.0.1 ANY": Match(source=host("10.0.0.1")),
}


@pytest.mark.parametrize(("text", "match"), [pair for pair in EXTENDED.items() if pair[1] is not None])
def test_extended(text, match):
    assert one(text).matches == (match,)


def test_what_stands_beside_the_match():
    entry = one("deny tcp any any eq 80 log-input time-range NIGHT")
    assert (entry.action, entry.log, entry.time_range, entry.layer4_named) == (Action.DENY, "log-input", "NIGHT", True)
    assert one("permit ip any any fragments").fragments
    assert not one("permit tcp any any").layer4_named


@pytest.mark.parametrize("text", ["range 0 65535", "gt 0", "established", "syn"])
def test_layer4_is_named_even_where_it_constrains_nothing(text):
    assert one(f"permit tcp any any {text}").layer4_named


def test_icmp_type_is_layer4():
    assert one("permit icmp any any echo").layer4_named


STANDARD = {
    "permit any": None,
    "permit 10.1.2.3": host("10.1.2.3"),
    "permit 0.0.0.0": host("0.0.0.0"),
    "permit host 10.1.2.3 log": host("10.1.2.3"),
    "permit 10.1.2.3 0.0.255.255": wild("10.1.0.0", "0.0.255.255"),
    "permit 10.1.0.0, wildcard bits 0.0.255.255": wild("10.1.0.0", "0.0.255.255"),
    "permit 0.0.0.0 255.255.255.255": None,
}


@pytest.mark.parametrize(("text", "source"), STANDARD.items())
def test_standard(text, source):
    assert one(text, "ip access-list standard L").matches == (Match(source=source),)


IPV6 = {
    "permit ipv6 any any": Match(),
    "permit icmp any any nd-na": Match(protocol=values(58), icmp_type=values(136)),
    "permit icmp any any unreachable": Match(protocol=values(58), icmp_type=values(1)),
    "permit icmp any any no-route": Match(protocol=values(58), icmp_type=values(1), icmp_code=values(0)),
    "deny tcp 2001:DB8::/32 eq 22 host ::1": Match(
        source=AddressSet.wildcard(Wildcard.prefix(0x20010DB8 << 96, 32, 128)),
        destination=host("::1"),
        protocol=TCP,
        source_port=values(22),
    ),
    "permit ipv6 ::/0 any dscp 8": Match(traffic_class=bit_pattern(32, 0xFC, 8)),
    "permit tcp any any established sequence 7": Match(protocol=TCP, tcp_flags=flags_any(0x14)),
}


@pytest.mark.parametrize(("text", "match"), IPV6.items())
def test_ipv6(text, match):
    assert one(text, "ipv6 access-list L").matches == (match,)


def test_ipv6_sequence_in_both_forms():
    device = read("ipv6 access-list L\n permit ipv6 any any sequence 30\n sequence 20 deny tcp any any\n", "t")
    assert [entry.sequence for entry in device.lists[0].entries] == [20, 30]
