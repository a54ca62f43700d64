"""What a command answered, shown to be read and copied: a one-time password, a number, a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from appliance.console.plain import plain, plain_text
from appliance.console.widgets.reading import reader_of
from appliance.language import _

if TYPE_CHECKING:
    from appliance.console.screens import Pane

__all__ = ["AnswerScreen", "show_answer"]


def show_answer(pane: Pane, title: str, answer: Any) -> None:
    """In front of the pane; nothing for an answer that says nothing."""
    if answer is None or answer is True or answer == {}:
        pane.shell.tell(_("Done."))
    else:
        pane.app.push_screen(AnswerScreen(pane.reader.say(title), answer))


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

    def __init__(self, title: str, answer: Any) -> None:
        """``title`` is in the reader's language."""
        super().__init__()
        self._title_text = title
        self._lines = [*_lines(answer)]

    def compose(self) -> ComposeResult:
        """The lines, and how to leave."""
        reader = reader_of(self)
        shown = []
        for name, value in self._lines:
            label = reader.say(name.replace("_", " ").capitalize()) if name else ""
            shown.append(Content.assemble((f"{label:<20} ", "bold"), plain_text(reader.value(value))))
        shown += [Content(""), plain(reader.say(_("y copies, Enter goes back"))).stylize("dim")]
        box = VerticalScroll(Static(Content("\n").join(shown), markup=False))
        box.border_title = plain(self._title_text)
        yield box

    def action_leave(self) -> None:
        """Back."""
        self.dismiss()

    def action_copy(self) -> None:
        """All lines, as TSV."""
        self.app.copy_to_clipboard("\n".join(f"{name}\t{value}" for name, value in self._lines))
        self.app.notify(plain_text(reader_of(self).say(_("Copied"))), markup=False, timeout=2)


def _lines(answer: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(answer, Mapping):
        return [line for name, value in answer.items() for line in _lines(value, str(name))]
    if isinstance(answer, list | tuple) and any(isinstance(one, Mapping) for one in answer):
        return [(prefix, json.dumps(one, ensure_ascii=False)) for one in answer]
    return [(prefix, ", ".join(map(str, answer)) if isinstance(answer, list | tuple) else answer)]
