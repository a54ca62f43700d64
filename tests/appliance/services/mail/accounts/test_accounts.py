"""Accounts: who makes them, what they are called, their passwords, and how they end."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher

from appliance.contract.refusals import AlreadyThere, Conflict, NotAllowed, RuleBroken
from appliance.daemon.running import InvalidArguments
from appliance.store.audit import AUDIT
from appliance.testing import Caller, Trial
from tests.appliance.services.mail.accounts.conftest import described


def mailbox(trial: Trial, name: str) -> Any:
    return next(one for one in described(trial).mailboxes if one.name == name)


def fits(trial: Trial, name: str, password: str) -> bool:
    """As Dovecot would judge it."""
    kept = mailbox(trial, name).password_hash
    assert kept.startswith("{ARGON2ID}$argon2id$v=19$")
    try:
        return PasswordHasher().verify(kept.removeprefix("{ARGON2ID}"), password)
    except Exception:
        return False


def test_only_the_postmaster_makes_accounts(trial: Trial, siti: Caller) -> None:
    for name, roles in (("", ()), ("eko", ()), ("admin", ("administrator",))):
        with pytest.raises(NotAllowed):
            trial.person(name, *roles)("accounts.add", name="eko", full_name="Eko")
    commands = trial.registry.services["mail"].commands.values()
    assert all(not command.roles & {"visitor", "anyone"} for command in commands)


def test_a_password_is_made_up_and_said_once(trial: Trial, siti: Caller) -> None:
    made = siti("accounts.add", name="budi.santoso", full_name="Budi Santoso")
    assert made["address"] == "budi.santoso@rssulsel.com"
    assert fits(trial, "budi.santoso", made["password"])
    with trial.store.reading() as connection:
        log = " ".join(str(one.arguments) for one in connection.execute(AUDIT.select()))
    assert "budi.santoso" in log
    assert made["password"] not in log
    assert "ARGON2" not in log


def test_a_given_password_is_not_said_back_and_not_logged(trial: Trial, siti: Caller) -> None:
    made = siti("accounts.add", name="budi", full_name="Budi", password="hujan turun di Bantaeng")
    assert made["password"] == ""
    assert fits(trial, "budi", "hujan turun di Bantaeng")
    with trial.store.reading() as connection:
        assert "Bantaeng" not in " ".join(str(one.arguments) for one in connection.execute(AUDIT.select()))


@pytest.mark.parametrize("password", ["short", "elevenchars", "budibudi12345", "aaaaaaaaaaaaaaaa", "new\nline-in-it-x"])
def test_weak_passwords_are_refused(siti: Caller, password: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        siti("accounts.add", name="budibudi", full_name="Budi", password=password)
    assert refused.value.field == "password"


@pytest.mark.parametrize("name", ["Budi", "b udi", ".budi", "budi.", "bu..di", "-budi", "bu/di", "budi+x", "büdi", ""])
def test_a_name_is_a_local_part(siti: Caller, name: str) -> None:
    with pytest.raises(InvalidArguments):
        siti("accounts.add", name=name, full_name="Budi")


@pytest.mark.parametrize("name", ["abuse", "hostmaster", "webmaster", "info", "root", "mailer-daemon"])
def test_a_role_is_no_account(siti: Caller, name: str) -> None:
    with pytest.raises(RuleBroken, match="RFC 2142"):
        siti("accounts.add", name=name, full_name="Role")


def test_a_new_password_takes_the_place_of_the_old_one(trial: Trial, house: Caller) -> None:
    before = mailbox(trial, "budi").password_hash
    trial.later(days=1)
    made = house("accounts.reset-password", name="budi")
    assert mailbox(trial, "budi").password_hash != before
    assert fits(trial, "budi", made["password"])
    row = next(one for one in house.listing("accounts") if one["name"] == "budi")
    assert row["password_changed"].startswith("2026-01-06")
    assert row["last_change"].startswith("2026-01-05")


def test_an_account_keeps_its_name(house: Caller) -> None:
    row = {"name": "budiman", "full_name": "Budi"}
    with pytest.raises(RuleBroken, match="keeps its name"):
        house("accounts.change", name="budi", version=1, row=row)


def test_only_a_suspended_account_goes_and_its_mail_is_nobodys(trial: Trial, house: Caller) -> None:
    house("groups.add", name="all", title="All", members=["budi", "dewi"])
    with pytest.raises(RuleBroken, match="suspend budi first"):
        house("accounts.remove", name="budi", version=1)
    kept = house("accounts.suspend", name="budi", version=1)
    assert not mailbox(trial, "budi").active
    with pytest.raises(Conflict):
        house("accounts.resume", name="budi", version=1)
    house("accounts.remove", name="budi", version=kept["version"])
    assert house("groups.get", name="all")["row"]["members"] == ["dewi"]
    assert any("stays on the disk" in event.template for event in trial.events)
    with pytest.raises(RuleBroken) as refused:
        house("accounts.add", name="budi", full_name="Another Budi")
    assert refused.value.field == "take_over"
    house("accounts.add", name="budi", full_name="Another Budi", take_over=True)
    assert mailbox(trial, "budi").full_name == "Another Budi"
    with pytest.raises(AlreadyThere):
        house("accounts.add", name="budi", full_name="Third")


def test_who_is_led_to_stays(house: Caller) -> None:
    house("aliases.add", name="b.santoso", targets=["budi"])
    house("accounts.suspend", name="budi", version=1)
    with pytest.raises(RuleBroken, match=r"b\.santoso leads to budi"):
        house("accounts.remove", name="budi", version=2)


def test_the_postmaster_is_not_suspended(house: Caller) -> None:
    # The first account that was made, until the settings name one.
    with pytest.raises(RuleBroken, match="postmaster"):
        house("accounts.suspend", name="siti", version=1)
    row = {"name": "siti", "full_name": "Siti", "active": False}
    with pytest.raises(RuleBroken, match="postmaster"):
        house("accounts.change", name="siti", version=1, row=row)
    kept = house("settings.get")
    with pytest.raises(RuleBroken, match="eko"):
        house("settings.change", version=kept["version"], row={**kept["row"], "postmaster": "eko"})
    house("settings.change", version=kept["version"], row={**kept["row"], "postmaster": "dewi"})
    house("accounts.suspend", name="siti", version=1)


def test_what_is_not_said_is_the_departments_or_the_settings(trial: Trial, house: Caller) -> None:
    house("departments.change", name="nurses", version=1, row={"name": "nurses", "title": "Nurses", "quota": 250})
    assert [mailbox(trial, name).quota for name in ("siti", "budi", "dewi")] == [500, 250, 500]
    house("accounts.quota", name="budi", version=1, quota=0)
    assert mailbox(trial, "budi").quota == 0
    house("accounts.quota", name="budi", version=2, quota=None)
    assert mailbox(trial, "budi").quota == 250
    row = {"name": "dewi", "full_name": "Dewi", "messages_per_hour": 7}
    house("accounts.change", name="dewi", version=1, row=row)
    assert (mailbox(trial, "dewi").messages_per_hour, mailbox(trial, "dewi").recipients_per_hour) == (7, 500)
    by_name = {one["name"]: one for one in house.listing("accounts")}
    for one in described(trial).mailboxes:
        row = by_name[one.name]
        assert (row["quota"], row["messages_per_hour"], row["recipients_per_hour"], row["active"]) == (
            one.quota,
            one.messages_per_hour,
            one.recipients_per_hour,
            one.active,
        )
