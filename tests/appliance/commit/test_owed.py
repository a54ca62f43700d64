"""What was taken back while nobody waited is told to the audit log, however long the store is away."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from appliance import durable
from appliance.commit import telling
from appliance.commit.commits import Commits, NothingToConfirm
from appliance.commit.generations import Folder
from appliance.commit.journal import Owed, read_journal
from appliance.commit.lock import locked
from appliance.commit.results import Ending, Outcome
from tests.appliance.commit.parts import Killed, ModelClock, ModelMachine, Part, commits_of, dying, stands_whole

WEB = (Part(name="web", text="w1"),)


class AuditLog:
    """Takes lines while it is there."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.asked = threading.Semaphore(0)
        self.heard = threading.Event()
        self.lines: list[tuple[str, str, str, int]] = []

    def tell(self, owed: Owed) -> None:
        self.asked.release()
        if self.away:
            raise ConnectionError("the store is away")
        self.lines.append((owed.command, owed.who, owed.ending.value, owed.generation))
        self.heard.set()


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(telling, "AGAIN", 0.05)


def struck(folder: Path) -> None:
    """Wait until nothing is owed."""
    for _ in range(2_000):
        if not read_journal(folder / "journal.json").owed:
            return
        threading.Event().wait(0.01)
    raise AssertionError("it is owed still")


def waiting(folder: Path, clock: ModelClock, **options: object) -> Commits:
    """A generation that nobody has confirmed in its time, by a daemon that did not see it."""
    machine = ModelMachine()
    commits = commits_of(folder, machine, clock)
    commits.commit(WEB, "ana")
    commits.commit((), "ana", confirm_within=600)
    commits.close()
    clock.seconds += 601
    return commits_of(folder, machine, clock, **options)


def test_the_timer_takes_back_though_the_store_is_away_and_the_line_comes_later(tmp_path):
    machine, log = ModelMachine(), AuditLog(away=True)
    commits = commits_of(tmp_path, machine, told=log.tell)
    commits.commit(WEB, "ana")
    commits.commit((), "ana", confirm_within=1)
    for _ in range(3):
        assert log.asked.acquire(timeout=60)
    assert stands_whole(tmp_path, machine) == 1
    assert commits.status().phase is None
    log.away = False
    assert log.heard.wait(60)
    struck(tmp_path)
    assert log.lines == [("rollback", "", "undone", 2)]
    commits.close()


def test_what_is_owed_outlives_the_process(tmp_path):
    clock, first, second = ModelClock(), AuditLog(away=True), AuditLog()
    commits = waiting(tmp_path, clock, told=first.tell)
    assert commits.recover().ending is Ending.UNDONE
    assert first.asked.acquire(timeout=60)
    commits.close()
    again = commits_of(tmp_path, ModelMachine(), clock, told=second.tell)
    assert again.recover() is None
    assert second.heard.wait(60)
    struck(tmp_path)
    again.close()
    assert second.lines == [("rollback", "", "undone", 2)]
    third = AuditLog()
    last = commits_of(tmp_path, ModelMachine(), clock, told=third.tell)
    assert last.recover() is None
    last.close()
    assert third.lines == []


def test_without_anybody_to_tell_it_waits_for_who_comes_after(tmp_path):
    clock = ModelClock()
    commits = waiting(tmp_path, clock)
    commits.recover()
    commits.close()
    log = AuditLog()
    again = commits_of(tmp_path, ModelMachine(), clock, told=log.tell)
    again.recover()
    assert log.heard.wait(60)
    again.close()


def test_what_a_command_finds_overdue_is_told_too(tmp_path):
    log = AuditLog()
    commits = waiting(tmp_path, ModelClock(), told=log.tell)
    with pytest.raises(NothingToConfirm):
        commits.confirm("ana")
    assert log.heard.wait(60)
    struck(tmp_path)
    commits.close()
    assert log.lines == [("rollback", "", "undone", 2)]


def test_what_somebody_did_while_the_store_was_away_is_told_with_his_name(tmp_path):
    log = AuditLog()
    commits = commits_of(tmp_path, ModelMachine(), told=log.tell)
    outcome = commits.commit(WEB, "ana")
    assert isinstance(outcome, Outcome)
    commits.owe("commit", "ana", outcome)
    assert log.heard.wait(60)
    struck(tmp_path)
    commits.close()
    assert log.lines == [("commit", "ana", "confirmed", 1)]


def test_a_line_that_cannot_be_struck_out_is_not_told_twice(tmp_path, monkeypatch):
    """The disk is full when the journal should say that it was told."""
    log, failing, put = AuditLog(), [1, 1, 1], telling.write_journal

    def fails_first(path, journal):
        if failing:
            failing.pop()
            raise OSError(28, "No space left on device")
        put(path, journal)

    monkeypatch.setattr(telling, "write_journal", fails_first)
    commits = waiting(tmp_path, ModelClock(), told=log.tell)
    commits.recover()
    struck(tmp_path)
    commits.close()
    assert log.lines == [("rollback", "", "undone", 2)]


