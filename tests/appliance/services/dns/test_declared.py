"""What other services declare: served beside the records of the table, or refused at the commit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.commit.keeping import Kinds
from appliance.components import standard_kinds
from appliance.components.agreements import DnsRecord, DnsRecords
from appliance.contract.components import Component
from appliance.services.dns import service
from appliance.services.dns.components import KINDS, NameServer, completing
from appliance.services.dns.rdata import quoted
from appliance.testing import Caller, Trial

ZONE = "rssulsel.com"
KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
MAIL = DnsRecords(
    name="mail.records",
    records=(
        DnsRecord(name=ZONE, type="MX", value=f"10 mail.{ZONE}."),
        DnsRecord(name=f"mail.{ZONE}", type="A", value="192.168.10.2"),
        DnsRecord(name=f"s1._domainkey.{ZONE}", type="TXT", value=quoted(KEY)),
        DnsRecord(name=ZONE, type="TXT", value='"v=spf1 mx -all"'),
        DnsRecord(name="2.10.168.192.in-addr.arpa", type="PTR", value=f"Mail.{ZONE}."),
        DnsRecord(name=f"ns.{ZONE}", type="A"),
    ),
)


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial(service, now=datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Jakarta")))
    yield made
    made.close()


@pytest.fixture
def keeper(trial: Trial) -> Caller:
    found = trial.person("kartini", "hostmaster")
    found("zones.set-up", name=ZONE, address="192.168.10.2")
    return found


def _all(trial: Trial) -> dict[str, Component]:
    with trial.store.engine.connect() as connection:
        return {one.name: one for one in (MAIL, *completing(connection, (MAIL,)))}


def _said(trial: Trial) -> list[str]:
    found = _all(trial)
    return [f"{one.severity.value} {one}" for component in found.values() for one in component.verify(found)]


@pytest.fixture
def without_pointer(trial: Trial, keeper: Caller) -> Caller:
    (row,) = [one for one in keeper.listing("records") if one["type"] == "PTR"]
    keeper("records.remove", number=row["number"], version=row["version"])
    return keeper


def test_what_mail_declares_is_served_and_the_agreement_holds(trial: Trial, without_pointer: Caller) -> None:
    assert _said(trial) == []
    server = _all(trial)["dns.nsd"]
    texts = {file.path: file.content.decode() for file in server.render()}
    text = texts[f"zones/{ZONE}.zone"]
    assert f"@ 3600 IN MX 10 mail.{ZONE}." in text
    assert f"s1._domainkey 3600 IN TXT {quoted(KEY)}" in text
    assert f"2 3600 IN PTR mail.{ZONE}." in texts["zones/10.168.192.in-addr.arpa.zone"]
    assert not any(one["owner"] == "mail" for one in without_pointer.listing("records"))


def test_a_record_of_the_table_with_another_value_breaks_the_agreement(trial: Trial, without_pointer: Caller) -> None:
    assert _said(trial) == []
    kept = without_pointer("records.add", zone=ZONE, owner="mail", type="A", value="192.168.10.3")
    assert any("needs the dns-record A mail.rssulsel.com 192.168.10.2" in one for one in _said(trial))
    without_pointer("records.remove", number=kept["row"]["number"], version=kept["version"])
    assert _said(trial) == []
    without_pointer("records.add", zone=ZONE, owner="@", type="TXT", value="v=spf1 -all")
    assert any("TXT rssulsel.com" in one and one.startswith("error mail.records") for one in _said(trial))


def test_texts_of_other_purposes_and_the_same_value_do_not(trial: Trial, without_pointer: Caller) -> None:
    without_pointer("records.add", zone=ZONE, owner="@", type="TXT", value="google-site-verification=abc")
    without_pointer("records.add", zone=ZONE, owner="@", type="MX", value="10 MAIL", ttl=600)
    assert _said(trial) == []
    rows = [one for one in without_pointer("served") if one["type"] == "MX"]
    assert [one["value"] for one in rows] == [f"10 mail.{ZONE}."]


def test_who_removes_the_record_or_the_zone_that_mail_needs_is_refused(trial: Trial, without_pointer: Caller) -> None:
    (server,) = [one for one in without_pointer.listing("records") if (one["owner"], one["type"]) == ("ns", "A")]
    without_pointer("records.remove", number=server["number"], version=server["version"])
    assert any("needs the dns-record A ns.rssulsel.com, which nobody provides" in one for one in _said(trial))
    zone = without_pointer("zones.get", name=ZONE)
    without_pointer("zones.remove", name=ZONE, version=zone["version"])
    assert sum("which nobody provides" in one for one in _said(trial)) == len(MAIL.records) - 1


def test_a_declaration_that_is_none_is_said(trial: Trial, keeper: Caller) -> None:
    bad = DnsRecords(name="mail.records", records=(DnsRecord(name=ZONE, type="MX", value="ten mail"),))
    with trial.store.engine.connect() as connection:
        server = completing(connection, (bad,))[0]
    assert isinstance(server, NameServer)
    assert any(one.component == "mail.records" and one.place == f"dns.records/{ZONE} MX" for one in server.verify({}))


def test_a_generation_keeps_the_components(trial: Trial, keeper: Caller) -> None:
    kinds = Kinds((*standard_kinds(), *KINDS))
    for component in _all(trial).values():
        again = kinds.restore(kinds.keep(component))
        assert again == component
        assert [one.content for one in again.render()] == [one.content for one in component.render()]


def test_an_account_more_changes_nothing_of_names(trial: Trial, keeper: Caller) -> None:
    first, second = ([file.content for file in _all(trial)["dns.nsd"].render()] for _ in range(2))
    assert first == second


def test_without_zones_and_settings_nothing_runs(trial: Trial) -> None:
    with trial.store.engine.connect() as connection:
        assert completing(connection, ()) == ()
    person = trial.person("kartini", "hostmaster")
    person("settings.change", version=0, row={"addresses": ["192.168.10.2"], "networks": ["192.168.10.0/24"]})
    with trial.store.engine.connect() as connection:
        assert [one.name for one in completing(connection, ())] == ["dns.unbound"]
