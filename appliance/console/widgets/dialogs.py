"""Small questions in front of a screen: yes or no, one line of text, which of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.widgets import Button, Input, SelectionList, Static
from textual.widgets.selection_list import Selection

from appliance.console.plain import plain
from appliance.console.widgets.front import FrontScreen
from appliance.console.widgets.reading import reader_of
from appliance.language import _

__all__ = ["AskScreen", "ChooseScreen", "ConfirmScreen", "Ticks"]

Chosen = TypeVar("Chosen")

_DIALOG = """
    %(name)s { align: center middle; }
    %(name)s > Vertical {
        width: 60; max-width: 90%%; height: auto; max-height: 90%%;
        background: $surface; color: $foreground; border: round $primary; padding: 1 2;
    }
    %(name)s .dialog--question { height: auto; margin-bottom: 1; }
    %(name)s Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    %(name)s Button { margin-left: 2; }
"""


class ConfirmScreen(FrontScreen[bool]):
    """Yes or no. Texts are of the reader already."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", _("No"), id="dialog.no"),
        Binding("y", "answer(True)", _("Yes"), id="dialog.yes"),
        Binding("left,right", "other", _("Other button"), show=False, id="dialog.other"),
    ]
    DEFAULT_CSS = _DIALOG % {"name": "ConfirmScreen"}

    def __init__(self, question: str, *, yes: str = "", no: str = "", danger: bool = False) -> None:
        """``danger``: the answer yes destroys something, and no has the focus."""
        super().__init__()
        self._question = question
        self._yes = yes
        self._no = no
        self._danger = danger

    def compose(self) -> ComposeResult:
        """The question above two buttons."""
        reader = reader_of(self)
        with Vertical():
            yield Static(plain(self._question), classes="dialog--question")
            with Horizontal():
                yes = plain(self._yes or reader.say(_("Yes")))
                yield Button(yes, variant="error" if self._danger else "primary", id="yes")
                yield Button(plain(self._no or reader.say(_("No"))), id="no")

    def on_mount(self) -> None:
        """The answer that does no harm is the one under Enter."""
        self.query_one("#no" if self._danger else "#yes", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """By key."""
        self.dismiss(answer)

    def action_other(self) -> None:
        """There are two."""
        self.focus_next()


class AskScreen(FrontScreen[str | None]):
    """One line of text; None when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", _("Leave"), id="dialog.leave")]
    DEFAULT_CSS = _DIALOG % {"name": "AskScreen"}

    def __init__(self, question: str, value: str = "", *, password: bool = False) -> None:
        super().__init__()
        self._question = question
        self._value = value
        self._password = password

    def compose(self) -> ComposeResult:
        """The question, the line, two buttons."""
        reader = reader_of(self)
        with Vertical():
            yield Static(plain(self._question), classes="dialog--question")
            yield Input(self._value, password=self._password)
            with Horizontal():
                yield Button(plain(reader.say(_("OK"))), variant="primary", id="yes")
                yield Button(plain(reader.say(_("Leave"))), id="no")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(self.query_one(Input).value if event.button.id == "yes" else None)

    def action_leave(self) -> None:
        """Without an answer."""
        self.dismiss(None)


class Ticks(SelectionList[Chosen]):
    """A list to tick, in which what is not ticked has no sign: Textual's differs in its colour alone."""

    def render_line(self, y: int) -> Strip:
        """One line."""
        strip = super().render_line(y)
        place = int(self.scroll_offset.y) + y
        if place >= self.option_count or self.get_option_at_index(place).value in self.selected:
            return strip
        left, sign, *rest = strip
        return Strip([left, Segment(" " * len(sign.text), sign.style), *rest])


class ChooseScreen(FrontScreen[tuple[str, ...] | None]):
    """Which of several, in their order; None when it is left. At least ``least`` stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", _("Leave"), id="dialog.leave"),
        Binding("enter", "take", _("Take"), id="dialog.take", priority=True),
    ]
    DEFAULT_CSS = (
        _DIALOG % {"name": "ChooseScreen"} + "\n    ChooseScreen SelectionList { height: auto; max-height: 50vh; }"
    )

    def __init__(self, question: str, options: Sequence[tuple[str, str]], chosen: Sequence[str], least: int) -> None:
        """``options``: names and their titles."""
        super().__init__()
        self._question = question
        self._options = options
        self._chosen = chosen
        self._least = least

    def compose(self) -> ComposeResult:
        """The question above the list."""
        with Vertical():
            yield Static(plain(self._question), classes="dialog--question")
            yield Ticks[str](*(Selection(plain(title), name, name in self._chosen) for name, title in self._options))

    def action_take(self) -> None:
        """What is ticked, in the order of the list."""
        ticked = set(self.query_one(SelectionList).selected)
        if len(ticked) < self._least:
            self.app.bell()
            return
        self.dismiss(tuple(name for name, _title in self._options if name in ticked))

    def action_leave(self) -> None:
        """Without an answer."""
        self.dismiss(None)
