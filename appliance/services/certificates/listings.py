"""Certificates as rows: how near their end, and who uses them; and the list of all that was issued."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select

from appliance.contract.context import Context
from appliance.contract.listings import Listing, Order
from appliance.services.certificates.model import (
    KEEPERS,
    SOON,
    CertificateKept,
    CertificateRow,
    IssuedRow,
    Settings,
    Standing,
)
from appliance.services.certificates.serving import renewals_waiting
from appliance.services.certificates.tables import CERTIFICATES, ISSUED

__all__ = ["LISTINGS", "days_left", "row_kept", "rows_shown", "users_of"]

log = logging.getLogger("gerbang.certificates")


def rows_shown(context: Context) -> tuple[CertificateRow, ...]:
    """All certificates, the next to end first."""
    users = _known_users(context)
    waiting = renewals_waiting(context, context.connection)
    rows = context.connection.execute(select(CERTIFICATES).order_by(CERTIFICATES.c.ends, CERTIFICATES.c.name))
    return tuple(
        CertificateRow(
            **_shown(context, row),
            used_by=users.get(f"certificates.{row['name']}", ()),
            waits=row["name"] in waiting,
        )
        for row in rows.mappings()
    )


def row_kept(context: Context, row: RowMapping) -> CertificateKept:
    """One, as a change answers it."""
    return CertificateKept(**_shown(context, row))


def _shown(context: Context, row: RowMapping) -> dict[str, Any]:
    same = ("name", "names", "source", "issuer", "purpose", "serial", "fingerprint", "version")
    return {
        **{name: row[name] for name in same},
        "begins": row["begins"].astimezone(context.zone),
        "ends": row["ends"].astimezone(context.zone),
        "left": days_left(row["ends"], context.now),
        "standing": _standing(row["ends"], context.now, context.settings(Settings).renew_within),
    }


def _known_users(context: Context) -> dict[str, tuple[str, ...]]:
    """Who uses which, as far as the other services can say: what one of them fails at hides no certificate."""
    try:
        return users_of(context)
    except Exception:
        log.exception("who uses which certificate could not be found out")
        return {}


def users_of(context: Context) -> dict[str, tuple[str, ...]]:
    """Which components require each certificate's component, as the services want the machine now."""
    if context.appliance is None:
        return {}
    users: dict[str, tuple[str, ...]] = {}
    for component in context.appliance.components(context.connection):
        for needed in dict.fromkeys((*component.requires, *getattr(component, "reads", ()))):
            users[needed] = (*users.get(needed, ()), component.name)
    return users


def days_left(end: datetime, now: datetime) -> int:
    """Whole days; below zero when it has ended."""
    return (end - now) // timedelta(days=1)


def _standing(end: datetime, now: datetime, renew_within: int) -> Standing:
    if end <= now:
        return Standing.ENDED
    if end - now < timedelta(days=SOON):
        return Standing.SOON
    return Standing.DUE if end - now < timedelta(days=renew_within) else Standing.GOOD


def _issued(_asking: Any) -> Any:
    return select(ISSUED)


LISTINGS = (
    Listing(
        name="issued",
        row=IssuedRow,
        see=frozenset(KEEPERS),
        key="serial",
        order=(Order(column="begins", descending=True),),
        select=_issued,
    ),
)
