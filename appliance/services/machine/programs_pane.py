"""The programs that are supervised, and what they say."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from appliance.console.query_pane import QueryPane
from appliance.console.told_screen import LogScreen
from appliance.console.widgets.deeds import begin
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.machine.following import carried
from appliance.services.machine.model import LogAsked, ProgramRow

__all__ = ["ProgramsPane"]

LINES = 1_000


class ProgramsPane(QueryPane):
    """Looked at anew every two seconds while it is seen."""

    HELP = _("""\
# Programs

What the root helper starts and watches for the services. **Enter** or **o** shows the last lines that a program has
said: the newest stands below, **/** searches, **w** saves.

A program that ended is started again by itself, until it has failed too often in a minute. **s** probes everything and
makes act again what does not serve.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "log", _("Log"), id="machine.log", tooltip=_("The last lines that the program has said")),
        Binding("s", "resume", _("Make serve"), id="machine.resume", tooltip=_("Start again what does not serve")),
    ]
    command = "programs"
    record = ProgramRow
    every = 2.0
    subjects = frozenset({"generations"})
    empty = _("No program is supervised. Programs come with the services' next commit.")

    def why_not(self, action: str) -> str:
        """A log is of a program."""
        if action == "resume":
            return self.needs("resume")
        if action == "log":
            if reason := self.needs("log"):
                return reason
            if self.is_mounted and self.row is None:
                return self.reader.say(_("There is no row under the cursor."))
        return ""

    def opened(self, row: Any) -> None:
        """Enter is the log too."""
        self.action_log()

    def action_resume(self) -> None:
        """All that does not serve."""
        if not self.refuses("resume"):
            begin(self, self._resume())

    async def _resume(self) -> None:
        await carried(self, _("Make serve"), "resume")
        self.look()

    def action_log(self) -> None:
        """Of the row."""
        if not self.refuses("log"):
            begin(self, self._log(self.row.program), group="log")

    async def _log(self, program: str) -> None:
        try:
            lines = await self.door.call(self.service, "log", LogAsked(program=program, lines=LINES))
        except Refused as error:
            self.shell.say_refused(error)
        else:
            self.app.push_screen(LogScreen(program, lines or [self.reader.say(_("It has said nothing."))]))
