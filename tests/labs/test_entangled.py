"""Visits of a forum that last into the next: what time decides is not compared."""

from __future__ import annotations

from compiler.fields import Family
from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.sockets import Endpoint, Failure, FailureKind
from labs.determined import entangled

END = Endpoint(Family.IPV4, 0, 0)


def visits(*times: tuple[int, int | None], failed: int = -1) -> Outcome:
    failure = Failure(FailureKind.TIMED_OUT)
    return Outcome(
        "forum",
        tuple(
            ConnectionRecord(number, END, END, begin, ended=end, failure=failure if number == failed else None)
            for number, (begin, end) in enumerate(times)
        ),
    )


def test_visits_one_after_the_other_are_all_compared() -> None:
    assert entangled(visits((0, 5), (5, 9), (10, 12))) == frozenset()


def test_two_that_overlap_and_the_one_after_them_are_not() -> None:
    assert entangled(visits((0, 5), (10, 25), (20, 28), (30, 35), (40, 45))) == {1, 2, 3}


def test_a_visit_that_never_ends_overlaps_all_that_follow() -> None:
    assert entangled(visits((0, 5), (10, None), (20, 25), (30, 35))) == {1, 2, 3}


def test_a_visit_that_failed_leaves_the_next_in_doubt() -> None:
    assert entangled(visits((0, 5), (10, 15), (20, 25), (30, 35), failed=1)) == {1, 2}
