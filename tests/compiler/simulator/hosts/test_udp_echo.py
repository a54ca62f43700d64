"""UDP and ICMP echo between hosts, with the errors that may come back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.frame import BROADCAST, Datagram
from compiler.simulator.sockets import EchoAnswer, Endpoint, Failure, FailureKind, UdpSocket
from tests.compiler.simulator.hosts.network import CLIENT, CLIENT6, SERVER, SERVER6, V4, V6, Pair

ENDS = {V4: (CLIENT, SERVER), V6: (CLIENT6, SERVER6)}


class Mailbox:
    """Remembers datagrams and failures; answers when told to."""

    def __init__(self, answers: bool = False) -> None:
        self.answers = answers
        self.got: list[tuple[Endpoint, bytes | None, int]] = []
        self.failures: list[tuple[Endpoint, Failure]] = []

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        self.got.append((remote, data, octets))
        if self.answers:
            socket.send(remote, data, octets)

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        self.failures.append((remote, failure))


@settings(max_examples=30)
@given(
    family=st.sampled_from((V4, V6)),
    payload=st.one_of(st.binary(max_size=4_000), st.integers(0, 65_000)),
)
def test_datagrams_there_and_back(family: object, payload: bytes | int) -> None:
    """Large ones are cut and put together again."""
    pair = Pair()
    client, server = Mailbox(), Mailbox(answers=True)
    socket = pair.client.sockets.udp(0, client)
    pair.server.sockets.udp(53, server)
    remote = Endpoint(family, ENDS[family][1], 53)  # type: ignore[arg-type, index]
    data, octets = (payload, len(payload)) if isinstance(payload, bytes) else (None, payload)
    socket.send(remote, data, octets)
    pair.engine.run()
    ((seen_from, _, count),) = server.got
    assert seen_from == Endpoint(family, ENDS[family][0], socket.port)  # type: ignore[arg-type, index]
    assert count == octets
    ((back_from, came, count),) = client.got
    assert back_from == remote
    assert count == octets
    assert came is None or came == (data or bytes(octets))
    assert all(one.size <= 1500 for _, _, one in pair.between.seen)


@pytest.mark.parametrize(("family", "code"), [(V4, (3, 3)), (V6, (1, 4))])
def test_a_closed_port_is_unreachable(family: object, code: tuple[int, int]) -> None:
    pair = Pair()
    box = Mailbox()
    remote = Endpoint(family, ENDS[family][1], 53)  # type: ignore[arg-type, index]
    pair.client.sockets.udp(0, box).send(remote, b"question")
    pair.engine.run()
    assert box.failures == [(remote, Failure(FailureKind.REFUSED, remote.address, *code))]


def test_no_route_is_told_later() -> None:
    pair = Pair()
    box = Mailbox()
    remote = Endpoint(V4, 0x08080808, 53)
    pair.client.sockets.udp(0, box).send(remote, b"question")
    assert box.failures == []
    pair.engine.run()
    assert box.failures == [(remote, Failure(FailureKind.NO_ROUTE))]


def test_ports_are_exclusive_until_they_are_closed() -> None:
    sockets = Pair().client.sockets
    socket = sockets.udp(53, Mailbox())
    with pytest.raises(ValueError, match="UDP port 53 is taken"):
        sockets.udp(53, Mailbox())
    socket.close()
    with pytest.raises(ValueError, match="closed"):
        socket.send(Endpoint(V4, SERVER, 1), b"")
    sockets.udp(53, Mailbox())
    assert sockets.udp(0, Mailbox()).port != sockets.udp(0, Mailbox()).port


def test_too_much_for_one_datagram() -> None:
    socket = Pair().client.sockets.udp(0, Mailbox())
    with pytest.raises(ValueError, match="65508 octets"):
        socket.send(Endpoint(V4, SERVER, 1), None, 65_508)
    with pytest.raises(ValueError, match="-1 octets"):
        socket.send(Endpoint(V4, SERVER, 1), None, -1)


def test_a_broadcast_reaches_the_port_and_is_never_answered_with_an_error() -> None:
    pair = Pair()
    box = Mailbox()
    pair.server.sockets.udp(67, box)
    for address in (0xFFFFFFFF, 0x0A0000FF):
        pair.client.send_raw(Datagram(V4, CLIENT, address, 17, 31, 68, 67, data=b"who"))
        pair.client.send_raw(Datagram(V4, CLIENT, address, 17, 34, 68, 99, data=b"nobody"))
    pair.engine.run()
    assert [data for _, data, _ in box.got] == [b"who"] * 2
    assert {one.link_destination for _, _, one in pair.between.seen} == {BROADCAST}
    assert all(side == "left" for _, side, _ in pair.between.seen)


@pytest.mark.parametrize("family", [V4, V6])
@pytest.mark.parametrize("octets", [0, 56, 5_000])
def test_echo(family: object, octets: int) -> None:
    pair = Pair()
    answers: list[EchoAnswer] = []
    server = ENDS[family][1]  # type: ignore[index]
    pair.client.sockets.echo(family, server, answers.append, octets=octets, identifier=7, sequence=9)  # type: ignore[arg-type]
    pair.engine.run()
    assert answers == [EchoAnswer(server, None)]
    first, *_, last = [one for _, _, one in pair.between.seen]
    assert (first.identifier, first.rest, first.ttl) == (7, 9, 64)
    assert first.icmp_type == (8 if family is V4 else 128)
    assert last.source == server


def test_the_payload_of_an_echo_comes_back() -> None:
    pair = Pair()
    request = Datagram(V4, CLIENT, SERVER, 1, 33, icmp_type=8, data=b"hello", ttl=9)
    request.identifier, request.rest, request.traffic_class = 1, 2, 0xB8
    pair.client.send_raw(request)
    pair.engine.run()
    reply = pair.between.seen[1][2]
    assert (reply.icmp_type, reply.icmp_code, reply.data, reply.size) == (0, 0, b"hello", 33)
    assert (reply.identifier, reply.rest, reply.ttl, reply.traffic_class) == (1, 2, 64, 0xB8)


def test_answers_are_heard_until_cancelled() -> None:
    pair = Pair(
        lambda one: [(0, one), (MILLISECOND, one.copy()), (SECOND, one.copy())] if one.source == SERVER else [(0, one)]
    )
    answers: list[EchoAnswer] = []
    cancel = pair.client.sockets.echo(V4, SERVER, answers.append)
    pair.engine.after(SECOND // 2, lambda _: cancel())
    pair.engine.run()
    assert len(answers) == 2
    cancel()
    assert not pair.client.sockets._echoes._questions


def test_echo_without_a_route() -> None:
    pair = Pair()
    answers: list[EchoAnswer] = []
    pair.client.sockets.echo(V4, 0x08080808, answers.append)
    pair.engine.run()
    assert answers == [EchoAnswer(0, Failure(FailureKind.NO_ROUTE))]


def test_a_broadcast_echo_is_not_answered() -> None:
    pair = Pair()
    pair.client.send_raw(Datagram(V4, CLIENT, 0x0A0000FF, 1, 84, icmp_type=8))
    pair.engine.run()
    assert [(side, one.destination) for _, side, one in pair.between.seen] == [("left", 0x0A0000FF)]


def test_timers_can_be_called_off() -> None:
    pair = Pair()
    rung: list[int] = []
    sockets = pair.client.sockets
    sockets.after(SECOND, lambda: rung.append(sockets.now()))
    cancel = sockets.after(2 * SECOND, lambda: rung.append(sockets.now()))
    cancel()
    pair.engine.run()
    cancel()
    assert rung == [SECOND]
