"""The postmaster's own commit: accounts alone, and nothing that waits beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.commit.commits import Commits
from appliance.contract.components import Component
from appliance.contract.people import Person
from appliance.contract.refusals import NotAllowed, RuleBroken
from appliance.services.mail.accounts_tables import MailAccounts, MailAddressbook, MailPasswords
from appliance.services.mail.committing import OURS
from appliance.services.mail.components import components
from appliance.services.mail.described import describe
from appliance.store.audit import AUDIT
from appliance.testing import Caller, Trial
from tests.appliance.commit.parts import ModelMachine, Part

SITI = Person("siti", frozenset({"mail.postmaster"}))


class Ground:
    """Commits of a model of a machine: the tables as they are, a program that follows them, and somebody else's."""

    def __init__(self, trial: Trial, folder: Path) -> None:
        self.trial = trial
        self.network = "eth0"
        machine: Any = ModelMachine()
        kinds = (Part, MailAccounts, MailPasswords, MailAddressbook)
        self.commits = Commits(folder, machine, kinds)
        trial.runner.appliance = SimpleNamespace(commits=self.commits, components=self.components)

    def components(self, connection: Any) -> tuple[Component, ...]:
        found = describe(connection)
        assert found is not None
        accounts = MailAccounts.of(found)
        return (
            accounts,
            MailPasswords.of(found),
            MailAddressbook.of(found),
            Part(name="mail.postfix", requires=(accounts.name,), follows=(accounts.name,), trusts=(accounts.name,)),
            Part(name="network", text=self.network),
        )

    def commit_all(self) -> None:
        """As an administrator does."""
        with self.trial.store.reading() as connection:
            components = self.components(connection)
        assert self.commits.commit(components, "admin").ending == "confirmed"

    def commit_accounts(self, person: Person = SITI) -> Any:
        answer = self.trial.runner.work(person, "mail", "commit-accounts", b"", lambda _progress: None)
        return json.loads(answer.json())

    def table(self) -> str:
        return (self.folder() / "mail.accounts" / "mailboxes").read_text()

    def folder(self) -> Path:
        return self.commits._ground.folder.current.resolve()


@pytest.fixture
def ground(trial: Trial, house: Caller, tmp_path: Path) -> Iterator[Ground]:
    made = Ground(trial, tmp_path / "commits")
    yield made
    made.commits.close()


def test_a_new_account_holds_on_one_key(ground: Ground, trial: Trial, house: Caller) -> None:
    ground.commit_all()
    assert house("waiting") == {"accounts": False, "others": []}
    assert ground.commit_accounts()["ending"] == "unchanged"
    house("accounts.add", name="eko", full_name="Eko")
    assert house("waiting") == {"accounts": True, "others": []}
    assert "eko" not in ground.table()
    outcome = ground.commit_accounts()
    assert outcome["ending"] == "confirmed"
    assert "mail.postfix" in outcome["acted"]
    assert "network" not in outcome["acted"]
    assert "eko@rssulsel.com" in ground.table()
    with trial.store.reading() as connection:
        lines = [(one.person, one.command) for one in connection.execute(AUDIT.select())]
    assert ("siti", "commit-accounts") in lines


def test_what_else_waits_is_for_an_administrator(ground: Ground, house: Caller) -> None:
    # At first all of it is new.
    with pytest.raises(RuleBroken, match=r"mail\.postfix, network"):
        ground.commit_accounts()
    ground.commit_all()
    ground.network = "eth1"
    house("accounts.add", name="eko", full_name="Eko")
    assert house("waiting") == {"accounts": True, "others": ["network"]}
    with pytest.raises(RuleBroken, match="network"):
        ground.commit_accounts()
    assert "eko" not in ground.table()
    ground.commit_all()
    assert "eko" in ground.table()


def test_after_an_upgrade_an_administrator_is_first(
    ground: Ground, house: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.commit_all()
    monkeypatch.setattr(Part, "edition", "another", raising=False)
    house("accounts.add", name="eko", full_name="Eko")
    assert house("waiting") == {"accounts": True, "others": ["mail.postfix", "network"]}
    with pytest.raises(RuleBroken, match=r"was upgraded: an administrator commits that first.*mail\.postfix"):
        ground.commit_accounts()
    ground.commit_all()
    assert house("waiting") == {"accounts": False, "others": []}


def test_records_change_only_what_the_postmaster_commits(trial: Trial, house: Caller) -> None:
    def made() -> dict[str, Any]:
        with trial.store.reading() as connection:
            found = {one.name: (one, tuple(one.render())) for one in components(connection)}
        assert found.keys() >= OURS
        return found

    before = made()
    for command, arguments in (
        ("accounts.add", {"name": "eko", "full_name": "Eko", "department": "nurses"}),
        ("accounts.reset-password", {"name": "eko"}),
        ("accounts.quota", {"name": "eko", "version": 1, "quota": 7}),
        ("accounts.change", {"name": "eko", "version": 2, "row": {"name": "eko", "full_name": "E", "active": False}}),
        ("aliases.add", {"name": "b", "targets": ["budi", "me@example.org"]}),
        ("groups.add", {"name": "all", "title": "All", "departments": ["nurses"], "senders": "members"}),
        ("departments.change", {"name": "nurses", "version": 1, "row": {"name": "ns", "title": "N", "quota": 9}}),
        ("accounts.remove", {"name": "eko", "version": 3}),
    ):
        house(command, **arguments)
        after = made()
        changed = {name for name in after if after[name] != before[name]}
        assert changed, f"{command} makes nothing hold"
        assert changed <= OURS, command
        before = after


def test_who_is_no_postmaster_commits_nothing(ground: Ground) -> None:
    ground.commit_all()
    with pytest.raises(NotAllowed):
        ground.commit_accounts(Person("eko", frozenset({"machine.observer"})))
