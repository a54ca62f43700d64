"""The administrator's screens: people, sessions, the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.console.listing_screen import Action, ListingScreen
from appliance.console.master_data import MasterScreen
from appliance.contract.listings import Order
from appliance.language import _
from appliance.services.system.model import MASTER_DATA, AuditRow, PersonRecord, SessionEnded, SessionRow, WhosePassword

__all__ = ["SCREENS"]


def _session(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"session": row["id"]} if "id" in row else {}


SCREENS = (
    MasterScreen(MASTER_DATA[0]),
    ListingScreen(
        name="passwords",
        title=_("Passwords"),
        listing="people",
        row=PersonRecord,
        shown=("name", "full_name", "active"),
        order=(Order(column="name"),),
        actions=(
            Action("people.reset-password", WhosePassword, _("New password"), "p", fills={"name": "name"}, form=False),
        ),
    ),
    ListingScreen(
        name="sessions",
        title=_("Sessions"),
        row=SessionRow,
        order=(Order(column="last_seen", descending=True),),
        actions=(Action("sessions.end", SessionEnded, _("End the session"), "d", given=_session, form=False),),
    ),
    ListingScreen(name="audit", title=_("Audit log"), row=AuditRow, order=(Order(column="number", descending=True),)),
)
