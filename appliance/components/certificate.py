"""A certificate with its key: judged before it is used, by the TLS of this machine itself."""

from __future__ import annotations

import re
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.components.finding import error, warning
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.language import _

__all__ = ["Certificate"]

SOON = timedelta(days=21)
"""How long before its end a warning is given."""
EXPIRED = 10
NOT_YET_VALID = 9
"""X509_V_ERR_CERT_HAS_EXPIRED and _NOT_YET_VALID of OpenSSL's x509_vfy.h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """PEM texts (RFC 7468). Its folder holds ``key.pem``, ``certificate.pem``, ``chain.pem`` and ``fullchain.pem``.

    It is judged by a handshake in memory between OpenSSL and itself, so that
    names, dates and signatures are compared as clients do it.
    """

    name: str
    key: str
    certificate: str
    chain: str = ""
    """The certificates between it and the root, the nearest first."""
    covers: tuple[str, ...]
    """Names under which it is used."""
    requires: tuple[str, ...] = ()

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether it parses, the key is its own, its time has not passed, the chain leads up, and the names are its."""
        if not _blocks(self.certificate) or (self.chain.strip() and not _blocks(self.chain)):
            return (error(self.name, _("there is no certificate where one should be")),)
        try:
            server = self._server()
        except (ssl.SSLError, ValueError) as fault:
            reason = getattr(fault, "reason", None)
            if reason == "KEY_VALUES_MISMATCH":
                return (error(self.name, _("the key is not the certificate's")),)
            return (error(self.name, _("no certificate with a key: {error}"), error=reason or str(fault)),)
        seen, findings = self._seen(server)
        if findings:
            return findings
        return (*self._uncovered(server), *self._ends(seen))

    def render(self) -> Sequence[RenderedFile]:
        """The key for its owner and group only."""
        certificate, chain = _whole_lines(self.certificate), _whole_lines(self.chain)
        return (
            RenderedFile(path="key.pem", content=_whole_lines(self.key), secret=True),
            RenderedFile(path="certificate.pem", content=certificate, mode=0o644),
            RenderedFile(path="chain.pem", content=chain, mode=0o644),
            RenderedFile(path="fullchain.pem", content=certificate + chain, mode=0o644),
        )

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """``verify`` has said it all; who serves it is started in the shadow."""
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Who serves it follows it."""

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Whether its time has come near."""
        return self.verify({})

    def _server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # OpenSSL reads keys from files only; the folder is ours alone, and gone at once.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "all.pem"
            path.touch(mode=0o600)
            path.write_bytes(b"".join(_whole_lines(text) for text in (self.key, self.certificate, self.chain)))
            context.load_cert_chain(path, password=_no_password)
        return context

    def _seen(self, server: ssl.SSLContext) -> tuple[Mapping[str, Any], tuple[Finding, ...]]:
        try:
            return _handshake(server, self._client(check_name=False), ""), ()
        except ssl.SSLCertVerificationError as fault:
            if fault.verify_code == EXPIRED:
                return {}, (error(self.name, _("the certificate, or one of its chain, has expired")),)
            if fault.verify_code == NOT_YET_VALID:
                return {}, (error(self.name, _("the certificate is not valid yet")),)
            return {}, (error(self.name, _("the chain does not lead up: {error}"), error=fault.verify_message),)
        except ssl.SSLError as fault:
            return {}, (error(self.name, _("clients refuse it: {error}"), error=fault.reason),)

    def _client(self, *, check_name: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Trust the top of what is given, root or not (RFC 5280 section 6.1 lets any key be the anchor).
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(
            cadata=_blocks(self.chain)[-1] if self.chain.strip() else _blocks(self.certificate)[0]
        )
        context.check_hostname = check_name
        return context

    def _uncovered(self, server: ssl.SSLContext) -> tuple[Finding, ...]:
        findings = []
        for name in self.covers:
            try:
                _handshake(server, self._client(check_name=True), name)
            except ssl.SSLError:
                findings.append(error(self.name, _("it is not for {name}"), name=name))
        return tuple(findings)

    def _ends(self, seen: Mapping[str, Any]) -> tuple[Finding, ...]:
        end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(seen["notAfter"])), UTC)
        left = end - datetime.now(UTC)
        if left > SOON:
            return ()
        return (warning(self.name, _("it ends in {days} days, on {day}"), days=left.days, day=end.date().isoformat()),)


def _whole_lines(text: str) -> bytes:
    return (text.strip() + "\n").encode() if text.strip() else b""


def _blocks(pem: str) -> list[str]:
    """The certificates of a text, one each; the text between them is for people (RFC 7468 section 5.2)."""
    return re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL)


def _no_password() -> str:
    """A key that is locked is refused: nobody could type at a start. Without this OpenSSL would ask the terminal."""
    raise ValueError("the key is locked with a password")


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> Mapping[str, Any]:
    """TLS between two ends in memory; what the client saw. Raises ssl.SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up, server_hostname=name or None)
    answering = server.wrap_bio(up, down, server_side=True)
    ends = [asking, answering]
    for _flight in range(20):
        for end in tuple(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
        if not ends:
            break
    return asking.getpeercert() or {}
