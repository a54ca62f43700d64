"""Sends one message by submission: STARTTLS, a login, and what the server says.

``send.py FROM TO SUBJECT [--eicar] [--until SECONDS]``. Exit codes: 0 accepted, 3 refused (the answer is shown), 4 not
reached. With ``--until`` the message waits in the outbox, and is tried again until it is accepted or the time is over.
"""

from __future__ import annotations

import argparse
import os
import smtplib
import socket
import ssl
import sys
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

HOST, PORT = "mail.rssulsel.com", 587
# Apart, so that no scanner takes this file for a virus. https://www.eicar.org/download-anti-malware-testfile/
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
TRUST = Path(os.environ["LAB_SHARED"]) / "authority.pem"


def message(arguments: argparse.Namespace) -> EmailMessage:
    """What is sent."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = arguments.sender, arguments.recipient, arguments.subject
    made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain="rssulsel.com")
    made.set_content(f"{arguments.subject}\n")
    if arguments.eicar:
        made.add_attachment(EICAR.encode(), maintype="application", subtype="octet-stream", filename="result.com")
    return made


def send(arguments: argparse.Namespace) -> int:
    """One try."""
    try:
        with smtplib.SMTP(HOST, PORT, timeout=10) as server:
            server.starttls(context=ssl.create_default_context(cafile=str(TRUST)))
            server.login(arguments.sender, os.environ["MAIL_PASSWORD"])
            server.send_message(message(arguments))
    except smtplib.SMTPRecipientsRefused as error:
        for address, (code, reason) in error.recipients.items():
            print(f"refused {address}: {code} {reason.decode(errors='replace')}")
        return 3
    except smtplib.SMTPResponseException as error:
        reason = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        print(f"refused: {error.smtp_code} {reason.decode(errors='replace')}")
        return 3
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        why = "timed out" if isinstance(error, socket.timeout) else f"{type(error).__name__}: {error}"
        print(f"not reached: {why}", flush=True)
        return 4
    print(f"accepted for {arguments.recipient}")
    return 0


def main() -> int:
    """As told."""
    parser = argparse.ArgumentParser()
    for name in ("sender", "recipient", "subject"):
        parser.add_argument(name)
    parser.add_argument("--eicar", action="store_true")
    parser.add_argument("--until", type=float, default=0)
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.until
    while True:
        code = send(arguments)
        if code != 4 or time.monotonic() > deadline:
            return code
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
