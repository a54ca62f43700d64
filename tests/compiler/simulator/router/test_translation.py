"""Translations: what is chosen, and that answers and errors are put back as they were."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import ICMP, TCP, UDP, Family
from compiler.policy.packet import Path
from compiler.policy.stateful import AddressRange
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.icmp import error
from compiler.simulator.router.connections import Connections, Tuple, tuple_of
from compiler.simulator.router.rewriting import rewrite
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.translation import bind_destination, bind_source
from compiler.simulator.wire import decode, encode

IPV4 = Family.IPV4
CLIENT, SERVER, ROUTER, OTHER = 0x0A000003, 0x0A090001, 0xC0000201, 0x0A090002


def one(address: int) -> AddressRange:
    return AddressRange(IPV4, address, address)


def question(protocol: int = UDP, source: int = CLIENT, port: int = 4000) -> Datagram:
    made = Datagram(IPV4, source, SERVER, protocol, 60, port, 53, 2 if protocol == TCP else 0)
    if protocol == ICMP:
        made.source_port = made.destination_port = 0
        made.icmp_type, made.identifier = 8, port
    return made


def tracked(connections: Connections, datagram: Datagram):
    transit = Transit(datagram, "west", Path.FORWARD)
    connections.track(transit)
    return transit


def opened(connections: Connections, datagram: Datagram, source=None, destination=None, ports=None):
    """A new connection, translated and entered, and its packet as it leaves."""
    connection = tracked(connections, datagram).connection
    bind_destination(connections, connection, destination, None)
    bind_source(connections, connection, source, ports, Random("1"))
    for is_source in (False, True):
        rewrite(datagram, connection, is_reply=False, is_related=False, source=is_source)
    assert connections.confirm(connection)
    return connection


def answer_to(datagram: Datagram) -> Datagram:
    made = datagram.copy()
    made.source, made.destination = datagram.destination, datagram.source
    made.source_port, made.destination_port = datagram.destination_port, datagram.source_port
    if datagram.protocol == ICMP:
        made.icmp_type = 0
    made.tcp_flags = 18 if datagram.protocol == TCP else 0
    return made


translations = st.tuples(st.sampled_from((None, one(ROUTER))), st.sampled_from((None, one(OTHER))))


@given(st.sampled_from((UDP, TCP, ICMP, 47, 50)), st.sampled_from((1, 600, 4000)), translations)
def test_an_answer_is_put_back(protocol, port, how):
    connections = Connections(Engine())
    asked = question(protocol, port=port)
    before = asked.copy()
    connection = opened(connections, asked, *how)
    answer = answer_to(asked)
    transit = tracked(connections, answer)
    assert (transit.connection, transit.is_reply) == (connection, True)
    for source in (False, True):
        rewrite(answer, connection, is_reply=True, is_related=False, source=source)
    assert tuple_of(answer) == tuple_of(answer_to(before))


@given(st.sampled_from((UDP, TCP, ICMP)), translations, st.booleans(), st.sampled_from((28, 40, 200)))
def test_an_errors_quote_is_put_back_and_its_checksums_stay_right(protocol, how, on_the_wire, cut):
    connections = Connections(Engine())
    asked = question(protocol)
    before = asked.copy()
    opened(connections, asked, *how)
    told = error(asked, asked.destination, 3, 1)
    if on_the_wire:
        octets = encode(told)
        told = decode(octets)
        told.data = told.data[:cut]
        told.size = 28 + len(told.data)
        told.quoted = decode(told.data, checksums=False, whole=False)
    transit = tracked(connections, told)
    assert (transit.is_related, transit.is_reply) == (True, True)
    for source in (False, True):
        rewrite(told, transit.connection, is_reply=True, is_related=True, source=source)
    assert tuple_of(told.quoted) == tuple_of(before)
    assert (told.source, told.destination) == (before.destination, before.source)
    if cut >= before.size:
        inner = decode(encode(told)).data[: before.size]
        assert tuple_of(decode(inner)) == tuple_of(before)  # with checksums: they fit


def test_the_source_keeps_its_port_while_it_is_free():
    connections = Connections(Engine())
    first, second = question(), question(source=CLIENT + 1)
    opened(connections, first, one(ROUTER))
    opened(connections, second, one(ROUTER))
    assert first.source_port == 4000
    assert second.source_port != 4000
    assert 1024 <= second.source_port <= 65535


def test_the_same_client_keeps_its_mapping_for_other_servers():
    """find_appropriate_src: a peer-to-peer host is seen alike by all."""
    connections = Connections(Engine())
    opened(connections, question(source=CLIENT + 1), one(ROUTER), ports=(5000, 5003))
    first = question()
    opened(connections, first, one(ROUTER), ports=(5000, 5003))
    other = question()
    other.destination = OTHER
    opened(connections, other, one(ROUTER), ports=(5000, 5003))
    assert other.source_port == first.source_port


def test_a_full_range_gives_a_clash_that_shows_at_the_end():
    connections = Connections(Engine())
    opened(connections, question(), one(ROUTER), ports=(5000, 5000))
    late = question(source=CLIENT + 1)
    connection = tracked(connections, late).connection
    bind_source(connections, connection, one(ROUTER), (5000, 5000), Random("1"))
    assert not connections.confirm(connection)


def test_a_range_of_addresses_is_chosen_from_by_client_and_server():
    pool = AddressRange(IPV4, ROUTER, ROUTER + 7)

    def chosen(source: int, server: int, *, persistent: bool) -> int:
        connections = Connections(Engine())
        asked = question(source=source)
        asked.destination = server
        connection = tracked(connections, asked).connection
        bind_source(connections, connection, pool, None, Random("1"), persistent=persistent)
        return connection.reply.destination

    servers = range(SERVER, SERVER + 40)
    assert len({chosen(CLIENT, server, persistent=True) for server in servers}) == 1
    assert len({chosen(CLIENT, server, persistent=False) for server in servers}) > 4
    assert all(ROUTER <= chosen(CLIENT + n, SERVER, persistent=False) <= ROUTER + 7 for n in range(40))


def test_a_destination_whose_answers_are_taken_gets_the_lowest_free_port():
    connections = Connections(Engine())
    opened(connections, question(), destination=one(OTHER))
    direct = question()
    direct.destination = OTHER
    connection = tracked(connections, direct)
    assert connection.is_reply is False
    bind_destination(connections, connection.connection, one(OTHER), (60, 63))
    assert connection.connection.reply.source_port == 60


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 65535), st.integers(0, 65535))
def test_a_tuple_inverted_twice_is_itself(source, destination, source_port, destination_port):
    for protocol in (TCP, UDP, 47):
        tuple_ = Tuple(IPV4, protocol, source, destination, source_port, destination_port)
        assert tuple_.inverted().inverted() == tuple_
