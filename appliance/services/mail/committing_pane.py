"""The screens of departments, aliases and groups: master data whose changes hold when they are committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from appliance.console.dialog import AskDialog
from appliance.console.master_data import MasterPane, MasterScreen
from appliance.console.plain import plain
from appliance.console.query_pane import records_of
from appliance.console.screens import Pane
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.contract.master_data import MasterData
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.machine.following import worked
from appliance.services.machine.shown import outcome_shown
from appliance.services.mail.model import Asked, Recipient

__all__ = ["CommittingPane", "MailScreen"]

MACHINE = ("machine", "machine")
"""The service, and its screen of the commit."""

HELP = _("""\
# Records of the mail

**a** adds one, **Enter** or **e** opens the one under the cursor, **Del** removes it after a question, **x** exports.
**/** searches, **f** filters, **s** sorts. **w** says who gets what is sent to an address.

What you change here holds when it is committed: **c** commits accounts, aliases and groups. When something else waits
too, an administrator commits it under Machine.
""")


@dataclass(frozen=True, init=False)
class MailScreen(MasterScreen):
    """As any master data, with the key that commits."""

    def __init__(self, master: MasterData, *, title: str = "") -> None:
        super().__init__(master, title=title, help=HELP)

    def pane(self, service: str) -> Pane:
        """The grid with its keys."""
        return CommittingPane(self.master, service, title=self.title, help=self.help)


class CommittingPane(MasterPane):
    """Says what waits to be committed, and does it on one key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "commit", _("Commit"), id="mail.commit", tooltip=_("Make accounts, aliases and groups hold")),
        Binding("g", "settings", _("Settings"), show=False, id="mail.settings",
                tooltip=_("Domain, address and limits of the mail")),
        Binding("w", "who", _("Who gets it"), id="mail.who", tooltip=_("Say who gets what is sent to an address")),
    ]  # fmt: skip
    DEFAULT_CSS = """
    CommittingPane #waits { display: none; height: auto; padding: 0 1; background: $panel; color: $text-warning; }
    CommittingPane #waits.-shown { display: block; }
    """
    commands: ClassVar[Mapping[str, str]] = {"commit": "commit-accounts", "who": "who-gets"}
    """The commands behind actions."""

    _others: tuple[str, ...] = ()
    """What waits beside accounts, aliases and groups, when it was last looked at."""
    _set_up: bool = False
    """Whether the settings were ever made; without them there is no domain for an address."""

    def why_not(self, action: str) -> str:
        """As the roles allow."""
        command = self.commands.get(action)
        return super().why_not(action) if command is None else self.needs(command)

    def compose(self) -> ComposeResult:
        """What waits to be committed, and the grid."""
        yield Static(id="waits", markup=False)
        yield from super().compose()

    def on_mount(self) -> None:
        """Something may wait from before."""
        self._look_what_waits()

    def on_show(self) -> None:
        """It may have been committed elsewhere."""
        self._look_what_waits()

    def told(self, event: Mapping[str, Any]) -> None:
        """Whatever is changed here waits, by whomever it was."""
        super().told(event)
        if self.is_mounted and self.display:
            self._look_what_waits()

    def _look_what_waits(self) -> None:
        if not self.needs("waiting"):
            self._say_what_waits()

    # Not begun before it runs: two events in a moment, and the first would be a coroutine that nobody awaits.
    @work(group="waiting", exclusive=True)
    async def _say_what_waits(self) -> None:
        line = self.query_one("#waits", Static)
        if not await self._is_set_up():
            words = self.reader.say(
                _("Mail is not set up yet: it has no domain and no address. g opens its settings; accounts come after.")
                if self.access.may(self.service, "settings.change")
                else _("Mail is not set up yet: it has no domain and no address. A postmaster opens its settings.")
            )
            line.update(plain(words))
            line.add_class("-shown")
            return
        try:
            found = await self.door.call(self.service, "waiting")
        except Refused:
            found = {"accounts": False, "others": []}  # the commit itself says why it cannot be
        line.set_class(bool(found["accounts"]), "-shown")
        self._others = tuple(found["others"])
        if self._others:
            words = self.reader.say(
                _("Changes wait to be committed, also of {others}: c goes to Machine, which commits all of them.")
                if self._may_commit_all()
                else _("Changes wait to be committed, also of {others}, so an administrator commits them."),
                {"others": self._services()},
            )
        else:
            words = self.reader.say(_("Changes wait to be committed: c makes them hold."))
        line.update(plain(words))

    async def _is_set_up(self) -> bool:
        """Asked until they are there."""
        if not self._set_up:
            try:
                kept = await self.door.call(self.service, "settings.get")
            except Refused:
                return True  # who may not know is not told
            self._set_up = bool(kept["version"])
        return self._set_up

    def _services(self) -> str:
        """Whose components wait, by the names that people see: ``Certificates, Names (DNS)``."""
        names = dict.fromkeys(one.partition(".")[0] for one in self._others)
        known = ((name, self.access.find(name)) for name in names)
        return ", ".join(self.reader.say(one.title) if one is not None else name for name, one in known)

    def action_settings(self) -> None:
        """Where domain and address are given."""
        self.shell.action_open(self.service, "settings")

    # Committing

    def action_commit(self) -> None:
        """What waits of the mail's records; where more waits and the person may commit that, where it is done."""
        if self.refuses("commit"):
            return
        if self._others and self._may_commit_all():
            self.shell.action_open(*MACHINE)
        else:
            begin(self, self._commit())

    def _may_commit_all(self) -> bool:
        return self.shell.state.access.may(MACHINE[0], "commit")

    async def _commit(self) -> None:
        outcome = await worked(self, _("Commit"), "commit-accounts")
        self._look_what_waits()
        if not isinstance(outcome, dict):
            return
        match outcome.get("ending"):
            case "confirmed":
                self.shell.tell(_("It holds now: generation {number}."), number=outcome["standing"])
            case "unchanged":
                self.shell.tell(_("There is nothing to commit."))
            case _:
                said = outcome_shown(outcome, self.reader.translate)
                await self.app.push_screen_wait(ToldScreen(self.reader.say(_("Commit")), said))

    # Who gets it

    def action_who(self) -> None:
        """Of the row's address, or another one."""
        if not self.refuses("who"):
            begin(self, self._who())

    def _begun(self) -> Any:
        row = self.grid.row
        named = self.master.name in {"accounts", "aliases", "groups"} and row is not None
        return {"address": str(self.key_of(row))} if named and row is not None else None

    async def _who(self) -> None:
        found: list[Recipient] = []

        async def submit(value: Asked, _version: int) -> Any:
            found[:] = records_of(Recipient, await self.door.call(self.service, "who-gets", value))
            return value

        title = self.reader.say(_("Who gets what is sent to this address?"))
        asked = await self.app.push_screen_wait(AskDialog(title, Asked, self._begun(), submit))
        if asked is not None:
            lines = [self._line(one) for one in found] or [plain(self.reader.say(_("Nobody.")))]
            self.app.push_screen(ToldScreen(asked.address, Content("\n").join(lines)))

    def _line(self, one: Recipient) -> Content:
        words = plain(f"{one.address}  {one.full_name}  {self.reader.say(one.because)}".rstrip())
        if one.active:
            return words
        suspended = self.reader.say(_("suspended"))
        return Content.assemble(words, plain(f"  ({suspended})").stylize("$text-warning"))
