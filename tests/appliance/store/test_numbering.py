"""Numbers of a month, one after the other."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from appliance.store.numbering import number_after

DAY = date(2013, 2, 13)


def test_numbers_go_on_after_the_last_of_the_month() -> None:
    assert number_after([], "P", DAY) == "P201302001"
    assert number_after(["P201302001", "P201301009"], "P", DAY) == "P201302002"
    assert number_after(["P201302999"], "P", DAY) == "P2013021000"
    assert number_after(["P2013021000", "P201302999"], "P", DAY) == "P2013021001"
    assert number_after(["P201302-old", "P2013027", "T201302900"], "P", DAY) == "P201302008"
    assert number_after([], "L", DAY, digits=5) == "L20130200001"


@given(st.lists(st.integers(1, 5000), max_size=30))
def test_a_new_number_is_none_that_was_given(given: list[int]) -> None:
    taken = [f"P201302{one:03d}" for one in given]
    new = number_after(taken, "P", DAY)
    assert new not in taken
    assert new == f"P201302{max(given, default=0) + 1:03d}"
