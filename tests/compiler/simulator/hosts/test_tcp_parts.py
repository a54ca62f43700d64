"""The parts of TCP by themselves, against plain models."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.hosts.congestion import Cubic, NewReno
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.hosts.rate_reduction import RateReduction
from compiler.simulator.hosts.reassembly import Reassembly
from compiler.simulator.hosts.round_trip import RoundTrip
from compiler.simulator.hosts.scoreboard import Scoreboard, Segment
from compiler.simulator.hosts.send_buffer import SendBuffer
from compiler.simulator.hosts.tcp_options import (
    SynOptions,
    read_blocks_and_timestamps,
    read_syn,
    read_timestamps,
    write_blocks,
    write_syn,
    write_timestamps,
)

numbers = st.integers(0, 0xFFFFFFFF)


@given(
    st.builds(
        SynOptions,
        st.none() | st.integers(1, 65535),
        st.none() | st.integers(0, 14),
        st.booleans(),
        st.none() | numbers,
    )
)
def test_what_a_syn_offers_is_read_back(offered: SynOptions) -> None:
    written = write_syn(offered, 7)
    assert len(written) % 4 == 0
    assert read_syn(written) == offered


def test_a_syn_looks_like_linux_s() -> None:
    assert write_syn(SynOptions(1460, 7, True, 1), 2).hex() == "020405b40402080a000000010000000201030307"


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=3), numbers, numbers)
def test_blocks_and_timestamps_are_read_back(blocks: list[tuple[int, int]], value: int, echo: int) -> None:
    times = write_timestamps(value, echo)
    assert read_timestamps(times) == (value, echo)
    assert read_blocks_and_timestamps(times + write_blocks(blocks)) == (blocks, value, echo)
    assert read_timestamps(times + write_blocks(blocks)) is None
    assert len(times + write_blocks(blocks)) <= 40


@given(st.binary(max_size=40))
def test_no_options_are_too_odd_to_read(options: bytes) -> None:
    read_syn(options)
    read_blocks_and_timestamps(options)
    read_timestamps(options)


@given(st.lists(st.one_of(st.integers(0, 50), st.binary(max_size=50)), max_size=8), st.data())
def test_the_send_buffer_gives_back_what_it_got(chunks: list[int | bytes], data: st.DataObject) -> None:
    buffer = SendBuffer(1)
    plain = b""
    for chunk in chunks:
        if isinstance(chunk, int):
            buffer.append_zeros(chunk)
            plain += bytes(chunk)
        else:
            buffer.append(chunk)
            plain += chunk
    assert buffer.end == 1 + len(plain)
    released = data.draw(st.integers(1, buffer.end))
    buffer.release(released)
    start = data.draw(st.integers(released, buffer.end))
    end = data.draw(st.integers(start, buffer.end))
    found = buffer.read(start, end)
    assert (bytes(end - start) if found is None else found) == plain[start - 1 : end - 1]


@given(st.binary(min_size=1, max_size=60), st.data())
def test_reassembly_puts_pieces_in_order(stream: bytes, data: st.DataObject) -> None:
    reassembly = Reassembly()
    place = 0
    there: set[int] = set()
    out = b""
    for _ in range(data.draw(st.integers(1, 25))):
        start = data.draw(st.integers(place, len(stream)))
        end = data.draw(st.integers(start, len(stream)))
        if start == end:
            continue
        reassembly.add(start, end, stream[start:end])
        there |= set(range(start, end))
        for piece, octets in reassembly.take(place):
            assert piece is not None
            assert len(piece) == octets
            out += piece
            place += octets
        waiting = {one for low, high in reassembly.blocks(100) for one in range(low, high)}
        assert waiting == {one for one in there if one >= place}
        assert bool(reassembly) == bool(waiting)
        if waiting and start >= place:
            # What came last is reported first (RFC 2018, 4).
            low, high = reassembly.blocks(1)[0]
            assert low <= start < end <= high
    assert out == stream[:place]


def test_the_round_trip_follows_rfc_6298() -> None:
    trip = RoundTrip(SECOND, 200 * MILLISECOND, 120 * SECOND)
    assert trip.timeout == SECOND
    trip.sample(100 * MILLISECOND)
    assert (trip.smoothed, trip.variance) == (100 * MILLISECOND, 50 * MILLISECOND)
    assert trip.timeout == 300 * MILLISECOND
    for _ in range(100):
        trip.sample(100 * MILLISECOND)
    assert 299 * MILLISECOND < trip.timeout < 301 * MILLISECOND
    trip.sample(500 * MILLISECOND)
    assert trip.smoothed == 150 * MILLISECOND
    assert trip.backed_off(3) == 8 * trip.timeout
    assert trip.backed_off(100) == 120 * SECOND
    assert trip.least == 100 * MILLISECOND


def test_patience_is_linux_s() -> None:
    assert TcpParameters().patience == 924_600 * MILLISECOND


def board(count: int, spacing: int = 1) -> Scoreboard:
    made = Scoreboard()
    for index in range(count):
        made.order += 1
        made.segments.append(Segment(index * 10, index * 10 + 10, index * spacing, made.order))
    return made


def test_what_was_sent_before_something_that_arrived_is_lost() -> None:
    made = board(10)
    assert made.sack([(50, 70)], 100, 1) == 2
    assert made.judge(100, 0) == 0
    assert (made.sacked, made.lost, made.in_flight) == (2, 5, 3)
    assert made.next_lost() is made.segments[0]


def test_a_tolerance_waits_for_those_that_were_overtaken() -> None:
    made = board(10)
    made.sack([(50, 60)], 100, 1)
    assert made.judge(100, 3) == 1
    # Sent at 0, 1 and 2: late by more than 3 now that what was sent at 5 took 95.
    assert made.lost == 3
    made.judge(101, 3)
    assert made.lost == 4


def test_a_lost_repair_is_found() -> None:
    made = board(5)
    made.sack([(10, 50)], 100, 1)
    made.judge(100, 0)
    lost = made.next_lost()
    assert lost is not None
    made.sent_again(lost, 100)
    assert made.next_lost() is None
    made.order += 1
    made.segments.append(Segment(50, 60, 101, made.order))
    made.sack([(50, 60)], 201, 1)
    made.judge(201, 0)
    assert made.next_lost() is lost
    assert (made.lost, made.resent) == (1, 0)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=12), st.integers(0, 20), st.booleans())
def test_counts_are_those_of_the_segments(blocks: list[tuple[int, int]], place: int, repair: bool) -> None:
    made = board(20)
    for number, (low, high) in enumerate(blocks):
        made.sack([(low * 10, high * 10)], 100 + number, 1)
        made.judge(100 + number, 0)
        lost = made.next_lost() if repair else None
        if lost is not None:
            made.sent_again(lost, 100 + number)
    made.acknowledge(place * 10, 200, 1)
    assert made.sacked == sum(one.is_sacked for one in made.segments)
    assert made.lost == sum(one.is_lost for one in made.segments)
    assert made.resent == sum(one.is_resent for one in made.segments)
    assert not any(one.is_lost and one.is_sacked for one in made.segments)
    assert len(made.segments) == 20 - place


def test_rate_reduction_comes_down_to_the_threshold() -> None:
    """Fifty losses of one in a window of a hundred to seventy: about seven sent for ten that arrive."""
    reduction = RateReduction(100)
    flight, sent = 99, 0
    for _ in range(98):
        flight -= 1
        window = reduction.window(70, flight, 1, False)
        count = max(0, window - flight)
        reduction.count(count)
        flight += count
        sent += count
    assert 68 <= flight <= 70
    assert 68 <= sent <= 70


def test_new_reno_doubles_and_then_adds_one() -> None:
    reno = NewReno(10)
    for _ in range(10):
        reno.grow(1, 0)
    assert reno.window == 20
    reno.reduce()
    reno.window = reno.threshold
    assert reno.window == 10
    for _ in range(10):
        reno.grow(1, 0)
    assert 10.9 < reno.window < 11.1


def test_cubic_returns_to_where_it_was_and_goes_on() -> None:
    """RFC 9438: from 0.7 W the window comes back to W after K = cbrt(0.3 W / 0.4) seconds, flat around it."""
    cubic = Cubic(100, slow_start_exit=False)
    cubic.reduce()
    cubic.window = cubic.threshold
    assert cubic.threshold == 70
    inflection = (30 / 0.4) ** (1 / 3)
    now = 0
    windows = {}
    # Round trips of 200 ms: long enough that NewReno would be slower.
    while now < 2 * inflection * SECOND:
        for _ in range(int(cubic.window)):
            cubic.grow(1, now)
        now += SECOND // 5
        windows[round(now / SECOND, 1)] = cubic.window
    at = min(windows, key=lambda moment: abs(moment - inflection))
    assert 98 < windows[at] < 102
    assert windows[max(windows)] > 125
    cubic.reduce()
    assert cubic.threshold == int(int(windows[max(windows)]) * 717 / 1024)
