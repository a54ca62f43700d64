"""Rows in memory are what the daemon's database answers, and what a plain sort of the records is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from sqlalchemy import select

from appliance.console.widgets.list_source import SMALL, ListSource
from appliance.console.widgets.rows import Row
from appliance.contract.kinds import Code
from appliance.contract.listings import Condition, Listing, Order, Question, columns_of
from appliance.contract.ordering import comparable
from appliance.contract.people import Person
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.store.engine import Store
from appliance.store.listing import ask, page, totals
from tests.appliance.console.widgets.rooms import BillLine, Small, small
from tests.appliance.store.asked import asking
from tests.appliance.store.test_listing import METADATA, THINGS, WRONG, Thing, cases, put

EVERYONE = Listing(name="things", row=Thing, see=frozenset({"clerk"}), select=lambda _asking: select(THINGS))
ANI = asking(Person("ani"))
SUMS = ("price", "number")


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A database in memory with the table."""
    made = Store("sqlite://")
    METADATA.create_all(made.engine)
    yield made
    made.close()


def answered(source: ListSource, question: Question) -> tuple[list[int], dict[str, Any]]:
    """The ids and the sums; each row's place is its place."""

    async def asked() -> tuple[list[int], dict[str, Any]]:
        count = await source.ask(question)
        ids = [row.id for row in await source.page(0, count + 1)]
        assert [await source.place(one) for one in ids] == list(range(count))
        assert await source.place(10**6) is None
        return ids, dict(await source.totals())

    return asyncio.run(asked())


def strange(*conditions: Condition, **order: bool) -> tuple[list[dict[str, Any]], Question]:
    """Rows in which each rule that two programs are likely to differ in is met."""
    plain = {"price": 0, "part": 0, "open": False, "state": "new", "tags": (), "word": ""}
    empty = dict.fromkeys(("note", "number", "weight", "day", "seen", "size"))
    texts = [("ß", None), ("SS", ""), ("Kelvin \u212a", "used"), ("ς", "Σ")]
    rows = [plain | empty | {"name": name, "note": note} for name, note in texts]
    rows[0] |= {"state": "used", "number": 1}
    rows[1] |= {"state": "broken"}
    rows[2] |= {"number": 0}
    asked = tuple(Order(column=column, descending=descending) for column, descending in order.items())
    return rows, Question(order=asked, conditions=conditions)


@settings(max_examples=2000 if os.environ.get("GERBANG_LONG") else 50, deadline=None)
@given(cases())
@example((strange()[0], Question(search="\u0130")))
@example((strange()[0], Question(search="\u212a")))
@example(strange(number=False))
@example(strange(number=True, note=True))
@example(strange(state=False))
@example(strange(state=True))
@example(strange(Condition(column="number", operator="!=", value="0")))
@example(strange(Condition(column="name", operator="contains", value="k")))
@example(strange(Condition(column="state", operator=">", value="new"), state=True))
def test_memory_and_database_answer_alike(store: Store, case: tuple[list[dict[str, Any]], Question]) -> None:
    rows, question = case
    put(store, rows)
    with store.reading() as connection:
        expected = list(ask(connection, EVERYONE, question, ANI).ids)
        sums = totals(connection, EVERYONE, question, ANI)
        as_json = page(connection, EVERYONE, range(1, len(rows) + 1), ANI)
    columns = columns_of(Thing)
    of_python = [Row(place, 1, [row[one.name] for one in columns]) for place, row in enumerate(rows, 1)]
    for given_rows in (of_python, [Row(*one) for one in as_json]):
        found, added = answered(ListSource(columns, given_rows, totals=SUMS), question)
        assert found == expected
        assert added == {name: sums[name] for name in SUMS}


@pytest.mark.parametrize(("column", "operator", "value", "at"), WRONG)
def test_what_does_not_fit_is_refused_alike(store: Store, column: str, operator: Any, value: str, at: str) -> None:
    question = Question(conditions=(Condition(column=column, operator=operator, value=value),))
    with store.reading() as connection, pytest.raises(RuleBroken) as database:
        ask(connection, EVERYONE, question, ANI)
    with pytest.raises(RuleBroken) as memory:
        ListSource(columns_of(Thing), ()).chosen(question)
    assert memory.value.field == database.value.field == at
    assert (memory.value.template, memory.value.values) == (database.value.template, database.value.values)


def test_records_are_searched_as_they_are_kept() -> None:
    @record
    class Bill:
        code: Code
        line: BillLine
        lines: tuple[BillLine, ...] = ()

    lotus, bed = BillLine(what="Lotus 日", count=1), BillLine(what="bed", count=22)
    source = ListSource.of(Bill, [Bill(code="a", line=bed), Bill(code="b", line=bed, lines=(lotus,))])
    assert answered(source, Question(search="lotus 日"))[0] == [2]
    assert answered(source, Question(search="22"))[0] == [1, 2]
    assert answered(source, Question(conditions=(Condition(column="lines", operator="empty"),)))[0] == [1]


def test_a_choice_that_is_declared_no_more_comes_after_the_others(store: Store) -> None:
    status = columns_of(Small)[4].field
    assert list(map(comparable(status), ["gone", "free", None, "taken"])) == [3, 0, None, 2]
    rows, question = strange(state=True)
    put(store, rows)
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE x_things SET state = 'lent' WHERE id = 2")
    with store.reading() as connection:
        assert list(ask(connection, EVERYONE, question, ANI).ids) == [2, 1, 3, 4]


@pytest.mark.parametrize("descending", [False, True])
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
