"""The lists that people look through: bookings, payments, cancellations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, case, cast, func, literal, select

from appliance.contract.fields import fields_of
from appliance.contract.listings import Asking, Listing, Order
from appliance.services.hotel.model import DESK, READERS, BookingRow, CancellationRow, PaymentRow
from appliance.services.hotel.tables import BOOKED_ROOMS, BOOKINGS, CANCELLATIONS, MASTER, PAYMENTS

__all__ = ["LISTINGS"]


def _room_with_beds() -> Any:
    """``104``, or ``104+2`` with two extra beds."""
    beds = BOOKED_ROOMS.c.extra_beds
    return BOOKED_ROOMS.c.room + case((beds > 0, literal("+") + cast(beds, String)), else_="")


def _bookings(_asking: Asking) -> Any:
    """The rows of the list of bookings."""
    guests = MASTER["guests"]
    agreed = (
        select(
            func.aggregate_strings(_room_with_beds(), ", ").label("rooms"),
            func.coalesce(func.sum(BOOKED_ROOMS.c.extra_beds), 0).label("extra_beds"),
            BOOKED_ROOMS.c.booking,
        )
        .group_by(BOOKED_ROOMS.c.booking)
        .subquery()
    )
    columns = [column for column in BOOKINGS.c if column.name in {field.name for field in fields_of(BookingRow)}]
    return (
        select(
            BOOKINGS.c.id,
            BOOKINGS.c.version,
            guests.c.name.label("guest_name"),
            agreed.c.rooms,
            agreed.c.extra_beds,
            *columns,
        )
        .join(guests, guests.c.identity == BOOKINGS.c.guest)
        .join(agreed, agreed.c.booking == BOOKINGS.c.number)
    )


LATEST = (Order(column="number", descending=True),)
LISTINGS = (
    Listing(name="bookings", row=BookingRow, see=DESK, key="number", order=LATEST, select=_bookings),
    Listing(
        name="payments",
        row=PaymentRow,
        see=READERS,
        key="number",
        order=LATEST,
        select=lambda _asking: select(PAYMENTS),
    ),
    Listing(
        name="cancellations",
        row=CancellationRow,
        see=READERS,
        key="number",
        order=LATEST,
        select=lambda _asking: select(CANCELLATIONS),
    ),
)
