"""A month to choose a day from."""

from __future__ import annotations

from calendar import Calendar, monthrange
from datetime import date
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from appliance.console.plain import plain
from appliance.console.widgets.front import FrontScreen
from appliance.console.widgets.reading import reader_of
from appliance.language import _

__all__ = ["CalendarScreen", "Month", "moved"]

FIRST, LAST = date(1900, 1, 1), date(2999, 12, 31)
MONTHS = (
    _("January"), _("February"), _("March"), _("April"), _("May"), _("June"), _("July"), _("August"),
    _("September"), _("October"), _("November"), _("December"),
)  # fmt: skip
WEEKDAYS = (_("Mo"), _("Tu"), _("We"), _("Th"), _("Fr"), _("Sa"), _("Su"))
CELL = 4


def moved(day: date, *, days: int = 0, months: int = 0) -> date:
    """The day so many days and months away, within what a Day may be; 31 January and a month is 28 February."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if not FIRST.year <= year <= LAST.year:
        return FIRST if year < FIRST.year else LAST
    there = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return min(max(date.fromordinal(max(there.toordinal() + days, 1)), FIRST), LAST)


class Month(Widget, can_focus=True):
    """The month of ``day``, in weeks that begin on Monday (ISO 8601)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"month--head", "month--day", "month--other", "month--chosen"}
    DEFAULT_CSS = """
    Month {
        width: 28; height: 8;
        & .month--head { color: $text-accent; text-style: bold; }
        & .month--day { color: $foreground; }
        & .month--other { color: $foreground 40%; }
        & .month--chosen { background: $primary; color: $text; text-style: bold; }
    }
    """
    day: reactive[date] = reactive(date(2000, 1, 1))

    def __init__(self, day: date) -> None:
        super().__init__()
        self.set_reactive(Month.day, day)

    def weeks(self) -> list[list[date]]:
        """The days that are shown."""
        days = Calendar().itermonthdays3(self.day.year, self.day.month)
        # The first and last weeks of time have days that no date is.
        known = [date(*one) if one[0] <= 9999 else LAST for one in days]
        return [known[start : start + 7] for start in range(0, len(known), 7)]

    def render_line(self, y: int) -> Strip:
        """Month and year, names of the days, then the weeks."""
        reader = reader_of(self)
        head = self.get_component_rich_style("month--head")
        if y == 0:
            title = f"{reader.say(MONTHS[self.day.month - 1])} {self.day.year}"
            return Strip([Segment(title.center(28), head)])
        if y == 1:
            return Strip([Segment("".join(f"{reader.say(name)[:3]:>{CELL}}" for name in WEEKDAYS), head)])
        weeks = self.weeks()
        if y - 2 >= len(weeks):
            return Strip.blank(28, self.rich_style)
        segments = []
        for day in weeks[y - 2]:
            name = "chosen" if day == self.day else "day" if day.month == self.day.month else "other"
            segments.append(Segment(f"{day.day:>{CELL}}", self.get_component_rich_style(f"month--{name}")))
        return Strip(segments)

    def day_at(self, x: int, y: int) -> date | None:
        """The day under a cell."""
        weeks = self.weeks()
        return weeks[y - 2][min(x // CELL, 6)] if 0 <= y - 2 < len(weeks) else None


class CalendarScreen(FrontScreen[date | None]):
    """A day, or None when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", _("Leave"), id="calendar.leave"),
        Binding("enter,space", "take", _("Take"), id="calendar.take"),
        Binding("left", "move(-1)", _("Day before"), show=False, id="calendar.left"),
        Binding("right", "move(1)", _("Day after"), show=False, id="calendar.right"),
        Binding("up", "move(-7)", _("Week before"), show=False, id="calendar.up"),
        Binding("down", "move(7)", _("Week after"), show=False, id="calendar.down"),
        Binding("pageup", "move(0, -1)", _("Month before"), show=False, id="calendar.page-up"),
        Binding("pagedown", "move(0, 1)", _("Month after"), show=False, id="calendar.page-down"),
        Binding("shift+pageup", "move(0, -12)", _("Year before"), show=False, id="calendar.year-before"),
        Binding("shift+pagedown", "move(0, 12)", _("Year after"), show=False, id="calendar.year-after"),
        Binding("t", "today", _("Today"), id="calendar.today"),
    ]
    DEFAULT_CSS = """
    CalendarScreen { align: center middle; }
    CalendarScreen > Vertical {
        width: 34; height: auto; background: $surface; border: round $primary; padding: 0 2;
    }
    CalendarScreen Static { color: $text-muted; width: 28; height: auto; }
    """

    def __init__(self, day: date | None) -> None:
        super().__init__()
        self._day = min(max(day or date.today(), FIRST), LAST)

    def compose(self) -> ComposeResult:
        """The month, and its keys."""
        with Vertical():
            yield Month(self._day)
            yield Static(plain(reader_of(self).say(_("arrows, PgUp, PgDn; t: today"))))

    def action_move(self, days: int, months: int = 0) -> None:
        """Another day."""
        month = self.query_one(Month)
        month.day = moved(month.day, days=days, months=months)

    def action_today(self) -> None:
        """This day."""
        self.query_one(Month).day = date.today()

    def action_take(self) -> None:
        """The day that is shown."""
        self.dismiss(self.query_one(Month).day)

    def action_leave(self) -> None:
        """Without a day."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A day of the month is taken; outside, it is left."""
        month = self.query_one(Month)
        if event.widget is month:
            day = month.day_at(event.x, event.y)
            if day:
                self.dismiss(day)
        elif event.widget is self:
            self.dismiss(None)
