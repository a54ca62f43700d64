"""A list of lines, some of which lead to a place of the text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from appliance.console.plain import plain
from appliance.language import _
from appliance.workbench.messages import CopyWanted, GoTo

__all__ = ["TONES", "Line", "Lines", "toned"]

TONES = {
    "good": "$text-success",
    "bad": "$text-error",
    "doubtful": "$text-warning",
    "faint": "$foreground-muted",
    "strong": "bold",
    "error": "$text-error",
    "warning": "$text-warning",
    "note": "$text-muted",
    "held": "$text-success",
    "failed": "$text-error",
    "skipped": "$text-warning",
}
"""Styles by what is said: colours of the theme, so that they read on light and dark."""


class Line(NamedTuple):
    """One line. ``sign`` stands before it, in the colour of ``tone``."""

    words: str
    tone: str = ""
    sign: str = ""
    line: int = 0
    """The line of the text that Enter leads to; 0: nowhere."""
    column: int = 1
    name: str = ""
    """The tab of that text."""
    then: Message | None = None
    """What Enter asks for, in place of going to a line."""


def toned(words: str, tone: str) -> Content:
    """User text in the colour of a tone."""
    return plain(words).stylize(TONES[tone]) if tone else plain(words)


class Lines(OptionList):
    """Lines to read, to copy, and to follow by Enter."""

    DEFAULT_CSS = """
    Lines {
        border: none;
        padding: 0;
        height: 1fr;
        background: transparent;
        &:focus { border: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c,y", "copy_all", _("Copy"), tooltip=_("Copy all lines of this list"), id="lines.copy"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self._said: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._said

    def show(self, lines: Iterable[Line]) -> None:
        """Show these lines, in place of those before."""
        self._said = tuple(lines)
        self.clear_options()
        self.add_options([Option(self._prompt(line)) for line in self._said])

    def action_copy_all(self) -> None:
        """All lines as text."""
        self.post_message(CopyWanted("\n".join(f"{one.sign} {one.words}".strip() for one in self._said)))

    @on(OptionList.OptionSelected)
    def _follow(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        line = self._said[event.option_index]
        if line.then is not None:
            self.post_message(line.then)
        elif line.line:
            self.post_message(GoTo(line.line, line.column, line.name))

    @staticmethod
    def _prompt(line: Line) -> Content:
        place = f"{line.line}: " if line.line else ""
        if not line.sign:
            return toned(place + line.words, line.tone)
        return Content.assemble(toned(line.sign, line.tone), " ", toned(place, "faint"), plain(line.words))
