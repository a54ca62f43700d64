"""What the filters of people send (Sieve), through the filter of mail: it goes on, and in nobody else's name."""

from __future__ import annotations

import base64
import re
import smtplib
import socket
from collections.abc import Iterator

import pytest

from tests.appliance.services.mail.hospital import (
    DOMAIN,
    HOST,
    PASSWORDS,
    PATIENCE,
    Hospital,
    needs_daemons,
    until,
    written,
)
from tests.appliance.services.mail.star import SERVER

pytestmark = needs_daemons

_NAME, _PASSWORD = "perawat-jaga", "tiga-kunci-di-lemari"


def _answered(client: socket.socket) -> bytes:
    """The line of the answer; what a refusal explains behind it is left."""
    said = b""
    while (found := re.search(rb"^(?:OK|NO|BYE)\b[^\r\n]*\r\n", said, re.MULTILINE)) is None:
        more = client.recv(4096)
        assert more, said
        said += more
    return found[0]


def _filter(hospital: Hospital, script: str) -> bytes:
    """By ManageSieve (RFC 5804); the last answer."""
    login = base64.b64encode(f"\0{_NAME}\0{_PASSWORD}".encode())
    with hospital.at("nurse"):
        plain = socket.create_connection((SERVER, 4190), PATIENCE)
    with plain:
        _answered(plain)
        plain.sendall(b"STARTTLS\r\n")
        _answered(plain)
        with hospital.tls().wrap_socket(plain, server_hostname=HOST) as client:
            _answered(client)
            put = b'PUTSCRIPT "s" {%d+}\r\n%b\r\n' % (len(script.encode()), script.encode())
            said = b""
            for words in (b'AUTHENTICATE "PLAIN" "%b"\r\n' % login, put, b'SETACTIVE "s"\r\n'):
                client.sendall(words)
                said = _answered(client)
                if not said.startswith(b"OK"):
                    break
            return said


@pytest.fixture(scope="module", autouse=True)
def _account(hospital: Hospital) -> Iterator[None]:
    account = hospital.add_account(_NAME, "nurses", _PASSWORD)
    members = {"name": "direksi", "title": "Direksi", "members": ["kepala"], "senders": "members"}
    group = hospital.call("mail", "groups.add", members)
    hospital.commit("somebody with filters, and a list for its members")
    PASSWORDS[_NAME] = _PASSWORD
    yield
    del PASSWORDS[_NAME]
    # The hospital is left as it was.
    hospital.call("mail", "groups.remove", {"name": "direksi", "version": group["version"]})
    suspended = hospital.call("mail", "accounts.suspend", {"name": _NAME, "version": account["version"]})
    hospital.call("mail", "accounts.remove", {"name": _NAME, "version": suspended["version"]})
    hospital.commit("without them")


def _from(hospital: Hospital, name: str, subject: str) -> list[bytes]:
    """The headers From of what has this subject."""
    with hospital.imap(name) as session:
        session.select("INBOX", readonly=True)
        _, data = session.search(None, "SUBJECT", f'"{subject}"')
        found = []
        for number in data[0].split():
            _, parts = session.fetch(number, "(BODY.PEEK[HEADER.FIELDS (FROM)])")
            found.append(bytes(parts[0][1]).strip())
        return found


def test_mail_is_sent_on_from_inside_and_outside(hospital: Hospital) -> None:
    script = f'require ["copy"]; redirect :copy "budi@{DOMAIN}";'
    assert _filter(hospital, script).startswith(b"OK")
    inside = hospital.send("siti", f"{_NAME}@{DOMAIN}")
    outside = written("dokter@far.example", f"{_NAME}@{DOMAIN}")
    with hospital.port25() as session:
        session.send_message(outside)
    for message_id in (inside, str(outside["Message-ID"])):
        hospital.arrives(_NAME, message_id)
        hospital.arrives("budi", message_id)


def test_who_is_away_says_so_in_his_own_name(hospital: Hospital) -> None:
    """And in the director's to nobody."""
    away = 'require ["vacation"]; vacation :from "{sender}" :subject "{subject}" "Cuti.";'
    for sender, subject in ((f"kepala@{DOMAIN}", "Dari direktur"), (f"{_NAME}@{DOMAIN}", "Saya cuti")):
        assert _filter(hospital, away.format(sender=sender, subject=subject)).startswith(b"OK")
        hospital.arrives(_NAME, hospital.send("budi", f"{_NAME}@{DOMAIN}"))
    until(lambda: _from(hospital, "budi", "Saya cuti"), "the reply of who is away")
    assert [f"{_NAME}@{DOMAIN}".encode() in one for one in _from(hospital, "budi", "Saya cuti")] == [True]
    assert _from(hospital, "budi", "Dari direktur") == []


