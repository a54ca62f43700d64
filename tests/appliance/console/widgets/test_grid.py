"""The grid by its keys and the mouse."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input, SelectionList, Static

from appliance.console.widgets.dialogs import ChooseScreen
from appliance.console.widgets.grid import Grid
from appliance.console.widgets.list_source import ListSource
from appliance.console.widgets.rows import Row
from appliance.contract.listings import Order, Question, columns_of
from appliance.contract.refusals import NotFound
from tests.appliance.console.widgets.rooms import SIZES, Small, Stage, play, settle, small


def grid(count: int = 1000, **options: object) -> Grid:
    return Grid(ListSource.of(Small, map(small, range(count)), totals=["rate"]), **options)  # type: ignore[arg-type]


def screen_text(widget: Grid) -> list[str]:
    body = widget.body
    return ["".join(part.text for part in body.render_line(y)) for y in range(body.size.height)]


def status(widget: Grid) -> str:
    return str(widget.query_one(".grid--status", Static).content)


@pytest.mark.parametrize("size", SIZES)
def test_moving(size: tuple[int, int]) -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        body = widget.body
        body.focus()
        await pilot.press("down", "down", "up")
        assert widget.row is not None
        assert widget.row.id == 2
        await pilot.press("pagedown")
        assert body.cursor == 1 + body.room
        await pilot.press("end")
        await settle(pilot)
        assert widget.row.id == 1000
        assert "P000999" in screen_text(widget)[-3 if body.show_horizontal_scrollbar else -2]
        assert "row 1,000" in status(widget)
        await pilot.press("down", "home", "up")
        assert body.cursor == 0
        assert screen_text(widget)[1].split()[0] == "P000000"
        assert all(len(line) == body.scrollable_content_region.width for line in screen_text(widget))

    play(grid, act, size)


def test_sorting_by_keys_keeps_the_row_under_the_cursor() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press("down", "down", "down", "right", "right", "s")
        await settle(pilot)
        assert widget.order == (Order(column="rate"),)
        await pilot.press("s")
        await settle(pilot)
        assert widget.order == (Order(column="rate", descending=True),)
        assert widget.row is not None
        assert widget.row.id == 4
        assert widget.body.cursor == 996
        await pilot.press("home", "right", "S")
        await settle(pilot)
        assert [one.column for one in widget.order] == ["rate", "free"]
        assert "▼1" in screen_text(widget)[0]
        assert "▲2" in screen_text(widget)[0]

    play(grid, act)


def test_a_click_on_a_title_sorts_and_a_double_click_chooses() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        title = screen_text(widget)[0].index("Name")
        await pilot.click(widget.body, offset=(title, 0))
        await settle(pilot)
        assert widget.order == (Order(column="name"),)
        await pilot.click(widget.body, offset=(4, 3), control=True)
        assert len(widget.marked) == 1
        await pilot.click(widget.body, offset=(4, 2), times=2)
        await pilot.pause()

    app = play(grid, act, listen=("on_grid_chosen",))
    assert len(app.said) == 1
    assert app.said[0].row == app.said[0].grid.row


def test_search_narrows_and_escape_widens() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press("slash", *"p00012")
        await pilot.pause(0.2)
        await settle(pilot)
        assert widget.count == 10
        assert "10 of 1,000" in status(widget)
        await pilot.press("enter")
        assert app.focused is widget.body
        await pilot.press("escape")
        await settle(pilot)
        assert widget.count == 1000
        assert not widget.query_one("#grid-search", Input).has_class("-open")

    play(grid, act)


def test_filter_line_says_what_is_wrong_and_keeps_what_is_right() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press("f")
        line = widget.query_one("#grid-filter", Input)
        line.value = "rate>x"
        await pilot.press("enter")
        fault = widget.query_one(".grid--fault", Static)
        assert "rate: a whole number is expected" in str(fault.content)
        assert fault.display
        assert widget.count == 1000
        line.value = "rate>990000 free=yes"
        await pilot.press("enter")
        await settle(pilot)
        assert widget.count == 4
        assert not fault.has_class("-open")
        await pilot.press("escape")
        await settle(pilot)
        assert widget.count == 1000

    play(grid, act)


def test_marks_and_copies() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press("space", "space", "Y", "y", "asterisk", "y")
        assert "marked" not in status(widget)

    app = play(grid, act)
    assert app.copied[0] == "P000002"
    assert [line.split("\t")[0] for line in app.copied[1].split("\n")] == ["P000000", "P000001"]
    assert app.copied[2].split("\t")[2] == "Rp 2,000"


def test_columns_are_hidden_and_chosen() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press("right", "minus")
        assert "Name" not in screen_text(widget)[0]
        await pilot.press("c")
        await pilot.pause(0.1)
        assert isinstance(app.screen, ChooseScreen)
        app.screen.query_one(SelectionList).select("name")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert widget.body.shown[1] == "name"
        assert "Name" in screen_text(widget)[0]

    play(grid, act)


def test_the_first_column_stays_when_the_others_scroll() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press(*["right"] * 5)
        assert widget.body.scroll_offset.x > 0
        assert "P000000" in screen_text(widget)[1]
        assert "2013-01-01" in screen_text(widget)[1]
        assert "Name" not in screen_text(widget)[0]

    play(grid, act, size=(40, 12))


def test_totals_have_room() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        assert "Rp 499,500,000" in screen_text(widget)[widget.body.scrollable_content_region.height - 1]

    play(grid, act)


def test_nothing_there_and_nothing_that_fits() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        assert "There is nothing here yet." in screen_text(widget)[1]
        await pilot.press("enter", "space", "y", "end", "s")
        await settle(pilot)

    play(lambda: grid(0), act)


def test_long_words_in_place_of_rows_are_read_whole() -> None:
    words = (
        "Nothing was found: [/x] look at another time, or ask for 東京都千代田区, by sender, recipient or subject. "
        "The last word of all of this must be read as well, however narrow the screen may be: here it is."
    )

    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        await settle(pilot)
        lines = screen_text(widget)
        assert lines[0].split()[0] == "Code"
        assert " ".join(" ".join(lines[1:8]).split()).startswith(words)
        assert all(cell_len(line) == widget.body.scrollable_content_region.width for line in lines)
        assert not lines[12].strip()

    for size in SIZES:
        play(lambda: grid(0, empty=words), act, size)


class Slow:
    """A source whose pages wait to be let through, and that can fail."""

    def __init__(self) -> None:
        self.columns = columns_of(Small)
        self.inner = ListSource.of(Small, map(small, range(1000)))
        self.gate = asyncio.Event()
        self.thinks: asyncio.Event | None = None
        self.broken = False

    async def ask(self, question: Question) -> int:
        if self.thinks is not None:
            await self.thinks.wait()
        if self.broken:
            raise NotFound("listing", "[/x]")
        return await self.inner.ask(question)

    async def page(self, offset: int, limit: int) -> Sequence[Row]:
        if offset > 300:
            await self.gate.wait()
        return await self.inner.page(offset, limit)


def test_moving_does_not_wait_for_rows() -> None:
    source: list[Slow] = []

    def make() -> Grid:
        source.append(Slow())
        return Grid(source[0])

    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press("end", "up")
        assert widget.body.cursor == 998
        assert widget.row is None
        assert "···" in screen_text(widget)[-2]
        await pilot.press("enter")
        source[0].gate.set()
        await settle(pilot)
        assert widget.row is not None
        assert widget.row.id == 999
        source[0].broken = True
        await pilot.press("r")
        await settle(pilot)
        assert "there is no listing [/x]" in status(widget)
        source[0].broken = False
        await pilot.press("r")
        await settle(pilot)
        assert "1,000 rows" in status(widget)
        assert widget.row.id == 999

    app = play(make, act, listen=("on_grid_chosen",))
    assert app.said == []


def test_the_counts_are_painted_with_the_row_that_they_tell_of() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        widget.body.action_move(1)
        assert "row 2" in status(widget), "without a message, which would come a frame later"
        widget.body.action_move_page(1)
        assert f"row {2 + widget.body.room}" in status(widget)

    play(grid, act)


def test_it_says_that_it_reads_when_that_takes_a_while() -> None:
    source: list[Slow] = []

    def make() -> Grid:
        source.append(Slow())
        return Grid(source[0])

    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        assert "reading" not in status(widget)
        for broken in (False, True):
            thinks = source[0].thinks = asyncio.Event()
            widget.action_refresh_rows()
            assert "reading" not in status(widget), "what comes at once is painted once"
            while "reading" not in status(widget):
                await pilot.pause(0.01)
            widget.body.action_move(1)
            assert "reading" in status(widget)
            source[0].broken = broken
            thinks.set()
            source[0].thinks = None
            await settle(pilot)
            assert "reading" not in status(widget)

    play(make, act)


def test_the_cursor_stays_on_its_row_when_others_come() -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        await pilot.press("down", "down", "space")
        source = widget.source
        assert isinstance(source, ListSource)
        rows = list(source.rows)
        source.replace([Row(5000 + n, 1, rows[n].values) for n in range(3)] + rows[:2] + rows[3:])
        await pilot.press("r")
        await settle(pilot)
        assert widget.row is not None
        assert widget.row.id == 4
        assert widget.body.cursor == 5

    play(grid, act)


MANY = 40 if os.environ.get("GERBANG_LONG") else 1
keys = st.sampled_from(["down", "up", "pagedown", "pageup", "home", "end", "left", "right", "space", "s", "S", "r"])


@settings(max_examples=MANY, deadline=None)
@given(st.lists(st.lists(keys, max_size=6) | st.sampled_from(["lotus 1", "zzz", ""]), max_size=4))
def test_what_is_shown_is_the_sorted_filtered_list(steps: list[list[str] | str]) -> None:
    async def act(app: Stage, pilot: Pilot[None], widget: Grid) -> None:
        widget.body.focus()
        for step in steps:
            if isinstance(step, str):
                await pilot.press("slash", "ctrl+u", *("space" if one == " " else one for one in step), "enter")
            else:
                await pilot.press(*step)
            await settle(pilot)
        source = widget.source
        assert isinstance(source, ListSource)
        expected = [source.rows[place] for place in source.chosen(widget.question)]
        assert widget.count == len(expected)
        top = int(widget.body.scroll_offset.y)
        for line, row in zip(screen_text(widget)[1 : 1 + widget.body.room], expected[top:], strict=False):
            assert row.values[0] in line
        assert widget.row == (expected[widget.body.cursor] if expected else None)

    play(lambda: grid(300), act)
