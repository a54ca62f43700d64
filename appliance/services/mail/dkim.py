"""The keys that sign what leaves us (RFC 6376), and how one takes the place of another.

A new key signs from the commit on that publishes it: both happen together, and
our own name server answers at once. The old key's record stays published, for
mail that it has signed may be on its way for days; its private part is gone.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from sqlalchemy import insert, literal, select, update

from appliance.contract.commands import change
from appliance.contract.context import Context
from appliance.contract.refusals import NotFound, RuleBroken
from appliance.language import _
from appliance.services.mail.described import SUBJECT_KEY
from appliance.services.mail.model import POSTMASTERS, Selector, Settings
from appliance.services.mail.tables import DKIM, KEYS

__all__ = ["dkim_rows", "ensure_keys", "forget_key", "new_key", "rotate_key"]

BITS = 2048
"""RFC 8301 section 3.2: signers use at least 2048 bits; every verifier takes them."""


def new_key(_arguments: Any = None) -> tuple[str, str]:
    """The private key (PEM, PKCS #8) and the ``p=`` of its record. Takes up to a second."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode("ascii"), base64.b64encode(public).decode("ascii")


def ensure_keys(context: Context) -> None:
    """In a change: make the key that signs and that of the subjects' hashes, where there is none."""
    connection = context.connection
    if connection.execute(select(DKIM.c.selector).where(DKIM.c.signs.is_(True))).first() is None:
        _add(context, *new_key())
    if connection.execute(select(KEYS.c.value).where(KEYS.c.name == SUBJECT_KEY)).first() is None:
        connection.execute(insert(KEYS).values(name=SUBJECT_KEY, value=secrets.token_hex(32)))


@change(*POSTMASTERS, name="dkim.rotate", before=lambda _arguments: new_key())
def rotate_key(context: Context) -> Selector:
    """Sign with a new key from the next commit on; the record of the old one stays published until it is forgotten."""
    held = context.connection.execute(select(DKIM.c.selector).where(DKIM.c.signs.is_(True))).first()
    if held is None:
        raise RuleBroken(_("there is no key yet: set the domain in the settings first"))
    context.connection.execute(update(DKIM).where(DKIM.c.signs.is_(True)).values(signs=False, private=""))
    return Selector(selector=_add(context, *context.prepared))


@change(*POSTMASTERS, name="dkim.forget")
def forget_key(context: Context, wanted: Selector) -> None:
    """Publish the record of a key that signs no more no longer: a week after the change of keys is soon enough."""
    row = context.connection.execute(select(DKIM).where(DKIM.c.selector == wanted.selector)).one_or_none()
    if row is None:
        raise NotFound(_("DKIM key"), wanted.selector)
    if row.signs:
        raise RuleBroken(_("{selector} signs: make a new key first"), field="selector", selector=wanted.selector)
    context.connection.execute(DKIM.delete().where(DKIM.c.selector == wanted.selector))
    context.publish("removed", f"dkim/{wanted.selector}")


def dkim_rows(settings: Settings) -> Any:
    """The select of the listing ``dkim``: the records as they are published."""
    return select(
        DKIM.c.id,
        DKIM.c.version,
        DKIM.c.selector,
        DKIM.c.signs,
        DKIM.c.made_at,
        (DKIM.c.selector + f"._domainkey.{settings.domain}").label("record_name"),
        (literal("v=DKIM1; k=rsa; p=") + DKIM.c.public).label("record_value"),
    )


def _add(context: Context, private: str, public: str) -> str:
    selector = _free_selector(context)
    values = {"selector": selector, "private": private, "public": public, "signs": True, "made_at": context.now}
    context.connection.execute(insert(DKIM).values(**values, version=1))
    context.publish("added", f"dkim/{selector}")
    return selector


def _free_selector(context: Context) -> str:
    """``s20260301``; a second one of the day has a letter behind. Nobody has seen one that is used anew."""
    taken = set(context.connection.execute(select(DKIM.c.selector)).scalars())
    day = f"s{context.today:%Y%m%d}"
    names = (day, *(f"{day}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"))
    found = next((one for one in names if one not in taken), None)
    if found is None:
        raise RuleBroken(_("there are {count} keys of today already"), count=len(names))
    return found
