"""Reports of a period, the calendar of rooms by day, and the published example beside what the rules say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from appliance.contract.commands import query
from appliance.contract.context import Context
from appliance.contract.documents import Document
from appliance.contract.periods import Period
from appliance.language import _
from appliance.services.hotel.model import READERS, Room, RoomStatus, Settings, Stay, StayRoom
from appliance.services.hotel.report_lines import (
    Calendar,
    CalendarDay,
    CalendarQuestion,
    CalendarRoom,
    DayLine,
    PeriodReport,
    PublishedExample,
)
from appliance.services.hotel.rules import PUBLISHED, quote
from appliance.services.hotel.tables import BOOKINGS, CANCELLATIONS, MASTER, NIGHTS, PAYMENTS

__all__ = ["calendar", "occupancy", "period_report", "print_period_report", "published_example"]


@query(*READERS)
def calendar(context: Context, question: CalendarQuestion) -> Calendar:
    """Show which rooms are taken on which days."""
    rooms, guests = MASTER["rooms"], MASTER["guests"]
    first = question.first or context.today - timedelta(days=2)
    last = first + timedelta(days=question.days)
    taken: dict[str, list[CalendarDay]] = defaultdict(list)
    wanted = (
        select(NIGHTS.c.room, NIGHTS.c.night, NIGHTS.c.booking, guests.c.name, BOOKINGS.c.status, BOOKINGS.c.balance)
        .join(BOOKINGS, BOOKINGS.c.number == NIGHTS.c.booking)
        .join(guests, guests.c.identity == BOOKINGS.c.guest)
        .where(NIGHTS.c.night >= first, NIGHTS.c.night < last)
        .order_by(NIGHTS.c.night)
    )
    for row in context.connection.execute(wanted):
        taken[row.room].append(
            CalendarDay(
                night=row.night, booking=row.booking, guest=row.name, status=row.status.value, balance=row.balance
            )
        )
    found = context.connection.execute(select(rooms).order_by(rooms.c.code)).mappings()
    return Calendar(
        first=first,
        today=context.today,
        days=question.days,
        weekend_nights=context.settings(Settings).weekend_nights,
        rooms=tuple(
            CalendarRoom(
                room=row["code"],
                name=row["name"],
                closed=row["status"] is RoomStatus.CLOSED,
                nights=tuple(taken[row["code"]]),
            )
            for row in found
        ),
    )


@query(*READERS)
def period_report(context: Context, period: Period) -> PeriodReport:
    """Report bookings, nights, cancellations and money by day."""
    return _reported(context, period)


@query(*READERS)
def occupancy(context: Context, period: Period) -> tuple[DayLine, ...]:
    """Show how full the hotel is, by day."""
    return _reported(context, period).lines


@query(*READERS)
def print_period_report(context: Context, period: Period) -> Document:
    """Print the report of a period."""
    return Document(
        template="hotel/period",
        title=_("Report of a period"),
        subject=f"{period.first} {period.last}",
        values=_reported(context, period),
    )


@query(*READERS)
def published_example(context: Context) -> PublishedExample:
    """Compare the booking that the source prints with what the rules say."""
    printed = PUBLISHED
    room = Room(
        code=printed.room,
        name=printed.room_name,
        type=printed.room_name,
        capacity=2,
        weekday_rate=printed.rate,
        weekend_rate=printed.rate,
    )
    stay = Stay(
        arrival=printed.arrival,
        departure=printed.departure,
        rooms=(StayRoom(room=printed.room, extra_beds=printed.extra_beds),),
    )
    total = quote(stay, {room.code: room}, None, Settings(bed_rate=printed.bed_rate)).total
    return PublishedExample(
        number=printed.number,
        printed_total=printed.printed_total,
        total=total,
        printed_balance=printed.printed_balance,
        balance=total - printed.down_payment,
        explanation=printed.explanation,
    )


def _reported(context: Context, period: Period) -> PeriodReport:
    made_on = _by_day(context, BOOKINGS.c.booked_on, period)
    arrivals = _by_day(context, BOOKINGS.c.arrival, period, BOOKINGS.c.status != "cancelled")
    departures = _by_day(context, BOOKINGS.c.departure, period, BOOKINGS.c.status != "cancelled")
    nights = _by_day(context, NIGHTS.c.night, period)
    cancellations = _moments(context, CANCELLATIONS.c.at, CANCELLATIONS.c.fee, period)
    money = _moments(context, PAYMENTS.c.at, PAYMENTS.c.amount, period)
    rooms = context.connection.execute(select(func.count()).select_from(MASTER["rooms"])).scalar_one()
    lines = tuple(
        DayLine(
            day=day,
            bookings=made_on.get(day, 0),
            arrivals=arrivals.get(day, 0),
            departures=departures.get(day, 0),
            nights=nights.get(day, 0),
            occupancy=_share(nights.get(day, 0), rooms),
            cancellations=len(cancellations.get(day, ())),
            received=sum(amount for amount in money.get(day, ()) if amount > 0),
            refunded=-sum(amount for amount in money.get(day, ()) if amount < 0),
        )
        for day in _days(period)
    )
    slept = sum(line.nights for line in lines)
    received, refunded = sum(line.received for line in lines), sum(line.refunded for line in lines)
    return PeriodReport(
        period=period,
        lines=lines,
        rooms=rooms,
        bookings=sum(line.bookings for line in lines),
        cancellations=sum(line.cancellations for line in lines),
        nights=slept,
        occupancy=_share(slept, rooms * len(lines)),
        received=received,
        refunded=refunded,
        income=received - refunded,
    )


def _days(period: Period) -> Iterator[date]:
    for number in range((period.last - period.first).days + 1):
        yield period.first + timedelta(days=number)


def _share(part: int, whole: int) -> int:
    """In per cent, rounded half up."""
    return min((200 * part + whole) // (2 * whole), 100) if whole else 0


def _by_day(context: Context, column: Any, period: Period, *conditions: Any) -> dict[date, int]:
    wanted = select(column, func.count()).where(column >= period.first, column <= period.last, *conditions)
    return {row[0]: row[1] for row in context.connection.execute(wanted.group_by(column))}


def _moments(context: Context, at: Any, amount: Any, period: Period) -> dict[date, list[int]]:
    """Amounts by the day on which clocks here showed their moment."""
    first = datetime.combine(period.first, time(), context.zone)
    last = datetime.combine(period.last + timedelta(days=1), time(), context.zone)
    found: dict[date, list[int]] = defaultdict(list)
    for row in context.connection.execute(select(at, amount).where(at >= first, at < last)):
        found[row[0].astimezone(context.zone).date()].append(row[1])
    return found
