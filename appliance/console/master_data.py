"""A screen for master data: the grid, and forms to add, look at, change and remove records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from pydantic import TypeAdapter
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from appliance.console.access import Access
from appliance.console.dialog import LookScreen, RecordDialog
from appliance.console.door import Failure
from appliance.console.exporting import export
from appliance.console.grid_pane import GridPane
from appliance.console.listing_source import ListingSource
from appliance.console.merging import merge
from appliance.console.references import add_record, lookup_of
from appliance.console.screens import Pane, ScreenDescription
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.console.widgets.form import Form
from appliance.console.widgets.grid import Grid
from appliance.console.widgets.rows import Row
from appliance.contract.listings import Order
from appliance.contract.master_data import MasterData
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["MasterPane", "MasterScreen", "plural"]

HELP = _("""\
# Records

**a** adds one, **Enter** or **e** opens the one under the cursor, **Del** removes it after a question,
**x** exports all rows that are shown.

**/** searches in all texts, **f** filters (`rate>300000 name~lotus`), **s** sorts by the column of the cursor.
What your roles do not allow is dim, and the key sheet says why.
""")


def plural(name: str) -> str:
    """``vehicle_types`` as ``Vehicle types``: the title of a screen, unless the service gives one."""
    return name.replace("_", " ").replace("-", " ").capitalize()


@dataclass(frozen=True, init=False)
class MasterScreen(ScreenDescription):
    """The screen of one master data: ``MasterScreen(ROOMS)``."""

    master: MasterData

    def __init__(self, master: MasterData, *, title: str = "", help: str = "") -> None:
        """``title`` is the plural; it is made of the name if it is not given."""
        super().__init__(name=master.name, title=title or plural(master.name), help=help or HELP)
        object.__setattr__(self, "master", master)

    def visible(self, access: Access, service: str) -> bool:
        """Who may look at it."""
        return access.may_see(service, self.master.name)

    def pane(self, service: str) -> Pane:
        """The grid with its keys."""
        return MasterPane(self.master, service, title=self.title, help=self.help)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record as the daemon keeps it."""

    value: Any
    version: int
    changed_by: str
    changed_at: str
    id: int | None = None
    """The row's number, which another key does not change."""


class MasterPane(GridPane):
    """What ``MasterScreen`` makes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a,insert", "add", _("Add"), id="master.add", tooltip=_("Add a record")),
        Binding("e", "change", _("Change"), id="master.change", tooltip=_("Change the record")),
        Binding("delete,d", "remove", _("Remove"), id="master.remove", tooltip=_("Remove the record")),
        Binding("x", "export", _("Export"), id="master.export", tooltip=_("Save the rows as XLSX or CSV")),
    ]

    def __init__(self, master: MasterData, service: str, *, title: str, help: str = "") -> None:
        super().__init__(service, title=title, help=help, subjects=frozenset({master.name}))
        self.master = master

    def compose(self) -> ComposeResult:
        """The grid fills it."""
        self.source = ListingSource(lambda: self.door, self.service, self.master.name, self.master.record)
        yield Grid(self.source, order=(Order(column=self.master.key),))

    def why_not(self, action: str) -> str:
        """Roles first, then whether there is a row."""
        if action not in {"add", "change", "remove"}:
            return ""
        if reason := self.needs(f"{self.master.name}.{action}"):
            return reason
        if action != "add" and self.is_mounted and self.grid.row is None:
            return self.reader.say(_("There is no row under the cursor."))
        return ""

    # Reading one

    def key_of(self, row: Row) -> Any:
        """By which commands name the row."""
        names = [column.name for column in self.source.columns]
        return row.values[names.index(self.master.key)]

    async def _get(self, key: Any) -> Kept:
        answer = await self.door.call(self.service, f"{self.master.name}.get", {self.master.key: key})
        return Kept(
            value=_adapter(self.master.record).validate_json(json.dumps(answer["row"])),
            version=int(answer["version"]),
            changed_by=str(answer.get("changed_by", "")),
            changed_at=str(answer.get("changed_at", "")),
            id=answer.get("id"),
        )

    # Actions

    @on(Grid.Chosen)
    def _chosen(self, event: Grid.Chosen) -> None:
        event.stop()
        begin(self, self._open(event.row), group="open")

    async def _open(self, row: Row) -> None:
        """To change it, or to look at it if that is all that one may."""
        if not self.needs(f"{self.master.name}.change"):
            await self._change(row)
            return
        try:
            kept = await self._get(self.key_of(row))
        except Refused as error:
            self.shell.say_refused(error)
            return
        values = {name: getattr(kept.value, name) for name in kept.value.__dataclass_fields__}
        note = self.reader.say(_("Last changed by {who} at {when}."), {"who": kept.changed_by, "when": kept.changed_at})
        self.app.push_screen(LookScreen(self._headed(kept.value), self.master.record, values, note))

    def action_add(self) -> None:
        """An empty form."""
        if not self.refuses("add"):
            begin(self, self._add(), group="open")

    async def _add(self) -> None:
        answer = await add_record(self, self.master)
        if answer is not None:
            await self._answered(answer, _("Added."))

    async def _answered(self, answer: Any, words: str) -> None:
        """Say that it is done; an answer that is no record (a one-time password) is shown."""
        self.look_again()
        if isinstance(answer, Mapping) and "row" not in answer:
            from appliance.console.answers import show_answer

            show_answer(self, self.pane_title, answer)
        else:
            self.shell.tell(words)

    def action_change(self) -> None:
        """The form of the row."""
        row = self.grid.row
        if not self.refuses("change") and row is not None:
            begin(self, self._change(row), group="open")

    async def _change(self, row: Row) -> None:
        key = self.key_of(row)
        try:
            base = await self._get(key)
        except Refused as error:
            self.shell.say_refused(error)
            self.look_again()
            return
        looked_at = [base]
        keys = [key]

        async def submit(value: Any, version: int) -> Any:
            named = {self.master.key: keys[-1], "id": looked_at[-1].id}
            arguments = {**named, "version": version, "row": value}
            return await self.door.call(self.service, f"{self.master.name}.change", arguments)

        async def conflicted(form: Form, error: Failure) -> None:
            keys.append(error.values.get("renamed", keys[-1]))
            try:
                theirs = await self._get(keys[-1])
            except Refused as gone:
                form.show_refusal("", self.reader.say(gone.template, gone.values))
                return
            await merge(form, looked_at[-1].value, theirs.value, theirs.version, theirs.changed_by, theirs.changed_at)
            looked_at.append(theirs)

        dialog = RecordDialog(
            self._headed(base.value),
            self.master.record,
            base.value,
            submit,
            version=base.version,
            lookup=lookup_of(self),
            conflicted=conflicted,
            prefix="row.",
        )
        if await self.app.push_screen_wait(dialog) is not None:
            self.shell.tell(_("Changed."))
            self.look_again()

    def _headed(self, value: Any) -> str:
        return f"{self.reader.say(self.master.title)} {self.reader.value(getattr(value, self.master.key))}"

    def action_remove(self) -> None:
        """After a question."""
        row = self.grid.row
        if not self.refuses("remove") and row is not None:
            begin(self, self._remove(row), group="open")

    async def _remove(self, row: Row) -> None:
        key = self.key_of(row)
        words = {"what": self.reader.say(self.master.title), "key": key}
        question = self.reader.say(_("Remove {what} {key}? This cannot be undone."), words)
        if not await self.app.push_screen_wait(ConfirmScreen(question, danger=True)):
            return
        try:
            arguments = {self.master.key: key, "id": row.id, "version": row.version}
            await self.door.call(self.service, f"{self.master.name}.remove", arguments)
        except Refused as error:
            self.shell.say_refused(error)
        else:
            self.shell.tell(_("Removed."))
        self.look_again()

    def action_export(self) -> None:
        """As CSV or XLSX."""
        begin(self, export(self, self.source, self.master.name), group="export")


@cache
def _adapter(record: Any) -> TypeAdapter[Any]:
    # What the daemon sends is JSON: tuples are lists there, and days are texts.
    return TypeAdapter(record)
