"""The law of listings: what the database answers is what the same rule in Python answers, on both databases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import delete, func, insert, literal_column, select

from appliance.contract.fields import Field, Kind, fields_of
from appliance.contract.folding import fold
from appliance.contract.kinds import Day, Decimals, Line, Moment, Name, Note, Rupiah, Secret, Share, Whole, YesNo
from appliance.contract.listings import Condition, Listing, Order, Question
from appliance.contract.ordering import TEXTS
from appliance.contract.people import Person
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.store.comparing import _folded
from appliance.store.engine import Store
from appliance.store.listing import ask, page, rows_of, totals
from appliance.store.tables import metadata, record_table
from tests.appliance.postgresql import Server
from tests.appliance.store.asked import asking

ANI = asking(Person("ani"))


class Size(Enum):
    """Their order is not that of the alphabet."""

    SMALL = "small"
    LARGE = "large"


@record
class Thing:
    """One column of each kind, most of which may be empty."""

    name: Line
    note: Note | None = None
    number: Whole | None = None
    price: Rupiah = 0
    part: Share = 0
    weight: Decimals | None = None
    day: Day | None = None
    seen: Moment | None = None
    open: YesNo = False
    size: Size | None = None
    state: Literal["new", "used", "broken"] = "new"
    tags: tuple[Name, ...] = ()
    word: Secret = ""


METADATA = metadata()
THINGS = record_table("x_things", Thing, METADATA)
LISTING = Listing(
    name="things",
    row=Thing,
    see=frozenset({"clerk"}),
    order=(Order(column="name"),),
    select=lambda _asking: select(THINGS),
)
SOME = Listing(
    name="some",
    row=Thing,
    see=frozenset({"clerk"}),
    select=lambda asking: select(THINGS).where(THINGS.c.changed_by == asking.person.name),
)
FIELDS = {field.name: field for field in fields_of(Thing) if field.kind is not Kind.SECRET}

LETTERS = "aAbBzZ %_\\'\"[,]ßẞéÉσςΣİıKkåÅ日🙂ǅÀ\u0301"
texts = st.text(LETTERS, max_size=6).map(str.strip)
days = st.dates(date(1900, 1, 1), date(2999, 12, 31))
zones = st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-3, minutes=-30))])
moments = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=zones)
small = st.integers(-3, 3) | st.integers(-(10**15), 10**15)
floats = st.sampled_from([-1.5, 0.0, 0.1, 1e15]) | st.floats(-1e15, 1e15, allow_subnormal=False)
things = st.builds(
    dict,
    name=texts,
    note=st.none() | texts,
    number=st.none() | small,
    price=small,
    part=st.integers(0, 100),
    weight=st.none() | floats,
    day=st.none() | st.sampled_from([date(2013, 2, 15), date(2013, 2, 16)]) | days,
    seen=st.none() | moments,
    open=st.booleans(),
    size=st.none() | st.sampled_from(Size),
    state=st.sampled_from(["new", "used", "broken"]),
    tags=st.lists(texts.filter(bool), max_size=2).map(tuple),
    word=st.just("secret"),
)
OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "contains", "starts", "empty", "filled"]


def written(field: Field, value: Any) -> str:
    """A value as a client writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    return value.isoformat() if isinstance(value, date) else str(value)


@st.composite
def conditions(draw: st.DrawFn, rows: list[dict[str, Any]]) -> Condition:
    """One that fits its column, often with a value that is there."""
    field = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    allowed = OPERATORS
    if field.kind not in TEXTS:
        allowed = [one for one in OPERATORS if one not in {"contains", "starts"}]
    if field.kind is Kind.YES_NO:
        allowed = ["=", "!=", "empty", "filled"]
    there = [row[field.name] for row in rows if row[field.name] is not None]
    if field.kind in TEXTS:
        value = draw(texts | st.sampled_from(["a", *map(str, there)]))
        value = value[draw(st.integers(0, 1)) :][: draw(st.integers(1, 6))]
    else:
        fresh = draw(things.map(lambda one: one[field.name]).filter(lambda one: one is not None))
        value = written(field, draw(st.sampled_from([*there, fresh])))
    return Condition(column=field.name, operator=draw(st.sampled_from(allowed)), value=value)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Question]:
    """Rows and a question about them."""
    rows = draw(st.lists(things, max_size=9))
    order = draw(
        st.lists(st.builds(Order, column=st.sampled_from(sorted(FIELDS)), descending=st.booleans()), max_size=3)
    )
    asked = draw(st.lists(conditions(rows), max_size=2))
    search = draw(st.just("") | texts)
    return rows, Question(order=tuple(order), conditions=tuple(asked), search=search)


def kept(field: Field, value: Any) -> Any:
    """A value as it is compared; None stays None."""
    if value is None:
        return None
    if field.kind is Kind.SEVERAL:
        return fold(TypeAdapter(field.type).dump_json(value).decode())
    if field.kind is Kind.CHOICE:
        return field.choices.index(written(field, value))
    return fold(value) if field.kind in TEXTS else value


