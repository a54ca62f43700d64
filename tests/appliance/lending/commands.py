"""What the desk does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, literal, select

from appliance.contract.commands import change, query
from appliance.contract.context import Context
from appliance.contract.documents import Document
from appliance.contract.kinds import Code, Count, Line
from appliance.contract.listings import Asking, Listing
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.store.revisions import metadata_of
from appliance.store.rows import add_row, values_of
from tests.appliance.lending import service
from tests.appliance.lending.model import STAFF, Book, Settings

BOOKS = metadata_of(service).tables["lending_books"]


@record
class Late:
    """A book that should be back."""

    code: Code
    fine: Count
    asker: Line


@record
class Titled:
    """A new title, which nobody has looked at."""

    code: Line
    title: Line


def refuse_lent(context: Context, gone: Any) -> None:
    """A book that somebody has stays."""
    if context.connection.execute(select(BOOKS.c.lent_until).where(BOOKS.c.code == gone.code)).scalar() is not None:
        raise RuleBroken("somebody has {code}", code=gone.code)


def late(asking: Asking) -> Any:
    """Of today, by the settings."""
    fine = literal(asking.settings(Settings).fine).label("fine")
    columns = (BOOKS.c.id, BOOKS.c.version, BOOKS.c.code, fine, literal(asking.person.name).label("asker"))
    return select(*columns).where(BOOKS.c.lent_until < asking.today)


BEFORE = {"books.remove": refuse_lent}
LISTINGS = (Listing(name="late", row=Late, see=STAFF, key="code", select=late),)


@change("librarian")
def take_in(context: Context, titled: Titled) -> None:
    """Add a book without looking."""
    add_row(context, BOOKS, "code", values_of(Book(code=titled.code, title=titled.title)), "book")


@change("librarian")
def raw(context: Context, titled: Titled) -> None:
    """Add a book behind the store's back."""
    row = {"version": 1, "changed_by": "x", "changed_at": context.now}
    context.connection.execute(insert(BOOKS).values(code=titled.code, title=titled.title, **row))


@query("librarian")
def wrong(context: Context) -> Book:
    """Answer what is no book."""
    return Book(code="two words", title="")


@query("librarian")
def slip(context: Context) -> Document:
    """Print."""
    return Document(template="lending/slip", title="Slip", values=Titled(code="B1", title="Moby"))
