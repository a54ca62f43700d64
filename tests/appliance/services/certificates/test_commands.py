"""Certificates by their commands: issued, renewed, given new keys, replaced by others; keys stay inside."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from appliance.contract.components import Severity
from appliance.contract.people import Person
from appliance.contract.refusals import Conflict, InUse, NotAllowed, NotFound, Refused, RuleBroken
from appliance.daemon.running import InvalidArguments
from appliance.services.certificates import service
from appliance.services.certificates.components import components
from appliance.services.certificates.issuing import ensure
from appliance.services.certificates.tables import AUTHORITIES, CERTIFICATES, ISSUED
from appliance.store.audit import AUDIT
from appliance.testing import Caller, Trial
from tests.appliance.services.certificates.conftest import Elsewhere, locked, pem

MAIL = ("mail.rssulsel.example", "192.168.10.2")


@pytest.fixture
def keeper(trial: Trial) -> Caller:
    return trial.person("ani", "keeper")


def row(trial: Trial, name: str = "mail") -> Any:
    with trial.store.reading() as connection:
        return connection.execute(select(CERTIFICATES).where(CERTIFICATES.c.name == name)).one()


def wanted(trial: Trial, name: str, names: tuple[str, ...], *also: str) -> None:
    """``ensure``, as a change of another service calls it."""
    with trial.runner.changing(Person("ani"), "certificates", "other", {}) as context:
        ensure(context, name, names, "mail server", also=also)


def of_component(trial: Trial) -> dict[str, Any]:
    with trial.store.reading() as connection:
        return {one.name: one for one in components(connection)}


def said(trial: Trial) -> list[str]:
    return [one.severity for component in of_component(trial).values() for one in component.verify({})]


def test_the_first_certificate_makes_the_authority_and_its_component_is_good(trial, keeper):
    with pytest.raises(Refused, match="no own authority"):
        keeper("authority")
    made = keeper("issue", name="mail", names=["MAIL.rssulsel.example.", "192.168.10.2"], purpose="mail server")
    assert made["names"] == list(MAIL)
    assert made["left"] == 396
    assert made["standing"] == "good"
    component = of_component(trial)["certificates.mail"]
    assert component.covers == MAIL
    assert component.verify({}) == ()
    page = keeper("authority")
    assert page["certificates"] == 1
    assert page["fingerprint"] == digest_of(page["certificate"])
    assert component.chain == page["certificate"]


def digest_of(text: str) -> str:
    return sha256(PEM_cert_to_DER_cert(text)).digest().hex(":").upper()


def test_ensure_issues_only_what_is_missing(trial):
    wanted(trial, "mail", MAIL)
    first = row(trial)
    wanted(trial, "mail", MAIL[:1])
    wanted(trial, "mail", MAIL)
    assert row(trial).serial == first.serial
    assert row(trial).version == first.version
    wanted(trial, "mail", (*MAIL, "imap.rssulsel.example"))
    again = row(trial)
    assert again.serial != first.serial
    assert again.key == first.key
    assert of_component(trial)["certificates.mail"].covers == (*MAIL, "imap.rssulsel.example")
    assert said(trial) == []
    wanted(trial, "web", ("*.rssulsel.example",))
    star = row(trial, "web")
    wanted(trial, "web", ("www.rssulsel.example",))
    assert row(trial, "web").serial == star.serial
    assert "www.rssulsel.example" in of_component(trial)["certificates.web"].covers
    assert said(trial) == []


def test_ensure_asks_less_of_a_certificate_from_elsewhere(trial, keeper, elsewhere):
    """Who has a certificate of another authority for his web mail has none for the name that mail programs ask."""
    wanted(trial, "web", ("www.rssulsel.example",), "autoconfig.rssulsel.example")
    assert set(row(trial, "web").names) == {"autoconfig.rssulsel.example", "www.rssulsel.example"}
    keeper("remove", name="web", version=row(trial, "web").version)
    install(keeper, elsewhere, "web", "www.rssulsel.example")
    serial = row(trial, "web").serial
    wanted(trial, "web", ("www.rssulsel.example",), "autoconfig.rssulsel.example")
    assert row(trial, "web").serial == serial
    with pytest.raises(RuleBroken, match=r"not for surat\.rssulsel\.example:"):
        wanted(trial, "web", ("surat.rssulsel.example",), "autoconfig.rssulsel.example")


def test_ensure_reads_the_settings_of_certificates_in_changes_of_others(trial):
    """``context.service`` is the other one's; its settings have other fields."""
    trial.person("root", "keeper")("settings.change", version=0, row={"organization": "RS Sulsel", "days": 100})
    with trial.runner.changing(Person("ani"), "certificates", "other", {}) as context:
        ensure(replace(context, service="mail"), "mail", MAIL, "")
    kept = row(trial)
    assert "RS Sulsel" in kept.issuer
    assert kept.ends - kept.begins == timedelta(days=100)
    assert any(one.service == "certificates" and one.subject == "certificates/mail" for one in trial.events)


