"""Daemons are killed, the power fails, the disk is full: what was accepted is delivered, and delivered once."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dns.message
import dns.query
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.client.errors import Refusal
from tests.appliance.services.mail.hospital import BUSY, DOMAIN, HOST, Hospital, needs_daemons, until, written
from tests.appliance.services.mail.star import SERVER

pytestmark = needs_daemons
DAEMONS = ("mail.postfix", "mail.dovecot", "mail.rspamd", "mail.clamd", "mail.limits", "dns.nsd", "dns.unbound")


@pytest.fixture(scope="module")
def hospital() -> Iterator[Hospital]:
    """One of its own."""
    with Hospital(**BUSY) as made:
        yield made


class Load:
    """Threads that send until they are told to stop, and know what was accepted."""

    def __init__(self, hospital: Hospital, threads: int = 3) -> None:
        self._hospital = hospital
        self._stop = threading.Event()
        self.accepted: list[str] = []
        self.uncertain: list[str] = []
        """The connection broke after the message was sent: RFC 5321 section 4.5.3.2.6 lets both happen."""
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._stop.is_set():
            message = written("ward@far.example", f"budi@{DOMAIN}")
            sent = False
            try:
                with self._hospital.port25() as session:
                    session.helo()
                    if session.mail("ward@far.example")[0] != 250 or session.rcpt(f"budi@{DOMAIN}")[0] != 250:
                        continue
                    sent = True
                    code, _ = session.data(message.as_bytes())
                    if code == 250:
                        self.accepted.append(str(message["Message-ID"]))
                        sent = False
            except smtplib.SMTPResponseException:
                continue
            except (OSError, smtplib.SMTPException):
                if sent:
                    self.uncertain.append(str(message["Message-ID"]))


def _delivered(hospital: Hospital) -> Counter[str]:
    """How many times each message is in the mailbox."""
    with hospital.imap("budi") as session:
        session.select("INBOX", readonly=True)
        _, data = session.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    found = [part[1].decode().partition(":")[2].strip() for part in data if isinstance(part, tuple)]
    return Counter(found)


def _all_are_there_once(hospital: Hospital, load: Load) -> None:
    accepted = set(load.accepted)

    def are_there() -> bool:
        # What was put off is tried again in a minute; here somebody presses the key for it.
        hospital.work("mail", "queue.flush")
        return accepted <= set(_delivered(hospital))

    until(are_there, "all that was accepted")
    delivered = _delivered(hospital)
    assert {one: times for one, times in delivered.items() if times != 1} == {}


def _process(hospital: Hospital, program: str) -> int:
    found = [one for one in hospital.call("machine", "programs") if one["program"] == program]
    return int(found[0]["process"]) if found and found[0]["state"] == "ready" else 0


@pytest.mark.parametrize("program", DAEMONS)
def test_a_killed_daemon_loses_and_doubles_nothing(hospital: Hospital, program: str) -> None:
    with Load(hospital) as load:
        until(lambda: len(load.accepted) > 5, "some mail")
        before = _process(hospital, program)
        assert before
        os.kill(before, signal.SIGKILL)
        until(lambda: _process(hospital, program) not in {0, before}, f"{program} again")
        count = len(load.accepted)
        until(lambda: len(load.accepted) > count + 5, "mail after it")
    _all_are_there_once(hospital, load)


def test_what_failed_too_often_is_made_to_serve_again(hospital: Hospital) -> None:
    """Its place is taken, as by a program that somebody started by hand; then it is free again."""
    sockets = "/run/gerbang-programs/mail.clamd"
    with hospital.at("appliance"):
        hospital.standing.mounted(f"mount --bind {sockets} {sockets} && mount -o remount,ro,bind {sockets}")
        try:
            os.kill(_process(hospital, "mail.clamd"), signal.SIGKILL)
            until(lambda: _state(hospital, "mail.clamd") == "failed", "the end of all tries")
        finally:
            hospital.standing.mounted(f"umount {sockets}")
    assert hospital.work("machine", "resume")["ending"] == "confirmed"
    assert _state(hospital, "mail.clamd") == "ready"
    hospital.arrives("siti", hospital.send("budi", f"siti@{DOMAIN}"))
    assert hospital.work("machine", "resume")["ending"] == "unchanged"


def _state(hospital: Hospital, program: str) -> str:
    return next(one["state"] for one in hospital.call("machine", "programs") if one["program"] == program)


def test_after_a_power_cut_everything_serves_again_and_nothing_is_lost(hospital: Hospital) -> None:
    with Load(hospital) as load:
        until(lambda: len(load.accepted) > 20, "some mail")
        hospital.standing.cut_power()
    hospital.standing.power_on()
    until(lambda: all(_process(hospital, program) for program in DAEMONS), "all daemons")
    _all_are_there_once(hospital, load)
    hospital.arrives("siti", hospital.send("budi", f"siti@{DOMAIN}"))


def test_on_a_full_disk_mail_waits_outside_and_goes_on_afterwards(hospital: Hospital) -> None:
    standing = hospital.standing
    with Load(hospital) as load:
        until(lambda: len(load.accepted) > 5, "some mail")
        standing.mounted("mount -o remount,size=$(($(df --output=used -B1 /var/lib | tail -1) + 200000)) /var/lib")
        try:

            def refused() -> bool:
                with hospital.port25() as session:
                    session.helo()
                    code, _ = session.mail("ward@far.example", ["SIZE=1000"])
                    return code in {452, 451}

            until(refused, "a refusal for now")
        finally:
            standing.mounted("mount -o remount,size=2g /var/lib")
        count = len(load.accepted)
        until(lambda: len(load.accepted) > count + 5, "mail when there is room again")
    _all_are_there_once(hospital, load)


def _expired(name: str) -> dict[str, str]:
    """A certificate whose time has passed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=90)).not_valid_after(now - timedelta(days=1))
    made = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"certificate": pem.decode(), "key": private.decode()}


