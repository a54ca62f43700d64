"""Postfix, Dovecot and the limits as they are, by their protocols. Each baseline line that needs no filter is here."""

from __future__ import annotations

import imaplib
import itertools
import poplib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

import pytest

from appliance.services.mail.description import Alias
from tests.appliance.services.mail.daemons.ward import CLIENT, Ward, needs_daemons
from tests.appliance.services.mail.daemons.wishes import DOMAIN, PASSWORD, SERVER, certificate, mailbox, wish

pytestmark = [needs_daemons]
PATIENCE = 60.0
THERE = (CLIENT, 0)
"""Not the server's own address: what comes from that counts as safe for passwords."""


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificate().certificate)
    context.check_hostname = False
    return context


def _outside() -> smtplib.SMTP:
    client = smtplib.SMTP(SERVER, 25, "mx.outside.example", PATIENCE, THERE)
    client.ehlo()
    return client


@contextmanager
def _submission(name: str, password: str = PASSWORD) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(SERVER, 587, "pc.ward.example", PATIENCE, THERE) as client:
        client.starttls(context=_trusting())
        client.login(name, password)
        yield client


class _Imap(imaplib.IMAP4):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        return socket.create_connection((SERVER, 143), PATIENCE, THERE)


_FRESH = itertools.count(50)


def _refuses(name: str, password: str) -> None:
    """A login fails. Each from another address: who has guessed wrong waits longer and longer."""

    class From(imaplib.IMAP4):
        def _create_socket(self, timeout: float | None) -> socket.socket:
            return socket.create_connection((SERVER, 143), PATIENCE, (f"192.168.10.{next(_FRESH)}", 0))

    with From(SERVER, 143) as client:
        client.starttls(_trusting())
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login(name, password)


@contextmanager
def _imap(name: str, password: str = PASSWORD) -> Iterator[imaplib.IMAP4]:
    with _Imap(SERVER, 143) as client:
        client.starttls(_trusting())
        client.login(name, password)
        yield client


