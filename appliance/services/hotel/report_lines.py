"""The lines of reports and of the calendar."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from appliance.contract.kinds import Code, Count, Day, Line, Name, Note, Rupiah, Share, YesNo
from appliance.contract.periods import Period
from appliance.contract.records import record
from appliance.services.hotel.model import Weekday

__all__ = [
    "Calendar",
    "CalendarDay",
    "CalendarQuestion",
    "CalendarRoom",
    "DayLine",
    "PeriodReport",
    "PublishedExample",
]


@record
class CalendarQuestion:
    """The first day, and how many; without a first: from two days before today."""

    first: Day | None = None
    days: Annotated[int, Ge(1), Le(62)] = 14


@record
class CalendarDay:
    """A night of a room that is taken."""

    night: Day
    booking: Code
    guest: Name
    status: Line
    balance: Rupiah


@record
class CalendarRoom:
    """A room and its taken nights."""

    room: Code
    name: Name
    closed: YesNo
    nights: tuple[CalendarDay, ...]


@record
class Calendar:
    """Rooms by day."""

    first: Day
    today: Day
    """Where the hotel stands."""
    days: Count
    weekend_nights: tuple[Weekday, ...]
    rooms: tuple[CalendarRoom, ...]


@record
class DayLine:
    """One day of a report."""

    day: Day
    bookings: Count
    """Made on this day."""
    arrivals: Count
    departures: Count
    nights: Count
    """Rooms taken in the night that begins."""
    occupancy: Share
    cancellations: Count
    received: Rupiah
    refunded: Rupiah


@record
class PeriodReport:
    """A line for each day, and the sums."""

    period: Period
    lines: tuple[DayLine, ...]
    rooms: Count
    bookings: Count
    cancellations: Count
    nights: Count
    occupancy: Share
    received: Rupiah
    refunded: Rupiah
    income: Rupiah


@record
class PublishedExample:
    """A booking as the source prints it, and by the rules."""

    number: Code
    printed_total: Rupiah
    total: Rupiah
    printed_balance: Rupiah
    balance: Rupiah
    explanation: Note
