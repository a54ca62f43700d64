"""The webmaster's commands: what is needed first, what comes along, and what the root helper is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from sqlalchemy import select

from appliance.components.agreements import DnsRecords
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.programs import State, Status
from appliance.contract.refusals import NotAllowed, NotFound, Refused, RuleBroken
from appliance.services.certificates import service as certificates
from appliance.services.certificates.tables import CERTIFICATES
from appliance.services.dns import service as dns
from appliance.services.mail import service as mail
from appliance.services.webmail import service
from appliance.services.webmail.components import components
from appliance.services.webmail.described import describe
from appliance.services.webmail.tables import KEYS
from appliance.supervisor.errors import SupervisionFailed
from appliance.testing import Caller, Trial

MAIL = {
    "domain": "rssulsel.com",
    "host": "mail",
    "address": "192.168.10.2",
    "networks": ["192.168.10.0/24"],
    "postmaster": "kepala",
}
NOW = datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Makassar"))


@pytest.fixture
def trial() -> Iterator[Trial]:
    """Nothing is set up."""
    made = Trial(service, mail, certificates, dns, now=NOW)
    yield made
    made.close()


@pytest.fixture
def webmaster(trial: Trial) -> Caller:
    """Who may."""
    return trial.person("wati", "webmaster")


def _set_up_mail(trial: Trial) -> None:
    body = json.dumps({"version": 0, "row": MAIL}).encode()
    trial.runner.call(Person("admin", frozenset({ADMINISTRATOR})), "mail", "settings.change", body)


def _save(who: Caller, **changed: Any) -> Any:
    kept = who("settings.get")
    return who("settings.change", version=kept["version"], row={**kept["row"], **changed})


def _names(trial: Trial) -> list[str]:
    with trial.store.reading() as connection:
        return [one.name for one in components(connection)]


def _certificate(trial: Trial) -> list[str]:
    with trial.store.reading() as connection:
        row = connection.execute(select(CERTIFICATES).where(CERTIFICATES.c.name == "web")).mappings().one()
    read = x509.load_pem_x509_certificate(row["certificate"].encode())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(names.get_values_for_type(x509.DNSName))


def test_the_mail_comes_first(trial: Trial, webmaster: Caller) -> None:
    with pytest.raises(RuleBroken, match="set up the mail first"):
        _save(webmaster)
    assert _names(trial) == []
    with trial.store.reading() as connection:
        assert connection.execute(select(KEYS)).all() == []


def test_saving_the_settings_makes_it_serve_under_its_own_name(trial: Trial, webmaster: Caller) -> None:
    _set_up_mail(trial)
    assert _names(trial) == []
    _save(webmaster)
    assert _names(trial) == ["webmail.php", "webmail.nginx", "webmail.records"]
    assert _certificate(trial) == ["autoconfig.rssulsel.com", "www.rssulsel.com"]
    with trial.store.reading() as connection:
        first = describe(connection)
        assert first is not None
        assert len(first.key) == 32
        (records,) = [one for one in components(connection) if isinstance(one, DnsRecords)]
    assert [(one.name, one.type, one.value) for one in records.records] == [
        ("www.rssulsel.com", "A", "192.168.10.2"),
        ("autoconfig.rssulsel.com", "A", "192.168.10.2"),
    ]

    # Other names get another certificate; the key stays, or everybody would be logged out.
    _save(webmaster, names=["surat.rssulsel.com", "www.rssulsel.com"], title="Surat")
    assert _certificate(trial) == ["autoconfig.rssulsel.com", "surat.rssulsel.com", "www.rssulsel.com"]
    with trial.store.reading() as connection:
        second = describe(connection)
    assert second is not None
    assert second.key == first.key
    assert second.names == ("surat.rssulsel.com", "www.rssulsel.com")

    _save(webmaster, serve=False)
    assert _names(trial) == []


def test_what_is_kept_of_it_in_the_audit_log_says_no_key(trial: Trial, webmaster: Caller) -> None:
    from appliance.store.audit import AUDIT

    _set_up_mail(trial)
    _save(webmaster)
    with trial.store.reading() as connection:
        (key,) = connection.execute(select(KEYS.c.value)).scalars()
        said = str(connection.execute(select(AUDIT)).all())
    assert "settings.change" in said
    assert key not in said


def test_only_the_webmaster(trial: Trial) -> None:
    _set_up_mail(trial)
    with pytest.raises(NotAllowed):
        _save(trial.person("ani"))


class _Machine:
    """Answers as the root helper does, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.programs: tuple[str, ...] = ("webmail.php",)

    def status(self) -> tuple[Status, ...]:
        return tuple(Status(program=one, state=State.READY) for one in self.programs)

    def perform(self, operation: str, arguments: Mapping[str, str], given: str = "") -> str:
        self.asked.append((operation, dict(arguments)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return json.dumps(self.answer)


class _Appliance:
    def __init__(self, machine: _Machine) -> None:
        self.machine = machine


def _with_machine(trial: Trial, monkeypatch: pytest.MonkeyPatch, answer: Any) -> _Machine:
    machine = _Machine(answer)
    monkeypatch.setattr(trial.runner, "appliance", _Appliance(machine))
    return machine


def test_who_uses_it(trial: Trial, webmaster: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(NOW.timestamp())
    sessions = [
        {"address": "192.168.10.11", "seen": now - 60},
        {"address": "192.168.10.12", "seen": now - 120},
        {"address": "192.168.10.13", "seen": now - 7200},
    ]
    person = {"account": "siti@rssulsel.com", "first": now - 9000, "last": now - 300, "failed": 2, "language": "id_ID"}
    idle = {**person, "account": "budi@rssulsel.com", "last": 0, "sessions": []}
    machine = _with_machine(trial, monkeypatch, {"people": [{**person, "sessions": sessions}, idle]})
    siti, budi = webmaster("people")
    assert machine.asked == [("webmail.people", {})]
    # The third is older than a session lives.
    assert (siti["sessions"], siti["addresses"]) == (2, "192.168.10.11, 192.168.10.12")
    assert datetime.fromisoformat(siti["seen"]).timestamp() == now - 60
    assert (budi["sessions"], budi["addresses"], budi["seen"], budi["last"]) == (0, "", None, None)


def test_a_helper_that_fails_is_a_refusal(trial: Trial, webmaster: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_machine(trial, monkeypatch, SupervisionFailed("webmail.people", "it ended with 1"))
    with pytest.raises(Refused, match="it ended with 1"):
        webmaster("people")


def test_before_it_runs_it_is_said_what_is_missing(
    trial: Trial, webmaster: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = SupervisionFailed("webmail.people", "it ended with 1", "Could not open input file: people.php")
    _with_machine(trial, monkeypatch, failed).programs = ("dns.nsd",)
    with pytest.raises(Refused, match="set up Mail first"):
        webmaster("people")
    monkeypatch.undo()
    _set_up_mail(trial)
    _with_machine(trial, monkeypatch, failed).programs = ("mail.postfix",)
    with pytest.raises(Refused, match="save its settings here"):
        webmaster("people")
    monkeypatch.undo()
    _save(webmaster)
    _with_machine(trial, monkeypatch, failed).programs = ("mail.postfix",)
    with pytest.raises(Refused, match="comes with the next commit"):
        webmaster("people")


def test_ending_sessions(trial: Trial, webmaster: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = _with_machine(trial, monkeypatch, {"known": True, "sessions": 3})
    assert webmaster("log-out", account="siti@rssulsel.com") == {"account": "siti@rssulsel.com", "sessions": 3}
    assert machine.asked == [("webmail.log-out", {"account": "siti@rssulsel.com"})]
    machine.answer = {"known": False, "sessions": 0}
    with pytest.raises(NotFound):
        webmaster("log-out", account="eve@rssulsel.com")
