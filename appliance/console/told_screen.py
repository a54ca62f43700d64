"""What a command or long work has answered, in front of its screen: read, scrolled, copied."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from appliance.console.plain import plain, plain_text
from appliance.console.status import KeyLine
from appliance.console.widgets.document import DocumentView
from appliance.console.widgets.front import FrontScreen
from appliance.console.widgets.reading import reader_of
from appliance.language import _

__all__ = ["LogScreen", "ToldScreen"]


class ToldScreen(FrontScreen[None]):
    """Coloured lines under a title."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "leave", _("Leave"), id="told.leave"),
        Binding("y", "copy", _("Copy"), id="told.copy"),
    ]
    DEFAULT_CSS = """
    ToldScreen { align: center middle; }
    ToldScreen > VerticalScroll {
        width: 94%; max-width: 130; height: auto; max-height: 90%;
        background: $surface; color: $foreground; border: round $primary; padding: 1 2;
    }
    ToldScreen Static { height: auto; }
    """

    def __init__(self, title: str, said: Content, copied: str = "") -> None:
        """All are in the reader's language. ``copied``: what ``y`` copies, where it is not the lines as they stand."""
        super().__init__()
        self._title_text = title
        self._said = said
        self._copied = copied or said.plain

    def compose(self) -> ComposeResult:
        """The lines, and how to leave."""
        box = VerticalScroll(Static(self._said, markup=False))
        box.border_title = plain(self._title_text)
        yield box
        yield KeyLine(classes="-front")

    def action_leave(self) -> None:
        """Back."""
        self.dismiss()

    def action_copy(self) -> None:
        """All of it, without colours."""
        self.app.copy_to_clipboard(self._copied)
        self.app.notify(plain_text(reader_of(self).say(_("Copied"))), markup=False, timeout=2)


class LogScreen(FrontScreen[None]):
    """The last lines of a program, from the last one upward."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", _("Leave"), id="told.leave-log")]
    DEFAULT_CSS = """
    LogScreen { align: center middle; }
    LogScreen DocumentView { width: 96%; height: 94%; background: $surface; border: round $primary; }
    """

    def __init__(self, title: str, lines: list[str]) -> None:
        super().__init__()
        self._title_text = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The lines, which can be searched and saved."""
        yield DocumentView(self._title_text, "\n".join(self._lines))

    def on_mount(self) -> None:
        """What was said last is what one looks for."""
        self.call_after_refresh(self._to_end)

    def _to_end(self) -> None:
        lines = self.query_one("DocumentLines")
        lines.focus()
        lines.scroll_end(animate=False)

    def action_leave(self) -> None:
        """Back."""
        self.dismiss()
