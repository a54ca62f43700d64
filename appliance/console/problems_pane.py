"""What is wrong with a wish, a row for each problem, before Machine commits it."""

from __future__ import annotations

from appliance.console.query_pane import QueryPane
from appliance.language import _

__all__ = ["ProblemsPane"]


class ProblemsPane(QueryPane):
    """Actions ``again``, ``look`` (the whole text) and ``machine``; the keys are the service's."""

    def why_not(self, action: str) -> str:
        """Machine is a service of its own."""
        if action == "machine" and not self.access.may("machine", "plan"):
            return self.reader.say(_("Your roles do not allow this: {command}"), {"command": "machine.plan"})
        if action == "look" and self.is_mounted and self.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        return ""

    def action_again(self) -> None:
        """Ask again."""
        self.look()

    def action_machine(self) -> None:
        """Where it is made so."""
        if not self.refuses("machine"):
            self.shell.action_open("machine", "machine")

    def action_look(self) -> None:
        """All of the text."""
        if not self.refuses("look"):
            super().opened(self.row)
