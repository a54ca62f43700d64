"""A grid of any number of rows: sorted, filtered, searched, marked and copied by keys or the mouse.

Rows come in pages from a RowSource; moving never waits for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.widgets.dialogs import ChooseScreen
from appliance.console.widgets.grid_body import GridBody
from appliance.console.widgets.grid_keys import GRID_KEYS
from appliance.console.widgets.grid_layout import tab_separated
from appliance.console.widgets.grid_lines import GridLines
from appliance.console.widgets.grid_status import Standing, status_parts
from appliance.console.widgets.reading import reader_of
from appliance.console.widgets.row_cache import PAGE, RowCache
from appliance.console.widgets.rows import AddsUp, PlacesRows, Row, RowSource
from appliance.contract.listings import Condition, Order, Question
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["EMPTY", "Grid"]

EMPTY = _("There is nothing here yet.")
SOON = 0.25
"""Seconds until it is said that the rows are being read: an answer that comes before is painted at once, not after
the word, for which the screen would be painted twice."""


class Grid(Vertical):
    """Rows of a source."""

    BINDINGS: ClassVar[list[BindingType]] = list(GRID_KEYS)
    DEFAULT_CSS = """
    Grid {
        height: 1fr;
        & > .grid--status { height: 1; padding: 0 1; background: $panel; color: $foreground; }
        & > .grid--status.-error { background: $error; color: $text; }
    }
    """

    class Chosen(Message):
        """Enter or a double click on a row."""

        def __init__(self, grid: Grid, row: Row) -> None:
            super().__init__()
            self.grid = grid
            self.row = row

        @property
        def control(self) -> Grid:
            """The sender."""
            return self.grid

    class Highlighted(Message):
        """The cursor is on another row; ``row`` is None while it is not loaded, or there is none."""

        def __init__(self, grid: Grid, row: Row | None) -> None:
            super().__init__()
            self.grid = grid
            self.row = row

        @property
        def control(self) -> Grid:
            """The sender."""
            return self.grid

    class Asked(Message):
        """The source answered: so many rows."""

        def __init__(self, grid: Grid, count: int) -> None:
            super().__init__()
            self.grid = grid
            self.count = count

    def __init__(
        self,
        source: RowSource,
        *,
        order: Sequence[Order] = (),
        conditions: Sequence[Condition] = (),
        shown: Sequence[str] = (),
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """``shown``: the columns at first, all when empty; ``empty``: an English template, said when there are no
        rows at all."""
        super().__init__(id=id, classes=classes)
        self.body = GridBody(source)
        if shown:
            self.body.shown = list(shown)
        self.lines = GridLines()
        self.order = tuple(order)
        self.conditions = tuple(conditions)
        self.search = ""
        self._empty = empty or EMPTY
        self._all: int | None = None
        self._error = ""
        self._asking = False
        self._saying_so: Timer | None = None
        self._said = ("", False)
        self._highlighted: Row | None = None

    @property
    def source(self) -> RowSource:
        """Where the rows come from."""
        return self.body.source

    @property
    def question(self) -> Question:
        """What is asked of the source."""
        return Question(order=self.order, conditions=self.conditions, search=self.search)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.body.row

    @property
    def marked(self) -> tuple[Row, ...]:
        """The marked rows, in the order in which they were marked."""
        return tuple(self.body.marks.values())

    @property
    def count(self) -> int:
        """How many rows fit the question."""
        return self.body.cache.count

    def compose(self) -> ComposeResult:
        """Rows, the two lines that open below them, what is wrong with a filter, and the counts."""
        yield self.body
        yield self.lines
        yield Static(classes="grid--status")

    def on_mount(self) -> None:
        """Ask at once."""
        # Told by a message, the counts would be painted after the row, one or two frames later.
        self.watch(self.body, "cursor", self._cursor_moved, init=False)
        self.action_refresh_rows()
        # Nothing was counted yet.
        self._show_status()

    # Asking

    def show(self, source: RowSource) -> None:
        """Rows of another source with the same columns."""
        self.body.source = source
        self._all = None
        self.action_refresh_rows()

    def say_empty(self, words: str) -> None:
        """Say this from now on where there are no rows: a template, or words for the reader."""
        self._empty = words
        # While it asks, the answer says so; two questions in one moment, and the first is one that nobody awaits.
        if not self._asking and self._all == self.count == 0:
            self.body.words = reader_of(self).say(words)
            self.body.refresh()

    def action_refresh_rows(self) -> None:
        """Ask again; the cursor stays on its row."""
        self._ask(changed=False)

    def _ask(self, *, changed: bool) -> None:
        self.body.paused = True
        self._asking = True
        if self._saying_so is None:
            self._saying_so = self.set_timer(SOON, self._show_status)
        self.run_worker(self._answered(changed), group="question", exclusive=True, exit_on_error=False)

    async def _answered(self, changed: bool) -> None:
        body, source, question = self.body, self.source, self.question
        kept = body.row
        try:
            count = await source.ask(question)
            cursor = await self._place_of(kept, count, changed)
            cache = RowCache(count)
            if count:
                page = cursor // PAGE
                cache.put(page, await source.page(page * PAGE, PAGE))
                if kept and not isinstance(source, PlacesRows) and not changed:
                    cursor = cache.offset_near(kept.id, cursor) or cursor
            body.totals = await source.totals() if isinstance(source, AddsUp) else {}
        except Exception as error:  # whatever a source raises is shown in place of its rows
            self._fail(error)
            return
        self._has_answered()
        self._error = ""
        if question == Question(order=question.order):
            self._all = count
        body.order = question.order
        body.words = reader_of(self).say(self._empty if self._all == count else _("No row fits."))
        body.accept(cache, cursor, keep_line=kept is not None)
        self._show_status()
        self._tell()
        self.post_message(self.Asked(self, count))

    def _has_answered(self) -> None:
        self._asking = self.body.paused = False
        if self._saying_so is not None:
            self._saying_so.stop()
            self._saying_so = None

    async def _place_of(self, kept: Row | None, count: int, changed: bool) -> int:
        """Where the cursor goes: to its row, or where it was, or to the top when others are shown."""
        here = min(self.body.cursor, max(count - 1, 0))
        if kept is not None and isinstance(self.source, PlacesRows):
            place = await self.source.place(kept.id)
            if place is not None and place < count:
                return place
        return 0 if changed else here

    def _fail(self, error: Exception) -> None:
        reader = reader_of(self)
        said = reader.say(error.template, error.values) if isinstance(error, Refused) else str(error)
        self._has_answered()
        self._error = reader.say(
            _("The rows cannot be read: {error}. r tries again."), {"error": said or type(error).__name__}
        )
        if not self.count:
            self.body.words = self._error
            self.body.refresh()
        self._show_status()

    @on(GridBody.LoadFailed)
    def _load_failed(self, event: GridBody.LoadFailed) -> None:
        event.stop()
        self._fail(event.error)

    # The line of counts

    def _show_status(self) -> None:
        said = self._error or "  ".join(status_parts(reader_of(self), self._standing()))
        if self._said == (said, bool(self._error)):
            return
        self._said = (said, bool(self._error))
        # There is none when the screen is taken away before the body has been mounted.
        for status in self.query(".grid--status").results(Static):
            status.set_class(bool(self._error), "-error")
            # The line has its height: a new layout of the screen for each key would be seen.
            status.update(plain(said), layout=False)

    def _cursor_moved(self) -> None:
        if not self._error:
            self._show_status()

    def _standing(self) -> Standing:
        body, asked = self.body, len(self.conditions)
        return Standing(self.count, self._all, body.cursor + 1, len(body.marks), self.search, asked, self._asking)

    @on(GridBody.Moved)
    def _moved(self, event: GridBody.Moved) -> None:
        event.stop()
        self._tell()

    def _tell(self) -> None:
        row = self.body.row
        if row is not self._highlighted:
            self._highlighted = row
            self.post_message(self.Highlighted(self, row))

    # Choosing and marking

    def action_choose(self) -> None:
        """Open the row."""
        if (row := self.body.row) is None:
            self.app.bell()
        else:
            self.post_message(self.Chosen(self, row))

    @on(GridBody.RowClicked)
    def _row_clicked(self, event: GridBody.RowClicked) -> None:
        event.stop()
        if event.ctrl:
            self._toggle_mark()
        elif event.chain == 2:
            self.action_choose()

    def action_mark(self) -> None:
        """Mark the row and go on to the next."""
        self._toggle_mark()
        self.body.action_move(1)

    def _toggle_mark(self) -> None:
        if (row := self.body.row) is None:
            self.app.bell()
            return
        if self.body.marks.pop(row.id, None) is None:
            self.body.marks[row.id] = row
        self.body.refresh_mark(self.body.cursor)
        self._show_status()

    def action_unmark_all(self) -> None:
        """No row is marked."""
        self.body.marks.clear()
        self.body.forget_lines()
        self._show_status()

    # Sorting

    def action_sort(self, also: bool) -> None:
        """By the column of the cursor."""
        self.sort_by(self.body.column_name, also=also)

    @on(GridBody.HeaderClicked)
    def _header_clicked(self, event: GridBody.HeaderClicked) -> None:
        event.stop()
        self.sort_by(event.column, also=event.shift)

    def sort_by(self, column: str, *, also: bool = False) -> None:
        """Sort by a column; the other way round when it is sorted by it. ``also``: after the columns that sort
        already."""
        if not column:
            return
        before = next((one for one in self.order if one.column == column), None)
        order = Order(column=column, descending=before is not None and not before.descending)
        if also:
            self.order = tuple(order if one is before else one for one in self.order)
            if before is None:
                self.order = (*self.order, order)
        else:
            self.order = (order,)
        self._ask(changed=False)

    # Searching and filtering

    def action_search(self) -> None:
        """Open the search line."""
        self.lines.begin("grid-search")

    def action_filter(self) -> None:
        """Open the filter line."""
        self.lines.begin("grid-filter", " ".join(self.body.shown))

    @on(GridLines.Written)
    def _written(self, event: GridLines.Written) -> None:
        event.stop()
        if self._apply() and event.done:
            self.lines.close_empty()
            self.body.focus()

    def _apply(self) -> bool:
        """Ask what the two lines say, if that is another question; whether they can be read."""
        said = self.lines.read(self.source.columns)
        if said is None:
            return False
        search, conditions = said.search, self.conditions if said.conditions is None else said.conditions
        if (search, conditions) != (self.search, self.conditions):
            self.search, self.conditions = search, conditions
            self._ask(changed=True)
        return True

    def action_clear(self) -> None:
        """Drop the line that is open, or search and filter together."""
        if not (self.lines.open or self.search or self.conditions):
            raise SkipAction
        cleared = self.lines.clear(both=self.body.has_focus)
        if self.conditions and "grid-filter" in cleared:
            self.conditions = ()
            self._ask(changed=True)
        self._apply()
        self.lines.close_empty()
        self.body.focus()

    # Columns

    def action_choose_columns(self) -> None:
        """Tick the columns that are shown."""
        reader = reader_of(self)
        options = [(column.name, reader.label(column.field)) for column in self.source.columns]

        def chosen(names: tuple[str, ...] | None) -> None:
            if names:
                self.show_columns(names)

        question = reader.say(_("Which columns? space ticks, enter takes"))
        self.app.push_screen(ChooseScreen(question, options, tuple(self.body.shown), 1), chosen)

    def show_columns(self, names: Sequence[str]) -> None:
        """Show these columns, in this order."""
        self.body.shown = list(names)
        self.body.lay_out()

    def action_hide_column(self) -> None:
        """Hide the column of the cursor; the last one stays."""
        if len(self.body.shown) > 1:
            self.show_columns([name for name in self.body.shown if name != self.body.column_name])

    def action_widen(self, cells: int) -> None:
        """Make the column of the cursor wider or narrower."""
        if self.body.plan.slots:
            slot = self.body.plan.slots[self.body.column]
            self.body.wished[slot.field.name] = max(3, min(slot.width + cells, 200))
            self.body.lay_out()

    # Copying

    def action_copy(self, cell: bool) -> None:
        """Copy as TSV, which spreadsheets paste into cells."""
        if cell:
            rows, slots = [self.body.row], [self.body.plan.slots[self.body.column]] if self.body.plan.slots else []
        else:
            rows, slots = list(self.marked) or [self.body.row], list(self.body.plan.slots)
        reader = reader_of(self)
        lines = tab_separated(reader, slots, [row.values for row in rows if row is not None])
        if not lines:
            self.app.bell()
            return
        self.app.copy_to_clipboard("\n".join(lines))
        said = reader.say(_("Copied: {count} rows"), {"count": len(lines)}) if not cell else reader.say(_("Copied"))
        self.app.notify(said, markup=False, timeout=2)
