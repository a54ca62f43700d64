"""Rows in memory are what a plain sort and a plain filter of the records are."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.console.widgets.list_source import SMALL, ListSource
from appliance.contract.listings import Condition, Order, Question
from tests.appliance.console.widgets.rooms import Small, small, smalls

NAMES = ("code", "name", "rate", "free", "status", "built")
orders = st.lists(st.builds(Order, column=st.sampled_from(NAMES), descending=st.booleans()), max_size=3).map(tuple)
conditions = st.lists(
    st.sampled_from(
        [
            Condition(column="rate", operator=">", value="900"),
            Condition(column="rate", operator="!=", value="5"),
            Condition(column="name", operator="contains", value="A"),
            Condition(column="name", operator="starts", value="b"),
            Condition(column="built", operator="empty"),
            Condition(column="built", operator="filled"),
            Condition(column="built", operator="<=", value="2400-01-01"),
            Condition(column="free", operator="=", value="yes"),
            Condition(column="built", operator="!=", value="2400-01-01"),
            Condition(column="status", operator="=", value="free"),
        ]
    ),
    max_size=2,
).map(tuple)
questions = st.builds(
    Question, order=orders, conditions=conditions, search=st.sampled_from(["", "a", "SS", "日", "fr"])
)


def key(value: object) -> tuple[int, object]:
    if value is None:
        return (0, 0)
    return (1, value.casefold() if isinstance(value, str) else value)


def fits(room: Small, question: Question) -> bool:
    tests = {
        ("rate", ">"): room.rate > 900,
        ("rate", "!="): room.rate != 5,
        ("name", "contains"): "a" in room.name.casefold(),
        ("name", "starts"): room.name.casefold().startswith("b"),
        ("built", "empty"): room.built is None,
        ("built", "filled"): room.built is not None,
        ("free", "="): room.free,
        ("status", "="): room.status == "free",
        ("built", "<="): room.built is not None and room.built.isoformat() <= "2400-01-01",
        ("built", "!="): room.built is None or room.built.isoformat() != "2400-01-01",
    }
    needle = question.search.casefold()
    found = any(needle in text.casefold() for text in (room.code, room.name, room.status))
    return found and all(tests[one.column, one.operator] for one in question.conditions)


@given(st.lists(smalls, max_size=25), st.lists(questions, min_size=1, max_size=4))
def test_chosen_is_the_sorted_filtered_list(rooms: list[Small], asked: list[Question]) -> None:
    source = ListSource.of(Small, rooms, totals=["rate"])

    async def ask() -> None:
        for question in asked:
            expected = [(number, room) for number, room in enumerate(rooms, 1) if fits(room, question)]
            for order in reversed(question.order):
                expected.sort(key=lambda one: key(getattr(one[1], order.column)), reverse=order.descending)
            assert await source.ask(question) == len(expected)
            rows = await source.page(0, 100)
            assert [row.id for row in rows] == [number for number, _ in expected]
            assert (await source.totals())["rate"] == sum(room.rate for _, room in expected)
            for place, (number, _) in enumerate(expected):
                assert await source.place(number) == place
            assert await source.place(999) is None

    asyncio.run(ask())


@settings(max_examples=5)
@given(st.booleans())
def test_many_rows_are_sorted_beside_the_loop_and_the_last_question_wins(descending: bool) -> None:
    source = ListSource.of(Small, [small(number) for number in range(SMALL + 1)])

    async def ask() -> None:
        first = asyncio.create_task(source.ask(Question(order=(Order(column="name"),))))
        await asyncio.sleep(0)
        second = asyncio.create_task(source.ask(Question(order=(Order(column="rate", descending=descending),))))
        await asyncio.gather(first, second)
        rates = [row.values[2] for row in await source.page(0, SMALL + 1)]
        assert rates == sorted(rates, reverse=descending)

    asyncio.run(ask())
