"""Orders that are kept give what asking anew gives, whatever others change meanwhile, on both databases."""

from __future__ import annotations

import sys
import threading
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Select,
    String,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from appliance.contract.folding import fold, forms
from appliance.contract.kinds import Line, Note, Whole
from appliance.contract.listings import Condition, Listing, Order, Question
from appliance.contract.people import Person
from appliance.contract.records import record
from appliance.store import listing as listing_module
from appliance.store import placing
from appliance.store.engine import Store
from appliance.store.listing import Known, ask
from appliance.store.orders import MOST_BYTES, SECONDS, Orders, Place, place_of
from appliance.store.placing import placed
from appliance.store.tables import metadata, record_table
from appliance.store.touches import Standing
from tests.appliance.postgresql import Server
from tests.appliance.store.asked import asking

ANI = asking(Person("ani"))


@record
class Town:
    """Named by its key."""

    name: Line
    note: Note | None = None
    number: Whole | None = None


@record
class Guest:
    """Of a town."""

    name: Line
    town: Line
    note: Note | None = None
    number: Whole | None = None


METADATA = metadata()
TOWNS = record_table("y_towns", Town, METADATA, key="name")
OTHERS = record_table("y_others", Town, METADATA)
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
TOWNED = Listing(
    name="towns",
    row=Guest,
    see=frozenset({"clerk"}),
    select=lambda _asking: select(
        *(TOWNS.c[name] for name in ("id", "version", "name", "note", "number")),
        func.coalesce(TOWNS.c.note, "").label("town"),
    ),
)
LISTINGS = (PLAIN, JOINED, HOMES, TOWNED)
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
    st.tuples(st.just("remove all of"), names),
    st.tuples(st.just("rename all of"), names, names),
    st.tuples(st.just("number all of"), names, st.none() | st.integers(-2, 2)),
    st.tuples(st.just("several"), st.lists(st.integers(0, 9), max_size=3), st.none() | st.integers(-2, 2)),
    st.tuples(st.just("found"), st.none() | st.integers(-2, 2)),
    st.tuples(st.just("renumber"), st.none() | st.integers(-2, 2)),
    st.tuples(st.just("move"), st.integers(0, 9)),
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
                case "remove all of", name:
                    connection.execute(delete(GUESTS).where(GUESTS.c.name == name))
                case "rename all of", name, other:
                    connection.execute(update(GUESTS).where(GUESTS.c.name == name).values(name=other))
                case "number all of", name, value:
                    connection.execute(update(GUESTS).where(GUESTS.c.name == name).values(number=value, town=name))
                case "several", places, value:
                    wanted = update(GUESTS).where(GUESTS.c.id == bindparam("which")).values(number=value, name="Zo")
                    if places:
                        connection.execute(wanted, [{"which": place} for place in places])
                case "found", value:
                    # Numbered by the database.
                    next_id = select(func.max(TOWNS.c.id) + 1).scalar_subquery()
                    connection.execute(insert(TOWNS).values(id=next_id, name=f"new {number}", number=value, **MORE))
                case "renumber", value:
                    connection.execute(update(TOWNS).where(TOWNS.c.name == TWO[2]).values(number=value, note="k"))
                case "move", place:
                    connection.execute(update(GUESTS).where(GUESTS.c.id == place).values(id=50 + number))
                case "rename", name:
                    # The database carries it along to the guests.
                    connection.execute(update(TOWNS).where(TOWNS.c.id == 1).values(name=f"{name}{number}"))
                case "by hand", name:
                    connection.execute(text("UPDATE y_guests SET name = :name WHERE id < 3"), {"name": name})
    except _Undone:
        pass


@pytest.fixture
def of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were changed are put to their places in short lists too."""
    monkeypatch.setattr(placing, "SHORT", 0)


@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=12, deadline=None
)
@given(st.lists(guests, min_size=1, max_size=9), st.lists(st.tuples(changes, questions), min_size=1, max_size=4))
@pytest.mark.usefixtures("of_any_length")
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


@pytest.fixture
def sorted_whole(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows the database sorted, each time that it sorted a whole listing."""
    counts: list[int] = []

    def counted(connection: Connection, query: Select[Any]) -> array[int]:
        ids = all_ids(connection, query)
        counts.append(len(ids))
        return ids

    all_ids = listing_module._ids
    monkeypatch.setattr(listing_module, "_ids", counted)
    return counts


