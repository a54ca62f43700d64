"""Orders that are kept give what asking anew gives, whatever others change meanwhile, on both databases."""

from __future__ import annotations

import sys
import threading
from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, ForeignKey, String, delete, func, insert, literal, select, text, update

from appliance.contract.folding import fold, forms
from appliance.contract.kinds import Line, Note, Whole
from appliance.contract.listings import Condition, Listing, Order, Question
from appliance.contract.people import Person
from appliance.contract.records import record
from appliance.store.engine import Store
from appliance.store.listing import Known, ask
from appliance.store.orders import MOST_BYTES, SECONDS, Orders, Place, place_of
from appliance.store.tables import metadata, record_table
from appliance.store.touches import Standing
from tests.appliance.postgresql import Server
from tests.appliance.store.asked import asking

ANI = asking(Person("ani"))


@record
class Town:
    """Named by its key."""

    name: Line


@record
class Guest:
    """Of a town."""

    name: Line
    town: Line
    note: Note | None = None
    number: Whole | None = None


METADATA = metadata()
TOWNS = record_table("y_towns", Town, METADATA, key="name")
GUESTS = record_table("y_guests", Guest, METADATA)
GUESTS.append_column(
    Column("home", String(32), ForeignKey("y_towns.name", onupdate="CASCADE", ondelete="SET NULL")),
)
PLAIN = Listing(
    name="guests",
    row=Guest,
    see=frozenset({"clerk"}),
    order=(Order(column="name"),),
    select=lambda _asking: select(GUESTS),
)
JOINED = Listing(
    name="joined",
    row=Guest,
    see=frozenset({"clerk"}),
    select=lambda asking: (
        select(
            GUESTS.c.id,
            GUESTS.c.version,
            func.coalesce(TOWNS.c.name, "").label("town"),
            *(GUESTS.c[name] for name in ("name", "note", "number")),
        )
        .outerjoin(TOWNS, TOWNS.c.name == GUESTS.c.home)
        .where(GUESTS.c.changed_by != asking.person.name)
    ),
)
TWO = {1: "Makale", 2: "Palopo"}
HOME = select(func.max(TOWNS.c.name)).scalar_subquery()
HOMES = Listing(
    name="homes",
    row=Guest,
    see=frozenset({"clerk"}),
    select=lambda _asking: select(
        *(GUESTS.c[name] for name in ("id", "version", "name", "note", "number")), GUESTS.c.home.label("town")
    ),
)
LISTINGS = (PLAIN, JOINED, HOMES)
MORE: dict[str, Any] = {"version": 1, "changed_by": "budi", "changed_at": datetime(2026, 3, 1, tzinfo=UTC)}
NAMES = ("Zoë", "zoe", "ZOË", "Ani", "ani", "Àni", "Ånd", "å", "İ", "i", "K", "k", "ΣΑΣ", "σας", "ß", "日", "~", "")
names = st.sampled_from(NAMES)
guests = st.fixed_dictionaries(
    {"name": names, "town": names, "note": st.none() | names, "number": st.none() | st.integers(-2, 2)}
)
changes = st.one_of(
    st.tuples(st.just("add"), guests),
    st.tuples(st.just("alter"), st.integers(0, 9), guests),
    st.tuples(st.just("remove"), st.integers(0, 9)),
    st.tuples(st.just("rename"), names),
    st.tuples(st.just("undone"), guests),
    st.tuples(st.just("by hand"), names),
)
questions = st.builds(
    Question,
    order=st.lists(
        st.builds(Order, column=st.sampled_from(["name", "town", "note", "number"]), descending=st.booleans()),
        max_size=2,
    ).map(tuple),
    conditions=st.just(())
    | st.builds(Condition, column=st.just("name"), operator=st.sampled_from(["contains", "!="]), value=names).map(
        lambda one: (one,)
    ),
    search=st.just("") | names,
)


@pytest.fixture(scope="module")
def stores(postgresql_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, ...]]:
    """A file, a server, and one in memory."""
    url = postgresql_server.create()
    several = (Store(f"sqlite:///{tmp_path_factory.mktemp('orders')}/store.db"), Store(url), Store("sqlite://"))
    for store in several:
        METADATA.create_all(store.engine)
    yield several
    for store in several:
        store.close()
    postgresql_server.drop(url)


def look(store: Store, listing: Listing, question: Question, orders: Orders | None = None) -> list[int]:
    """As the daemon asks."""
    standing = store.touches.standing()
    with store.reading() as connection:
        return list(ask(connection, listing, question, ANI, Known(orders, standing) if orders else None).ids)


class _Undone(Exception):
    pass


