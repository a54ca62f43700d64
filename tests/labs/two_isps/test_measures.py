"""The measures, from records made by hand: what each must be is counted on fingers."""

import math
from dataclasses import replace

import pytest

from labs.observation import LinkCount, Observation
from labs.published import figures
from labs.published.failures import lost_at, octets_before, recovery
from labs.published.lines import lines_of
from labs.published.measures import MEASURES
from labs.topology import Fault, FaultKind
from tests.labs.records import SECOND, outcome, record
from tests.labs.two_isps.papers import TWO

LINE1, LINE2 = "198.51.100.2", "203.0.113.2"


def seen(*outcomes, links=(), duration=20):
    return Observation("simulator", 1, duration * SECOND, outcomes, links=links)


def measure(word, lab, observation, pattern="*"):
    return MEASURES[word].measure(lab, observation, pattern)


def by(line, *, at=1, octets=1000, **more):
    """A connection by a line that had all its octets after two milliseconds."""
    return record(at=at, seen_as=f"{line}:1", transferred=octets, **more)


@pytest.fixture
def broken():
    """The network with modem 2's cable cut at 10 s."""
    return replace(TWO, faults=(Fault(FaultKind.LINK_DOWN, "isp2", 10 * SECOND),))


def test_lines_are_the_modems_and_the_cables_to_them():
    assert [(line.name, line.upstream) for line in lines_of(TWO)] == [
        ("speedy-1", ("isp1", "up")),
        ("speedy-2", ("isp2", "up")),
    ]


def test_fairness_of_lines_and_clients():
    both = seen(outcome("a", by(LINE1), by(LINE2, index=1), by(LINE1, index=2, octets=2000)))
    assert measure("fair-lines", TWO, both) == pytest.approx((3 + 1) ** 2 / (2 * (9 + 1)))
    clients = seen(outcome("a", by(LINE1, client="10.0.0.2:1"), by(LINE1, client="10.0.0.3:1", octets=3000)))
    assert measure("fair-clients", TWO, clients) == pytest.approx((1 + 3) ** 2 / (2 * (1 + 9)))
    assert measure("fair-lines", TWO, clients) == 0.5


def test_differences_of_lines():
    links = (
        LinkCount("isp1", "up", 1, 1000, 0),
        LinkCount("isp2", "up", 1, 1100, 0),
        LinkCount("isp1", "down", 1, 9, 0),
    )
    observation = seen(outcome("a", by(LINE1), by(LINE2, octets=1500), by(LINE2, octets=0)), links=links)
    assert measure("payload-difference", TWO, observation) == pytest.approx(0.5)
    assert measure("upstream-difference", TWO, observation) == pytest.approx(0.1)
    assert measure("connections-difference", TWO, observation) == 1


def test_addresses_that_a_server_sees_of_a_client():
    observation = seen(outcome("a", by(LINE1), by(LINE2), by(LINE1, server="192.0.2.10:80")))
    assert measure("addresses-each", TWO, observation) == 1.5
    assert measure("addresses", TWO, observation) == f"{LINE1}, {LINE2}"
    assert measure("addresses", TWO, seen(outcome("a", record(kind="timed out")))) is None


def test_log_outs_are_log_ins_but_the_first(broken):
    reader = outcome(
        "f",
        by(LINE1, detail="200 Logged in; 200 Thread 1"),
        by(LINE2, at=9, detail="200 Logged in"),
        by(LINE1, at=11, detail="302 Log in again; 200 Logged in"),
    )
    assert measure("log-outs", TWO, seen(reader)) == 2
    assert measure("log-outs", broken, seen(reader)) == 1, "what the failure did is no fault of the method"
    assert measure("log-outs", TWO, seen(outcome("a", by(LINE1)))) is None


def test_visits_on_the_clock_on_the_wall():
    lab = replace(TWO, clock=23 * 60 + 57)
    reader = outcome("f", by(LINE1, at=59), by(LINE2, at=62), by(LINE1, at=193), record(at=200, kind="timed out"))
    assert measure("visits", lab, seen(reader)) == ("23:57:59 ISP 1, 23:58:02 ISP 2, 00:00:13 ISP 1, 00:00:20 nobody")


def test_recovery_is_when_all_later_attempts_come_about():
    def attempts(*wrong):
        return [record(at=10 + n, kind="timed out" if n in wrong else None) for n in range(6)]

    fault, end = 10 * SECOND, 30 * SECOND
    assert recovery(attempts(), fault, end) == 0
    assert recovery(attempts(0, 2), fault, end) == 3 * SECOND
    assert recovery(attempts(5), fault, end) == math.inf
    assert recovery(attempts(5), fault, 15 * SECOND + 1) == 5 * SECOND or math.isinf(recovery(attempts(5), fault, end))


def test_a_slow_handshake_is_no_recovery():
    slow = record(at=10, connected=13 * SECOND, ended=14 * SECOND)
    assert recovery([slow, record(at=12)], 10 * SECOND, 30 * SECOND) == 2 * SECOND


def test_what_nobody_waited_for_does_not_count():
    late = record(at=29.5, connected=None, ended=None)
    assert recovery([record(at=11), late], 10 * SECOND, 30 * SECOND) == 0


def test_lost_are_connections_that_broke_or_stood_still(broken):
    samples = tuple((n * SECOND, n * 100) for n in range(1, 11))
    going = tuple((n * SECOND, n * 100) for n in range(1, 19))
    observation = seen(
        outcome("still", record(ended=19 * SECOND), samples=samples),
        outcome("going", record(ended=19 * SECOND), samples=going),
        outcome("broke", record(ended=12 * SECOND, kind=None), record(at=9, connected=9 * SECOND, ended=None)),
        outcome("over", record()),
        outcome("later", record(at=11)),
    )
    assert [name for name, _ in lost_at(observation, 10 * SECOND)] == ["still"]
    assert measure("lost", broken, observation) == 1
    assert measure("lost", TWO, observation) is None
    assert measure("told-after", broken, observation) == math.inf, "who only stands still is not told"


def test_octets_before_a_moment():
    one = record(at=1, connected=SECOND, ended=11 * SECOND, transferred=1000)
    alone = outcome("a", one, samples=((2 * SECOND, 800), (11 * SECOND, 1000)))
    assert octets_before(alone, one, 2 * SECOND, 20 * SECOND) == 800
    two = outcome("a", one, replace(one, index=1))
    assert octets_before(two, one, 6 * SECOND, 20 * SECOND) == pytest.approx(500)
    assert octets_before(two, one, 12 * SECOND, 20 * SECOND) == 1000
    assert octets_before(two, one, SECOND, 20 * SECOND) == 0


def test_a_lab_without_lines_has_no_figures(small_lab):
    assert figures(small_lab, seen(outcome("web", record()))) == {}


def test_figures_are_numbers_by_their_titles(broken):
    found = figures(broken, seen(outcome("a", by(LINE1), by(LINE2), record(at=12))))
    assert found["Jain's index, payload of lines"] == 1
    assert found["failover: new connections come about after"] == 0
    assert all(isinstance(value, float) for value in found.values())
