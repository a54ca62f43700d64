"""What stands on the papers of the desk."""

from __future__ import annotations

from appliance.contract.kinds import Code, Count, Line, Moment, Name, Rupiah
from appliance.contract.records import record
from appliance.services.hotel.model import Booking, CancellationRow, Guest, PaymentRow

__all__ = ["Asked", "Bill", "BillLine", "Slip"]


@record
class Asked:
    """The number of the paper's booking, payment or cancellation."""

    number: Code


@record
class BillLine:
    """One line: so many of something at a price."""

    text: Name
    room: Line
    count: Count
    unit: Line
    price: Rupiah
    amount: Rupiah


@record
class Bill:
    """What a room bill says."""

    booking: Booking
    guest: Guest
    lines: tuple[BillLine, ...]
    payments: tuple[PaymentRow, ...]
    printed_at: Moment
    printed_by: Name


@record
class Slip:
    """What a settlement or cancellation slip says."""

    booking: Booking
    guest: Guest
    payment: PaymentRow | None = None
    cancellation: CancellationRow | None = None
    printed_at: Moment
    printed_by: Name
