"""A hospital that stands: the daemon and the helper in a namespace, mail committed, and clients around it."""

from __future__ import annotations

import imaplib
import poplib
import shutil
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any, TypeVar

import pytest

from appliance.helper.packages import make_user
from tests.appliance.services.machine.standing import Standing, needs_everything
from tests.appliance.services.mail.star import LAN, SERVER, Star
from tests.appliance.services.network.wires import needs_kernel

__all__ = ["BUSY", "DOMAIN", "PASSWORDS", "Hospital", "needs_daemons"]

DOMAIN = "rssulsel.com"
HOST = f"mail.{DOMAIN}"
PASSWORDS = {
    "siti": "tujuh-bangau-di-bendung",
    "budi": "sembilan-perahu-ke-utara",
    "kepala": "sebelas-lampu-di-lorong",
}
"""Accounts: a nurse, a doctor, and the postmaster."""
BUSY = {"messages_per_client_minute": 100_000, "connections_per_client": 1_000}
"""Settings for a client that sends what a hundred do."""
NEEDED = ("postfix", "dovecot", "rspamd", "clamd", "nsd", "unbound")
PATIENCE = 60.0
Answer = TypeVar("Answer")


def _why_not() -> str:
    missing = [name for name in NEEDED if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


needs_daemons = [needs_kernel, needs_everything, pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")]
"""Skip, with the reason, where rights or daemons are missing."""


def until(holds: Callable[[], Answer], what: str = "") -> Answer:
    """Wait for it; what it raises in the meantime is no answer yet."""
    deadline = time.monotonic() + PATIENCE
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            if answer := holds():
                return answer
            last = None
        except (OSError, imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPException) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{what or 'it'} did not come to be") from last


class Hospital:
    """The star, the standing appliance, and what people do with their mail."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self.star = Star()
        self.standing: Standing
        self.authority = ""
        """The own CA's certificate in PEM."""

    def __enter__(self) -> Hospital:
        self._stack.__enter__()
        try:
            make_user("mail", "gerbang-mail")
            self._stack.enter_context(self.star)
            self.standing = self._stack.enter_context(Standing(self.star))
            self._describe()
            self.commit("the hospital's mail")
            self.authority = self.call("certificates", "authority")["certificate"]
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _describe(self) -> None:
        settings = self.call("mail", "settings.get")
        wanted = {"domain": DOMAIN, "host": "mail", "address": SERVER, "networks": [LAN], "postmaster": "kepala"}
        row = {**settings["row"], **wanted, **self._settings}
        self.call("mail", "settings.change", {"version": settings["version"], "row": row})
        for department in ("nurses", "doctors", "administration"):
            self.call("mail", "departments.add", {"name": department, "title": department.title()})
        for name, department in (("siti", "nurses"), ("budi", "doctors"), ("kepala", "administration")):
            self.add_account(name, department, PASSWORDS[name])

    def add_account(self, name: str, department: str, password: str, **more: Any) -> Any:
        """As the postmaster does."""
        row = {"name": name, "full_name": name.title(), "department": department, **more}
        return self.call("mail", "accounts.add", {**row, "password": password})

    def call(self, service: str, command: str, arguments: Any = None) -> Any:
        """A query or a change."""
        return self.standing.call(service, command, arguments)

    def work(self, service: str, command: str, arguments: Any = None) -> Any:
        """A work, to its end."""
        client = self.standing.client
        return client.wait(client.call(service, command, arguments)["work"], every=0.05).result

    def commit(self, note: str = "") -> Any:
        """Commit, without a time to confirm in; it must succeed."""
        outcome = self.standing.commit(0, note)
        assert outcome["ending"] == "confirmed", outcome
        return outcome

    # What clients do

    @contextmanager
    def at(self, node: str) -> Iterator[None]:
        """This thread in a node's network."""
        with self.star.nodes[node].inside():
            yield

    def everywhere(self, node: str, work: Callable[[], Answer]) -> Answer:
        """The work, in a thread of its own in the node's network."""
        answers: list[Answer] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                with self.at(node):
                    answers.append(work())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return answers[0]

    def tls(self) -> ssl.SSLContext:
        """Trusts the own CA and nobody else."""
        context = ssl.create_default_context(cadata=self.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    @contextmanager
    def submission(self, name: str, *, node: str = "nurse", password: str | None = None) -> Iterator[smtplib.SMTP]:
        """Logged in on port 587, under TLS."""
        with self.at(node):
            session = smtplib.SMTP(SERVER, 587, local_hostname=f"{node}.{DOMAIN}", timeout=PATIENCE)
        session._host = HOST  # the certificate is the name's, the address is what we know
        with session:
            session.starttls(context=self.tls())
            session.login(name, PASSWORDS[name] if password is None else password)
            yield session

    @contextmanager
    def port25(self, node: str = "outside") -> Iterator[smtplib.SMTP]:
        """As another mail server comes."""
        with self.at(node):
            session = smtplib.SMTP(SERVER, 25, local_hostname=f"mx.{node}.example", timeout=PATIENCE)
        with session:
            yield session

    @contextmanager
    def imap(self, name: str, *, node: str = "doctor", password: str | None = None) -> Iterator[imaplib.IMAP4]:
        """Logged in on port 143, under TLS."""
        with self.at(node):
            session = imaplib.IMAP4(SERVER, 143, timeout=PATIENCE)
        session.host = HOST
        with session:
            session.starttls(self.tls())
            session.login(name, PASSWORDS[name] if password is None else password)
            yield session

    @contextmanager
    def pop3(self, name: str, *, node: str = "doctor") -> Iterator[poplib.POP3]:
        """Logged in on port 110, under TLS."""
        with self.at(node):
            session = poplib.POP3(SERVER, 110, timeout=PATIENCE)
        session.host = HOST
        try:
            session.stls(self.tls())
            session.user(name)
            session.pass_(PASSWORDS[name])
            yield session
        finally:
            session.close()

    def send(self, sender: str, *recipients: str, subject: str = "Kamar 12", text: str = "Kosong.\n") -> str:
        """Submit a message; its id."""
        message = written(f"{sender}@{DOMAIN}", *recipients, subject=subject, text=text)
        with self.submission(sender) as session:
            refused = session.send_message(message)
        assert not refused
        return str(message["Message-ID"])

    def found(self, name: str, message_id: str, folder: str = "INBOX") -> list[bytes]:
        """The numbers of the messages of this id in a mailbox."""
        with self.imap(name) as session:
            session.select(folder, readonly=True)
            _, data = session.search(None, "HEADER", "Message-ID", message_id)
            return list(data[0].split())

    def arrives(self, name: str, message_id: str, folder: str = "INBOX") -> None:
        """Wait until it is there, once."""
        until(lambda: self.found(name, message_id, folder), f"{message_id} in {folder} of {name}")
        assert len(self.found(name, message_id, folder)) == 1

    def bounce(self, name: str, message_id: str) -> str:
        """Wait for the report about a message (RFC 3464); its text."""

        def fetched() -> str:
            with self.imap(name) as session:
                session.select("INBOX", readonly=True)
                _, data = session.search(None, "FROM", "MAILER-DAEMON", "TEXT", message_id.strip("<>"))
                for number in data[0].split():
                    _, parts = session.fetch(number, "(RFC822)")
                    return str(parts[0][1].decode(errors="replace"))
            return ""

        return until(fetched, f"a bounce of {message_id}")


def written(
    sender: str, *recipients: str, subject: str = "Kamar 12", text: str = "Kosong.\n", message_id: str = ""
) -> EmailMessage:
    """A message as a client writes it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), subject
    message["Message-ID"] = message_id or make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(text)
    return message
