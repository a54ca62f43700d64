"""The list of changes: Enter shows the record of one, and its form has what the row does not."""

from __future__ import annotations

from textual import on

from appliance.console.actions import Action, perform
from appliance.console.listing_screen import ListingPane
from appliance.console.widgets.grid import Grid
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.machine.project import State

__all__ = ["ChangesPane"]

CHANGING = frozenset({"changes.change", "changes.link", "changes.finish"})


class ChangesPane(ListingPane):
    """What ``ChangesScreen`` makes."""

    def why_not(self, action: str) -> str:
        """As of any list; and what is finished is not changed."""
        if reason := super().why_not(action):
            return reason
        found = self._action(action)
        if found is not None and found.command in CHANGING and self.row_values().get("state") == State.DONE:
            return self.reader.say(_("It is finished: nobody changes it any more."))
        return ""

    async def _do(self, action: Action) -> None:
        values = self.row_values()
        if action.command == "changes.change":
            try:
                whole = await self.door.call(self.service, "changes.get", {"number": values["number"]})
            except Refused as error:
                self.shell.say_refused(error)
                return
            # The version is the whole one's: the row may be older.
            values |= {**whole["row"], "version": whole["version"]}
        if await perform(self, action, values):
            self.look_again()

    @on(Grid.Chosen)
    def _record(self, event: Grid.Chosen) -> None:
        event.stop()
        event.prevent_default()
        self.action_do("print-change")
