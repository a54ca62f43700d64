"""A listing as a file for a spreadsheet, streamed: CSV (RFC 4180) and XLSX, with headers in the reader's language.

A text that begins like a formula is never one: in CSV it gets an apostrophe
before it (OWASP, "CSV Injection"), in XLSX it is written as a text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from appliance.contract.fields import Field, Kind
from appliance.contract.listings import Listing, columns_of
from appliance.contract.people import Person
from appliance.contract.refusals import Refused
from appliance.language import Translate, _, translator
from appliance.store.listing import Row, rows_of

__all__ = ["Export", "export_csv", "export_xlsx"]

_RISKY = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_LARGEST_SHEET = 1_048_575
"""Rows under the header: Excel's specification and limits."""
_LONGEST_CELL = 32_767
_EXACT = 10**15
"""A spreadsheet keeps 15 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is exported, and for whom. ``ids`` are those of the question, in its order."""

    listing: Listing
    ids: Sequence[int]
    person: Person
    zone: ZoneInfo

    @property
    def translate(self) -> Translate:
        """Into the reader's language."""
        return translator(self.person.language)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns."""
        return tuple(column.field for column in columns_of(self.listing.row))

    @property
    def headers(self) -> list[str]:
        """Their labels, with the units."""
        return [
            f"{self.translate(field.label)} ({self.translate(field.unit)})"
            if field.unit
            else self.translate(field.label)
            for field in self.fields
        ]


def export_csv(connection: Connection, export: Export, *, plain: bool = False) -> Iterator[bytes]:
    """UTF-8 with its mark, which Excel needs to see it; a piece a thousand rows.

    ``plain`` is for programs: no mark, the names of the fields in place of their labels, and lines as UNIX ends them.
    """
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n" if plain else "\r\n")
    if plain:
        writer.writerow([field.name for field in export.fields])
    else:
        buffer.write("\ufeff")
        writer.writerow([_harmless(header) for header in export.headers])
    for count, row in enumerate(rows_of(connection, export.listing, export.ids, export.person), 1):
        writer.writerow([_said(field, value, export) for field, value in zip(export.fields, row.values, strict=True)])
        if count % 1_000 == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text


def _said(field: Field, value: Any, export: Export) -> Any:
    """A cell of CSV: numbers as they are, days and moments as ISO 8601 says, in the appliance's zone."""
    if value is None:
        return ""
    if field.kind is Kind.MOMENT:
        return datetime.fromisoformat(value).astimezone(export.zone).isoformat(sep=" ", timespec="seconds")
    if field.numeric or field.kind is Kind.DAY:
        return value
    return _harmless(_text(field, value, export))


def _text(field: Field, value: Any, export: Export) -> str:
    if field.kind is Kind.YES_NO:
        return export.translate("yes" if value else "no")
    if field.kind is Kind.CHOICE:
        return export.translate(str(value))
    return _joined(value)


def _joined(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_joined(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_joined(one) for one in value)
    return "" if value is None else str(value)


def export_xlsx(
    connection: Connection, export: Export, file: IO[bytes], tell: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Write a workbook of one sheet, a row at a time in memory. Raises Refused for more rows than a sheet has."""
    import xlsxwriter  # type: ignore[import-untyped]

    if len(export.ids) > _LARGEST_SHEET:
        raise Refused(
            _("a sheet has room for {most} rows, and these are {count}: take CSV, or ask for fewer"),
            most=_LARGEST_SHEET,
            count=len(export.ids),
        )
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {
            Kind.RUPIAH: book.add_format({"num_format": "#,##0"}),
            Kind.DAY: book.add_format({"num_format": "yyyy-mm-dd"}),
            Kind.MOMENT: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        }
        for place, (field, header) in enumerate(zip(export.fields, export.headers, strict=True)):
            sheet.set_column(place, place, max(10, min(len(header) + 2, 40)), formats.get(field.kind))
            sheet.write_string(0, place, header, bold)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows_of(connection, export.listing, export.ids, export.person), 1):
            _write(sheet, number, row, export, formats)
            if number % 1_000 == 0:
                tell(number, len(export.ids))


def _write(sheet: Any, number: int, row: Row, export: Export, formats: Mapping[Kind, Any]) -> None:
    for place, (field, value) in enumerate(zip(export.fields, row.values, strict=True)):
        look = formats.get(field.kind)
        if value is None:
            continue
        if field.numeric and abs(value) <= _EXACT:
            sheet.write_number(number, place, value, look)
        elif field.kind is Kind.DAY:
            _write_moment(sheet, number, place, date.fromisoformat(value), look)
        elif field.kind is Kind.MOMENT:
            there = datetime.fromisoformat(value).astimezone(export.zone).replace(tzinfo=None)
            _write_moment(sheet, number, place, there, look)
        else:
            sheet.write_string(number, place, _text(field, value, export)[:_LONGEST_CELL])


def _write_moment(sheet: Any, number: int, place: int, value: date, look: Any) -> None:
    """Days before 1 March 1900 are not the same in all spreadsheets: those are texts."""
    if (value.year, value.month) < (1900, 3) or value.year > 9999:
        sheet.write_string(number, place, value.isoformat())
    else:
        sheet.write_datetime(number, place, value, look)