def filled(store: Store, count: int) -> None:
    """So many guests, and no town."""
    some = [
        {"id": place, "name": NAMES[place * 7 % len(NAMES)], "town": f"{place * 31 % count:05}", **MORE}
        for place in range(1, count + 1)
    ]
    with store.writing() as connection:
        connection.execute(delete(GUESTS))
        connection.execute(delete(TOWNS))
        connection.execute(insert(GUESTS), some)


def test_the_second_look_does_not_ask_the_database_to_sort(stores: tuple[Store, ...], sorted_whole: list[int]) -> None:
    """Changes of other tables do not matter, nor does who only looks."""
    for store in stores:
        filled(store, 9)
        orders = Orders()
        first = look(store, PLAIN, Question(), orders)
        with store.writing() as connection:
            connection.execute(select(GUESTS)).all()
            connection.execute(delete(OTHERS))
        assert look(store, PLAIN, Question(), orders) == first
        assert sorted_whole == [9], store.url
        with store.writing() as connection:
            connection.execute(update(GUESTS).values(version=2))
        assert look(store, PLAIN, Question(), orders) == first
        assert sorted_whole == [9, 9], store.url
        sorted_whole.clear()


def test_after_a_change_of_few_rows_the_others_are_not_sorted_again(
    stores: tuple[Store, ...], sorted_whole: list[int]
) -> None:
    """Whichever way they were changed."""
    count = 3_000
    question = Question(order=(Order(column="name", descending=True), Order(column="town")))
    for store in stores:
        filled(store, count)
        orders = Orders()
        look(store, PLAIN, question, orders)
        guest = {"name": "Àni", "town": "t", "note": None, "number": None}
        few: list[list[tuple[Any, ...]]] = [
            [("alter", 1500, guest)],
            [("remove", 7)],
            [("add", guest | {"name": ""})],
            [("several", [1, 3000, 1777], 5)],
            [("undone", guest)],
            [("several", list(range(200, 230)), 7)],
            [("alter", 12, guest | {"name": "of one"}), ("alter", 14, guest)],
            [("number all of", "of one", 3), ("remove", 2999)],
        ]
        many: list[list[tuple[Any, ...]]] = [
            [("rename all of", "of one", "k"), ("alter", 90, guest)],
            [("alter", 12, guest | {"name": "of one"}), ("remove all of", "of one")],
            [("several", list(range(300, 400)), 7)],
            [("number all of", "ani", 7)],
            [("by hand", "k")],
            [("move", 9)],
        ]
        for number, changes in enumerate((*few, *many)):
            sorted_whole.clear()
            for place, change in enumerate(changes):
                apply(store, change, 10_000 * (1 + place) + number)
            found = look(store, PLAIN, question, orders)
            assert (sorted_whole == []) == (number < len(few)), (store.url, changes)
            assert found == look(store, PLAIN, question), (store.url, changes)


def test_a_change_that_is_kept_but_not_counted_yet_is_put_to_its_place(
    stores: tuple[Store, ...], sorted_whole: list[int]
) -> None:
    """Its connection is not given back yet, so a snapshot has it and the counts have not."""
    question = Question(order=(Order(column="town"),))
    for store in stores[:2]:
        filled(store, 3_000)
        orders = Orders()
        order = look(store, PLAIN, question, orders)
        sorted_whole.clear()
        apply(store, ("alter", order[10], {"town": "02999a"}), 0)
        with store.engine.connect() as connection:
            connection.execute(update(GUESTS).where(GUESTS.c.id == order[2000]).values(town="02999b"))
            connection.execute(update(GUESTS).where(GUESTS.c.id == order[-1]).values(town="0"))
            connection.commit()
            found = look(store, PLAIN, question, orders)
            assert sorted_whole == [], store.url
            assert found == look(store, PLAIN, question), store.url
            assert found[-2:] == [order[10], order[2000]]
        assert look(store, PLAIN, question, orders) == found


