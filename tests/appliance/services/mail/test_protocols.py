"""What a person's mail program meets: SMTP, IMAP, POP3 and the DNS, by the daemons themselves."""

from __future__ import annotations

import io
import smtplib
import zipfile
from email import message_from_bytes
from email.utils import parsedate_to_datetime

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.appliance.services.mail.hospital import DOMAIN, HOST, PASSWORDS, Hospital, needs_daemons, until, written
from tests.appliance.services.mail.star import SERVER

pytestmark = needs_daemons
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""https://www.eicar.org/download-anti-malware-testfile/: not a virus, and every scanner says it is one."""


def test_a_message_with_an_attachment_goes_from_ward_to_ward(hospital: Hospital) -> None:
    message = written(f"siti@{DOMAIN}", f"budi@{DOMAIN}", subject="Röntgen kamar 7", text="Lihat lampiran.\n")
    picture = bytes(range(256)) * 400
    message.add_attachment(picture, maintype="image", subtype="png", filename="thorax.png")
    with hospital.submission("siti") as session:
        assert session.send_message(message) == {}
    hospital.arrives("budi", message["Message-ID"])
    (number,) = hospital.found("budi", message["Message-ID"])
    with hospital.imap("budi") as session:
        session.select("INBOX", readonly=True)
        _, parts = session.fetch(number.decode(), "(RFC822)")
    from email import policy
    from email.parser import BytesParser

    read = BytesParser(policy=policy.default).parsebytes(parts[0][1])
    assert read["Subject"] == "Röntgen kamar 7"
    assert next(read.iter_attachments()).get_content() == picture
    assert read["DKIM-Signature"], "what leaves an account is signed"


def test_pop3_fetches_what_imap_shows(hospital: Hospital) -> None:
    sent = hospital.send("budi", f"siti@{DOMAIN}", text="Untuk diambil.\n")
    hospital.arrives("siti", sent)
    with hospital.pop3("siti") as session:
        count, _ = session.stat()
        lines = [line for number in range(1, count + 1) for line in session.retr(number)[1]]
    assert f"Message-ID: {sent}".encode() in lines
    assert b"Untuk diambil." in lines


@pytest.mark.parametrize("login", ["siti", f"siti@{DOMAIN}", f"SITI@{DOMAIN.upper()}"])
def test_the_login_is_the_name_or_the_address(hospital: Hospital, login: str) -> None:
    with hospital.imap(login, password=PASSWORDS["siti"]) as session:
        assert session.noop()[0] == "OK"


def test_port_465_and_993_and_995_are_tls_from_the_first_byte(hospital: Hospital) -> None:
    for port, banner in ((465, b"220 "), (993, b"* OK"), (995, b"+OK")):
        with hospital.at("nurse"):
            import socket

            bare = socket.create_connection((SERVER, port), timeout=30)
        with hospital.tls().wrap_socket(bare, server_hostname=HOST) as wrapped:
            assert wrapped.version() in {"TLSv1.2", "TLSv1.3"}
            assert wrapped.recv(200).startswith(banner)


def test_a_wrong_address_comes_back_with_address_and_reason(hospital: Hospital) -> None:
    """One of ours: whoever has logged in gets a bounce, so that the other recipients get their mail."""
    message = written(f"siti@{DOMAIN}", f"nobody.here@{DOMAIN}", f"budi@{DOMAIN}")
    with hospital.submission("siti") as session:
        session.send_message(message)
    hospital.arrives("budi", message["Message-ID"])
    report = hospital.bounce("siti", message["Message-ID"])
    assert f"Final-Recipient: rfc822; nobody.here@{DOMAIN}" in report
    assert "5.1.1" in report
    assert "unknown" in report.lower()


def test_a_wrong_address_is_refused_to_other_servers(hospital: Hospital) -> None:
    with hospital.port25() as session:
        session.helo()
        session.mail("somebody@far.example")
        code, words = session.rcpt(f"nobody.here@{DOMAIN}")
    assert code == 550
    assert b"nobody.here" in words
    assert b"unknown" in words.lower()


def test_what_cannot_be_delivered_later_bounces_with_address_and_reason(hospital: Hospital) -> None:
    """Nobody there resolves the domain, so the message is accepted and comes back (RFC 3464)."""
    sent = hospital.send("siti", "dokter@tidak-ada.invalid")
    report = hospital.bounce("siti", sent)
    assert "dokter@tidak-ada.invalid" in report
    assert "tidak-ada.invalid" in report
    assert "Final-Recipient" in report
    assert "5.4.4" in report or "5.1.2" in report or "Host or domain name not found" in report