def _until(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (answer := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return answer


def _message(sender: str, *recipients: str, text: str = "Kamar 12 kosong.\n", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), "Kamar 12"
    message["Message-ID"] = make_msgid(domain="ward.example")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def _found(name: str, key: str, value: str, folder: str = "INBOX") -> bytes:
    """The whole of the first message with this header."""
    with _imap(name) as client:
        client.select(folder, readonly=True)
        _, data = client.search(None, "HEADER", key, value)
        for number in data[0].split():
            _, parts = client.fetch(number, "(RFC822)")
            return bytes(parts[0][1])
    return b""


def _arrives(name: str, message: EmailMessage, folder: str = "INBOX") -> bytes:
    found = _until(lambda: _found(name, "Message-ID", message["Message-ID"], folder), f"no mail for {name} in {folder}")
    return bytes(found)


def _refused(client: smtplib.SMTP, sender: str, recipient: str) -> tuple[int, str]:
    """The first refusal of an envelope, or 250."""
    client.rset()
    for code, said in (client.mail(sender), client.rcpt(recipient)):
        if code != 250:
            return code, said.decode()
    return 250, ""


@pytest.fixture(autouse=True)
def _in_the_ward(ward: Ward) -> Iterator[None]:
    with ward.inside():
        yield


def test_a_mail_is_submitted_delivered_and_fetched_by_imap_and_pop3():
    message = _message(f"dr.ani@{DOMAIN}", f"budi@{DOMAIN}")
    with _submission(f"dr.ani@{DOMAIN}") as client:
        assert not client.send_message(message)
    assert b"Kamar 12 kosong." in _arrives("budi", message)
    pop = poplib.POP3_SSL(SERVER, 995, context=_trusting())
    pop.user(f"Budi@{DOMAIN}")
    pop.pass_(PASSWORD)
    assert any(message["Message-ID"].encode() in b"\n".join(pop.top(n + 1, 0)[1]) for n in range(pop.stat()[0]))
    pop.quit()


def test_folders_that_clients_know_are_there():
    with _imap("budi") as client:
        _, listed = client.list()
    said = b"\n".join(listed)
    for folder in (b"Drafts", b"Sent", b"Junk", b"Trash", b"Archive"):
        assert b"\\" + folder + b') "/" ' + folder in said


def test_the_relay_is_closed_and_wrong_addresses_are_refused_with_address_and_reason():
    with _outside() as client:
        assert _refused(client, "a@outside.example", "b@else.example")[0] == 554
        assert _refused(client, "a@outside.example", f"b%else.example@{DOMAIN}")[0] == 554
        code, said = _refused(client, "a@outside.example", f"siapa@{DOMAIN}")
        assert code == 550
        assert "5.1.1" in said
        assert f"siapa@{DOMAIN}" in said
        assert "User unknown" in said
        code, said = _refused(client, "a@outside.example", f"lama@{DOMAIN}")
        assert (code, said[:5]) == (550, "5.2.1")
        for recipient in ("postmaster", f"postmaster@{DOMAIN}", f"budi+kamar@{DOMAIN}", f"terbuka@{DOMAIN}"):
            assert _refused(client, "a@outside.example", recipient)[0] == 250, recipient
        assert client.vrfy("budi")[0] == 502


@pytest.mark.parametrize(
    "sender", [f"budi@{DOMAIN}", f"BUDI@{DOMAIN.upper()}", f"x@bagian.{DOMAIN}", f"siapa@{DOMAIN}"]
)
def test_nobody_outside_writes_in_our_name(sender):
    with _outside() as client:
        assert _refused(client, sender, f"dr.ani@{DOMAIN}")[0] == 553


def test_a_sender_without_a_domain_does_not_become_one_of_ours():
    with _outside() as client:
        assert _refused(client, "budi", f"dr.ani@{DOMAIN}")[0] == 550


def test_no_password_is_taken_without_tls():
    with _outside() as client:
        assert not client.has_extn("auth")
    with smtplib.SMTP(SERVER, 587, "pc.ward.example", PATIENCE, THERE) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGJ1ZGkAeA==")[0] == 530
    with _Imap(SERVER, 143) as client:
        assert "LOGINDISABLED" in client.capabilities
        with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
            client.login("budi", PASSWORD)
    with socket.create_connection((SERVER, 110), PATIENCE, THERE) as plain, plain.makefile("rw", newline="\r\n") as pop:
        assert pop.readline().startswith("+OK")
        pop.write("USER budi\r\n")
        pop.flush()
        assert pop.readline().startswith("-ERR")


@pytest.mark.parametrize("port", [465, 993, 995])
def test_tls_is_1_2_at_least(port):
    for version, taken in (
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1") if not taken else _nothing():
            context.minimum_version = context.maximum_version = version
        with socket.create_connection((SERVER, port), PATIENCE, THERE) as plain:
            if taken:
                with context.wrap_socket(plain) as client:
                    assert client.version() == version.name.replace("v1_", "v1.")
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    context.wrap_socket(plain)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def test_a_login_owns_the_sender():
    with _submission("budi") as client:
        for sender in (f"kepala@{DOMAIN}", f"siapa@{DOMAIN}", "budi@else.example", f"perawat@{DOMAIN}"):
            assert _refused(client, sender, f"siti@{DOMAIN}")[0] == 553, sender
        for sender in (f"budi@{DOMAIN}", f"Budi+x@{DOMAIN}", f"info@{DOMAIN}"):
            assert _refused(client, sender, f"siti@{DOMAIN}")[0] == 250, sender


def test_lists_are_written_to_by_whom_they_say():
    with _outside() as client:
        for name in ("perawat", "Perawat+x", "dokter", "semua-dokter", "kabar"):
            assert _refused(client, "a@outside.example", f"{name}@{DOMAIN}")[1].startswith("5.7.2"), name
    with _submission("budi") as client:
        for name in ("dokter", "semua-dokter", "semua-dokter+x", "kabar"):
            assert _refused(client, f"budi@{DOMAIN}", f"{name}@{DOMAIN}")[0] == 554, name
        assert _refused(client, f"budi@{DOMAIN}", f"perawat@{DOMAIN}")[0] == 250
    message = _message(f"dr.ani@{DOMAIN}", f"semua-dokter@{DOMAIN}")
    with _submission("dr.ani") as client:
        client.send_message(message)
    _arrives("dr.ani", message)


def test_a_wrong_address_of_ours_gives_the_sender_a_bounce_that_names_it_and_the_reason():
    message = _message(f"dr.ani@{DOMAIN}", f"siapa@{DOMAIN}", f"budi@{DOMAIN}")
    with _submission("dr.ani") as client:
        assert not client.send_message(message)
    _arrives("budi", message)
    bounce = _until(lambda: _found("dr.ani", "From", "MAILER-DAEMON"), "no bounce").decode()
    assert "Subject: Your mail was not delivered / Surat Anda tidak terkirim" in bounce
    assert f"<siapa@{DOMAIN}>" in bounce
    assert "550 5.1.1" in bounce
    assert "User doesn't exist" in bounce
    assert "will not be tried again" in bounce
    assert "tidak sampai" in bounce


def test_limits_of_an_account_hold_and_say_why():
    with _submission("siti") as client:
        for _ in range(3):
            client.send_message(_message(f"siti@{DOMAIN}", f"budi@{DOMAIN}"))
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(_message(f"siti@{DOMAIN}", f"budi@{DOMAIN}"))
    assert refused.value.smtp_code == 450
    assert b"siti may send 3 messages in an hour" in refused.value.smtp_error


def test_a_full_mailbox_is_refused_at_once_and_its_owner_was_warned():
    text = ("B" * 70 + "\n") * 4_300
    with _outside() as client:
        for _ in range(3):
            message = _message("a@outside.example", f"penuh@{DOMAIN}", text=text)
            client.send_message(message)
            _arrives("penuh", message)
        large = client.esmtp_features["size"]
        assert int(large) == 25 << 20
        client.rset()
        client.mail("a@outside.example", [f"SIZE={len(text)}"])
        code, said = client.rcpt(f"penuh@{DOMAIN}")
        assert code == 552
        assert b"5.2.2" in said
        assert f"penuh@{DOMAIN}".encode() in said
    warned = _until(lambda: _found("penuh", "Subject", "80%"), "no warning").decode()
    assert f"From: Mail <postmaster@{DOMAIN}>" in warned


def test_spam_goes_to_junk():
    message = _message("a@outside.example", f"budi@{DOMAIN}", X_Spam="Yes")
    with _outside() as client:
        client.send_message(message)
    _arrives("budi", message, "Junk")
    assert not _found("budi", "Message-ID", message["Message-ID"])


def test_a_users_own_filter_may_send_mail_on(ward: Ward):
    """Sieve's redirect, put there by ManageSieve (RFC 5804), goes out by the one login that filters have."""
    script = f'redirect :copy "budi@{DOMAIN}";'.encode()
    script = b'require ["copy"];\n' + script
    with socket.create_connection((SERVER, 4190), PATIENCE, THERE) as plain:
        assert b"STARTTLS" in _sieve(plain)
        plain.sendall(b"STARTTLS\r\n")
        _sieve(plain)
        with _trusting().wrap_socket(plain) as client:
            _sieve(client)
            client.sendall(b'AUTHENTICATE "PLAIN" "' + _plain_login("kepala") + b'"\r\n')
            assert _sieve(client).splitlines()[-1].startswith(b"OK")
            client.sendall(b'PUTSCRIPT "s" {%d+}\r\n' % len(script) + script + b"\r\n")
            assert _sieve(client).splitlines()[-1].startswith(b"OK")
            client.sendall(b'SETACTIVE "s"\r\n')
            assert _sieve(client).splitlines()[-1].startswith(b"OK")
    message = _message("a@outside.example", f"kepala@{DOMAIN}")
    with _outside() as client:
        client.send_message(message)
    _arrives("kepala", message)
    _arrives("budi", message)


def _plain_login(name: str) -> bytes:
    from base64 import b64encode

    return b64encode(f"\0{name}\0{PASSWORD}".encode())


def _sieve(client: socket.socket) -> bytes:
    said = b""
    while not (said.endswith(b"\r\n") and said.splitlines()[-1][:3] in {b"OK ", b"NO ", b"BYE", b"OK"}):
        more = client.recv(4096)
        assert more, said
        said += more
    return said


def test_the_log_follows_a_message_by_its_id_and_tells_nothing_of_it(ward: Ward):
    message = _message("a@outside.example", f"budi@{DOMAIN}", text="rahasia besar\n")
    with _outside() as client:
        client.send_message(message)
    _arrives("budi", message)
    logs = [
        ward.path(f"/var/lib/gerbang-programs/{name}").read_text()
        for name in ("mail.postfix/log/maillog", "mail.dovecot/log/dovecot.log")
    ]
    for log in logs:
        assert message["Message-ID"] in log
        assert "rahasia" not in log
        assert "Kamar 12" not in log
        assert PASSWORD not in log


def test_nobody_comes_in_without_a_password_or_to_a_closed_account():
    for name, password in (("tanpa", ""), ("tanpa", "*"), ("lama", PASSWORD), ("budi", "salah")):
        _refuses(name, password)


def test_what_was_begun_goes_on_when_an_account_is_added_or_closed(ward: Ward):
    """Last in the file: it changes the ward, and puts it back."""
    kept = replace(wish(), mailboxes=(*wish().mailboxes, mailbox("baru")))
    with _imap("dr.ani") as session:
        ward.wish(kept)
        with _outside() as client:
            assert _refused(client, "a@outside.example", f"baru@{DOMAIN}")[0] == 250
        with _imap("baru"):
            pass
        ward.wish(replace(wish(), aliases=(*wish().aliases, Alias(name="baru", targets=(f"budi@{DOMAIN}",)))))
        _refuses("baru", PASSWORD)
        assert session.noop()[0] == "OK"
    changed = tuple(replace(one, password_hash="") if one.name == "dr.ani" else one for one in wish().mailboxes)
    ward.wish(replace(wish(), mailboxes=changed))
    _refuses("dr.ani", PASSWORD)
    ward.wish(wish())
    with _imap("dr.ani"):
        pass


def test_nobody_calls_for_a_queue_and_nobody_is_told_who_is_there(ward: Ward):
    with _outside() as client:
        assert client.docmd("ETRN", DOMAIN)[0] == 554
        assert client.verify(f"siti@{DOMAIN}")[0] == 502
        assert client.docmd("EXPN", f"perawat@{DOMAIN}")[0] in {500, 502}


def test_filters_are_not_logged_in_to_without_tls(ward: Ward):
    with socket.create_connection((SERVER, 4190), PATIENCE, THERE) as plain:
        assert b'"SASL" ""' in _sieve(plain)
        plain.sendall(b'AUTHENTICATE "PLAIN" "' + _plain_login("budi") + b'"\r\n')
        assert _sieve(plain).splitlines()[-1].startswith(b"NO")


def test_wrong_passwords_for_sending_take_longer_and_longer(ward: Ward):
    """The wait is the behaviour that is asked for; the guesses are counted by the client's address, whatever it asks
    for."""
    there = (f"192.168.10.{next(_FRESH)}", 0)
    waits = []
    for port in (587, 465, 587):
        kind = smtplib.SMTP if port == 587 else smtplib.SMTP_SSL
        more = {} if port == 587 else {"context": _trusting()}
        with kind(SERVER, port, "pc.ward.example", timeout=PATIENCE, source_address=there, **more) as client:
            if port == 587:
                client.starttls(context=_trusting())
            client.ehlo()
            begun = time.monotonic()
            code, _said = client.docmd("AUTH", f"PLAIN {_wrong('budi').decode()}")
            waits.append(time.monotonic() - begun)
        assert code == 535
    assert waits[0] >= 1.5
    assert sum(waits) >= 6
    with _submission("budi") as client:
        assert client.noop()[0] == 250


def _wrong(name: str) -> bytes:
    from base64 import b64encode

    return b64encode(f"\0{name}\0guess".encode())
