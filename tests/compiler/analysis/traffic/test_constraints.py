"""The words of a question become the match that they mean."""

import pytest

from compiler.addresses import AddressSet, parse_address
from compiler.analysis.traffic.constraints import Constraints, addresses, constraints, prefix
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import ANY, Match


def number(text):
    return parse_address(text)[0]


def values(*numbers):
    return IntegerSet.values(*numbers)


def test_no_words_leave_everything_free():
    assert constraints(Constraints()) == ANY
    assert constraints(Constraints("any", "any", "ip")) == ANY


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("10.0.0.2", [("10.0.0.2", "10.0.0.2")]),
        ("172.16.0.0/16", [("172.16.0.0", "172.16.255.255")]),
        ("10.0.0.1-10.0.0.3", [("10.0.0.1", "10.0.0.3")]),
        ("10.0.0.1, 10.0.0.2", [("10.0.0.1", "10.0.0.2")]),
        ("2001:db8::/32", [("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")]),
    ],
)
def test_addresses(text, ranges):
    width = 128 if ":" in text else 32
    assert addresses(text) == AddressSet.of(width, [(number(low), number(high)) for low, high in ranges])


@pytest.mark.parametrize("text", ["any", "", "0.0.0.0/0", "0.0.0.0-255.255.255.255"])
def test_any_address_is_free(text):
    assert addresses(text) is None


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (
            Constraints(protocol="tcp", destination_port="ftp"),
            Match(protocol=values(6), destination_port=values(21), noninitial=False),
        ),
        (
            Constraints(destination_port="20-21,80"),
            Match(
                protocol=values(6, 17, 33, 132, 136),
                destination_port=IntegerSet.of([(20, 21), (80, 80)]),
                noninitial=False,
            ),
        ),
        (
            Constraints(protocol="17", source_port="domain"),
            Match(protocol=values(17), source_port=values(53), noninitial=False),
        ),
        (
            Constraints(icmp="3/13"),
            Match(protocol=values(1), icmp_type=values(3), icmp_code=values(13), noninitial=False),
        ),
        (
            Constraints(destination="2001:db8::1", icmp="128"),
            Match(
                family=Family.IPV6,
                destination=AddressSet.of(128, [(number("2001:db8::1"),) * 2]),
                protocol=values(58),
                icmp_type=values(128),
                noninitial=False,
            ),
        ),
        (Constraints(protocol="icmp", icmp="echo"), Match(protocol=values(1), icmp_type=values(8), noninitial=False)),
        (Constraints(protocol="tcp", destination_port="0-65535"), Match(protocol=values(6))),
        # "login" is a name of TCP alone, so it is without doubt even where no protocol is named.
        (
            Constraints(destination_port="login"),
            Match(protocol=values(6, 17, 33, 132, 136), destination_port=values(513), noninitial=False),
        ),
    ],
)
def test_layer_4(words, match):
    assert constraints(words) == match


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (Constraints(source="10.0.0"), "is not an IPv4 address"),
        (Constraints(source="10.0.0.0/33"), "prefix length of at most 32"),
        (Constraints(source="10.0.0.1/8"), "bits beyond its length: 10.0.0.0/8"),
        (Constraints(source="10.0.0.2-10.0.0.1"), "in order"),
        (Constraints(source="10.0.0.1", destination="::1"), "two families"),
        (Constraints(source="10.0.0.1,::1"), "mixes IPv4 and IPv6"),
        (Constraints(protocol="tpc"), "unknown protocol 'tpc': did you mean tcp"),
        (Constraints(protocol="256"), "expected 0 to 255"),
        (Constraints(protocol="gre", destination_port="1"), "protocol 47 has no ports"),
        (Constraints(protocol="tcp", icmp="echo"), "protocol 6 has no ICMP messages"),
        (Constraints(destination_port="1", icmp="echo"), "both ports and an ICMP message"),
        (Constraints(destination_port="65536"), "expected 0 to 65535"),
        (Constraints(destination_port="9" * 5_000), "expected 0 to 65535"),
        (Constraints(source="10.0.0.0/" + "9" * 5_000), "prefix length of at most 32"),
        (Constraints(destination_port="2-1"), "holds no port"),
        (Constraints(destination_port="zzz"), "expected a known name, or a number"),
        (Constraints(icmp="ehco"), "unknown ICMP message 'ehco': did you mean echo"),
    ],
)
def test_words_that_mean_nothing_are_refused(words, said):
    with pytest.raises(UsageError, match=said):
        constraints(words)


def test_a_prefix():
    assert prefix("172.16.0.0/16").prefix_length == 16
    assert prefix("10.0.0.2").prefix_length == 32


def test_all_addresses_of_a_family_are_not_any():
    """``0.0.0.0/0`` once asked about IPv6 too."""
    assert constraints(Constraints(source="0.0.0.0/0")) == Match(family=Family.IPV4)
    assert constraints(Constraints(destination="::/0")).family is Family.IPV6
    assert constraints(Constraints(source="any")).family is None


def test_a_cisco_wildcard():
    found = addresses("172.16.6.0 0.0.0.252")
    assert found.contains(0xAC100604)
    assert not found.contains(0xAC100601)
    with pytest.raises(UsageError, match="two families"):
        addresses("172.16.6.0 ::1")


@pytest.mark.parametrize(
    ("words", "port"),
    [
        (Constraints(protocol="tcp", destination_port="https"), 443),
        (Constraints(protocol="tcp", destination_port="ssh"), 22),
        (Constraints(protocol="udp", destination_port="dns"), 53),
        (Constraints(destination_port="https"), 443),
        (Constraints(protocol="sctp", destination_port="http"), 80),
        (Constraints(protocol="tcp", destination_port="cmd"), 514),
    ],
)
def test_ports_by_the_names_that_everybody_uses(words, port):
    assert constraints(words).destination_port == IntegerSet.values(port)


def test_messages_by_the_names_that_everybody_uses():
    assert constraints(Constraints(protocol="icmp6", icmp="echo")).icmp_type == IntegerSet.values(128)
    assert constraints(Constraints(protocol="icmp6", icmp="nd-neighbor-solicit")).icmp_type == IntegerSet.values(135)
    assert constraints(Constraints(protocol="icmp", icmp="echo-request")).icmp_type == IntegerSet.values(8)