def _zipped(content: bytes, name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("form", ["plain", "zipped", "nested"])
def test_a_virus_is_refused_and_reaches_no_mailbox(hospital: Hospital, form: str) -> None:
    content = EICAR.encode()
    for step in range({"plain": 0, "zipped": 1, "nested": 2}[form]):
        content = _zipped(content, f"inner{step}.{'zip' if step else 'com'}")
    message = written(f"siti@{DOMAIN}", f"budi@{DOMAIN}", subject=f"virus {form}")
    name = "eicar.com" if form == "plain" else "letter.zip"
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    with hospital.submission("siti") as session, pytest.raises(smtplib.SMTPDataError) as refused:
        session.send_message(message)
    assert 550 <= refused.value.smtp_code <= 554, refused.value
    assert b"virus" in refused.value.smtp_error.lower() or b"eicar" in refused.value.smtp_error.lower()
    message.replace_header("From", "someone@outside.example")
    with hospital.port25() as session, pytest.raises(smtplib.SMTPDataError) as refused:
        session.send_message(message, "someone@outside.example", [f"budi@{DOMAIN}"])
    assert 550 <= refused.value.smtp_code <= 554
    # A harmless one that comes after it is there, the virus is not.
    after = hospital.send("siti", f"budi@{DOMAIN}")
    hospital.arrives("budi", after)
    assert hospital.found("budi", message["Message-ID"]) == []


def _asked(hospital: Hospital, name: str, kind: str, node: str = "nurse") -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    return hospital.everywhere(node, lambda: dns.query.udp(query, SERVER, timeout=10))


def _records(answer: dns.message.Message) -> list[str]:
    return [str(item) for part in answer.answer for item in part]


def test_the_names_of_the_hospital(hospital: Hospital) -> None:
    assert _records(_asked(hospital, DOMAIN, "MX")) == [f"10 {HOST}."]
    assert _records(_asked(hospital, HOST, "A")) == [SERVER]
    assert _records(_asked(hospital, "2.10.168.192.in-addr.arpa", "PTR")) == [f"{HOST}."]
    assert any("v=spf1" in one for one in _records(_asked(hospital, DOMAIN, "TXT")))
    assert any("v=DMARC1" in one for one in _records(_asked(hospital, f"_dmarc.{DOMAIN}", "TXT")))
    assert _records(_asked(hospital, f"_submission._tcp.{DOMAIN}", "SRV")) == [f"10 1 587 {HOST}."]


def test_the_typo_of_the_source_is_no_name(hospital: Hospital) -> None:
    answer = _asked(hospital, "tidak-ada." + DOMAIN, "A")
    assert answer.rcode() == dns.rcode.NXDOMAIN


def test_mail_to_the_postmaster_arrives_where_he_reads(hospital: Hospital) -> None:
    """RFC 5321 section 4.5.1."""
    for address in ("postmaster", "abuse"):
        sent = hospital.send("siti", f"{address}@{DOMAIN}")
        hospital.arrives("kepala", sent)


def test_a_new_account_can_be_written_to_and_logged_in_to_once_committed(hospital: Hospital) -> None:
    hospital.add_account("baru", "nurses", "empat-belas-kunci-lemari")
    hospital.commit("a new nurse")
    sent = hospital.send("siti", f"baru@{DOMAIN}")
    with hospital.imap("baru", password="empat-belas-kunci-lemari") as session:

        def there() -> bool:
            session.select("INBOX", readonly=True)
            return session.search(None, "HEADER", "Message-ID", sent)[1] != [b""]

        until(there, "the first message")


def test_what_a_program_leaves_out_is_added_for_who_has_logged_in(hospital: Hospital) -> None:
    """RFC 6409 section 8: by its Message-ID a message is found again, and by its Date sorted."""
    with hospital.submission("budi", node="nurse") as session:
        text = f"From: budi\r\nTo: siti@{DOMAIN}\r\nSubject: tanpa-tanggal\r\n\r\nKosong.\r\n"
        session.sendmail(f"budi@{DOMAIN}", [f"siti@{DOMAIN}"], text)

    def fetched() -> bytes:
        with hospital.imap("siti") as session:
            session.select("INBOX", readonly=True)
            _, data = session.search(None, "SUBJECT", "tanpa-tanggal")
            for number in data[0].split():
                return bytes(session.fetch(number, "(RFC822)")[1][0][1])
        return b""

    found = message_from_bytes(until(fetched, "the message"))
    assert found["Message-ID"].endswith(f"@{HOST}>")
    assert parsedate_to_datetime(found["Date"])
    assert found["From"] == f"budi@{DOMAIN}"
    # Signed as it is now: the signature covers what was added.
    signed = found["DKIM-Signature"].partition("h=")[2].partition(";")[0].lower()
    assert {"from", "date", "message-id"} <= {one.strip() for one in signed.split(":")}
