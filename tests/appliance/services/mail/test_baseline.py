"""The security baseline, line by line, against the daemons that serve."""

from __future__ import annotations

import base64
import imaplib
import json
import poplib
import smtplib
import socket
import ssl
import stat
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.zone
import pytest

from appliance.client.errors import Refusal
from tests.appliance.services.mail.hospital import DOMAIN, HOST, PASSWORDS, Hospital, needs_daemons, written
from tests.appliance.services.mail.star import SERVER

pytestmark = needs_daemons
REJECTED = {501, *range(550, 555)}
"""Syntax that is not taken, and what is refused for good."""


def _code(work, *arguments) -> int:
    """The reply code of an SMTP command that may be refused."""
    try:
        return work(*arguments)[0]
    except smtplib.SMTPResponseException as error:
        return error.smtp_code


# Closed relay


@pytest.mark.parametrize("node", ["outside", "nurse"])
@pytest.mark.parametrize(
    "recipient",
    ["somebody@elsewhere.example", "elsewhere.example!somebody", f"somebody%elsewhere.example@{DOMAIN}",
     f'"somebody@elsewhere.example"@{DOMAIN}', "@" + DOMAIN + ":somebody@elsewhere.example"],
)  # fmt: skip
def test_nobody_relays_through_us(hospital: Hospital, node: str, recipient: str) -> None:
    with hospital.port25(node) as session:
        session.helo()
        session.mail("somebody@far.example")
        assert _code(session.rcpt, recipient) in REJECTED


def test_submission_without_a_login_is_refused_in_the_lan_too(hospital: Hospital) -> None:
    with hospital.at("nurse"):
        session = smtplib.SMTP(SERVER, 587, timeout=60)
    session._host = HOST
    with session:
        session.starttls(context=hospital.tls())
        session.ehlo()
        code = _code(session.mail, f"siti@{DOMAIN}")
        if code == 250:
            code = _code(session.rcpt, f"budi@{DOMAIN}")
        assert code in {530, 550, 553, 554}


# Our own domain is nobody else's


@pytest.mark.parametrize("node", ["outside", "nurse"])
def test_nobody_comes_in_with_our_own_domain(hospital: Hospital, node: str) -> None:
    with hospital.port25(node) as session:
        session.helo()
        code = _code(session.mail, f"kepala@{DOMAIN}")
        if code == 250:
            code = _code(session.rcpt, f"siti@{DOMAIN}")
        assert code in REJECTED


@pytest.mark.parametrize(
    "header",
    [f"kepala@{DOMAIN}", f'"Direktur" <KEPALA@{DOMAIN.upper()}>', f'"kepala@{DOMAIN}" <kepala@{DOMAIN}>'],
)
def test_nobody_writes_our_domain_into_the_header(hospital: Hospital, header: str) -> None:
    text = f"From: {header}\r\nTo: siti@{DOMAIN}\r\nSubject: Gaji\r\n\r\nKlik.\r\n"
    with hospital.port25() as session, pytest.raises(smtplib.SMTPDataError) as refused:
        session.sendmail("bulk@far.example", [f"siti@{DOMAIN}"], text)
    assert refused.value.smtp_code in REJECTED


# The login owns the sender


def test_a_login_sends_as_nobody_else(hospital: Hospital) -> None:
    with hospital.submission("siti") as session:
        session.mail(f"kepala@{DOMAIN}")
        assert _code(session.rcpt, f"budi@{DOMAIN}") == 553
        session.rset()
        message = written(f"kepala@{DOMAIN}", f"budi@{DOMAIN}", subject="Dari direktur")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            session.send_message(message, f"siti@{DOMAIN}", [f"budi@{DOMAIN}"])
        assert refused.value.smtp_code in REJECTED


# AUTH only under TLS 1.2 or later


