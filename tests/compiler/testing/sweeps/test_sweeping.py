"""A sweep tells of every item, whatever breaks on the way, and holds few at a time."""

import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import pytest

from compiler.errors import UsageError
from compiler.testing.sweeps import NamedItem, Outcome, SweepStopped, sweep
from compiler.testing.sweeps.result import Result
from compiler.testing.sweeps.sizing import MOST, Sizing
from tests.compiler.testing.sweeps import checks

HUNDRED = range(1, 101)
FORKSERVER = get_context("forkserver")


def by_identity(results):
    return {result.identity: result.substance for result in results}


def sequential(items, check):
    return by_identity(sweep(items, check, processes=0))


def test_processes_find_what_one_after_the_other_finds():
    found = list(sweep(HUNDRED, checks.refuses_sevens, processes=2))
    assert by_identity(found) == sequential(HUNDRED, checks.refuses_sevens)
    assert sorted(result.number for result in found) == list(range(100))
    assert sum(result.outcome is Outcome.FAILED for result in found) == 14


def test_figures_are_kept():
    assert [one.value for one in sweep(range(3), checks.counts, processes=0)] == [
        {"square": 0}, {"square": 1}, {"square": 4}
    ]  # fmt: skip


@pytest.mark.parametrize("processes", [0, 1])
def test_one_that_raises_does_not_stop_the_others(processes):
    found = by_identity(sweep(range(8), checks.explodes, processes=processes))
    assert len(found) == 8
    outcomes = {identity: one.outcome for identity, one in found.items() if not one.held}
    broken = dict.fromkeys(("2", "4", "6"), Outcome.BROKEN)
    assert outcomes == broken | {"5": Outcome.FAILED}
    assert found["5"].causes[0].reason == "five is one too many"
    assert any("two is not wanted" in line for line in found["2"].causes[0].said)


def test_an_item_that_kills_its_process_is_named_and_the_others_are_judged():
    found = by_identity(sweep(HUNDRED, checks.dies, processes=2))
    assert {identity for identity, one in found.items() if one.outcome is Outcome.BROKEN} == {"5", "42"}
    assert "died" in found["5"].causes[0].reason
    clean = sequential((one for one in HUNDRED if one not in (5, 42)), checks.dies)
    assert {identity: one for identity, one in found.items() if one.outcome is not Outcome.BROKEN} == clean


def test_a_worker_killed_in_the_middle_loses_nothing(tmp_path):
    check = partial(checks.kills_its_worker_once, mark=str(tmp_path / "mark"))
    found = list(sweep(HUNDRED, check, processes=2))
    assert (tmp_path / "mark").exists()
    assert len(found) == 100
    assert by_identity(found) == sequential(HUNDRED, check)


def test_a_worker_killed_from_outside_loses_nothing():
    pids, killed = set(), set()
    found = []
    for result in sweep(range(40), checks.slow_process_of, processes=2):
        found.append(result)
        pids.add(result.value)
        # The first kill breaks the pool: whoever answers later is either new or was on its way before.
        if len(killed) < 2 and len(found) >= 10 * (len(killed) + 1) and Path(f"/proc/{result.value}").exists():
            os.kill(result.value, signal.SIGKILL)
            killed.add(result.value)
    assert sorted(int(one.identity) for one in found) == list(range(40))
    assert all(one.held for one in found)
    assert len(killed) == 2
    assert len(pids) > 2


def test_an_item_that_takes_too_long_is_given_up():
    found = by_identity(sweep(range(6), checks.hangs, processes=1, timeout=0.2))
    assert [one.causes[0].reason for one in found.values() if not one.held] == ["took too long"]
    assert not found["3"].held


def test_an_item_that_cannot_be_interrupted_loses_its_process(monkeypatch):
    monkeypatch.setattr("compiler.testing.sweeps.deadline.GRACE", 5.0)  # that of the workers goes by importing
    from tests.compiler.testing.sweeps.impatient import stays_away

    found = by_identity(sweep(range(6), stays_away, processes=1, timeout=0.1))
    assert [identity for identity, one in found.items() if not one.held] == ["3"]


def test_few_items_are_held_at_a_time():
    taken = count()

    def endless():
        while True:
            yield next(taken)

    results = sweep(endless(), checks.waits, processes=2)
    for _ in range(20):
        next(results)
    results.close()
    assert next(taken) < 200


def test_a_sweep_that_is_left_ends_its_processes():
    results = sweep(range(10_000), checks.process_of, processes=2)
    pids = {next(results).value for _ in range(10)}
    results.close()
    until = time.monotonic() + 10
    while any(_is_running(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(_is_running(pid) for pid in pids)


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_executors_of_the_caller_are_used_and_left_alone():
    with ThreadPoolExecutor(2) as threads:
        found = by_identity(sweep(HUNDRED, checks.refuses_sevens, executor=threads))
        assert threads.submit(int, "7").result() == 7
    assert found == sequential(HUNDRED, checks.refuses_sevens)


def test_a_pool_of_the_caller_that_breaks_stops_the_sweep_with_advice():
    with (
        ProcessPoolExecutor(1, FORKSERVER) as pool,
        pytest.raises(SweepStopped, match="a function that makes executors"),
    ):
        list(sweep(range(10), checks.dies, executor=pool))


def test_a_function_that_makes_pools_goes_on():
    found = by_identity(sweep(range(10), checks.dies, executor=partial(ProcessPoolExecutor, 1, FORKSERVER)))
    assert [identity for identity, one in found.items() if one.outcome is Outcome.BROKEN] == ["5"]
    assert len(found) == 10


def test_named_items_hold_any_value():
    items = [NamedItem("small", 3), NamedItem("large", 14)]
    assert {one.identity: one.held for one in sweep(items, checks.refuses_sevens, processes=0)} == {
        "small": True,
        "large": False,
    }


@pytest.mark.parametrize(
    ("items", "check", "words", "said"),
    [
        ([1], lambda one: one, {}, "cannot be sent"),
        ([object()], checks.refuses_sevens, {}, "no identity"),
        ([1], checks.refuses_sevens, {"timeout": 0}, "timeout"),
        ([1], checks.refuses_sevens, {"processes": -1}, "processes"),
        ([1], checks.refuses_sevens, {"processes": 1, "executor": "tcp://127.0.0.1:1"}, "name one of them"),
    ],
)
def test_wrong_use_is_said(items, check, words, said):
    with pytest.raises(UsageError, match=said):
        list(sweep(items, check, **({"processes": 0} | words if "executor" not in words else words)))


def test_results_are_told_as_they_come():
    told = []
    found = list(sweep(HUNDRED, checks.refuses_sevens, processes=0, on_result=told.append))
    assert told == found


def test_chunks_grow_with_short_items_and_shrink_with_long_ones():
    sizing = Sizing()
    for _ in range(20):
        sizing.learn([Result("one", Outcome.HELD, seconds=1e-6)] * sizing.size)
    assert sizing.size == MOST
    assert sizing.next_size(100, 2) == 25
    for _ in range(40):
        sizing.learn([Result("one", Outcome.HELD, seconds=1.0)])
    assert sizing.size == 1