def test_notifications_that_name_any_sender_are_not_there(hospital: Hospital) -> None:
    script = f'require ["enotify"]; notify :from "kepala@{DOMAIN}" "mailto:budi@{DOMAIN}";'
    assert _filter(hospital, script).startswith(b"NO")


def test_a_closed_list_is_closed_however_it_is_spelled(hospital: Hospital) -> None:
    for address in (f"direksi@{DOMAIN}", f"direksi@{DOMAIN}.", f'"direksi"@{DOMAIN}', f"DIREKSI+x@{DOMAIN}"):
        with hospital.submission("siti") as session, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            session.sendmail(f"siti@{DOMAIN}", [address], written(f"siti@{DOMAIN}", address).as_string())
        assert refused.value.recipients[address][0] == 554


def _notes(hospital: Hospital, name: str, about: str) -> list[str]:
    """What somebody was told of mail that his filter could not send."""
    with hospital.imap(name) as session:
        session.select("INBOX", readonly=True)
        _, data = session.search(None, "FROM", "MAILER-DAEMON", "TEXT", f'"{about}"')
        found = []
        for number in data[0].split():
            _, parts = session.fetch(number, "(RFC822)")
            found.append(bytes(parts[0][1]).decode(errors="replace"))
        return found


def test_what_a_filter_may_not_send_comes_to_whose_filter_it_is(hospital: Hospital) -> None:
    """At once, with the reason and the mail itself; it does not wait for days."""
    assert _filter(hospital, f'redirect "direksi@{DOMAIN}";').startswith(b"OK")
    message = written("dokter@far.example", f"{_NAME}@{DOMAIN}", subject="Hasil", text="Kamar tujuh.\n.titik\n")
    message_id = str(message["Message-ID"])
    with hospital.port25() as session:
        session.send_message(message)
    (note,) = until(lambda: _notes(hospital, _NAME, message_id), "the note about what was refused")
    assert f"direksi@{DOMAIN}" in note
    assert "5.7.2" in note
    assert "Kamar tujuh." in note
    assert "\n.titik" in note.replace("\r", "")
    assert hospital.found("kepala", message_id) == []
    waiting = hospital.call("mail", "queue", {})
    assert all(_NAME not in row["recipients"] for row in waiting["rows"])


def test_what_leaves_is_sent_by_whose_filter_it_is(hospital: Hospital) -> None:
    """By SPF (RFC 7208) we may not send as the domain of who wrote it; what one of us wrote is ours already."""
    assert _filter(hospital, 'redirect "rumah@home.example";').startswith(b"OK")

    def senders() -> list[str]:
        rows = hospital.call("mail", "queue", {})["rows"]
        return [row["sender"] for row in rows if "rumah@home.example" in row["recipients"]]

    with hospital.port25() as session:
        session.send_message(written("dokter@far.example", f"{_NAME}@{DOMAIN}", subject="Luar"))
    until(lambda: senders() == [f"{_NAME}@{DOMAIN}"], "the mail from outside in the queue")
    hospital.work("mail", "queue.delete", {"ids": [row["id"] for row in hospital.call("mail", "queue", {})["rows"]]})
    hospital.send("siti", f"{_NAME}@{DOMAIN}")
    until(lambda: senders() == [f"siti@{DOMAIN}"], "the mail from inside in the queue")
    hospital.work("mail", "queue.delete", {"ids": [row["id"] for row in hospital.call("mail", "queue", {})["rows"]]})


def test_a_report_about_an_address_does_not_go_there(hospital: Hospital) -> None:
    assert _filter(hospital, 'redirect "rumah@home.example";').startswith(b"OK")
    report = written("", f"{_NAME}@{DOMAIN}", text="Final-Recipient: rfc822; rumah@home.example\nStatus: 5.1.1\n")
    del report["From"]
    report["From"] = "MAILER-DAEMON@far.example"
    del report["Message-ID"]
    report["Message-ID"] = "<report.7@far.example>"
    with hospital.port25() as session:
        session.sendmail("", [f"{_NAME}@{DOMAIN}"], report.as_bytes())
    until(lambda: _notes(hospital, _NAME, "report.7@far.example"), "the report")
    assert hospital.call("mail", "queue", {})["rows"] == []
