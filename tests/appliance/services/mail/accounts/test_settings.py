"""What is made with the settings, and the keys that sign."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from appliance.contract.refusals import Conflict, RuleBroken
from appliance.services.certificates import tables as certificates
from appliance.services.dns import tables as names
from appliance.services.mail.described import describe
from appliance.testing import Caller, Trial
from tests.appliance.services.mail.accounts.conftest import described


def nothing_described(trial: Trial) -> bool:
    with trial.store.reading() as connection:
        return describe(connection) is None


@pytest.fixture
def made(empty: Trial) -> Caller:
    """The postmaster has set the settings by the command."""
    caller = empty.person("siti", "postmaster")
    caller("settings.change", version=0, row={"address": "192.168.10.2", "networks": ["192.168.10.0/24"]})
    return caller


def test_there_is_no_mail_before_the_settings_are_made(empty: Trial) -> None:
    siti = empty.person("siti", "postmaster")
    siti("accounts.add", name="budi", full_name="Budi")
    assert nothing_described(empty)
    with pytest.raises(RuleBroken) as refused:
        siti("settings.change", version=0, row={})
    assert refused.value.field == "row.address"
    assert nothing_described(empty)


def test_settings_bring_keys_certificate_and_zone(empty: Trial, made: Caller) -> None:
    found = described(empty)
    assert (found.domain, found.host, found.address) == ("rssulsel.com", "mail.rssulsel.com", "192.168.10.2")
    assert found.networks == ("192.168.10.0/24",)
    assert len(bytes.fromhex(found.subject_key)) == 32
    private = serialization.load_pem_private_key(found.dkim.private.encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert base64.b64decode(found.dkim.public) == public
    assert private.key_size == 2048  # type: ignore[union-attr]
    with empty.store.reading() as connection:
        certificate = connection.execute(certificates.CERTIFICATES.select()).mappings().one()
        zones = {row["name"] for row in connection.execute(names.MASTER["zones"].select()).mappings()}
    assert {"mail.rssulsel.com", "imap.rssulsel.com", "192.168.10.2"} <= set(certificate["names"])
    assert zones == {"rssulsel.com", "10.168.192.in-addr.arpa"}
    # Once more changes nothing of them.
    kept = made("settings.get")
    made("settings.change", version=kept["version"], row={**kept["row"], "quota": 700})
    again = described(empty)
    assert (again.dkim, again.subject_key) == (found.dkim, found.subject_key)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "192.168.10"),
        ("address", "127.0.0.1"),
        ("address", "2001:db8::1"),
        ("networks", ["192.168.10.1/24"]),
        ("networks", ["0.0.0.0/0"]),
        ("networks", ["lan"]),
        ("networks", ["fe80::%a OK } }, permit, check_client_access cidr:{ { 10.0.0.0/64"]),
        ("networks", ["10.0.0.0/8", "10.0.0.0/8"]),
        ("domain", "RSSULSEL.COM"),
        ("domain", "localhost"),
        ("domain", "-a.com"),
        ("host", "mail.x"),
    ],
)
def test_settings_that_cannot_be(siti: Caller, field: str, value: Any) -> None:
    kept = siti("settings.get")
    with pytest.raises(Exception) as refused:  # noqa: PT011 - of the record or of the command
        siti("settings.change", version=kept["version"], row={**kept["row"], field: value})
    named = [one.field for one in getattr(refused.value, "problems", ())] or [refused.value.field]  # type: ignore[attr-defined]
    assert any(field in one for one in named)


def test_two_postmasters_are_told_apart(siti: Caller) -> None:
    kept = siti("settings.get")
    siti("settings.change", version=kept["version"], row={**kept["row"], "quota": 700})
    with pytest.raises(Conflict):
        siti("settings.change", version=kept["version"], row={**kept["row"], "quota": 800})


def test_another_domain_swallows_no_address(house: Caller) -> None:
    house("aliases.add", name="out", targets=["me@example.org"])
    kept = house("settings.get")
    with pytest.raises(RuleBroken, match=r"me@example\.org"):
        house("settings.change", version=kept["version"], row={**kept["row"], "domain": "example.org"})


def test_a_new_key_signs_and_the_old_one_stays_published(trial: Trial, siti: Caller) -> None:
    first = described(trial)
    selector = siti("dkim.rotate")["selector"]
    second = described(trial)
    assert selector == second.dkim.selector != first.dkim.selector
    assert [(one.selector, one.public, one.private) for one in second.retired] == [
        (first.dkim.selector, first.dkim.public, "")
    ]
    rows = siti.listing("dkim")
    assert {row["selector"]: row["signs"] for row in rows} == {selector: True, first.dkim.selector: False}
    assert all("PRIVATE" not in str(row) for row in rows)
    assert {row["record_name"] for row in rows} >= {f"{selector}._domainkey.rssulsel.com"}
    with pytest.raises(RuleBroken, match="signs"):
        siti("dkim.forget", selector=selector)
    siti("dkim.forget", selector=first.dkim.selector)
    third = described(trial)
    assert third.retired == ()
