"""Sheets of accounts: all of them are made, or none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.contract.people import Person
from appliance.contract.refusals import RuleBroken
from appliance.store.audit import AUDIT
from appliance.testing import Caller, Trial

SITI = Person("siti", frozenset({"mail.postmaster"}))


def imported(trial: Trial, text: str) -> Any:
    """As work: outside of a transaction."""
    body = json.dumps({"text": text}).encode()
    answer = trial.runner.work(SITI, "mail", "accounts.import", body, lambda _progress: None)
    return json.loads(answer.json())["made"]


SHEET = """name,full_name,department,quota,password
eko,"Eko, the nurse",nurses,300,
fitri,Fitri,,,gunung salak biru
"""


def test_a_sheet_makes_all_accounts(trial: Trial, house: Caller) -> None:
    made = {one["name"]: one["password"] for one in imported(trial, SHEET)}
    assert set(made) == {"eko", "fitri"}
    assert made["eko"]
    assert not made["fitri"]
    rows = {row["name"]: row for row in house.listing("accounts")}
    assert (rows["eko"]["full_name"], rows["eko"]["quota"]) == ("Eko, the nurse", 300)
    with trial.store.reading() as connection:
        log = " ".join(str(one.arguments) for one in connection.execute(AUDIT.select()))
    assert "fitri" in log
    assert "gunung" not in log
    semicolons = "\ufeffname;full_name\r\ngita;Gita\r\n"
    assert [one["name"] for one in imported(trial, semicolons)] == ["gita"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column name is missing"),
        ("name,full_name\n", "no accounts"),
        ("name,colour\n", "no column colour"),
        ("name,name,full_name\n", "twice"),
        ("name,full_name\neko,Eko\nBudi,B\n", "line 3, column name: it has small letters"),
        ("name,full_name\neko,Eko\neko,Eko\n", "line 3, column name: eko stands in line 2"),
        ("name,full_name\neko,Eko\n\n\nfitri\n", "line 5: it has 1 columns"),
        ("name,full_name,quota\neko,Eko,much\n", "line 2, column quota"),
        ("name,full_name,quota\neko,Eko,-1\n", "line 2, column quota: it is no whole number"),
        ("name,full_name,quota\neko,Eko,99999999\n", "line 2, column quota: it is from 0 to 10000000"),
        ("name,full_name,department\neko,Eko,\nfitri,F,ward\n", "line 3, column department"),
        ("name,full_name,password\neko,Eko,short\n", "line 2, column password"),
        ("name,full_name\neko,Eko\nbudi,B\n", "line 3, column name"),
        ("name,full_name\neko,Eko\nabuse,B\n", "line 3, column name"),
        ("name,full_name\neko,\n", "line 2, column full_name: it is empty"),
        ('name,full_name\neko,"Eko\n', "line 2"),
    ],
)
def test_a_wrong_sheet_makes_none_and_says_where(trial: Trial, house: Caller, text: str, said: str) -> None:
    before = house.listing("accounts")
    with pytest.raises(RuleBroken, match=said):
        imported(trial, text)
    assert house.listing("accounts") == before
