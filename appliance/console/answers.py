"""What a command answered, shown to be read and copied: a one-time password, a number, a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from appliance.console.plain import plain, plain_text
from appliance.console.status import KeyLine
from appliance.console.widgets.reading import reader_of
from appliance.contract.fields import Field, fields_of
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["AnswerScreen", "is_kept", "show_answer"]

KEPT = frozenset({"row", "id", "version", "changed_by", "changed_at"})


def show_answer(pane: Pane, title: str, answer: Any) -> None:
    """In front of the pane; nothing for an answer that says nothing."""
    if answer is None or answer is True or answer == {}:
        pane.shell.tell(_("Done."))
    else:
        found = _told(answer)
        pane.app.push_screen(AnswerScreen(pane.reader.say(title), found, _fields(pane, found)))


class AnswerScreen(ModalScreen[None]):
    """Names and values below each other; ``y`` copies them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "leave", _("Leave"), id="answer.leave"),
        Binding("y", "copy", _("Copy"), id="answer.copy"),
    ]
    DEFAULT_CSS = """
    AnswerScreen { align: center middle; }
    AnswerScreen > VerticalScroll {
        width: 90%; max-width: 90; height: auto; max-height: 90%;
        background: $surface; color: $foreground; border: round $primary; padding: 1 2;
    }
    AnswerScreen Static { height: auto; }
    """

    def __init__(self, title: str, answer: Any, fields: Mapping[str, Field] | None = None) -> None:
        """``title`` is in the reader's language; ``fields`` say what the answer's values are, as far as is known."""
        super().__init__()
        self._title_text = title
        self._fields = fields or {}
        self._lines = [*_lines(answer)]

    def compose(self) -> ComposeResult:
        """A line a value."""
        reader = reader_of(self)
        shown = []
        for name, value in self._lines:
            field = self._fields.get(name)
            label = reader.label(field) if field else reader.say(name.replace("_", " ").capitalize()) if name else ""
            words = reader.shown(field, value) if field else plain_text(reader.value(value))
            shown.append(Content.assemble((f"{label:<20} ", "bold"), words))
        box = VerticalScroll(Static(Content("\n").join(shown), markup=False))
        box.border_title = plain(self._title_text)
        yield box
        yield KeyLine(classes="-front")

    def action_leave(self) -> None:
        """Back."""
        self.dismiss()

    def action_copy(self) -> None:
        """All lines, as TSV."""
        self.app.copy_to_clipboard("\n".join(f"{name}\t{value}" for name, value in self._lines))
        self.app.notify(plain_text(reader_of(self).say(_("Copied"))), markup=False, timeout=2)


def is_kept(answer: Any) -> bool:
    """Whether it is a record of a service with its version (``MasterData.kept``)."""
    return isinstance(answer, Mapping) and isinstance(answer.get("row"), Mapping) and "version" in answer


def _told(answer: Any) -> Any:
    """Of a record that was kept the record alone: who has changed it and when is clear."""
    if is_kept(answer):
        rest = {name: value for name, value in answer.items() if name not in KEPT}
        return {**answer["row"], **rest}
    return answer


def _fields(pane: Pane, answer: Any) -> dict[str, Field]:
    """By the names of the answer's values: those of the service's record that has the most of them."""
    if not isinstance(answer, Mapping):
        return {}
    service = next((one for one in pane.shell.installed() if one.name == pane.service), None)
    model = service.module("model") if service else None
    known: list[dict[str, Field]] = []
    for value in list(vars(model).values() if model else ()):
        if isinstance(value, type) and hasattr(value, "__record_title__"):
            with suppress(TypeError, NameError):  # a record with a value that no form and no grid shows
                known.append({field.name: field for field in fields_of(value)})
    best = max(known, key=lambda fields: len(fields.keys() & answer.keys()), default={})
    return {name: field for name, field in best.items() if name in answer}


def _lines(answer: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(answer, Mapping):
        return [line for name, value in answer.items() for line in _lines(value, str(name))]
    if isinstance(answer, list | tuple) and any(isinstance(one, Mapping) for one in answer):
        return [(prefix, json.dumps(one, ensure_ascii=False)) for one in answer]
    return [(prefix, ", ".join(map(str, answer)) if isinstance(answer, list | tuple) else answer)]
