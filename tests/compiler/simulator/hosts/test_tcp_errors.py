"""What TCP makes of ICMP errors, of silence, and of paths that take less than was thought."""

from __future__ import annotations

from itertools import pairwise

import pytest

from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.icmp import error
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.sockets import Endpoint, Failure, FailureKind
from tests.compiler.simulator.hosts.network import CLIENT, V4, V6, Log, Pair

ROUTER = {V4: 0x0A0000FE, V6: 0xFD << 120 | 0xFE}
SYN, ACK = 0x02, 0x10


def answering(pair: Pair, kind: int, code: int, rest: int = 0, when: object = None) -> None:
    """The network answers the client's datagrams with an ICMP error and drops them."""

    def judge(datagram: Datagram) -> list[tuple[int, Datagram]]:
        if datagram.source_port == 80 or (when is not None and not when(datagram)):  # type: ignore[operator]
            return [(0, datagram)]
        made = error(datagram, ROUTER[datagram.family], kind, code, rest)
        if made is not None:
            made.link_destination = pair.client.interfaces["eth0"].port.link_address
            assert pair.between.left.direction is not None
            pair.between.left.direction.send(made)
        return []

    pair.between.judge = judge


@pytest.mark.parametrize(
    ("family", "kind", "code", "failure"),
    [
        (V4, 3, 0, FailureKind.UNREACHABLE),
        (V4, 3, 1, FailureKind.UNREACHABLE),
        (V4, 3, 2, FailureKind.UNREACHABLE),
        (V4, 3, 3, FailureKind.REFUSED),
        (V4, 3, 9, FailureKind.PROHIBITED),
        (V4, 3, 10, FailureKind.PROHIBITED),
        (V4, 3, 13, FailureKind.PROHIBITED),
        (V4, 11, 0, FailureKind.TIME_EXCEEDED),
        (V4, 12, 0, FailureKind.UNREACHABLE),
        (V6, 1, 0, FailureKind.UNREACHABLE),
        (V6, 1, 1, FailureKind.PROHIBITED),
        (V6, 1, 3, FailureKind.UNREACHABLE),
        (V6, 1, 4, FailureKind.REFUSED),
        (V6, 1, 5, FailureKind.PROHIBITED),
        (V6, 3, 0, FailureKind.TIME_EXCEEDED),
    ],
)
def test_an_error_about_the_syn_ends_the_attempt(family: object, kind: int, code: int, failure: FailureKind) -> None:
    """``tcp_v4_err``: in SYN-SENT every error counts at once."""
    pair = Pair()
    answering(pair, kind, code)
    log = Log(pair.engine)
    pair.connect(log, family=family)  # type: ignore[arg-type]
    pair.engine.run()
    assert log.failure == Failure(failure, ROUTER[family], kind, code)  # type: ignore[index]
    assert log.times[0] < 10 * MILLISECOND


def test_an_error_that_quotes_another_sequence_number_is_not_believed() -> None:
    pair = Pair()
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))

    def judge(datagram: Datagram) -> list[tuple[int, Datagram]]:
        if datagram.tcp_flags != SYN:
            return [(0, datagram)]
        forged = datagram.copy()
        forged.sequence ^= 1
        made = error(forged, ROUTER[V4], 3, 13)
        assert made is not None
        made.link_destination = pair.client.interfaces["eth0"].port.link_address
        pair.between.left.direction.send(made)  # type: ignore[union-attr]
        return [(0, datagram)]

    pair.between.judge = judge
    log = Log(pair.engine)
    pair.connect(log)
    pair.engine.run(SECOND)
    assert log.events == ["connected"]


def test_an_open_connection_outlives_errors_and_tells_of_them_when_it_breaks() -> None:
    pair = Pair()
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    log = Log(pair.engine)
    stream = pair.connect(log)
    pair.engine.run(SECOND)
    answering(pair, 3, 1)
    stream.send(b"lost")
    pair.engine.run(10 * SECOND)
    assert log.events == ["connected"]
    pair.engine.run(2_000 * SECOND)
    assert log.failure == Failure(FailureKind.UNREACHABLE, ROUTER[V4], 3, 1)
    # 924.6 s after the first timeout, at the next one (tcp_retries2 = 15).
    assert 924 * SECOND < log.times[-1] < 1_050 * SECOND


