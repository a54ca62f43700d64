"""The lists of the mail: accounts with what counts for each, and the keys that sign."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from appliance.contract.listings import Asking, Listing, Order
from appliance.services.mail.dkim import dkim_rows
from appliance.services.mail.model import POSTMASTERS, AccountRow, DkimRow, Settings
from appliance.services.mail.tables import ACCOUNTS, DEPARTMENTS, PASSWORDS

__all__ = ["LISTINGS"]


def _accounts(asking: Asking) -> Any:
    """What is not said of an account is its department's or the settings'."""
    settings = asking.settings(Settings)
    return (
        select(
            *(ACCOUNTS.c[name] for name in ("id", "version", "name", "full_name", "department", "active")),
            func.coalesce(ACCOUNTS.c.quota, DEPARTMENTS.c.quota, settings.quota).label("quota"),
            func.coalesce(ACCOUNTS.c.messages_per_hour, settings.messages_per_hour).label("messages_per_hour"),
            func.coalesce(ACCOUNTS.c.recipients_per_hour, settings.recipients_per_hour).label("recipients_per_hour"),
            PASSWORDS.c.changed_at.label("password_changed"),
            ACCOUNTS.c.changed_at.label("last_change"),
            ACCOUNTS.c.changed_by.label("last_change_by"),
        )
        .join(PASSWORDS, PASSWORDS.c.account == ACCOUNTS.c.name)
        .outerjoin(DEPARTMENTS, DEPARTMENTS.c.name == ACCOUNTS.c.department)
    )


LISTINGS = (
    Listing(
        name="accounts",
        row=AccountRow,
        see=POSTMASTERS,
        key="name",
        order=(Order(column="name"),),
        select=_accounts,
    ),
    Listing(
        name="dkim",
        row=DkimRow,
        see=POSTMASTERS,
        key="selector",
        order=(Order(column="made_at", descending=True),),
        select=lambda asking: dkim_rows(asking.settings(Settings)),
    ),
)
