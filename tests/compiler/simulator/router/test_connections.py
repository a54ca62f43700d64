"""The table of connections: states, timeouts, what is expected, and what ends a connection."""

from __future__ import annotations

import pytest

from compiler.fields import ICMP, ICMPV6, TCP, UDP, UDPLITE, Family
from compiler.policy.packet import Path
from compiler.policy.stateful import State
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Connections, TcpState, Tuple
from compiler.simulator.router.ftp_helper import Expectation
from compiler.simulator.router.transit import Transit

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED = (
    State.NEW,
    State.ESTABLISHED,
    State.RELATED,
    State.INVALID,
    State.UNTRACKED,
)


class Table:
    """A table of connections and its clock."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.connections = Connections(self.engine)

    def see(self, datagram: Datagram) -> Transit:
        transit = Transit(datagram, "west", Path.FORWARD)
        self.connections.track(transit)
        if transit.connection is not None and not transit.is_related:
            self.connections.confirm(transit.connection)
        return transit

    def wait(self, seconds: float) -> None:
        self.engine.run(self.engine.now + round(seconds * SECOND))


def sent(protocol: int = UDP, *, back: bool = False, port: int = 4000) -> Datagram:
    if back:
        return Datagram(Family.IPV4, 2, 1, protocol, 40, 53, port)
    return Datagram(Family.IPV4, 1, 2, protocol, 40, port, 53)


def segment(flags: int, sequence: int, acknowledgement: int = 0, *, back: bool = False, octets: int = 0) -> Datagram:
    made = sent(TCP, back=back)
    made.tcp_flags, made.sequence, made.acknowledgement, made.window = flags, sequence, acknowledgement, 8000
    made.size += octets
    return made


def test_questions_are_new_until_they_are_answered():
    table = Table()
    assert [table.see(sent()).state for _ in range(2)] == [NEW, NEW]
    assert table.see(sent(back=True)).state is ESTABLISHED
    assert table.see(sent()).state is ESTABLISHED
    assert len(table.connections) == 1


@pytest.mark.parametrize(
    ("protocol", "seconds"), [(UDP, 30), (ICMP, 30), (47, 30), (50, 600)], ids=["udp", "icmp", "gre", "esp"]
)
def test_a_quiet_connection_is_forgotten(protocol, seconds):
    """Linux's defaults, Documentation/networking/nf_conntrack-sysctl.rst."""
    table = Table()
    datagram = sent(protocol)
    datagram.icmp_type = 8
    table.see(datagram)
    table.wait(seconds - 1)
    assert len(table.connections.all()) == 1
    table.wait(1)
    assert table.connections.all() == []


def test_udp_in_both_directions_for_two_seconds_is_a_stream():
    table = Table()
    connection = table.see(sent()).connection
    table.see(sent(back=True))
    table.see(sent())
    assert connection.expires - table.engine.now == 30 * SECOND
    table.wait(3)
    table.see(sent())
    assert connection.expires - table.engine.now == 120 * SECOND
    assert "assured" in connection.status


def test_tcp_goes_through_its_states():
    table = Table()
    opening = [
        (segment(SYN, 100), TcpState.SYN_SENT),
        (segment(SYN | ACK, 500, 101, back=True), TcpState.SYN_RECEIVED),
        (segment(ACK, 101, 501), TcpState.ESTABLISHED),
        (segment(FIN | ACK, 101, 501), TcpState.FIN_WAIT),
        (segment(ACK, 501, 102, back=True), TcpState.CLOSE_WAIT),
        (segment(FIN | ACK, 501, 102, back=True), TcpState.LAST_ACK),
        (segment(ACK, 102, 502), TcpState.TIME_WAIT),
    ]
    for datagram, state in opening:
        connection = table.see(datagram).connection
        assert connection.tcp.state == state
    assert "assured" in connection.status
    table.wait(119)
    assert len(table.connections.all()) == 1
    again = table.see(segment(SYN, 9000))
    assert (again.state, again.connection is connection) == (NEW, False)


def test_both_sides_may_open_at_once():
    """RFC 9293, figure 7."""
    table = Table()
    table.see(segment(SYN, 100))
    both = [segment(SYN, 500, back=True), segment(SYN | ACK, 100, 501), segment(ACK, 501, 101, back=True)]
    states = [table.see(datagram).connection.tcp.state for datagram in both]
    assert states == [TcpState.SYN_SENT_2, TcpState.SYN_RECEIVED, TcpState.ESTABLISHED]


