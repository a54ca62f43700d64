"""Rooms by day: a line a room, four cells a day, and a bar over the nights of each booking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from appliance.console.plain import plain_text
from appliance.console.speaking import say
from appliance.console.widgets.calendar import MONTHS
from appliance.console.widgets.reading import reader_of
from appliance.language import _
from appliance.services.hotel.calendar_layout import Bar, RoomLine

__all__ = ["CELL", "HEAD", "CalendarGrid"]

HEAD = 18
"""Cells for the room's code and name at least."""
WIDEST_HEAD = 30
CELL = 4
"""Cells of a day."""
WEEKDAYS = (_("Mo"), _("Tu"), _("We"), _("Th"), _("Fr"), _("Sa"), _("Su"))
PARTS = frozenset(
    {
        "calendar--head",
        "calendar--weekend",
        "calendar--today",
        "calendar--booked",
        "calendar--staying",
        "calendar--left",
        "calendar--closed",
        "calendar--cursor",
        "calendar--selected",
    }
)


class CalendarGrid(ScrollView, can_focus=True):
    """Shows lines of rooms from ``first`` on. The cursor is a room and a day; shift and right choose nights."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(PARTS)
    DEFAULT_CSS = """
    CalendarGrid {
        height: 1fr; background: $surface; color: $foreground;
        & .calendar--head { color: $text-muted; }
        & .calendar--weekend { color: $text-accent; }
        & .calendar--today { text-style: bold underline; color: $text; }
        & .calendar--booked { background: $primary-muted; color: $text-primary; }
        & .calendar--staying { background: $success-muted; color: $text-success; }
        & .calendar--left { background: $panel; color: $text-muted; }
        & .calendar--closed { color: $text-disabled; }
        & .calendar--selected { background: $accent-muted; color: $text-accent; }
        & .calendar--cursor { text-style: reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", _("Day before"), show=False, id="calendar.left"),
        Binding("right", "move(0, 1)", _("Day after"), show=False, id="calendar.right"),
        Binding("up", "move(-1, 0)", _("Room above"), show=False, id="calendar.up"),
        Binding("down", "move(1, 0)", _("Room below"), show=False, id="calendar.down"),
        Binding("shift+right", "extend(1)", _("One night more"), id="calendar.more"),
        Binding("shift+left", "extend(-1)", _("One night less"), show=False, id="calendar.less"),
        Binding("home", "edge(0)", _("First day"), show=False, id="calendar.home"),
        Binding("end", "edge(1)", _("Last day"), show=False, id="calendar.end"),
        Binding("enter", "choose", _("Open or book"), id="calendar.choose"),
    ]

    first: reactive[date] = reactive(date.min, init=False)

    @dataclass
    class Opened(Message):
        """A taken night was chosen."""

        booking: str

    @dataclass
    class Wanted(Message):
        """Free nights were chosen."""

        room: str
        arrival: date
        departure: date

    @dataclass
    class Moved(Message):
        """The cursor is elsewhere; what is there, in plain words."""

        text: str

    @dataclass
    class Beyond(Message):
        """The cursor wants days that are not shown: so many after, or before when below zero."""

        days: int

    def __init__(self) -> None:
        super().__init__()
        self.today = date.today()
        self.lines: tuple[RoomLine, ...] = ()
        self.weekend: frozenset[int] = frozenset()
        self.row = 0
        self.day = 0
        self.nights = 1
        self._seek_today = True

    @property
    def head(self) -> int:
        """Cells for the rooms' codes and names; on a wide screen none is cut."""
        longest = max((cell_len(plain_text(f"{one.room} {one.name}")) for one in self.lines), default=0)
        return max(HEAD, min(longest + 2, WIDEST_HEAD, self.size.width // 4))

    @property
    def days(self) -> int:
        """How many days fit."""
        return max((self.size.width - self.head) // CELL, 1)

    @property
    def bar(self) -> Bar | None:
        """What is under the cursor."""
        return self.lines[self.row].at(self.day) if self.lines else None

    @property
    def booking(self) -> str | None:
        """The booking under the cursor."""
        return self.bar.booking if self.bar else None

    @property
    def taken(self) -> str:
        """Why nothing can be booked under the cursor, English; empty when it can."""
        if self.booking is not None:
            return _("This night is booked. Go to one that is free.")
        return _("This room is closed.") if self.lines and self.lines[self.row].closed else ""

    def show(self, first: date, today: date, lines: tuple[RoomLine, ...], weekend: frozenset[int]) -> None:
        """Show these rooms from this day on; the cursor stays where it is, as far as there is such a place.

        ``today`` is underlined; ``weekend`` are the days of the week (Monday is 0) whose nights cost the weekend's
        rate.
        """
        self.today = today
        self.lines = lines
        self.weekend = weekend
        self.row = min(self.row, max(len(lines) - 1, 0))
        if self._seek_today and lines:
            # Who comes in at the desk comes today.
            self._seek_today = False
            self.day = (today - first).days
        self.day = min(max(self.day, 0), self.days - 1)
        self.nights = 1
        self.virtual_size = Size(self.head + self.days * CELL, len(lines) + 2)
        self.set_reactive(CalendarGrid.first, first)
        self._placed()

    def seek_today(self) -> None:
        """The cursor goes to today with the next days that are shown."""
        self._seek_today = True

    def _placed(self) -> None:
        """The cursor or what is under it has changed."""
        self.refresh()
        if self.lines:
            line, day = self.lines[self.row], self.first + timedelta(days=self.day)
            bar = line.at(self.day)
            text = f"{line.room} {line.name} · {reader_of(self).value(day)}"
            if bar is not None:
                text += f" · {bar.booking} · {bar.guest} · {say(self, bar.status)}"
            elif line.closed:
                text += " · " + say(self, _("closed"))
            self.post_message(self.Moved(plain_text(text)))

    def action_move(self, down: int, right: int) -> None:
        """Another room, or another day."""
        self.nights = 1
        self.row = min(max(self.row + down, 0), max(len(self.lines) - 1, 0))
        if 0 <= self.day + right < self.days:
            self.day += right
        elif right:
            self.post_message(self.Beyond(right))
        self.scroll_to(y=self.row - self.size.height // 2, animate=False)
        self._placed()

    def action_extend(self, by: int) -> None:
        """Choose more nights, or fewer."""
        self.nights = min(max(self.nights + by, 1), self.days - self.day)
        self.refresh()

    def action_edge(self, last: int) -> None:
        """The first or the last day that is shown."""
        self.nights = 1
        self.day = (self.days - 1) * last
        self._placed()

    def action_choose(self) -> None:
        """Open the booking under the cursor, or ask for one."""
        if not self.lines:
            return
        if self.booking is not None:
            self.post_message(self.Opened(self.booking))
        else:
            self.action_choose_free()

    def action_choose_free(self) -> None:
        """Ask for a booking of the chosen nights, if they are free."""
        if self.lines and self.booking is None and not self.lines[self.row].closed:
            line = self.lines[self.row]
            arrival = self.first + timedelta(days=self.day)
            self.post_message(self.Wanted(line.room, arrival, arrival + timedelta(days=self.nights)))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; twice: choose."""
        row, day = event.y - 2 + self.scroll_offset.y, (event.x - self.head) // CELL
        if 0 <= row < len(self.lines) and 0 <= day < self.days:
            self.row, self.day, self.nights = row, day, 1
            self._placed()
            if event.chain == 2:
                self.action_choose()

    def render_line(self, y: int) -> Strip:
        """Two lines of days, then a line a room."""
        base = self.rich_style
        if y < 2:
            segments = self._days(y)
        else:
            number = y - 2 + self.scroll_offset.y
            segments = self._room(number) if number < len(self.lines) else []
        return Strip(segments).extend_cell_length(self.size.width, base).crop(0, self.size.width)

    def _days(self, y: int) -> list[Segment]:
        shown = [self.first + timedelta(days=number) for number in range(self.days)]
        if y == 0:
            month = f"{say(self, MONTHS[shown[0].month - 1])} {shown[0].year}" if shown else ""
            segments = [Segment(set_cell_size(month, self.head), self._part("head"))]
            return segments + [
                Segment(say(self, WEEKDAYS[day.weekday()]).rjust(3)[:3] + " ", self._of(day)) for day in shown
            ]
        segments = [Segment(" " * self.head, self._part("head"))]
        return segments + [Segment(f"{day.day:3d} ", self._of(day)) for day in shown]

    def _of(self, day: date) -> Style:
        if day == self.today:
            return self._part("today")
        return self._part("weekend" if day.weekday() in self.weekend else "head")

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"calendar--{name}")

    def _room(self, number: int) -> list[Segment]:
        line = self.lines[number]
        head = set_cell_size(plain_text(f"{line.room} {line.name}"), self.head - 1) + " "
        segments = [Segment(head, self._part("closed" if line.closed else "head"))]
        for start, days, bar in line.parts(self.days):
            segments.extend(self._bar(line, start, days, bar, chosen=number == self.row))
        return segments

    def _bar(self, line: RoomLine, start: int, days: int, bar: Bar | None, *, chosen: bool) -> Iterator[Segment]:
        """The cells of a bar, or of free nights, cut where the cursor stands."""
        if bar is None:
            text = ("░░░ " if line.closed else "  · ") * days
            style = self._part("closed" if line.closed else "head")
        else:
            width = days * CELL - 1
            text = set_cell_size(plain_text(bar.guest), width) + " "
            style = self._part(bar.status)
        cells = Strip([Segment(text)])
        for day in range(days):
            cell = cells.crop(day * CELL, day * CELL + CELL).text
            under = chosen and self.day <= start + day < self.day + self.nights
            shown = style
            if under:
                cursor = self.has_focus and start + day == self.day
                shown = style + self._part("cursor" if cursor else "selected")
            last = day == days - 1
            yield Segment(set_cell_size(cell, CELL - 1) if last else cell, shown)
            if last:
                yield Segment(" ", self._part("head"))
