"""The store goes away while accounts are committed: the audit log has the postmaster's line when it is there again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.commit.commits import Commits
from appliance.contract.people import Person
from appliance.daemon.ports import MachinePorts
from appliance.services.certificates import service as certificates
from appliance.services.dns import service as dns
from appliance.services.machine import service as machine
from appliance.services.mail import service as mail
from appliance.services.system import service as system
from tests.appliance.commit.parts import ModelMachine, Part
from tests.appliance.daemon.away import store_away, wait_until_told
from tests.appliance.daemon.house import House

SITI = Person("siti", frozenset({"mail.postmaster"}))


def test_accounts_that_are_committed_have_their_line_though_the_store_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.commit.telling.AGAIN", 0.05)
    services = (system, machine, certificates, dns, mail)
    house = House(tmp_path, f"sqlite:///{tmp_path / 'house.sqlite'}", services=services)
    ports = house.parts.ports
    commits = Commits(tmp_path, ModelMachine(), (Part,), told=house.parts._owed)
    monkeypatch.setattr(MachinePorts, "commits", commits)
    # Accounts are data that a model serves as well; which changes are the postmaster's is test_committing's.
    monkeypatch.setattr(ports, "components", lambda connection: (Part(name="mail.accounts", text="eko"),))

    def lines() -> list[tuple[str, str, str]]:
        told = [one for one in house.audit() if one.command == "commit-accounts"]
        return [(one.person, one.service, json.loads(one.arguments)["ending"]) for one in told]

    try:
        with store_away(house):
            answer = house.parts.runner.work(SITI, "mail", "commit-accounts", b"", lambda progress: None)
            assert answer.value.ending == "confirmed"
            assert "the audit log has no line of this yet" in str(answer.value.findings[-1])
            assert lines() == []
        wait_until_told(tmp_path, lines)
        assert lines() == [("siti", "mail", "confirmed")]
    finally:
        commits.close()
        house.store.close()
