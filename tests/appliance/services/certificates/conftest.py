"""A service of certificates on a store in memory, and what comes from elsewhere: chains that other authorities made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from appliance.services.certificates import service
from appliance.testing import Trial
from tests.appliance.postgresql import database, postgresql, postgresql_server

__all__ = ["Elsewhere", "database", "elsewhere", "postgresql", "postgresql_server", "trial"]

ZONE = ZoneInfo("Asia/Makassar")


@pytest.fixture
def trial() -> Iterator[Trial]:
    """Now is now: a handshake goes by the clock of this machine."""
    made = Trial(service, now=datetime.now(ZONE))
    yield made
    made.close()


class Elsewhere:
    """An authority that is not ours: a root, one between, and leaves as tests want them."""

    def __init__(self) -> None:
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.between_key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._made("root", self.root_key, "root", self.root_key, authority=True)
        self.between = self._made("between", self.between_key, "root", self.root_key, authority=True)

    def leaf(self, *names: str, days: int = 90, key: ec.EllipticCurvePrivateKey | None = None) -> tuple[str, str]:
        """A certificate and its key."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        made = self._made("leaf", own, "between", self.between_key, names=names, days=days)
        return pem(made), locked(own)

    def _made(
        self,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        authority: bool = False,
        names: tuple[str, ...] = (),
        days: int = 3650,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(named(issuer), named(subject), key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=3000))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(issuer_key, hashes.SHA256())


def named(text: str) -> x509.Name:
    """A name of one word."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Elsewhere {text}")])


def pem(certificate: x509.Certificate) -> str:
    """Its text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def locked(key: ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    """A key as PEM; with a password, locked."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


@cache
def _elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def elsewhere() -> Elsewhere:
    """One for all tests of a worker: it never changes."""
    return _elsewhere()
