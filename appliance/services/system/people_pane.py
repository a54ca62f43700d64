"""People: records, with a new password and the end of all sessions."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from appliance.console.answers import show_answer
from appliance.console.master_data import MasterPane
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.listings import Condition, Question
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.system.model import MASTER_DATA, SessionEnded, WhosePassword

__all__ = ["PeoplePane"]


class PeoplePane(MasterPane):
    """As any master data. The one-time password is shown once, and can be copied."""

    HELP = _("""\
# People

**a** adds a person and shows a one-time password, once: hand it over, y copies it. **p** makes a new one; the old
password and all sessions of the person end. **o** ends the person's sessions only. Roles are given in the form
(**Enter**).
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "password", _("New password"), id="system.password", tooltip=_("Make a one-time password")),
        Binding("o", "end", _("End sessions"), id="system.end-sessions", tooltip=_("Log the person out everywhere")),
    ]

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(MASTER_DATA[0], service, title=title, help=self.HELP or help)

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row."""
        command = {"password": "people.reset-password", "end": "sessions.end"}.get(action)
        if command is None:
            return super().why_not(action)
        if reason := self.needs(command):
            return reason
        if self.is_mounted and self.grid.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        return ""

    def action_password(self) -> None:
        """After a question."""
        row = self.grid.row
        if row is not None and not self.refuses("password"):
            begin(self, self._password(str(self.key_of(row))), group="open")

    async def _password(self, name: str) -> None:
        question = self.reader.say(
            _("Make a new one-time password for {name}? The old one and all sessions of {name} end."), {"name": name}
        )
        if not await self.app.push_screen_wait(ConfirmScreen(question, danger=True)):
            return
        try:
            answer = await self.door.call(self.service, "people.reset-password", WhosePassword(name=name))
        except Refused as error:
            self.shell.say_refused(error)
        else:
            shown = {"name": answer["name"], "password": answer["password"]}
            show_answer(self, _("One-time password: shown only now"), shown)
        self.look_again()

    def action_end(self) -> None:
        """After a question."""
        row = self.grid.row
        if row is not None and not self.refuses("end"):
            begin(self, self._end(str(self.key_of(row))), group="open")

    async def _end(self, name: str) -> None:
        question = self.reader.say(_("End all sessions of {name}? What {name} has not saved is lost."), {"name": name})
        if not await self.app.push_screen_wait(ConfirmScreen(question, danger=True)):
            return
        ended = 0
        try:
            asked = Question(conditions=(Condition(column="person", operator="=", value=name),))
            found = await self.door.ask(self.service, "sessions", asked)
            for one in found["rows"]:
                await self.door.call(self.service, "sessions.end", SessionEnded(session=int(one["id"])))
                ended += 1
        except Refused as error:
            self.shell.say_refused(error)
        self.shell.tell(_("{count} sessions of {name} were ended."), count=ended, name=name)