def test_renewal_keeps_the_key_and_a_replacement_does_not(trial, keeper):
    first = keeper("issue", name="mail", names=MAIL)
    before = row(trial)
    trial.later(days=10)
    second = keeper("renew", name="mail", version=first["version"])
    assert row(trial).key == before.key
    assert row(trial).ends == before.ends + timedelta(days=10)
    with pytest.raises(Conflict):
        keeper("replace-key", name="mail", version=first["version"])
    third = keeper("replace-key", name="mail", version=second["version"], reason="keyCompromise")
    assert row(trial).key != before.key
    listed = keeper("revocation-list")
    # The one before the renewal has the key that is no secret any more, too.
    assert set(listed["revoked"]) == {first["serial"], second["serial"]}
    assert third["serial"] not in listed["revoked"]
    assert len(list(x509.load_pem_x509_crl(listed["list"].encode()))) == 2
    issued = {one["serial"]: one["reason"] for one in keeper.listing("issued")}
    assert issued == {first["serial"]: "keyCompromise", second["serial"]: "keyCompromise", third["serial"]: None}


def test_a_new_authority_issues_all_again(trial, keeper, elsewhere):
    keeper("issue", name="mail", names=MAIL)
    install(keeper, elsewhere, "web", "www.rssulsel.example")
    before, web, page = row(trial), row(trial, "web"), keeper("authority")
    with pytest.raises(RuleBroken, match="another one by now"):
        keeper("replace-authority")
    new = keeper("replace-authority", fingerprint=page["fingerprint"])
    assert new["fingerprint"] != page["fingerprint"]
    assert row(trial).chain == new["certificate"] != before.chain
    assert row(trial).key == before.key
    assert row(trial, "web").serial == web.serial
    assert said(trial) == []
    with trial.store.reading() as connection:
        assert connection.execute(select(AUTHORITIES.c.current).order_by(AUTHORITIES.c.id)).scalars().all() == [
            False,
            True,
        ]


def install(keeper: Caller, elsewhere: Elsewhere, name: str, *names: str, **more: Any) -> Any:
    certificate, key = elsewhere.leaf(*names)
    return keeper("install", name=name, certificate=certificate + pem(elsewhere.between), key=key, **more)


def test_one_from_elsewhere_takes_the_place_of_ours_for_the_same_names(trial, keeper, elsewhere):
    own = keeper("issue", name="web", names=["www.rssulsel.example"])
    with pytest.raises(RuleBroken, match="not for www"):
        install(keeper, elsewhere, "web", "other.example")
    assert row(trial, "web").serial == own["serial"]
    made = install(keeper, elsewhere, "web", "www.rssulsel.example", "rssulsel.example")
    assert made["source"] == "elsewhere"
    assert made["names"] == ["www.rssulsel.example"]
    assert keeper("revocation-list")["revoked"] == [own["serial"]]
    assert said(trial) == []
    for command in ("renew", "replace-key"):
        with pytest.raises(RuleBroken, match="elsewhere"):
            keeper(command, name="web", version=made["version"])
    with pytest.raises(RuleBroken, match="elsewhere"):
        keeper("issue", name="web", names=["www.rssulsel.example"])
    wanted(trial, "web", ("rssulsel.example",))
    with pytest.raises(RuleBroken, match=r"not for mail\.rssulsel"):
        wanted(trial, "web", ("rssulsel.example", "mail.rssulsel.example"))


