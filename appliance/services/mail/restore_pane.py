"""Snapshots of mailboxes on the screen: made, verified, and one mailbox brought back."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from appliance.console.exporting import PickScreen
from appliance.console.plain import plain_text
from appliance.console.query_pane import QueryPane
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import AskScreen, ConfirmScreen
from appliance.language import _
from appliance.services.machine.following import worked
from appliance.services.mail.mailboxes_model import SnapshotRow

__all__ = ["RestorePane"]

_COMMANDS = {
    "take": "snapshots.take",
    "verify": "snapshots.verify",
    "restore": "snapshots.restore",
    "export": "snapshots.export",
    "prune": "snapshots.prune",
}
_WITHOUT_ROW = frozenset({"take", "prune"})


class RestorePane(QueryPane):
    """Newest first; each mailbox of a snapshot is a row."""

    HELP = _("""\
# Snapshots of mailboxes

**n** makes a snapshot of all mailboxes; mail goes on meanwhile, and only new messages take room. **v** verifies one:
it is restored beside the mailbox, a reader logs in there, and every message is compared.

**t** brings ONE mailbox back: into the folder `Restored`, beside what is there, or in its place. What is there is kept
in a snapshot first, and messages that arrive meanwhile stay. Afterwards all messages are looked for in the mailbox.

**e** writes a mailbox to a tar archive on the server. **p** removes old snapshots.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "take", _("Snapshot"), id="mail.snapshot", tooltip=_("Keep all mailboxes as they are now")),
        Binding("v", "verify", _("Verify"), id="mail.verify", tooltip=_("Restore it beside the mailbox and compare")),
        Binding("t", "restore", _("Restore"), id="mail.restore", tooltip=_("Bring this mailbox back")),
        Binding("e", "export", _("Export"), id="mail.export", tooltip=_("Write it to a tar archive on the server")),
        Binding("p", "prune", _("Remove old"), id="mail.prune", tooltip=_("Remove all but the newest snapshots")),
    ]
    command = "snapshots"
    record = SnapshotRow
    subjects = frozenset({"snapshots"})
    shown = ("mailbox", "made_at", "messages", "folders", "octets", "fault")
    empty = _("There is no snapshot yet: n makes one.")

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row."""
        if action not in _COMMANDS:
            return ""
        if reason := self.needs(_COMMANDS[action]):
            return reason
        if action not in _WITHOUT_ROW and self.is_mounted and self.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        return ""

    def action_take(self) -> None:
        """Of all mailboxes."""
        if not self.refuses("take"):
            begin(self, self._take())

    async def _take(self) -> None:
        done = await worked(self, _("Snapshot"), "snapshots.take", {})
        if isinstance(done, dict):
            self.shell.tell(
                _("Kept: {messages} messages of {mailboxes} mailboxes"), **_only(done, "messages mailboxes")
            )
        self.look()

    def action_verify(self) -> None:
        """The row's."""
        if not self.refuses("verify"):
            begin(self, self._verify(self.row))

    async def _verify(self, row: SnapshotRow) -> None:
        done = await worked(self, _("Verify"), "snapshots.verify", {"stamp": row.stamp, "mailbox": row.mailbox})
        if isinstance(done, dict):
            self._told(_("{mailbox}: it can be restored; a reader saw all messages."), done)

    def action_restore(self) -> None:
        """Beside, or in the place."""
        if not self.refuses("restore"):
            begin(self, self._restore(self.row))

    async def _restore(self, row: SnapshotRow) -> None:
        say = self.reader.say
        question = say(_("Bring {mailbox} back as it was at {when}:"), {"mailbox": row.mailbox, "when": row.made_at})
        into = await self.app.push_screen_wait(
            PickScreen(
                question,
                {
                    "folder": say(_("into the folder Restored, beside what is there")),
                    "place": say(_("in the place of what is there")),
                },
            )
        )
        if into is None:
            return
        if into == "place":
            warning = say(
                _("What {mailbox} holds now is REPLACED. A snapshot of it is made first. Go on?"),
                {"mailbox": row.mailbox},
            )
            if not await self.app.push_screen_wait(ConfirmScreen(warning, danger=True)):
                return
        arguments = {"stamp": row.stamp, "mailbox": row.mailbox, "into": into}
        done = await worked(self, _("Restore"), "snapshots.restore", arguments)
        if isinstance(done, dict):
            self._told(_("{mailbox}: brought back, and all messages are there."), done)
        self.look()

    def action_export(self) -> None:
        """The row's."""
        if not self.refuses("export"):
            begin(self, self._export(self.row))

    async def _export(self, row: SnapshotRow) -> None:
        done = await worked(self, _("Export"), "snapshots.export", {"stamp": row.stamp, "mailbox": row.mailbox})
        if isinstance(done, dict):
            self.shell.tell(_("Written on the server: {path}"), path=done["path"], stays=True)

    def action_prune(self) -> None:
        """How many stay."""
        if not self.refuses("prune"):
            begin(self, self._prune())

    async def _prune(self) -> None:
        question = self.reader.say(_("How many of the newest snapshots stay? All older ones are removed."))
        typed = await self.app.push_screen_wait(AskScreen(question, "14"))
        if typed is None:
            return
        if not typed.strip().isdecimal():
            self.shell.tell(_("Nothing was removed: “{typed}” is no number."), "warning", typed=typed.strip())
            return
        done = await worked(self, _("Remove old"), "snapshots.prune", {"keep": int(typed)})
        if isinstance(done, dict):
            self.shell.tell(_("{count} snapshots are gone."), count=len(done["stamps"]))
        self.look()

    def _told(self, template: str, done: dict[str, Any]) -> None:
        lines = [self.reader.say(template, _only(done, "mailbox")), ""]
        lines += [f"{one['messages']:>8}  {plain_text(one['folder'])}" for one in done["folders"]]
        if done.get("before"):
            lines += ["", self.reader.say(_("What was there before: snapshot {before}"), _only(done, "before"))]
        self.app.push_screen(ToldScreen(plain_text(done["mailbox"]), Content("\n".join(lines))))


def _only(done: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: done[name] for name in names.split()}
