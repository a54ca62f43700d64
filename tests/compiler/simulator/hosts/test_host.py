"""Hosts on links: what they take, how they send, what they do when links and power go."""

from __future__ import annotations

import pytest

from compiler.policy.network import InterfaceAddress
from compiler.simulator.engine import MILLISECOND, SECOND, Engine
from compiler.simulator.frame import ArpMessage, Datagram
from compiler.simulator.hosts.host import Host
from compiler.simulator.link import Link, Wire
from compiler.simulator.sockets import EchoAnswer, Endpoint, Failure, FailureKind
from tests.compiler.simulator.hosts.network import CLIENT, SERVER, SERVER6, V4, V6, Log, Pair
from tests.compiler.simulator.hosts.test_udp_echo import Mailbox


@pytest.mark.parametrize(("family", "server"), [(V4, SERVER), (V6, SERVER6)])
def test_neighbours_are_found(family: object, server: int) -> None:
    pair = Pair(neighbours=None)
    answers: list[EchoAnswer] = []
    pair.client.sockets.echo(family, server, answers.append)  # type: ignore[arg-type]
    pair.engine.run(SECOND)
    assert answers == [EchoAnswer(server, None)]


def test_what_is_not_for_the_host_is_dropped_and_counted() -> None:
    pair = Pair()
    server = pair.server.interfaces["eth0"].port
    wrong_address = Datagram(V4, CLIENT, 0x0A000063, 17, 28)
    wrong_address.link_destination = server.link_address
    wrong_frame = Datagram(V4, CLIENT, SERVER, 17, 28)
    wrong_frame.link_destination = 0x42
    for one in (wrong_address, wrong_frame):
        pair.client.interfaces["eth0"].port.send(one)
    pair.engine.run()
    assert pair.server.drops == {"not for this host": 1, "another's frame": 1}
    assert not any(side == "right" for _, side, _ in pair.between.seen)


def test_listeners_see_what_arrives_whole() -> None:
    pair = Pair()
    seen: list[tuple[int, int]] = []
    pair.server.on_datagram(lambda time, datagram: seen.append((time, datagram.size)))
    pair.server.sockets.udp(9, Mailbox())
    pair.client.sockets.udp(0, Mailbox()).send(Endpoint(V4, SERVER, 9), None, 4_000)
    pair.engine.run()
    assert seen == [(MILLISECOND, 4_028)]


def test_a_source_that_is_not_its_own_may_be_sent_raw() -> None:
    pair = Pair()
    box = Mailbox()
    pair.server.sockets.udp(9, box)
    pair.client.send_raw(Datagram(V4, 0x01020304, SERVER, 17, 33, 5, 9, data=b"forge"))
    pair.engine.run()
    assert box.got == [(Endpoint(V4, 0x01020304, 5), b"forge", 5)]


def test_what_is_too_big_is_told_to_the_sender_itself() -> None:
    pair = Pair()
    large = Datagram(V4, CLIENT, SERVER, 17, 2_000, 5, 9)
    large.dont_fragment = True
    pair.client.send_raw(large)
    pair.engine.run()
    assert pair.client.drops == {"too big": 1}
    assert pair.client.sockets.path_mtu(V4, SERVER) == 1500
    assert pair.between.seen == []


def test_a_smaller_interface_makes_smaller_segments() -> None:
    pair = Pair(mtu=1000)
    server = Log(pair.engine)
    pair.server.sockets.listen(80, lambda _: server)
    pair.connect(Log(pair.engine, connected=lambda stream: stream.send_zeros(10_000)))
    pair.engine.run(SECOND)
    assert server.octets == 10_000
    assert max(one.size for _, _, one in pair.between.seen) == 1000


def test_fragments_that_stay_incomplete_are_told_of() -> None:
    """RFC 792: time exceeded, code 1, thirty seconds later."""
    pair = Pair(lambda one: [] if one.fragment_offset else [(0, one)])
    box = Mailbox()
    pair.client.sockets.udp(7, box).send(Endpoint(V4, SERVER, 9), None, 4_000)
    pair.engine.run()
    assert pair.server.drops == {"reassembly timed out": 1}
    assert box.failures == [(Endpoint(V4, SERVER, 9), Failure(FailureKind.TIME_EXCEEDED, SERVER, 11, 1))]
    assert pair.between.seen[-1][0] == 30 * SECOND + MILLISECOND


