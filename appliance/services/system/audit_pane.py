"""The audit log: who did what when, filtered, exported, and verified."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from appliance.console.listing_screen import ListingPane, ListingScreen
from appliance.console.plain import plain
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.console.working import WorkScreen
from appliance.contract.listings import Order
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.system.model import AuditRow

__all__ = ["AuditPane"]

HELP = _("""\
# Audit log

Each change with who made it, newest first. **f** filters: `person=ani service=network at>2026-01-31`; **/** searches in
all texts; **Enter** looks at a whole line; **x** exports what is shown.

**v** walks through the whole log and finds any line that was changed, removed or put in.
""")


class AuditPane(ListingPane):
    """A listing, with its verification."""

    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", _("Verify"), id="system.verify", tooltip=_("Find lines that were tampered with")),
    ]

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        described = ListingScreen(
            name="audit", title=title, help=HELP, row=AuditRow, order=(Order(column="number", descending=True),)
        )
        super().__init__(described, service)

    def why_not(self, action: str) -> str:
        """Administrators verify."""
        return self.needs("verify-audit") if action == "verify" else super().why_not(action)

    def action_verify(self) -> None:
        """The whole log."""
        if not self.refuses("verify"):
            begin(self, self._verify())

    async def _verify(self) -> None:
        title = self.reader.say(_("Verify the audit log"))
        try:
            begun = await self.door.call(self.service, "verify-audit")
        except Refused as error:
            self.shell.say_refused(error)
            return
        found = await self.app.push_screen_wait(WorkScreen(self, title, str(begun["work"])))
        if isinstance(found, dict):
            self.app.push_screen(ToldScreen(title, self._verdict(found)))

    def _verdict(self, found: dict[str, Any]) -> Content:
        say = self.reader.say
        count = {"lines": found["lines"], "faults": len(found["faults"])}
        if found["intact"]:
            intact = plain(say(_("All {lines} lines are intact."), count)).stylize("bold $text-success")
            last = say(_("The last is {head}. Note it elsewhere: gerbang audit verify --noted compares it some day."),
                       {"head": found["head"] or "–"})  # fmt: skip
            return Content("\n").join([intact, plain(last)])
        head = plain(say(_("The log was tampered with: {faults} faults in {lines} lines."), count))
        return Content("\n").join([head.stylize("bold $text-error"), *(plain(one) for one in found["faults"])])
