"""What the hotel keeps: rooms, staff, guests, packages, and the records that its commands take and answer."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from appliance.contract.kinds import (
    Code,
    Count,
    Day,
    Line,
    Moment,
    Name,
    Note,
    Phone,
    Refers,
    Rupiah,
    Share,
    Unit,
    YesNo,
)
from appliance.contract.master_data import MasterData
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = [
    "DESK",
    "LONGEST_STAY",
    "MASTER_DATA",
    "READERS",
    "Booking",
    "BookingChange",
    "BookingRow",
    "BookingSeen",
    "Cancellation",
    "CancellationRow",
    "Guest",
    "Method",
    "NewBooking",
    "Package",
    "Payment",
    "PaymentRow",
    "Room",
    "RoomStatus",
    "Settings",
    "Staff",
    "Status",
    "Stay",
    "StayRoom",
    "Weekday",
    "rooms_of",
]

DESK = frozenset({"receptionist", "administrator"})
"""Who works with bookings."""
READERS = frozenset({"receptionist", "administrator", "manager"})
"""Who reads reports."""
KEEPERS = frozenset({"administrator"})
"""Who keeps rooms, staff and prices."""
LONGEST_STAY = 365
"""Nights."""


class RoomStatus(StrEnum):
    """Whether a room can be given to guests."""

    IN_USE = "in use"
    CLOSED = "closed"


class Status(StrEnum):
    """Where a booking stands."""

    BOOKED = "booked"
    STAYING = "staying"
    LEFT = "left"
    CANCELLED = "cancelled"


class Method(StrEnum):
    """How something was paid."""

    CASH = "cash"
    TRANSFER = "bank transfer"
    CARD = "card"


Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@record(title="room")
class Room:
    """A room and what a night in it costs."""

    code: Code
    name: Name
    type: Name
    capacity: Annotated[int, Ge(1), Le(50), Unit("persons")]
    facilities: Note = ""
    status: RoomStatus = RoomStatus.IN_USE
    weekday_rate: Annotated[Rupiah, Ge(0)]
    weekend_rate: Annotated[Rupiah, Ge(0)]


@record(title="member of staff")
class Staff:
    """Somebody who works here. ``account`` is the name with which they log in."""

    number: Code
    name: Name
    birth_place: Line = ""
    birth_day: Day | None = None
    religion: Literal["", "Islam", "Protestant", "Catholic", "Hindu", "Buddhist", "Confucian", "other"] = ""
    sex: Literal["female", "male"]
    position: Name
    account: Code | None = None
    address: Note = ""
    phone: Phone | None = None


@record(title="guest")
class Guest:
    """Somebody who stays here, known by an identity card."""

    identity: Code
    card: Literal["identity card", "driving licence", "passport"] = "identity card"
    name: Name
    address: Note = ""
    phone: Phone | None = None


@record(title="package")
class Package:
    """Something that is sold with a stay, at one price for all of it: a dinner, a guided climb."""

    code: Code
    name: Name
    price: Annotated[Rupiah, Ge(0)]


@record(title="settings")
class Settings:
    """The hotel's own rules."""

    weekend_nights: Annotated[tuple[Weekday, ...], MaxLen(7)] = ("Friday", "Saturday")
    """A night is of the weekend when it begins on one of these days."""
    bed_rate: Annotated[Rupiah, Ge(0)] = 150_000
    """An extra bed, a night."""
    least_down_payment: Share = 50
    cancellation_fee: Share = 0
    """Of what was paid, when a booking is cancelled before the day of arrival."""


@record
class StayRoom:
    """One room of a stay."""

    room: Annotated[Code, Refers("rooms")]
    extra_beds: Annotated[int, Ge(0), Le(10)] = 0