def network() -> tuple[Engine, Host, Host, Host]:
    """left (10.0.0.1/24) - middle (10.0.0.2/24, 10.0.1.2/25, a host) - right (10.0.1.1/24)"""
    engine = Engine()
    left, middle, right = (Host(engine, name, "seed") for name in ("left", "middle", "right"))
    first = left.add_interface("a", (InterfaceAddress(V4, 0x0A000001, 24),))
    second = middle.add_interface("a", (InterfaceAddress(V4, 0x0A000002, 24),))
    third = middle.add_interface("b", (InterfaceAddress(V4, 0x0A000102, 25),))
    fourth = right.add_interface("a", (InterfaceAddress(V4, 0x0A000101, 24),))
    Link(engine, "one", (first, second), (Wire(), Wire()), "seed")
    Link(engine, "two", (third, fourth), (Wire(), Wire()), "seed")
    return engine, left, middle, right


def answers_to(engine: Engine, host: Host, address: int) -> list[EchoAnswer]:
    heard: list[EchoAnswer] = []
    host.sockets.echo(V4, address, heard.append)
    engine.run(engine.now + 10 * SECOND)
    return heard


def test_each_network_has_its_interface_and_the_gateway_the_rest() -> None:
    engine, left, middle, _ = network()
    assert answers_to(engine, middle, 0x0A000001) == [EchoAnswer(0x0A000001, None)]
    assert answers_to(engine, middle, 0x0A000101) == [EchoAnswer(0x0A000101, None)]
    assert answers_to(engine, left, 0x0A000101) == [EchoAnswer(0, Failure(FailureKind.NO_ROUTE))]
    left.set_gateway(V4, 0x0A000002)
    # The weak host model: any of its addresses, at any of its ports. But it forwards nothing.
    assert answers_to(engine, left, 0x0A000102) == [EchoAnswer(0x0A000102, None)]
    assert answers_to(engine, left, 0x0A000101) == []
    assert middle.drops == {"not for this host": 1}
    left.set_gateway(V4, None)
    assert answers_to(engine, left, 0x0A000101) == [EchoAnswer(0, Failure(FailureKind.NO_ROUTE))]


def test_addresses_can_change() -> None:
    engine, left, middle, _ = network()
    assert middle.sockets.addresses() == ((V4, 0x0A000002), (V4, 0x0A000102))
    middle.set_addresses("a", (InterfaceAddress(V4, 0x0A000003, 24),))
    assert answers_to(engine, left, 0x0A000003) == [EchoAnswer(0x0A000003, None)]
    (gone,) = answers_to(engine, left, 0x0A000002)
    assert gone.failure == Failure(FailureKind.UNREACHABLE, 0x0A000001, 3, 1)
    with pytest.raises(ValueError, match="has an interface a already"):
        middle.add_interface("a")


def test_a_broken_link_stops_a_transfer_for_as_long_as_it_is_broken() -> None:
    pair = Pair(neighbours=None)
    server = Log(pair.engine)
    pair.server.sockets.listen(80, lambda _: server)
    client = Log(pair.engine, connected=lambda stream: stream.send_zeros(4_000_000))
    pair.near.forward.set_wire(Wire(rate=20_000_000, delay=MILLISECOND))
    pair.connect(client)
    pair.engine.run(SECOND)
    pair.near.set_up(False)
    before = server.octets
    pair.engine.run(4 * SECOND)
    assert server.octets == before < 4_000_000
    pair.near.set_up(True)
    pair.engine.run(20 * SECOND)
    assert server.octets == 4_000_000
    assert client.events == ["connected", "drained"]


def test_a_shut_host_is_silent_and_goes_on_when_it_starts() -> None:
    pair = Pair(neighbours=None)
    server = Log(pair.engine)
    pair.server.sockets.listen(80, lambda _: server)
    client = Log(pair.engine)
    stream = pair.connect(client)
    pair.engine.run(SECOND)
    pair.server.shut()
    stream.send(b"hello")
    assert answers_to(pair.engine, pair.client, SERVER) == []
    assert server.octets == 0
    pair.server.start()
    pair.engine.run(60 * SECOND)
    assert server.data == b"hello"
    assert client.failure is None


def test_a_host_without_power_forgets_its_connections() -> None:
    pair = Pair(neighbours=None)
    server = Log(pair.engine)
    pair.server.sockets.listen(80, lambda _: server)
    client = Log(pair.engine)
    stream = pair.connect(client)
    pair.engine.run(SECOND)
    pair.server.shut(forget=True)
    assert server.failure == Failure(FailureKind.CLOSED)
    pair.server.start()
    stream.send(b"hello")
    pair.engine.run(60 * SECOND)
    assert client.failure == Failure(FailureKind.RESET)
    again = Log(pair.engine)
    pair.connect(again)
    pair.engine.run(61 * SECOND)
    assert again.events == ["connected"]


def test_a_start_is_announced() -> None:
    pair = Pair(neighbours=None)
    frames: list[object] = []
    pair.near.forward.tap(lambda _, frame: frames.append(frame))
    pair.client.shut()
    pair.client.start()
    assert any(isinstance(one, ArpMessage) and one.sender == one.target == CLIENT for one in frames)
