"""Scripts at their time."""

from __future__ import annotations

import pytest

from compiler.simulator.engine import SECOND
from labs.virtual_routeros.clocks import ManualClock
from labs.virtual_routeros.device import Device
from tests.labs.virtual_routeros.wire import device

_SCHEDULER = ("system", "scheduler")


def _later(one: Device, seconds: int) -> None:
    assert isinstance(one.clock, ManualClock)
    one.clock.advance(seconds * SECOND)
    one.tick()


def _add(one: Device, **properties: str) -> str:
    arguments = {name.replace("_", "-"): text for name, text in properties.items()}
    return one.call(_SCHEDULER, "add", {"name": "job", **arguments}).ret or ""


def _count(one: Device) -> int:
    return one.log.count("info x")


@pytest.mark.parametrize("version", ["6.49", "7.18"])
def test_an_interval_begins_when_the_row_is_added(version: str) -> None:
    one = device(version)
    _add(one, interval="1m", on_event=":log info x")
    counts = []
    for _ in range(5):
        _later(one, 30)
        counts.append(_count(one))
    assert counts == [0, 1, 1, 2, 2]
    (row,) = one.call(_SCHEDULER, "print").rows
    assert (row["run-count"], row["start-time"], row["interval"]) == ("2", "00:00:00", "1m")
    assert row["next-run"].endswith("00:03:00")


def test_what_was_missed_is_made_up_in_order() -> None:
    one = device()
    _add(one, interval="10s", on_event=":log info x")
    one.call(_SCHEDULER, "add", {"name": "late", "start-time": "00:00:25", "on-event": ":log info y"})
    _later(one, 40)
    assert one.log == ["info x", "info x", "info y", "info x", "info x"]
    _later(one, 600)
    assert one.log.count("info y") == 1, "without an interval it runs once"


@pytest.mark.parametrize(("version", "day"), [("6.49", "jan/02/2026"), ("7.18", "2026-01-02")])
def test_a_start_on_another_day(version: str, day: str) -> None:
    one = device(version)
    _add(one, start_date=day, start_time="06:00:00", on_event=":log info x")
    _later(one, 30 * 3600 - 1)
    assert _count(one) == 0
    _later(one, 1)
    assert _count(one) == 1


def test_startup_is_three_seconds_after_the_start() -> None:
    one = device()
    _add(one, start_time="startup", on_event=":log info x")
    _later(one, 2)
    assert _count(one) == 0
    _later(one, 1)
    assert _count(one) == 1


def test_startup_with_an_interval_waits_for_it() -> None:
    one = device()
    _add(one, start_time="startup", interval="10s", on_event=":log info x")
    _later(one, 12)
    assert _count(one) == 0
    _later(one, 1)
    assert _count(one) == 1


def test_at_one_moment_the_order_is_the_tables() -> None:
    one = device()
    _add(one, start_time="00:00:10", on_event=":log info x")
    one.call(_SCHEDULER, "add", {"name": "b", "start-time": "00:00:10", "on-event": ":log info y"})
    one.call(_SCHEDULER, "set", {".id": "job", "comment": "planned anew, later than the other"})
    _later(one, 10)
    assert one.log == ["info x", "info y"]


def test_disabled_and_removed_rows_do_not_run() -> None:
    one = device()
    id = _add(one, interval="10s", on_event=":log info x", disabled="yes")
    _later(one, 60)
    assert _count(one) == 0
    one.call(_SCHEDULER, "enable", {".id": id})
    _later(one, 10)
    assert _count(one) == 1
    one.call(_SCHEDULER, "remove", {".id": id})
    _later(one, 60)
    assert _count(one) == 1
    assert one.scheduler.next_due is None


def test_a_row_may_remove_itself_and_name_a_stored_script() -> None:
    one = device()
    source = ":log info x; /system scheduler remove [find name=job]"
    one.call(("system", "script"), "add", {"name": "back", "source": source})
    _add(one, interval="5m", on_event="back")
    _later(one, 3600)
    assert _count(one) == 1
    assert one.call(_SCHEDULER, "print").rows == ()


def test_a_delay_lets_others_run() -> None:
    one = device()
    _add(one, interval="1h", start_time="00:00:10", on_event=":log info a; :delay 5s; :log info b")
    one.call(_SCHEDULER, "add", {"name": "mid", "start-time": "00:00:12", "on-event": ":log info x"})
    _later(one, 10)
    assert one.log == ["info a"]
    _later(one, 4)
    assert one.log == ["info a", "info x"]
    _later(one, 1)
    assert one.log == ["info a", "info x", "info b"]


def test_what_fails_is_told_in_the_log() -> None:
    one = device()
    _add(one, interval="10s", on_event="/ip address add address=10.0.0.1/24 interface=nowhere; :log info x")
    _later(one, 10)
    assert one.log == ["script,error scheduler job: input does not match any value of interface (scheduler job line 1)"]
