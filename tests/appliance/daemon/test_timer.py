"""What runs by itself: when, as whom, what is kept and told of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from appliance.contract.context import Context
from appliance.contract.people import Person
from appliance.contract.refusals import NotAllowed, NotFound, RuleBroken
from appliance.contract.timed import Daily, Every, Timed
from appliance.daemon.offering import check_timed
from appliance.daemon.timer import Standing, Timer
from appliance.store.failures import StoreAway
from tests.appliance.daemon.chores import commands, service
from tests.appliance.daemon.chores.commands import HOOKS, SWEPT, WATERED, Litres
from tests.appliance.daemon.garden import REGISTRY, Garden

JAKARTA = ZoneInfo("Asia/Jakarta")
ADMIN = Person("admin", frozenset({"system.administrator"}))
COMMANDS = REGISTRY.services["chores"].commands


@pytest.fixture
def garden() -> Iterator[Garden]:
    """At noon, and the daemon has looked once."""
    made = Garden(datetime(2026, 3, 1, 12, tzinfo=JAKARTA), JAKARTA)
    made.timer.tick()
    yield made
    made.close()


def standing(garden: Garden, command: str) -> Standing:
    with garden.store.reading() as connection:
        return next(one for one in garden.timer.standings(connection) if one.timed.command == command)


def test_nothing_was_missed_before_it_was_known_and_then_it_runs_at_its_time(garden: Garden) -> None:
    garden.timer.tick()
    assert SWEPT == []
    assert standing(garden, "sweep").next == datetime(2026, 3, 2, 2, 30, tzinfo=JAKARTA)
    garden.later(hours=14, minutes=29)
    assert SWEPT == []
    garden.later(minutes=1)
    garden.later(minutes=1)
    garden.later(hours=1)
    [(person, at)] = SWEPT
    assert at == "2026-03-02T02:30:00+07:00"
    assert person == Person("appliance", frozenset({"chores.gardener"}))
    assert standing(garden, "sweep").next == datetime(2026, 3, 3, 2, 30, tzinfo=JAKARTA)


def test_it_has_the_rights_of_the_command_and_those_it_says_and_no_more(garden: Garden) -> None:
    garden.later(hours=6)
    [(person, litres)] = WATERED
    assert person.roles == {"chores.gardener", "machine.administrator"}
    assert litres == 19, "the arguments are made when it runs"
    assert not person.reaches("chores", frozenset({"cook"}))


def test_every_run_is_in_the_audit_log(garden: Garden) -> None:
    HOOKS["water"] = lambda _context: "no water came"
    garden.later(hours=15)
    told = [(line.person, line.service, line.command) for line in garden.audit()]
    assert sorted(told) == [
        ("appliance", "chores", "sweep"), ("appliance", "chores", "water"),
        ("appliance", "system", "timed"), ("appliance", "system", "timed"),
    ]  # fmt: skip
    assert {"failed", "done"} == {run.outcome for name in ("sweep", "water") for run in garden.runs(name)}


@pytest.mark.parametrize("error", [RuleBroken("the broom is broken"), RuntimeError("no broom")])
def test_a_failure_is_logged_told_and_kept(garden: Garden, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_context: Context) -> str:
        raise error

    HOOKS["sweep"] = fails
    garden.later(hours=15)
    [run] = garden.runs()
    assert (run.outcome, run.ended is not None) == ("failed", True)
    assert run.said in {"the broom is broken", "RuntimeError; the daemon's log says more"}
    [event] = [one for one in garden.events if one.urgent]
    assert (event.service, event.kind, event.roles) == ("chores", "failed", {"gardener"})
    assert event.values == {"command": "chores.sweep", "reason": run.said}
    assert "chores.sweep failed" in caplog.text
    assert "chores.sweep" not in [f"{one.service}.{one.command}" for one in garden.audit()], "it was undone"
    # It is not tried again before tomorrow.
    garden.later(hours=1)
    assert len(garden.runs()) == 1
    del HOOKS["sweep"]
    garden.later(days=1)
    assert [one.outcome for one in garden.runs()] == ["failed", "done"]


def test_what_the_answer_complains_of_is_a_failure(garden: Garden) -> None:
    HOOKS["water"] = lambda _context: "no water came"
    garden.later(hours=6)
    assert [(one.outcome, one.said) for one in garden.runs("water")] == [("failed", "no water came")]
    assert any(one.urgent for one in garden.events)


def test_what_was_missed_is_made_up_once_after_a_start(garden: Garden) -> None:
    garden.later(days=1)
    garden.now = datetime(2026, 3, 9, 1, tzinfo=JAKARTA)  # seven days down
    garden.restart()
    garden.timer.tick()
    garden.timer.tick()
    assert [at[:13] for _person, at in SWEPT] == ["2026-03-02T12", "2026-03-09T01"]
    garden.later(hours=2)
    assert len(SWEPT) == 2, "that was today's"
    assert standing(garden, "sweep").next == datetime(2026, 3, 10, 2, 30, tzinfo=JAKARTA)
    garden.later(days=1)
    assert len(SWEPT) == 3


def test_where_there_is_nothing_to_do_nobody_is_told(garden: Garden) -> None:
    HOOKS["idle"] = lambda _context: ""
    garden.later(hours=15)
    assert [one.outcome for one in garden.runs()] == ["not needed"]
    assert (SWEPT, [one for one in garden.events if one.urgent]) == ([], [])
    assert "sweep" not in str([one.arguments for one in garden.audit()])
    del HOOKS["idle"]
    garden.later(hours=1)
    assert SWEPT == [], "tomorrow"


class _Killed(BaseException):
    """The process dies."""


def test_a_death_during_a_run_is_told_and_the_run_is_not_repeated(garden: Garden) -> None:
    def dies(_context: Context) -> str:
        raise _Killed

    HOOKS["water"] = dies
    with pytest.raises(_Killed):
        garden.later(hours=6)
    assert [one.outcome for one in garden.runs("water")] == ["running"]
    del HOOKS["water"]
    garden.restart()
    garden.timer.tick()
    assert [one.outcome for one in garden.runs("water")] == ["interrupted"]
    assert [one.values["command"] for one in garden.events if one.urgent] == ["chores.water"]
    garden.later(hours=6)
    assert [one.outcome for one in garden.runs("water")] == ["interrupted", "done"]


def test_an_end_that_the_store_does_not_take_is_kept_later(garden: Garden, monkeypatch: pytest.MonkeyPatch) -> None:
    changing = garden.runner.changing

    def away(person: Person, service: str, *more: object) -> object:
        if service == "system":
            raise StoreAway("the store is away")
        return changing(person, service, *more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(garden.runner, "changing", away)
        garden.later(hours=15)
        assert [one.outcome for one in garden.runs()] == ["running"]
        with pytest.raises(StoreAway):
            garden.timer.tick()
    garden.timer.tick()
    assert [one.outcome for one in garden.runs()] == ["done"]
    assert len(SWEPT) == 1


def test_by_hand_it_runs_as_who_asks_and_the_days_run_comes_all_the_same(garden: Garden) -> None:
    garden.timer.run_now(ADMIN, "chores", "sweep", lambda _progress: None)
    assert [one.person for one in garden.runs()] == ["admin"]
    assert [one.person for one in garden.audit()] == ["admin", "admin"]
    garden.later(hours=15)
    assert [one.person for one in garden.runs()] == ["admin", "appliance"]
    with pytest.raises(NotFound):
        garden.timer.run_now(ADMIN, "chores", "cook", lambda _progress: None)
    with pytest.raises(NotAllowed):
        garden.timer.run_now(Person("budi", frozenset({"chores.cook"})), "chores", "sweep", lambda _progress: None)


def test_by_hand_a_failure_is_said_to_who_asked_and_kept(garden: Garden) -> None:
    def fails(_context: Context) -> str:
        raise RuleBroken("the broom is broken")

    HOOKS["sweep"] = fails
    with pytest.raises(RuleBroken, match="broom"):
        garden.timer.run_now(ADMIN, "chores", "sweep", lambda _progress: None)
    assert [one.outcome for one in garden.runs()] == ["failed"]
    assert not any(one.urgent for one in garden.events)


def test_never_two_of_the_same_at_once() -> None:
    threads: list[threading.Thread] = []
    running, release = threading.Event(), threading.Event()

    def begin(function) -> None:  # type: ignore[no-untyped-def]
        threads.append(threading.Thread(target=function))
        threads[-1].start()

    def slow(_context: Context) -> str:
        running.set()
        assert release.wait(60)
        return ""

    garden = Garden(datetime(2026, 3, 1, 12, tzinfo=JAKARTA), JAKARTA, begin)
    try:
        garden.timer.tick()
        HOOKS["water"] = slow
        garden.later(hours=6)
        assert running.wait(60)
        garden.later(hours=6)
        garden.later(hours=1)
        with pytest.raises(Exception, match="runs already"):
            garden.timer.run_now(ADMIN, "chores", "water", lambda _progress: None)
        assert len(WATERED) == 1
        release.set()
        threads[0].join(60)
        garden.timer.tick()
        for thread in threads:
            thread.join(60)
        assert len(WATERED) == 2, "what came due meanwhile runs after it, once"
    finally:
        release.set()
        garden.close()


def test_a_stop_cancels_what_runs_and_waits_for_it() -> None:
    garden = Garden(datetime(2026, 3, 1, 12, tzinfo=JAKARTA), JAKARTA)
    running, stopped = threading.Event(), threading.Event()
    garden.timer = Timer(garden.runner)

    def tells(_context: Context) -> str:
        running.set()
        assert stopped.wait(60)
        garden.timer._tell(None)  # type: ignore[arg-type]
        return ""

    HOOKS["water"] = tells
    garden.timer.tick()
    garden.later(hours=6)
    assert running.wait(60)
    closing = threading.Thread(target=garden.timer.close)
    closing.start()
    assert garden.timer._closing.wait(60)
    stopped.set()
    closing.join(60)
    assert [one.outcome for one in garden.runs("water")] == ["cancelled"]
    garden.store.close()


@pytest.mark.parametrize(
    ("timed", "words"),
    [
        (Timed(command="swep", when=Every(hours=1)), "did you mean 'sweep'"),
        (Timed(command="water", when=Every(hours=1)), "arguments are a Litres"),
        (Timed(command="sweep", when=Every(hours=1), arguments=Litres()), "takes no arguments"),
    ],
)
def test_an_authors_mistake_is_said_at_the_start(timed: Timed, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        check_timed(service, (timed,), COMMANDS)
    with pytest.raises(TypeError, match="twice"):
        check_timed(service, (commands.TIMED[0], commands.TIMED[0]), COMMANDS)


def test_times_that_are_none() -> None:
    for hours in (0, 9000):
        with pytest.raises(ValueError, match="every"):
            Every(hours=hours)
    with pytest.raises(ValueError, match="no time"):
        Daily(at=time(2, 30, 5))
