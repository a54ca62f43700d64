"""What a host does that has been told of a narrower path, and a port that is used again."""

from __future__ import annotations

import pytest

from compiler.fields import Family
from compiler.simulator.engine import SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.icmp import FRAGMENTATION_NEEDED, PACKET_TOO_BIG, UNREACHABLE, error
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.sockets import EchoAnswer, Endpoint, Failure, FailureKind
from tests.compiler.simulator.hosts.network import SERVER, SERVER6, V4, V6, Log, Pair

MTU = 1400
TOO_BIG = {V4: (UNREACHABLE, FRAGMENTATION_NEEDED), V6: (PACKET_TOO_BIG, 0)}
TARGET = {V4: SERVER, V6: SERVER6}


def narrow(pair: Pair, mtu: int = MTU) -> None:
    """The way to the right takes so many octets; what may not be cut is told of."""

    def judge(datagram: Datagram) -> list[tuple[int, Datagram]]:
        cannot_be_cut = datagram.dont_fragment or datagram.family is V6
        if datagram.destination != TARGET[datagram.family] or datagram.size <= mtu or not cannot_be_cut:
            return [(0, datagram)]
        told = error(datagram, TARGET[datagram.family] + 1, *TOO_BIG[datagram.family], mtu)
        if told is not None:
            told.link_destination = datagram.link_source
            pair.engine.after(0, pair.between.left.send, told)
        return []

    pair.between.judge = judge


def sizes(pair: Pair, family: Family) -> list[int]:
    """Sizes of what came from the client, in order."""
    return [frame.size for _, port, frame in pair.between.seen if port == "left" and frame.family is family]


@pytest.mark.parametrize("family", [V4, V6])
def test_echoes_are_told_and_then_cut_to_the_path(family: Family) -> None:
    pair = Pair()
    narrow(pair)
    heard: list[EchoAnswer] = []
    for sequence in (1, 2):
        pair.client.sockets.echo(family, TARGET[family], heard.append, octets=1430, sequence=sequence)
        pair.engine.run(pair.engine.now + SECOND)
    kind, code = TOO_BIG[family]
    failed, answered = heard
    assert failed == EchoAnswer(TARGET[family] + 1, Failure(FailureKind.UNREACHABLE, TARGET[family] + 1, kind, code))
    assert answered == EchoAnswer(TARGET[family], None)
    first, *pieces = sizes(pair, family)
    assert first > MTU
    assert len(pieces) == 2
    assert max(pieces) <= MTU


@pytest.mark.parametrize("family", [V4, V6])
def test_datagrams_are_cut_to_the_path_once_it_is_known(family: Family) -> None:
    pair = Pair()
    narrow(pair)
    got: list[int] = []
    failures: list[Failure] = []

    class Sink:
        def received(self, _socket: object, _remote: Endpoint, _data: bytes | None, octets: int) -> None:
            got.append(octets)

        def failed(self, _socket: object, _remote: Endpoint, failure: Failure) -> None:
            failures.append(failure)

    pair.server.sockets.udp(9, Sink())
    sending = pair.client.sockets.udp(0, Sink())
    for octets in (1430, 1430, 5000):
        sending.send(Endpoint(family, TARGET[family], 9), None, octets)
        pair.engine.run(pair.engine.now + SECOND)
    assert got == [1430, 5000]
    assert [(failure.icmp_type, failure.icmp_code) for failure in failures] == [TOO_BIG[family]]
    assert max(sizes(pair, family)[1:]) <= MTU


@pytest.mark.parametrize(("timestamps", "events"), [(True, ["connected", "finished", "closed"]), (False, ["failed"])])
def test_a_port_that_is_named_again_need_not_wait(timestamps: bool, events: list[str]) -> None:
    """Timestamps tell old segments from new ones; without them it stays in use for a minute."""
    pair = Pair(parameters=TcpParameters(timestamps=timestamps))
    pair.server.sockets.listen(80, lambda _: Log(pair.engine, finished=lambda stream: stream.close()))
    first = Log(pair.engine)
    stream = pair.connect(first, local_port=40_000)
    pair.engine.run(SECOND)
    stream.close()
    pair.engine.run(2 * SECOND)
    assert first.events[-1] == "closed"
    second = Log(pair.engine, connected=lambda stream: stream.close())
    pair.connect(second, local_port=40_000)
    pair.engine.run(3 * SECOND)
    assert second.events == events
    assert second.failure == (None if timestamps else Failure(FailureKind.PORT_IN_USE))


@pytest.mark.parametrize("timestamps", [True, False])
@pytest.mark.parametrize("mtu", [68, 400])
def test_tcp_lets_itself_be_cut_where_the_path_is_narrower_than_is_believed(mtu: int, timestamps: bool) -> None:
    """Linux believes no less than 552 (min_pmtu), and then sends without DF."""
    pair = Pair(parameters=TcpParameters(timestamps=timestamps))
    narrow(pair, mtu)
    got = Log(pair.engine, finished=lambda stream: stream.close())
    pair.server.sockets.listen(80, lambda _: got)
    for _ in range(2):
        log = Log(pair.engine, connected=lambda stream: (stream.send_zeros(10_000), stream.close()))
        pair.connect(log)
        pair.engine.run(pair.engine.now + 5 * SECOND)
        assert log.events == ["connected", "drained", "finished", "closed"]
    assert got.octets == 20_000
    sent = [one for _, side, one in pair.between.seen if side == "left"]
    cut = [one for one in sent if not one.dont_fragment]
    assert max(one.size for one in cut) == 552
    assert all(one.size > mtu for one in sent if one.dont_fragment and one.size > 60)
    assert sum(one.size > mtu for one in sent if one.dont_fragment) <= 10  # the first window


@pytest.mark.parametrize("timestamps", [True, False])
def test_tcp_over_an_interface_of_the_least_mtu(timestamps: bool) -> None:
    """Segments have room for 48 octets (tcp_min_snd_mss), and leave in pieces."""
    pair = Pair(parameters=TcpParameters(timestamps=timestamps), mtu=68)
    got = Log(pair.engine, finished=lambda stream: stream.close())
    pair.server.sockets.listen(80, lambda _: got)
    log = Log(pair.engine, connected=lambda stream: (stream.send_zeros(2_000), stream.close()))
    pair.connect(log)
    pair.engine.run(5 * SECOND)
    assert (log.events[-1], got.octets) == ("closed", 2_000)
    assert max(sizes(pair, V4)) <= 68


def test_echoes_let_themselves_be_cut_there_too() -> None:
    pair = Pair()
    narrow(pair, 400)
    answers: list[EchoAnswer] = []
    for sequence in (1, 2):
        pair.client.sockets.echo(V4, SERVER, answers.append, octets=500, sequence=sequence)
        pair.engine.run(pair.engine.now + SECOND)
    assert [answer.failure is None for answer in answers] == [False, True]
    assert [one.dont_fragment for _, side, one in pair.between.seen if side == "left"] == [True, False]


def test_a_lower_mtu_is_forgotten_after_ten_minutes() -> None:
    pair = Pair()
    narrow(pair, 400)
    sockets = pair.client.sockets
    sockets.echo(V4, SERVER, lambda _: None, octets=1_000)
    pair.engine.run(599 * SECOND)
    assert (sockets.path_mtu(V4, SERVER), sockets.may_be_cut(V4, SERVER)) == (552, True)
    pair.engine.run(601 * SECOND)
    assert (sockets.path_mtu(V4, SERVER), sockets.may_be_cut(V4, SERVER)) == (1500, False)