def test_a_window_that_is_scaled_lets_more_through():
    """RFC 7323: the scale counts when both sides send it."""
    for options, state in ((b"\x03\x03\x07\x00", ESTABLISHED), (b"", INVALID)):
        table = Table()
        first, second = segment(SYN, 100), segment(SYN | ACK, 500, 101, back=True)
        first.tcp_options = second.tcp_options = options
        first.size += len(options)
        second.size += len(options)
        for datagram in (first, second, segment(ACK, 101, 501), segment(ACK, 501, 101, back=True)):
            table.see(datagram)
        assert table.see(segment(ACK | PSH, 101 + 100_000, 501, octets=10)).state is state


def test_selective_acknowledgements_count():
    """RFC 2018: the right edge of a block is as good as an acknowledgement, and as bad when nobody sent it."""
    table = Table()
    first, second = segment(SYN, 100), segment(SYN | ACK, 500, 101, back=True)
    first.tcp_options = second.tcp_options = b"\x04\x02\x01\x01"
    first.size += 4
    second.size += 4
    for datagram in (first, second, segment(ACK, 101, 501)):
        table.see(datagram)
    told = segment(ACK, 501, 101, back=True)
    told.tcp_options = b"\x01\x01\x05\x0a" + (2000).to_bytes(4, "big") + (3000).to_bytes(4, "big")
    told.size += 12
    assert table.see(told).state is INVALID


def test_a_long_silence_after_unanswered_data_is_short():
    table = Table()
    for datagram in (segment(SYN, 100), segment(SYN | ACK, 500, 101, back=True), segment(ACK, 101, 501)):
        connection = table.see(datagram).connection
    assert connection.expires - table.engine.now == 432_000 * SECOND
    table.see(segment(ACK | PSH, 101, 501, octets=5))
    assert connection.expires - table.engine.now == 300 * SECOND


def test_a_closed_connection_lives_ten_seconds():
    table = Table()
    for datagram in (segment(SYN, 100), segment(SYN | ACK, 500, 101, back=True), segment(ACK, 101, 501)):
        connection = table.see(datagram).connection
    table.connections.close(connection)
    assert connection.expires - table.engine.now == 10 * SECOND


@pytest.mark.parametrize("kind", [130, 131, 132, 133, 134, 135, 136, 143])
def test_discovery_is_not_tracked(kind):
    datagram = Datagram(Family.IPV6, 1, 2, ICMPV6, 64, icmp_type=kind)
    assert Table().see(datagram).state is UNTRACKED


@pytest.mark.parametrize(("protocol", "kind"), [(ICMP, 0), (ICMP, 14), (ICMP, 40), (ICMPV6, 8)])
def test_messages_that_ask_nothing_begin_nothing(protocol, kind):
    assert Table().see(Datagram(Family.IPV4, 1, 2, protocol, 28, icmp_type=kind)).state is INVALID


def test_udp_lite_from_outside_is_invalid():
    """As Linux 6.18 has it: seen in the kernel, whatever the checksum covers."""
    assert Table().see(sent(UDPLITE)).state is INVALID


def test_an_error_belongs_to_what_it_quotes_and_goes_to_its_sender():
    table = Table()
    asked = sent()
    table.see(asked)
    for destination, state in ((1, RELATED), (7, INVALID)):
        told = Datagram(Family.IPV4, 9, destination, ICMP, 60, icmp_type=3)
        told.quoted = asked.copy()
        assert table.see(told).state is state


def test_an_expected_connection_is_related_and_has_its_masters_mark():
    table = Table()
    master = table.see(segment(SYN, 1)).connection
    master.mark, master.helper = 7, "ftp"
    wanted = Tuple(Family.IPV4, TCP, 2, 1, 0, 4464)
    assert table.connections.expect(wanted, Expectation(master, 1, 1, 4464, False))
    data = Datagram(Family.IPV4, 2, 1, TCP, 40, 20, 4464, SYN)
    first = table.see(data)
    assert (first.state, first.connection.mark, first.connection.master) == (RELATED, 7, master)
    other = Datagram(Family.IPV4, 2, 1, TCP, 40, 21, 4464, SYN)
    assert table.see(other).state is NEW


def test_an_announcement_ends_with_its_session_and_with_the_next_one():
    table = Table()
    master = table.see(segment(SYN, 1)).connection
    master.helper = "ftp"
    for port in (4464, 4465):
        wanted = Tuple(Family.IPV4, TCP, 2, 1, 0, port)
        table.connections.expect(wanted, Expectation(master, 1, 1, port, False))
    assert table.see(Datagram(Family.IPV4, 2, 1, TCP, 40, 20, 4464, SYN)).state is NEW
    table.connections.remove(master)
    assert table.see(Datagram(Family.IPV4, 2, 1, TCP, 40, 20, 4465, SYN)).state is NEW
