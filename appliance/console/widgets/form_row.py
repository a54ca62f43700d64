"""One field of a form on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.widgets.editors import NOTHING, Editor
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.validation import needs_value
from appliance.contract.fields import Field, Kind

__all__ = ["FormRow", "given_value"]


class FormRow(Vertical):
    """A label, an entry, a unit, and what is wrong."""

    DEFAULT_CSS = """
    FormRow {
        height: auto; margin-bottom: 0;
        & > Horizontal { height: auto; }
        & .form--label { width: 24; height: auto; padding-right: 1; color: $foreground; }
        & Editor { width: 1fr; max-width: 72; }
        & .form--unit { width: auto; max-width: 14; padding-left: 1; color: $text-muted; }
        & .form--fault { display: none; height: auto; padding-left: 24; color: $text-error; }
        &.-wrong .form--fault { display: block; }
        &.-wrong .form--label { color: $text-error; }
    }
    """

    def __init__(self, field: Field, editor: Editor) -> None:
        super().__init__()
        self.field = field
        self.editor = editor
        self._shown = ""

    def compose(self) -> ComposeResult:
        """On one line when it fits."""
        reader = reader_of(self)
        mark = " *" if needs_value(self.field) else ""
        unit = reader.unit(self.field) or ("Rp" if self.field.kind is Kind.RUPIAH else "")
        with Horizontal():
            yield Static(plain(reader.label(self.field) + mark), classes="form--label")
            yield self.editor
            if unit:
                yield Static(plain(unit), classes="form--unit")
        yield Static(classes="form--fault")

    def show(self, text: str) -> None:
        """What is wrong, or nothing."""
        if text == self._shown:
            return
        self._shown = text
        self.set_class(bool(text), "-wrong")
        self.query_one(".form--fault", Static).update(plain(f"↑ {text}" if text else ""))


def given_value(field: Field, initial: Any) -> Any:
    """The value that the form begins with: the given one, else the default, else none."""
    if isinstance(initial, Mapping):
        if field.name in initial:
            return initial[field.name]
    elif is_dataclass(initial):
        return getattr(initial, field.name)
    return NOTHING if field.required else field.default
