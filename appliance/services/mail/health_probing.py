"""Mail that is really sent: a test virus, which must be refused, and a message to the postmaster, which must arrive.

Both come in by port 25, as from outside, with the null sender: nobody is
answered. The message that arrived is removed from the postmaster's inbox.
"""

from __future__ import annotations

import secrets
import smtplib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.services.mail.mailboxes_doveadm import Doveadm, DoveadmFailed

__all__ = ["EICAR", "judged", "probe"]

# In two parts: a scanner of the appliance's own files would find this one.
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file of the European Institute for Computer Antivirus Research: no virus, but found by every scanner."""
_HERE, _PORT = "127.0.0.1", 25
_WITHIN = 60.0
"""Seconds for an answer, and until the message has arrived."""
_FOLDERS = ("INBOX", "Junk")


def probe(dovecot: Path, host: str, domain: str, postmaster: str) -> dict[str, Any]:
    """Both tests. ``dovecot``: the folder of its configuration."""
    began = time.monotonic()
    refused = judged(lambda: _sent(host, domain, postmaster, _number(host), EICAR), wanted=5)
    number = _number(host)
    said = judged(lambda: _sent(host, domain, postmaster, number, "Gerbang looks whether mail arrives.\n"), wanted=2)
    arrived = _arrived(Doveadm(dovecot), postmaster, number) if said["fine"] else said
    return {"virus": refused, "round": arrived, "seconds": round(time.monotonic() - began, 2)}


def judged(send: Callable[[], tuple[int, str]], *, wanted: int) -> dict[str, Any]:
    """Whether the answer was of the class that it should be (RFC 5321, 4.2.1), and what was said."""
    try:
        code, said = send()
    except (OSError, smtplib.SMTPException) as error:
        return {"fine": False, "said": str(error)[:300]}
    return {"fine": code // 100 == wanted, "said": f"{code} {said}"[:300]}


def _sent(host: str, domain: str, postmaster: str, number: str, text: str) -> tuple[int, str]:
    """How it was answered in the end."""
    message = (
        f"From: Gerbang <probe@probe.invalid>\r\nTo: {postmaster}@{domain}\r\nMessage-ID: {number}\r\n"
        f"Subject: probe\r\nAuto-Submitted: auto-generated\r\n\r\n{text}\r\n"
    )
    with smtplib.SMTP(_HERE, _PORT, local_hostname=host, timeout=_WITHIN) as client:
        client.ehlo()
        for answer in (client.mail(""), client.rcpt(f"{postmaster}@{domain}"), client.data(message.encode())):
            code, said = answer
            if code // 100 != 2:
                break
    return code, said.decode("utf-8", "replace")


def _number(host: str) -> str:
    return f"<probe-{secrets.token_hex(12)}@{host}>"


def _arrived(doveadm: Doveadm, postmaster: str, number: str) -> dict[str, Any]:
    end = time.monotonic() + _WITHIN
    pause = 0.1
    try:
        while time.monotonic() < end:
            for folder in _FOLDERS:
                if doveadm.has(postmaster, folder, number):
                    doveadm.expunge(postmaster, folder, number)
                    return {"fine": True, "said": folder}
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)
    except DoveadmFailed as error:
        return {"fine": False, "said": str(error)[:300]}
    return {"fine": False, "said": f"it has not arrived within {_WITHIN:g} s"}