def test_auth_is_offered_under_tls_only(hospital: Hospital) -> None:
    with hospital.port25("nurse") as session:
        session.ehlo()
        assert not session.has_extn("auth")
        session.starttls(context=_anybody())
        session.ehlo()
        assert not session.has_extn("auth"), "port 25 is for servers"
    with hospital.at("nurse"):
        submission = smtplib.SMTP(SERVER, 587, timeout=60)
    with submission:
        submission.ehlo()
        assert not submission.has_extn("auth")
        plain = base64.b64encode(f"\0siti\0{PASSWORDS['siti']}".encode()).decode()
        assert submission.docmd("AUTH", f"PLAIN {plain}")[0] in {502, 503, 530, 538}
    with hospital.at("nurse"):
        bare = imaplib.IMAP4(SERVER, 143, timeout=60)
        pop = poplib.POP3(SERVER, 110, timeout=60)
    with bare:
        assert "LOGINDISABLED" in bare.capabilities
        with pytest.raises(imaplib.IMAP4.error):
            bare.login("siti", PASSWORDS["siti"])
    with pytest.raises(poplib.error_proto):
        pop.user("siti")
    pop.close()


def _anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.parametrize("port", [465, 993, 995])
def test_tls_before_1_2_is_refused(hospital: Hospital, port: int) -> None:
    context = _anybody()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Python itself warns of what is tried here.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with hospital.at("nurse"):
        bare = socket.create_connection((SERVER, port), timeout=30)
    with bare, pytest.raises((ssl.SSLError, ConnectionResetError)):
        context.wrap_socket(bare, server_hostname=HOST)


# Passwords cannot be tried fast


def test_wrong_passwords_take_longer_and_longer(hospital: Hospital) -> None:
    """The wait is the behaviour that is asked for: without it a thousand passwords a second can be tried."""

    def tried() -> float:
        with hospital.at("outside"):
            session = imaplib.IMAP4(SERVER, 143, timeout=120)
        session.host = HOST
        session.starttls(hospital.tls())
        begun = time.monotonic()
        with pytest.raises(imaplib.IMAP4.error):
            session.login("budi", "guess")
        took = time.monotonic() - begun
        session.shutdown()
        return took

    waits = [tried() for _ in range(3)]
    assert waits[0] >= 1.5
    assert sum(waits) >= 6


# Limits for one account


def test_an_account_sends_so_many_messages_an_hour(hospital: Hospital) -> None:
    password = "lima-belas-pintu-samping"
    hospital.add_account("cepat", "nurses", password, messages_per_hour=3, recipients_per_hour=100)
    hospital.commit("somebody who sends too much")
    with hospital.submission("cepat", password=password) as session:
        for _ in range(3):
            session.send_message(written(f"cepat@{DOMAIN}", f"budi@{DOMAIN}"))
        with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)) as refused:
            session.send_message(written(f"cepat@{DOMAIN}", f"budi@{DOMAIN}"))
    assert "hour" in str(refused.value)


def test_an_account_writes_to_so_many_people_an_hour(hospital: Hospital) -> None:
    password = "enam-belas-jendela-timur"
    hospital.add_account("ramai", "nurses", password, messages_per_hour=100, recipients_per_hour=4)
    hospital.commit("somebody who writes to too many")
    everybody = [f"{name}@{DOMAIN}" for name in ("siti", "budi", "kepala")]
    with hospital.submission("ramai", password=password) as session:
        session.send_message(written(f"ramai@{DOMAIN}", *everybody))
        with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)) as refused:
            session.send_message(written(f"ramai@{DOMAIN}", *everybody))
    assert "recipients" in str(refused.value)


# Nobody registers himself, and what is done to accounts is written down


def test_what_is_done_to_accounts_is_written_down_without_secrets(hospital: Hospital) -> None:
    hospital.add_account("tercatat", "nurses", "dua-belas-kapal-kertas")
    lines = json.dumps(list(_rows(hospital)), default=str)
    assert "accounts.add" in lines
    assert "tercatat" in lines
    for secret in (*PASSWORDS.values(), "dua-belas-kapal-kertas", "argon2id"):
        assert secret not in lines


def _rows(hospital: Hospital) -> Iterator[Any]:
    client = hospital.standing.client
    return client.rows(client.ask("system", "audit"))


# Rights, keys and secrets


def _copies(hospital: Hospital, component: str) -> list[Path]:
    """The helper's copies of a component's files, as the helper sees them."""
    store = hospital.standing.helpers_file("/var/lib/gerbang-helper")
    return [path for path in store.rglob("*") if path.is_file() and path.parent.name == component]