def test_silence_after_the_syn() -> None:
    """Linux 6.5 and later: pauses of 1, 1, 1, 1, 1, 2, 4 … s; the end comes after 131 s."""
    pair = Pair(lambda _: [])
    log = Log(pair.engine)
    pair.connect(log)
    pair.engine.run()
    sent = [time - MILLISECOND for time, _, _ in pair.between.seen]
    assert [round(time / SECOND) for time in sent] == [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert log.failure == Failure(FailureKind.TIMED_OUT)
    assert log.times == [131 * SECOND]


def test_patience_is_a_parameter() -> None:
    pair = Pair(lambda _: [], parameters=TcpParameters(syn_retries=3, syn_linear_timeouts=0))
    log = Log(pair.engine)
    pair.connect(log)
    pair.engine.run()
    assert [round(time / SECOND) for time, _, _ in pair.between.seen] == [0, 1, 3, 7]
    assert log.times == [15 * SECOND]


def test_a_server_gives_up_what_is_never_completed() -> None:
    pair = Pair()
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    syn = Datagram(V4, CLIENT, 0x0A000002, 6, 40, 1234, 80, SYN)
    pair.between.judge = lambda one: [] if one.source_port == 80 else [(0, one)]
    pair.client.send_raw(syn)
    pair.engine.run(62 * SECOND)
    assert len(pair.server.sockets._tcp.connections) == 1
    pair.engine.run()
    assert not pair.server.sockets._tcp.connections
    assert pair.flags() == [("left", SYN)] + [("right", SYN | ACK)] * 6


def test_retransmissions_back_off() -> None:
    pair = Pair(parameters=TcpParameters(tail_loss_probe=False))
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    stream = pair.connect(Log(pair.engine))
    pair.engine.run(SECOND)
    pair.between.judge = lambda _: []
    seen = len(pair.between.seen)
    stream.send(b"x")
    pair.engine.run(30 * SECOND)
    times = [time for time, _, _ in pair.between.seen[seen:]]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert 200 * MILLISECOND <= pauses[0] <= 210 * MILLISECOND
    assert all(later == 2 * earlier for earlier, later in pairwise(pauses))
    assert len(pauses) >= 6


@pytest.mark.parametrize(("family", "kind", "code", "mtu"), [(V4, 3, 4, 1000), (V6, 2, 0, 1300)])
def test_a_smaller_path_lowers_the_segments(family: object, kind: int, code: int, mtu: int) -> None:
    pair = Pair()
    answering(pair, kind, code, mtu, when=lambda one: one.size > mtu)
    server = Log(pair.engine)
    pair.server.sockets.listen(80, lambda _: server)
    data = bytes(range(250)) * 200
    client = Log(pair.engine, connected=lambda stream: stream.send(data))
    stream = pair.connect(client, family=family)  # type: ignore[arg-type]
    pair.engine.run(5 * SECOND)
    assert bytes(server.data) == data
    late = [one.size for time, side, one in pair.between.seen if side == "left" and time > 4 * MILLISECOND]
    assert max(late) == mtu
    assert stream.sender.timeouts == 0  # type: ignore[attr-defined]
    # The next connection knows from the start.
    seen = len(pair.between.seen)
    pair.connect(client, family=family)  # type: ignore[arg-type]
    pair.engine.run(10 * SECOND)
    assert max(one.size for _, _, one in pair.between.seen[seen:]) == mtu


def test_no_route_is_told_after_the_call() -> None:
    pair = Pair()
    log = Log(pair.engine)
    pair.client.sockets.connect(Endpoint(V4, 0x08080808, 80), log)
    assert log.events == []
    pair.engine.run()
    assert log.failure == Failure(FailureKind.NO_ROUTE)


def test_a_neighbour_that_does_not_answer_is_unreachable() -> None:
    pair = Pair(neighbours=None)
    log = Log(pair.engine)
    pair.client.sockets.connect(Endpoint(V4, 0x0A000063, 80), log)
    pair.engine.run(10 * SECOND)
    assert log.failure == Failure(FailureKind.UNREACHABLE, CLIENT, 3, 1)
    assert log.times == [3 * SECOND]
