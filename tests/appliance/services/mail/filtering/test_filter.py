"""The real clamd and rspamd, asked as Postfix asks them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.services.mail.filtering_rendering import EICAR
from appliance.services.mail.rendering import FILTERS_LOGIN
from appliance.services.mail.subjects import subject_hash
from tests.appliance.services.mail.filtering.hospital import DOMAIN, SUBJECT_KEY
from tests.appliance.services.mail.filtering.letters import ENCRYPTED, infected, letter, raw, with_file, zipped
from tests.appliance.services.mail.filtering.outside import LOG, Filter, needs_the_filter, until

pytestmark = needs_the_filter

_INSIDE: dict[str, Any] = {"user": "doctor", "sender": f"doctor@{DOMAIN}", "ip": "192.168.10.40"}


@pytest.fixture(scope="module")
def world() -> Iterator[Filter]:
    one = Filter()
    try:
        one.order("start", one.generation())
        yield one
    finally:
        one.close()


@pytest.fixture
def own_world() -> Iterator[Filter]:
    """For a test that breaks it."""
    one = Filter()
    try:
        one.order("start", one.generation())
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("form", list(infected()))
@pytest.mark.parametrize("user", ["", "doctor"])
def test_a_virus_is_refused_whatever_it_is_wrapped_in(world: Filter, form: str, user: str) -> None:
    message = infected()[form]
    if user:
        message = message.replace(b"Somebody <somebody@elsewhere.example>", f"doctor@{DOMAIN}".encode())
    answer = world.ask(message, **(_INSIDE if user else {}))
    assert answer.reply.startswith("554 5.7.1 The message carries the virus Eicar-Test-Signature"), answer


def test_a_virus_is_found_behind_a_test_pattern_that_would_let_mail_pass(world: Filter) -> None:
    message = with_file(EICAR, "eicar.com")
    pattern = b"AJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    answer = world.ask(message.as_bytes().replace(b"Is there a room in ward 3?", pattern))
    assert answer.code == "554"


def test_clean_mail_passes_and_what_it_claims_about_itself_is_taken_away(world: Filter) -> None:
    message = letter(X_Virus_Status="clean, trust me", X_Spam="Yes")
    answer = world.ask(message.as_bytes())
    assert answer.code == "250"
    assert answer.values("X-Virus-Status") == ["clean"]
    assert answer.values("X-Spam") == []
    assert {name.lower() for name, value in answer.changed if not value} >= {"x-virus-status", "x-spam"}


def test_spam_is_refused_from_outside_and_not_judged_of_who_has_logged_in(world: Filter) -> None:
    gtube = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    assert world.ask(letter().as_bytes().replace(b"Is there a room in ward 3?", gtube)).code == "554"
    world.ask(letter().as_bytes(), queue_id="4Judged")
    world.ask(letter(f"doctor@{DOMAIN}").as_bytes(), queue_id="4Trusted", **_INSIDE)

    def symbols(queue_id: str) -> set[str]:
        lines = world.order("read", LOG).splitlines()
        found = [line.partition("gerbang-trace: ")[2] for line in lines if f'"queue_id":"{queue_id}"' in line]
        return set(json.loads(found[0])["symbols"]) if found else set()

    until(lambda: bool(symbols("4Judged")) and bool(symbols("4Trusted")))
    assert {"R_SPF_ALLOW", "MIME_GOOD"} <= symbols("4Judged")
    assert symbols("4Trusted") == {"DKIM_SIGNED"}


def test_an_encrypted_archive_is_marked_and_nested_too_deeply_is_refused(world: Filter) -> None:
    answer = world.ask(with_file(ENCRYPTED, "findings.zip").as_bytes())
    assert answer.code == "250"
    assert answer.values("X-Virus-Status") == ["not scanned (encrypted)"]
    both = with_file(ENCRYPTED, "findings.zip")
    both.add_attachment(EICAR, maintype="application", subtype="octet-stream", filename="e.com")
    assert "virus Eicar" in world.ask(both.as_bytes()).reply
    deep = EICAR
    for level in range(40):
        deep = zipped(f"{level}.zip", deep)
    assert world.ask(with_file(deep, "deep.zip").as_bytes()).code == "554"


_SPOOFED = (
    "From: Doctor <doctor@{d}>",
    "From: DOCTOR@{u}",
    "From: doctor @ {d}",
    "From: doctor@(comment){d}",
    "From: Wards: <doctor@{d}>;",
    "From: Wards: other@elsewhere.example, doctor@{d};",
    'From: "doctor@{d}" <somebody@elsewhere.example>',
    "From: =?utf-8?q?doctor=40{d}?= <somebody@elsewhere.example>",
    "From: =?utf-8?b?{b}?= <somebody@elsewhere.example>",
    'From: "doctor"@{d}',
    "From: nobody.known@{d}",
    "From: root@mail.{d}",
    "From: somebody@elsewhere.example\r\nFrom: doctor@{d}",
    "From: doctor@{d}\r\nFrom: somebody@elsewhere.example",
    "From: doctor\r\n @{d}",
    "From: doctor@_ward.{d}",
    'From: "doctor@rssulsel\u200b.com" <somebody@elsewhere.example>',
    "From: somebody@elsewhere.example\r\nSender: doctor@{d}",
    "Sender: Doctor <doctor@{d}>",
    "X-Odd: a\rFrom: doctor@{d}\r\nFrom: somebody@elsewhere.example",
    "X-Odd: a\rFrom: doctor@{d}",
)


@pytest.mark.parametrize("sender", _SPOOFED)
def test_nobody_from_outside_writes_as_one_of_ours(world: Filter, sender: str) -> None:
    encoded = base64.b64encode(f"doctor@{DOMAIN}".encode()).decode()
    text = sender.format(d=DOMAIN, u=DOMAIN.upper(), b=encoded)
    answer = world.ask(raw(text))
    assert answer.code == "554", answer
    assert DOMAIN in answer.reply or "one From: header" in answer.reply


@pytest.mark.parametrize("ip", ["127.0.0.1", "192.168.10.40"])
def test_neither_the_machine_nor_the_lan_writes_as_somebody_without_login(world: Filter, ip: str) -> None:
    assert world.ask(raw(f"From: doctor@{DOMAIN}"), ip=ip).code == "554"
    machine = world.ask(raw(f"From: root@{DOMAIN}"), ip=ip, sender=f"root@{DOMAIN}")
    assert machine.code == ("250" if ip == "127.0.0.1" else "554")


@pytest.mark.parametrize("sender", [f"x@not{DOMAIN}", f"x@{DOMAIN}.evil.example", f"{DOMAIN}@elsewhere.example"])
def test_a_name_that_only_looks_like_ours_is_somebody_elses(world: Filter, sender: str) -> None:
    assert world.ask(raw(f"From: {sender}")).code == "250"


@pytest.mark.parametrize(
    ("login", "sender", "code"),
    [
        ("doctor", f"Doctor <doctor@{DOMAIN}>", "250"),
        (f"doctor@{DOMAIN}", f"Doctor@{DOMAIN.upper()}", "250"),
        ("doctor", f"director@{DOMAIN}", "250"),
        ("doctor", f"nurse@{DOMAIN}", "554"),
        ("doctor", f"doctor@{DOMAIN}, nurse@{DOMAIN}", "554"),
        ("doctor", "doctor@elsewhere.example", "554"),
        # Dovecot, and so a mail program, shows the nurse.
        ("doctor", f"nurse@{DOMAIN} (x) <doctor@{DOMAIN}>", "554"),
        ("doctor", f"nurse@elsewhere.example (x) <doctor@{DOMAIN}>", "554"),
        ("doctor", f'"nurse@{DOMAIN}" <doctor@{DOMAIN}>', "554"),
        ("doctor", f"doctor@{DOMAIN}\r\nSender: nurse@{DOMAIN}", "554"),
        ("doctor", f"doctor@{DOMAIN}\r\nSender: director@{DOMAIN}", "250"),
        ("doctor", f'"Ani, Dr. (ward" <doctor@{DOMAIN}>', "250"),
        ("doctor", f'doctor@{DOMAIN} (Dr. "Ani)', "250"),
        ("doctor", f"=?utf-8?q?Dr=2E_J=C3=B6?= <doctor@{DOMAIN}>, director@{DOMAIN}", "250"),
        ("nurse", f"director@{DOMAIN}", "554"),
        ("nurse", f"wards@{DOMAIN}", "554"),
        ("postbox", f"wards@{DOMAIN}", "250"),
        ("postbox", f"abuse@{DOMAIN}", "250"),
        ("retired", f"retired@{DOMAIN}", "451"),
        # It may be known in a moment: the commit is under way.
        ("unknown", f"doctor@{DOMAIN}", "451"),
    ],
)
def test_who_has_logged_in_writes_as_himself(world: Filter, login: str, sender: str, code: str) -> None:
    answer = world.ask(raw(f"From: {sender}"), user=login, sender=f"doctor@{DOMAIN}", ip="192.168.10.40")
    assert answer.code == code, answer


def test_who_has_logged_in_says_who_he_is(world: Filter) -> None:
    answer = world.ask(raw(f"Sender: doctor@{DOMAIN}"), **_INSIDE)
    assert "needs a From: header" in answer.reply, answer


@pytest.mark.parametrize(
    ("sender", "header", "code"),
    [
        # What is sent on was judged when it came.
        ("somebody@elsewhere.example", "somebody@elsewhere.example", "250"),
        (f"nurse@{DOMAIN}", f"nurse@{DOMAIN}", "250"),
        ("", f"nurse@{DOMAIN}", "250"),
        # What is said in somebody's absence is in his own name.
        (f"doctor+ward@{DOMAIN}", f"director@{DOMAIN}", "250"),
        (f"doctor@{DOMAIN}", f"nurse@{DOMAIN}", "554"),
        (f"doctor@{DOMAIN}", f'"nurse@{DOMAIN}" <doctor@{DOMAIN}>', "554"),
        (f"doctor@{DOMAIN}", f'"nurse"@{DOMAIN}', "554"),
        (f"doctor@{DOMAIN}", f"doctor@{DOMAIN}\r\nSender: nurse@{DOMAIN}", "554"),
    ],
)
def test_a_filter_writes_as_whose_filter_it_is(world: Filter, sender: str, header: str, code: str) -> None:
    answer = world.ask(raw(f"From: {header}"), user=FILTERS_LOGIN, sender=sender, ip="127.0.0.1")
    assert answer.code == code, answer


def test_what_we_sign_is_verified_by_the_same_filter_and_its_change_is_seen(world: Filter) -> None:
    message = letter(f"Doctor <doctor@{DOMAIN}>").as_bytes()
    signed = world.ask(message, **_INSIDE)
    (signature,) = signed.values("DKIM-Signature")
    assert f"d={DOMAIN};" in signature
    assert "s=gerbang;" in signature
    whole = b"DKIM-Signature: " + signature.replace("\r\n", "\n").replace("\n", "\r\n").encode() + b"\r\n" + message
    # It comes back from elsewhere, as from a mailing list: it is ours, and proved.
    back = world.ask(whole)
    assert back.code == "250", back
    assert "dkim=pass" in " ".join(back.values("Authentication-Results"))
    assert world.ask(whole.replace(b"ward 3", b"ward 4")).code == "554"
    assert not world.ask(letter().as_bytes()).values("DKIM-Signature")


def test_a_domain_that_wants_its_forgeries_refused_gets_its_will(world: Filter) -> None:
    answer = world.ask(raw("From: boss@strict.example"), sender="boss@strict.example")
    assert answer.code == "554", answer


def test_each_message_is_traced_without_its_text(world: Filter) -> None:
    subjects = (
        "Kamar  KOSONG\tdi Ruang 3",
        "Größe ÄÖÜ ß İstanbul",
        "Привет ΣΊΣΥΦΟΣ",
        "",
        "日本語の件名 ﬁ Å",
        "a" * 300,
    )
    for number, subject in enumerate(subjects):
        message = letter()
        del message["Subject"]
        message["Subject"] = subject.replace("\t", " ")
        world.ask(message.as_bytes(), queue_id=f"4Sub{number}")
    lines: list[str] = []

    def all_there() -> bool:
        lines[:] = world.order("read", LOG).splitlines()
        return all(any(f"gerbang-subject: 4Sub{n} " in line for line in lines) for n in range(len(subjects)))

    until(all_there)
    for number, subject in enumerate(subjects):
        assert any(f"4Sub{number} {subject_hash(SUBJECT_KEY, subject)}" in line for line in lines), subject
    (line,) = (one for one in lines if '"queue_id":"4Sub0"' in one)
    traced = json.loads(line.partition("gerbang-trace: ")[2])
    assert traced["message_id"] == "one@elsewhere.example"
    assert traced["ip"] == "203.0.113.9"
    assert traced["action"] == "no action"
    assert "KOSONG" not in "\n".join(lines)
    assert "ward 3" not in "\n".join(lines)


@pytest.mark.parametrize("outside_lists", [False, True])
def test_validator_and_shadow_take_what_we_render_and_refuse_what_is_broken(
    world: Filter, *, outside_lists: bool
) -> None:
    generation = world.generation(outside_lists=outside_lists, encrypted="refuse")
    for program in ("mail.clamd", "mail.rspamd"):
        assert world.order("check", program, generation) == ""
        said, _seconds = world.order("shadow", program, generation)
        assert said == ""
    configuration = Path(generation, "mail.rspamd", "mail.rspamd", "rspamd.conf")
    configuration.write_text(configuration.read_text(encoding="utf-8") + "\nworker {", encoding="utf-8")
    assert world.order("check", "mail.rspamd", generation)
    Path(generation, "mail.clamd", "mail.clamd", "clamd.conf").write_text("NoSuchOption yes\n", encoding="utf-8")
    said, _seconds = world.order("shadow", "mail.clamd", generation)
    assert "NoSuchOption" in said
    # None of this has touched those that serve.
    assert world.ask(letter().as_bytes()).code == "250"


def test_a_new_account_writes_at_once_and_no_worker_starts_anew(own_world: Filter) -> None:
    for number in range(6):
        name = f"intern{number}"
        new = {"user": name, "sender": f"{name}@{DOMAIN}", "ip": "192.168.10.40"}
        assert own_world.ask(raw(f"From: {name}@{DOMAIN}"), **new).code == "451"
        before = own_world.order("workers")
        assert len(before) == 3
        own_world.order("reload", "mail.rspamd", own_world.generation(more=(name,)))
        # Each worker may take it.
        assert [own_world.ask(raw(f"From: {name}@{DOMAIN}"), **new).code for _ in range(9)] == ["250"] * 9
        assert own_world.order("workers") == before
    # One that is taken away is unknown again.
    own_world.order("reload", "mail.rspamd", own_world.generation())
    assert {own_world.ask(raw(f"From: {name}@{DOMAIN}"), **new).code for _ in range(9)} == {"451"}


def test_a_reload_returns_when_only_workers_with_the_new_policy_answer(own_world: Filter) -> None:
    archive = with_file(ENCRYPTED, "findings.zip").as_bytes()
    for policy, code in (("refuse", "554"), ("mark", "250"), ("refuse", "554")):
        before = own_world.order("workers")
        own_world.order("reload", "mail.rspamd", own_world.generation(encrypted=policy))
        assert [own_world.ask(archive).code for _ in range(9)] == [code] * 9
        assert set(own_world.order("workers")) - set(before)


def test_only_the_filter_may_speak_with_the_scanner(world: Filter) -> None:
    for user in ("www-data", "nobody", "postfix"):
        assert world.order("speak_to_scanner", user, "PING") == "PermissionError"
        assert world.order("speak_to_scanner", user, "SHUTDOWN") == "PermissionError"
    assert world.order("speak_to_scanner", "_rspamd", "PING") == "PONG"


def test_daemons_have_no_rights_of_root(world: Filter) -> None:
    lines = [line.split(None, 1) for line in world.order("processes")["text"].splitlines()]
    users = {(user, words.split()[0]) for user, words in lines if words.startswith(("clamd", "rspamd"))}
    assert users == {("clamav", "clamd"), ("_rspamd", "rspamd:")}


def test_without_the_scanner_nothing_passes(own_world: Filter) -> None:
    clean = letter().as_bytes()
    assert own_world.ask(clean).code == "250"
    own_world.order("kill_for_good", "mail.clamd", "/usr/sbin/clamd")
    answer = own_world.ask(clean)
    assert answer.reply.startswith("451 4.7.1 The virus scanner does not answer"), answer
    assert own_world.ask(letter(f"doctor@{DOMAIN}").as_bytes(), **_INSIDE).code == "451"
    for words in ("stream: Can't allocate memory ERROR", "INSTREAM size limit exceeded. ERROR", "", "stream: OK or so"):
        own_world.order("answer_instead", words)
        assert own_world.ask(clean).code == "451", words
    own_world.order("answer_instead", "stream: OK")
    assert own_world.ask(clean).code == "250"
