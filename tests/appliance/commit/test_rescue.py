"""A journal that is spoilt or gone: nothing is guessed, what serves goes on, and one command begins another journal."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance import durable
from appliance.commit.clock import SystemClock
from appliance.commit.commits import Commits, NothingToRollBackTo
from appliance.commit.generations import GenerationUnreadable
from appliance.commit.journal import JournalUnreadable, read_journal
from appliance.commit.rescuing import NothingToRecover
from appliance.commit.results import Ending, Standing
from appliance.contract.refusals import Refused
from tests.appliance.commit.parts import (
    Killed,
    ModelClock,
    ModelMachine,
    Part,
    commits_of,
    dying,
    stands_whole,
)
from tests.appliance.commit.test_guarded import Network, NetworkMachine

OLD = (Part(name="web", text="w1", requires=("db",)), Part(name="db", text="d1"), Part(name="old", text="o1"))
NEW = (Part(name="web", text="w2", requires=("db",)), Part(name="db", text="d1"), Part(name="mail", text="m2"))


def _gone(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _cut(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _writes(content: bytes) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(content), None)[1]


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "gone": (_gone, "it is gone, and generations are there"),
    "a folder": (_folder, "Is a directory"),
    "cut": (_cut, "Invalid JSON: EOF"),
    "empty": (_writes(b""), "Invalid JSON: EOF"),
    "zeros": (_writes(bytes(4096)), "Invalid JSON"),
    "no text": (_writes(b"\xff\xfe\x00" * 40), "Invalid JSON"),
    "no object": (_writes(b"[]"), "Input should be an object"),
    "nothing said": (_writes(b"{}"), "it does not say last and standing"),
    "another shape": (_writes(b'{"standing": "all", "last": 2}'), "standing: Input should be a valid integer"),
}


@pytest.fixture
def machine() -> ModelMachine:
    return ModelMachine()


def test_a_journal_of_the_right_shape_is_the_only_one_that_is_read(tmp_path):
    """The empty machine is what nobody may be told by mistake."""
    journal = tmp_path / "journal.json"
    assert read_journal(journal).standing == 0
    journal.write_text('{"standing": 3, "last": 4}')
    assert read_journal(journal).last == 4


@pytest.mark.parametrize("how", SPOILT)
def test_everything_refuses_with_what_is_to_be_done_and_one_command_mends_it(tmp_path, machine, how, caplog):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    commits.commit(NEW, "ana")
    spoil, why = SPOILT[how]
    spoil(tmp_path / "journal.json")
    running = dict(machine.running)
    does: tuple[Callable[[], Any], ...] = (
        commits.status,
        commits.generations,
        commits.diagnose,
        lambda: commits.plan(OLD),
        lambda: commits.commit(OLD, "ana"),
        lambda: commits.confirm("ana"),
        lambda: commits.rollback(who="ana"),
        lambda: commits.resume("ana"),
        commits.recover,
    )
    for do in does:
        with pytest.raises(JournalUnreadable, match="gerbang appliance recover") as found:
            do()
        assert str(tmp_path / "journal.json") in str(found.value)
        assert why in str(found.value)
    (said,) = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert str(tmp_path / "journal.json") in said.getMessage()
    assert (machine.running, commits._ground.folder.pointed()) == (running, 2)

    outcome = commits.rescue("ana")
    assert (outcome.ending, outcome.standing) == (Ending.CONFIRMED, 2)
    assert why in str(outcome.findings[0])
    assert (machine.running, commits._ground.folder.pointed()) == (running, 2)
    assert commits.recover() is None
    assert commits.status().confirmed == 2
    assert [(line.number, line.standing) for line in commits.generations()] == [
        (2, Standing.CONFIRMED),
        (1, Standing.UNKNOWN),
    ]
    machine.did.clear()
    assert commits.commit(NEW, "ana").ending is Ending.UNCHANGED
    assert {name for _verb, name in machine.did} == {"web", "db", "mail"}, "all of it acts again"
    assert commits.commit(OLD, "ana").generation == 3
    assert stands_whole(tmp_path, machine) == 3
    commits.close()


def test_what_was_put_aside_is_whole_and_never_overwritten(tmp_path, machine):
    commits = commits_of(tmp_path, machine, ModelClock())
    commits.commit(OLD, "ana")
    for content in (b"one", b"two"):
        (tmp_path / "journal.json").write_bytes(content)
        outcome = commits.rescue("ana")
    aside = sorted(tmp_path.glob("journal.json.spoilt-*"))
    assert sorted(path.read_bytes() for path in aside) == [b"one", b"two"]
    assert any(str(aside[1]) in str(finding) for finding in outcome.findings)


def test_a_journal_that_is_well_is_left_alone(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    with pytest.raises(NothingToRecover):
        commits.rescue("ana")
    commits.commit(OLD, "ana")
    before = (tmp_path / "journal.json").read_bytes()
    with pytest.raises(NothingToRecover):
        commits.rescue("ana")
    assert (tmp_path / "journal.json").read_bytes() == before


def test_a_journal_whose_rights_are_wrong_is_not_put_aside(tmp_path, machine, monkeypatch):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(JournalUnreadable, match="Permission denied"):
        commits.rescue("ana")
    monkeypatch.undo()
    assert commits.status().confirmed == 1


def test_after_a_power_cut_what_served_before_serves_without_a_journal(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    (tmp_path / "journal.json").write_bytes(b"")
    machine.running.clear()
    assert set(commits.hold()) == {"web", "db", "old"}
    assert commits.hold() == ()
    assert stands_whole(tmp_path, machine) == 1
    assert (tmp_path / "journal.json").read_bytes() == b""


def test_what_the_helper_takes_back_is_never_made_to_act_without_its_guard(tmp_path, monkeypatch):
    """The generation may have waited for its confirmation: acting, its network would cut people off for good."""
    machine = NetworkMachine()
    commits = Commits(tmp_path, machine, (Part, Network))
    commits.commit((Network(text="n1"), Part(name="web", text="w1")), "ana", confirm_within=600)
    commits.close()
    (tmp_path / "journal.json").write_bytes(b"")
    monkeypatch.setattr(Network, "probe", lambda self, files, machine: Part(name="network").probe(files, machine))
    machine.running.clear()
    machine.did.clear()
    commits = Commits(tmp_path, machine, (Part, Network))
    assert commits.hold() == ("web",)
    outcome = commits.rescue("ana")
    assert any(one.component == "network" and "does not serve" in str(one) for one in outcome.findings)
    assert commits.status().unfinished == ("web",)
    commits.commit((Network(text="n1"), Part(name="web", text="w2")), "ana")
    assert "apply" not in {verb for verb, _ in machine.did}
    commits.close()


@pytest.mark.parametrize("how", ["bent", "a folder", "gone", "lost", "lost and alone"])
def test_without_a_generation_to_stand_on_the_newest_that_can_be_read_stands(tmp_path, machine, how):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    commits.commit(NEW, "ana")
    (tmp_path / "journal.json").write_bytes(b"")
    link = tmp_path / "current"
    stands = 1 if how == "lost" else 0 if how == "lost and alone" else 2
    if "lost" in how:
        (tmp_path / "generations/2/manifest.json").write_bytes(b"")
        if how != "lost":
            shutil.rmtree(tmp_path / "generations/1")
    else:
        link.unlink()
        if how == "bent":
            link.symlink_to("/etc")
        elif how == "a folder":
            link.mkdir()
            (link / "precious").write_text("p")
    outcome = commits.rescue("ana")
    assert outcome.standing == stands
    assert commits.status().current == stands
    if how == "a folder":
        (aside,) = tmp_path.glob("current.spoilt-*")
        assert (aside / "precious").read_text() == "p"
    runs_beside = {one.component for one in outcome.findings if "it runs, and" in str(one)}
    assert runs_beside == {"lost": {"mail"}, "lost and alone": {"web", "db", "mail"}}.get(how, set())
    made = commits.commit(OLD, "ana")
    assert made.ending in {Ending.CONFIRMED, Ending.UNCHANGED}
    if how == "lost and alone":
        assert made.generation == 3, "no number is given twice"
        assert commits.resume("ana").ending is Ending.UNCHANGED  # stops what nobody could know to be unwanted before
    assert stands_whole(tmp_path, machine) == made.standing
    assert not commits.status().unfinished


def test_nobody_goes_back_by_himself_to_what_may_have_failed(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    commits.commit(NEW, "ana")
    (tmp_path / "journal.json").write_bytes(b"")
    commits.rescue("ana")
    with pytest.raises(NothingToRollBackTo):
        commits.rollback(who="ana")
    assert commits.rollback(1, who="ana").standing == 1
    assert stands_whole(tmp_path, machine) == 1


def test_whatever_was_underway_when_it_was_spoilt_the_next_commit_makes_all_of_it_whole(tmp_path):
    start = tmp_path / "start"
    first = ModelMachine()
    commits_of(start, first).commit(OLD, "ana")
    for at in range(500):
        folder = tmp_path / str(at)
        shutil.copytree(start, folder, symlinks=True)
        machine = ModelMachine(running=dict(first.running))
        try:
            with dying(at):
                commits_of(folder, machine).commit(NEW, "ana")
            break
        except Killed:
            pass
        (folder / "journal.json").write_bytes(b"")
        commits = commits_of(folder, machine)
        with dying(10**9):
            assert commits.rescue("ana").standing in {1, 2}
            assert commits.commit(NEW, "ana").ending in {Ending.CONFIRMED, Ending.UNCHANGED}
        stands_whole(folder, machine)
        assert machine.running == {"web": "w2", "db": "d1", "mail": "m2"}
    assert at > 20


def test_dying_at_any_step_of_the_rescue_leaves_what_can_be_rescued(tmp_path):
    start, first = tmp_path / "start", ModelMachine()
    commits = commits_of(start, first)
    commits.commit(OLD, "ana")
    commits.commit(NEW, "ana")
    (start / "journal.json").write_bytes(b"")
    os.unlink(start / "current")
    for at in range(100):
        folder = tmp_path / str(at)
        shutil.copytree(start, folder, symlinks=True)
        machine = ModelMachine(running=dict(first.running))
        try:
            with dying(at):
                commits_of(folder, machine).rescue("ana")
            break
        except Killed:
            pass
        again = commits_of(folder, machine)
        with dying(10**9):
            try:
                assert again.rescue("ana").standing == 2
            except NothingToRecover:
                assert again.status().confirmed == 2
            assert again.commit(OLD, "ana").ending is Ending.CONFIRMED
        assert stands_whole(folder, machine) == 3
    assert at > 5


def test_a_full_disk_is_said_and_can_be_mended_afterwards(tmp_path, machine, monkeypatch):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    (tmp_path / "journal.json").write_bytes(b"")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "put", full)
        with pytest.raises(Refused, match="No space left"):
            commits.rescue("ana")
    with pytest.raises(JournalUnreadable, match="it is gone"):
        commits.status()
    assert commits.rescue("ana").standing == 1


def test_a_helper_that_does_not_answer_is_said(tmp_path, machine, monkeypatch):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    (tmp_path / "journal.json").write_bytes(b"")

    def away() -> None:
        raise ConnectionError("the helper is away")

    monkeypatch.setattr(machine, "status", away)
    outcome = commits.rescue("ana")
    assert any("the helper is away" in str(one) for one in outcome.findings)
    assert commits.status().phase is None


def test_a_journal_that_is_put_back_while_a_generation_waits_is_followed_again(tmp_path, machine, monkeypatch, caplog):
    """By hand, from a copy: what nobody confirms is taken back in its time as if nothing had been."""
    monkeypatch.setattr("appliance.commit.expiring.AGAIN", 0.05)
    taken = threading.Event()
    commits = commits_of(tmp_path, machine, told=lambda owed: taken.set())
    commits.commit(OLD, "ana")
    commits.commit(NEW, "ana", confirm_within=600)
    commits.close()
    journal = tmp_path / "journal.json"
    whole = journal.read_bytes()
    journal.write_bytes(b"")
    clock = ModelClock()
    clock.seconds = SystemClock().since_boot() + 10_000
    commits = commits_of(tmp_path, machine, clock, told=lambda owed: taken.set())
    with pytest.raises(JournalUnreadable):
        commits.recover()
    journal.write_bytes(whole)
    assert taken.wait(60)
    assert stands_whole(tmp_path, machine) == 1
    commits.close()
    assert len([one for one in caplog.records if one.levelno == logging.CRITICAL]) == 1
    assert commits.status().phase is None


def test_a_program_that_only_a_lost_generation_knew_is_stopped_by_the_next_commit(tmp_path, machine):
    """Also without any spoilt journal: what is left unfinished of a lost generation was forgotten, and ran on."""
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    machine.faults |= {("stop", "mail"), ("start", "web")}
    machine.lasting = True
    broken = commits.commit(NEW, "ana")
    assert (broken.ending, broken.standing) == (Ending.BROKEN, 1)
    assert "mail" in commits.status().unfinished
    machine.faults.clear()
    shutil.rmtree(tmp_path / "generations/2")
    with pytest.raises(GenerationUnreadable):
        commits._ground.folder.read(2)
    commits.commit(OLD, "ana")
    assert "mail" not in machine.running
    assert stands_whole(tmp_path, machine) == 1
