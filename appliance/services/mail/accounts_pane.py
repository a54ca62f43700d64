"""Accounts: the list with what counts for each, passwords that are shown once, quotas, and sheets of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from appliance.console.answers import answer_screen
from appliance.console.dialog import RecordDialog
from appliance.console.listing_source import ListingSource
from appliance.console.plain import plain
from appliance.console.references import lookup_of
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.console.widgets.grid import Grid
from appliance.console.working import WorkScreen
from appliance.contract.listings import Order
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.mail.committing_pane import CommittingPane
from appliance.services.mail.model import (
    MASTER_DATA,
    AccountRow,
    AccountSeen,
    NewAccount,
    NewPassword,
    NewQuota,
    Pasted,
    Sheet,
)

__all__ = ["AccountsPane"]

ACCOUNTS = next(one for one in MASTER_DATA if one.name == "accounts")


class AccountsPane(CommittingPane):
    """As any master data. A password that was made up is shown once, and can be copied."""

    HELP = _("""\
# Accounts

**a** adds one; a password that you leave empty is made up and shown once: hand it over, y copies it. **p** gives a
new one. **u** suspends the account, or lets it in again; only a suspended account is removed, and its mail stays on the
disk. **l** changes its quota, **w** says who gets what is sent to an address. **i** takes a sheet (CSV) of accounts:
`name,full_name,department,quota,password`, all of them or none.

What you change here holds when it is committed: **c** commits accounts, aliases and groups.
""")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "password", _("New password"), id="mail.password", tooltip=_("Give the account a new password")),
        Binding("u", "suspend", _("Suspend"), id="mail.suspend", tooltip=_("Suspend the account, or let it in again")),
        Binding("l", "quota", _("Quota"), id="mail.quota", tooltip=_("Change how much mail it may keep")),
        Binding("i", "sheet", _("Import"), id="mail.import", tooltip=_("Add the accounts of a CSV sheet")),
    ]
    commands: ClassVar[Mapping[str, str]] = {
        **CommittingPane.commands,
        "password": "accounts.reset-password",
        "suspend": "accounts.suspend",
        "quota": "accounts.quota",
        "sheet": "accounts.import",
    }

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(ACCOUNTS, service, title=title, help=help or self.HELP)
        self._subjects |= {"departments", "settings"}

    def compose(self) -> ComposeResult:
        """The grid: what counts for an account, its department's and the settings' among it."""
        self.source = ListingSource(lambda: self.door, self.service, self.master.name, AccountRow)
        yield Static(id="waits", markup=False)
        yield Grid(self.source, order=(Order(column="name"),))

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row."""
        if reason := super().why_not(action):
            return reason
        if action in {"password", "suspend", "quota"} and self.is_mounted and self.grid.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        return ""

    def _values(self) -> dict[str, Any]:
        """The row under the cursor by the names of its columns, with its version."""
        row = self.grid.row
        if row is None:
            return {}
        names = [column.name for column in self.source.columns]
        return {**dict(zip(names, row.values, strict=True)), "version": row.version}

    # Adding

    async def _add(self) -> None:
        answer = await self._by_form(self.reader.say(_("New: {what}"), {"what": self.reader.say(ACCOUNTS.title)}),
                                     NewAccount, None, "accounts.add")  # fmt: skip
        if answer is not None:
            self._show_password(answer)

    def _show_password(self, made: Mapping[str, Any]) -> None:
        self.look_again()
        if made["password"]:
            shown = {name: made[name] for name in ("name", "address", "password")}
            # Without fields: what is secret would be dots, and it is for reading.
            title = self.reader.say(_("Password: shown only now"))
            self.app.push_screen(answer_screen(self.reader, title, shown, {}))

    async def _by_form(self, title: str, record: type, initial: Any, command: str) -> Any:
        async def submit(value: Any, _version: int) -> Any:
            return await self.door.call(self.service, command, value)

        dialog = RecordDialog(title, record, initial, submit, lookup=lookup_of(self))
        dialog.unseen = frozenset({"version"})
        return await self.app.push_screen_wait(dialog)

    # On one account

    def action_password(self) -> None:
        """The form; an empty password is made up."""
        if not self.refuses("password"):
            begin(self, self._password(str(self._values()["name"])))

    async def _password(self, name: str) -> None:
        title = self.reader.say(_("New password of {name}: empty, and one is made up"), {"name": name})
        answer = await self._by_form(title, NewPassword, {"name": name}, "accounts.reset-password")
        if answer is not None:
            self._show_password(answer)

    def action_suspend(self) -> None:
        """After a question; who is suspended is let in again."""
        if not self.refuses("suspend"):
            begin(self, self._suspend(self._values()))

    async def _suspend(self, row: Mapping[str, Any]) -> None:
        name = {"name": row["name"]}
        if row["active"]:
            command = "accounts.suspend"
            question = _("Suspend {name}? The account neither logs in nor gets mail; its mail stays.")
        else:
            command, question = "accounts.resume", _("Let {name} log in and get mail again?")
        if not await self.app.push_screen_wait(ConfirmScreen(self.reader.say(question, name))):
            return
        try:
            await self.door.call(self.service, command, AccountSeen(name=row["name"], version=row["version"]))
        except Refused as error:
            self.shell.say_refused(error)
        self.look_again()

    def action_quota(self) -> None:
        """The form."""
        if not self.refuses("quota"):
            begin(self, self._quota(self._values()))

    async def _quota(self, row: Mapping[str, Any]) -> None:
        title = self.reader.say(_("Quota of {name}: empty as the department's"), {"name": row["name"]})
        initial = {name: row[name] for name in ("name", "version", "quota")}
        if await self._by_form(title, NewQuota, initial, "accounts.quota") is not None:
            self.look_again()

    # Sheets

    def action_sheet(self) -> None:
        """A form to paste into, then the work."""
        if not self.refuses("sheet"):
            begin(self, self._sheet())

    async def _sheet(self) -> None:
        async def submit(value: Pasted, _version: int) -> Any:
            return await self.door.call(self.service, "accounts.import", Sheet(text=value.text))

        title = self.reader.say(_("Paste the sheet: name,full_name,department,quota,password"))
        begun = await self.app.push_screen_wait(RecordDialog(title, Pasted, None, submit))
        if begun is None:
            return
        words = self.reader.say(_("Import"))
        answer = await self.app.push_screen_wait(WorkScreen(self, words, str(begun["work"])))
        if isinstance(answer, dict):
            self.look_again()
            lines = [f"{one['address']}\t{one['password']}" for one in answer["made"]]
            shown = self.reader.say(_("Passwords: shown only now"))
            self.app.push_screen(ToldScreen(shown, Content("\n").join([plain(one) for one in lines])))
