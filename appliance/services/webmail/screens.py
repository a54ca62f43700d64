"""The web mail's screens: who uses it. Its settings have their own screen."""

from __future__ import annotations

from appliance.console.screens import CustomScreen
from appliance.console.settings_screen import SettingsScreen
from appliance.language import _
from appliance.services.webmail.model import Settings

__all__ = ["SCREENS"]

SCREENS = (
    CustomScreen(
        name="people",
        title=_("Users"),
        make="appliance.services.webmail.people_pane:PeoplePane",
        needs=("people",),
    ),
    SettingsScreen(Settings, committed=True),
)
