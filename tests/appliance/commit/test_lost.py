"""Generations that somebody has deleted by hand: nothing is wedged, and nothing that serves is stopped for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from appliance.commit.commits import NothingToRollBackTo
from appliance.commit.generations import GenerationUnreadable
from appliance.commit.results import Ending, Phase
from tests.appliance.commit.parts import ModelClock, ModelMachine, Part, commits_of, stands_whole

OLD = (Part(name="web", text="w1", requires=("db",)), Part(name="db", text="d1"))
NEW = (Part(name="web", text="w2", requires=("db",)), Part(name="db", text="d1"), Part(name="mail", text="m2"))


@pytest.fixture
def machine() -> ModelMachine:
    return ModelMachine()


def lose(folder: Path, number: int) -> None:
    shutil.rmtree(folder / "generations" / str(number))


@pytest.mark.parametrize("how", ["gone", "half a manifest", "no components"])
def test_the_one_that_stands_is_made_anew_when_that_is_wanted(tmp_path, machine, how):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    if how == "gone":
        lose(tmp_path, 1)
    elif how == "half a manifest":
        (tmp_path / "generations/1/manifest.json").write_text('{"number": 1,')
    else:
        (tmp_path / "generations/1/components.json").unlink()
    assert any("manifest.json of generation 1" in str(finding) for finding in commits.plan(NEW).findings)
    refused = commits.commit(NEW, "ana")
    assert (refused.ending, refused.phase) == (Ending.REFUSED, Phase.VERIFY)
    assert machine.running == {"web": "w1", "db": "d1"}
    outcome = commits.commit(NEW, "ana", overwrite=True)
    assert (outcome.ending, set(outcome.acted)) == (Ending.CONFIRMED, {"db", "web", "mail"})
    assert stands_whole(tmp_path, machine) == 2


def test_a_rollback_passes_the_lost_one_by(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    for text in ("1", "2", "3"):
        commits.commit((Part(name="web", text=text),), "ana")
    lose(tmp_path, 3)
    lose(tmp_path, 2)
    outcome = commits.rollback(who="ana")
    assert (outcome.ending, outcome.standing) == (Ending.CONFIRMED, 1)
    assert machine.running == {"web": "1"}
    with pytest.raises(NothingToRollBackTo):
        commits.rollback(who="ana")


def test_the_one_that_waits_is_taken_back_though_it_is_gone(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    commits.commit(NEW, "ana", confirm_within=60)
    lose(tmp_path, 2)
    with pytest.raises(GenerationUnreadable):
        commits.confirm("ana")
    outcome = commits.rollback(who="ana")
    assert (outcome.ending, outcome.standing) == (Ending.UNDONE, 1)
    assert machine.running == {"web": "w1", "db": "d1"}, "mail, of which only the name is left, was stopped too"
    assert stands_whole(tmp_path, machine) == 1
    assert commits.commit(NEW, "ana").ending is Ending.CONFIRMED


@pytest.mark.parametrize("how", ["rollback", "timer", "restart", "boot"])
def test_when_the_one_before_is_gone_an_older_one_serves(tmp_path, machine, how):
    clock = ModelClock()
    commits = commits_of(tmp_path, machine, clock)
    commits.commit(OLD, "ana")
    commits.commit((Part(name="web", text="w1b"), Part(name="extra", text="e")), "ana")
    commits.commit(NEW, "ana", confirm_within=60)
    lose(tmp_path, 2)
    clock.seconds += 61 if how in {"timer", "restart"} else 1
    if how == "boot":
        clock.boots += 1
    if how == "rollback":
        outcome = commits.rollback(who="ana")
    elif how == "timer":
        outcome = commits.expire()
    else:
        commits.close()
        commits = commits_of(tmp_path, machine, clock)
        outcome = commits.recover()
    assert (outcome.ending, outcome.standing) == (Ending.UNDONE, 1)
    assert stands_whole(tmp_path, machine) == 1
    assert commits.recover() is None
    assert commits.commit(NEW, "ana").ending is Ending.CONFIRMED


def test_without_any_to_go_back_to_what_serves_goes_on(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    commits.commit(NEW, "ana", confirm_within=60)
    lose(tmp_path, 1)
    outcome = commits.rollback(who="ana")
    assert (outcome.ending, outcome.standing) == (Ending.BROKEN, 2)
    assert any("generation 1 cannot be read" in str(finding) for finding in outcome.not_undone)
    assert machine.running == {"web": "w2", "db": "d1", "mail": "m2"}
    assert commits.status().unfinished, "whether all of it acted is not known"
    assert commits.resume("ana").ending is Ending.UNCHANGED
    assert not commits.status().unfinished
    assert stands_whole(tmp_path, machine) == 2
    assert commits.commit(OLD, "ana").ending is Ending.CONFIRMED


def test_a_commit_that_fails_over_a_lost_one_stops_nothing_that_serves(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    lose(tmp_path, 1)
    machine.faults.add(("start", "mail"))
    outcome = commits.commit(NEW, "ana", overwrite=True)
    assert (outcome.ending, outcome.standing) == (Ending.BROKEN, 2)
    assert machine.running.keys() >= {"web", "db"}
    assert commits.commit(NEW, "ana").ending is Ending.UNCHANGED
    assert machine.running == {"web": "w2", "db": "d1", "mail": "m2"}


def test_something_in_the_place_of_the_link_is_said(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(OLD, "ana")
    (tmp_path / "current").unlink()
    (tmp_path / "current").mkdir()
    with pytest.raises(GenerationUnreadable, match="is no symbolic link"):
        commits.commit(NEW, "ana")
