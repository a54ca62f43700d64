"""One field of a form on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.widgets.editors import NOTHING, Editor
from appliance.console.widgets.grid_layout import fitted
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.validation import needs_value
from appliance.contract.fields import Field, Kind

__all__ = ["FormRow", "given_value"]


LABEL = 24
"""Cells of the label and the blank after it."""
ENTRY = 72
"""Cells of an entry at most."""


class FormRow(Vertical):
    """A label, an entry, a unit, and what is wrong.

    Label and unit are drawn, not widgets, and the fault is one when there is a
    fault: a form of twenty fields is there in half the time.
    """

    DEFAULT_CSS = f"""
    FormRow {{
        height: auto;
        & > Editor {{ margin-left: {LABEL}; width: 1fr; max-width: {ENTRY}; }}
        & > .form--fault {{ height: auto; padding-left: {LABEL}; color: $text-error; }}
    }}
    """

    def __init__(self, field: Field, editor: Editor) -> None:
        super().__init__()
        self.field = field
        self.editor = editor
        self._shown = ""
        self._fault: Static | None = None
        self._label: list[str] = []
        self._unit = ""

    def compose(self) -> ComposeResult:
        """The entry, beside which there is room for the words."""
        reader = reader_of(self)
        mark = " *" if needs_value(self.field) else ""
        self._label = wrapped(reader.label(self.field) + mark, LABEL - 1)
        self._unit = reader.unit(self.field) or ("Rp" if self.field.kind is Kind.RUPIAH else "")
        self.styles.min_height = len(self._label)
        if self._unit:
            self.editor.styles.margin = (0, cell_len(self._unit) + 1, 0, LABEL)
        yield self.editor

    def render(self) -> Content:
        """What stands beside the entry."""
        label = Content.styled("\n".join(self._label[1:]), "$text-error" if self._shown else "")
        first = set_cell_size(self._label[0] if self._label else "", LABEL)
        parts = [Content.styled(first, "$text-error" if self._shown else "")]
        if self._unit:
            end = min(LABEL + ENTRY, self.size.width - cell_len(self._unit) - 1)
            parts.append(Content(" " * (end - LABEL + 1)))
            parts.append(Content.styled(self._unit, "$text-muted"))
        return Content("").join([*parts, Content("\n"), label])

    def show(self, text: str) -> None:
        """What is wrong, or nothing."""
        if text == self._shown:
            return
        self._shown = text
        self.set_class(bool(text), "-wrong")
        self.refresh()
        if self._fault is not None:
            self._fault.display = bool(text)
            self._fault.update(plain(f"↑ {text}"))
        elif text:
            self._fault = Static(plain(f"↑ {text}"), classes="form--fault")
            self.mount(self._fault)


def wrapped(text: str, cells: int) -> list[str]:
    """The text in lines of at most so many cells, broken at blanks; a longer word is cut."""
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= cells:
            lines[-1] += f" {word}"
        else:
            lines.append(fitted(word, min(cells, cell_len(word))))
    return lines


def given_value(field: Field, initial: Any) -> Any:
    """The value that the form begins with: the given one, else the default, else none."""
    if isinstance(initial, Mapping):
        if field.name in initial:
            return initial[field.name]
    elif is_dataclass(initial):
        return getattr(initial, field.name)
    return NOTHING if field.required else field.default
