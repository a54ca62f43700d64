"""A hotel to try things on: rooms, people, bookings around today, and the source's own example."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from appliance.contract.context import Context
from appliance.contract.people import Person
from appliance.services.hotel.bookings import claim, quoted, receive
from appliance.services.hotel.commands import book, check_in
from appliance.services.hotel.model import (
    Booking,
    BookingSeen,
    Guest,
    Method,
    NewBooking,
    Package,
    Room,
    Staff,
    Status,
    Stay,
    StayRoom,
)
from appliance.services.hotel.rules import PUBLISHED
from appliance.services.hotel.tables import BOOKINGS, MASTER
from appliance.store.rows import add_row, values_of

__all__ = ["load"]

ROOMS = (
    ("101", "Edelweiss", "standard", 2, 250_000, 300_000),
    ("102", "Jasmine", "standard", 2, 250_000, 300_000),
    ("103", "Orchid", "family", 4, 400_000, 500_000),
    ("104", "Lotus", "deluxe", 2, 300_000, 350_000),
    ("105", "Rose", "deluxe", 2, 300_000, 350_000),
    ("106", "Hibiscus", "family", 4, 400_000, 500_000),
    ("201", "Bungalow Pine", "bungalow", 6, 800_000, 1_000_000),
    ("202", "Bungalow Cedar", "bungalow", 6, 800_000, 1_000_000),
)
GUESTS = (
    ("3275010101800001", "Rahmat Hidayat", "Jl. Merdeka 12, Bandung"),
    ("3275014202850002", "Siti Aminah", "Jl. Cihampelas 8, Bandung"),
    ("3171020303900003", "Budi Santoso", "Jl. Sudirman 45, Jakarta"),
    ("3578034404920004", "Dewi Lestari", "Jl. Tunjungan 3, Surabaya"),
    ("3374050505780005", "Agus Wijaya", "Jl. Pandanaran 21, Semarang"),
)
PACKAGES = (("HIKE", "Guided climb with breakfast", 200_000), ("DINNER", "Candlelight dinner for two", 350_000))


def load(context: Context) -> None:
    """Fill an empty hotel."""
    for code, name, kind, capacity, weekday, weekend in ROOMS:
        room = Room(code=code, name=name, type=kind, capacity=capacity, weekday_rate=weekday, weekend_rate=weekend)
        add_row(context, MASTER["rooms"], "code", values_of(room), "room")
    for identity, name, address in GUESTS:
        guest = Guest(identity=identity, name=name, address=address, phone="+62 812 0000 0000")
        add_row(context, MASTER["guests"], "identity", values_of(guest), "guest")
    for code, name, price in PACKAGES:
        add_row(context, MASTER["packages"], "code", values_of(Package(code=code, name=name, price=price)), "package")
    desk = Staff(number="S001", name="Ani Wulandari", sex="female", position="Receptionist", account="receptionist")
    add_row(context, MASTER["staff"], "number", values_of(desk), "member of staff")
    _published(context)
    _around_today(context)


def _published(context: Context) -> None:
    """P201302002 as the source has it, at its total by the rules: its down payment is less than half of that."""
    printed = PUBLISHED
    stay = Stay(
        arrival=printed.arrival,
        departure=printed.departure,
        rooms=(StayRoom(room=printed.room, extra_beds=printed.extra_beds),),
    )
    then = replace(context, now=datetime.combine(printed.arrival, time(12), context.zone))
    agreed = quoted(then, stay)
    kept = Booking(
        number=printed.number,
        booked_on=printed.arrival,
        guest=GUESTS[0][0],
        arrival=printed.arrival,
        departure=printed.departure,
        nights=agreed.nights,
        bed_rate=printed.bed_rate,
        total=agreed.total,
        paid=printed.down_payment,
        balance=agreed.total - printed.down_payment,
        status=Status.STAYING,
        staff="Ani Wulandari",
        note=printed.explanation,
    )
    add_row(then, BOOKINGS, "number", values_of(kept), "booking")
    claim(then, kept.number, stay, agreed)
    receive(then, kept.number, "down payment", printed.down_payment, Method.CASH)


def _around_today(context: Context) -> None:
    """Bookings as a desk sees them: guests in the house, guests to come."""
    context = replace(context, person=Person("receptionist"))
    plan = (
        (0, 2, "101", 0, None, 0),
        (0, 1, "103", 1, "HIKE", 1),
        (1, 3, "105", 0, None, 2),
        (3, 4, "201", 2, "DINNER", 3),
        (6, 9, "104", 1, None, 4),
    )
    for start, end, room, beds, package, guest in plan:
        stay = Stay(
            arrival=_day(context, start),
            departure=_day(context, end),
            rooms=(StayRoom(room=room, extra_beds=beds),),
            package=package,
        )
        agreed = quoted(context, stay)
        wanted = NewBooking(
            arrival=stay.arrival,
            departure=stay.departure,
            rooms=stay.rooms,
            package=package,
            guest=GUESTS[guest][0],
            paid=agreed.least_down_payment,
        )
        kept = book.function(context, wanted)
        if start == 0:
            check_in.function(context, BookingSeen(number=kept.row.number, version=kept.version))


def _day(context: Context, days: int) -> date:
    return context.today + timedelta(days=days)