@record
class Stay:
    """What a price is asked for."""

    arrival: Day
    departure: Day
    rooms: Annotated[tuple[StayRoom, ...], MinLen(1), MaxLen(50)]
    package: Annotated[Code, Refers("packages")] | None = None

    def __post_init__(self) -> None:
        """Refuse a stay without a night, and the same room twice."""
        if self.departure <= self.arrival:
            raise RuleBroken(_("the departure lies after the arrival, by one night at least"), field="departure")
        if self.departure - self.arrival > timedelta(days=LONGEST_STAY):
            raise RuleBroken(_("a stay has {longest} nights at most"), field="departure", longest=LONGEST_STAY)
        codes = [one.room for one in self.rooms]
        for code in codes:
            if codes.count(code) > 1:
                raise RuleBroken(_("room {room} is named twice"), field="rooms", room=code)


@record(title="booking")
class NewBooking(Stay):
    """A booking as the guest asks for it, with what is paid now: all, or a down payment."""

    guest: Annotated[Code, Refers("guests")]
    paid: Annotated[Rupiah, Ge(0)]
    method: Method = Method.CASH
    note: Note = ""


@record(title="booking")
class BookingChange(Stay):
    """A booking as it shall be; ``version`` is the one that was looked at."""

    number: Code
    version: Count
    note: Note = ""


@record(title="booking")
class BookingSeen:
    """A booking, in the version that was looked at."""

    number: Code
    version: Count


@record(title="payment")
class Payment(BookingSeen):
    """Money for a booking."""

    amount: Annotated[Rupiah, Ge(1)]
    method: Method = Method.CASH


@record(title="cancellation")
class Cancellation(BookingSeen):
    """Why a booking is given up."""

    reason: Name


@record(title="booking")
class Booking:
    """A booking as it is kept. ``total`` was reckoned when it was made or last changed."""

    number: Code
    booked_on: Day
    guest: Annotated[Code, Refers("guests")]
    arrival: Day
    departure: Day
    nights: Annotated[Count, Unit("nights")]
    package: Annotated[Code, Refers("packages")] | None = None
    package_price: Rupiah = 0
    bed_rate: Rupiah
    total: Rupiah
    paid: Rupiah
    balance: Rupiah
    status: Status
    staff: Line
    note: Note = ""


@record(title="booking")
class BookingRow:
    """A line of the list of bookings."""

    number: Code
    status: Status
    guest_name: Name
    rooms: Line
    """``104, 105+2``: the codes, and behind a plus the extra beds."""
    arrival: Day
    departure: Day
    nights: Count
    extra_beds: Count
    total: Rupiah
    paid: Rupiah
    balance: Rupiah
    booked_on: Day
    guest: Code
    staff: Line
    note: Note


def rooms_of(text: str) -> tuple[StayRoom, ...]:
    """The rooms of a line of the list: ``104, 105+2``."""
    parts = (part.strip().partition("+") for part in text.split(",") if part.strip())
    return tuple(StayRoom(room=code, extra_beds=int(beds or 0)) for code, _plus, beds in parts)


@record(title="payment")
class PaymentRow:
    """Money that came in, or went back when ``amount`` is below zero."""

    number: Code
    at: Moment
    booking: Annotated[Code, Refers("bookings")]
    kind: Literal["down payment", "payment in full", "settlement", "refund"]
    amount: Rupiah
    method: Method
    staff: Line


@record(title="cancellation")
class CancellationRow:
    """A booking that was given up."""

    number: Code
    at: Moment
    booking: Annotated[Code, Refers("bookings")]
    reason: Name
    paid: Rupiah
    fee: Rupiah
    refund: Rupiah
    before_arrival: YesNo
    staff: Line


MASTER_DATA = (
    MasterData(name="rooms", record=Room, key="code", see=READERS, change=KEEPERS),
    MasterData(name="staff", record=Staff, key="number", see=KEEPERS, change=KEEPERS, unique=(("account",),)),
    MasterData(name="guests", record=Guest, key="identity", see=DESK, change=DESK),
    MasterData(name="packages", record=Package, key="code", see=READERS, change=KEEPERS),
)
