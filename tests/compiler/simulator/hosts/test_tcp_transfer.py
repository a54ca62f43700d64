"""TCP delivers what was sent, whatever the network does to its segments."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.link import Wire
from compiler.simulator.sockets import Failure, FailureKind, Stream
from tests.compiler.simulator.hosts.network import V4, V6, Log, Pair, losing

Chunk = bytes | int


def offer(stream: Stream, chunks: list[Chunk]) -> None:
    for chunk in chunks:
        if isinstance(chunk, int):
            stream.send_zeros(chunk)
        else:
            stream.send(chunk)
    stream.close()


def octets(chunks: list[Chunk]) -> bytes:
    return b"".join(bytes(chunk) if isinstance(chunk, int) else chunk for chunk in chunks)


def transfer(pair: Pair, there: list[Chunk], back: list[Chunk], family: object = V4) -> tuple[Log, Log]:
    """Both ways at once, until both sides are done."""
    server = Log(pair.engine, connected=lambda stream: offer(stream, back))
    client = Log(pair.engine, connected=lambda stream: offer(stream, there))
    pair.server.sockets.listen(80, lambda _: server)
    pair.connect(client, family=family)  # type: ignore[arg-type]
    pair.engine.run(30_000 * SECOND)
    assert len(pair.between.seen) < 20_000  # no quarrels
    return client, server


def assert_arrived(client: Log, server: Log, there: list[Chunk], back: list[Chunk]) -> None:
    assert client.failure is None
    assert server.failure is None
    assert bytes(server.data) == octets(there)
    assert bytes(client.data) == octets(back)
    for log in (client, server):
        assert log.events[0] == "connected"
        assert log.events[-1] == "closed"
        assert log.events.count("finished") == 1
        assert log.events.index("finished") > max((i for i, e in enumerate(log.events) if e == "received"), default=0)


chunks = st.lists(st.one_of(st.integers(1, 20_000), st.binary(min_size=1, max_size=5_000)), max_size=6)


@settings(max_examples=40)
@given(
    there=chunks,
    back=chunks,
    loss=st.sampled_from((0.0, 0.02, 0.1, 0.25)),
    jitter=st.sampled_from((0, MILLISECOND, 30 * MILLISECOND)),
    doubled=st.sampled_from((0.0, 0.2)),
    seed=st.integers(0, 1000),
    parameters=st.builds(
        TcpParameters,
        selective=st.booleans(),
        timestamps=st.booleans(),
        window_scaling=st.booleans(),
        congestion=st.sampled_from(("cubic", "reno")),
        tail_loss_probe=st.booleans(),
        receive_window=st.sampled_from((2_000, 65_535)),
        receive_window_limit=st.sampled_from((10_000, 3 << 20)),
        syn_retries=st.just(30),
        syn_ack_retries=st.just(30),
        retries=st.just(200),
        # Who repeats a FIN must find somebody there, however often it is lost.
        time_wait=st.just(40_000 * SECOND),
    ),
    family=st.sampled_from((V4, V6)),
)
def test_all_arrives_in_order(
    there: list[Chunk],
    back: list[Chunk],
    loss: float,
    jitter: int,
    doubled: float,
    seed: int,
    parameters: TcpParameters,
    family: object,
) -> None:
    pair = Pair(losing(loss, jitter, doubled, seed), parameters=parameters)
    client, server = transfer(pair, there, back, family)
    assert_arrived(client, server, there, back)


def test_nothing_is_left_behind() -> None:
    pair = Pair(losing(0.05, 5 * MILLISECOND, 0.05))
    client, server = transfer(pair, [50_000], [b"x" * 50_000])
    assert_arrived(client, server, [50_000], [b"x" * 50_000])
    pair.engine.run()
    assert not pair.client.sockets._tcp.connections
    assert not pair.server.sockets._tcp.connections
    assert not pair.engine.heap


@pytest.mark.parametrize("start", [0xFFFFFFFF, 0xFFFFFFFE, 0xFFFF0000, 0x7FFFFFFF])
def test_sequence_numbers_wrap(start: int) -> None:
    pair = Pair(losing(0.03, MILLISECOND))
    for stack in (pair.client.sockets, pair.server.sockets):
        fixed = Random(1)
        fixed.getrandbits = lambda bits, start=start: start >> (32 - bits)  # type: ignore[method-assign]
        stack.random = fixed
    there: list[Chunk] = [bytes(range(256)) * 400]
    client, server = transfer(pair, there, there)
    assert_arrived(client, server, there, there)


def test_real_octets_between_zeros_keep_their_place() -> None:
    pair = Pair(losing(0.1))
    there: list[Chunk] = [3_000, b"marker", 100_000, b"another", 1]
    client, server = transfer(pair, there, [])
    assert_arrived(client, server, there, [])


def test_zeros_are_never_made() -> None:
    pair = Pair()
    seen: list[bytes | None] = []
    server = Log(pair.engine)
    server.received = lambda stream, data, octets: seen.append(data)  # type: ignore[method-assign]
    pair.server.sockets.listen(80, lambda _: server)
    pair.connect(Log(pair.engine, connected=lambda stream: stream.send_zeros(100_000)))
    pair.engine.run(SECOND)
    assert len(seen) > 60
    assert set(seen) == {None}


def test_the_handshake_and_the_first_segments() -> None:
    """SYN, SYN-ACK, ACK; then the initial window of ten segments, each acknowledged at once."""
    pair = Pair()
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    pair.connect(Log(pair.engine, connected=lambda stream: stream.send_zeros(14_480)))
    pair.engine.run(SECOND)
    assert pair.flags()[:3] == [("left", 0x02), ("right", 0x12), ("left", 0x10)]
    data = [one for _, side, one in pair.between.seen if side == "left" and one.size > 100]
    assert [one.size for one in data] == [1500] * 10
    assert [one.tcp_flags for one in data] == [0x10] * 9 + [0x18]
    assert len({time for time, side, one in pair.between.seen if side == "left" and one.size > 100}) == 1
    assert len([one for _, side, one in pair.between.seen if side == "right" and one.tcp_flags == 0x10]) == 10


def test_later_segments_are_acknowledged_in_twos() -> None:
    pair = Pair()
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    pair.connect(Log(pair.engine, connected=lambda stream: stream.send_zeros(1_448 * 400)))
    pair.engine.run(10 * SECOND)
    acknowledgements = sum(1 for side, flags in pair.flags() if side == "right" and flags == 0x10)
    assert 16 + 192 <= acknowledgements <= 16 + 200


def test_small_writes_wait_for_an_acknowledgement() -> None:
    def write(stream: Stream) -> None:
        for _ in range(10):
            stream.send(b"x")

    def sizes(parameters: TcpParameters) -> list[int]:
        pair = Pair(parameters=parameters)
        pair.server.sockets.listen(80, lambda _: Log(pair.engine))
        pair.connect(Log(pair.engine, connected=write))
        pair.engine.run(SECOND)
        return [
            one.size - 52
            for _, side, one in pair.between.seen
            if side == "left" and one.size > 52 and one.tcp_flags != 2
        ]

    assert sizes(TcpParameters()) == [1, 9]
    assert sizes(TcpParameters(no_delay=True)) == [1] * 10


def closing_the_window(pair: Pair, until: int) -> None:
    """A receiver's window is what a middlebox lets it be."""

    def judge(datagram: Datagram) -> list[tuple[int, Datagram]]:
        if pair.engine.now < until and datagram.source_port == 80:
            datagram.window = 0
        return [(0, datagram)]

    pair.between.judge = judge


