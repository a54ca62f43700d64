"""Books, and who has them."""

from __future__ import annotations

from typing import Annotated

from appliance.contract.kinds import Code, Day, Name, Refers, Rupiah
from appliance.contract.master_data import MasterData
from appliance.contract.records import record

STAFF = frozenset({"librarian"})


@record(title="book")
class Book:
    """One that is lent."""

    code: Code
    title: Name
    lent_until: Day | None = None


@record(title="copy")
class Copy:
    """One of several of a book."""

    number: Code
    book: Annotated[Code, Refers("books")]


@record
class Settings:
    """The library's own rules."""

    fine: Rupiah = 500


MASTER_DATA = (
    MasterData(name="books", record=Book, key="code", see=STAFF, change=STAFF),
    MasterData(name="copies", record=Copy, key="number", see=STAFF, change=STAFF),
)
