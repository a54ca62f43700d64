"""Certificates of the own authority in the store: issued, renewed, given new keys. Called within a change.

Other services call ``ensure`` from their own changes, so all of this reads the
settings of this service by its name, and tells its events as its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, select, update

from appliance.contract.context import Context, Event
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.certificates.kinds import subject_name
from appliance.services.certificates.model import Authority, Certificate, IssuedRow, Reason, Settings, Source
from appliance.services.certificates.signing import Signed, covered, facts_of, new_authority, new_key, sign
from appliance.services.certificates.tables import AUTHORITIES, CERTIFICATES, ISSUED
from appliance.store.rows import add_row, change_row, values_of
from appliance.store.settings import settings_of

__all__ = [
    "authority_row",
    "certificate_row",
    "ensure",
    "issue",
    "put",
    "renew",
    "replace_authority",
    "replace_key",
    "revoke",
    "settings",
    "told",
]


def ensure(context: Context, name: str, names: tuple[str, ...], purpose: str, *, also: tuple[str, ...] = ()) -> None:
    """Issue the certificate ``name`` by the own authority, when there is none or it is not for all these names.

    In a change of any service. ``names``: host names and addresses; ``also``:
    those that one of our own is for too, and one from elsewhere need not be. One
    that comes from elsewhere is never replaced: raises RuleBroken when it is not
    for all of them, and for what is no name.
    """
    row = certificate_row(context, name)
    own = row is None or row["source"] is not Source.ELSEWHERE
    wanted = tuple(dict.fromkeys(subject_name(one) for one in (*names, *(also if own else ()))))
    if row is None:
        issue(context, name, wanted, purpose)
        return
    inside = facts_of(row["certificate"]).names
    missing = [one for one in wanted if not covered(one, inside)]
    if missing and not own:
        raise RuleBroken(
            _("the certificate {name} is from elsewhere and not for {missing}: install another, or remove it"),
            name=name,
            missing=", ".join(missing),
        )
    if missing:
        issue(context, name, wanted, purpose)
    elif any(one not in row["names"] for one in wanted):
        # It is for them already, by a ``*``, and is looked at for them from now on.
        kept = (*row["names"], *(one for one in wanted if one not in row["names"]))
        change_row(context, CERTIFICATES, "name", name, row["version"], {"names": kept}, "certificate")
        told(context, name)


def issue(context: Context, name: str, names: tuple[str, ...], purpose: str, *, key: str = "") -> None:
    """Issue a certificate, in place of one of this name that the own authority has issued; that one's key is kept,
    unless ``key`` is another. The one before it is good until it ends or is revoked. Raises RuleBroken."""
    wanted = tuple(dict.fromkeys(subject_name(one) for one in names))
    if not wanted:
        raise RuleBroken(_("a certificate is for one name at least"), field="names")
    row = certificate_row(context, name)
    if row is not None and row["source"] is Source.ELSEWHERE:
        raise RuleBroken(_("the certificate {name} is from elsewhere: remove it first"), field="name", name=name)
    authority = _standing_authority(context)
    parent = Signed(certificate=authority["certificate"], key=authority["key"])
    own = key or (row["key"] if row is not None else new_key())
    signed = sign(parent, wanted, settings(context).days, context.now, own)
    facts = facts_of(signed.certificate)
    noted = IssuedRow(
        serial=facts.serial,
        name=name,
        names=wanted,
        authority=authority["fingerprint"],
        begins=facts.begins,
        ends=facts.ends,
    )
    add_row(context, ISSUED, "serial", values_of(noted), "issued certificate")
    put(
        context,
        Certificate(
            name=name,
            names=wanted,
            purpose=purpose or (row["purpose"] if row is not None else ""),
            source=Source.OWN,
            issuer=facts.issuer,
            serial=facts.serial,
            begins=facts.begins,
            ends=facts.ends,
            fingerprint=facts.fingerprint,
            certificate=signed.certificate,
            chain=authority["certificate"],
            key=signed.key,
        ),
    )


def put(context: Context, kept: Certificate) -> None:
    """Keep a certificate in place of the one of its name."""
    row = certificate_row(context, kept.name)
    if row is None:
        add_row(context, CERTIFICATES, "name", values_of(kept), "certificate")
    else:
        change_row(context, CERTIFICATES, "name", kept.name, row["version"], values_of(kept), "certificate")
    told(context, kept.name)


def renew(context: Context, row: RowMapping) -> None:
    """A new end for a certificate of the own authority; its key and names stay."""
    _refuse_elsewhere(row)
    issue(context, row["name"], row["names"], row["purpose"])


def replace_key(context: Context, row: RowMapping, reason: Reason) -> None:
    """Revoke a certificate of the own authority, and issue it again with a new key."""
    _refuse_elsewhere(row)
    revoke(context, row["name"], reason)
    issue(context, row["name"], row["names"], row["purpose"], key=new_key())


def revoke(context: Context, name: str, reason: Reason) -> None:
    """Put all certificates of this name that the own authority has issued and that have not ended on its list: those
    before the last have the same key."""
    context.connection.execute(
        update(ISSUED)
        .where(ISSUED.c.name == name, ISSUED.c.revoked_at.is_(None), ISSUED.c.ends > context.now)
        .values(
            revoked_at=context.now,
            reason=reason,
            version=ISSUED.c.version + 1,
            changed_by=context.person.name,
            changed_at=context.now,
        )
    )


def replace_authority(context: Context) -> RowMapping:
    """A new authority; every certificate of the one before it is issued again, with the key that it has."""
    before = authority_row(context.connection)
    if before is not None:
        key, version = before["fingerprint"], before["version"]
        change_row(context, AUTHORITIES, "fingerprint", key, version, {"current": False}, "authority")
    made = _made_authority(context)
    own = select(CERTIFICATES).where(CERTIFICATES.c.source == Source.OWN).order_by(CERTIFICATES.c.name)
    for row in context.connection.execute(own).mappings().all():
        issue(context, row["name"], row["names"], row["purpose"])
    return made


def authority_row(connection: Any) -> RowMapping | None:
    """The authority of now, or None before the first certificate."""
    found: RowMapping | None = connection.execute(select(AUTHORITIES).where(AUTHORITIES.c.current)).mappings().first()
    return found


def certificate_row(context: Context, name: str) -> RowMapping | None:
    """The certificate of this name, or None."""
    return context.connection.execute(select(CERTIFICATES).where(CERTIFICATES.c.name == name)).mappings().one_or_none()


def settings(context: Context) -> Settings:
    """This service's, whichever service's change it is."""
    found: Settings = settings_of(context.connection, "certificates", Settings)
    return found


def told(context: Context, name: str) -> None:
    """Screens look again, once the change is kept."""
    context.events.append(Event(service="certificates", kind="changed", subject=f"certificates/{name}"))


def _standing_authority(context: Context) -> RowMapping:
    """The authority of now, made when it is first needed, and again when it has ended."""
    row = authority_row(context.connection)
    if row is None:
        return _made_authority(context)
    if row["ends"] <= context.now:
        raise RuleBroken(_("the own authority has ended: replace it"))
    return row


def _made_authority(context: Context) -> RowMapping:
    signed = new_authority(settings(context).organization, context.now)
    facts = facts_of(signed.certificate)
    kept = Authority(
        fingerprint=facts.fingerprint,
        subject=facts.subject,
        begins=facts.begins,
        ends=facts.ends,
        current=True,
        certificate=signed.certificate,
        key=signed.key,
    )
    add_row(context, AUTHORITIES, "fingerprint", values_of(kept), "authority")
    context.events.append(Event(service="certificates", kind="changed", subject="authority"))
    made = authority_row(context.connection)
    assert made is not None
    return made


def _refuse_elsewhere(row: RowMapping) -> None:
    if row["source"] is Source.ELSEWHERE:
        raise RuleBroken(
            _("the certificate {name} is from elsewhere: who issued it renews it"), field="name", name=row["name"]
        )
