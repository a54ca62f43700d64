"""Who may not log in any more is logged out: sessions that are open end with the commit that ends the right to them."""

from __future__ import annotations

import base64
import imaplib
import json
import poplib
import smtplib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from appliance.services.mail.submissions import KEPT
from tests.appliance.services.mail.daemons.test_serving import (
    PATIENCE,
    THERE,
    _Imap,
    _imap,
    _message,
    _refuses,
    _trusting,
    _until,
)
from tests.appliance.services.mail.daemons.ward import Ward, needs_daemons
from tests.appliance.services.mail.daemons.wishes import DOMAIN, HOST, PASSWORD, SERVER, wish

pytestmark = [needs_daemons]
OTHER = "delapan-jendela-terbuka"


@contextmanager
def _pop3(name: str) -> Iterator[poplib.POP3]:
    class From(poplib.POP3):
        def _create_socket(self, timeout: float | None) -> socket.socket:
            return socket.create_connection((SERVER, 110), PATIENCE, THERE)

    client = From(SERVER, 110)
    try:
        client.stls(_trusting())
        client.user(name)
        client.pass_(PASSWORD)
        yield client
    finally:
        client.close()


@contextmanager
def _managesieve(name: str) -> Iterator[socket.socket]:
    """RFC 5804; logged in."""
    with socket.create_connection((SERVER, 4190), PATIENCE, THERE) as plain:
        _line(plain, b"OK")
        plain.sendall(b"STARTTLS\r\n")
        _line(plain, b"OK")
        with _trusting().wrap_socket(plain, server_hostname=HOST) as client:
            _line(client, b"OK")
            login = base64.b64encode(f"\0{name}\0{PASSWORD}".encode())
            client.sendall(b'AUTHENTICATE "PLAIN" "%b"\r\n' % login)
            _line(client, b"OK")
            yield client


def _line(client: socket.socket, start: bytes) -> None:
    said = b""
    while not any(line.startswith(start) for line in said.splitlines(keepends=True) if line.endswith(b"\r\n")):
        more = client.recv(4096)
        assert more, said
        said += more


@contextmanager
def _reads(name: str, password: str = PASSWORD) -> Iterator[imaplib.IMAP4]:
    """As ``_imap``, but its end says no LOGOUT: the other side may have gone."""
    client = _Imap(SERVER, 143)
    try:
        client.starttls(_trusting())
        client.login(name, password)
        yield client
    finally:
        client.shutdown()


@contextmanager
def _submits(name: str, password: str = PASSWORD) -> Iterator[smtplib.SMTP]:
    """As ``_submission``, but its end says no QUIT."""
    client = smtplib.SMTP(SERVER, 587, "pc.ward.example", PATIENCE, THERE)
    try:
        client.starttls(context=_trusting())
        client.login(name, password)
        yield client
    finally:
        client.close()


def _idles(client: imaplib.IMAP4) -> None:
    client.select("INBOX")
    client.send(b"x1 IDLE\r\n")
    while not client.readline().startswith(b"+ "):
        pass


def _ends(client: socket.socket) -> bool:
    """Whether the other side closes; what it says before is read."""
    client.settimeout(PATIENCE)
    try:
        while client.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:  # reset: it is closed too
        return True
    return True


def _another_password() -> str:
    return "{ARGON2ID}" + PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(OTHER)


@pytest.fixture
def own() -> Iterator[Ward]:
    with Ward() as made, made.inside():
        yield made


def test_sessions_end_with_the_right_to_them_and_others_go_on(own: Ward) -> None:
    with ExitStack() as stack:
        ward = own
        idle, mailbox = stack.enter_context(_reads("siti")), stack.enter_context(_pop3("siti"))
        filters, waiting = stack.enter_context(_managesieve("siti")), stack.enter_context(_reads("budi"))
        suspended, untouched = stack.enter_context(_reads("dr.ani")), stack.enter_context(_reads("kepala"))
        for client in (idle, suspended, untouched):
            _idles(client)
        boxes = {one.name: one for one in ward.described.mailboxes}
        boxes["siti"] = replace(boxes["siti"], password_hash=_another_password())
        boxes["dr.ani"] = replace(boxes["dr.ani"], active=False)
        # What is said of somebody else's mailbox throws nobody out of it.
        boxes["kepala"] = replace(boxes["kepala"], quota=700, full_name="Kepala Baru")
        del boxes["budi"]
        started = time.monotonic()
        ward.wish(replace(ward.described, mailboxes=tuple(boxes.values())))
        assert time.monotonic() - started < PATIENCE
        for what, client in {
            "a changed password, IDLE": idle.sock,
            "a changed password, POP3": mailbox.sock,
            "a changed password, ManageSieve": filters,
            "a removed account": waiting.sock,
            "a suspended account": suspended.sock,
        }.items():
            assert _ends(client), what
        untouched.send(b"DONE\r\n")
        assert b"OK" in untouched.readline()
        assert untouched.noop()[0] == "OK"
    _refuses("siti", PASSWORD)
    with _imap("siti", OTHER) as client:
        assert client.select("INBOX")[0] == "OK"


