"""Exports that a spreadsheet reads as what they are, and no cell of which it runs."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import insert, select

from appliance.contract.listings import Listing, Question
from appliance.contract.people import Person
from appliance.contract.refusals import Refused
from appliance.store.engine import Store
from appliance.store.export import Export, export_csv, export_xlsx
from appliance.store.listing import ask
from tests.appliance.store.asked import asking
from tests.appliance.store.shop.tables import GOODS, METADATA, Good, Size
from tests.appliance.store.test_backup import good

LISTING = Listing(name="goods", row=Good, see=frozenset({"clerk"}), select=lambda _asking: select(GOODS))
FORMULAS = ["=1+1", "+62 341", "-2+3", "@SUM(A1)", "＝1"]


@pytest.fixture
def store() -> Store:
    store = Store("sqlite://")
    METADATA.create_all(store.engine)
    full = {"note": 'a "b"\n,c', "price": -10, "weight": 0.5, "since": date(2013, 2, 15), "size": Size.LARGE}
    full |= {"seen": datetime(2013, 2, 15, 20, tzinfo=UTC), "fragile": True, "tags": ("x", "y")}
    with store.writing() as connection:
        connection.execute(
            insert(GOODS), [good("0", **full), *[good(str(n), name=one) for n, one in enumerate(FORMULAS, 1)]]
        )
    return store


def export(store: Store, language: str = "en") -> tuple[Export, Any]:
    who = asking(Person("ani", language=language))
    with store.reading() as connection:
        ids = ask(connection, LISTING, Question(), who).ids
    return Export(listing=LISTING, ids=ids, asking=who, zone=ZoneInfo("Asia/Jakarta")), store


def test_csv(store: Store) -> None:
    wanted, _ = export(store)
    with store.reading() as connection:
        text = b"".join(export_csv(connection, wanted)).decode("utf-8-sig")
    assert text.count("\r\n") == 7
    rows = list(csv.reader(StringIO(text, newline="")))
    assert rows[0][:4] == ["Code", "Name", "Maker", "Note"]
    assert rows[0][6] == "Discount (%)"
    assert rows[1][3:9] == ['a "b"\n,c', "", "-10", "0", "0.5", "2013-02-15"]
    assert rows[1][9:] == ["2013-02-16 03:00:00+07:00", "yes", "large", "new", "x, y"]
    assert [row[1] for row in rows[2:]] == [f"'{one}" for one in FORMULAS]


def test_xlsx(store: Store) -> None:
    wanted, _ = export(store)
    file = BytesIO()
    with store.reading() as connection:
        export_xlsx(connection, wanted, file)
    sheet: Any = openpyxl.load_workbook(file).active
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0]][:2] == ["Code", "Name"]
    said = [cell.value for cell in rows[1]][5:]
    assert said[:3] == [-10, 0, 0.5]
    assert said[3:5] == [datetime(2013, 2, 15), datetime(2013, 2, 16, 3)]
    assert [(row[1].value, row[1].data_type) for row in rows[2:]] == [(one, "s") for one in FORMULAS]


def test_csv_comes_in_pieces(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(insert(GOODS), [good(f"g{n}") for n in range(2_500)])
    wanted, _ = export(store)
    with store.reading() as connection:
        pieces = list(export_csv(connection, wanted))
    assert len(pieces) == 3
    assert b"".join(pieces).count(b"\r\n") == 2_507


def test_sheet_that_would_not_hold_them(store: Store) -> None:
    many = Export(listing=LISTING, ids=range(1_048_576), asking=asking(Person("ani")), zone=ZoneInfo("UTC"))
    with store.reading() as connection, pytest.raises(Refused, match="1048575 rows"):
        export_xlsx(connection, many, BytesIO())
