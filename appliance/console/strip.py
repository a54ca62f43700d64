"""Names side by side or below each other, of which one is the current: the services, and the screens of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from appliance.console.plain import plain_text
from appliance.language import _

__all__ = ["Name", "NameStrip"]

BEFORE, AFTER = "‹", "›"
"""There are more names on this side."""


class Name(NamedTuple):
    """One of the names. ``title`` is in the reader's language."""

    name: str
    title: str


class NameStrip(Widget, can_focus=True):
    """One line, or one column. Arrows move, Enter or a click chooses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "step(-1)", _("Previous"), show=False),
        Binding("right,down", "step(1)", _("Next"), show=False),
        Binding("enter,space", "choose", _("Open"), show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"strip--current", "strip--cursor", "strip--name"}
    DEFAULT_CSS = """
    NameStrip {
        height: 1; width: 1fr; background: $panel; color: $foreground;
        & .strip--name { color: $foreground; background: $panel; }
        & .strip--current { color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold; }
        & .strip--cursor { text-style: bold underline; }
        &.-column { height: 1fr; width: 24; background: $panel; padding: 1 0; }
    }
    """

    class Chosen(Message):
        """Somebody wants this one."""

        def __init__(self, strip: NameStrip, name: str) -> None:
            super().__init__()
            self.strip = strip
            self.name = name

        @property
        def control(self) -> NameStrip:
            """The sender."""
            return self.strip

    def __init__(self, *, column: bool = False, id: str | None = None) -> None:
        super().__init__(id=id, classes="-column" if column else "")
        self._column = column
        self._names: tuple[Name, ...] = ()
        self._current = ""
        self._cursor = 0

    def show(self, names: Sequence[Name], current: str) -> None:
        """These names; ``current`` is marked."""
        self._names = tuple(names)
        self._current = current
        self._cursor = next((place for place, one in enumerate(self._names) if one.name == current), 0)
        self.refresh()

    def render(self) -> Content:
        """The names, as many as fit around the cursor; an arrow at an end says that there are more."""
        first, end = self._window()
        content = Content("\n" if self._column else "").join(map(self._drawn, range(first, end)))
        if self._column or not self._names:
            return content
        before, after = BEFORE if first else "", AFTER if end < len(self._names) else ""
        return Content.assemble(before, content, after)

    def _text(self, place: int) -> str:
        title = plain_text(self._names[place].title)
        if not self._column:
            return f" {title} "
        room = max(self.size.width - 2, 1)
        title = title if len(title) <= room else f"{title[: room - 1]}…"
        return f" {title:<{room}} "

    def _drawn(self, place: int) -> Content:
        one = self._names[place]
        style = "strip--current" if one.name == self._current else "strip--name"
        content = Content(self._text(place)).stylize(self.get_visual_style(style))
        if self.has_focus and place == self._cursor:
            content = content.stylize(self.get_visual_style("strip--cursor").__class__(bold=True, underline=True))
        return content

    def _window(self) -> tuple[int, int]:
        """The first name that is drawn, and the one after the last: the one under the cursor is seen whole."""
        count = len(self._names)
        if self._column:
            return max(0, self._cursor - max(self.size.height - 1, 0)), count
        widths = [cell_len(self._text(place)) for place in range(count)]
        if sum(widths) <= self.size.width:
            return 0, count
        first, end = self._cursor, self._cursor + 1
        while first > 0 and self._needs(widths, first - 1, end) <= self.size.width:
            first -= 1
        while end < count and self._needs(widths, first, end + 1) <= self.size.width:
            end += 1
        return first, min(end, count)

    def _needs(self, widths: Sequence[int], first: int, end: int) -> int:
        """Cells of these names and of the arrows beside them."""
        return sum(widths[first:end]) + (len(BEFORE) if first else 0) + (len(AFTER) if end < len(widths) else 0)

    def on_focus(self) -> None:
        """The cursor is seen only then."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor goes back to what is open."""
        self._cursor = next((place for place, one in enumerate(self._names) if one.name == self._current), 0)
        self.refresh()

    def action_step(self, by: int) -> None:
        """Move the cursor; round at the ends."""
        if self._names:
            self._cursor = (self._cursor + by) % len(self._names)
            self.refresh()

    def action_choose(self) -> None:
        """Open the one under the cursor."""
        if self._names:
            self.post_message(self.Chosen(self, self._names[self._cursor].name))

    def on_click(self, event: events.Click) -> None:
        """Open the one under the mouse."""
        place = self._at(event.y if self._column else event.x)
        if place is not None:
            self._cursor = place
            self.action_choose()

    def _at(self, offset: int) -> int | None:
        """The name there; at an arrow the first one that it stands for."""
        first, end = self._window()
        if self._column:
            place = offset - 1 + first
            return place if 0 <= place < len(self._names) and offset >= 1 else None
        if first and offset < len(BEFORE):
            return first - 1
        reached = len(BEFORE) if first else 0
        for place in range(first, end):
            reached += cell_len(self._text(place))
            if offset < reached:
                return place
        return end if end < len(self._names) and offset < reached + len(AFTER) else None

    @property
    def cursor_region(self) -> Region:
        """Where the cursor is drawn."""
        return Region(0, self._cursor, self.size.width, 1) if self._column else Region(0, 0, self.size.width, 1)
