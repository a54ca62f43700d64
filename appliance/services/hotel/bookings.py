"""How bookings stand in the tables: the steps that commands are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select

from appliance.contract.context import Context
from appliance.contract.periods import Period
from appliance.contract.refusals import Conflict, RuleBroken
from appliance.language import _
from appliance.services.hotel.model import (
    BookingSeen,
    Method,
    Package,
    Room,
    Settings,
    Stay,
)
from appliance.services.hotel.rules import Quote, nights_of, quote
from appliance.services.hotel.tables import BOOKED_ROOMS, BOOKINGS, MASTER, NIGHTS, PAYMENTS
from appliance.store.numbering import next_number
from appliance.store.rows import add_row, change_row, made, row_of

__all__ = [
    "change_booking",
    "claim",
    "free_rooms",
    "lines_of",
    "quoted",
    "receive",
    "release",
    "release_rest",
    "seen",
    "staff_name",
]


def quoted(context: Context, stay: Stay) -> Quote:
    """What the stay costs by today's rates."""
    table = MASTER["rooms"]
    rooms: dict[str, Room] = {}
    for wanted in stay.rooms:
        row = context.connection.execute(select(table).where(table.c.code == wanted.room)).mappings().one_or_none()
        if row is None:
            raise RuleBroken(
                _("there is no {value} among {records}"), field="rooms", value=wanted.room, records="rooms"
            )
        rooms[wanted.room] = made(Room, row)
    package = None
    if stay.package is not None:
        package = made(Package, row_of(context, MASTER["packages"], "code", stay.package, "package"))
    return quote(stay, rooms, package, context.settings(Settings))


def claim(context: Context, number: str, stay: Stay, agreed: Quote) -> None:
    """Take the rooms for the nights of the stay; raises RuleBroken, naming the booking that was first."""
    nights = list(nights_of(stay.arrival, stay.departure))
    for wanted in stay.rooms:
        taken = context.connection.execute(
            select(NIGHTS.c.night, NIGHTS.c.booking)
            .where(NIGHTS.c.room == wanted.room, NIGHTS.c.night >= stay.arrival, NIGHTS.c.night < stay.departure)
            .order_by(NIGHTS.c.night)
            .limit(1)
        ).one_or_none()
        if taken is not None:
            raise RuleBroken(
                _("room {room} is taken on {night} by booking {booking}"),
                field="rooms",
                room=wanted.room,
                night=taken.night.isoformat(),
                booking=taken.booking,
            )
    context.connection.execute(
        insert(NIGHTS),
        [{"room": one.room, "night": night, "booking": number} for one in stay.rooms for night in nights],
    )
    context.connection.execute(
        insert(BOOKED_ROOMS),
        [
            {
                "booking": number,
                "room": line.room,
                "extra_beds": line.extra_beds,
                "weekday_nights": line.weekday_nights,
                "weekday_rate": line.weekday_rate,
                "weekend_nights": line.weekend_nights,
                "weekend_rate": line.weekend_rate,
                "amount": line.amount,
            }
            for line in agreed.lines
        ],
    )


def release(context: Context, number: str, *, rooms_too: bool) -> None:
    """Give the nights back; with ``rooms_too`` also forget what was agreed for them, because it is agreed anew."""
    context.connection.execute(delete(NIGHTS).where(NIGHTS.c.booking == number))
    if rooms_too:
        context.connection.execute(delete(BOOKED_ROOMS).where(BOOKED_ROOMS.c.booking == number))


def release_rest(context: Context, number: str) -> None:
    """Give back the nights that begin today or later: the guest leaves early."""
    context.connection.execute(delete(NIGHTS).where(NIGHTS.c.booking == number, NIGHTS.c.night >= context.today))


def free_rooms(context: Context, stay: Period) -> Sequence[RowMapping]:
    """The rooms in use that nobody has in any night from the first day up to the last, which is the departure."""
    rooms = MASTER["rooms"]
    taken = select(NIGHTS.c.room).where(NIGHTS.c.night >= stay.first, NIGHTS.c.night < stay.last)
    wanted = select(rooms).where(rooms.c.status == "in use", rooms.c.code.not_in(taken)).order_by(rooms.c.code)
    return context.connection.execute(wanted).mappings().all()


def seen(context: Context, arguments: BookingSeen) -> RowMapping:
    """The booking, if nobody has changed it since the caller looked."""
    row = row_of(context, BOOKINGS, "number", arguments.number, "booking")
    if row["version"] != arguments.version:
        raise Conflict(
            "booking",
            arguments.number,
            changed_by=row["changed_by"],
            changed_at=row["changed_at"].astimezone(context.zone),
            version=row["version"],
        )
    return row


def change_booking(context: Context, row: RowMapping, **values: Any) -> None:
    """Change fields of a booking that ``seen`` has given; its balance follows."""
    after = {**row, **values}
    values.setdefault("balance", after["total"] - after["paid"])
    change_row(context, BOOKINGS, "number", row["number"], row["version"], values, "booking")
    context.publish("changed", f"bookings/{row['number']}")


def receive(context: Context, booking: str, kind: str, amount: int, method: Method) -> str:
    """Write down money that came in, or went back when it is below zero; returns the payment's number."""
    number = next_number(context, PAYMENTS.c.number, "T")
    values = {
        "number": number,
        "at": context.now,
        "booking": booking,
        "kind": kind,
        "amount": amount,
        "method": method,
        "staff": staff_name(context),
    }
    add_row(context, PAYMENTS, "number", values, "payment")
    context.publish("added", f"payments/{number}")
    return number


def staff_name(context: Context) -> str:
    """Who is at the desk: the member of staff of this account, or the account's name."""
    staff = MASTER["staff"]
    found = context.connection.execute(select(staff.c.name).where(staff.c.account == context.person.name))
    return found.scalar_one_or_none() or context.person.name


def lines_of(context: Context, number: str) -> Sequence[RowMapping]:
    """The rooms of a booking as they were agreed, with their names."""
    rooms = MASTER["rooms"]
    joined = (
        select(BOOKED_ROOMS, rooms.c.name)
        .join(rooms, rooms.c.code == BOOKED_ROOMS.c.room)
        .where(BOOKED_ROOMS.c.booking == number)
        .order_by(BOOKED_ROOMS.c.room)
    )
    return context.connection.execute(joined).mappings().all()
