"""Aliases, groups and roles: an address is one thing's, and leads somewhere."""

from __future__ import annotations

import pytest

from appliance.contract.refusals import InUse, NotFound, RuleBroken
from appliance.daemon.running import InvalidArguments
from appliance.testing import Caller, Trial
from tests.appliance.services.mail.accounts.conftest import described


def aliases(trial: Trial) -> dict[str, tuple[str, ...]]:
    return {one.name: one.targets for one in described(trial).aliases}


def members(trial: Trial, group: str) -> tuple[str, ...]:
    return next(one.members for one in described(trial).groups if one.name == group)


def test_roles_are_the_postmasters_until_something_else_has_them(trial: Trial, house: Caller) -> None:
    roles = aliases(trial)
    assert set(roles) == {"abuse", "hostmaster", "noc", "postmaster", "security", "webmaster"}
    assert set(roles.values()) == {("siti@rssulsel.com",)}
    house("aliases.add", name="webmaster", targets=["dewi", "web@example.org"])
    house("groups.add", name="security", title="Guards", members=["budi"], senders="anybody")
    assert aliases(trial)["webmaster"] == ("dewi@rssulsel.com", "web@example.org")
    assert "security" not in aliases(trial)


def test_everybody_may_write_to_a_role(house: Caller) -> None:
    with pytest.raises(RuleBroken) as refused:
        house("groups.add", name="abuse", title="Abuse", members=["budi"], senders="members")
    assert refused.value.field == "senders"


@pytest.mark.parametrize("taken", ["budi", "b.santoso", "all"])
def test_an_address_is_one_things(house: Caller, taken: str) -> None:
    house("aliases.add", name="b.santoso", targets=["budi"])
    house("groups.add", name="all", title="All", members=["budi"])
    for command, more in (
        ("accounts.add", {"full_name": "X"}),
        ("aliases.add", {"targets": ["dewi"]}),
        ("groups.add", {"title": "X"}),
    ):
        with pytest.raises(Exception, match=taken):
            house(command, name=taken, **more)
    house("aliases.add", name="free", targets=["dewi"])
    with pytest.raises(RuleBroken, match=taken):
        house("aliases.change", name="free", version=1, row={"name": taken, "targets": ["dewi"]})


def test_targets_are_kept_without_our_domain(trial: Trial, house: Caller) -> None:
    kept = house("aliases.add", name="b.s", targets=["Budi@RSSULSEL.com", "budi", "Me@Example.ORG"])
    assert kept["row"]["targets"] == ["budi", "Me@example.org"]
    assert aliases(trial)["b.s"] == ("budi@rssulsel.com", "Me@example.org")


@pytest.mark.parametrize("target", ["eko", "eko@rssulsel.com", "all", "x", "all@rssulsel.com"])
def test_a_target_of_ours_is_an_account_or_an_alias(house: Caller, target: str) -> None:
    house("groups.add", name="all", title="All", members=["budi"])
    with pytest.raises(RuleBroken) as refused:
        house("aliases.add", name="x", targets=[target])
    assert refused.value.field == "targets"


@pytest.mark.parametrize("target", ["|/bin/sh", "/etc/passwd", "a b@example.org", "a@b", "a,b@example.org", "@x.org"])
def test_a_target_is_an_address(house: Caller, target: str) -> None:
    with pytest.raises(InvalidArguments):
        house("aliases.add", name="x", targets=[target])


def test_aliases_lead_to_each_other_without_a_loop(house: Caller) -> None:
    house("aliases.add", name="a", targets=["budi"])
    house("aliases.add", name="b", targets=["a", "dewi"])
    house("aliases.add", name="c", targets=["b"])
    with pytest.raises(RuleBroken, match="a → c → b → a"):
        house("aliases.change", name="a", version=1, row={"name": "a", "targets": ["c"]})
    with pytest.raises(RuleBroken, match="b leads to a"):
        house("aliases.change", name="a", version=1, row={"name": "aa", "targets": ["budi"]})
    with pytest.raises(RuleBroken, match="b leads to a"):
        house("aliases.remove", name="a", version=1)
    found = house("who-gets", address="c@rssulsel.com")
    assert [(one["address"], one["because"]) for one in found] == [
        ("budi@rssulsel.com", "c → b → a"),
        ("dewi@rssulsel.com", "c → b"),
    ]


def test_a_group_is_its_departments_and_its_members(trial: Trial, house: Caller) -> None:
    house("groups.add", name="nurses", title="Nurses", departments=["nurses"], members=["siti"])
    assert members(trial, "nurses") == ("budi", "siti")
    found = house("who-gets", address="nurses")
    assert [(one["address"], one["because"]) for one in found] == [
        ("budi@rssulsel.com", "nurses"),
        ("siti@rssulsel.com", "member"),
    ]
    house("accounts.suspend", name="budi", version=1)
    assert members(trial, "nurses") == ("siti",)
    assert [one["active"] for one in house("who-gets", address="nurses")] == [False, True]
    # A department that is called otherwise takes its accounts and groups along.
    house("departments.change", name="nurses", version=1, row={"name": "perawat", "title": "Perawat"})
    house("accounts.resume", name="budi", version=2)
    assert members(trial, "nurses") == ("budi", "siti")
    with pytest.raises(RuleBroken, match="nurses"):
        house("departments.remove", name="perawat", version=2)
    with pytest.raises(InUse):
        house("departments.remove", name="doctors", version=1)


def test_members_are_there(house: Caller) -> None:
    for wrong in ({"members": ["eko"]}, {"departments": ["x"]}, {"members": ["budi", "budi"]}):
        with pytest.raises(RuleBroken) as refused:
            house("groups.add", name="all", title="All", **wrong)
        assert refused.value.field in wrong


def test_nobody_and_strangers_are_told_apart(house: Caller) -> None:
    with pytest.raises(NotFound):
        house("who-gets", address="nobody")
    with pytest.raises(RuleBroken):
        house("who-gets", address="me@example.org")
    assert house("who-gets", address="Abuse@rssulsel.com")[0]["address"] == "siti@rssulsel.com"