def apply(store: Store, change: tuple[Any, ...], number: int) -> None:
    """One change by somebody else."""
    try:
        with store.writing() as connection:
            match change:
                case "add" | "undone", guest:
                    connection.execute(insert(GUESTS).values(id=100 + number, home=HOME, **guest, **MORE))
                    if change[0] == "undone":
                        raise _Undone
                case "alter", place, guest:
                    connection.execute(update(GUESTS).where(GUESTS.c.id == place).values(**guest))
                case "remove", place:
                    connection.execute(delete(GUESTS).where(GUESTS.c.id == place))
                case "rename", name:
                    # The database carries it along to the guests.
                    connection.execute(update(TOWNS).where(TOWNS.c.id == 1).values(name=f"{name}{number}"))
                case "by hand", name:
                    connection.execute(text("UPDATE y_guests SET name = :name WHERE id < 3"), {"name": name})
    except _Undone:
        pass


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=15)
@given(st.lists(guests, min_size=1, max_size=9), st.lists(st.tuples(changes, questions), min_size=1, max_size=6))
def test_what_is_kept_is_what_asking_anew_gives(
    stores: tuple[Store, ...], rows: list[dict[str, Any]], steps: list[tuple[tuple[Any, ...], Question]]
) -> None:
    """And the databases agree with each other."""
    every: list[list[list[int]]] = [[], []]
    for said, store in zip(every, stores[:2], strict=True):
        with store.writing() as connection:
            connection.execute(delete(GUESTS))
            connection.execute(delete(TOWNS))
            connection.execute(insert(TOWNS), [{"id": place, "name": name, **MORE} for place, name in TWO.items()])
            every_row = [{"id": place, "home": TWO[1 + place % 2], **row, **MORE} for place, row in enumerate(rows, 1)]
            connection.execute(insert(GUESTS), every_row)
        orders = Orders()
        for number, (change, question) in enumerate(steps):
            for listing in LISTINGS:
                look(store, listing, Question(order=question.order), orders)
            if change[0] != "add" or number == 0:
                apply(store, change, number)
            for listing in LISTINGS:
                # First what was kept before the change, then what was kept after it.
                for asked in (question, Question(order=question.order), question):
                    found = look(store, listing, asked, orders)
                    assert found == look(store, listing, asked), (store.url, change)
                    said.append(found)
    assert every[0] == every[1]


def test_what_the_database_carries_along_is_a_change_too(stores: tuple[Store, ...]) -> None:
    by_town = Question(order=(Order(column="town"),))
    for store in stores:
        with store.writing() as connection:
            connection.execute(delete(GUESTS))
            connection.execute(delete(TOWNS))
            connection.execute(insert(TOWNS), [{"id": place, "name": name, **MORE} for place, name in TWO.items()])
            named = {"name": "", "town": "", **MORE}
            connection.execute(insert(GUESTS), [{"id": place, "home": TWO[place], **named} for place in TWO])
        orders = Orders()
        assert look(store, HOMES, by_town, orders) == [1, 2]
        apply(store, ("rename", "Watampone"), 0)
        assert look(store, HOMES, by_town, orders) == [2, 1], store.url


def test_the_second_look_does_not_ask_the_database_to_sort(stores: tuple[Store, ...]) -> None:
    """Until somebody changes one of the tables; changes of others do not matter."""
    place = place_of(PLAIN, select(GUESTS), PLAIN.order)
    assert place is not None
    for store in stores:
        orders = Orders()
        first = look(store, PLAIN, Question(), orders)
        assert list(orders.find(place, store.touches.standing()) or ()) == first
        with store.writing() as connection:
            connection.execute(update(GUESTS).values(version=2))
        assert orders.find(place, store.touches.standing()) is None, store.url
        look(store, PLAIN, Question(), orders)
        with store.writing() as connection:
            connection.execute(select(GUESTS)).all()
        assert orders.find(place, store.touches.standing()) is not None, store.url


def test_a_change_while_somebody_looks_is_not_missed(stores: tuple[Store, ...]) -> None:
    """The order of a snapshot from before the change is not kept for those who look after it."""
    for store in stores[:2]:
        orders = Orders()
        standing = store.touches.standing()
        with store.reading() as connection:
            done = threading.Thread(target=apply, args=(store, ("rename", "Palopo"), 7))
            done.start()
            done.join()
            apply(store, ("add", {"name": "new", "town": "", "note": None, "number": None}), 900)
            before = list(ask(connection, PLAIN, Question(), ANI, Known(orders, standing)).ids)
        assert 1000 not in before
        assert 1000 in look(store, PLAIN, Question(), orders), store.url


def test_a_select_that_may_vary_is_not_kept() -> None:
    varying = [
        select(GUESTS).where(GUESTS.c.changed_at < func.now()),
        select(GUESTS).order_by(func.random()),
        select(GUESTS).where(text("1 = 1")),
    ]
    assert [place_of(PLAIN, one, ()) for one in varying] == [None] * 3
    by_whom = [
        place_of(PLAIN, select(GUESTS, literal(1).label("one")).where(GUESTS.c.changed_by == name), ())
        for name in ("ani", "budi", "ani")
    ]
    assert by_whom[0] == by_whom[2] != by_whom[1], "whoever sees other rows has another order"
    joined = place_of(JOINED, JOINED.select(ANI), ())  # type: ignore[misc]
    assert joined is not None
    assert joined.tables == {"y_guests", "y_towns"}


def test_orders_are_bounded_in_size_number_and_age() -> None:
    now = [0.0]
    orders = Orders(lambda: now[0])
    standing = Standing({})
    large = array("q", bytes(MOST_BYTES // 4))
    places = [Place(number, frozenset({"x"})) for number in range(5)]
    for place in places:
        orders.keep(place, standing, large)
    assert [orders.find(place, standing) is not None for place in places] == [False, True, True, True, True]
    now[0] = SECONDS - 1
    orders.keep(places[0], standing, array("q", [1]))
    now[0] = SECONDS + 1
    assert [orders.find(place, standing) is not None for place in places] == [True, False, False, False, False]
    assert orders.find(places[0], Standing({"y": 1})) is not None
    assert orders.find(places[0], Standing({"x": 1})) is None
    assert orders._bytes == 0


def test_the_forms_of_a_letter_are_all_that_fold_to_it() -> None:
    folding: dict[str, set[str]] = defaultdict(set)
    rest = "".join(map(chr, range(0x20000, sys.maxunicode + 1)))
    assert fold(rest) == rest, "no letter beyond the second plane has another form"
    for code in range(0x80, 0x20000):
        folded = fold(chr(code))
        assert len(folded) == 1
        folding[folded].add(chr(code))
    assert {letter for letter in folding if set(forms(letter)) != folding[letter]} == set()
    assert forms("É") == ()
