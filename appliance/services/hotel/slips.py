"""The papers of the desk: the bill in three copies, the cancellation slip, the settlement slip."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from sqlalchemy import RowMapping, select

from appliance.contract.commands import query
from appliance.contract.context import Context
from appliance.contract.documents import Document
from appliance.contract.refusals import NotFound
from appliance.language import _
from appliance.services.hotel.bookings import lines_of
from appliance.services.hotel.model import DESK, Booking, CancellationRow, Guest, Package, PaymentRow
from appliance.services.hotel.papers import Asked, Bill, BillLine, Slip
from appliance.services.hotel.tables import BOOKINGS, CANCELLATIONS, MASTER, PAYMENTS
from appliance.store.rows import made, row_of

__all__ = ["bill", "cancellation_slip", "settlement_slip"]

COPIES = (_("Guest"), _("Front office"), _("Accounting"))


@query(*DESK)
def bill(context: Context, asked: Asked) -> Document:
    """Print the room bill, in three copies."""
    booking = made(Booking, row_of(context, BOOKINGS, "number", asked.number, "booking"))
    paid = context.connection.execute(
        select(PAYMENTS).where(PAYMENTS.c.booking == booking.number).order_by(PAYMENTS.c.id)
    ).mappings()
    said = Bill(
        booking=booking,
        guest=_guest(context, booking),
        lines=_lines(context, booking),
        payments=tuple(_local(context, made(PaymentRow, row)) for row in paid),
        printed_at=context.now,
        printed_by=context.person.name,
    )
    return Document(template="hotel/bill", title=_("Bill"), subject=booking.number, values=said, copies=COPIES)


@query(*DESK)
def settlement_slip(context: Context, asked: Asked) -> Document:
    """Print the slip of a payment."""
    payment = made(PaymentRow, row_of(context, PAYMENTS, "number", asked.number, "payment"))
    booking = made(Booking, row_of(context, BOOKINGS, "number", payment.booking, "booking"))
    said = Slip(
        booking=booking,
        guest=_guest(context, booking),
        payment=_local(context, payment),
        printed_at=context.now,
        printed_by=context.person.name,
    )
    return Document(template="hotel/settlement", title=_("Settlement"), subject=payment.number, values=said)


@query(*DESK)
def cancellation_slip(context: Context, asked: Asked) -> Document:
    """Print the slip of a cancelled booking."""
    row = (
        context.connection.execute(select(CANCELLATIONS).where(CANCELLATIONS.c.booking == asked.number))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound("cancellation of booking", asked.number)
    booking = made(Booking, row_of(context, BOOKINGS, "number", asked.number, "booking"))
    said = Slip(
        booking=booking,
        guest=_guest(context, booking),
        cancellation=_local(context, made(CancellationRow, row)),
        printed_at=context.now,
        printed_by=context.person.name,
    )
    return Document(template="hotel/cancellation", title=_("Cancellation"), subject=booking.number, values=said)


def _guest(context: Context, booking: Booking) -> Guest:
    return made(Guest, row_of(context, MASTER["guests"], "identity", booking.guest, "guest"))


def _lines(context: Context, booking: Booking) -> tuple[BillLine, ...]:
    lines: list[BillLine] = []
    for row in lines_of(context, booking.number):
        for text, nights, rate in (
            (_("Nights on weekdays"), row["weekday_nights"], row["weekday_rate"]),
            (_("Nights at the weekend"), row["weekend_nights"], row["weekend_rate"]),
        ):
            if nights:
                lines.append(_line(text, row, nights, "nights", rate))
        if row["extra_beds"]:
            lines.append(
                _line(
                    _("Extra beds, a night each"), row, row["extra_beds"] * booking.nights, "nights", booking.bed_rate
                )
            )
    if booking.package is not None:
        package = made(Package, row_of(context, MASTER["packages"], "code", booking.package, "package"))
        price = booking.package_price
        lines.append(BillLine(text=package.name, room="", count=1, unit="", price=price, amount=price))
    return tuple(lines)


def _line(text: str, row: RowMapping, count: int, unit: str, price: int) -> BillLine:
    room = f"{row['room']} {row['name']}"
    return BillLine(text=text, room=room, count=count, unit=unit, price=price, amount=count * price)


Timed = TypeVar("Timed", PaymentRow, CancellationRow)


def _local(context: Context, row: Timed) -> Timed:
    """With its time as clocks show it here."""
    return replace(row, at=row.at.astimezone(context.zone))
