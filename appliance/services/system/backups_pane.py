"""Backups: made, checked, brought back; each destructive step says what it does first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Any, ClassVar

from textual.binding import Binding, BindingType

from appliance.console.query_pane import QueryPane
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import AskScreen, ChooseScreen
from appliance.console.working import WorkScreen
from appliance.contract.kinds import Code, Count, Line, Moment, Unit, Whole
from appliance.contract.records import record
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["BackupShown", "BackupsPane"]


@record(title=_("backup"))
class BackupShown:
    """One backup."""

    made_at: Moment
    made_by: Line
    services: tuple[Code, ...]
    tables: Count
    files: Count
    octets: Annotated[Whole, Unit("bytes")] = field(metadata={"label": _("Size")})
    file: Line = field(metadata={"label": _("Backup file")})
    faults: tuple[Line, ...] = ()


class BackupsPane(QueryPane):
    """Newest first."""

    HELP = _("""\
# Backups

**b** backs up some services or all, and checks the backup by restoring it beside the store. **v** checks one again.

**t** brings services back: **what they hold now is replaced.** It is backed up first, so that you can go back.
A backup holds secrets; it lies in the appliance's state folder. Copy it elsewhere.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "backup", _("Back up"), id="system.backup", tooltip=_("Back up, and check the backup")),
        Binding("v", "check", _("Verify"), id="system.check-backup", tooltip=_("Restore it beside the store")),
        Binding("t", "restore", _("Restore"), id="system.restore", tooltip=_("Replace what is there now")),
    ]
    command = "backups"
    record = BackupShown
    subjects = frozenset({"backups"})
    empty = _("There is no backup yet: b makes one.")

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row."""
        command = {"backup": "backup", "check": "check-backup", "restore": "restore"}.get(action)
        if command is None:
            return ""
        if reason := self.needs(command):
            return reason
        if action != "backup" and self.is_mounted and self.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        return ""

    def action_backup(self) -> None:
        """Which services, then the work."""
        if not self.refuses("backup"):
            begin(self, self._backup())

    async def _backup(self) -> None:
        question = _("Which services are backed up? Space chooses, Enter goes on.")
        wanted = await self._wanted(question, [one.name for one in self.access.services])
        if wanted is not None:
            done = await self._work(_("Back up"), "backup", {"services": wanted})
            if done is not None:
                self.shell.tell(_("Backed up and checked: {file}"), file=done["file"])

    def action_check(self) -> None:
        """The row's."""
        if not self.refuses("check"):
            begin(self, self._check(self.row))

    async def _check(self, row: BackupShown) -> None:
        done = await self._work(_("Check the backup"), "check-backup", {"file": row.file})
        if done is not None:
            self.shell.tell(_("{file} can be restored: every table was compared."), file=row.file)

    def action_restore(self) -> None:
        """After the services were chosen and the word was typed."""
        if not self.refuses("restore"):
            begin(self, self._restore(self.row))

    async def _restore(self, row: BackupShown) -> None:
        question = _("Which services are brought back? Space chooses, Enter goes on.")
        wanted = await self._wanted(question, row.services)
        if wanted is None:
            return
        word = self.reader.say(_("restore"))
        services = ", ".join(wanted or row.services)
        warning = self.reader.say(
            _("All that {services} hold now is REPLACED by the backup of {when}. What was entered since is gone from "
              "them; it is backed up first. Type “{word}” to go on."),
            {"services": services, "when": row.made_at, "word": word},
        )  # fmt: skip
        typed = await self.app.push_screen_wait(AskScreen(warning))
        if typed is None:
            return
        if typed.strip().casefold() != word.casefold():
            self.shell.tell(_("Not restored: the word was another one."), "warning")
            return
        arguments = {"file": row.file, "services": wanted}
        done = await self._work(_("Restore"), "restore", arguments)
        if done is not None:
            self.shell.tell(_("Restored. What was there before is in {file}."), file=done["file"], stays=True)

    async def _wanted(self, question: str, names: Sequence[str]) -> tuple[str, ...] | None:
        """Some of the services; none where all are meant."""
        titles = {one.name: self.reader.say(one.title) for one in self.access.services}
        options = [(name, titles.get(name, name)) for name in names]
        chosen = await self.app.push_screen_wait(ChooseScreen(self.reader.say(question), options, names, 1))
        return () if chosen is not None and len(chosen) == len(names) else chosen

    async def _work(self, title: str, command: str, arguments: Any) -> dict[str, Any] | None:
        try:
            begun = await self.door.call(self.service, command, arguments)
        except Refused as error:
            self.shell.say_refused(error)
            return None
        done = await self.app.push_screen_wait(WorkScreen(self, self.reader.say(title), str(begun["work"])))
        self.look()
        return done if isinstance(done, dict) else None
