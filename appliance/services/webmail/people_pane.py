"""Who uses the web mail."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from appliance.console.query_pane import QueryPane
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.webmail.model import PersonNamed, PersonRow

__all__ = ["PeoplePane"]


class PeoplePane(QueryPane):
    """Looked at anew every ten seconds while it is seen."""

    HELP = _("""\
# Web mail users

Everybody who has ever logged in to the web mail, with the browsers that are logged in now. **d** ends all sessions of
the person under the cursor, as when a tablet was lost: it takes the password to come back.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "log_out", _("End sessions"), id="webmail.log-out", tooltip=_("Log this person out everywhere")),
    ]
    command = "people"
    record = PersonRow
    every = 10.0
    subjects = frozenset({"people", "settings"})
    empty = _("Nobody has used the web mail yet.")

    def why_not(self, action: str) -> str:
        """There is something to end."""
        if action == "log_out":
            if reason := self.needs("log-out"):
                return reason
            if self.is_mounted and self.row is None:
                return self.reader.say(_("There is no row under the cursor."))
        return ""

    def action_log_out(self) -> None:
        """Of the row."""
        if not self.refuses("log_out"):
            begin(self, self._log_out(self.row), group="log-out")

    async def _log_out(self, row: Any) -> None:
        question = _("End all sessions of {account}? What is being written in them and was not saved is lost.")
        if not await self.app.push_screen_wait(ConfirmScreen(self.reader.say(question, {"account": row.account}))):
            return
        try:
            await self.door.call(self.service, "log-out", PersonNamed(account=row.account))
        except Refused as error:
            self.shell.say_refused(error)
        self.look()
