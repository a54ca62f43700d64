"""The zones: master data, with a form for the usual records, reading in and writing out."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from appliance.console.actions import Action, perform
from appliance.console.exporting import deliver
from appliance.console.master_data import MasterPane
from appliance.console.widgets.deeds import begin
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.dns.model import MASTER_DATA, NewZone, ReverseNetwork, ZoneText

__all__ = ["ZonesPane"]

(ZONES,) = MASTER_DATA
SET_UP = Action("zones.set-up", NewZone, _("New zone with the usual records"), "n")
SET_UP_REVERSE = Action("zones.set-up-reverse", ReverseNetwork, _("New reverse zone of a network"), "v")
READ_IN = Action("zones.import", ZoneText, _("Read in a zone file"), "i")


class ZonesPane(MasterPane):
    """As any master data, with what makes a whole zone at once."""

    HELP = _("""\
# Zones

**n** makes a zone with its name server, web and mail server and the reverse zone. **v** makes the reverse zone of a
network, with the PTR records of all addresses that are known. **i** reads the text of a zone file, **w** writes one.
**a** adds an empty zone, **e** changes what its SOA says, **Del** removes it with all its records.

The serial needs no care: each change of what is served gets a greater one. *Least serial* is for a zone that comes
from another server.

What you change here is a description. **It is served after a commit: Machine, plan, commit.**
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "set_up", _("New"), id="dns.set-up", tooltip=_("A zone with the usual records")),
        Binding("v", "set_up_reverse", _("Reverse"), id="dns.set-up-reverse", tooltip=_("The zone of a network")),
        Binding("i", "read_in", _("Read in"), id="dns.import", tooltip=_("The text of a zone file")),
        Binding("w", "write_out", _("Write out"), id="dns.export", tooltip=_("Save the zone as a zone file")),
    ]

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(ZONES, service, title=title, help=help or self.HELP or "")

    def why_not(self, action: str) -> str:
        """Roles first; a file is of a row."""
        commands = {"set_up": SET_UP, "set_up_reverse": SET_UP_REVERSE, "read_in": READ_IN}
        if action in commands:
            return self.needs(commands[action].command)
        if action == "write_out":
            if reason := self.needs("zones.export"):
                return reason
            if self.is_mounted and self.grid.row is None:
                return self.reader.say(_("There is no row under the cursor."))
            return ""
        return super().why_not(action)

    def action_set_up(self) -> None:
        """Its form."""
        self._perform("set_up", SET_UP)

    def action_set_up_reverse(self) -> None:
        """Its form."""
        self._perform("set_up_reverse", SET_UP_REVERSE)

    def action_read_in(self) -> None:
        """A form with the text."""
        self._perform("read_in", READ_IN)

    def _perform(self, name: str, action: Action) -> None:
        if not self.refuses(name):
            begin(self, self._done(action), group="open")

    async def _done(self, action: Action) -> None:
        if await perform(self, action, {}):
            self.look_again()

    def action_write_out(self) -> None:
        """As a file."""
        row = self.grid.row
        if row is not None and not self.refuses("write_out"):
            begin(self, self._write(str(self.key_of(row))), group="export")

    async def _write(self, zone: str) -> None:
        try:
            answer: Any = await self.door.call(self.service, "zones.export", {"name": zone})
        except Refused as error:
            self.shell.say_refused(error)
            return
        await deliver(self, str(answer["text"]).encode(), f"{zone}.zone")
