"""What runs by itself: when, how it went, when next; and a run by hand."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from appliance.console.query_pane import QueryPane, records_of
from appliance.console.widgets.deeds import begin
from appliance.console.working import WorkScreen
from appliance.contract.kinds import Code, Line, Moment
from appliance.contract.records import record
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.system.timed_model import CommandNamed, Said, TimedRow

__all__ = ["TimedPane", "TimedShown"]

OUTCOMES = {
    "": _("not yet"),
    "running": _("runs"),
    "done": _("done"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "interrupted": _("interrupted"),
    "not needed": _("not needed"),
}


@record(title=_("what runs by itself"))
class TimedShown:
    """A row, in the reader's words."""

    service: Code
    command: Line
    when: Line
    last: Moment | None
    outcome: Line
    next: Moment | None
    by: Line
    said: Said


class TimedPane(QueryPane):
    """By service and command."""

    HELP = _("""\
# What runs by itself

What the services do without being asked, such as a snapshot of all mailboxes each night. What was missed while the
appliance was down is made up once, after its start. A failure is told at once to who may use the command, and stands
here with its reason: **Enter** shows all of a row.

**n** runs one now, whatever the hour; the audit log says who has done it.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "run", _("Run now"), id="system.timed-run", tooltip=_("Run it now, whatever the hour")),
    ]
    command = "timed"
    record = TimedShown
    subjects = frozenset({"timed"})
    empty = _("Nothing runs by itself.")

    def take(self, answer: Any) -> None:
        """In the reader's words."""
        self.show_rows(tuple(self._shown(one) for one in records_of(TimedRow, answer)))

    def _shown(self, row: TimedRow) -> TimedShown:
        say = self.reader.say
        time = self.reader.clock(*map(int, row.daily.split(":"))) if row.daily else ""
        daily = say(_("daily at {time}"), {"time": time})
        return TimedShown(
            service=row.service,
            command=row.command,
            when=daily if row.daily else say(_("every {hours} hours"), {"hours": row.hours}),
            last=row.last,
            outcome=say(OUTCOMES.get(row.outcome, row.outcome)),
            next=row.next,
            by=row.by,
            said=row.said,
        )

    def why_not(self, action: str) -> str:
        """The role first, then whether there is a row."""
        if action == "run":
            if reason := self.needs("timed.run"):
                return reason
            if self.is_mounted and self.row is None:
                return self.reader.say(_("There is no row under the cursor."))
        return ""

    def action_run(self) -> None:
        """The row's."""
        if not self.refuses("run"):
            begin(self, self._run_now(self.row))

    async def _run_now(self, row: TimedShown) -> None:
        named = CommandNamed(service=row.service, command=row.command)
        try:
            begun = await self.door.call(self.service, "timed.run", named)
        except Refused as error:
            self.shell.say_refused(error)
            return
        title = self.reader.say(_("Run {command} now"), {"command": f"{row.service}.{row.command}"})
        await self.app.push_screen_wait(WorkScreen(self, title, str(begun["work"])))
        self.look()
