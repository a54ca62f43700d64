"""Names beside each other: what has no room is announced by an arrow, and reached by it."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Offset

from appliance.console.strip import AFTER, BEFORE, Name, NameStrip

SERVICES = [Name(one.lower(), one) for one in ("Home", "Certificates", "Hotel", "Machine", "Web mail", "System")]


class Shown(App[None]):
    """A strip alone."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield NameStrip()

    def on_name_strip_chosen(self, event: NameStrip.Chosen) -> None:
        self.chosen.append(event.name)


def test_an_arrow_stands_for_what_has_no_room_and_opens_it() -> None:
    async def play() -> None:
        app = Shown()
        async with app.run_test(size=(30, 3)) as pilot:
            strip = app.query_one(NameStrip)
            strip.show(SERVICES, "home")
            await pilot.pause()
            drawn = str(strip.render())
            assert drawn.endswith(f" Hotel {AFTER}")
            assert not drawn.startswith(BEFORE)
            await pilot.click(strip, offset=Offset(len(drawn) - 1, 0))
            assert app.chosen == ["machine"]
            strip.show(SERVICES, "system")
            await pilot.pause()
            drawn = str(strip.render())
            assert drawn.startswith(BEFORE)
            assert drawn.endswith(" System ")

    asyncio.run(play())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text("abcdefgh あ", min_size=1, max_size=9), min_size=1, max_size=9),
    st.integers(0, 8),
    st.integers(14, 60),
)
def test_the_current_name_is_whole_and_nothing_is_wider_than_its_line(titles: list[str], at: int, width: int) -> None:
    async def play() -> None:
        app: Any = Shown()
        async with app.run_test(size=(width, 2)) as pilot:
            strip = app.query_one(NameStrip)
            names = [Name(str(place), title) for place, title in enumerate(titles)]
            strip.show(names, str(at % len(names)))
            await pilot.pause()
            drawn = strip.render()
            assert f" {titles[at % len(names)]} " in drawn.plain
            longest = len(f" {titles[at % len(names)]} ") * 2 + 2
            assert drawn.cell_length <= max(width, longest)

    asyncio.run(play())
