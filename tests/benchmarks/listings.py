"""A listing of 100,000 rows on SQLite and PostgreSQL side by side: choosing and sorting by every kind of column.

    python -m tests.benchmarks.listings [ROWS] [ROUNDS]

``first`` is the first question after somebody has changed a row; ``then`` is the same question again, without a
change in between. Medians in milliseconds, in the daemon, from the question to the sorted ids and their first hundred
rows; what a person waits for at a terminal is in ``console_grid``.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import insert, select, text, update

from appliance.contract.kinds import Day, Decimals, Line, Moment, Name, Note, Rupiah, Share, Whole, YesNo
from appliance.contract.listings import Condition, Listing, Order, Question
from appliance.contract.people import Person
from appliance.contract.records import record
from appliance.store.engine import Store
from appliance.store.listing import Known, ask, page
from appliance.store.orders import Orders
from appliance.store.tables import metadata, record_table
from tests.appliance.postgresql import ended, started
from tests.appliance.store.asked import asking

__all__ = ["BOOKINGS", "LISTING", "METADATA", "Booked", "fill"]

CITIES = ("Makassar", "makale", "Ambon", "Bulukumba", "Palopo", "São Tomé", "Ñuñoa", "Århus", "Zürich", "Éire")


@record
class Booked:
    """A column of each kind."""

    code: Line
    guest: Name
    city: Line
    note: Note | None = None
    beds: Whole = 1
    rate: Rupiah = 0
    part: Share = 0
    weight: Decimals | None = None
    day: Day
    seen: Moment
    open: YesNo = False
    state: Literal["free", "dirty", "taken"] = "free"
    tags: tuple[Name, ...] = ()


METADATA = metadata()
BOOKINGS = record_table("bench_bookings", Booked, METADATA)
LISTING = Listing(
    name="bookings", row=Booked, see=frozenset({"clerk"}), key="code", select=lambda _asking: select(BOOKINGS)
)
ANI = asking(Person("ani"))
QUESTIONS: dict[str, Question] = {
    f"sort by {column}{' reversed' if descending else ''}": Question(
        order=(Order(column=column, descending=descending),)
    )
    for column in ("guest", "city", "note", "tags", "state", "rate", "weight", "day", "seen", "open")
    for descending in (False, True)
} | {
    "sort by city, guest": Question(order=(Order(column="city"), Order(column="guest"))),
    "guest contains 'ani'": Question(conditions=(Condition(column="guest", operator="contains", value="ani"),)),
    "city contains 'é'": Question(conditions=(Condition(column="city", operator="contains", value="é"),)),
    "city = 'são tomé'": Question(conditions=(Condition(column="city", operator="=", value="são tomé"),)),
    "rate > 1000000": Question(conditions=(Condition(column="rate", operator=">", value="1000000"),)),
    "state = taken": Question(conditions=(Condition(column="state", operator="=", value="taken"),)),
    "day >= 2014-01-01": Question(conditions=(Condition(column="day", operator=">=", value="2014-01-01"),)),
    "search 'pal'": Question(search="pal"),
    "search 'é', sort by guest reversed": Question(search="é", order=(Order(column="guest", descending=True),)),
    "guest contains 'an', sort by city": Question(
        conditions=(Condition(column="guest", operator="contains", value="an"),), order=(Order(column="city"),)
    ),
}


def rows(count: int) -> Iterator[dict[str, Any]]:
    """The same rows on both: a tenth of the texts are beyond ASCII."""
    chance = random.Random(6)
    names = ("Ani", "budi", "Citra", "Dewi", "Eko", "Fitriani", "Gilang", "Hasanuddin", "Indah", "José", "Zoë")
    began = datetime(2013, 1, 1, tzinfo=UTC)
    for number in range(count):
        yield {
            "id": number + 1,
            "version": 1,
            "changed_by": "ani",
            "changed_at": began,
            "code": f"B{number:06}",
            "guest": f"{chance.choice(names)} {chance.choice(names)} {chance.randrange(10**5)}",
            "city": chance.choice(CITIES),
            "note": None if number % 4 == 0 else f"note of {chance.randrange(10**6)}, {chance.choice(names)}",
            "beds": chance.randrange(1, 9),
            "rate": chance.randrange(100, 2000) * 1000,
            "part": chance.randrange(100),
            "weight": None if number % 5 == 0 else chance.random() * 100,
            "day": date(2013, 1, 1) + timedelta(chance.randrange(700)),
            "seen": began + timedelta(seconds=chance.randrange(10**8)),
            "open": chance.random() < 0.5,
            "state": chance.choice(("free", "dirty", "taken")),
            "tags": tuple(chance.sample(names, chance.randrange(3))),
        }


def fill(store: Store, count: int) -> None:
    """The table, full."""
    METADATA.create_all(store.engine)
    with store.writing() as connection:
        connection.execute(insert(BOOKINGS), list(rows(count)))
    if store.url.get_backend_name() == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


@contextmanager
def stores(count: int) -> Iterator[dict[str, Store]]:
    """One of each kind."""
    server = started()
    with tempfile.TemporaryDirectory(prefix="gerbang-bench-") as folder:
        both = {"SQLite": Store(f"sqlite:///{Path(folder) / 'store.sqlite'}"), "PostgreSQL": Store(server.create())}
        try:
            for store in both.values():
                fill(store, count)
            yield both
        finally:
            for store in both.values():
                store.close()
            ended(server)


def took(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def answered(store: Store, orders: Orders, question: Question) -> None:
    """As the daemon does."""
    known = Known(orders, store.touches.standing())
    with store.reading() as connection:
        found = ask(connection, LISTING, question, ANI, known)
        page(connection, LISTING, found.ids[:100], ANI)


def changed(store: Store) -> None:
    """Somebody else changes a row."""
    with store.writing() as connection:
        row = random.randrange(1, 100)
        connection.execute(update(BOOKINGS).where(BOOKINGS.c.id == row).values(version=BOOKINGS.c.version + 1))


def medians(store: Store, question: Question, rounds: int) -> tuple[float, float]:
    """Of the first question after a change, and of the next."""
    orders, first, then = Orders(), [], []
    for _ in range(rounds):
        changed(store)
        first.append(took(lambda: answered(store, orders, question)))
        then.append(took(lambda: answered(store, orders, question)))
    return statistics.median(first), statistics.median(then)


def main() -> None:
    """Print the table."""
    count, rounds = (*map(int, sys.argv[1:]), *(100_000, 7)[len(sys.argv) - 1 :])
    with stores(count) as both:
        print(f"{count:,} rows, ms{'':<22}" + "".join(f"{name:>12} first {'then':>5}" for name in both))
        for name, question in QUESTIONS.items():
            cells = [medians(store, question, rounds) for store in both.values()]
            print(f"  {name:<36}" + "".join(f"{first:16.0f} {then:7.0f}" for first, then in cells), flush=True)


if __name__ == "__main__":
    main()