def test_a_closed_window_is_probed_until_it_opens() -> None:
    pair = Pair()
    closing_the_window(pair, 20 * SECOND)
    server = Log(pair.engine)
    pair.server.sockets.listen(80, lambda _: server)
    pair.connect(Log(pair.engine, connected=lambda stream: stream.send(b"hello")))
    pair.engine.run(15 * SECOND)
    assert server.octets == 0
    probes = [time for time, side, _ in pair.between.seen if side == "left" and time > SECOND // 10]
    pauses = [later - earlier for earlier, later in pairwise(probes)]
    assert len(probes) >= 5
    assert all(later > 1.9 * earlier for earlier, later in pairwise(pauses))
    pair.engine.run(60 * SECOND)
    assert server.data == b"hello"


def test_a_receiver_that_answers_may_keep_its_window_closed_for_hours() -> None:
    pair = Pair()
    closing_the_window(pair, 7_200 * SECOND)
    server = Log(pair.engine)
    pair.server.sockets.listen(80, lambda _: server)
    client = Log(pair.engine, connected=lambda stream: stream.send_zeros(100_000))
    pair.connect(client)
    pair.engine.run(7_400 * SECOND)
    assert client.events == ["connected", "drained"]
    assert server.octets == 100_000


def test_one_that_does_not_answer_is_given_up() -> None:
    pair = Pair()
    closing_the_window(pair, 10_000 * SECOND)
    pair.server.sockets.listen(80, lambda _: Log(pair.engine))
    client = Log(pair.engine, connected=lambda stream: stream.send(b"hello"))
    pair.connect(client)
    pair.engine.run(SECOND)
    pair.between.judge = lambda _: []
    pair.engine.run(2_000 * SECOND)
    assert client.failure == Failure(FailureKind.TIMED_OUT)


def test_a_fin_that_came_too_early_starts_no_quarrel() -> None:
    """Both sides have a FIN and a gap before it: bare acknowledgements that are ahead are not answered."""
    pair = Pair()
    times: dict[tuple[int, int], int] = {}

    def judge(datagram: Datagram) -> list[tuple[int, Datagram]]:
        first = datagram.size > 1_000 and times.setdefault((datagram.source, datagram.sequence), len(times)) < 2
        if first and pair.engine.now < 10 * MILLISECOND:
            return []
        return [(0, datagram)]

    pair.between.judge = judge
    client, server = transfer(pair, [5_000], [5_000])
    assert_arrived(client, server, [5_000], [5_000])
    assert len(pair.between.seen) < 100


def test_a_lost_segment_is_repaired_without_a_timeout() -> None:
    pair = Pair(wire=Wire(delay=10 * MILLISECOND, queue=None))
    lost = []

    def judge(datagram: object) -> list[tuple[int, object]]:
        if datagram.size == 1500 and not lost and pair.engine.now > 100 * MILLISECOND:  # type: ignore[attr-defined]
            lost.append(datagram)
            return []
        return [(0, datagram)]

    pair.between.judge = judge  # type: ignore[assignment]
    client, server = transfer(pair, [2_000_000], [])
    assert_arrived(client, server, [2_000_000], [])
    assert lost
    assert client.stream.sender.retransmissions == 1  # type: ignore[union-attr]
    assert client.stream.sender.timeouts == 0  # type: ignore[union-attr]


def test_the_same_seed_gives_the_same_trace() -> None:
    def trace() -> list[tuple[object, ...]]:
        pair = Pair(losing(0.1, 5 * MILLISECOND, 0.1, seed=3))
        transfer(pair, [200_000, b"end"], [b"y" * 30_000])
        return [
            (time, side, one.sequence, one.acknowledgement, one.size, one.tcp_flags, one.tcp_options, one.window)
            for time, side, one in pair.between.seen
        ]

    first = trace()
    assert len(first) > 100
    assert trace() == first
