"""The timer that takes back what nobody has confirmed, while we live."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from appliance.commit.clock import SystemClock
from appliance.commit.generations import Folder
from appliance.commit.results import Ending
from appliance.commit.timer import Timer
from tests.appliance.commit.parts import ModelMachine, Part, commits_of, stands_whole

WEB = (Part(name="web", text="w1"),)


def test_the_timer_takes_back_while_we_live(tmp_path):
    machine = ModelMachine()
    told, heard = [], threading.Event()
    commits = commits_of(tmp_path, machine, told=lambda outcome: (told.append(outcome), heard.set()))
    commits.commit(WEB, "ana")
    commits.commit((), "ana", confirm_within=1)
    assert heard.wait(20)
    assert told[0].ending is Ending.UNDONE
    assert stands_whole(tmp_path, machine) == 1


def test_the_timer_tries_again_after_any_failure(tmp_path, monkeypatch, caplog):
    machine = ModelMachine()
    monkeypatch.setattr("appliance.commit.expiring.AGAIN", 0.05)
    heard = threading.Event()
    commits = commits_of(tmp_path, machine, told=lambda outcome: heard.set())
    commits.commit(WEB, "ana")
    commits.commit((), "ana", confirm_within=1)
    prepare, failing = Folder.prepare, [OSError(5, "Input/output error"), ValueError("who knows")]

    def fails_first(folder):
        if failing and threading.current_thread() is not threading.main_thread():
            raise failing.pop()
        prepare(folder)

    monkeypatch.setattr(Folder, "prepare", fails_first)
    assert heard.wait(20)
    assert failing == []
    assert stands_whole(tmp_path, machine) == 1
    assert caplog.text.count("what nobody has confirmed could not be taken back") == 2


def test_a_deadline_that_passed_in_a_sleep_of_the_machine_rings_when_it_wakes(tmp_path):
    """CLOCK_BOOTTIME has gone on, CLOCK_MONOTONIC has not."""

    class Sleeper(SystemClock):
        slept = 0.0

        def since_boot(self) -> float:
            return super().since_boot() + self.slept

    clock, machine, heard = Sleeper(), ModelMachine(), threading.Event()
    commits = commits_of(tmp_path, machine, clock, told=lambda owed: heard.set())
    commits.commit(WEB, "ana")
    commits.commit((), "ana", confirm_within=3600)
    assert not heard.wait(0.2)
    clock.slept = 3600.0
    assert heard.wait(20)
    assert stands_whole(tmp_path, machine) == 1
    commits.close()


def test_a_clock_that_somebody_sets_does_not_ring(tmp_path):
    class Wrong(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(days=400)

    machine = ModelMachine()
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana", confirm_within=3600)
    commits.close()
    later = commits_of(tmp_path, machine, Wrong())
    assert later.recover() is None
    assert later.expire() is None
    assert later.status().remaining > 3000
    assert later.confirm("ana").ending is Ending.CONFIRMED
    later.close()


def test_a_timer_that_is_closed_while_it_rings_is_not_set_again():
    rang, go, rings = threading.Event(), threading.Event(), []

    def ring() -> None:
        rings.append(threading.current_thread())
        rang.set()
        assert go.wait(20)
        before = set(threading.enumerate())
        timer.set(0)
        timer.set(0.01)
        for one in set(threading.enumerate()) - before:
            one.join(20)

    timer = Timer(ring, SystemClock())
    timer.set(0)
    assert rang.wait(20)
    timer.close()
    go.set()
    rings[0].join(20)
    assert len(rings) == 1
