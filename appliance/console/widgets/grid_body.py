"""The rows of a grid: only those on the screen are drawn, and only their pages are held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from appliance.console.widgets.grid_layout import Layout, lay_out
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.row_cache import PAGE, RowCache
from appliance.console.widgets.rows import Row, RowSource
from appliance.contract.listings import Order
from appliance.language import _

__all__ = ["GridBody"]

MOVES = Binding.Group(_("move"), compact=True)
KEPT_LINES = 1000
"""Drawn lines that are kept."""


class GridBody(ScrollView, can_focus=True, inherit_bindings=False):
    """Header, rows and totals. What is asked of the source, and when, is the Grid's."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", _("Up"), show=False, id="grid.up", group=MOVES),
        Binding("down,j", "move(1)", _("Down"), show=False, id="grid.down", group=MOVES),
        Binding("pageup", "move_page(-1)", _("Page up"), show=False, id="grid.page-up", group=MOVES),
        Binding("pagedown", "move_page(1)", _("Page down"), show=False, id="grid.page-down", group=MOVES),
        Binding("home,g", "move_to_end(False)", _("First row"), show=False, id="grid.first", group=MOVES),
        Binding("end,G", "move_to_end(True)", _("Last row"), show=False, id="grid.last", group=MOVES),
        Binding("left,h", "move_column(-1)", _("Column left"), show=False, id="grid.left", group=MOVES),
        Binding("right,l", "move_column(1)", _("Column right"), show=False, id="grid.right", group=MOVES),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--header", "grid--header-cursor", "grid--even", "grid--cursor", "grid--cursor-cell", "grid--marked",
        "grid--totals", "grid--waiting", "grid--empty",
    }  # fmt: skip
    DEFAULT_CSS = """
    GridBody {
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

    class Moved(Message):
        """The cursor is on another row or column."""

        def __init__(self, body: GridBody) -> None:
            super().__init__()
            self.body = body

        @property
        def control(self) -> GridBody:
            """The sender."""
            return self.body

    class HeaderClicked(Message):
        """Somebody clicked a title."""

        def __init__(self, column: str, shift: bool) -> None:
            super().__init__()
            self.column = column
            self.shift = shift

    class RowClicked(Message):
        """Somebody clicked a row: twice, or with ctrl, or once."""

        def __init__(self, chain: int, ctrl: bool) -> None:
            super().__init__()
            self.chain = chain
            self.ctrl = ctrl

    class LoadFailed(Message):
        """A page could not be read."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(self, source: RowSource) -> None:
        super().__init__()
        self.source = source
        self.cache = RowCache()
        self.plan = Layout()
        self.shown: list[str] = [column.name for column in source.columns]
        self.wished: dict[str, int] = {}
        self.order: Sequence[Order] = ()
        self.totals: Mapping[str, Any] = {}
        self.marks: dict[int, Row] = {}
        self.cursor = 0
        self.column = 0
        self.words = ""
        """What stands in place of rows when there are none."""
        self.paused = False
        """While the source is asked something new, its pages are of neither question."""
        self._generation = 0
        self._loading = False
        self._lines: dict[tuple[int, bool], Strip] = {}
        self._styles: dict[str, Style] = {}

    # What is shown

    def accept(self, cache: RowCache, cursor: int, *, keep_line: bool) -> None:
        """Show these rows from now on. ``keep_line``: the cursor stays on its line of the screen."""
        line = self.cursor - int(self.scroll_offset.y)
        first_rows = self.cache.count == 0
        self.cache = cache
        self._generation += 1
        self.cursor = max(0, min(cursor, cache.count - 1))
        for row in cache.rows():
            if row.id in self.marks:
                self.marks[row.id] = row
        if first_rows or not self.plan.slots:
            self.lay_out()
        else:
            wider = self.plan.widened(self.reader, [row.values for row in cache.rows()])
            self.plan = wider.widened_for_totals(self.reader, self.totals)
        self.forget_lines()
        if keep_line:
            self.scroll_to(y=max(0, self.cursor - line), animate=False)
        self._reveal()

    def lay_out(self) -> None:
        """Work out the columns again."""
        sample = [row.values for row in self.cache.rows()][: 2 * PAGE]
        room = self.scrollable_content_region.width
        plan = lay_out(self.reader, self.source.columns, self.shown, sample, self.wished, room)
        self.plan = plan.widened_for_totals(self.reader, self.totals)
        self.column = max(0, min(self.column, len(self.plan.slots) - 1))
        self.forget_lines()

    def forget_lines(self) -> None:
        """Draw everything again."""
        self._lines.clear()
        self.virtual_size = Size(self.plan.cells, self.cache.count + self._fixed_lines)
        self.refresh()

    @property
    def reader(self) -> Any:
        """Who reads."""
        return reader_of(self)

    @property
    def row(self) -> Row | None:
        """The row under the cursor, or None while it is not there."""
        return self.cache.row(self.cursor)

    @property
    def column_name(self) -> str:
        """The column under the cursor."""
        return self.plan.slots[self.column].field.name if self.plan.slots else ""

    @property
    def _fixed_lines(self) -> int:
        return 2 if self.totals else 1

    @property
    def room(self) -> int:
        """Rows that the screen has room for."""
        return max(1, self.scrollable_content_region.height - self._fixed_lines)

    # Moving

    def action_move(self, rows: int) -> None:
        """Up and down."""
        self.move_to(self.cursor + rows)

    def action_move_page(self, pages: int) -> None:
        """A screen up or down: the line of the cursor stays."""
        self.scroll_to(y=self.scroll_offset.y + pages * self.room, animate=False)
        self.move_to(self.cursor + pages * self.room)

    def action_move_to_end(self, last: bool) -> None:
        """To the first or the last row."""
        self.move_to(self.cache.count - 1 if last else 0)

    def action_move_column(self, columns: int) -> None:
        """Left and right."""
        self.column = max(0, min(self.column + columns, len(self.plan.slots) - 1))
        self._reveal_column()
        self._lines.clear()
        self.refresh()
        self.post_message(self.Moved(self))

    def move_to(self, offset: int) -> None:
        """Put the cursor on this row."""
        offset = max(0, min(offset, self.cache.count - 1))
        if offset == self.cursor:
            self._reveal()
            return
        before, self.cursor = self.cursor, offset
        self._refresh_row(before)
        self._refresh_row(offset)
        self._reveal()
        self.post_message(self.Moved(self))

    def _refresh_row(self, offset: int) -> None:
        line = offset - int(self.scroll_offset.y) + 1
        self.refresh(Region(0, line, self.size.width, 1))

    def refresh_mark(self, offset: int) -> None:
        """Draw one row again."""
        self._lines = {key: strip for key, strip in self._lines.items() if key[0] != offset}
        self._refresh_row(offset)

    def _reveal(self) -> None:
        top = int(self.scroll_offset.y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self.room:
            self.scroll_to(y=self.cursor - self.room + 1, animate=False)
        self._load_soon()

    def _reveal_column(self) -> None:
        if self.column == 0 or not self.plan.slots:
            self.scroll_to(x=0, animate=False)
            return
        start, end = self.plan.span(self.column)
        frozen, width, left = self.plan.frozen, self.scrollable_content_region.width, int(self.scroll_offset.x)
        if start - frozen < left:
            self.scroll_to(x=start - frozen, animate=False)
        elif end > left + width:
            self.scroll_to(x=min(end - width, start - frozen), animate=False)

    # Loading

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Load what is scrolled to, by keys or by the mouse."""
        super().watch_scroll_y(old_value, new_value)
        self._load_soon()

    def _load_soon(self) -> None:
        if not self._loading and not self.paused and self._wanted() is not None:
            self._loading = True
            self.run_worker(self._load(), group="pages", exit_on_error=False)

    def _wanted(self) -> int | None:
        top = int(self.scroll_offset.y)
        return self.cache.wanted(top, top + self.room - 1)

    async def _load(self) -> None:
        # One page at a time, each chosen by what is on the screen then: who holds PgDn leaves no queue behind.
        try:
            while not self.paused and (page := self._wanted()) is not None:
                generation = self._generation
                rows = await self.source.page(page * PAGE, PAGE)
                if generation == self._generation and not self.paused:
                    self._take(page, rows)
        except Exception as error:  # whatever a source raises is shown in place of its rows
            self.post_message(self.LoadFailed(error))
        finally:
            self._loading = False

    def _take(self, page: int, rows: Sequence[Row]) -> None:
        self.cache.put(page, rows)
        self._lines = {key: strip for key, strip in self._lines.items() if key[0] // PAGE != page}
        wider = self.plan.widened(self.reader, [row.values for row in rows])
        if wider != self.plan:
            self.plan = wider
            self.forget_lines()
        top = int(self.scroll_offset.y)
        if page * PAGE <= top + self.room and (page + 1) * PAGE > top:
            self.refresh()
            self.post_message(self.Moved(self))

    # Drawing

    def notify_style_update(self) -> None:
        """Another theme."""
        self._styles.clear()
        self._lines.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        """The column that stays depends on the width, what is loaded on the height."""
        self.lay_out()
        self._reveal()

    def on_focus(self) -> None:
        """The cursor has another colour."""
        self._styles.clear()
        self._lines.clear()

    on_blur = on_focus

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(name) if name else self.rich_style
        return self._styles[name]

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._header(width)
        if self.totals and y == self.scrollable_content_region.height - 1:
            return self._crop(self.plan.cells_of_totals(self.reader, self.totals), "  ", "grid--totals", width)
        offset = int(self.scroll_offset.y) + y - 1
        if offset >= self.cache.count:
            text = f"  {self.words}" if y == 1 and not self.cache.count else ""
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
        if cell_name and cells:
            place = self.column
            parts = [
                Segment(gutter + "".join(cells[:place]), style),
                Segment(cells[place], self._style(cell_name)),
                Segment("".join(cells[place + 1 :]), style),
            ]
        else:
            parts = [Segment(gutter + "".join(cells), style)]
        return Strip(parts, self.plan.cells).adjust_cell_length(self._whole(width), style)

    def _scrolled(self, strip: Strip, width: int) -> Strip:
        left, frozen = int(self.scroll_offset.x), self.plan.frozen
        if left == 0:
            return strip.crop(0, width)
        return Strip.join([strip.crop(0, frozen), strip.crop(frozen + left, left + width)])

    # The mouse

    def on_click(self, event: events.Click) -> None:
        """A title sorts; a row gets the cursor."""
        event.stop()
        place = self.plan.at(event.x, int(self.scroll_offset.x))
        if event.y == 0:
            if place is not None:
                self.post_message(self.HeaderClicked(self.plan.slots[place].field.name, event.shift))
            return
        offset = int(self.scroll_offset.y) + event.y - 1
        if offset >= self.cache.count or (self.totals and event.y == self.scrollable_content_region.height - 1):
            return
        if place is not None and place != self.column:
            self.column = place
            self._lines.clear()
            self.refresh()
        self.move_to(offset)
        self.post_message(self.RowClicked(event.chain, event.ctrl))
