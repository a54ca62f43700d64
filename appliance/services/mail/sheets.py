"""Sheets of accounts: CSV read with line and column of what is wrong (RFC 4180; a semicolon is taken as well, as
spreadsheets write it where the comma is for decimals)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from appliance.contract.fields import Field, fields_of
from appliance.contract.refusals import Refused, RuleBroken
from appliance.language import Translate, _
from appliance.services.mail.model import NewAccount
from appliance.services.mail.passwords import refuse_weak

__all__ = ["COLUMNS", "MOST", "SheetRow", "at_line", "read_sheet"]

COLUMNS = ("name", "full_name", "department", "quota", "messages_per_hour", "recipients_per_hour", "password")
NEEDED = ("name", "full_name")
NUMBERS = frozenset({"quota", "messages_per_hour", "recipients_per_hour"})
MOST = 5000
"""Rows. Each takes the time of a hash."""


class SheetRow(NamedTuple):
    """One account, and where it stands."""

    line: int
    account: NewAccount


def read_sheet(text: str, translate: Translate) -> tuple[SheetRow, ...]:
    """All accounts of the sheet. Raises RuleBroken for the first that is wrong, with its line and column.
    ``translate``: into the language of who reads the reason."""
    text = text.removeprefix("\ufeff")
    head, _end, _rest = text.partition("\n")
    reader = csv.reader(
        text.splitlines(keepends=True), delimiter=";" if ";" in head and "," not in head else ",", strict=True
    )
    found: list[SheetRow] = []
    seen: dict[str, int] = {}
    try:
        columns = _columns(next(reader, []))
        for line, row in _rows(reader, len(columns)):
            account = _account(line, dict(zip(columns, row, strict=True)), translate)
            if account.name in seen:
                template = _("{name} stands in line {first} already")
                twice = RuleBroken(template, field="name", name=account.name, first=seen[account.name])
                raise at_line(line, twice, translate)
            if len(found) == MOST:
                raise RuleBroken(_("a sheet has {most} accounts at most"), field="text", most=MOST)
            seen[account.name] = line
            found.append(SheetRow(line, account))
    except csv.Error as error:
        template = _("line {line}: {reason}")
        raise RuleBroken(template, field="text", line=reader.line_num, reason=str(error)) from None
    if not found:
        raise RuleBroken(_("the sheet has no accounts"), field="text")
    return tuple(found)


def at_line(line: int, error: Refused, translate: Translate) -> RuleBroken:
    """What was refused, with the place in the sheet in front."""
    column = error.field.rpartition(".")[2] or "name"
    reason = translate(error.template).format_map(error.values)
    template = _("line {line}, column {column}: {reason}")
    return RuleBroken(template, field="text", line=line, column=column, reason=reason)


def _columns(head: list[str]) -> tuple[str, ...]:
    columns = tuple(one.strip().lower().replace(" ", "_") for one in head)
    for column in columns:
        if column not in COLUMNS:
            template = _("line 1: there is no column {column}; there are {columns}")
            raise RuleBroken(template, field="text", column=column[:64], columns=", ".join(COLUMNS))
        if columns.count(column) > 1:
            raise RuleBroken(_("line 1: the column {column} stands there twice"), field="text", column=column)
    for column in NEEDED:
        if column not in columns:
            raise RuleBroken(_("line 1: the column {column} is missing"), field="text", column=column)
    return columns


def _rows(reader: Any, width: int) -> Iterator[tuple[int, list[str]]]:
    """Those that are not empty, each with the line on which it begins."""
    while True:
        line = reader.line_num + 1
        row: list[str] | None = next(reader, None)
        if row is None:
            return
        if not any(one.strip() for one in row):
            continue
        if len(row) != width:
            template = _("line {line}: it has {count} columns, and the first line has {width}")
            raise RuleBroken(template, field="text", line=line, count=len(row), width=width)
        yield line, row


def _account(line: int, cells: Mapping[str, str], translate: Translate) -> NewAccount:
    values: dict[str, Any] = {}
    try:
        for column, cell in cells.items():
            text = cell if column == "password" else cell.strip()
            if text:
                values[column] = _value(column, text)
        for column in NEEDED:
            if column not in values:
                raise RuleBroken(_("it is empty"), field=column)
        account = NewAccount(**values)
        if account.password:
            refuse_weak(account.password, account.name)
    except RuleBroken as error:
        raise at_line(line, error, translate) from None
    return account


def _value(column: str, text: str) -> Any:
    field = _fields()[column]
    value: Any = text
    if column in NUMBERS:
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise RuleBroken(_("it is no whole number"), field=column)
        value = int(text)
    try:
        return _adapter(column).validate_python(value)
    except ValidationError:
        if column in NUMBERS:
            bounds = {"least": int(str(field.least)), "most": int(str(field.most))}
            raise RuleBroken(_("it is from {least} to {most}"), field=column, **bounds) from None
        if column in {"name", "department"}:
            template = _("it has small letters, digits and . _ - only, and {most} at most")
            raise RuleBroken(template, field=column, most=field.longest) from None
        template = _("it has more than {most} characters, or one that nobody sees")
        raise RuleBroken(template, field=column, most=field.longest) from None


@cache
def _fields() -> Mapping[str, Field]:
    return {field.name: field for field in fields_of(NewAccount)}


@cache
def _adapter(column: str) -> TypeAdapter[Any]:
    return TypeAdapter(_fields()[column].type)
