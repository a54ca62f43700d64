"""A migration that is written for an author is one that stores with rows in them survive."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from appliance.contract.service import Service
from appliance.store.authoring import assert_migrations_match, differences, new_revision
from appliance.store.engine import Store
from appliance.store.migrate import MigrationFailed, downgrade, upgrade
from compiler.errors import UsageError
from tests.appliance.store.test_backup import WHO

TABLES = """
from typing import Annotated, Literal
from appliance.contract.kinds import *
from appliance.contract.records import record
from appliance.store.tables import metadata, record_table
@record
class Book:
    code: Code
    name: Name{more}
METADATA = metadata()
BOOKS = record_table("shelf_books", Book, METADATA, key="code",
    refers={{"books": "shelf_books.code"}}, unique=[{unique}])
"""


class Author:
    """Somebody who writes a service, version after version."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "shelf_service"
        self.package.mkdir()
        (self.package / "__init__.py").touch()
        self.service = Service(name="shelf", title="Shelf", package="shelf_service", roles=())
        self.writes("")

    def writes(self, more: str, unique: str = "") -> None:
        """The record with these further fields."""
        (self.package / "tables.py").write_text(TABLES.format(more=more, unique=unique))
        for name in [one for one in sys.modules if one.startswith("shelf_service")]:
            del sys.modules[name]

    def books(self) -> Any:
        """The table."""
        module = self.service.module("tables")
        assert module is not None
        return module.BOOKS


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Author:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Author(tmp_path)
    new_revision(made.service, "Books")
    return made


NEW = """
    price: Rupiah = 0
    words: Line = "it's 5:30 %s"
    lent: YesNo = True
    weight: Decimals = 1.5
    bought: Day = __import__("datetime").date(2020, 2, 3)
    state: Literal["new", "used"] = "used"
    tags: tuple[Name, ...] = ("old",)
    note: Note = ""
"""
VALUES = (0, "it's 5:30 %s", True, 1.5, "2020-02-03", "used", ("old",), "")


def test_a_new_field_takes_its_default_in_rows_that_are_there(author: Author, database: str) -> None:
    store = Store(database)
    upgrade(store, [author.service], None)
    with store.writing() as connection:
        connection.execute(insert(author.books()), [{"code": str(n), "name": "x", **WHO} for n in range(3)])
    author.writes(NEW)
    new_revision(author.service, "Prices")
    upgrade(store, [author.service], None)
    assert differences(store, author.service) == []
    with store.reading() as connection:
        rows = connection.execute(select(author.books())).all()
    found = [(r.price, r.words, r.lent, r.weight, str(r.bought), r.state, r.tags, r.note) for r in rows]
    assert found == [VALUES] * 3
    with pytest.raises(Exception, match=r"(?i)not.null"), store.writing() as connection:
        connection.execute(insert(author.books()).values(code="9", name="x", words="", lent=True, **WHO))  # no default
    downgrade(store, author.service, "shelf_0001")
    upgrade(store, [author.service], None)
    store.close()
    assert_migrations_match(author.service)


def test_a_field_that_was_optional_is_filled_and_one_that_goes_comes_back(author: Author, database: str) -> None:
    author.writes("\n    price: Rupiah | None = None\n    words: Line | None = None\n    gone: Rupiah = 7")
    new_revision(author.service, "Optional")
    store = Store(database)
    upgrade(store, [author.service], None)
    with store.writing() as connection:
        connection.execute(insert(author.books()), [{"code": str(n), "name": "x", "gone": 1, **WHO} for n in range(2)])
    author.writes('\n    price: Rupiah = 5\n    words: Line = "a:b \'"')
    new_revision(author.service, "Required")
    upgrade(store, [author.service], None)
    with store.reading() as connection:
        found = connection.execute(select(author.books().c.price, author.books().c.words)).all()
    assert found == [(5, "a:b '")] * 2
    downgrade(store, author.service, "shelf_0002")
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT gone FROM shelf_books").scalars().all() == [0, 0]
    store.close()


@pytest.mark.parametrize(
    ("more", "unique", "words"),
    [
        ("price: Rupiah", "", r"shelf_books.price is new and required, and has no default: .* Give it a default"),
        ("shelf: Code = 'A'", '("shelf",)', r"shelf_books.shelf is new, required and unique"),
        ("over: Annotated[Code, Refers('books')] = 'A'", "", r"shelf_books.over is new, required and refers"),
        ("at: Moment = __import__('datetime').datetime.now()", "", r"shelf_books.at is a new moment"),
    ],
)
def test_a_field_that_leaves_rows_without_a_value_is_refused(
    author: Author, more: str, unique: str, words: str
) -> None:
    author.writes(f"\n    {more}", unique)
    with pytest.raises(UsageError, match=words):
        new_revision(author.service, "More")
    assert [one.name for one in (author.package / "migrations").glob("0*")] == ["0001_books.py"]


EMPTY_ONLY = """
revision = "shelf_0002"
down_revision = "shelf_0001"
import sqlalchemy as sa
from alembic import op
def upgrade():
    with op.batch_alter_table("shelf_books") as batch:
        batch.add_column(sa.Column("price", sa.BigInteger(), nullable=False))
def downgrade():
    with op.batch_alter_table("shelf_books") as batch:
        batch.drop_column("price")
"""


def test_a_step_that_only_an_empty_store_survives_fails_the_test_of_it(author: Author, database: str) -> None:
    author.writes("\n    price: Rupiah = 0")
    (author.package / "migrations" / "0002_price.py").write_text(EMPTY_ONLY)
    with pytest.raises(Exception, match=r"(?i)not null|null values"):
        assert_migrations_match(author.service, database)


def test_starts_that_fail_leave_one_backup(author: Author, tmp_path: Path, database: str) -> None:
    store = Store(database)
    upgrade(store, [author.service], None)
    (author.package / "migrations" / "0002_price.py").write_text(EMPTY_ONLY.replace("shelf_books", "nothing"))
    folder = tmp_path / "backups"
    for _ in range(3):
        with pytest.raises(MigrationFailed, match="a backup is in"):
            upgrade(store, [author.service], folder)
    assert len(list(folder.iterdir())) == 1
    _change_something(store)
    with pytest.raises(MigrationFailed):
        upgrade(store, [author.service], folder)
    assert len(list(folder.iterdir())) == 2, "what was written since is in a backup too"
    store.close()


def _change_something(store: Store) -> None:
    from datetime import UTC, datetime

    from appliance.store.audit import Line, append

    with store.writing() as connection:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        append(connection, Line(at=at, person="a", service="s", command="c", arguments={}), b"key")