def test_the_texts_of_acme_clients_are_put_in_order(trial, keeper, elsewhere):
    """The key among other texts, the chain before the certificate, the root and a stranger beside."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, _key = elsewhere.leaf("www.rssulsel.example", key=key)
    stranger, _other = elsewhere.leaf("stranger.example")
    keeper(
        "install",
        name="web",
        certificate=f"subject=words for people\n{stranger}{pem(elsewhere.root)}{certificate}",
        chain=pem(elsewhere.between),
        key=f"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{locked(key)}",
    )
    kept = row(trial, "web")
    assert kept.certificate == certificate
    assert kept.chain == pem(elsewhere.between) + pem(elsewhere.root)
    assert kept.key == locked(key)
    assert kept.names == ("www.rssulsel.example",)
    assert said(trial) == []


def test_a_star_from_elsewhere_is_used_for_what_is_below_it(trial, keeper, elsewhere):
    made = install(keeper, elsewhere, "web", "*.rssulsel.example")
    assert made["names"] == ["*.rssulsel.example"]
    assert said(trial) == []


@pytest.mark.parametrize("fault", ["expired", "other key", "no key", "locked", "no certificate", "broken", "no names"])
def test_what_clients_would_refuse_is_refused_and_nothing_changes(trial, keeper, elsewhere, fault):
    own = keeper("issue", name="web", names=["www.rssulsel.example"])
    key = ec.generate_private_key(ec.SECP256R1())
    names = () if fault == "no names" else ("www.rssulsel.example",)
    certificate, text = elsewhere.leaf(*names, key=key, days=-1 if fault == "expired" else 90)
    words = {
        "expired": "has expired",
        "other key": "not the certificate's",
        "no key": "no private key",
        "locked": "locked",
        "no certificate": "no certificate",
        "broken": "cannot be read",
        "no names": "no names",
    }[fault]
    if fault == "other key":
        text = elsewhere.leaf("x.example")[1]
    elif fault == "no key":
        text = certificate
    elif fault == "locked":
        text = locked(key, b"geheim")
    elif fault == "no certificate":
        certificate = text
    elif fault == "broken":
        certificate = certificate[:60] + "AAAA" + certificate[100:]
    with pytest.raises(RuleBroken, match=words):
        keeper("install", name="web", certificate=certificate, key=text)
    assert row(trial, "web").serial == own["serial"]
    assert keeper("revocation-list")["revoked"] == []


def test_it_is_removed_when_nobody_uses_it(trial, keeper):
    made = keeper("issue", name="mail", names=MAIL)

    class Appliance:
        state_folder = Path("/nonexistent")

        used = True

        def components(self, connection: Any) -> tuple[Any, ...]:
            class Daemon:
                name = "mail.postfix"
                requires = ("certificates.mail",) if self.used else ()

            return (*components(connection), Daemon())

    trial.runner.appliance = Appliance()
    assert keeper("overview")[0]["used_by"] == ["mail.postfix"]
    with pytest.raises(InUse, match=r"mail\.postfix"):
        keeper("remove", name="mail", version=made["version"])
    Appliance.used = False
    keeper("remove", name="mail", version=made["version"])
    assert keeper("overview") == []
    assert keeper("revocation-list")["revoked"] == [made["serial"]]
    with pytest.raises(NotFound):
        keeper("show", name="mail")


def test_no_key_is_in_an_answer_a_listing_the_audit_log_or_an_event(trial, keeper, elsewhere):
    keeper("issue", name="mail", names=MAIL)
    certificate, key = elsewhere.leaf("www.rssulsel.example")
    answers = [keeper("install", name="web", certificate=certificate + pem(elsewhere.between), key=key)]
    answers += [keeper("overview"), keeper("show", name="web"), keeper("authority"), keeper.listing("issued")]
    with trial.store.reading() as connection:
        kept = connection.execute(select(CERTIFICATES.c.key)).scalars().all()
        kept += connection.execute(select(AUTHORITIES.c.key)).scalars().all()
        answers += [[str(value) for value in line] for line in connection.execute(select(AUDIT))]
        answers += [[str(value) for value in line] for line in connection.execute(select(ISSUED))]
    text = json.dumps(answers, default=str) + "".join(map(str, trial.events))
    assert len(kept) == 3
    assert "install" in text
    for one in (key, *kept):
        assert one.splitlines()[1] not in text
    assert "PRIVATE" not in text
    for component in of_component(trial).values():
        assert [file.path for file in component.render() if file.secret] == ["key.pem"]
        assert [file.path for file in component.render() if b"PRIVATE" in file.content] == ["key.pem"]


def test_a_warning_when_less_than_three_weeks_are_left(trial, keeper):
    keeper("settings.change", version=0, row={"days": 40, "renew_within": 30})
    keeper("issue", name="mail", names=MAIL)
    assert [one["standing"] for one in keeper("overview")] == ["good"]
    trial.later(days=15)
    assert [one["standing"] for one in keeper("overview")] == ["due for renewal"]
    trial.later(days=5)
    assert [one["standing"] for one in keeper("overview")] == ["ends soon"]
    trial.later(days=20)
    assert [(one["standing"], one["left"] < 0) for one in keeper("overview")] == [("has ended", True)]
    # The component goes by the machine's own clock.
    keeper("settings.change", version=1, row={"days": 20, "renew_within": 10})
    trial.later(days=-40)
    keeper("issue", name="mail", names=MAIL)
    assert said(trial) == [Severity.WARNING]


def test_an_authority_that_has_ended_issues_nothing(trial, keeper):
    keeper("issue", name="mail", names=MAIL)
    trial.later(days=3700)
    with pytest.raises(RuleBroken, match="has ended"):
        keeper("issue", name="web", names=["www.example"])
    keeper("replace-authority", fingerprint=keeper("authority")["fingerprint"])
    keeper("issue", name="web", names=["www.example"])
    assert {one["standing"] for one in keeper("overview")} == {"good"}


def test_only_keepers(trial):
    for command in ("overview", "authority"):
        with pytest.raises(NotAllowed):
            trial.person("eve")(command)


def test_settings_under_which_all_would_always_be_due_are_refused(trial, keeper):
    with pytest.raises(InvalidArguments):
        keeper("settings.change", version=0, row={"days": 30, "renew_within": 30})


def test_the_examples(trial):
    trial.load_examples()
    keeper = trial.person("ani", "keeper")
    assert {one["name"]: one["standing"] for one in keeper("overview")} == {"printer": "ends soon", "intranet": "good"}
    assert len(keeper("revocation-list")["revoked"]) == 1
    assert service.title == "Certificates"


def test_what_another_service_fails_at_hides_no_certificate(trial, keeper):
    made = keeper("issue", name="mail", names=MAIL)

    class Appliance:
        state_folder = Path("/nonexistent")

        def components(self, _connection: Any) -> tuple[Any, ...]:
            raise RuntimeError("half made")

    trial.runner.appliance = Appliance()
    assert [(one["name"], one["used_by"]) for one in keeper("overview")] == [("mail", [])]
    assert keeper("renew", name="mail", version=made["version"])["serial"] != made["serial"]
    with pytest.raises(RuntimeError):
        keeper("remove", name="mail", version=made["version"] + 2)
    assert keeper("show", name="mail")
