"""Generations that fail again and again, or that the disk has spoilt; and errors of ours in the middle of a commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.commit.commits import NothingToRollBackTo
from appliance.commit.results import Ending, Phase
from appliance.contract.components import Severity
from appliance.contract.context import Progress
from tests.appliance.commit.parts import ModelMachine, Part, commits_of, stands_whole

WEB = (Part(name="web", text="w1"),)


@pytest.fixture
def machine() -> ModelMachine:
    return ModelMachine()


def kept(folder: Path) -> list[int]:
    return sorted(int(path.name) for path in (folder / "generations").iterdir())


@pytest.mark.parametrize("verb", ["check", "start"])
def test_commits_that_fail_for_ever_do_not_fill_the_disk(tmp_path, machine, verb):
    commits = commits_of(tmp_path, machine, keep=2)
    commits.commit(WEB, "ana")
    machine.faults.add((verb, "new"))
    machine.lasting = True
    for number in range(2, 12):
        outcome = commits.commit((*WEB, Part(name="new", text=str(number))), "ana")
        assert outcome.ending in {Ending.REFUSED, Ending.UNDONE}
        assert outcome.generation == number
    assert kept(tmp_path) == [0, 1, 10, 11]
    assert [line.number for line in commits.generations()] == [11, 10, 1]
    assert len((tmp_path / "journal.json").read_text()) < 2_000


def test_what_nobody_confirms_for_ever_does_not_fill_the_disk(tmp_path, machine):
    commits = commits_of(tmp_path, machine, keep=2)
    commits.commit(WEB, "ana")
    for number in range(2, 8):
        commits.commit((Part(name="web", text=str(number)),), "ana", confirm_within=600)
        commits.rollback(who="ana")
    assert kept(tmp_path) == [0, 1, 6, 7]


def test_an_older_generation_that_is_spoilt_is_named_and_passed_by(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    for text in ("1", "2", "3"):
        commits.commit((Part(name="web", text=text),), "ana")
    (tmp_path / "generations/2/manifest.json").write_bytes(b"\xff\x00" * 100)
    diagnosis = commits.diagnose()
    assert diagnosis.well, "what serves, serves"
    assert [one.severity for one in diagnosis.findings] == [Severity.WARNING]
    assert "generation 2 cannot be read" in str(diagnosis.findings[0])
    refused = commits.rollback(2, who="ana")
    assert (refused.ending, refused.standing) == (Ending.REFUSED, 3)
    assert commits.rollback(who="ana").standing == 1
    assert stands_whole(tmp_path, machine) == 1


def test_when_the_newest_is_spoilt_an_older_one_comes_back_by_itself(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    for text in ("1", "2", "3"):
        commits.commit((Part(name="web", text=text),), "ana")
    (tmp_path / "generations/3/components.json").write_text("[{}]")
    assert commits.rollback(who="ana").standing == 2
    assert stands_whole(tmp_path, machine) == 2
    with pytest.raises(NothingToRollBackTo):
        commits.rollback(99, who="ana")


def test_what_a_power_cut_left_half_written_is_cleared_away(tmp_path, machine):
    commits = commits_of(tmp_path, machine)
    commits.commit(WEB, "ana")
    half = tmp_path / "generations/.new-2"
    (half / "web").mkdir(parents=True)
    (half / "manifest.json").write_text("{")
    (tmp_path / "generations/.old-1").mkdir()
    assert commits.plan((Part(name="web", text="w2"),)).generation == 2
    assert commits.commit((Part(name="web", text="w2"),), "ana").ending is Ending.CONFIRMED
    assert kept(tmp_path) == [0, 1, 2]


@pytest.mark.parametrize("phase", [Phase.PREFLIGHT, Phase.ACT])
def test_an_error_of_who_watches_leaves_nothing_half(tmp_path, machine, phase):
    """Whatever it is: nobody would look again before the next command, and meanwhile half of it serves."""
    commits = commits_of(tmp_path, machine)
    commits.commit((*WEB, Part(name="db", text="d1")), "ana")

    def breaks(progress: Progress) -> None:
        if progress.doing == f"{phase} web":
            raise RuntimeError("the screen is gone")

    outcome = commits.commit((Part(name="web", text="w2"), Part(name="db", text="d2")), "ana", progress=breaks)
    assert outcome.ending is (Ending.REFUSED if phase is Phase.PREFLIGHT else Ending.UNDONE)
    assert "the screen is gone" in str(outcome.findings[-1])
    assert stands_whole(tmp_path, machine) == 1
    assert commits.status().phase is None