def test_they_end_too_when_the_whole_configuration_is_read_anew(own: Ward) -> None:
    """With a new certificate or setting: a reload, in which who reads is not thrown out."""
    with _reads("siti") as changed, _reads("kepala") as untouched:
        _idles(changed)
        boxes = {one.name: one for one in own.described.mailboxes}
        boxes["siti"] = replace(boxes["siti"], password_hash=_another_password())
        own.wish(replace(wish(), networks=("192.168.10.0/24",), mailboxes=tuple(boxes.values())))
        assert _ends(changed.sock)
        assert untouched.noop()[0] == "OK"
    _refuses("siti", PASSWORD)


def test_a_rollback_ends_them_as_well(own: Ward) -> None:
    before = own.described
    boxes = {one.name: one for one in before.mailboxes}
    boxes["siti"] = replace(boxes["siti"], password_hash=_another_password())
    own.wish(replace(before, mailboxes=tuple(boxes.values())))
    with _reads("siti", OTHER) as client:
        _idles(client)
        own.wish(before)
        assert _ends(client.sock)


def _refused(client: smtplib.SMTP, name: str) -> None:
    """Its next message is not taken, and the connection is closed."""
    assert client.mail(f"{name}@{DOMAIN}")[0] == 250
    code, said = client.rcpt(f"kepala@{DOMAIN}")
    assert (code, b"log in again" in said) == (421, True), (code, said)
    assert client.sock is None or _ends(client.sock)


def test_a_session_of_smtp_sends_nothing_more(own: Ward) -> None:
    """Neither by one that has sent already nor by one that was silent since its login."""
    message = _message(f"siti@{DOMAIN}", f"kepala@{DOMAIN}")
    boxes = {one.name: replace(one, messages_per_hour=0) for one in own.described.mailboxes}
    own.wish(replace(own.described, mailboxes=tuple(boxes.values())))
    with ExitStack() as stack:
        used, silent, halfway, changes, untouched, suspended, removed = (
            stack.enter_context(_submits(name)) for name in ("siti", "siti", "siti", "siti", "kepala", "dr.ani", "budi")
        )
        for client, name in ((used, "siti"), (untouched, "kepala"), (removed, "budi")):
            client.sendmail(f"{name}@{DOMAIN}", f"kepala@{DOMAIN}", message.as_bytes())
        assert halfway.mail(f"siti@{DOMAIN}")[0] == halfway.rcpt(f"kepala@{DOMAIN}")[0] == 250
        boxes["siti"] = replace(boxes["siti"], password_hash=_another_password())
        boxes["dr.ani"] = replace(boxes["dr.ani"], active=False)
        del boxes["budi"]
        own.wish(replace(own.described, mailboxes=tuple(boxes.values())))
        assert halfway.docmd("DATA")[0] == 421
        for client, name in ((used, "siti"), (silent, "siti"), (suspended, "dr.ani"), (removed, "budi")):
            _refused(client, name)
        # Once more: what was kept of those that are there still stays kept.
        boxes["dr.ani"] = replace(boxes["dr.ani"], active=True)
        own.wish(replace(own.described, mailboxes=tuple(boxes.values())))
        _refused(changes, "siti")
        untouched.sendmail(f"kepala@{DOMAIN}", f"kepala@{DOMAIN}", message.as_bytes())
    with _submits("siti", OTHER) as client:
        client.sendmail(f"siti@{DOMAIN}", f"kepala@{DOMAIN}", message.as_bytes())
    assert "The right of siti" in own.do("log", "mail.limits")


def test_not_even_when_dovecot_was_away_meanwhile(own: Ward) -> None:
    """Its reload is not there to tell; sessions of SMTP go on without it."""
    with _submits("siti") as before, _submits("kepala") as untouched:
        assert own.do("stop", "mail.dovecot") == "stopped"
        boxes = {one.name: one for one in own.described.mailboxes}
        boxes["siti"] = replace(boxes["siti"], password_hash=_another_password())
        own.wish(replace(own.described, mailboxes=tuple(boxes.values())))
        _refused(before, "siti")
        # Nor does it end anything that Dovecot goes and comes back.
        assert untouched.mail(f"kepala@{DOMAIN}")[0] == untouched.rcpt(f"kepala@{DOMAIN}")[0] == 250


def test_what_is_kept_of_connections_goes_with_them(own: Ward) -> None:
    kept = own.path(f"/var/lib/gerbang-programs/mail.dovecot/{KEPT}")
    with _submits("kepala") as client:
        local = " ".join(map(str, client.sock.getsockname()))
        for password in (_another_password(), own.described.mailboxes[0].password_hash):
            boxes = {one.name: one for one in own.described.mailboxes}
            boxes["siti"] = replace(boxes["siti"], password_hash=password)
            own.wish(replace(own.described, mailboxes=tuple(boxes.values())))
        told = json.loads(kept.read_text())
        assert [(one["logins"], local in one["clients"]) for one in told] == [(["siti"], True)] * 2
    boxes["siti"] = replace(boxes["siti"], password_hash=_another_password())
    # Until the end of the connection is known to the kernel.
    _until(lambda: not _connected(own), "the connection to go")
    own.wish(replace(own.described, mailboxes=tuple(boxes.values())))
    assert json.loads(kept.read_text()) == []


def _connected(ward: Ward) -> bool:
    words = ["ss", "-Htn", "state", "connected", "exclude", "time-wait", "sport", "=", ":587"]
    return bool(subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip())
