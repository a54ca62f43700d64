"""Work in a process of its own."""

from __future__ import annotations

import os
import threading

import pytest

from appliance.workbench.lanes import Cancelled, HereLane, LaneBroken, ProcessLane
from tests.appliance.workbench.driving import last_for_ever


def add(one, other, tell):
    tell("adding")
    return one + other, os.getpid()


def fail(_tell):
    raise ValueError("wrong")


def die(_tell):
    os._exit(7)


@pytest.fixture
def lane():
    made = ProcessLane()
    yield made
    made.close()
    assert made.process_id is None


def ask(lane, task, *arguments, is_cancelled=lambda: False):
    told: list[object] = []
    return lane.run(task, *arguments, tell=told.append, is_cancelled=is_cancelled), told


def test_a_process_stays_warm_and_outlives_a_task_that_fails(lane):
    (total, first), told = ask(lane, add, 1, 2)
    assert (total, told) == (3, ["adding"])
    assert first != os.getpid()
    with pytest.raises(LaneBroken, match="ValueError: wrong"):
        ask(lane, fail)
    assert ask(lane, add, 2, 2)[0] == (4, first)


@pytest.mark.long
def test_a_process_that_dies_or_is_cancelled_is_replaced(lane):
    first = ask(lane, add, 0, 0)[0][1]
    with pytest.raises(LaneBroken, match="status 7"):
        ask(lane, die)
    second = ask(lane, add, 0, 0)[0][1]
    heard = threading.Event()
    with pytest.raises(Cancelled):
        lane.run(last_for_ever, "", "", None, tell=lambda _value: heard.set(), is_cancelled=heard.is_set)
    assert len({first, second, ask(lane, add, 0, 0)[0][1]}) == 3


def test_a_lane_that_is_closed_starts_nothing(lane):
    lane.close()
    with pytest.raises(Cancelled):
        ask(lane, add, 1, 2)


def test_closing_ends_what_runs(lane):
    ended: list[str] = []
    heard = threading.Event()

    def run():
        try:
            lane.run(last_for_ever, "", "", None, tell=lambda _value: heard.set(), is_cancelled=lambda: False)
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    assert heard.wait(30)
    lane.close()
    thread.join(30)
    assert ended == ["cancelled"]


def test_work_here_ends_where_it_tells():
    with pytest.raises(Cancelled):
        ask(HereLane(), add, 1, 2, is_cancelled=lambda: True)
    assert ask(HereLane(), add, 1, 2)[1] == ["adding"]
