"""Web mail for the sample hospital, under the name that its zone has for it."""

from __future__ import annotations

from appliance.contract.context import Context
from appliance.services.mail.described import describe as describe_mail
from appliance.services.webmail.commands import settings_change
from appliance.services.webmail.model import Settings, SettingsChange

__all__ = ["load"]


def load(context: Context) -> None:
    """It needs the mail's sample."""
    if describe_mail(context.connection) is not None:
        settings_change.function(context, SettingsChange(version=0, row=Settings()))
