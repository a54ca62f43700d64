"""The tables of accounts and the rendered configurations: pure, stable, and refused when they could not hold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from appliance.commit.keeping import Kinds
from appliance.components import standard_kinds
from appliance.components.agreements import dns_record
from appliance.components.config_files import ConfigFile, render_files
from appliance.services.mail.accounts_tables import MailAccounts, MailAddressbook, MailPasswords
from appliance.services.mail.components import KINDS, parts
from appliance.services.mail.description import Alias, Group, Senders
from appliance.services.mail.dns_records import character_strings, dns_records
from appliance.services.mail.rendering import dovecot_values
from appliance.services.mail.versions import DOVECOT_SERIES, fitting
from tests.appliance.services.mail.daemons.wishes import DOMAIN, mailbox, wish


def _files(component) -> dict[str, str]:
    return {file.path: file.content.decode() for file in component.render()}


def _table(text: str) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in text.splitlines())


def test_tables_say_who_is_there_and_who_sends_as_whom():
    files = _files(MailAccounts.of(wish()))
    boxes, aliases, senders = (_table(files[name]) for name in ("mailboxes", "aliases", "senders"))
    assert boxes[f"dr.ani@{DOMAIN}"] == "dr.ani/Maildir/"
    assert f"lama@{DOMAIN}" not in boxes
    assert aliases[f"dokter@{DOMAIN}"] == f"dr.ani@{DOMAIN}"
    assert aliases[f"info@{DOMAIN}"] == f"siti@{DOMAIN}, budi@{DOMAIN}"
    assert f"kosong@{DOMAIN}" not in aliases
    assert senders[f"info@{DOMAIN}"] == "budi, siti"
    assert senders[f"siti@{DOMAIN}"] == "siti"
    assert not {f"lama@{DOMAIN}", f"perawat@{DOMAIN}", f"semua-dokter@{DOMAIN}"} & senders.keys()
    assert _table(files["closed"]).keys() == {f"lama@{DOMAIN}", f"kosong@{DOMAIN}"}


def test_a_guarded_list_is_guarded_behind_its_aliases_too():
    files = _files(MailAccounts.of(wish()))
    guarded = json.loads(files["limits.json"])["guards"]
    assert guarded == {
        f"dokter@{DOMAIN}": ["dr.ani", "kepala", "lama"],
        f"kabar@{DOMAIN}": ["kepala"],
        f"perawat@{DOMAIN}": None,
        f"semua-dokter@{DOMAIN}": ["dr.ani", "kepala", "lama"],
    }
    assert _table(files["inside"]).keys() == guarded.keys()


def test_an_alias_to_two_lists_is_for_those_who_may_write_to_both():
    both = Alias(name="semua", targets=(f"dokter@{DOMAIN}", f"kabar@{DOMAIN}", f"perawat@{DOMAIN}"))
    files = _files(MailAccounts.of(replace(wish(), aliases=(*wish().aliases, both))))
    assert json.loads(files["limits.json"])["guards"][f"semua@{DOMAIN}"] == ["kepala"]


def test_passwords_stand_on_lines_of_their_own_and_nobody_without_one_comes_in():
    lines = dict(line.split(":", 1) for line in _files(MailPasswords.of(wish()))["passwd"].splitlines())
    assert "lama" not in lines
    assert lines["tanpa"].startswith("{CRYPT}*:::::")
    assert lines["budi"].startswith("{ARGON2ID}$argon2id$")
    assert "userdb_quota_rule=*:storage=500M" in lines["budi"]
    assert "quota" not in _files(MailPasswords(mailboxes=(mailbox("x", quota=0),)))["passwd"]
    (passwd,) = MailPasswords.of(wish()).render()
    assert passwd.secret
    assert passwd.mode == 0o640


def test_the_address_book_names_people_and_lists():
    book = json.loads(_files(MailAddressbook.of(wish()))["addressbook.json"])
    assert {one["name"] for one in book["people"]} == {"budi", "dr.ani", "kepala", "penuh", "siti", "tanpa"}
    assert {"address": f"dokter@{DOMAIN}", "title": "Dokter", "members": [f"dr.ani@{DOMAIN}"]} in book["lists"]


def test_the_address_book_says_whose_password_has_changed_and_nothing_of_it():
    def rights(*mailboxes):
        text = _files(MailAddressbook.of(wish(mailboxes=mailboxes)))["addressbook.json"]
        assert not any(one.password_hash and one.password_hash in text for one in mailboxes)
        return {one["name"]: one["rights"] for one in json.loads(text)["people"]}

    before = rights(mailbox("siti"), mailbox("budi"))
    after = rights(mailbox("siti", password_hash="{ARGON2ID}$argon2id$other"), mailbox("budi", quota=7))
    assert before["siti"] != after["siti"]
    assert before["budi"] == after["budi"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"aliases": (Alias(name="a", targets=(f"siapa@{DOMAIN}",)),)}, "which is not there"),
        ({"aliases": (Alias(name="a", targets=("bukan alamat",)),)}, "no address"),
        ({"aliases": (Alias(name="a", targets=()),)}, "leads nowhere"),
        (
            {
                "aliases": (
                    Alias(name="a", targets=(f"b@{DOMAIN}",)),
                    Alias(name="b", targets=(f"a@{DOMAIN}", f"budi@{DOMAIN}")),
                )
            },
            "leads to itself",
        ),
        ({"groups": (Group(name="g", title="G", members=("siapa",), senders=Senders.ANYBODY),)}, "who is not there"),
        ({"groups": (Group(name="budi", title="G", members=(), senders=Senders.ANYBODY),)}, "twice"),
        ({"mailboxes": (*wish().mailboxes, mailbox("../keluar"))}, "no name"),
        ({"mailboxes": (*wish().mailboxes, mailbox("a b"))}, "no name"),
        ({"postmaster": "lama"}, "no active account"),
    ],
)
def test_what_could_not_hold_is_found_before_anything_is_touched(more, said):
    findings = MailAccounts.of(replace(wish(), **more)).verify({})
    assert any(said in str(one) for one in findings), [str(one) for one in findings]


def test_the_plain_wish_has_no_findings():
    assert not MailAccounts.of(wish()).verify({})
    assert not MailPasswords.of(wish()).verify({})


def test_a_hash_that_would_break_the_line_is_refused():
    bad = MailPasswords(mailboxes=(mailbox("x", password_hash="{PLAIN}a:b\nroot::0:0"),))
    assert bad.verify({})


def test_rendering_is_pure_and_survives_being_kept():
    kinds = Kinds((*standard_kinds(), *KINDS))
    for one, again in zip(parts(wish()), parts(wish()), strict=True):
        kept = kinds.keep(one)
        assert kinds.restore(kept).render() == one.render() == again.render()
        assert kinds.keep(again).digest == kept.digest


def test_a_new_account_changes_tables_only():
    before = {one.name: one.render() for one in parts(wish())}
    more = replace(wish(), mailboxes=(*wish().mailboxes, mailbox("baru")))
    changed = {one.name for one in parts(more) if one.render() != before[one.name]}
    assert changed == {"mail.accounts", "mail.passwords", "mail.addressbook", "mail.senders"}


def test_a_new_password_leaves_postfix_alone():
    before = {one.name: one.render() for one in parts(wish())}
    people = (mailbox("budi", password_hash="{ARGON2ID}$argon2id$other"), *wish().mailboxes[1:])
    changed = {one.name for one in parts(replace(wish(), mailboxes=people)) if one.render() != before[one.name]}
    # The address book tells the web mail whose sessions end.
    assert changed == {"mail.passwords", "mail.addressbook"}


def test_no_rendered_file_tells_a_secret_but_the_secret_ones():
    for one in parts(wish()):
        for file in one.render():
            assert file.secret or (b"argon2" not in file.content and b"0" * 64 not in file.content), file.path


def test_records_are_those_of_the_standards():
    served = {dns_record(record).key: dns_record(record).value for record in dns_records(wish())}
    assert served[f"MX {DOMAIN}"] == f"10 mail.{DOMAIN}"
    assert served[f"A mail.{DOMAIN}"] == "192.168.10.2"
    assert served["PTR 2.10.168.192.in-addr.arpa"] == f"mail.{DOMAIN}"
    assert served[f"TXT {DOMAIN}"] == '"v=spf1 mx -all"'
    assert served[f"TXT _dmarc.{DOMAIN}"].startswith('"v=DMARC1; p=reject;')
    assert served[f"SRV _submissions._tcp.{DOMAIN}"] == f"0 1 465 mail.{DOMAIN}"
    assert served[f"SRV _imaps._tcp.{DOMAIN}"] == f"0 1 993 mail.{DOMAIN}"


def test_a_long_key_is_split_into_strings_that_join_to_it():
    key = "v=DKIM1; p=" + "A" * 600
    parts_of_it = character_strings(key).split('" "')
    assert "".join(parts_of_it).strip('"') == key
    assert all(len(one.strip('"')) <= 255 for one in parts_of_it)


@pytest.mark.parametrize(
    ("said", "series"),
    [
        ("2.3.19.1 (9b53102964)", "2.3"),
        ("2.4.1-4 (7d8c0e5759)", "2.4"),
        ("2.10.0", "2.4"),
        ("2.2.1", "2.3"),
        ("", "2.3"),
    ],
)
def test_templates_are_chosen_by_the_version(said, series):
    assert fitting(said, DOVECOT_SERIES) == series


@pytest.mark.parametrize("series", DOVECOT_SERIES)
def test_each_series_of_dovecot_says_the_same(series):
    """What is not installed here cannot be started here: what both must say is looked for."""
    template = ConfigFile(template=f"mail/dovecot/{series}/dovecot.conf.j2", path="dovecot.conf")
    (file,) = render_files((template,), {**dovecot_values(wish(networks=("192.168.10.0/24",))), "series": series})
    text = file.content.decode()
    assert text.count("{") == text.count("}")
    for said in (
        "ssl = required",
        "ssl_min_protocol = TLSv1.2",
        "/../certificates.mail/key.pem",
        "/../mail.passwords/passwd",
        "192.168.10.0/24",
        "quota-status -p postfix",
        "sieve/spam.sieve",
    ):
        assert said in text, said
    assert ("dovecot_config_version" in text) is (series != "2.3")
    assert ("auth_allow_cleartext = no" in text) is (series != "2.3")
    assert ("disable_plaintext_auth = yes" in text) is (series == "2.3")
