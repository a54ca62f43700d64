"""The own authority: shown and exported for those who are to trust it, replaced, and its list of what was revoked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, RowMapping, func, select

from appliance import durable
from appliance.contract.commands import change, query, work
from appliance.contract.context import Context
from appliance.contract.refusals import Refused, RuleBroken
from appliance.contract.results import KeptFile
from appliance.language import _
from appliance.services.certificates.issuing import authority_row
from appliance.services.certificates.issuing import replace_authority as replace
from appliance.services.certificates.listings import days_left
from appliance.services.certificates.model import KEEPERS, AuthorityPage, AuthorityReplaced, Reason, RevocationList
from appliance.services.certificates.signing import Revoked, Signed
from appliance.services.certificates.signing import revocation_list as signed_list
from appliance.services.certificates.tables import ISSUED

__all__ = ["authority", "export_authority", "replace_authority", "revocation_list"]

FILE = "authority.pem"
WEEK = timedelta(days=7)


@query(*KEEPERS)
def authority(context: Context) -> AuthorityPage:
    """Show the own authority: its certificate for clients, and the fingerprint to compare."""
    return _page(context)


@work(*KEEPERS)
def export_authority(context: Context) -> KeptFile:
    """Save the own authority's certificate as a PEM file for clients: ``--output authority.pem``."""
    with context.reading() as connection:
        row = _standing(connection)
    folder: Path = context.appliance.state_folder / "certificates"
    folder.mkdir(mode=0o700, exist_ok=True)
    # It may be there from before; whoever reads that one meanwhile has it whole.
    durable.put(folder / FILE, row["certificate"].encode(), 0o644)
    return KeptFile(path=folder / FILE, name=FILE, media_type="application/x-pem-file")


@change(*KEEPERS)
def replace_authority(context: Context, replaced: AuthorityReplaced) -> AuthorityPage:
    """Make a new authority and issue all its certificates again: clients have to trust the new one."""
    row = authority_row(context.connection)
    if (row["fingerprint"] if row is not None else None) != replaced.fingerprint:
        raise RuleBroken(_("the own authority is another one by now: look at it again"), field="fingerprint")
    replace(context)
    return _page(context)


@query(*KEEPERS)
def revocation_list(context: Context) -> RevocationList:
    """Make the signed list of revoked certificates of the own authority, good for a week."""
    row = _standing(context.connection)
    until = context.now + WEEK
    wanted = (
        select(ISSUED.c.serial, ISSUED.c.revoked_at, ISSUED.c.reason)
        .where(ISSUED.c.authority == row["fingerprint"], ISSUED.c.revoked_at.is_not(None))
        .order_by(ISSUED.c.revoked_at, ISSUED.c.serial)
    )
    revoked = [
        Revoked(serial=one.serial, at=one.revoked_at, reason=(one.reason or Reason.UNSPECIFIED).value)
        for one in context.connection.execute(wanted)
    ]
    parent = Signed(certificate=row["certificate"], key=row["key"])
    return RevocationList(
        authority=row["fingerprint"],
        revoked=tuple(one.serial for one in revoked),
        until=until,
        list=signed_list(parent, revoked, context.now, until),
    )


def _page(context: Context) -> AuthorityPage:
    row = _standing(context.connection)
    of_it = select(func.count()).select_from(ISSUED).where(ISSUED.c.authority == row["fingerprint"])
    good = of_it.where(ISSUED.c.revoked_at.is_(None), ISSUED.c.ends > context.now)
    return AuthorityPage(
        subject=row["subject"],
        fingerprint=row["fingerprint"],
        begins=row["begins"].astimezone(context.zone),
        ends=row["ends"].astimezone(context.zone),
        left=days_left(row["ends"], context.now),
        certificates=context.connection.execute(good).scalar_one(),
        revoked=context.connection.execute(of_it.where(ISSUED.c.revoked_at.is_not(None))).scalar_one(),
        certificate=row["certificate"],
    )


def _standing(connection: Connection) -> RowMapping:
    row = authority_row(connection)
    if row is None:
        raise Refused(_("there is no own authority yet: the first certificate that is issued makes it"))
    return row
