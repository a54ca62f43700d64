"""The hotel's screens: the calendar first, then the lists of the desk, master data and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from appliance.console.listing_screen import Action, ListingScreen
from appliance.console.master_data import MasterScreen
from appliance.console.report_screen import ReportScreen
from appliance.console.screens import CustomScreen
from appliance.contract.periods import Period
from appliance.language import _
from appliance.services.hotel.desk_rules import (
    refuse_cancelling,
    refuse_changing,
    refuse_check_in,
    refuse_check_out,
    refuse_paying,
)
from appliance.services.hotel.model import (
    MASTER_DATA,
    BookingChange,
    BookingRow,
    BookingSeen,
    Cancellation,
    CancellationRow,
    NewBooking,
    Payment,
    PaymentRow,
    rooms_of,
)
from appliance.services.hotel.papers import Asked
from appliance.services.hotel.report_lines import DayLine

__all__ = ["BOOK", "ON_A_BOOKING", "SCREENS"]

SEEN = {"number": "number", "version": "version"}


def _rooms(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"rooms": to_jsonable_python(rooms_of(str(row["rooms"])))}


def _rest(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"amount": row["balance"] or None}


BOOK = Action("book", NewBooking, _("Book"), "b", tooltip=_("Book rooms for a guest"))
ON_A_BOOKING = (
    Action(
        "change-stay",
        BookingChange,
        _("Change"),
        "c",
        fills=SEEN | {name: name for name in ("arrival", "departure", "package", "note")},
        given=_rooms,
        rule=refuse_changing,
    ),
    Action("check-in", BookingSeen, _("Check in"), "i", fills=SEEN, form=False, rule=refuse_check_in),
    Action("pay", Payment, _("Pay"), "y", fills=SEEN, given=_rest, rule=refuse_paying),
    Action("check-out", BookingSeen, _("Check out"), "o", fills=SEEN, form=False, rule=refuse_check_out),
    Action("cancel", Cancellation, _("Cancel"), "k", fills=SEEN, rule=refuse_cancelling),
    Action("bill", Asked, _("Bill"), "l", fills={"number": "number"}, form=False, paper=True),
)
"""What the desk does with one booking."""

SCREENS = (
    CustomScreen(
        name="calendar",
        title=_("Rooms by day"),
        also=_("calendar"),
        make="appliance.services.hotel.calendar_pane:CalendarPane",
        needs=("calendar",),
    ),
    ListingScreen(
        name="bookings",
        title=_("Bookings"),
        row=BookingRow,
        actions=(BOOK, *ON_A_BOOKING),
        totals=("total", "paid", "balance"),
        follows=("payments",),
    ),
    ListingScreen(
        name="payments",
        title=_("Payments"),
        row=PaymentRow,
        actions=(Action("settlement-slip", Asked, _("Slip"), "l", fills={"number": "number"}, form=False, paper=True),),
        totals=("amount",),
    ),
    ListingScreen(
        name="cancellations",
        title=_("Cancellations"),
        row=CancellationRow,
        actions=(
            Action("cancellation-slip", Asked, _("Slip"), "l", fills={"number": "booking"}, form=False, paper=True),
        ),
        totals=("fee", "refund"),
        follows=("bookings",),
    ),
    *(MasterScreen(master) for master in MASTER_DATA),
    ReportScreen(
        name="report",
        title=_("Report of a period"),
        command="period-report",
        parameters=Period,
        line=DayLine,
        plot=("day", "received"),
        paper="print-period-report",
    ),
    CustomScreen(
        name="published",
        title=_("Published example"),
        make="appliance.services.hotel.published_pane:PublishedPane",
        needs=("published-example",),
    ),
)
