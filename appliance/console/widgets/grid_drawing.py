"""How the rows of a grid are drawn: only those on the screen, each in few segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from appliance.console.widgets.grid_layout import GUTTER, Layout
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.row_cache import RowCache
from appliance.console.widgets.rows import Row
from appliance.console.words import Reader
from appliance.contract.listings import Order

__all__ = ["GridDrawing"]

KEPT_LINES = 1000
"""Drawn lines that are kept."""


class GridDrawing(ScrollView):
    """Header, rows and totals as lines of the screen."""

    ALLOW_SELECT = False
    cursor: var[int] = var(0)
    """The row, from 0. Whoever watches it is told before anything is painted."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--header", "grid--header-cursor", "grid--even", "grid--cursor", "grid--cursor-cell", "grid--marked",
        "grid--totals", "grid--waiting", "grid--empty",
    }  # fmt: skip
    DEFAULT_CSS = """
    GridDrawing {
        height: 1fr;
        background: $surface;
        color: $foreground;
        overflow-x: auto;
        overflow-y: auto;
        & .grid--header { background: $panel; color: $foreground; text-style: bold; }
        & .grid--header-cursor { background: $panel; color: $text-accent; text-style: bold underline; }
        & .grid--even { background: $foreground 4%; }
        & .grid--cursor { background: $primary 35%; color: $foreground; }
        & .grid--cursor-cell { background: $primary 35%; color: $foreground; text-style: underline; }
        & .grid--marked { color: $text-warning; text-style: bold; }
        & .grid--totals { background: $panel; color: $foreground; text-style: bold; }
        & .grid--waiting { color: $foreground 40%; }
        & .grid--empty { color: $text-muted; }
        &:focus .grid--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        &:focus .grid--cursor-cell {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold underline;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.cache = RowCache()
        self.plan = Layout()
        self.order: Sequence[Order] = ()
        self.totals: Mapping[str, Any] = {}
        self.marks: dict[int, Row] = {}
        self.column = 0
        self.words = ""
        """What stands in place of rows when there are none."""
        self._lines: dict[tuple[int, bool], Strip] = {}
        self._styles: dict[str, Style] = {}

    @property
    def reader(self) -> Reader:
        """Who reads."""
        return reader_of(self)

    def notify_style_update(self) -> None:
        """Another theme."""
        self._styles.clear()
        self._lines.clear()
        super().notify_style_update()

    def on_focus(self) -> None:
        """The cursor has another colour."""
        self._styles.clear()
        self._lines.clear()

    on_blur = on_focus

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(name) if name else self.rich_style
        return self._styles[name]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region. They are whole already: Textual's way through border, padding and tint, which a grid
        has not, takes twice the time of drawing them."""
        styles = self.styles
        if self.opacity < 1 or styles.gutter != (0, 0, 0, 0) or styles.tint.a:
            return super().render_lines(crop)
        blank, filters, background = self._style(""), self.get_line_filters(), self.background_colors[1]
        lines, width, height = [], self.size.width, self.scrollable_content_region.height
        for y in crop.line_range:
            # Below the rows and over their ends are the scroll bars. Each further Strip of a line costs as much as it.
            strip = self._drawn(y, width) if y < height else Strip.blank(width, blank)
            for one in filters:
                strip = strip.apply_filter(one, background)
            lines.append(strip.crop(crop.x, crop.right))
        return lines

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        return self._drawn(y, self.scrollable_content_region.width)

    def _drawn(self, y: int, width: int) -> Strip:
        if y == 0:
            return self._header(width)
        if self.totals and y == self.scrollable_content_region.height - 1:
            return self._crop(self.plan.cells_of_totals(self.reader, self.totals), "  ", "grid--totals", width)
        offset = int(self.scroll_offset.y) + y - 1
        if offset >= self.cache.count:
            said = () if self.cache.count else _said(self.words, width - 2 * GUTTER)
            text = " " * GUTTER + said[y - 1] if y <= len(said) else ""
            return Strip([Segment(text, self._style("grid--empty"))]).adjust_cell_length(width, self._style(""))
        key = (offset, offset == self.cursor)
        strip = self._lines.get(key)
        if strip is None or strip.cell_length < self._whole(width):
            if len(self._lines) > KEPT_LINES:
                self._lines.clear()
            strip = self._lines[key] = self._row_line(offset, width)
        return self._scrolled(strip, width)

    def _whole(self, width: int) -> int:
        return max(width, self.plan.cells)

    def _row_line(self, offset: int, width: int) -> Strip:
        row = self.cache.row(offset)
        if row is None:
            dots = [" " + "·" * min(3, slot.width) + " " * (slot.cells - 1 - min(3, slot.width))
                    for slot in self.plan.slots]  # fmt: skip
            return self._line(dots, "  ", "grid--cursor" if offset == self.cursor else "grid--waiting", width)
        cells = self.plan.cells_of(self.reader, row.values)
        marked = row.id in self.marks
        gutter = "● " if marked else "  "
        if offset == self.cursor:
            return self._line(cells, gutter, "grid--cursor", width, cell_name="grid--cursor-cell")
        name = "grid--marked" if marked else "grid--even" if offset % 2 else ""
        return self._line(cells, gutter, name, width)

    def _header(self, width: int) -> Strip:
        cells = self.plan.header(self.order)
        strip = self._line(cells, "  ", "grid--header", width, cell_name="grid--header-cursor")
        return self._scrolled(strip, width)

    def _crop(self, cells: list[str], gutter: str, name: str, width: int) -> Strip:
        return self._scrolled(self._line(cells, gutter, name, width), width)

    def _line(self, cells: list[str], gutter: str, name: str, width: int, *, cell_name: str = "") -> Strip:
        """A whole row in few segments; the cell of the cursor has its own."""
        style = self._style(name)
        more = " " * (self._whole(width) - self.plan.cells)
        if cell_name and cells:
            place = self.column
            parts = [
                Segment(gutter + "".join(cells[:place]), style),
                Segment(cells[place], self._style(cell_name)),
                Segment("".join(cells[place + 1 :]) + more, style),
            ]
        else:
            parts = [Segment(gutter + "".join(cells) + more, style)]
        return Strip(parts, self.plan.cells + len(more))

    def _scrolled(self, strip: Strip, width: int) -> Strip:
        left, frozen = int(self.scroll_offset.x), self.plan.frozen
        if left == 0:
            return strip.crop(0, width)
        return Strip.join([strip.crop(0, frozen), strip.crop(frozen + left, left + width)])


@lru_cache(maxsize=8)
def _said(words: str, cells: int) -> tuple[str, ...]:
    """The words in place of rows, in lines of at most so many cells."""
    return tuple(line.plain for line in Content(words).wrap(max(cells, 2))) if words else ()
