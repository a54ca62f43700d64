"""The rows of a grid by keys and the mouse: only the pages of those on the screen are held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scrollbar import ScrollBar

from appliance.console.widgets.grid_drawing import GridDrawing
from appliance.console.widgets.grid_layout import lay_out
from appliance.console.widgets.row_cache import PAGE, RowCache
from appliance.console.widgets.rows import Row, RowSource
from appliance.language import _

__all__ = ["GridBody"]

MOVES = Binding.Group(_("move"), compact=True)


class GridBody(GridDrawing, can_focus=True, inherit_bindings=False):
    """Header, rows and totals. What is asked of the source, and when, is the Grid's."""

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
        self.shown: list[str] = [column.name for column in source.columns]
        self.wished: dict[str, int] = {}
        self.paused = False
        """While the source is asked something new, its pages are of neither question."""
        self._generation = 0
        self._loading = False

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
            self.scroll_to(y=max(0, self.cursor - line), animate=False, immediate=True)
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
        self.scroll_to(y=self.scroll_offset.y + pages * self.room, animate=False, immediate=True)
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
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + self.room:
            self.scroll_to(y=self.cursor - self.room + 1, animate=False, immediate=True)
        self._load_soon()

    def _reveal_column(self) -> None:
        if self.column == 0 or not self.plan.slots:
            self.scroll_to(x=0, animate=False, immediate=True)
            return
        start, end = self.plan.span(self.column)
        frozen, width, left = self.plan.frozen, self.scrollable_content_region.width, int(self.scroll_offset.x)
        if start - frozen < left:
            self.scroll_to(x=start - frozen, animate=False, immediate=True)
        elif end > left + width:
            self.scroll_to(x=min(end - width, start - frozen), animate=False, immediate=True)

    # Loading

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Load what is scrolled to, by keys or by the mouse."""
        bar = self.vertical_scrollbar
        if self._thumb(bar, new_value) == self._thumb(bar, bar.position):
            # It would be painted as it is: a sixth of the time of painting a screen of rows.
            bar.set_reactive(ScrollBar.position, new_value)
        super().watch_scroll_y(old_value, new_value)
        self._load_soon()

    def _thumb(self, bar: ScrollBar, position: float) -> int:
        """Where the thumb begins, in eighths of a line, as ScrollBarRender draws it."""
        height, window, rows = bar.size.height, bar.window_size, bar.window_virtual_size
        if not height or rows <= window:
            return 0
        return int(8 * (height - max(1, window * height / rows)) * position / (rows - window))

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

    def on_resize(self) -> None:
        """The column that stays depends on the width, what is loaded on the height."""
        self.lay_out()
        self._reveal()

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
