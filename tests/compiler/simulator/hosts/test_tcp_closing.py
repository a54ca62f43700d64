"""How connections end, and what answers segments that belong to none."""

from __future__ import annotations

import pytest

from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.tcp import Connection
from compiler.simulator.hosts.tcp_state import State
from compiler.simulator.hosts.time_wait import TimeWait
from compiler.simulator.sockets import Endpoint, Failure, FailureKind, Stream
from tests.compiler.simulator.hosts.network import CLIENT, SERVER, V4, V6, Log, Pair

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10


def served(pair: Pair, **reactions: object) -> Log:
    log = Log(pair.engine, **reactions)  # type: ignore[arg-type]
    pair.server.sockets.listen(80, lambda _: log)
    return log


def state(stream: Stream | None) -> State:
    assert isinstance(stream, Connection)
    return stream.state


@pytest.mark.parametrize("family", [V4, V6])
def test_a_closed_port_refuses(family: object) -> None:
    pair = Pair()
    log = Log(pair.engine)
    pair.connect(log, family=family)  # type: ignore[arg-type]
    pair.engine.run()
    assert log.events == ["failed"]
    assert log.failure == Failure(FailureKind.REFUSED)
    assert pair.flags() == [("left", SYN), ("right", RST | ACK)]


def test_half_close_leaves_the_other_way_open() -> None:
    pair = Pair()
    server = served(pair)
    client = Log(pair.engine, connected=lambda stream: (stream.send(b"request"), stream.close()))
    stream = pair.connect(client)
    pair.engine.run(SECOND)
    assert server.events == ["connected", "received", "finished"]
    assert state(stream) is State.FIN_WAIT_2
    assert state(server.stream) is State.CLOSE_WAIT
    assert server.stream is not None
    server.stream.send_zeros(100_000)
    pair.engine.run(2 * SECOND)
    assert client.octets == 100_000
    server.stream.close()
    pair.engine.run(3 * SECOND)
    assert client.events == ["connected", "drained", "received", "finished", "closed"]
    assert server.events[-1] == "closed"


def test_the_first_to_close_waits_a_minute() -> None:
    pair = Pair()
    served(pair, finished=lambda stream: stream.close())
    client = Log(pair.engine, connected=lambda stream: stream.close())
    pair.connect(client)
    pair.engine.run(SECOND)
    assert client.events == ["connected", "finished", "closed"]
    (record,) = pair.client.sockets._tcp.connections.values()
    assert isinstance(record, TimeWait)
    assert not pair.server.sockets._tcp.connections
    pair.engine.run(59 * SECOND)
    assert pair.client.sockets._tcp.connections
    pair.engine.run(62 * SECOND)
    assert not pair.client.sockets._tcp.connections


