"""The hotel's tables. No two bookings share a night of a room: the database itself holds that by a primary key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, String, Table

from appliance.language import _
from appliance.services.hotel.model import MASTER_DATA, Booking, CancellationRow, PaymentRow
from appliance.store.tables import master_tables, metadata, record_table

__all__ = ["BOOKED_ROOMS", "BOOKINGS", "CANCELLATIONS", "MASTER", "METADATA", "NIGHTS", "PAYMENTS"]

METADATA = metadata()
MASTER = master_tables("hotel", MASTER_DATA, METADATA)
BOOKINGS = record_table(
    "hotel_bookings",
    Booking,
    METADATA,
    key="number",
    refers={"guests": "hotel_guests.identity", "packages": "hotel_packages.code"},
)
Index("ix_hotel_bookings_stay", BOOKINGS.c.arrival, BOOKINGS.c.departure)


def _booking(*, primary: bool = False) -> Column[str]:
    return Column(
        "booking",
        String(32),
        ForeignKey("hotel_bookings.number", onupdate="CASCADE", ondelete="RESTRICT"),
        nullable=False,
        primary_key=primary,
        index=not primary or None,
    )


def _room() -> Column[str]:
    return Column(
        "room",
        String(32),
        ForeignKey("hotel_rooms.code", onupdate="CASCADE", ondelete="RESTRICT"),
        primary_key=True,
    )


_("booked rooms")  # A refusal calls the table so: "room 101 is used by 2 booked rooms".
BOOKED_ROOMS = Table(
    "hotel_booked_rooms",
    METADATA,
    _booking(primary=True),
    _room(),
    Column("extra_beds", Integer, nullable=False),
    Column("weekday_nights", Integer, nullable=False),
    Column("weekday_rate", BigInteger, nullable=False),
    Column("weekend_nights", Integer, nullable=False),
    Column("weekend_rate", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
)
"""What was agreed for each room, also after its rates have changed."""

NIGHTS = Table(
    "hotel_nights",
    METADATA,
    _room(),
    Column("night", Date, primary_key=True),
    _booking(),
)
"""Who sleeps where: a night of a room has one booking."""

PAYMENTS = record_table(
    "hotel_payments", PaymentRow, METADATA, key="number", refers={"bookings": "hotel_bookings.number"}
)
CANCELLATIONS = record_table(
    "hotel_cancellations", CancellationRow, METADATA, key="number", refers={"bookings": "hotel_bookings.number"}
)
