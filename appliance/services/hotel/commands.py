"""What the desk does: book, change, receive guests and money, let them go, cancel."""

from __future__ import annotations

from sqlalchemy import select

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.kinds import Code, Count, Line, Moment, Rupiah
from appliance.contract.periods import Period
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.hotel.bookings import (
    change_booking,
    claim,
    free_rooms,
    lines_of,
    quoted,
    receive,
    release,
    release_rest,
    seen,
    staff_name,
)
from appliance.services.hotel.desk_rules import (
    refuse_cancelling,
    refuse_changing,
    refuse_check_in,
    refuse_check_out,
    refuse_paying,
)
from appliance.services.hotel.listings import LISTINGS
from appliance.services.hotel.model import (
    DESK,
    Booking,
    BookingChange,
    BookingSeen,
    Cancellation,
    CancellationRow,
    Method,
    NewBooking,
    Payment,
    Room,
    Settings,
    Status,
    Stay,
    StayRoom,
)
from appliance.services.hotel.reports import calendar, occupancy, period_report, print_period_report, published_example
from appliance.services.hotel.rules import Quote, cancelled, refuse_down_payment
from appliance.services.hotel.slips import bill, cancellation_slip, settlement_slip
from appliance.services.hotel.tables import BOOKINGS, CANCELLATIONS, PAYMENTS
from appliance.store.numbering import next_number
from appliance.store.rows import add_row, made, row_of, values_of

__all__ = [
    "LISTINGS",
    "bill",
    "book",
    "bookings_get",
    "calendar",
    "cancel",
    "cancellation_slip",
    "change_stay",
    "check_in",
    "check_out",
    "free",
    "occupancy",
    "pay",
    "period_report",
    "price",
    "print_period_report",
    "published_example",
    "settlement_slip",
]


@record
class Named:
    """A booking's number."""

    number: Code


@record
class BookingKept:
    """A booking with its rooms, in its present version."""

    version: Count
    changed_by: Line
    changed_at: Moment
    row: Booking
    rooms: tuple[StayRoom, ...]


@record
class FreeRooms:
    """The rooms that nobody has in any of the nights."""

    rooms: tuple[Room, ...]


@record
class Refunded:
    """What a cancellation gives back."""

    number: Code
    fee: Rupiah
    refund: Rupiah


@query(*DESK)
def price(context: Context, stay: Stay) -> Quote:
    """Say what a stay costs."""
    return quoted(context, stay)


@query(*DESK)
def free(context: Context, period: Period) -> FreeRooms:
    """Say which rooms are free from the first day to the last."""
    return FreeRooms(rooms=tuple(made(Room, row) for row in free_rooms(context, period)))


@query(*DESK, name="bookings.get")
def bookings_get(context: Context, named: Named) -> BookingKept:
    """Look at a booking."""
    return _kept(context, named.number)


@change(*DESK)
def book(context: Context, booking: NewBooking) -> BookingKept:
    """Book rooms for a guest, with a down payment or paid in full."""
    if booking.arrival < context.today:
        raise RuleBroken(_("the arrival lies in the past"), field="arrival")
    agreed = quoted(context, booking)
    refuse_down_payment(booking.paid, agreed.total, context.settings(Settings))
    number = next_number(context, BOOKINGS.c.number, "P")
    kept = Booking(
        number=number,
        booked_on=context.today,
        guest=booking.guest,
        arrival=booking.arrival,
        departure=booking.departure,
        nights=agreed.nights,
        package=booking.package,
        package_price=agreed.package_price,
        bed_rate=context.settings(Settings).bed_rate,
        total=agreed.total,
        paid=booking.paid,
        balance=agreed.total - booking.paid,
        status=Status.BOOKED,
        staff=staff_name(context),
        note=booking.note,
    )
    add_row(context, BOOKINGS, "number", values_of(kept), "booking")
    claim(context, number, booking, agreed)
    if booking.paid:
        kind = "payment in full" if booking.paid == agreed.total else "down payment"
        receive(context, number, kind, booking.paid, booking.method)
    context.publish("added", f"bookings/{number}", _("{person} has booked {number}"), person=kept.staff, number=number)
    return _kept(context, number)


