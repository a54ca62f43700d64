"""A text document of any length: looked at, searched, copied, saved, printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, Static

from appliance.console.plain import plain, plain_lines, plain_text
from appliance.console.widgets.reading import reader_of
from appliance.language import _

__all__ = ["DocumentView"]


class DocumentLines(ScrollView, can_focus=True):
    """The lines on the screen, with what was searched."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"document--found", "document--here"}
    DEFAULT_CSS = """
    DocumentLines {
        height: 1fr; background: $surface; color: $foreground; padding: 0 1;
        & .document--found { background: $warning 30%; color: $foreground; }
        & .document--here { background: $warning; color: $text; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.found: dict[int, list[tuple[int, int]]] = {}
        self.here = -1
        """The line of the match that n and N went to."""

    def show(self, lines: list[str]) -> None:
        """Other lines, from the top."""
        self.lines = lines
        self.found, self.here = {}, -1
        self.virtual_size = Size(max(map(cell_len, lines), default=0), len(lines))
        self.scroll_to(0, 0, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        number = top + y
        if number >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        line, at, segments = self.lines[number], 0, []
        name = "document--here" if number == self.here else "document--found"
        for start, end in self.found.get(number, ()):
            segments += [Segment(line[at:start], self.rich_style),
                         Segment(line[start:end], self.get_component_rich_style(name))]  # fmt: skip
            at = end
        segments.append(Segment(line[at:], self.rich_style))
        return Strip(segments).crop_extend(left, left + width, self.rich_style)


class DocumentView(Vertical):
    """A document under its title."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", _("Search"), key_display="/", id="document.search", tooltip=_("Search in the text")),
        Binding("n", "go(1)", _("Next"), show=False, id="document.next", tooltip=_("The next match")),
        Binding("N", "go(-1)", _("Previous"), show=False, id="document.previous", tooltip=_("The match before")),
        Binding("y", "copy", _("Copy"), id="document.copy", tooltip=_("Copy the whole text")),
        Binding("w", "save", _("Save"), id="document.save", tooltip=_("Save the text as a file")),
        Binding("p", "print", _("Print"), id="document.print", tooltip=_("Print, or make a PDF")),
        Binding("escape", "close_search", _("Close search"), show=False, id="document.close-search"),
    ]
    DEFAULT_CSS = """
    DocumentView {
        height: 1fr;
        & > .document--title { height: 1; padding: 0 1; background: $panel; color: $foreground; text-style: bold; }
        & > Input { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
        & > Input.-open { display: block; }
        & > .document--status { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    }
    """

    def __init__(
        self, title: str, text: str, *, on_print: Callable[[], None] | None = None, id: str | None = None
    ) -> None:
        """``on_print``: what p does; without it p says that it cannot."""
        super().__init__(id=id)
        self.title = title
        self.text = text
        self._print = on_print

    def compose(self) -> ComposeResult:
        """Title, lines, search, place."""
        yield Static(plain(self.title), classes="document--title")
        yield DocumentLines()
        yield Input(placeholder=reader_of(self).say(_("search")), compact=True)
        yield Static(classes="document--status")

    def on_mount(self) -> None:
        """Show the text."""
        self.show(self.title, self.text)
        self.watch(self.query_one(DocumentLines), "scroll_y", self._show_status, init=False)

    def show(self, title: str, text: str) -> None:
        """Another document."""
        self.title, self.text = title, text
        self.query_one(".document--title", Static).update(plain(title))
        self.query_one(DocumentLines).show(plain_lines(text))
        self._show_status()

    def _show_status(self) -> None:
        reader, lines = reader_of(self), self.query_one(DocumentLines)
        first = min(int(lines.scroll_offset.y) + 1, len(lines.lines))
        parts = [reader.say(_("line {line} of {count}"), {"line": first, "count": len(lines.lines)})]
        if self.query_one(Input).value:
            matches = sum(map(len, lines.found.values()))
            parts.append(reader.say(_("{count} matches"), {"count": matches}))
        self.query_one(".document--status", Static).update(plain("  ".join(parts)), layout=False)

    # Searching

    def action_search(self) -> None:
        """Open the search line."""
        line = self.query_one(Input)
        line.add_class("-open")
        line.focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        lines = self.query_one(DocumentLines)
        lines.found, lines.here = {}, -1
        if event.value:
            sought = re.compile(re.escape(plain_text(event.value)), re.IGNORECASE)
            for number, text in enumerate(lines.lines):
                if spans := [match.span() for match in sought.finditer(text)]:
                    lines.found[number] = spans
            self._go_from(int(lines.scroll_offset.y) - 1, 1)
        lines.refresh()
        self._show_status()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(DocumentLines).focus()

    def action_go(self, step: int) -> None:
        """To the next match, around the end."""
        self._go_from(self.query_one(DocumentLines).here, step)

    def _go_from(self, here: int, step: int) -> None:
        lines = self.query_one(DocumentLines)
        numbers = sorted(lines.found)
        if not numbers:
            return
        if step > 0:
            lines.here = next((number for number in numbers if number > here), numbers[0])
        else:
            lines.here = next((number for number in reversed(numbers) if number < here), numbers[-1])
        top, room = int(lines.scroll_offset.y), lines.scrollable_content_region.height
        if not top <= lines.here < top + room:
            lines.scroll_to(y=max(lines.here - room // 2, 0), animate=False)
        lines.refresh()

    def action_close_search(self) -> None:
        """Close the search line and forget the matches."""
        line = self.query_one(Input)
        if not line.has_class("-open"):
            raise SkipAction
        line.value = ""
        line.remove_class("-open")
        self.query_one(DocumentLines).focus()

    # Taking it along

    def action_copy(self) -> None:
        """Copy all of it."""
        self.app.copy_to_clipboard(self.text)
        self.app.notify(reader_of(self).say(_("Copied")), markup=False, timeout=2)

    def action_save(self) -> None:
        """Deliver it as a file: in a browser a download, in a terminal in the folder of downloads."""
        name = re.sub(r"[^\w.-]+", "-", self.title, flags=re.ASCII).strip("-.") or "document"
        # Half of a surrogate pair cannot be encoded.
        text = self.text.encode("utf-8", "replace").decode()
        self.app.deliver_text(StringIO(text), save_filename=f"{name}.txt")

    def action_print(self) -> None:
        """As the screen says."""
        if self._print:
            self._print()
        else:
            self.app.notify(reader_of(self).say(_("Nothing prints here")), markup=False, severity="warning")
