"""The web mail seen as a browser sees it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.components.finding import error
from appliance.components.own_addresses import addresses_elsewhere
from appliance.contract.components import Finding, Machine
from appliance.language import _

__all__ = ["hidden", "login_page", "reachable", "redirect"]

HERE = "127.0.0.1"
WITHIN = 15.0
"""Seconds for one answer: the first one starts PHP."""
NAME = "webmail.nginx"
HIDDEN = ("/config/config.inc.php", "/installer/index.php", "/bin/updatedb.sh", "/SQL/sqlite.initial.sql")


def login_page(files: Path, machine: Machine) -> Sequence[Finding]:
    """Whether the name's own page, under the name's certificate, asks for account and password."""
    try:
        status, body = _asked(files, "/")
    except (OSError, http.client.HTTPException) as fault:
        return (error(NAME, _("the login page cannot be had: {error}"), error=str(fault)),)
    if status != 200 or 'name="_user"' not in body or 'name="_pass"' not in body:
        return (error(NAME, _("what answers is no login page: {status}"), status=status),)
    return ()


def hidden(files: Path, machine: Machine) -> Sequence[Finding]:
    """Whether nobody sees what lies beside Roundcube's pages."""
    findings = []
    for path in HIDDEN:
        try:
            status, _body = _asked(files, path)
        except (OSError, http.client.HTTPException) as fault:
            return (error(NAME, _("it does not answer: {error}"), error=str(fault)),)
        if status != 404:
            findings.append(
                error(NAME, _("{path} should be hidden, and is answered with {status}"), path=path, status=status)
            )
    return tuple(findings)


def redirect(files: Path, machine: Machine) -> Sequence[Finding]:
    """Whether who comes without TLS is sent to where it is."""
    name = _name(files)
    connection = http.client.HTTPConnection(HERE, 80, timeout=WITHIN)
    try:
        connection.request("GET", "/", headers={"Host": name})
        answer = connection.getresponse()
        where = answer.getheader("Location", "")
    except (OSError, http.client.HTTPException) as fault:
        return (error(NAME, _("port 80 does not answer: {error}"), error=str(fault)),)
    finally:
        connection.close()
    if answer.status != 301 or where != f"https://{name}/":
        return (error(NAME, _("port 80 does not lead to https")),)
    return ()


def reachable(files: Path, machine: Machine) -> Sequence[Finding]:
    """Whether it listens on addresses of this machine. An older generation does not say where it does."""
    return addresses_elsewhere(NAME, "webmail/addresses", _told(files).get("addresses", ()))


def _name(files: Path) -> str:
    return str(_told(files)["name"])


def _told(files: Path) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads((files / "probe.json").read_text(encoding="utf-8"))
    return told


def _asked(files: Path, path: str) -> tuple[int, str]:
    name = _name(files)
    with (
        socket.create_connection((HERE, 443), timeout=WITHIN) as plain,
        _context(files).wrap_socket(plain, server_hostname=name) as tls,
    ):
        connection = http.client.HTTPSConnection(name)
        connection.sock = tls
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


def _context(files: Path) -> ssl.SSLContext:
    """Trusts what the certificate's own chain leads to: whether that is trusted elsewhere is another question."""
    folder = files.parent / "certificates.web"
    anchors = (folder / "chain.pem").read_text(encoding="ascii") or (folder / "certificate.pem").read_text("ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=anchors)
    return context