@change(*DESK)
def change_stay(context: Context, changed: BookingChange) -> BookingKept:
    """Change days, rooms, beds or package of a booking; the price is reckoned anew by today's rates."""
    row = seen(context, BookingSeen(number=changed.number, version=changed.version))
    refuse_changing(row)
    if row["status"] is Status.STAYING and changed.arrival != row["arrival"]:
        raise RuleBroken(_("the guest has arrived already"), field="arrival")
    if row["status"] is Status.BOOKED and changed.arrival < min(row["arrival"], context.today):
        raise RuleBroken(_("the arrival lies in the past"), field="arrival")
    agreed = quoted(context, changed)
    if agreed.total < row["paid"]:
        raise RuleBroken(
            _("{paid} rupiah are paid already, and this would cost {total}"), paid=row["paid"], total=agreed.total
        )
    refuse_down_payment(row["paid"], agreed.total, context.settings(Settings))
    release(context, changed.number, rooms_too=True)
    claim(context, changed.number, changed, agreed)
    change_booking(
        context,
        row,
        arrival=changed.arrival,
        departure=changed.departure,
        nights=agreed.nights,
        package=changed.package,
        package_price=agreed.package_price,
        bed_rate=context.settings(Settings).bed_rate,
        total=agreed.total,
        note=changed.note,
    )
    return _kept(context, changed.number)


@change(*DESK)
def check_in(context: Context, booking: BookingSeen) -> BookingKept:
    """Receive the guest of a booking."""
    row = seen(context, booking)
    refuse_check_in(row)
    if not row["arrival"] <= context.today < row["departure"]:
        raise RuleBroken(
            _("booking {number} is from {arrival} to {departure}"),
            number=booking.number,
            arrival=row["arrival"].isoformat(),
            departure=row["departure"].isoformat(),
        )
    change_booking(context, row, status=Status.STAYING)
    return _kept(context, booking.number)


@change(*DESK)
def pay(context: Context, payment: Payment) -> BookingKept:
    """Take money for a booking: the rest, or a part of it."""
    row = seen(context, payment)
    refuse_paying(row)
    if payment.amount > row["balance"]:
        raise RuleBroken(_("{balance} rupiah are still to be paid"), field="amount", balance=row["balance"])
    receive(context, payment.number, "settlement", payment.amount, payment.method)
    change_booking(context, row, paid=row["paid"] + payment.amount)
    return _kept(context, payment.number)


@change(*DESK)
def check_out(context: Context, booking: BookingSeen) -> BookingKept:
    """Let the guest go: everything is paid, and nights that are left are free again."""
    row = seen(context, booking)
    refuse_check_out(row)
    release_rest(context, booking.number)
    change_booking(context, row, status=Status.LEFT)
    return _kept(context, booking.number)


@change(*DESK)
def cancel(context: Context, cancellation: Cancellation) -> Refunded:
    """Give up a booking; before the day of arrival what was paid goes back, less the fee."""
    row = seen(context, cancellation)
    refuse_cancelling(row)
    fee, refund = cancelled(row["paid"], row["arrival"], context.today, context.settings(Settings))
    number = next_number(context, CANCELLATIONS.c.number, "C")
    kept = CancellationRow(
        number=number,
        at=context.now,
        booking=cancellation.number,
        reason=cancellation.reason,
        paid=row["paid"],
        fee=fee,
        refund=refund,
        before_arrival=context.today < row["arrival"],
        staff=staff_name(context),
    )
    add_row(context, CANCELLATIONS, "number", values_of(kept), "cancellation")
    if refund:
        receive(context, cancellation.number, "refund", -refund, _method_of(context, cancellation.number))
    release(context, cancellation.number, rooms_too=False)
    change_booking(context, row, status=Status.CANCELLED, paid=row["paid"] - refund, balance=0)
    return Refunded(number=number, fee=fee, refund=refund)


def _kept(context: Context, number: str) -> BookingKept:
    row = row_of(context, BOOKINGS, "number", number, "booking")
    return BookingKept(
        version=row["version"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"].astimezone(context.zone),
        row=made(Booking, row),
        rooms=tuple(StayRoom(room=one["room"], extra_beds=one["extra_beds"]) for one in lines_of(context, number)),
    )


def _method_of(context: Context, booking: str) -> Method:
    """Money goes back as it came."""
    wanted = select(PAYMENTS.c.method).where(PAYMENTS.c.booking == booking).order_by(PAYMENTS.c.id).limit(1)
    return Method(context.connection.execute(wanted).scalar_one())
