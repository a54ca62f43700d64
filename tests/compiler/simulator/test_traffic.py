"""Arrival processes: exact rates, means, duty, tails; and the sender."""

from itertools import islice, pairwise
from math import log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import Family
from compiler.simulator.engine import MILLISECOND, SECOND, Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.traffic.arrivals import constant, ending, on_off, poisson, replay
from compiler.simulator.traffic.distributions import IMIX, choice, exponential, fixed, pareto, uniform
from compiler.simulator.traffic.flows import flows, packets
from compiler.simulator.traffic.sender import Sender


def take(count, arrivals):
    return list(islice(arrivals, count))


def hill(values, largest):
    """The shape of the tail, from the ``largest`` values (Hill 1975)."""
    ordered = sorted(values, reverse=True)[: largest + 1]
    return largest / sum(log(value / ordered[-1]) for value in ordered[:-1])


# -- distributions -----------------------------------------------------------------------


def test_means_are_what_was_asked_for():
    random = Random(1)
    for distribution, mean, tolerance in (
        (exponential(5000), 5000, 0.02),
        (uniform(10, 20), 15, 0.01),
        (choice(IMIX), (40 * 7 + 576 * 4 + 1500) / 12, 0.02),
        (pareto(5000, 2.5), 5000, 0.05),
        (fixed(7), 7, 0),
    ):
        values = [distribution(random) for _ in range(40_000)]
        assert sum(values) / len(values) == pytest.approx(mean, rel=tolerance)
        assert all(isinstance(value, int) and value >= 0 for value in values)


def test_ranges_and_choices_have_every_value():
    random = Random(2)
    assert {uniform(1, 6)(random) for _ in range(500)} == {1, 2, 3, 4, 5, 6}
    assert {choice(IMIX)(random) for _ in range(500)} == set(IMIX)


@pytest.mark.parametrize("shape", [1.2, 1.5, 2.0])
def test_pareto_tails_have_the_shape_that_was_asked_for(shape):
    random = Random(3)
    draw = pareto(1_000_000, shape)
    values = [draw(random) for _ in range(50_000)]
    assert hill(values, 5_000) == pytest.approx(shape, rel=0.05)
    assert min(values) >= round(1_000_000 * (shape - 1) / shape)


def test_an_exponential_tail_is_no_pareto_tail():
    # The estimator is worth something: it tells light tails from heavy ones.
    random = Random(3)
    draw = exponential(1_000_000)
    assert hill([draw(random) for _ in range(50_000)], 500) > 3


def test_the_largest_is_not_passed():
    random = Random(4)
    draw = pareto(1000, 1.1, largest=5000)
    assert max(draw(random) for _ in range(5000)) == 5000


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: pareto(10, 1.0),
        lambda: pareto(0, 2),
        lambda: exponential(-1),
        lambda: fixed(-1),
        lambda: uniform(5, 4),
        lambda: choice({}),
        lambda: choice({40: 0}),
        lambda: next(constant(0, 100)),
        lambda: next(poisson(Random(), 0, fixed(1))),
        lambda: next(on_off(Random(), 100, 0, fixed(1), fixed(1))),
        lambda: next(replay([], speed=0)),
        lambda: next(packets([(0, 1)], 0, 100)),
    ],
)
def test_impossible_figures_are_refused(wrong):
    with pytest.raises(ValueError, match=r"expected|negative|range|mean"):
        wrong()


# -- arrivals ------------------------------------------------------------------------------


@given(st.integers(1, 10**10), st.integers(1, 1500), st.integers(1, 5000))
def test_constant_rates_do_not_drift(rate, octets, count):
    moment, size = next(islice(constant(rate, octets), count, None))
    assert size == octets
    assert moment == count * octets * 8 * SECOND // rate


