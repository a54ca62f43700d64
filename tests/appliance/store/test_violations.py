"""What a database holds by itself is a refusal in words, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Index, func, insert, text
from sqlalchemy.exc import IntegrityError

from appliance.contract.kinds import Code, Line, Rupiah
from appliance.contract.records import record
from appliance.contract.refusals import AlreadyThere, Refused, RuleBroken
from appliance.store.engine import Store
from appliance.store.rows import add_row
from appliance.store.tables import metadata, record_table
from appliance.store.violations import refusal_of

WHO = {"version": 1, "changed_by": "x", "changed_at": datetime(2026, 1, 1, tzinfo=UTC)}


@record
class Loan:
    """A copy that somebody has."""

    number: Code
    copy: Code
    member: Line = ""
    fine: Rupiah = 0


METADATA = metadata()
LOANS = record_table("lending_loans", Loan, METADATA, key="number")
Index("one_member", LOANS.c.copy, LOANS.c.member, unique=True)
OUT = text("fine = 0")
Index("one_out", LOANS.c.copy, unique=True, sqlite_where=OUT, postgresql_where=OUT)
Index("folded", func.lower(LOANS.c.member), unique=True)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    store = Store(database)
    METADATA.create_all(store.engine)
    with store.writing() as connection:
        yield connection
    store.close()


def add(connection: Connection, **values: Any) -> None:
    context: Any = SimpleNamespace(
        connection=connection, person=SimpleNamespace(name="x"), now=WHO["changed_at"], zone=UTC
    )
    loan = {"number": "1", "copy": "A", "member": "ani", "fine": 5, **values}
    add_row(context, LOANS, "number", loan, "loan")


def refused(connection: Connection, **values: Any) -> Refused:
    loan = {"number": "1", "copy": "A", "member": "ani", "fine": 5, **WHO, **values}
    with pytest.raises(IntegrityError) as found, connection.begin_nested():
        connection.execute(insert(LOANS).values(loan))
    return refusal_of(found.value)


def test_an_index_of_the_authors_own_is_looked_at(connection: Connection) -> None:
    add(connection)
    with pytest.raises(AlreadyThere, match="there is a loan A, ani already") as told:
        add(connection, number="2")
    assert told.value.field == "copy"
    add(connection, number="2", member="budi")  # one_out is of some rows only


def test_what_only_the_database_sees_has_words(connection: Connection) -> None:
    add(connection)
    found = refused(connection, member="budi", copy="B")
    assert isinstance(found, AlreadyThere)
    assert (str(found), found.field) == ("there is one with the same number among loans already", "number")
    assert isinstance(refused(connection, number="2", copy="B", member="ANI"), AlreadyThere)  # an expression
    missing = refused(connection, number="3", copy=None, member="z")
    assert isinstance(missing, RuleBroken)
    assert (str(missing), missing.field) == ("copy of loans is missing", "copy")
