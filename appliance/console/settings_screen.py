"""The settings of a service: its ``Settings`` record as a form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from textual import on, work
from textual.app import ComposeResult

from appliance.console.access import Access
from appliance.console.dialog import focus_first, show_failure
from appliance.console.once import Once
from appliance.console.screens import Pane, ScreenDescription
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.form import Form
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["SettingsPane", "SettingsScreen"]

TITLE = _("Settings")
HELP = _("""\
# Settings

What the administrators of this service decide. **Ctrl+S** saves; the values hold from then on.
""")
COMMITTED_HELP = _("""\
# Settings

What the administrators of this service decide. **Ctrl+S** saves. What is saved **holds when it is committed**: an
administrator does that under Machine, where the plan shows what would change.
""")


@dataclass(frozen=True, init=False)
class SettingsScreen(ScreenDescription):
    """Made for each service that has ``Settings`` in its ``model.py``."""

    record: type
    committed: bool
    """Whether the values hold from a commit on, and not at once: those that daemons are configured from."""

    def __init__(self, record: type, *, title: str = "", help: str = "", committed: bool = False) -> None:
        own = COMMITTED_HELP if committed else HELP
        super().__init__(name="settings", title=title or TITLE, help=help or own)
        object.__setattr__(self, "record", record)
        object.__setattr__(self, "committed", committed)

    def visible(self, access: Access, service: str) -> bool:
        """Who may change them."""
        found = access.find(service)
        return found is not None and found.settings

    def pane(self, service: str) -> Pane:
        """The form."""
        return SettingsPane(self.record, service, title=self.title, help=self.help, committed=self.committed)


class SettingsPane(Pane):
    """What ``SettingsScreen`` makes."""

    def __init__(self, record: type, service: str, *, title: str, help: str, committed: bool = False) -> None:
        super().__init__(service, title=title, help=help)
        self.record = record
        self.committed = committed
        self._read = TypeAdapter[Any](record)
        self._filled = False
        self._once = Once()

    def compose(self) -> ComposeResult:
        """Empty until the values are read."""
        yield Form(self.record)

    @property
    def form(self) -> Form:
        """The form."""
        return self.query_one(Form)

    @property
    def unsaved(self) -> str:
        """What would be lost."""
        return self.reader.say(self.pane_title) if self.is_mounted and self.form.dirty else ""

    def on_mount(self) -> None:
        """Read them."""
        self._look()

    def _look(self) -> None:
        self._read_again()

    @work(group="settings", exclusive=True)
    async def _read_again(self) -> None:
        await self._fill()

    async def _fill(self) -> None:
        try:
            value, version = await self._get()
        except Refused as error:
            self.form.show_refusal("", self.reader.say(error.template, error.values))
            return
        self.form.version = version
        within = self.screen.focused is None or self.screen.focused in self.form.query("*")
        await self.form.set_value(value)
        # The entry that had the focus is another one now.
        if within or not self._filled:
            self.call_after_refresh(self._begin)
        self._filled = True

    def _begin(self) -> None:
        if self.display and self.screen.is_current:
            focus_first(self.form)

    async def _get(self) -> tuple[Any, int]:
        kept = await self.door.call(self.service, "settings.get")
        return self._read.validate_json(json.dumps(kept["row"])), int(kept["version"])

    @on(Form.Saved)
    def _saved(self, event: Form.Saved) -> None:
        event.stop()
        begin(self, self._save(event.value, event.version), group="save")

    async def _save(self, value: Any, version: int) -> None:
        try:
            with self._once.of((value, version)):
                await self.door.call(self.service, "settings.change", {"version": version, "row": value})
        except Refused as error:
            if error.code == "conflict":
                await self._show_conflict(error)
            else:
                show_failure(self.form, error, "row.")
            return
        self.shell.tell(_("Saved. It holds when it is committed, under Machine.") if self.committed else _("Saved."))
        await self._fill()

    async def _show_conflict(self, error: Refused) -> None:
        try:
            theirs, newer = await self._get()
        except Refused as gone:
            show_failure(self.form, gone, "row.")
            return
        self.form.show_conflict(self.reader.say(error.template, error.values), theirs, newer)

    @on(Form.Left)
    def _left(self, event: Form.Left) -> None:
        """As they were."""
        event.stop()
        self._look()

    def told(self, event: Mapping[str, Any]) -> None:
        """Somebody has changed them."""
        if event.get("subject") == "settings" and not self.form.dirty:
            self._look()
