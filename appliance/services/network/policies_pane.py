"""The policies: records whose text is edited in the workbench, checked as it is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from appliance.console.master_data import MasterPane
from appliance.language import _
from appliance.services.network.model import MASTER_DATA

__all__ = ["PoliciesPane"]

POLICIES = MASTER_DATA[2]


class PoliciesPane(MasterPane):
    """As any master data, with the workbench."""

    HELP = _("""\
# Policies

Access lists in the words of Cisco IOS; the list that bears the policy's name decides. **w** opens the text under the
cursor in the workbench: it is checked as you type, compiled and proved (F5), packets are traced through it (F9), and
Ctrl+S saves it to the appliance.

What you change here is a description. **The machine is changed under Machine: plan, commit, confirm.**
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "workbench", _("Workbench"), id="network.workbench", tooltip=_("Edit the text, checked as typed")),
    ]

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(POLICIES, service, title=title, help=help or self.HELP or "")

    def why_not(self, action: str) -> str:
        """A text is of a row."""
        if action == "workbench":
            return self.reader.say(_("There is no row under the cursor.")) if self.grid.row is None else ""
        return super().why_not(action)

    def action_workbench(self) -> None:
        """In front of this screen."""
        row = self.grid.row
        if row is not None and not self.refuses("workbench"):
            from appliance.services.network.workbench_pane import open_workbench

            open_workbench(self, str(self.key_of(row)))