def test_both_may_close_at_once() -> None:
    pair = Pair()
    server = served(pair)
    client = Log(pair.engine)
    pair.connect(client)
    pair.engine.run(SECOND)
    for log in (client, server):
        assert log.stream is not None
        log.stream.close()
    pair.engine.run(SECOND + MILLISECOND // 2)
    assert state(client.stream) is State.FIN_WAIT_1
    pair.engine.run(2 * SECOND)
    assert client.events[-1] == server.events[-1] == "closed"
    for host in (pair.client, pair.server):
        assert isinstance(*host.sockets._tcp.connections.values(), TimeWait)


def test_a_lost_last_acknowledgement_is_sent_again_from_time_wait() -> None:
    pair = Pair()
    dropped = []

    def judge(datagram: Datagram) -> list[tuple[int, Datagram]]:
        if (
            datagram.source == CLIENT
            and dropped == []
            and server.stream is not None
            and state(server.stream) is State.LAST_ACK
        ):
            dropped.append(datagram)
            return []
        return [(0, datagram)]

    pair.between.judge = judge
    server = served(pair, finished=lambda stream: stream.close())
    client = Log(pair.engine, connected=lambda stream: stream.close())
    pair.connect(client)
    pair.engine.run(10 * SECOND)
    assert dropped
    assert client.events[-1] == server.events[-1] == "closed"
    assert pair.flags().count(("right", FIN | ACK)) == 2


def test_a_new_connection_may_take_the_place_of_an_old_one() -> None:
    """The server waits; the client's next SYN between the same ports begins anew."""
    pair = Pair()
    logs: list[Log] = []

    def accept(_: Stream) -> Log:
        logs.append(Log(pair.engine, connected=lambda stream: stream.close()))
        return logs[-1]

    pair.server.sockets.listen(80, accept)
    first = Log(pair.engine, finished=lambda stream: stream.close())
    pair.connect(first, local_port=40_000)
    pair.engine.run(SECOND)
    assert first.events[-1] == "closed"
    assert isinstance(*pair.server.sockets._tcp.connections.values(), TimeWait)
    expected = next(iter(pair.server.sockets._tcp.connections.values()))._expected  # type: ignore[union-attr]
    pair.client.sockets.random.getrandbits = lambda bits: expected + 1_000 >> (32 - bits)  # type: ignore[method-assign]
    second = Log(pair.engine, finished=lambda stream: stream.close())
    pair.connect(second, local_port=40_000)
    pair.engine.run(2 * SECOND)
    assert second.events == ["connected", "finished", "closed"]
    assert len(logs) == 2


def test_a_port_that_is_in_use_is_not_used_twice() -> None:
    pair = Pair()
    served(pair)
    pair.connect(Log(pair.engine), local_port=40_000)
    second = Log(pair.engine)
    pair.connect(second, local_port=40_000)
    assert second.events == []
    pair.engine.run(SECOND)
    assert second.failure == Failure(FailureKind.PORT_IN_USE)
    assert pair.flags().count(("left", SYN)) == 1


def test_abort_resets_the_other_side_and_says_nothing_here() -> None:
    pair = Pair()
    server = served(pair)
    client = Log(pair.engine)
    stream = pair.connect(client)
    pair.engine.run(SECOND)
    stream.abort()
    stream.send(b"too late")
    pair.engine.run()
    assert client.events == ["connected"]
    assert server.events == ["connected", "failed"]
    assert server.failure == Failure(FailureKind.RESET)
    assert pair.flags()[-1] == ("left", RST | ACK)


def test_data_after_abort_are_reset() -> None:
    pair = Pair()
    served(pair, connected=lambda stream: stream.send_zeros(1_000_000))
    client = Log(pair.engine)
    client.reactions["received"] = lambda stream: stream.abort()
    pair.connect(client)
    pair.engine.run()
    resets = [flags for side, flags in pair.flags() if side == "left" and flags & RST]
    assert resets[0] == RST | ACK
    assert set(resets[1:]) == {RST}
    assert client.events == ["connected", "received"]


def crafted(pair: Pair, flags: int, sequence: int, acknowledgement: int = 0, port: int = 80, octets: int = 0) -> None:
    segment = Datagram(V4, CLIENT, SERVER, 6, 40 + octets, 40_000, port, flags)
    segment.sequence, segment.acknowledgement, segment.window = sequence, acknowledgement, 1000
    pair.client.send_raw(segment)


@pytest.mark.parametrize(
    ("flags", "octets", "answer"),
    [
        (SYN, 0, (RST | ACK, 0, 1001)),
        (SYN | FIN, 5, (RST | ACK, 0, 1007)),
        (FIN, 0, (RST | ACK, 0, 1001)),
        (ACK, 0, (RST, 77, 0)),
        (SYN | ACK, 0, (RST, 77, 0)),
        (RST, 0, None),
        (RST | ACK, 0, None),
    ],
)
def test_resets_follow_the_rules(flags: int, octets: int, answer: tuple[int, int, int] | None) -> None:
    """RFC 9293, 3.10.7.1. The client's own stack does not know of the connection either, and stays silent on resets."""
    pair = Pair()
    crafted(pair, flags, 1000, 77, port=81, octets=octets)
    pair.engine.run()
    said = [(one.tcp_flags, one.sequence, one.acknowledgement) for _, side, one in pair.between.seen if side == "right"]
    assert said == ([] if answer is None else [answer])
    assert len(pair.between.seen) == 1 + len(said)


def test_a_reset_in_the_window_is_asked_about_and_one_that_fits_counts() -> None:
    """RFC 5961, 3."""
    pair = Pair()
    server = served(pair)
    client = Log(pair.engine)
    stream = pair.connect(client, local_port=40_000)
    pair.engine.run(SECOND)
    assert isinstance(stream, Connection)
    following = stream._segments.iss + 1
    seen = len(pair.between.seen)
    crafted(pair, RST, following + 10 & 0xFFFFFFFF)
    pair.engine.run(2 * SECOND)
    assert server.events == ["connected"]
    assert [one.tcp_flags for _, _, one in pair.between.seen[seen:]] == [RST, ACK]
    crafted(pair, RST, following & 0xFFFFFFFF)
    pair.engine.run(3 * SECOND)
    assert server.events == ["connected", "failed"]


def test_listening_is_exclusive_and_can_be_ended() -> None:
    pair = Pair()
    cancel = pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    with pytest.raises(ValueError, match="TCP port 80 is taken"):
        pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    with pytest.raises(ValueError, match="no TCP port"):
        pair.server.sockets.listen(0, lambda _: Log(pair.engine))
    cancel()
    cancel()
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))()
    log = Log(pair.engine)
    pair.connect(log)
    pair.engine.run()
    assert log.failure == Failure(FailureKind.REFUSED)


def test_ports_are_ephemeral_and_differ() -> None:
    pair = Pair()
    served(pair)
    ports = {pair.connect(Log(pair.engine)).local.port for _ in range(500)}
    assert len(ports) == 500
    assert all(32768 <= port < 61000 for port in ports)


def test_a_host_may_talk_to_itself() -> None:
    pair = Pair()
    server = served(pair, finished=lambda stream: stream.close())
    client = Log(pair.engine, connected=lambda stream: (stream.send(b"me"), stream.close()))
    stream = pair.server.sockets.connect(Endpoint(V4, SERVER, 80), client)
    pair.engine.run(SECOND)
    assert server.data == b"me"
    assert client.events[-1] == "closed"
    assert stream.local.address == SERVER
    assert pair.between.seen == []
