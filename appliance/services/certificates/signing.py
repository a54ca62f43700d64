"""X.509 as RFC 5280 has it: the own authority, what it signs, and what stands in a certificate. No store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Facts", "Revoked", "Signed", "covered", "facts_of", "new_authority", "new_key", "revocation_list", "sign"]

SKEW = timedelta(hours=1)
"""How far before now a certificate begins: the clocks of clients are not ours."""
TEN_YEARS = timedelta(days=3652)
LONGEST_COMMON_NAME = 64
"""Characters: ub-common-name of RFC 5280, appendix A."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stands in a certificate."""

    subject: str
    issuer: str
    serial: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """One line of a revocation list."""

    serial: str
    at: datetime
    reason: str


def new_authority(organization: str, now: datetime) -> Signed:
    """A root for ten years that signs certificates of hosts, and no other authority (``pathlen`` 0). P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # The digits tell this authority from the next one: clients find the issuer by its name.
    called = f"{organization[:40]} {now:%Y} {serial % 16**8:08x}"
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, called),
        ]
    )
    usage = _usage(key_cert_sign=True, crl_sign=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), serial)
        .not_valid_before(now - SKEW)
        .not_valid_after(now - SKEW + TEN_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Signed(certificate=_pem(made), key=_key_pem(key))


def new_key() -> str:
    """A private key on P-256, as PKCS 8."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def sign(authority: Signed, names: Sequence[str], days: int, now: datetime, key: str) -> Signed:
    """A certificate of a TLS server for these names, with this key of ``new_key``, by a random serial number.

    It ends with the authority at the latest. ``names`` are as ``model.subject_name`` gives them.
    """
    parent = x509.load_pem_x509_certificate(authority.certificate.encode())
    own = _loaded(key)
    common = next((one for one in names if len(one) <= LONGEST_COMMON_NAME), "")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])
    of_parent = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    made = (
        x509.CertificateBuilder(parent.subject, subject, own.public_key(), x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(min(now - SKEW + timedelta(days=days), parent.not_valid_after_utc))
        # An empty subject makes the names critical (RFC 5280, section 4.2.1.6).
        .add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), critical=not common)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(of_parent), critical=False)
        .sign(_loaded(authority.key), hashes.SHA256())
    )
    return Signed(certificate=_pem(made), key=key)


def revocation_list(authority: Signed, revoked: Iterable[Revoked], now: datetime, until: datetime) -> str:
    """The list as PEM, version 2, with its number and the reasons (RFC 5280, section 5)."""
    parent = x509.load_pem_x509_certificate(authority.certificate.encode())
    of_parent = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(parent.subject)
        .last_update(now)
        .next_update(until)
        # It must grow from list to list; seconds do.
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(of_parent), critical=False)
    )
    for one in revoked:
        line = x509.RevokedCertificateBuilder().serial_number(int(one.serial, 16)).revocation_date(one.at)
        # An unspecified reason is left out (section 5.3.1).
        if one.reason != x509.ReasonFlags.unspecified.value:
            line = line.add_extension(x509.CRLReason(x509.ReasonFlags(one.reason)), critical=False)
        made = made.add_revoked_certificate(line.build())
    return made.sign(_loaded(authority.key), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def facts_of(pem: str) -> Facts:
    """What stands in the first certificate of a PEM text. Raises ValueError."""
    found = x509.load_pem_x509_certificate(pem.encode())
    digest = found.fingerprint(hashes.SHA256()).hex(":").upper()
    return Facts(
        subject=_called(found.subject),
        issuer=_called(found.issuer),
        serial=f"{found.serial_number:x}",
        names=_names_in(found),
        begins=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
        fingerprint=digest,
    )


def covered(name: str, names: Iterable[str]) -> bool:
    """Whether a certificate for ``names`` is good for this one: the same, or one label under ``*`` (RFC 9525)."""
    _first, dot, rest = name.partition(".")
    known = set(names)
    return name in known or (bool(dot) and not _is_address(name) and f"*.{rest}" in known)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _names_in(found: x509.Certificate) -> tuple[str, ...]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(one) for one in names.get_values_for_type(x509.IPAddress))
    return (*(one.lower() for one in names.get_values_for_type(x509.DNSName)), *addresses)


def _called(name: x509.Name) -> str:
    """``CN=…,O=…``, on one line of what can be shown."""
    text = name.rfc4514_string()
    return "".join(one if one.isprintable() else "?" for one in text)[:200]


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(name)) if _is_address(name) else x509.DNSName(name)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _loaded(key: str) -> ec.EllipticCurvePrivateKey:
    """A key of our own making."""
    loaded = load_pem_private_key(key.encode(), password=None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return loaded


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
