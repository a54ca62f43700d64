"""The two lines below a grid: what is searched, and which rows fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from appliance.console.plain import plain
from appliance.console.widgets.filters import FilterFault, parse_filter
from appliance.console.widgets.reading import reader_of
from appliance.contract.listings import Column, Condition
from appliance.language import _

__all__ = ["GridLines", "Said"]

DEBOUNCE = 0.12
"""Seconds without a key before a search or filter is asked."""


class Said(NamedTuple):
    """What the lines say. ``conditions`` is None while the filter line is closed: those of the screen stay."""

    search: str
    conditions: tuple[Condition, ...] | None


class GridLines(Vertical):
    """Search and filter, each open when it is used, and what is wrong with the filter under it."""

    DEFAULT_CSS = """
    GridLines {
        height: auto;
        & > Input {
            display: none; height: 1; border: none; padding: 0 1; background: $boost; color: $foreground;
        }
        & > Input.-open { display: block; }
        & > .grid--fault { display: none; height: auto; max-height: 3; color: $text-error; }
        & > .grid--fault.-open { display: block; }
    }
    """

    class Written(Message):
        """Nobody has typed for a while, or (``done``) somebody pressed Enter."""

        def __init__(self, done: bool) -> None:
            super().__init__()
            self.done = done

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Closed."""
        yield Input(placeholder=reader_of(self).say(_("search")), id="grid-search", compact=True)
        yield Input(id="grid-filter", compact=True)
        yield Static(classes="grid--fault")

    @property
    def open(self) -> bool:
        """Whether one of them is."""
        return any(one.has_class("-open") for one in self.query(Input))

    def begin(self, name: str, columns: str = "") -> None:
        """Open a line and type in it; ``columns`` are named as an example in the empty line."""
        line = self.query_one(f"#{name}", Input)
        if columns:
            template = _('column=value column>value column~part column!="" with: {names}')
            line.placeholder = reader_of(self).say(template, {"names": columns})
        line.add_class("-open")
        line.focus()

    def close_empty(self) -> None:
        """A line with words stays open: it says why rows are not there."""
        for line in self.query(Input):
            line.set_class(line.has_class("-open") and bool(line.value.strip()), "-open")

    def clear(self, *, both: bool) -> tuple[str, ...]:
        """Empty the line that has the focus, or both; which."""
        cleared = [line for line in self.query(Input) if both or line.has_focus]
        for line in cleared:
            line.value = ""
        return tuple(line.id or "" for line in cleared)

    def read(self, columns: Sequence[Column]) -> Said | None:
        """What the lines say; None, with the fault shown under its place, when the filter cannot be read."""
        self._wait(None)
        reader, line = reader_of(self), self.query_one("#grid-filter", Input)
        conditions: tuple[Condition, ...] | None = None
        fault = ""
        try:
            if line.has_class("-open"):
                conditions = parse_filter(line.value, columns, reader.language)
        except FilterFault as wrong:
            said = reader.say(wrong.template, wrong.values)
            column = f"{wrong.column}: " if wrong.column else ""
            # The line begins at the left, and scrolls when it is longer than the screen.
            place = min(max(wrong.place - 1 - int(line.scroll_offset.x), 0), max(self.size.width // 2, 1))
            fault = f"{' ' * place}^ {column}{said}"
        shown = self.query_one(".grid--fault", Static)
        shown.set_class(bool(fault), "-open")
        shown.update(plain(fault))
        return None if fault else Said(self.query_one("#grid-search", Input).value.strip()[:200], conditions)

    def _wait(self, seconds: float | None) -> None:
        if self._timer:
            self._timer.stop()
        self._timer = None if seconds is None else self.set_timer(seconds, self._tell)

    def _tell(self) -> None:
        self.post_message(self.Written(done=False))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._wait(DEBOUNCE)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Written(done=True))
