"""Fetches mail over TLS: ``fetch.py imap|pop3 ACCOUNT SUBJECT [--within SECONDS]``.

Waits for a message with that subject. Exit codes: 0 there (its sender and its body are shown), 3 not there, 4 not
reached, 5 the login was refused.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import imaplib
import os
import poplib
import ssl
import sys
import time
from email.message import EmailMessage
from pathlib import Path

HOST = "mail.rssulsel.com"
PATIENCE = 10


def trust() -> ssl.SSLContext:
    """The own authority, and nobody else."""
    return ssl.create_default_context(cafile=str(Path(os.environ["LAB_SHARED"]) / "authority.pem"))


def by_imap(account: str) -> list[bytes]:
    """All messages of the inbox (RFC 9051)."""
    with imaplib.IMAP4_SSL(HOST, ssl_context=trust(), timeout=PATIENCE) as server:
        server.login(account, os.environ["MAIL_PASSWORD"])
        server.select("INBOX", readonly=True)
        _, (numbers,) = server.search(None, "ALL")
        answers = [server.fetch(number.decode(), "(BODY.PEEK[])") for number in numbers.split()]
    return [part[1] for _, parts in answers for part in parts if isinstance(part, tuple)]


def by_pop3(account: str) -> list[bytes]:
    """All messages (RFC 1939)."""
    server = poplib.POP3_SSL(HOST, context=trust(), timeout=PATIENCE)
    try:
        server.user(account)
        server.pass_(os.environ["MAIL_PASSWORD"])
        return [b"\n".join(server.retr(number + 1)[1]) for number in range(server.stat()[0])]
    finally:
        server.quit()


def main() -> int:
    """Look until it is there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol", choices=("imap", "pop3"))
    parser.add_argument("account")
    parser.add_argument("subject")
    parser.add_argument("--within", type=float, default=20)
    arguments = parser.parse_args()
    fetch = {"imap": by_imap, "pop3": by_pop3}[arguments.protocol]
    deadline = time.monotonic() + arguments.within
    while True:
        try:
            found = [email.message_from_bytes(one, policy=email.policy.default) for one in fetch(arguments.account)]
        except (imaplib.IMAP4.error, poplib.error_proto) as error:
            print(f"login refused: {error}")
            return 5
        except OSError as error:
            print(f"not reached: {'timed out' if isinstance(error, TimeoutError) else error}")
            return 4
        for one in found:
            if arguments.subject in str(one["Subject"]):
                assert isinstance(one, EmailMessage)
                print(f"{arguments.protocol}: {one['Subject']!r} from {one['From']}\n{text_of(one)}")
                return 0
        if time.monotonic() > deadline:
            print(f"not there among {len(found)}: {[str(one['Subject']) for one in found]}")
            return 3
        time.sleep(0.5)


def text_of(message: EmailMessage) -> str:
    """What a person reads: of a bounce (RFC 3464) the explanation."""
    body = message.get_body(("plain",)) or next(
        (one for one in message.walk() if one.get_content_type() == "text/plain"), None
    )
    return "" if body is None else str(body.get_content())


if __name__ == "__main__":
    sys.exit(main())
