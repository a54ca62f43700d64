"""Where a device is reached, by whom, and what of its certificate is trusted."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from compiler.errors import UsageError

__all__ = ["PORT", "TLS_PORT", "Access", "Tls"]

PORT, TLS_PORT = 8728, 8729
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Tls:
    """How the device's certificate is looked at.

    By the system's authorities, by those of the file ``ca`` (PEM), or by nothing
    but its SHA-256 ``fingerprint`` (hexadecimal, colons allowed). ``insecure``:
    not at all.
    """

    ca: str = ""
    fingerprint: str = ""
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """The context of connections. Raises UsageError for an unreadable file or a fingerprint that is none."""
        if self.fingerprint:
            return _Pinned.of(self.fingerprint)
        if self.insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context
        try:
            return ssl.create_default_context(cafile=self.ca or None)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"--ca {self.ca}: no certificates (PEM) can be read there: {error}") from None


class _Pinned(ssl.SSLContext):
    """Trusts one certificate, whoever signed it; anything else ends before a password is sent."""

    fingerprint = ""

    @classmethod
    def of(cls, text: str) -> _Pinned:
        """The context for a fingerprint."""
        bare = text.lower().replace(":", "").replace(" ", "")
        if not _FINGERPRINT.fullmatch(bare):
            raise UsageError(f"--fingerprint {text}: expected the SHA-256 of a certificate, 64 hexadecimal digits")
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.fingerprint = bare
        return context

    def wrap_socket(self, sock: socket.socket, *arguments: Any, **options: Any) -> ssl.SSLSocket:  # noqa: ANN401
        """Shake hands, and look at the certificate. Raises SSLCertVerificationError for another one."""
        wrapped = super().wrap_socket(sock, *arguments, **options)
        found = hashlib.sha256(wrapped.getpeercert(binary_form=True) or b"").hexdigest()
        if found != self.fingerprint:
            wrapped.close()
            raise ssl.SSLCertVerificationError(f"the certificate's SHA-256 is {found}, not the one that was given")
        return wrapped


@dataclass(frozen=True, slots=True)
class Access:
    """One device. ``port`` 0 is the usual one; ``timeout`` is in seconds for each answer."""

    host: str
    user: str = "admin"
    password: str = field(default="", repr=False)
    port: int = 0
    tls: Tls | None = None
    timeout: float = 15.0

    @property
    def number(self) -> int:
        """The port."""
        return self.port or (PORT if self.tls is None else TLS_PORT)

    def __str__(self) -> str:
        return f"{self.host}:{self.number}"
