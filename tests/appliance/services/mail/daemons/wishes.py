"""A mail to test with: some people, lists, aliases, and a certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher

from appliance.components.certificate import Certificate
from appliance.services.mail.description import Alias, Dkim, Group, Limits, Mailbox, MailDescription, Senders

__all__ = ["DOMAIN", "HOST", "PASSWORD", "SERVER", "certificate", "mailbox", "wish"]

DOMAIN, HOST, SERVER = "rssulsel.com", "mail.rssulsel.com", "192.168.10.2"
PASSWORD = "tujuh-bangau-di-bendung"


@lru_cache(maxsize=1)
def _hash() -> str:
    return "{ARGON2ID}" + PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


def mailbox(name: str, **more: Any) -> Mailbox:
    """One with the password."""
    plain = Mailbox(
        name=name,
        full_name=name.title(),
        department="Perawat",
        password_hash=_hash(),
        quota=500,
        messages_per_hour=200,
        recipients_per_hour=1000,
    )
    return replace(plain, **more)


def wish(**more: Any) -> MailDescription:
    """The whole of it."""
    plain = MailDescription(
        domain=DOMAIN,
        host=HOST,
        address=SERVER,
        networks=(),
        postmaster="kepala",
        limits=Limits(
            message_bytes=25 << 20,
            recipients_per_message=100,
            connections_per_client=50,
            messages_per_client_minute=100,
        ),
        mailboxes=(
            mailbox("budi"),
            mailbox("dr.ani"),
            mailbox("kepala"),
            mailbox("lama", active=False),
            mailbox("penuh", quota=1),
            mailbox("siti", messages_per_hour=3),
            mailbox("tanpa", password_hash=""),
        ),
        aliases=(
            Alias(name="abuse", targets=(f"kepala@{DOMAIN}",)),
            Alias(name="info", targets=(f"siti@{DOMAIN}", f"budi@{DOMAIN}")),
            Alias(name="pindah", targets=(f"lama@{DOMAIN}",)),
            Alias(name="postmaster", targets=(f"kepala@{DOMAIN}",)),
            Alias(name="semua-dokter", targets=(f"dokter@{DOMAIN}",)),
        ),
        groups=(
            Group(name="dokter", title="Dokter", members=("dr.ani", "lama"), senders=Senders.MEMBERS),
            Group(name="kabar", title="Kabar", members=("budi",), senders=Senders.POSTMASTER),
            Group(name="kosong", title="Kosong", members=(), senders=Senders.ANYBODY),
            Group(name="perawat", title="Perawat", members=("budi", "siti"), senders=Senders.ACCOUNTS),
            Group(name="terbuka", title="Terbuka", members=("budi", "siti"), senders=Senders.ANYBODY),
        ),
        dkim=Dkim(selector="g1", private="none", public="MIIB" + "A" * 400),
        subject_key="00" * 32,
    )
    return replace(plain, **more)


@lru_cache(maxsize=4)
def certificate(host: str = HOST, *, rsa_key: bool = False) -> Certificate:
    """Self-signed. With an RSA key as some authorities still give them."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(65537, 2048) if rsa_key else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(
        name="certificates.mail",
        key=private.decode(),
        certificate=made.public_bytes(serialization.Encoding.PEM).decode(),
        covers=(host,),
    )