def test_poisson_arrivals_have_the_mean_and_the_spread_of_poisson():
    arrivals = take(50_000, poisson(Random(5), 1000, fixed(100)))
    gaps = [after - before for (before, _), (after, _) in pairwise(arrivals)]
    mean = sum(gaps) / len(gaps)
    assert mean == pytest.approx(MILLISECOND, rel=0.02)
    assert sum((gap - mean) ** 2 for gap in gaps) / len(gaps) == pytest.approx(mean**2, rel=0.04)
    # Counts in windows of 20 ms: variance equal to the mean (index of dispersion 1).
    counts = [0] * (arrivals[-1][0] // (20 * MILLISECOND))
    for moment, _ in arrivals:
        if (window := moment // (20 * MILLISECOND)) < len(counts):
            counts[window] += 1
    average = sum(counts) / len(counts)
    assert sum((one - average) ** 2 for one in counts) / len(counts) / average == pytest.approx(1, abs=0.1)


def test_bursts_are_at_the_rate_and_silences_are_silent():
    # 1000 octets at 8 Mbit/s take a millisecond: ten packets in each burst, from its first moment on.
    arrivals = take(25, on_off(Random(0), 8_000_000, 1000, fixed(10 * MILLISECOND), fixed(90 * MILLISECOND)))
    expected = [burst * 100 * MILLISECOND + packet * MILLISECOND for burst in range(3) for packet in range(10)]
    assert [moment for moment, _ in arrivals] == expected[:25]


def test_what_a_burst_leaves_of_a_packets_time_is_not_lost():
    # Bursts of 2.5 packets: two and a half are sent in each, on the average.
    arrivals = take(100, on_off(Random(0), 8_000_000, 1000, fixed(5 * MILLISECOND // 2), fixed(15 * MILLISECOND // 2)))
    # The hundredth is due after 99 ms of bursts: 39 of them (390 ms with the silences), and 1.5 ms.
    assert arrivals[-1][0] == 391_500_000


@pytest.mark.parametrize(
    ("periods", "tolerance"),
    [(exponential, 0.05), (lambda mean: pareto(mean, 1.9), 0.15)],
)
def test_the_duty_is_the_share_of_time_that_is_on(periods, tolerance):
    source = on_off(Random(6), 8_000_000, 1000, periods(30 * MILLISECOND), periods(70 * MILLISECOND))
    arrivals = list(ending(source, duration=400 * SECOND))
    assert len(arrivals) * 8000 / 400 == pytest.approx(0.3 * 8_000_000, rel=tolerance)
    gaps = [after - before for (before, _), (after, _) in pairwise(arrivals)]
    assert min(gaps) == MILLISECOND  # never faster than the rate
    assert max(gaps) > 50 * MILLISECOND


def test_bursts_of_no_length_still_come_to_a_packet():
    assert len(take(3, on_off(Random(0), SECOND, 1000, fixed(0), fixed(0)))) == 3


def test_flows_are_heavy_tailed():
    arrivals = take(50_000, flows(Random(7), 100, 30_000, shape=1.3))
    assert hill([octets for _, octets in arrivals], 5_000) == pytest.approx(1.3, rel=0.05)
    assert arrivals[-1][0] == pytest.approx(500 * SECOND, rel=0.02)


def test_the_packets_of_flows_are_all_there_and_in_order():
    transfers = take(500, flows(Random(8), 200, 20_000))
    sent = list(packets(transfers, 10_000_000, 1460))
    assert sum(octets for _, octets in sent) == sum(octets for _, octets in transfers)
    assert all(before[0] <= after[0] for before, after in pairwise(sent))
    assert max(octets for _, octets in sent) == 1460


def test_the_packets_of_one_flow_are_as_far_apart_as_its_line_makes_them():
    assert list(packets([(5, 2500)], 8_000, 1000)) == [(5, 1000), (5 + SECOND, 1000), (5 + 2 * SECOND, 500)]


@pytest.mark.parametrize(
    "process",
    [
        lambda random: poisson(random, 50, choice(IMIX)),
        lambda random: on_off(random, 10**6, 500, exponential(10**7), pareto(10**7, 1.5)),
        lambda random: packets(flows(random, 10, 10_000), 10**6, 1460),
    ],
)
def test_one_seed_gives_one_series(process):
    one, same, other = (take(300, process(Random(seed))) for seed in ("lab/1", "lab/1", "lab/2"))
    assert one == same != other
    assert all(before[0] <= after[0] for before, after in pairwise(one))


def test_a_series_is_the_same_in_every_python():
    # Written down once: a change would silently change every lab's trace.
    assert take(4, poisson(Random(42), 1000, uniform(64, 1500))) == POISSON_42


POISSON_42 = [(1_020_060, 99), (1_341_684, 384), (2_675_277, 1036), (4_902_565, 188)]


def test_replay_begins_at_once_and_keeps_the_gaps():
    capture = [(7_000_000_000, "a"), (7_000_000_900, "b"), (7_000_000_500, "c"), (7_000_002_000, "d")]
    assert list(replay(capture)) == [(0, "a"), (900, "b"), (900, "c"), (2000, "d")]
    assert list(replay(capture, speed=2)) == [(0, "a"), (450, "b"), (450, "c"), (1000, "d")]


def test_endings():
    assert len(list(ending(constant(8_000, 100), duration=SECOND))) == 10
    assert len(list(ending(constant(8_000, 100), count=3))) == 3
    assert list(ending(constant(8_000, 100), count=0)) == []
    read = []
    source = (read.append(number) or (number, number) for number in range(9))
    assert list(ending(source, count=2)) == [(0, 0), (1, 1)]
    assert read == [0, 1]  # no more was asked for than was given


# -- the sender ------------------------------------------------------------------------------


def test_the_sender_keeps_one_event_and_asks_no_sooner_than_it_must():
    engine, sent, asked = Engine(), [], []

    def arrivals():
        for arrival in constant(8_000, 100):
            asked.append(engine.now)
            yield arrival

    engine.run(SECOND)
    sender = Sender(engine, arrivals(), lambda octets: sent.append((engine.now, octets)))
    assert asked == []
    for until in (SECOND, SECOND + 50 * MILLISECOND, 2 * SECOND):
        engine.run(until)
        assert len(engine.heap) == 1
    assert sent == [(SECOND + number * 100 * MILLISECOND, 100) for number in range(11)]
    assert (sender.sent, sender.is_done) == (11, False)
    sender.stop()
    engine.run()
    assert (sender.sent, sender.is_done, engine.heap) == (11, True, [])


def test_the_sender_starts_when_it_is_told_and_ends_by_itself():
    engine, sent = Engine(), []
    capture = [(5, Datagram(Family.IPV4, 1, 2, 17, 28)), (9, Datagram(Family.IPV4, 1, 2, 17, 29))]
    sender = Sender(engine, replay(capture), lambda one: sent.append((engine.now, one.size)), start=SECOND)
    engine.run()
    assert sent == [(SECOND, 28), (SECOND + 4, 29)]
    assert sender.is_done


def test_what_is_late_is_sent_at_once():
    engine, sent = Engine(), []
    engine.run(SECOND)
    Sender(engine, [(0, "late"), (2 * SECOND, "due")], lambda item: sent.append((engine.now, item)), start=0)
    engine.run()
    assert sent == [(SECOND, "late"), (2 * SECOND, "due")]
