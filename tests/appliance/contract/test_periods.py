"""Periods of days."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.periods import month_of


@given(st.dates(max_value=date(9999, 11, 30)))
def test_the_month_of_a_day_is_whole_and_holds_it(day: date) -> None:
    found = month_of(day)
    assert found.first <= day <= found.last
    assert found.first.day == (found.last + timedelta(days=1)).day == 1
    assert {one.month for one in (found.first, found.last)} == {day.month}
