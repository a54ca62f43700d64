"""Rooms by day: where bars lie, and what the desk does from the calendar, against the real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from appliance.console.app import ConsoleApp
from appliance.console.dialog import LookScreen, RecordDialog
from appliance.console.status import KeyLine
from appliance.console.widgets.calendar import MONTHS
from appliance.language import translator
from appliance.services.hotel import examples, service
from appliance.services.hotel.calendar_layout import Bar, RoomLine, room_lines
from appliance.services.hotel.model import StayRoom, rooms_of
from appliance.services.system import service as system
from tests.appliance.console.driving import Driven, open_screen, shown, speak, until
from tests.appliance.daemon.house import ROOT, House

FIRST = date(2026, 1, 5)


@given(st.lists(st.sampled_from([None, "P1", "P2", "P3"]), max_size=40), st.integers(1, 40))
def test_bars_and_gaps_cover_each_day_once(nights: list[str | None], days: int) -> None:
    taken = [
        {
            "night": (FIRST + timedelta(days=day)).isoformat(),
            "booking": booking,
            "guest": "g",
            "status": "booked",
            "balance": 5,
        }
        for day, booking in enumerate(nights)
        if booking
    ]
    answer = {"first": FIRST.isoformat(), "rooms": [{"room": "1", "name": "n", "closed": False, "nights": taken}]}
    (line,) = room_lines(answer)
    covered: list[str | None] = []
    for start, length, bar in line.parts(days):
        assert start == len(covered)
        covered += [bar.booking if bar else None] * length
    assert covered == (nights + [None] * days)[:days]
    assert [line.at(day) and line.at(day).booking for day in range(days)] == covered  # type: ignore[union-attr]


def test_two_stays_of_one_booking_are_two_bars() -> None:
    night = {"booking": "P1", "guest": "g", "status": "booked", "balance": 5}
    nights = [{"night": f"2026-01-{day:02}", **night} for day in (5, 7)]
    answer = {"first": "2026-01-05", "rooms": [{"room": "1", "name": "n", "closed": False, "nights": nights}]}
    assert room_lines(answer) == (
        RoomLine("1", "n", False, (Bar(0, 1, "P1", "g", "booked", 5), Bar(2, 1, "P1", "g", "booked", 5))),
    )


@given(
    st.lists(
        st.builds(
            StayRoom,
            room=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,6}", fullmatch=True),
            extra_beds=st.integers(0, 10),
        ),
        max_size=6,
    ).map(tuple)
)
def test_the_list_of_rooms_reads_back(rooms: tuple[StayRoom, ...]) -> None:
    text = ", ".join(f"{one.room}+{one.extra_beds}" if one.extra_beds else one.room for one in rooms)
    assert rooms_of(text) == rooms


@pytest.fixture(scope="module")
def hotel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    folder: Path = tmp_path_factory.mktemp("hotel")
    made = House(folder, services=(system, service))
    made.add("ani", "hotel.receptionist")
    made.add("joko", "hotel.manager")
    with made.parts.runner.changing(ROOT, "hotel", "examples", {}) as context:
        examples.load(context)
    with made.live(folder) as socket:
        yield Driven(made, socket, (system, service))


def _works(app: ConsoleApp, identity: str) -> bool:
    """Whether the line of keys shows it as one that works."""
    return next(one.enabled for one in app.screen.query_one(KeyLine).drawn if one.identity == identity)


def test_a_receptionist_books_from_the_calendar(hotel: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "hotel", "calendar")
        await until(lambda: len(pane.grid.lines) == 8)
        pane.grid.focus()
        await pilot.press("down", "right", "shift+right", "enter")
        await until(lambda: isinstance(app.screen, RecordDialog))
        dialog = app.screen
        await until(lambda: len(dialog.query(Input)) > 3)
        text, today = shown(app), pane.grid.today
        assert (today + timedelta(days=1)).isoformat() in text
        assert (today + timedelta(days=3)).isoformat() in text
        await pilot.press("escape")
        await until(lambda: app.screen is not dialog)

    hotel.drive(tmp_path, "ani", play, size=(110, 40))


def test_a_booking_is_opened_and_a_foreign_change_is_seen(hotel: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "hotel", "calendar")
        await until(lambda: len(pane.grid.lines) == 8)
        pane.grid.focus()
        await until(lambda: pane.grid.first + timedelta(days=pane.grid.day) == pane.grid.today)
        # The keys that need a booking work as soon as there is one under the cursor, and not before.
        await until(lambda: _works(app, "hotel.bill"))
        await pilot.press("left")
        await until(lambda: not _works(app, "hotel.bill"))
        await pilot.press("right", "enter")
        await until(lambda: isinstance(app.screen, LookScreen))
        assert "Rahmat Hidayat" in shown(app) or "3275010101800001" in shown(app)
        await pilot.press("escape")
        day = pane.grid.today + timedelta(days=20)
        hotel.call(
            "book",
            {
                "arrival": day.isoformat(),
                "departure": (day + timedelta(days=2)).isoformat(),
                "rooms": [{"room": "102"}],
                "guest": "3275014202850002",
                "paid": 300_000,
            },
            service="hotel",
        )
        await pilot.press("pagedown")
        await until(lambda: any(bar.guest == "Siti Aminah" for bar in pane.grid.lines[1].bars))

    hotel.drive(tmp_path, "ani", play, size=(100, 30))


def test_the_calendar_is_found_by_its_name_and_says_its_month(hotel: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette) and isinstance(app.focused, Input))
        await pilot.press(*"Calendar")
        options = app.screen.query_one(OptionList)
        await until(lambda: options.option_count and "Rooms by day" in str(options.get_option_at_index(0).prompt))
        await pilot.press("enter")
        await until(lambda: app.current_mode == "hotel" and app.screen.opened == "calendar" and app.screen.pane)
        pane = app.screen.pane
        await until(lambda: len(pane.grid.lines) == 8)
        for language, months in (("en", MONTHS), ("id", [translator("id")(one) for one in MONTHS])):
            await speak(app, language)
            await until(
                lambda months=months: (
                    f"{months[app.screen.pane.grid.first.month - 1]} {app.screen.pane.grid.first.year}" in shown(app)
                )
            )
        await speak(app, "en")
        await until(lambda: app.screen.pane is not None and len(app.screen.pane.grid.lines) == 8)

    hotel.drive(tmp_path, "ani", play, size=(100, 30))


def test_a_night_that_is_taken_says_so_when_one_wants_to_book_it(hotel: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "hotel", "calendar")
        await until(lambda: len(pane.grid.lines) == 8)
        pane.grid.focus()
        await until(lambda: pane.grid.booking is not None)
        await until(lambda: not _works(app, "hotel.book"))
        await pilot.press("b")
        await until(lambda: "This night is booked" in shown(app))
        assert not isinstance(app.screen, RecordDialog)

    hotel.drive(tmp_path, "ani", play, size=(100, 30))


def test_a_manager_looks_and_is_told_why_he_does_not_book(hotel: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "hotel", "calendar")
        await until(lambda: len(pane.grid.lines) == 8)
        pane.grid.focus()
        await pilot.press("down", "enter")
        await until(lambda: "hotel.book" in shown(app))

    hotel.drive(tmp_path, "joko", play, size=(100, 30))
