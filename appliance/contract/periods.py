"""A period of days: what reports, lists and searches are asked for."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from appliance.contract.kinds import Day
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = ["LONGEST", "Period", "month_of"]

LONGEST = 3660
"""Days: ten years, which a report can still hold."""


@record
class Period:
    """From the first day to the last, both included."""

    first: Day
    last: Day

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins, or that no report can hold."""
        if self.last < self.first:
            raise RuleBroken(_("the last day lies before the first"), field="last")
        if (self.last - self.first).days > LONGEST:
            raise RuleBroken(_("a period has ten years at most"), field="last")


def month_of(day: date) -> Period:
    """The whole month of a day."""
    return Period(first=day.replace(day=1), last=day.replace(day=monthrange(day.year, day.month)[1]))
