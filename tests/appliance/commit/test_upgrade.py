"""An upgrade of our own code: what it makes the machine run otherwise is in the plan, and holds after one commit."""

from __future__ import annotations

import json

import pytest

from appliance.commit.commits import Commits
from appliance.commit.results import Ending
from appliance.components.config_files import ConfigFile
from appliance.components.daemon import Daemon
from appliance.contract.programs import Program
from appliance.supervisor import unit
from tests.appliance.commit.parts import ModelMachine, Part, commits_of, stands_whole

TABLE = Part(name="accounts", text="tono")
READER = Part(name="web", text="w", requires=("accounts",), follows=("accounts",), trusts=("accounts",))


@pytest.fixture
def machine() -> ModelMachine:
    return ModelMachine()


def test_a_new_edition_acts_once_and_the_plan_says_so(tmp_path, machine, monkeypatch):
    commits = commits_of(tmp_path, machine)
    monkeypatch.setattr(Part, "edition", "1", raising=False)
    commits.commit((TABLE, READER), "ana")
    assert commits.plan((TABLE, READER)).empty
    monkeypatch.setattr(Part, "edition", "2")
    plan = commits.plan((TABLE, READER))
    assert [(act.component, act.reason) for act in plan.acts] == [("accounts", "upgrade"), ("web", "upgrade")]
    assert plan.files == ()
    machine.checked.clear()
    assert commits.commit((TABLE, READER), "ana").ending is Ending.CONFIRMED
    assert machine.checked == ["accounts", "web"], "it is tried before it is switched"
    assert commits.plan((TABLE, READER)).empty
    assert stands_whole(tmp_path, machine) == 2


def test_with_new_data_it_is_not_taken_for_a_reload_that_needs_no_trial(tmp_path, machine, monkeypatch):
    commits = commits_of(tmp_path, machine)
    monkeypatch.setattr(Part, "edition", "1", raising=False)
    commits.commit((TABLE, READER), "ana")
    monkeypatch.setattr(Part, "edition", "2")
    machine.checked.clear()
    commits.commit((Part(name="accounts", text="siti"), READER), "ana")
    assert machine.checked == ["accounts", "web"]


def test_a_daemon_of_a_generation_that_knew_no_editions_acts(tmp_path, machine):
    file = ConfigFile(template=str(tmp_path / "template"), path="etc/config")
    (tmp_path / "template").write_text("listen\n")
    daemon = Daemon(program=Program(name="mail.web", command=("/bin/true",)), files=(file,))
    commits = Commits(tmp_path, machine, (Daemon,))
    assert commits.commit((daemon,), "ana").ending is Ending.CONFIRMED
    path = tmp_path / "generations/1/components.json"
    kept = json.loads(path.read_text())
    assert [one.pop("edition") for one in kept] == [unit.EDITION]
    path.write_text(json.dumps(kept))
    assert [(act.component, act.reason) for act in commits.plan((daemon,)).acts] == [("mail.web", "upgrade")]


@pytest.mark.parametrize("what", ["_HARDENING", "NETWORK_HOLDS", "STARTED_BY"])
def test_any_line_of_a_unit_makes_another_edition(what, monkeypatch):
    assert unit._edition() == unit.EDITION
    before = getattr(unit, what)
    monkeypatch.setattr(unit, what, (*before, "PrivateNetwork=no") if isinstance(before, tuple) else "other.target")
    assert unit._edition() != unit.EDITION
