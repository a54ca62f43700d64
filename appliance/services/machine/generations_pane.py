"""The generations that are kept, and the way back to one of them."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from appliance.console.query_pane import QueryPane
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.language import _
from appliance.services.machine.following import carried
from appliance.services.machine.model import Back, GenerationRow

__all__ = ["GenerationsPane"]


class GenerationsPane(QueryPane):
    """Newest first."""

    HELP = _("""\
# Generations

Each commit writes a generation; the last ones are kept. **b** goes back to the one under the cursor: the machine is
made as it was then. What the services are told to be stays as it is, so that the next plan shows the difference.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "back", _("Go back to it"), id="machine.back", tooltip=_("Make the machine as it was then")),
    ]
    command = "generations"
    record = GenerationRow
    subjects = frozenset({"generations"})
    empty = _("Nothing was committed yet.")

    def why_not(self, action: str) -> str:
        """One goes back to what once served, and does not now."""
        if action != "back":
            return ""
        if reason := self.needs("rollback"):
            return reason
        if not self.is_mounted or self.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        if self.row.current:
            return self.reader.say(_("This generation serves now."))
        if self.row.standing not in {"confirmed", "unknown"}:
            return self.reader.say(_("This generation was never confirmed."))
        return ""

    def action_back(self) -> None:
        """After a question."""
        if not self.refuses("back"):
            begin(self, self._back(self.row))

    async def _back(self, row: GenerationRow) -> None:
        words = {"number": row.number, "who": row.who, "when": row.when}
        question = self.reader.say(
            _("Make the machine as it was in generation {number} of {who}, {when}? It stands at once."), words
        )
        if await self.app.push_screen_wait(ConfirmScreen(question, danger=True)):
            await carried(self, _("Roll back"), "rollback", Back(to=row.number))
            self.look()
