"""The administrator's screens: people, sessions, the audit log, backups, what runs by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.console.listing_screen import Action, ListingScreen
from appliance.console.master_data import HELP as RECORDS
from appliance.console.screens import CustomScreen
from appliance.contract.listings import Order
from appliance.language import _
from appliance.services.system.model import SessionEnded, SessionRow

__all__ = ["SCREENS"]


def _session(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"session": row["id"]} if "id" in row else {}


SCREENS = (
    CustomScreen(
        name="people",
        title=_("People"),
        make="appliance.services.system.people_pane:PeoplePane",
        needs=("people",),
        help=RECORDS,
    ),
    ListingScreen(
        name="sessions",
        title=_("Sessions"),
        row=SessionRow,
        order=(Order(column="last_seen", descending=True),),
        actions=(Action("sessions.end", SessionEnded, _("End the session"), "d", given=_session, form=False),),
        follows=("people",),
    ),
    CustomScreen(
        name="audit",
        title=_("Audit log"),
        make="appliance.services.system.audit_pane:AuditPane",
        needs=("audit",),
    ),
    CustomScreen(
        name="backups",
        title=_("Backups"),
        make="appliance.services.system.backups_pane:BackupsPane",
        needs=("backups",),
    ),
    CustomScreen(
        name="timed",
        title=_("Runs by itself"),
        make="appliance.services.system.timed_pane:TimedPane",
        needs=("timed",),
    ),
)
