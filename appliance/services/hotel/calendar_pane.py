"""The screen of the calendar: rooms by day, and what the desk does from there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from appliance.console.actions import Action, perform
from appliance.console.dialog import LookScreen
from appliance.console.plain import plain
from appliance.console.screens import Pane
from appliance.console.widgets.deeds import begin
from appliance.contract.refusals import Refused
from appliance.language import _
from appliance.services.hotel.calendar_grid import CalendarGrid
from appliance.services.hotel.calendar_layout import room_lines, weekend_of
from appliance.services.hotel.model import Booking
from appliance.services.hotel.screens import BOOK, ON_A_BOOKING

__all__ = ["CalendarPane"]

HELP = _("""\
# Rooms by day

The arrows choose a room and a day; **Shift+Right** adds nights. **Enter** opens the booking under the cursor, or books
the chosen nights. **PgUp** and **PgDn** go through the weeks, **t** goes to today.

With a booking under the cursor: **c** changes it, **i** checks in, **y** takes money, **o** checks out, **k** cancels,
**l** shows the bill.
""")


LEGEND = (
    (_("booked"), "$text-primary on $primary-muted"),
    (_("staying"), "$text-success on $success-muted"),
    (_("left"), "$text-muted on $panel"),
    (_("closed"), "$text-disabled"),
    (_("weekend rate"), "$text-accent"),
)
"""What the colours of the grid mean."""


class CalendarPane(Pane):
    """A grid of rooms and days over the daemon's ``calendar``."""

    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "turn(1)", _("Later"), id="hotel.later"),
        Binding("pageup", "turn(-1)", _("Earlier"), id="hotel.earlier"),
        Binding("t", "today", _("Today"), id="hotel.today"),
        *(
            Binding(one.key, f"do('{one.command}')", one.title, id=f"hotel.{one.command}")
            for one in (BOOK, *ON_A_BOOKING)
        ),
    ]
    DEFAULT_CSS = """
    CalendarPane #calendar-legend { height: 1; padding: 0 1; }
    CalendarPane #calendar-note { height: 1; color: $text-muted; padding: 0 1; }
    """

    def __init__(self, service: str, *, title: str = "", help: str = "") -> None:
        super().__init__(service, title=title, help=help)
        self.first: date | None = None
        """The first day that is shown; None: as the daemon likes."""

    def compose(self) -> ComposeResult:
        """The grid, and a line that tells of the booking under the cursor."""
        yield CalendarGrid()
        patches: list[str | Content] = []
        for word, style in LEGEND:
            patches += [plain(f" {self.reader.say(word)} ").stylize(style), "  "]
        yield Static(Content.assemble(*patches), id="calendar-legend")
        yield Static(id="calendar-note", markup=False)

    @property
    def grid(self) -> CalendarGrid:
        """Rooms and days."""
        return self.query_one(CalendarGrid)

    def on_mount(self) -> None:
        """Ask for the days, as soon as it is known how many fit."""
        self.call_after_refresh(self.look)

    def on_resize(self, _event: events.Resize) -> None:
        """Other sizes show other days."""
        self.look()

    def look(self) -> None:
        """Ask the daemon for what is shown."""
        if self.grid.size.width:
            self._look()

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        question = {"first": self.first, "days": min(self.grid.days, 62)}
        try:
            answer = await self.door.call(self.service, "calendar", question)
        except Refused as error:
            self.shell.say_refused(error)
            return
        first, today = (date.fromisoformat(answer[name]) for name in ("first", "today"))
        self.first = first
        self.grid.show(first, today, room_lines(answer), weekend_of(answer))

    def action_turn(self, by: int) -> None:
        """A window of days earlier or later."""
        if self.first is not None:
            self.first += timedelta(days=by * max(self.grid.days - 1, 1))
            self.look()

    def action_today(self) -> None:
        """Two days before today first."""
        self.first = None
        self.grid.seek_today()
        self.look()

    @on(CalendarGrid.Beyond)
    def _beyond(self, event: CalendarGrid.Beyond) -> None:
        if self.first is not None:
            self.first += timedelta(days=event.days)
            self.look()

    @on(CalendarGrid.Moved)
    def _moved(self, event: CalendarGrid.Moved) -> None:
        self.query_one("#calendar-note", Static).update(plain(event.text))
        self.show_keys()

    @on(CalendarGrid.Opened)
    def _opened(self, event: CalendarGrid.Opened) -> None:
        begin(self, self._open(event.booking))

    async def _open(self, number: str) -> None:
        row = await self._booking(number)
        if row:
            self.app.push_screen(LookScreen(self.reader.say(_("Booking")), Booking, row))

    @on(CalendarGrid.Wanted)
    def _wanted(self, event: CalendarGrid.Wanted) -> None:
        if self.refuses("do('book')"):
            return
        stay = {
            "arrival": event.arrival.isoformat(),
            "departure": event.departure.isoformat(),
            "rooms": [{"room": event.room}],
        }
        action = Action(BOOK.command, BOOK.record, BOOK.title, BOOK.key, given=lambda _row: stay)
        begin(self, self._done(action, {}))

    def why_not(self, action: str) -> str:
        """Roles first; then whether a booking is under the cursor, and what the command asks of it."""
        command = action.removeprefix("do('").removesuffix("')")
        if command == action:
            return ""
        if reason := self.needs(command):
            return reason
        if not self.is_mounted:
            return ""
        if command == BOOK.command:
            return self.reader.say(self.grid.taken)
        bar = self.grid.bar
        if bar is None:
            return self.reader.say(_("There is no booking under the cursor."))
        seen = {"number": bar.booking, "status": bar.status, "balance": bar.balance}
        return _on_a_booking(command).why_not(self.reader, seen)

    def action_do(self, command: str) -> None:
        """One of the desk's actions."""
        if self.refuses(f"do('{command}')"):
            return
        if command == BOOK.command:
            self.grid.action_choose_free()
            return
        begin(self, self._do(_on_a_booking(command), self.grid.booking or ""))

    async def _do(self, action: Action, number: str) -> None:
        row = await self._booking(number)
        if row:
            await self._done(action, row)

    async def _done(self, action: Action, row: Mapping[str, Any]) -> None:
        if await perform(self, action, row):
            self.look()

    async def _booking(self, number: str) -> dict[str, Any]:
        """A booking as the list of bookings has it, with its version; empty when it cannot be had."""
        try:
            kept = await self.door.call(self.service, "bookings.get", {"number": number})
        except Refused as error:
            self.shell.say_refused(error)
            return {}
        rooms = ", ".join(
            f"{one['room']}+{one['extra_beds']}" if one["extra_beds"] else one["room"] for one in kept["rooms"]
        )
        return {**kept["row"], "version": kept["version"], "rooms": rooms}

    def told(self, event: Mapping[str, Any]) -> None:
        """Another desk has booked, or a room has changed."""
        if str(event.get("subject", "")).partition("/")[0] in {"bookings", "rooms", "settings"}:
            self.look()


def _on_a_booking(command: str) -> Action:
    return next(one for one in ON_A_BOOKING if one.command == command)
