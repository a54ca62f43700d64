"""Which ICMP errors may be sent, and what they say."""

from __future__ import annotations

import pytest

from compiler.simulator.frame import BROADCAST, Datagram
from compiler.simulator.hosts.icmp import error, failure, told_mtu
from compiler.simulator.sockets import Failure, FailureKind
from compiler.simulator.wire import decode, encode
from tests.compiler.simulator.hosts.network import CLIENT, CLIENT6, SERVER, SERVER6, V4, V6, Pair


def udp(family: object = V4, size: int = 100, **fields: object) -> Datagram:
    source, destination = (CLIENT, SERVER) if family is V4 else (CLIENT6, SERVER6)
    made = Datagram(family, source, destination, 17, size, 1, 2)  # type: ignore[arg-type]
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    "about",
    [
        udp(protocol=1, icmp_type=3),
        udp(protocol=1, icmp_type=11),
        udp(protocol=1, icmp_type=5),
        udp(protocol=1, icmp_type=99),
        udp(fragment_offset=8),
        udp(destination=0xE0000001),
        udp(destination=0xFFFFFFFF),
        udp(link_destination=BROADCAST),
        udp(source=0),
        udp(source=0x7F000001),
        udp(source=0xE0000001),
        udp(source=0xFFFFFFFF),
        udp(V6, protocol=58, icmp_type=1),
        udp(V6, protocol=58, icmp_type=127),
        udp(V6, protocol=58, icmp_type=137),
        udp(V6, destination=0xFF02 << 112 | 1),
        udp(V6, source=0),
        udp(V6, source=0xFF02 << 112 | 1),
    ],
)
def test_there_is_no_error_about_these(about: Datagram) -> None:
    """RFC 1122, 3.2.2; RFC 4443, 2.4 (e)."""
    assert error(about, SERVER, 3, 1) is None


@pytest.mark.parametrize(
    "about",
    [udp(), udp(protocol=1, icmp_type=8), udp(more_fragments=True), udp(V6), udp(V6, protocol=58, icmp_type=128)],
)
def test_there_is_one_about_these(about: Datagram) -> None:
    made = error(about, 5, 1 if about.family is V6 else 3, 3)
    assert made is not None
    assert (made.source, made.destination, made.ttl) == (5, about.source, 64)
    assert made.quoted is not about


def test_packet_too_big_may_answer_multicast() -> None:
    about = udp(V6, destination=0xFF0E << 112 | 1)
    assert error(about, SERVER6, 2, 0, 1280) is not None
    assert error(about, SERVER6, 4, 2) is not None
    assert error(about, SERVER6, 4, 1) is None


@pytest.mark.parametrize(
    ("about", "size"), [(udp(size=100), 128), (udp(size=1500), 576), (udp(V6, 100), 148), (udp(V6, 1500), 1280)]
)
def test_as_much_is_quoted_as_fits(about: Datagram, size: int) -> None:
    kind = 3 if about.family is V4 else 1
    made = error(about, 5, kind, 1)
    assert made is not None
    assert made.size == size
    read = decode(encode(made))
    assert read.quoted is not None
    assert (read.quoted.source, read.quoted.destination_port, read.quoted.size) == (about.source, 2, about.size)


def test_the_quote_is_as_the_datagram_was() -> None:
    about = udp()
    made = error(about, 5, 3, 1)
    about.ttl = 1
    assert made is not None
    assert made.quoted is not None
    assert made.quoted.ttl == 64


def test_precedence_of_errors() -> None:
    assert error(udp(traffic_class=0xFF), 5, 3, 1).traffic_class == 0xDE  # type: ignore[union-attr]
    assert error(udp(V6, traffic_class=0xFF), 5, 1, 1).traffic_class == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(("told", "meant"), [(1400, 1400), (552, 552), (100, 100), (0, 1492)])
def test_the_mtu_of_fragmentation_needed(told: int, meant: int) -> None:
    """A router that tells none leaves the plateau below the datagram's size (RFC 1191, 7.1)."""
    made = error(udp(size=1500), 5, 3, 4, told)
    assert made is not None
    assert told_mtu(made) == meant
    assert failure(made) is not None


def test_the_mtu_of_packet_too_big() -> None:
    for told in (1400, 70_000, 100):
        made = error(udp(V6, 1500), 5, 2, 0, told)
        assert made is not None
        assert told_mtu(made) == told
        assert failure(made) == Failure(FailureKind.UNREACHABLE, 5, 2, 0)
    other = error(udp(), 5, 3, 1)
    assert other is not None
    assert told_mtu(other) is None


@pytest.mark.parametrize(("family", "kind", "code", "rest"), [(V4, 3, 2, 0), (V6, 4, 1, 6)])
def test_a_protocol_that_nobody_speaks(family: object, kind: int, code: int, rest: int) -> None:
    pair = Pair()
    pair.client.send_raw(udp(family, protocol=47, source_port=0, destination_port=0))
    pair.engine.run()
    answer = pair.between.seen[1][2]
    assert (answer.icmp_type, answer.icmp_code, answer.identifier << 16 | answer.rest) == (kind, code, rest)
    assert len(pair.between.seen) == 2
