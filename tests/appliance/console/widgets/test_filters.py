"""The filter line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.console.widgets.filters import FilterFault, operators_of, parse_filter
from appliance.contract.listings import Condition, columns_of
from tests.appliance.console.widgets.rooms import Room, days, texts

COLUMNS = columns_of(Room)
NAMES = [column.name for column in COLUMNS]


def conditions(line: str, language: str = "en") -> list[tuple[str, str, str]]:
    return [(one.column, one.operator, one.value) for one in parse_filter(line, COLUMNS, language)]


def test_the_line_of_the_manual() -> None:
    assert conditions('rate>300000 status=free name~lotus note!=""') == [
        ("rate", ">", "300000"), ("status", "=", "free"), ("name", "contains", "lotus"), ("note", "filled", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "language", "value"),
    [("rate=300.000", "id", "300000"), ("rate=300,000", "en", "300000"), ('rate="Rp 1.500.000"', "id", "1500000"),
     ("area>=1,5", "id", "1.5"), ("area>=1.5", "en", "1.5"), ("built<15/2/2013", "id", "2013-02-15"),
     ("VIP=YA", "id", "yes"), ('name="a \\" [/x]"', "en", 'a " [/x]'), ("Status=FREE", "en", "free")],
)  # fmt: skip
def test_values_by_type(line: str, language: str, value: str) -> None:
    assert conditions(line, language)[0][2] == value


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [("rate>x", 6, "whole number"), ("foo=1", 1, "no column"), ("rate", 5, "one of these is expected"),
     ("vip>yes", 4, "compared by"), ("rate>", 6, "value is expected"), ('name="a', 6, "closing quote"),
     ("built=2013-02-31", 7, "no such day"), ("status=gone", 8, "one of these"), ("=3", 1, "column is expected"),
     ("code=a rate~3", 12, "compared by"), ("name=" + "x" * 201, 6, "too long"), ("rate>1,23", 6, "thousands")],
)  # fmt: skip
def test_faults_have_their_place(line: str, place: int, said: str) -> None:
    with pytest.raises(FilterFault) as caught:
        parse_filter(line, COLUMNS)
    assert caught.value.place == place
    assert said in caught.value.template


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*NAMES, "=", "<=", "~", '"', "1", " ", "\\", "日"])).map("".join)
)
def test_any_line_is_read_or_refused(line: str) -> None:
    place = 1
    try:
        parse_filter(line, COLUMNS)
    except FilterFault as fault:
        place = fault.place
    assert 1 <= place <= len(line) + 1


def written(condition: Condition) -> str:
    """A condition as somebody writes it."""
    if condition.operator in {"empty", "filled"}:
        return f'{condition.column}{"=" if condition.operator == "empty" else "!="}""'
    operator = {"contains": "~", "starts": "^"}.get(condition.operator, condition.operator)
    value = condition.value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{condition.column}{operator}"{value}"'


@given(st.data())
def test_what_is_written_is_read(data: st.DataObject) -> None:
    values = {"name": texts.filter(bool), "note": texts.filter(bool), "rate": st.integers(-(10**15), 10**15).map(str),
              "area": st.floats(-1e15, 1e15).map(repr), "built": days.map(str), "vip": st.sampled_from(["yes", "no"]),
              "status": st.sampled_from(["free", "dirty"])}  # fmt: skip
    made = []
    for name in data.draw(st.lists(st.sampled_from(sorted(values)), max_size=4)):
        field = next(column.field for column in COLUMNS if column.name == name)
        sign = data.draw(st.sampled_from(operators_of(field)))
        operator = {"~": "contains", "^": "starts"}.get(sign, sign)
        made.append(Condition(column=name, operator=operator, value=data.draw(values[name])))  # type: ignore[arg-type]
    assert parse_filter(" ".join(map(written, made)), COLUMNS) == tuple(made)


def test_a_value_that_begins_as_an_operator_is_quoted() -> None:
    assert parse_filter('name<"=a"', COLUMNS) == (Condition(column="name", operator="<", value="=a"),)