def test_neither_an_expired_nor_a_missing_certificate_comes_to_be_served(hospital: Hospital) -> None:
    serves = _served(hospital)
    for name in (f"mail.{DOMAIN}", "other.example"):
        with pytest.raises(Refusal):
            hospital.call("certificates", "install", {"name": "mail", **_expired(name)})
    (row,) = [one for one in hospital.call("certificates", "overview") if one["name"] == "mail"]
    with pytest.raises(Refusal):
        hospital.call("certificates", "remove", {"name": "mail", "version": row["version"]})
    assert hospital.standing.commit(0, "nothing of that")["ending"] == "unchanged"
    assert _served(hospital) == serves
    hospital.arrives("siti", hospital.send("budi", f"siti@{DOMAIN}"))


def _served(hospital: Hospital) -> bytes:
    """The certificate that clients see."""
    with hospital.at("nurse"):
        bare = socket.create_connection((SERVER, 993), timeout=30)
    with hospital.tls().wrap_socket(bare, server_hostname=HOST) as wrapped:
        return wrapped.getpeercert(binary_form=True) or b""


def test_a_bad_zone_is_caught_before_the_switch(hospital: Hospital) -> None:
    record = {"zone": DOMAIN, "owner": "mail", "type": "CNAME", "value": "elsewhere.example."}
    kept = hospital.call("dns", "records.add", record)
    outcome = hospital.standing.commit(0, "a bad zone")
    assert outcome["ending"] == "refused", outcome
    query = dns.message.make_query(DOMAIN, "MX")
    answer = hospital.everywhere("nurse", lambda: dns.query.udp(query, SERVER, timeout=10))
    assert [str(item) for part in answer.answer for item in part] == [f"10 mail.{DOMAIN}."]
    hospital.call("dns", "records.remove", {"number": kept["row"]["number"], "version": kept["version"]})


@pytest.mark.long
def test_ten_thousand_messages_arrive_once_each(hospital: Hospital) -> None:
    with Load(hospital, threads=10) as load:
        while len(load.accepted) < 10_000:
            assert all(thread.is_alive() for thread in load._threads)
            threading.Event().wait(0.5)
    _all_are_there_once(hospital, load)
