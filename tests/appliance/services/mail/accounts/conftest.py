"""A mail service on a store in memory, beside the services that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from appliance.services.certificates import service as certificates
from appliance.services.dns import service as dns
from appliance.services.mail import passwords
from appliance.services.mail import service as mail
from appliance.services.mail.described import describe
from appliance.services.mail.description import MailDescription
from appliance.services.mail.model import Settings
from appliance.services.mail.tables import DKIM, KEYS
from appliance.store.settings import change_settings
from appliance.testing import Caller, Trial
from tests.appliance.postgresql import database, postgresql, postgresql_server

__all__ = ["MONDAY", "begun", "database", "described", "postgresql", "postgresql_server"]

MONDAY = datetime(2026, 1, 5, 9, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
passwords.MEMORY = 64  # what a mail server takes to hash is not for tests


def begun(postmaster: str | None = None) -> Trial:
    """With settings and keys as they are, for who does not ask how they come: an RSA key takes a while."""
    trial = Trial(mail, certificates, dns, now=MONDAY)
    with trial.runner.changing(trial.person("siti").who, "mail", "settings.change", {}) as context:
        change_settings(context, Settings(address="192.168.10.2", postmaster=postmaster), 0)
        key = {"selector": "s1", "private": "P", "public": "Q", "signs": True, "made_at": context.now, "version": 1}
        context.connection.execute(insert(DKIM).values(key))
        context.connection.execute(insert(KEYS).values(name="subject", value="0" * 64))
    return trial


def described(trial: Trial) -> MailDescription:
    """As it stands in the store."""
    with trial.store.reading() as connection:
        found = describe(connection)
    assert found is not None
    return found


@pytest.fixture
def empty() -> Iterator[Trial]:
    """Nobody has set anything."""
    trial = Trial(mail, certificates, dns, now=MONDAY)
    yield trial
    trial.close()


@pytest.fixture
def trial() -> Iterator[Trial]:
    """The settings are made."""
    trial = begun()
    yield trial
    trial.close()


@pytest.fixture
def siti(trial: Trial) -> Caller:
    """The postmaster."""
    return trial.person("siti", "postmaster")


@pytest.fixture
def house(siti: Caller) -> Any:
    """Two departments and three accounts."""
    for name, title in (("nurses", "Nurses"), ("doctors", "Doctors")):
        siti("departments.add", name=name, title=title)
    siti("accounts.add", name="siti", full_name="Siti Rahma")
    siti("accounts.add", name="budi", full_name="Budi [b]Santoso[/x]", department="nurses")
    siti("accounts.add", name="dewi", full_name="Dewi Lestari", department="doctors")
    return siti
