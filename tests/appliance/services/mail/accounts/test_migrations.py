"""The migrations of the mail give its tables, and both databases answer alike."""

from __future__ import annotations

from appliance.services.certificates import service as certificates
from appliance.services.dns import service as dns
from appliance.services.mail import service as mail
from appliance.store.authoring import assert_migrations_match
from appliance.testing import Trial
from tests.appliance.services.mail.accounts.conftest import MONDAY, described


def test_migrations_give_the_tables(database: str) -> None:
    assert_migrations_match(mail, database)


def test_the_hospital_stands_on_either_database(database: str) -> None:
    trial = Trial(mail, certificates, dns, now=MONDAY, url=database)
    try:
        trial.load_examples()
        siti = trial.person("siti", "postmaster")
        rows = siti.listing("accounts", search="ward", order=({"column": "full_name"},))
        assert [(row["name"], row["quota"]) for row in rows] == [("ward.anggrek", 500), ("ward.melati", 500)]
        assert len(siti.listing("dkim")) == 1
        assert described(trial).postmaster == "siti.rahma"
    finally:
        trial.close()
