"""A table as a file for a spreadsheet: CSV (RFC 4180) and XLSX, with headers in the reader's language. Pure.

A text that begins like a formula is never one: in CSV it gets an apostrophe
before it (OWASP, "CSV Injection"), in XLSX it is written as a text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from io import StringIO
from typing import IO, Any

from appliance.contract.fields import Field, Kind
from appliance.language import Translate

__all__ = ["LARGEST_SHEET", "Sheet", "csv_of", "xlsx_into"]

LARGEST_SHEET = 1_048_575
"""Rows under the header: Excel's specification and limits."""
_RISKY = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_LONGEST_CELL = 32_767
_EXACT = 10**15
"""A spreadsheet keeps 15 digits."""
_PIECE = 1_000
"""Rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the columns are, and for whom. Rows are values in their order, as JSON has them."""

    fields: Sequence[Field]
    translate: Translate
    """Into the reader's language."""
    zone: tzinfo | None = None
    """Of moments; None: each stays in its own."""

    @property
    def headers(self) -> list[str]:
        """The labels, with the units."""
        return [
            f"{self.translate(field.label)} ({self.translate(field.unit)})"
            if field.unit
            else self.translate(field.label)
            for field in self.fields
        ]

    def there(self, moment: str) -> datetime:
        """The moment on the clock of the zone."""
        at = datetime.fromisoformat(moment)
        return at.astimezone(self.zone) if self.zone else at


def csv_of(sheet: Sheet, rows: Iterable[Sequence[Any]], *, plain: bool = False) -> Iterator[bytes]:
    """UTF-8 with its mark, which Excel needs to see it; a piece a thousand rows.

    ``plain`` is for programs: no mark, the names of the fields in place of their labels, and lines as UNIX ends them.
    """
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n" if plain else "\r\n")
    if plain:
        writer.writerow([field.name for field in sheet.fields])
    else:
        buffer.write("\ufeff")
        writer.writerow([_harmless(header) for header in sheet.headers])
    for count, row in enumerate(rows, 1):
        writer.writerow([_said(field, value, sheet) for field, value in zip(sheet.fields, row, strict=True)])
        if count % _PIECE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text


def _said(field: Field, value: Any, sheet: Sheet) -> Any:
    """A cell of CSV: numbers as they are, days and moments as ISO 8601 says."""
    if value is None:
        return ""
    if field.kind is Kind.MOMENT:
        return sheet.there(value).isoformat(sep=" ", timespec="seconds")
    if field.numeric or field.kind is Kind.DAY:
        return value
    return _harmless(_text(field, value, sheet))


def _text(field: Field, value: Any, sheet: Sheet) -> str:
    if field.kind is Kind.YES_NO:
        return sheet.translate("yes" if value else "no")
    if field.kind is Kind.CHOICE:
        return sheet.translate(str(value))
    return _joined(value)


def _joined(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_joined(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_joined(one) for one in value)
    return "" if value is None else str(value)


def xlsx_into(
    file: IO[bytes], sheet: Sheet, rows: Iterable[Sequence[Any]], tell: Callable[[int], None] = lambda done: None
) -> None:
    """Write a workbook of one sheet, a row at a time in memory. At most ``LARGEST_SHEET`` rows."""
    import xlsxwriter  # type: ignore[import-untyped]

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        page = book.add_worksheet()
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {
            Kind.RUPIAH: book.add_format({"num_format": "#,##0"}),
            Kind.DAY: book.add_format({"num_format": "yyyy-mm-dd"}),
            Kind.MOMENT: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        }
        for place, (field, header) in enumerate(zip(sheet.fields, sheet.headers, strict=True)):
            page.set_column(place, place, max(10, min(len(header) + 2, 40)), formats.get(field.kind))
            page.write_string(0, place, header, bold)
        page.freeze_panes(1, 0)
        for number, row in enumerate(rows, 1):
            _write(page, number, row, sheet, formats)
            if number % _PIECE == 0:
                tell(number)


def _write(page: Any, number: int, row: Sequence[Any], sheet: Sheet, formats: Mapping[Kind, Any]) -> None:
    for place, (field, value) in enumerate(zip(sheet.fields, row, strict=True)):
        look = formats.get(field.kind)
        if value is None:
            continue
        if field.numeric and abs(value) <= _EXACT:
            page.write_number(number, place, value, look)
        elif field.kind is Kind.DAY:
            _write_moment(page, number, place, date.fromisoformat(value), look)
        elif field.kind is Kind.MOMENT:
            there = sheet.there(value).replace(tzinfo=None)
            _write_moment(page, number, place, there, look)
        else:
            page.write_string(number, place, _text(field, value, sheet)[:_LONGEST_CELL])


def _write_moment(page: Any, number: int, place: int, value: date, look: Any) -> None:
    """Days before 1 March 1900 are not the same in all spreadsheets: those are texts."""
    if (value.year, value.month) < (1900, 3) or value.year > 9999:
        page.write_string(number, place, value.isoformat())
    else:
        page.write_datetime(number, place, value, look)
