"""Whether the daemons serve, seen from this machine: what a client would see, in some milliseconds."""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.components.finding import error, warning
from appliance.components.own_addresses import addresses_elsewhere
from appliance.contract.components import Finding, Machine
from appliance.language import _
from appliance.services.mail.rendering import DOVECOT, POSTFIX

__all__ = ["probe_boxes", "probe_transport"]

_WITHIN = 5.0
"""Seconds for one answer."""
_HERE = "127.0.0.1"
_NOBODY = "nobody-has-this-name-0"
"""Taken by no account: a probe that finds one of this name would say so."""


def probe_transport(files: Path, machine: Machine) -> Sequence[Finding]:
    """SMTP by its words: a greeting, TLS, the postmaster's address taken, a wrong one and relaying refused. And whether
    the address that everybody is told of is this machine's."""
    about = _about(files)
    lives = (files.parent / "mail.accounts" / "mailboxes").read_bytes() != b""
    return (
        *_tried(POSTFIX, 25, lambda: _receives(about, lives)),
        *_tried(POSTFIX, 465, lambda: _speaks_tls(POSTFIX, 465, b"220")),
        *_tried(POSTFIX, 587, lambda: _submission(about)),
        *addresses_elsewhere(POSTFIX, "mail/address", (about["address"],)),
    )


def probe_boxes(files: Path, machine: Machine) -> Sequence[Finding]:
    """IMAP and POP3 under TLS, and no password without it."""
    return (
        *_tried(DOVECOT, 993, lambda: _speaks_tls(DOVECOT, 993, b"* OK")),
        *_tried(DOVECOT, 995, lambda: _speaks_tls(DOVECOT, 995, b"+OK")),
    )


def _about(files: Path) -> Mapping[str, Any]:
    about: Mapping[str, Any] = json.loads((files / "probe.json").read_text(encoding="utf-8"))
    return about


def _tried(component: str, port: int, probe: Callable[[], Iterator[Finding]]) -> tuple[Finding, ...]:
    try:
        return tuple(probe())
    except (OSError, smtplib.SMTPException) as fault:
        return (error(component, _("port {port} does not answer as it should: {error}"), port=port, error=str(fault)),)


def _receives(about: Mapping[str, Any], lives: bool) -> Iterator[Finding]:
    domain = about["domain"]
    with smtplib.SMTP(_HERE, 25, local_hostname="probe.invalid", timeout=_WITHIN) as client:
        client.ehlo()
        if not client.has_extn("starttls"):
            yield error(POSTFIX, _("port {port} offers no TLS"), port=25)
        if client.has_extn("auth"):
            yield error(POSTFIX, _("port {port} takes passwords"), port=25)
        # The null sender, as a bounce has it (RFC 5321 section 4.5.5).
        code, said = client.mail("")
        if code != 250:
            yield _hardly(code, said)
            return
        code, said = client.rcpt(f"postmaster@{domain}")
        if lives and code != 250:
            yield _hardly(code, said)
        for recipient, wanted in ((f"{_NOBODY}@{domain}", 550), ("somebody@example.invalid", 554)):
            code, said = client.rcpt(recipient)
            if 400 <= code < 500:
                yield _hardly(code, said)
            elif code != wanted:
                template = _("{recipient} is not refused: {answer}")
                yield error(POSTFIX, template, recipient=recipient, answer=_words(code, said))


def _submission(about: Mapping[str, Any]) -> Iterator[Finding]:
    with smtplib.SMTP(_HERE, 587, local_hostname="probe.invalid", timeout=_WITHIN) as client:
        client.ehlo()
        if client.has_extn("auth"):
            yield error(POSTFIX, _("port {port} takes passwords without TLS"), port=587)
        client.starttls(context=_any_certificate())
        client.ehlo()
        if not client.has_extn("auth"):
            yield error(POSTFIX, _("port {port} takes no passwords"), port=587)


def _speaks_tls(component: str, port: int, greeting: bytes) -> Iterator[Finding]:
    with (
        socket.create_connection((_HERE, port), timeout=_WITHIN) as plain,
        _any_certificate().wrap_socket(plain, server_hostname=_HERE) as client,
    ):
        said = client.recv(512)
    if not said.startswith(greeting):
        template = _("port {port} does not answer as it should: {error}")
        yield error(component, template, port=port, error=said.decode("ascii", "replace"))


def _any_certificate() -> ssl.SSLContext:
    """Whom it is for, and until when, the Certificate has verified; here is asked whether it is served."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _hardly(code: int, said: bytes) -> Finding:
    """A refusal for now is as it should be while the filter is down; one for good is not."""
    template = _("mail is not taken now: {answer}")
    return (warning if 400 <= code < 500 else error)(POSTFIX, template, answer=_words(code, said))


def _words(code: int, said: bytes) -> str:
    return f"{code} {said.decode('ascii', 'replace')}"
