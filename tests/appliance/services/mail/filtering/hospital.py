"""A small hospital as a description, with a key made for the tests."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from appliance.services.mail.description import Alias, Dkim, Group, Limits, Mailbox, MailDescription, Senders

__all__ = ["DOMAIN", "SUBJECT_KEY", "dkim", "hospital"]

DOMAIN = "rssulsel.com"
SUBJECT_KEY = "00ff20275c5d0a0d" + "a5" * 24
"""With bytes that a careless template would break on."""


@cache
def dkim(pem: str = "") -> Dkim:
    """A key of 2048 bits, or the given one."""
    key = (
        serialization.load_pem_private_key(pem.encode(), None)
        if pem
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Dkim(selector="gerbang", private=private.decode(), public=base64.b64encode(public).decode())


def hospital(*, pem: str = "", more: tuple[str, ...] = (), message_bytes: int = 4 * 1024 * 1024) -> MailDescription:
    """Three accounts, one that is switched off, an alias and a group."""
    names = ("doctor", "nurse", "postbox", *more)
    return MailDescription(
        domain=DOMAIN,
        host=f"mail.{DOMAIN}",
        address="192.168.10.2",
        networks=("192.168.10.0/24",),
        postmaster="postbox",
        limits=Limits(
            message_bytes=message_bytes,
            recipients_per_message=50,
            connections_per_client=20,
            messages_per_client_minute=60,
        ),
        mailboxes=(
            *(_box(name) for name in sorted(names)),
            _box("retired", active=False),
        ),
        aliases=(
            Alias(name="director", targets=(f"doctor@{DOMAIN}",)),
            Alias(name="outside", targets=("somebody@elsewhere.example",)),
        ),
        groups=(Group(name="wards", title="Wards", members=("doctor", "nurse"), senders=Senders.ACCOUNTS),),
        dkim=dkim(pem),
        subject_key=SUBJECT_KEY,
    )


def _box(name: str, *, active: bool = True) -> Mailbox:
    return Mailbox(
        name=name,
        full_name=name.title(),
        department="",
        password_hash="",
        quota=500,
        active=active,
        messages_per_hour=100,
        recipients_per_hour=200,
    )