@given(
    st.dictionaries(st.integers(1, 300), st.integers(0, 5), max_size=60),
    st.dictionaries(st.integers(1, 300), st.none() | st.integers(0, 5), max_size=20),
)
@pytest.mark.usefixtures("of_any_length")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_changed_rows_are_put_where_sorting_anew_puts_them(
    before: dict[int, int], changed: dict[int, int | None]
) -> None:
    """By a key that many have, then by the id; None is a row that is gone. Never are as many sorted as there are."""
    now = {one: key for one, key in (before | changed).items() if key is not None}
    asked: list[int] = []

    def in_order(some: Collection[int]) -> list[int]:
        asked.append(len(some))
        return sorted((one for one in some if one in now), key=lambda one: (now[one], one))

    ids = array("q", sorted(before, key=lambda one: (before[one], one)))
    kept = ids[:]
    found = placed(ids, frozenset(changed), in_order)
    assert found is not None
    assert list(found) == sorted(now, key=lambda one: (now[one], one))
    assert ids == kept, "others look at it"
    assert len(asked) <= 2


@pytest.mark.usefixtures("of_any_length")
def test_an_order_that_others_have_left_is_not_mended() -> None:
    """Somebody has removed, moved or doubled rows past the daemon."""
    ids = array("q", range(1, 101))
    for now in (range(2, 101), [*range(2, 101), 1], [*range(1, 101), 50], []):
        wanted = list(now)
        assert placed(ids, frozenset({50}), lambda some, wanted=wanted: [one for one in wanted if one in some]) is None  # type: ignore[misc]


def test_a_change_while_somebody_looks_is_not_missed(stores: tuple[Store, ...]) -> None:
    """The order of a snapshot from before the change is not kept for those who look after it."""
    for store in stores[:2]:
        filled(store, 9)
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


def test_whether_a_row_of_a_listing_is_one_of_a_table() -> None:
    other = GUESTS.alias()
    alone = [
        select(GUESTS),
        JOINED.select(ANI),  # type: ignore[misc]
        select(GUESTS, TOWNS.c.name.label("where")).where(TOWNS.c.name == GUESTS.c.home),
    ]
    of_several = [
        select(GUESTS.c.id, func.max(GUESTS.c.name)),
        select(GUESTS.c.id, func.count().over(order_by=GUESTS.c.name)),
        select(GUESTS, select(func.count(other.c.id)).scalar_subquery().label("all")),
        select(GUESTS).join(other, other.c.name == GUESTS.c.name),
        select(GUESTS).where(GUESTS.c.name.in_(select(other.c.name))),
        select(GUESTS).where(select(other.c.id).where(other.c.id == GUESTS.c.number).exists()),
        select(GUESTS).limit(3),
        select(GUESTS).offset(3),
        select(GUESTS).distinct(),
        select(GUESTS).group_by(GUESTS.c.id),
        select((GUESTS.c.id + 1).label("id")),
        select(other),
    ]
    places = [[place_of(PLAIN, one, ()) for one in several] for several in (alone, of_several)]
    assert [one.base for one in places[0] if one is not None] == [GUESTS] * 3
    assert [one.base for one in places[1] if one is not None] == [None] * len(of_several)


def test_orders_are_bounded_in_size_number_and_age() -> None:
    now = [0.0]
    orders = Orders(lambda: now[0])
    standing = Standing({})
    large = array("q", bytes(MOST_BYTES // 4))
    places = [Place(number, frozenset({"x"})) for number in range(5)]
    for place in places:
        orders.keep(place, standing, large)
    assert [orders.find(place) is not None for place in places] == [False, True, True, True, True]
    now[0] = SECONDS - 1
    orders.keep(places[0], standing, array("q", [1]))
    old = orders.find(places[4])
    assert old is not None
    orders.keep(places[4], standing, array("q", [1]), after=old)
    now[0] = SECONDS + 1
    # What was made from an older one ends with it.
    assert [orders.find(place) is not None for place in places] == [True, False, False, False, False]
    kept = orders.find(places[0])
    assert kept is not None
    assert kept.counts == Standing({"y": 1}).of({"x"})
    assert kept.counts != Standing({"x": 1}).of({"x"})
    now[0] = 2 * SECONDS
    assert orders.find(places[0]) is None
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
