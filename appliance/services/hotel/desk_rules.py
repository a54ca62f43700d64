"""What the desk may do with a booking as it stands: the commands refuse by it, and the screens say so beforehand.

Each takes a row, of the table or as a screen has it, and raises RuleBroken with
the reason. Pure. What only the daemon knows (today, the rates, who has which
room) is no rule of the row.
"""

from __future__ import annotations

from appliance.contract.records import Row
from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.hotel.model import Status

__all__ = ["refuse_cancelling", "refuse_changing", "refuse_check_in", "refuse_check_out", "refuse_paying"]

_STANDS = {
    Status.BOOKED: _("booking {number}: the guest has not arrived yet"),
    Status.STAYING: _("booking {number}: the guest has arrived already"),
    Status.LEFT: _("booking {number}: the guest has left"),
    Status.CANCELLED: _("booking {number} is cancelled"),
}


def refuse_changing(row: Row) -> None:
    """A booking that is cancelled or over stays as it is."""
    _refuse_unless(row, Status.BOOKED, Status.STAYING)


def refuse_check_in(row: Row) -> None:
    """A guest arrives once."""
    _refuse_unless(row, Status.BOOKED)


def refuse_paying(row: Row) -> None:
    """Nobody pays for what is cancelled, or twice."""
    _refuse_unless(row, Status.BOOKED, Status.STAYING)
    if row["balance"] <= 0:
        raise RuleBroken(_("booking {number} is paid in full"), number=str(row["number"]))


def refuse_check_out(row: Row) -> None:
    """Who is here leaves when everything is paid."""
    _refuse_unless(row, Status.STAYING)
    if row["balance"] > 0:
        raise RuleBroken(_("{balance} rupiah are still to be paid"), balance=row["balance"])


def refuse_cancelling(row: Row) -> None:
    """Who is here checks out."""
    _refuse_unless(row, Status.BOOKED)


def _refuse_unless(row: Row, *allowed: Status) -> None:
    status = Status(row["status"])
    if status not in allowed:
        raise RuleBroken(_STANDS[status], number=str(row["number"]))
