"""A pane over a query that answers records: their grid, asked again when something happens, or every few seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import TypeAdapter
from textual import on, work
from textual.app import ComposeResult

from appliance.console.dialog import LookScreen
from appliance.console.screens import Pane
from appliance.console.widgets.grid import EMPTY, Grid
from appliance.console.widgets.list_source import ListSource
from appliance.contract.fields import fields_of, title_of
from appliance.contract.refusals import Refused

__all__ = ["QueryPane", "records_of"]


def records_of(record: type, answer: Any) -> tuple[Any, ...]:
    """What the daemon answered, as values of the record."""
    rows: tuple[Any, ...] = TypeAdapter(tuple[record, ...]).validate_json(json.dumps(answer))  # type: ignore[valid-type]
    return rows


class QueryPane(Pane):
    """A subclass names the query and its record; its rows are few enough to be kept here."""

    command: ClassVar[str] = ""
    record: ClassVar[type]
    subjects: ClassVar[frozenset[str]] = frozenset()
    """What events are about when the answer has changed."""
    every: ClassVar[float] = 0.0
    """Seconds between looks while it is seen; 0: only when something happens."""
    empty: ClassVar[str] = ""
    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(service, title=title, help=help)
        self.rows: tuple[Any, ...] = ()
        self._stale = False

    def compose(self) -> ComposeResult:
        """The grid fills it."""
        yield Grid(ListSource.of(self.record, ()), empty=self.empty, shown=self.shown)

    @property
    def grid(self) -> Grid:
        """The rows."""
        return self.query_one(Grid)

    @property
    def row(self) -> Any:
        """The record under the cursor, or None."""
        row = self.grid.row if self.is_mounted else None
        return self.rows[row.id - 1] if row is not None and row.id <= len(self.rows) else None

    def on_mount(self) -> None:
        """Ask at once."""
        self.look()
        if self.every:
            self.set_interval(self.every, self._again)

    def _again(self) -> None:
        if self.display and self.screen.is_current:
            self.look()

    def look(self) -> None:
        """Ask again."""
        self._look()

    # Not begun before it runs: two looks in a moment, and the first would be a coroutine that nobody awaits.
    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        try:
            answer = await self.door.call(self.service, self.command)
        except Refused as error:
            self.refused(error)
            return
        self.take(answer)
        self.grid.say_empty(self.empty or EMPTY)

    def refused(self, error: Refused) -> None:
        """Say why, where the rows would be; beside them, if they stay, unless it would be said every few seconds."""
        if not self.rows:
            self.grid.say_empty(self.reader.say(error.template, error.values))
        elif not self.every:
            self.shell.say_refused(error)

    def take(self, answer: Any) -> None:
        """Show what was answered."""
        self.show_rows(records_of(self.record, answer))

    def show_rows(self, rows: tuple[Any, ...]) -> None:
        """The cursor stays where it is."""
        if rows != self.rows:
            self.rows = rows
            self.grid.show(ListSource.of(self.record, rows))

    @on(Grid.Chosen)
    def _chosen(self, event: Grid.Chosen) -> None:
        event.stop()
        if self.row is not None:
            self.opened(self.row)

    def opened(self, row: Any) -> None:
        """Enter on a row: look at all of it."""
        values = {field.name: getattr(row, field.name) for field in fields_of(self.record)}
        self.app.push_screen(LookScreen(self.reader.say(title_of(self.record)), self.record, values))

    def told(self, event: Mapping[str, Any]) -> None:
        """Look again when it was about these rows; later, if they are not seen."""
        if event.get("kind") == "missed" or str(event.get("subject", "")).partition("/")[0] in self.subjects:
            if self.display and self.screen.is_current:
                self.look()
            else:
                self._stale = True

    def on_show(self) -> None:
        """Look again, if something happened while it was not seen."""
        if self._stale:
            self._stale = False
            self.look()
