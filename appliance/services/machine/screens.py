"""The machine's screens: what a commit would do and what waits, the generations, the programs, the changes."""

from __future__ import annotations

from appliance.console.screens import CustomScreen
from appliance.language import _
from appliance.services.machine.changes_screen import CHANGES_SCREEN

__all__ = ["SCREENS"]

SCREENS = (
    CustomScreen(
        name="machine",
        title=_("Commit"),
        make="appliance.services.machine.commit_pane:CommitPane",
        needs=("status",),
    ),
    CustomScreen(
        name="generations",
        title=_("Generations"),
        make="appliance.services.machine.generations_pane:GenerationsPane",
        needs=("generations",),
    ),
    CustomScreen(
        name="programs",
        title=_("Programs"),
        make="appliance.services.machine.programs_pane:ProgramsPane",
        needs=("programs",),
    ),
    CHANGES_SCREEN,
)
