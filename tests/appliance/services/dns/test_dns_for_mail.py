"""The real mail service on a store with names: its set-up alone makes zones in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.contract.components import Component, Severity
from appliance.contract.people import Person
from appliance.daemon.ports import MachinePorts
from appliance.services.certificates import service as certificates
from appliance.services.dns import service as dns
from appliance.services.dns.rules import problems
from appliance.services.mail import service as mail
from appliance.testing import Trial

ZONE, ADDRESS = "rssulsel.com", "192.168.10.2"
KARTINI = Person("kartini", frozenset({"dns.hostmaster"}))


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial(mail, certificates, dns, now=datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Jakarta")))
    made.person("budi", "postmaster")("settings.change", version=0, row={"domain": ZONE, "address": ADDRESS})
    yield made
    made.close()


def _all(trial: Trial, tmp_path: Path) -> Mapping[str, Component]:
    ports = MachinePorts((certificates, dns, mail), tmp_path, None)
    with trial.store.reading() as connection:
        return {one.name: one for one in ports.components(connection)}


def test_a_mail_server_is_found_as_soon_as_it_is_set_up(trial: Trial, tmp_path: Path) -> None:
    found = _all(trial, tmp_path)
    server, records = found["dns.nsd"], found["mail.records"]
    assert problems(server.zones) == ()  # type: ignore[attr-defined]
    assert [*server.verify(found), *records.verify(found), *found["dns.unbound"].verify(found)] == []
    text = {one.path: one.content.decode() for one in server.render()}[f"zones/{ZONE}.zone"]
    assert f"@ 3600 IN MX 10 mail.{ZONE}." in text
    assert "_domainkey 3600 IN TXT" in text
    assert found["dns.unbound"].requires == ("dns.nsd",)


def test_a_hostmaster_cannot_cut_it_off(trial: Trial, tmp_path: Path) -> None:
    wrong = b'{"zone": "rssulsel.com", "owner": "@", "type": "MX", "value": "10 mx.example.net."}'
    trial.runner.call(KARTINI, "dns", "records.add", wrong)
    found = _all(trial, tmp_path)
    (said,) = found["mail.records"].verify(found)
    assert said.severity is Severity.ERROR
    assert "MX rssulsel.com 10 mail.rssulsel.com" in str(said)