def test_keys_are_their_daemons_alone_and_the_passwords_are_read_by_dovecot_only(hospital: Hospital) -> None:
    import grp
    import pwd

    keys = [path for path in _copies(hospital, "certificates.mail") if path.name == "key.pem"]
    assert keys
    for path in keys:
        assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0, path
    passwords = _copies(hospital, "mail.passwords")
    assert passwords
    for path in passwords:
        rights = path.stat()
        assert stat.S_IMODE(rights.st_mode) == 0o640
        assert rights.st_uid == 0
        assert grp.getgrgid(rights.st_gid).gr_name == "dovecot"
    signing = [
        path
        for path in hospital.standing.helpers_file("/var/lib/gerbang-helper").rglob("*")
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes() and "mail.rspamd" in str(path)
    ]
    assert signing
    for path in signing:
        rights = path.stat()
        assert stat.S_IMODE(rights.st_mode) & 0o377 == 0, path
        assert pwd.getpwuid(rights.st_uid).pw_name == "_rspamd"


def test_differences_and_logs_do_not_tell_secrets(hospital: Hospital) -> None:
    hospital.add_account("rahasia", "nurses", "sembilan-belas-anak-tangga")
    plan = json.dumps(hospital.call("machine", "plan"))
    assert "mail.passwords" in plan
    for secret in ("argon2id", "PRIVATE KEY", "sembilan-belas-anak-tangga"):
        assert secret not in plan
        assert secret not in hospital.standing.said("daemon")
        assert secret not in hospital.standing.said("helper")
    hospital.commit("somebody with a secret")


# Names


def test_recursion_is_for_the_lan_and_nobody_gets_a_whole_zone(hospital: Hospital) -> None:
    query = dns.message.make_query("example.com", "A")
    try:
        answer = hospital.everywhere("outside", lambda: dns.query.udp(query, SERVER, timeout=2))
        assert answer.rcode() == dns.rcode.REFUSED
    except dns.exception.Timeout:
        pass  # it does not even answer

    def transferred() -> bool:
        try:
            return bool(dns.zone.from_xfr(dns.query.xfr(SERVER, DOMAIN, timeout=5, lifetime=5)))
        except (dns.exception.DNSException, OSError, EOFError):
            return False

    for node in ("nurse", "outside"):
        assert not hospital.everywhere(node, transferred)


# The filter fails closed


def test_without_the_antivirus_mail_waits_outside(hospital: Hospital) -> None:
    sockets = "/run/gerbang-programs/mail.clamd"
    hospital.standing.mounted(f"mv {sockets}/clamd.sock {sockets}/away")
    try:
        with hospital.port25() as session, pytest.raises(smtplib.SMTPDataError) as refused:
            session.send_message(written("a@far.example", f"siti@{DOMAIN}"))
        assert refused.value.smtp_code == 451
        with hospital.submission("budi") as session, pytest.raises(smtplib.SMTPDataError) as refused:
            session.send_message(written(f"budi@{DOMAIN}", f"siti@{DOMAIN}"))
        assert refused.value.smtp_code == 451
    finally:
        hospital.standing.mounted(f"mv {sockets}/away {sockets}/clamd.sock")
    hospital.arrives("siti", hospital.send("budi", f"siti@{DOMAIN}"))


# The trace


def test_the_trace_tells_where_a_message_is_and_not_what_it_says(hospital: Hospital) -> None:
    sent = hospital.send("siti", f"budi@{DOMAIN}", subject="Hasil HIV pasien", text="Positif sekali.\n")
    hospital.arrives("budi", sent)
    told = json.dumps(hospital.work("mail", "trace", {"by": "message-id", "text": sent}))
    assert "budi" in told
    assert "delivered" in told
    for word in ("HIV", "pasien", "Positif"):
        assert word not in told
    by_subject = json.dumps(hospital.work("mail", "trace", {"by": "subject", "text": "hasil hiv pasien"}))
    assert sent.strip("<>") in by_subject


def test_a_visitor_makes_no_account(hospital: Hospital) -> None:
    from appliance.client.addresses import Address
    from appliance.client.blocking import Client

    with Client(Address(hospital.standing.state / "api.sock")) as visitor, pytest.raises(Refusal):
        visitor.call("mail", "accounts.add", {"name": "me", "full_name": "Me", "department": "nurses"})