def holds(row: dict[str, Any], condition: Condition) -> bool:
    """The rule of a condition."""
    field = FIELDS[condition.column]
    value = kept(field, row[field.name])
    if condition.operator in {"empty", "filled"}:
        return (value in {None, "", "[]"} if field.kind in TEXTS else value is None) == (condition.operator == "empty")
    if field.kind in TEXTS:
        wanted = fold(condition.value)
    elif field.kind is Kind.CHOICE:
        wanted = field.choices.index(condition.value)
    elif field.kind is Kind.YES_NO:
        wanted = condition.value == "yes"
    else:
        wanted = TypeAdapter(field.plain).validate_strings(condition.value)
    if condition.operator == "!=":
        return bool(value != wanted)
    if value is None:
        return False
    match condition.operator:
        case "contains":
            return wanted in value
        case "starts":
            return bool(value.startswith(wanted))
        case "=":
            return bool(value == wanted)
        case "<":
            return bool(value < wanted)
        case "<=":
            return bool(value <= wanted)
        case ">":
            return bool(value > wanted)
    return bool(value >= wanted)


def answer(rows: list[dict[str, Any]], question: Question, order: tuple[Order, ...]) -> list[int]:
    """The ids that the rule gives; rows count from 1."""
    found = []
    for place, row in enumerate(rows, 1):
        texts_of = [kept(field, row[name]) or "" for name, field in FIELDS.items() if field.kind in TEXTS]
        if all(holds(row, one) for one in question.conditions) and any(
            fold(question.search) in one for one in texts_of
        ):
            found.append(place)
    for one in reversed(question.order or order):
        field = FIELDS[one.column]
        values = {place: kept(field, rows[place - 1][one.column]) for place in found}
        there = sorted((p for p in found if values[p] is not None), key=values.__getitem__, reverse=one.descending)
        found = [*there, *(place for place in found if values[place] is None)]
    return found


@pytest.fixture(scope="module")
def stores(postgresql_server: Server) -> Iterator[tuple[Store, Store]]:
    """One of each, with the table."""
    url = postgresql_server.create()
    both = (Store("sqlite://"), Store(url))
    for store in both:
        METADATA.create_all(store.engine)
    yield both
    for store in both:
        store.close()
    postgresql_server.drop(url)


def put(store: Store, rows: list[dict[str, Any]]) -> None:
    with store.writing() as connection:
        connection.execute(delete(THINGS))
        more = {"version": 1, "changed_at": datetime.now(UTC)}
        for place, row in enumerate(rows, 1):
            connection.execute(
                insert(THINGS).values(id=place, changed_by="ani" if place % 2 else "budi", **row, **more)
            )


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=60)
@given(cases())
def test_both_databases_answer_as_the_rule_says(
    stores: tuple[Store, Store], case: tuple[list[dict[str, Any]], Question]
) -> None:
    rows, question = case
    for store in stores:
        put(store, rows)
        with store.reading() as connection:
            found = ask(connection, LISTING, question, ANI)
            assert list(found.ids) == answer(rows, question, LISTING.order), store.url
            mine = [one for one in answer(rows, question, ()) if one % 2]
            assert list(ask(connection, SOME, question, ANI).ids) == mine, store.url
            sums = totals(connection, LISTING, question, ANI)
        shown = [rows[one - 1] for one in found.ids]
        assert sums["price"] == sum(row["price"] for row in shown)
        assert sums["number"] == sum(row["number"] or 0 for row in shown)
        assert sums["weight"] == pytest.approx(sum(row["weight"] or 0.0 for row in shown), abs=1e4)


@settings(max_examples=20)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), min_size=1, max_size=200))
@example([chr(code) for code in range(0xA0, 0x2FFF) if chr(code).isalpha()])
def test_text_is_folded_alike(stores: tuple[Store, Store], some: list[str]) -> None:
    """Letters that this Python's Unicode does not know may be newer in the server's."""
    import unicodedata

    some = [one for one in some if all(unicodedata.category(letter) != "Cn" for letter in one)]
    if not some:
        return
    for store in stores:
        put(store, [])
        with store.writing() as connection:
            plain = {"price": 0, "part": 0, "open": False, "state": "new", "tags": (), "word": "", "changed_by": "x"}
            more = {**plain, "version": 1, "changed_at": datetime.now(UTC), "name": ""}
            connection.execute(insert(THINGS), [{"id": n, "note": text, **more} for n, text in enumerate(some, 1)])
            query = select(_folded(THINGS.c.note, connection.dialect)).order_by(THINGS.c.id)
            assert list(connection.execute(query).scalars()) == [fold(one) for one in some], store.url


