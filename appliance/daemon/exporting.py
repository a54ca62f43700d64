"""The rows of a query as a file: CSV part by part, XLSX written beside and then sent."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance.contract.fields import Field, Kind
from appliance.contract.listings import Listing, columns_of
from appliance.contract.people import Person
from appliance.store.engine import Store
from appliance.store.listing import Row, page

__all__ = ["csv_parts", "xlsx_parts"]

BATCH = 1000
PART = 64 * 1024
FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9 ()-]*$)")
"""What a spreadsheet would run when it opens a CSV (OWASP, CSV Injection); a telephone number is none."""
NUMBERS = {
    Kind.WHOLE: "#,##0",
    Kind.RUPIAH: '"Rp" #,##0',
    Kind.SHARE: '0"%"',
    Kind.DECIMALS: "General",
    Kind.DAY: "yyyy-mm-dd",
    Kind.MOMENT: "yyyy-mm-dd hh:mm",
}
LONGEST_SHEET = 1_048_575
"""Rows below the head (Excel's specifications and limits)."""


def csv_parts(store: Store, listing: Listing, ids: Sequence[int], person: Person, zone: ZoneInfo) -> Iterator[bytes]:
    """UTF-8 with a mark, so that spreadsheets read it as such; RFC 4180."""
    fields = [one.field for one in columns_of(listing.row)]
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow([field.label for field in fields])
    for rows in _batches(store, listing, ids, person):
        writer.writerows(
            [_cell(field, value, zone) for field, value in zip(fields, row.values, strict=True)] for row in rows
        )
        yield text.getvalue().encode("utf-8", "replace")
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def xlsx_parts(store: Store, listing: Listing, ids: Sequence[int], person: Person, zone: ZoneInfo) -> Iterator[bytes]:
    """One sheet, numbers as numbers and days as days. Rows beyond Excel's last one are left out."""
    with tempfile.TemporaryDirectory(prefix="gerbang-export-") as folder:
        path = Path(folder) / "export.xlsx"
        _write_sheet(path, store, listing, ids, person, zone)
        with path.open("rb") as file:
            while part := file.read(PART):
                yield part


def _write_sheet(
    path: Path, store: Store, listing: Listing, ids: Sequence[int], person: Person, zone: ZoneInfo
) -> None:
    import xlsxwriter  # type: ignore[import-untyped]

    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet(listing.name[:31])
        head = book.add_format({"bold": True})
        fields = [one.field for one in columns_of(listing.row)]
        formats = [book.add_format({"num_format": NUMBERS.get(field.kind, "@")}) for field in fields]
        for column, field in enumerate(fields):
            sheet.write_string(0, column, field.label, head)
        sheet.freeze_panes(1, 0)
        place = 0
        for rows in _batches(store, listing, ids[:LONGEST_SHEET], person):
            for row in rows:
                place += 1
                for column, (field, value) in enumerate(zip(fields, row.values, strict=True)):
                    _write_cell(sheet, place, column, field, value, formats[column], zone)


def _write_cell(sheet: Any, row: int, column: int, field: Field, value: Any, form: Any, zone: ZoneInfo) -> None:
    if value is None:
        return
    if field.numeric:
        sheet.write_number(row, column, value, form)
    elif field.kind is Kind.DAY:
        sheet.write_datetime(row, column, datetime.combine(date.fromisoformat(value), datetime.min.time()), form)
    elif field.kind is Kind.MOMENT:
        # Excel knows no offsets: the clock where the appliance stands.
        moment = datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None)
        sheet.write_datetime(row, column, moment, form)
    else:
        sheet.write_string(row, column, _text(value)[:32_767], form)


def _batches(store: Store, listing: Listing, ids: Sequence[int], person: Person) -> Iterator[list[Row]]:
    """A snapshot for each thousand rows: a slow reader keeps none open. Rows that were removed are left out."""
    for start in range(0, len(ids), BATCH):
        with store.reading() as connection:
            rows = page(connection, listing, ids[start : start + BATCH], person)
        yield [row for row in rows if row.version]


def _cell(field: Field, value: Any, zone: ZoneInfo) -> Any:
    if field.kind is Kind.MOMENT and value is not None:
        return datetime.fromisoformat(value).astimezone(zone).isoformat(timespec="seconds")
    if field.numeric or value is None:
        return value
    text = _text(value)
    return f"'{text}" if FORMULA.match(text) else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        return " ".join(_text(one) for one in value.values())
    return "" if value is None else str(value)
