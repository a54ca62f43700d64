"""How the values of records stand in columns: what goes in comes out, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Dialect, Double, Integer, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from appliance.contract.fields import Field, Kind

__all__ = ["AsJson", "Choice", "Identity", "Utc", "column_type"]

Identity = BigInteger().with_variant(Integer(), "sqlite")
"""A row's number: SQLite counts up by itself only for INTEGER."""


class Utc(TypeDecorator[datetime]):
    """An aware moment. SQLite has no offsets: it is kept in UTC there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without its offset from UTC")
        moved = value.astimezone(UTC)
        return moved.replace(tzinfo=None) if dialect.name == "sqlite" else moved

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Choice(TypeDecorator[Any]):
    """One of an enumeration's values, kept as its text."""

    impl = String(64)
    cache_ok = True

    def __init__(self, of: type) -> None:
        super().__init__()
        self.of = of

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The text."""
        return str(value.value) if isinstance(value, Enum) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The member."""
        return self.of(value) if value is not None and issubclass(self.of, Enum) else value


@cache
def _adapter(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of)


class AsJson(TypeDecorator[Any]):
    """Several values, or a record inside a record, kept as JSON text."""

    impl = Text()
    cache_ok = True

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.of = of

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The JSON."""
        return None if value is None else _adapter(self.of).dump_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The value."""
        return None if value is None else _adapter(self.of).validate_json(value)


SIMPLE: dict[Kind, TypeEngine[Any]] = {
    Kind.YES_NO: Boolean(),
    Kind.DAY: Date(),
    Kind.MOMENT: Utc(),
    Kind.DECIMALS: Double(),
    Kind.NOTE: Text(),
    Kind.WHOLE: BigInteger(),
    Kind.NUMBER: BigInteger(),
    Kind.RUPIAH: BigInteger(),
    Kind.SHARE: BigInteger(),
}


def column_type(field: Field) -> TypeEngine[Any]:
    """The type of the column that holds this field."""
    if field.kind in SIMPLE:
        return SIMPLE[field.kind]
    if field.kind is Kind.CHOICE:
        return Choice(field.plain)
    if field.kind in {Kind.SEVERAL, Kind.RECORD}:
        return AsJson(field.type)
    return String(field.longest)