def test_pages_hold_rows_as_they_are_now(stores: tuple[Store, Store]) -> None:
    full = {"note": "x\ny", "number": 7, "price": 10**15, "part": 3, "weight": 0.1, "day": date(2013, 2, 15)}
    full |= {"seen": datetime(2013, 2, 15, 1, tzinfo=timezone(timedelta(hours=7))), "open": True, "size": Size.LARGE}
    full |= {"name": "n", "state": "used", "tags": ("a", "b"), "word": "secret"}
    empty = dict.fromkeys(("note", "number", "weight", "day", "seen", "size"))
    empty |= {"name": "", "price": 0, "part": 0, "open": False, "state": "new", "tags": (), "word": "secret"}
    for store in stores:
        put(store, [full, empty, full])
        with store.writing() as connection:
            connection.execute(delete(THINGS).where(THINGS.c.id == 3))
        with store.reading() as connection:
            rows = page(connection, LISTING, [2, 3, 1], ANI)
            assert [(row.id, row.version) for row in rows] == [(2, 1), (3, 0), (1, 1)]
            said = [
                "n",
                "x\ny",
                7,
                10**15,
                3,
                0.1,
                "2013-02-15",
                "2013-02-14T18:00:00+00:00",
                True,
                "large",
                "used",
                ["a", "b"],
            ]
            assert rows[2].values == said
            assert rows[1].values == [None] * 12
            assert [row.id for row in page(connection, SOME, [1, 2], ANI) if row.version] == [1]
            assert [row.id for row in rows_of(connection, LISTING, range(1, 4), ANI)] == [1, 2]
            found = ask(connection, LISTING, Question(), ANI)
            assert [found.position(one) for one in (2, 1, 99, 10**30)] == [0, 1, None, None]


WRONG = [
    ("number", "=", "twelve", "conditions.0.value"),
    ("number", "=", "1.5", "conditions.0.value"),
    ("number", "<", "9" * 30, "conditions.0.value"),
    ("weight", "=", "nan", "conditions.0.value"),
    ("weight", "=", "1e999", "conditions.0.value"),
    ("day", ">", "2013-02-30", "conditions.0.value"),
    ("seen", ">", "2013-02-15T10:00:00", "conditions.0.value"),
    ("seen", ">", "0001-01-01T00:00:00+14:00", "conditions.0.value"),
    ("open", "=", "perhaps", "conditions.0.value"),
    ("open", "<", "yes", "conditions.0.value"),
    ("size", "=", "medium", "conditions.0.value"),
    ("price", "contains", "3", "conditions.0.value"),
    ("word", "=", "secret", "conditions.0.column"),
    ("id", "=", "3", "conditions.0.column"),
]


@pytest.mark.parametrize(("column", "operator", "value", "at"), WRONG)
def test_what_does_not_fit_is_refused_by_its_field(column: str, operator: Any, value: str, at: str) -> None:
    store = Store("sqlite://")
    METADATA.create_all(store.engine)
    question = Question(conditions=(Condition(column=column, operator=operator, value=value),))
    with store.reading() as connection, pytest.raises(RuleBroken) as caught:
        ask(connection, LISTING, question, ANI)
    assert caught.value.field == at
    with store.reading() as connection, pytest.raises(RuleBroken) as caught:
        ask(connection, LISTING, Question(order=(Order(column="word"),)), ANI)
    assert caught.value.field == "order.0.column"


def test_sums_beyond_64_bits(stores: tuple[Store, Store]) -> None:
    row = {
        "name": "",
        "part": 0,
        "open": False,
        "state": "new",
        "tags": (),
        "word": "",
        "changed_by": "x",
        "version": 1,
    }
    for store in stores:
        put(store, [])
        with store.writing() as connection:
            rows = [{**row, "price": 10**15, "changed_at": datetime.now(UTC)} for _ in range(10_000)]
            connection.execute(insert(THINGS), rows)
            assert totals(connection, LISTING, Question(), ANI)["price"] == 10**19 > sys.maxsize


def test_select_with_grouping_is_asked_as_it_is() -> None:
    """A select that is more than a table: rows of one number, counted."""

    @record
    class Counted:
        name: Line
        number: Whole

    counted = Listing(
        name="counted",
        row=Counted,
        see=frozenset({"clerk"}),
        select=lambda _asking: select(
            func.min(THINGS.c.id).label("id"),
            literal_column("1").label("version"),
            THINGS.c.name,
            func.count().label("number"),
        ).group_by(THINGS.c.name),
    )
    store = Store("sqlite://")
    METADATA.create_all(store.engine)
    plain = {"price": 0, "part": 0, "open": False, "state": "new", "tags": (), "word": ""}
    put(store, [{"name": one, **plain} for one in "ababbc"])
    with store.reading() as connection:
        question = Question(order=(Order(column="number", descending=True),))
        found = ask(connection, counted, question, ANI)
        assert [row.values for row in page(connection, counted, found.ids, ANI)] == [["b", 3], ["a", 2], ["c", 1]]
