"""Packets as text: reading is the inverse of writing, and mistakes are shown where they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import GerbangError, InputError
from compiler.fields import ICMP_PROTOCOLS, PORT_PROTOCOLS, Family
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet, parse_packet

names = st.one_of(
    st.just(""), st.text(min_size=1, max_size=6), st.sampled_from(("ether1", "GigabitEthernet0/1", 'a "b\\'))
)


@st.composite
def packets(draw):
    """Packets whose fields are those that they carry; the others are 0."""
    family = draw(st.sampled_from(Family))
    address = st.integers(0, (1 << family.width) - 1)
    protocol = draw(st.one_of(st.sampled_from((1, 6, 17, 58, 47)), st.integers(0, 255)))
    noninitial = draw(st.booleans())
    path = draw(st.sampled_from(Path))
    fields = {}
    if not noninitial and PORT_PROTOCOLS.contains(protocol):
        fields |= {"source_port": draw(st.integers(0, 65535)), "destination_port": draw(st.integers(0, 65535))}
    if not noninitial and protocol == 6:
        fields["tcp_flags"] = draw(st.integers(0, 255))
    if not noninitial and ICMP_PROTOCOLS.contains(protocol):
        fields |= {"icmp_type": draw(st.integers(0, 255)), "icmp_code": draw(st.integers(0, 255))}
    return Packet(
        family,
        draw(address),
        draw(address),
        protocol,
        traffic_class=draw(st.integers(0, 255)),
        ttl=draw(st.integers(0, 255)),
        week_minute=draw(st.integers(0, 16383)),
        date_minute=draw(st.one_of(st.just(0), st.integers(0, 2**32 - 1))),
        noninitial=noninitial,
        ingress="" if path is Path.OUTPUT else draw(names),
        egress="" if path is Path.INPUT else draw(names),
        path=path,
        **fields,
    )


@given(packets())
def test_reading_is_the_inverse_of_writing(packet):
    text = format_packet(packet)
    assert parse_packet(text) == packet
    assert format_packet(parse_packet(text)) == text


FORMS = {
    "tcp 172.16.6.4:1025 > 10.0.0.2:21": Packet(Family.IPV4, 0xAC100604, 0x0A000002, 6, 1025, 21),
    "udp [2001:db8::1]:53 > [2001:db8::2]:5353": Packet(
        Family.IPV6, 0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 2, 17, 53, 5353
    ),
    "icmp 10.0.0.1 > 10.0.0.2 type=8 code=0": Packet(Family.IPV4, 0x0A000001, 0x0A000002, 1, icmp_type=8),
    "gre 10.0.0.1 > 10.0.0.2 dscp=46": Packet(Family.IPV4, 0x0A000001, 0x0A000002, 47, traffic_class=184),
    "tcp 10.0.0.1 > 10.0.0.2 fragment": Packet(Family.IPV4, 0x0A000001, 0x0A000002, 6, noninitial=True),
    "54 10.0.0.1 > 10.0.0.2 at=mon-08:00": Packet(Family.IPV4, 0x0A000001, 0x0A000002, 54, week_minute=480),
    'esp 10.0.0.1 > 10.0.0.2 ttl=1 in="ether 1" to-router': Packet(
        Family.IPV4, 0x0A000001, 0x0A000002, 50, ttl=1, ingress="ether 1", path=Path.INPUT
    ),
    "tcp 0.0.0.0:0 > 0.0.0.0:0 flags=syn,ack class=1 out=a from-router": Packet(
        Family.IPV4, 0, 0, 6, tcp_flags=0x12, traffic_class=1, egress="a", path=Path.OUTPUT
    ),
}


@pytest.mark.parametrize("text", FORMS)
def test_the_form(text):
    assert parse_packet(text) == FORMS[text]
    assert format_packet(FORMS[text]) == text


def test_other_ways_to_say_the_same():
    assert parse_packet("6 10.0.0.1:1 > 10.0.0.2:2") == parse_packet("TCP 10.0.0.1:1 > 10.0.0.2:2 flags=none")
    assert parse_packet("icmp 10.0.0.1 > 10.0.0.2 echo").icmp_type == 8
    assert parse_packet("icmp 10.0.0.1 > 10.0.0.2 echo-reply").icmp_type == 0
    assert parse_packet("icmpv6 2001:db8::1 > [2001:db8::2] echo").icmp_type == 128
    assert parse_packet("gre 10.0.0.1 > 10.0.0.2 class=184") == parse_packet("47 10.0.0.1 > 10.0.0.2 dscp=46")


def test_a_date_tells_the_minute_of_the_week():
    packet = parse_packet("gre 10.0.0.1 > 10.0.0.2 date=2026-01-31T08:00")  # a Saturday
    assert packet.week_minute == (5 * 24 + 8) * 60
    assert format_packet(packet) == "gre 10.0.0.1 > 10.0.0.2 date=2026-01-31T08:00"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "a protocol"),
        ("tpc 10.0.0.1:1 > 10.0.0.2:2", 1, "expected a protocol"),
        ("256 10.0.0.1 > 10.0.0.2", 1, "from 0 to 255"),
        ("tcp 10.0.0.1:1 10.0.0.2:2", 16, "expected '>'"),
        ("tcp 10.0.0.256:1 > 10.0.0.2:2", 5, "256 is above 255"),
        ("tcp 10.0.0.1:99999 > 10.0.0.2:2", 14, "a port from 0 to 65535"),
        ("tcp 10.0.0.1 > 10.0.0.2:2", 5, "10.0.0.1:PORT"),
        ("gre 10.0.0.1:5 > 10.0.0.2", 5, "protocol 47 has no ports"),
        ("udp 10.0.0.1:5 > 10.0.0.2:5 fragment", 5, "has no ports"),
        ("gre 10.0.0.1 > 2001:db8::1", 16, "expected an IPV4 address"),
        ("tcp [10.0.0.1]:5 > 10.0.0.2:5", 5, "brackets are for IPv6"),
        ("icmp 10.0.0.1 > 10.0.0.2", 25, "the ICMP type"),
        ("tcp 10.0.0.1:5 > 10.0.0.2:5 flags=sny", 35, "expected flags out of fin"),
        ("udp 10.0.0.1:5 > 10.0.0.2:5 flags=syn", 29, "only TCP has flags"),
        ("gre 10.0.0.1 > 10.0.0.2 type=8", 30, "only ICMP has a type"),
        ("gre 10.0.0.1 > 10.0.0.2 ttl=300", 29, "a TTL from 0 to 255"),
        ("gre 10.0.0.1 > 10.0.0.2 colour=red", 25, "unknown option 'colour=red'"),
        ("gre 10.0.0.1 > 10.0.0.2 ttl=3 ttl=4", 35, "said twice"),
        ("gre 10.0.0.1 > 10.0.0.2 in=", 28, "the name of an interface"),
        ("gre 10.0.0.1 > 10.0.0.2 out=x to-router", 25, "has no out="),
        ("gre 10.0.0.1 > 10.0.0.2 at=moon-08:00", 28, "mon-08:00"),
        ("gre 10.0.0.1 > 10.0.0.2 date=2026-02-31T08:00", 30, "2026-01-31T08:00"),
        ("gre 10.0.0.1 > 10.0.0.2 to-router from-router", 35, "the path is said twice"),
    ],
)
def test_mistakes_are_shown_where_they_stand(text, column, message):
    with pytest.raises(InputError) as caught:
        parse_packet(text)
    assert message in caught.value.message
    assert caught.value.span.column == column


def read(text: str) -> Packet | None:
    """The packet, or None for a text that is refused with a message."""
    try:
        return parse_packet(text)
    except GerbangError as error:
        return None if error.render() else pytest.fail("an error without a message")


@given(st.text(alphabet='tcp icmp0123456789.:[]>="\\@fragment-at,', max_size=40))
def test_no_text_breaks_the_reader(text):
    packet = read(text)
    assert packet is None or parse_packet(format_packet(packet)) == packet


@given(packets(), st.data())
def test_a_damaged_packet_is_an_error_or_another_packet(packet, data):
    text = format_packet(packet)
    place = data.draw(st.integers(0, len(text) - 1))
    again = read(text[:place] + data.draw(st.text(max_size=2)) + text[place + 1 :])
    assert again is None or parse_packet(format_packet(again)) == again


def test_a_name_that_ends_in_a_new_line_is_quoted():
    packet = Packet(Family.IPV4, 1, 2, 6, ingress="eth0\n")
    assert 'in="eth0\n"' in format_packet(packet)
    assert parse_packet(format_packet(packet)) == packet
