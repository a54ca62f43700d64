"""The rules of the sheet: nights, prices, payments, refunds. Pure.

A night is of the weekend when it begins on a weekend day (Friday or Saturday,
a setting). A stay costs its nights at their rates, the extra beds for each
night, and the package once. The published example P201302002 is wrong by these
rules: see ``PUBLISHED``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from appliance.contract.kinds import Code, Count, Name, Rupiah
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.hotel.model import Package, Room, RoomStatus, Settings, Stay

__all__ = [
    "PUBLISHED",
    "Published",
    "Quote",
    "QuoteLine",
    "cancelled",
    "down_payment_least",
    "nights_of",
    "quote",
    "refuse_down_payment",
]


def nights_of(arrival: date, departure: date) -> Iterator[date]:
    """The days on which the nights of a stay begin."""
    for number in range((departure - arrival).days):
        yield arrival + timedelta(days=number)


@record
class QuoteLine:
    """What one room of a stay costs."""

    room: Code
    name: Name
    weekday_nights: Count
    weekday_rate: Rupiah
    weekend_nights: Count
    weekend_rate: Rupiah
    extra_beds: Count
    bed_rate: Rupiah
    amount: Rupiah


@record
class Quote:
    """What a stay costs, and how that comes about."""

    nights: Count
    lines: tuple[QuoteLine, ...]
    package: Name | None
    package_price: Rupiah
    total: Rupiah
    least_down_payment: Rupiah


def quote(stay: Stay, rooms: Mapping[str, Room], package: Package | None, settings: Settings) -> Quote:
    """The price of a stay. Raises RuleBroken for a closed room."""
    nights = tuple(nights_of(stay.arrival, stay.departure))
    weekend = sum(night.strftime("%A") in settings.weekend_nights for night in nights)
    lines = []
    for wanted in stay.rooms:
        room = rooms[wanted.room]
        if room.status is RoomStatus.CLOSED:
            raise RuleBroken(_("room {room} is closed"), field="rooms", room=room.code)
        ordinary = len(nights) - weekend
        beds = wanted.extra_beds * len(nights) * settings.bed_rate
        lines.append(
            QuoteLine(
                room=room.code,
                name=room.name,
                weekday_nights=ordinary,
                weekday_rate=room.weekday_rate,
                weekend_nights=weekend,
                weekend_rate=room.weekend_rate,
                extra_beds=wanted.extra_beds,
                bed_rate=settings.bed_rate,
                amount=ordinary * room.weekday_rate + weekend * room.weekend_rate + beds,
            )
        )
    extra = package.price if package else 0
    total = sum(line.amount for line in lines) + extra
    return Quote(
        nights=len(nights),
        lines=tuple(lines),
        package=package.name if package else None,
        package_price=extra,
        total=total,
        least_down_payment=down_payment_least(total, settings),
    )


def down_payment_least(total: int, settings: Settings) -> int:
    """The least down payment in rupiah: the share of the total, rounded up."""
    return -(-total * settings.least_down_payment // 100)


def refuse_down_payment(paid: int, total: int, settings: Settings) -> None:
    """A booking is paid in full, or with a down payment of the least share."""
    least = down_payment_least(total, settings)
    if paid < least:
        raise RuleBroken(
            _("a down payment is at least {least} of {total} rupiah"), field="paid", least=least, total=total
        )
    if paid > total:
        raise RuleBroken(_("the whole costs {total} rupiah"), field="paid", total=total)


def cancelled(paid: int, arrival: date, today: date, settings: Settings) -> tuple[int, int]:
    """The fee and the refund of a cancellation: before the day of arrival what was paid less the fee, later nothing."""
    if today >= arrival:
        return paid, 0
    fee = -(-paid * settings.cancellation_fee // 100)
    return fee, paid - fee


@dataclass(frozen=True, slots=True)
class Published:
    """A figure that the source prints, and why it is wrong."""

    number: str
    arrival: date
    departure: date
    room: str
    room_name: str
    rate: int
    extra_beds: int
    bed_rate: int
    printed_total: int
    down_payment: int
    printed_balance: int
    explanation: str


PUBLISHED = Published(
    number="P201302002",
    arrival=date(2013, 2, 13),
    departure=date(2013, 2, 15),
    room="104",
    room_name="Lotus",
    rate=300_000,
    extra_beds=2,
    bed_rate=150_000,
    printed_total=450_000,
    down_payment=300_000,
    printed_balance=150_000,
    explanation=_(
        "The source prints a total of 450,000: one night and one bed were counted. Two nights at 300,000 and two beds "
        "for two nights at 150,000 make 1,200,000; the down payment of 300,000 leaves 900,000, and would be less "
        "than half."
    ),
)