def test_a_recovery_that_fails_is_tried_again_by_itself(tmp_path, monkeypatch):
    log, failing, prepare = AuditLog(), [1, 1], Folder.prepare
    monkeypatch.setattr("appliance.commit.expiring.AGAIN", 0.05)
    commits = waiting(tmp_path, ModelClock(), told=log.tell)

    def fails_first(folder):
        if failing:
            failing.pop()
            raise OSError(28, "No space left on device")
        prepare(folder)

    monkeypatch.setattr(Folder, "prepare", fails_first)
    with pytest.raises(OSError, match="No space"):
        commits.recover()
    assert log.heard.wait(60)
    assert commits.status().current == 1
    commits.close()


def test_a_link_that_cannot_be_moved_is_tried_again_by_itself(tmp_path, monkeypatch):
    """A full disk has no room for the link's new name."""
    log, failing, link = AuditLog(), [1, 1], os.symlink
    monkeypatch.setattr("appliance.commit.expiring.AGAIN", 0.05)
    commits = waiting(tmp_path, ModelClock(), told=log.tell)

    def fails_first(*arguments, **options):
        if failing:
            failing.pop()
            raise OSError(28, "No space left on device")
        link(*arguments, **options)

    monkeypatch.setattr(os, "symlink", fails_first)
    assert commits.recover().ending is Ending.BROKEN
    assert log.heard.wait(60)
    commits.close()
    assert commits.status().current == 1
    assert log.lines == [("rollback", "", "undone", 2)]


def test_dying_at_any_step_of_the_recovery_loses_no_line(tmp_path):
    """It is owed from the very write on that ends the change."""
    clock = ModelClock()
    with dying(10**9):
        waiting(tmp_path / "start", clock).close()
    for at in range(500):
        folder, log = tmp_path / str(at), AuditLog()
        shutil.copytree(tmp_path / "start", folder, symlinks=True)
        first = commits_of(folder, ModelMachine(), clock)
        try:
            with dying(at):
                first.recover()
            break
        except Killed:
            pass
        others = set(threading.enumerate())
        second = commits_of(folder, ModelMachine(), clock, told=log.tell)
        with dying(10**9):
            second.recover()
            assert log.heard.wait(60)
            struck(folder)
        second.close()
        # Its thread may be about to sync the journal, and would take a step of the next death.
        for thread in set(threading.enumerate()) - others:
            thread.join(60)
        assert log.lines == [("rollback", "", "undone", 2)]
    assert at > 10


@pytest.mark.parametrize("how", ["full", "busy"])
def test_what_the_journal_cannot_keep_is_told_all_the_same(tmp_path, monkeypatch, how):
    """Store and journal lie on one disk: when it is full neither takes the line. Or somebody else commits just then."""
    log, failing, put = AuditLog(away=True), threading.Event(), durable.put

    def full(*arguments):
        if failing.is_set():
            raise OSError(28, "No space left on device")
        put(*arguments)

    monkeypatch.setattr(durable, "put", full)
    monkeypatch.setattr(telling, "PATIENCE", 0.05)
    commits = commits_of(tmp_path, ModelMachine(), told=log.tell)
    outcome = commits.commit(WEB, "ana")
    if how == "full":
        failing.set()
        commits.owe("commit", "ana", outcome)
    else:
        with locked(Folder(tmp_path).lock, "eko", ModelClock().now()):
            commits.owe("commit", "ana", outcome)
    assert log.asked.acquire(timeout=60)
    log.away = False
    assert log.heard.wait(60)
    failing.clear()
    struck(tmp_path)
    commits.close()
    assert log.lines == [("commit", "ana", "confirmed", 1)]


def test_what_memory_alone_kept_outlives_the_process_once_the_disk_has_room(tmp_path, monkeypatch):
    log, failing, put = AuditLog(away=True), [1], telling.write_journal

    def full_once(path, journal):
        if failing:
            failing.pop()
            raise OSError(28, "No space left on device")
        put(path, journal)

    monkeypatch.setattr(telling, "write_journal", full_once)
    commits = commits_of(tmp_path, ModelMachine(), told=log.tell)
    commits.owe("commit-accounts", "siti", commits.commit(WEB, "ana"), service="mail")
    for _ in range(2):
        assert log.asked.acquire(timeout=60)
    commits.close()
    (owed,) = read_journal(tmp_path / "journal.json").owed
    assert (owed.service, owed.command, owed.who) == ("mail", "commit-accounts", "siti")


def test_a_journal_from_before_services_were_named_is_the_machines(tmp_path):
    commits = waiting(tmp_path, ModelClock())
    commits.recover()
    commits.close()
    journal = tmp_path / "journal.json"
    told = json.loads(journal.read_text())
    del told["owed"][0]["service"]
    journal.write_text(json.dumps(told))
    assert read_journal(journal).owed[0].service == "machine"
