"""The settings of services: one record each, as its author declares it, with the values an administrator has set."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from sqlalchemy import Column, Connection, Integer, String, Table, Text, insert, select, update

from appliance.contract.context import Context
from appliance.contract.fields import fields_of
from appliance.contract.refusals import Conflict, RuleBroken
from appliance.language import _
from appliance.store.audit import METADATA
from appliance.store.types import Utc

__all__ = ["SETTINGS", "change_settings", "settings_of", "settings_version"]

SETTINGS = Table(
    "core_settings",
    METADATA,
    Column("service", String(100), primary_key=True),
    Column("value", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_by", String(100), nullable=False),
    Column("changed_at", Utc, nullable=False),
)
Settings = TypeVar("Settings")


def settings_of(connection: Connection, service: str, record: type[Settings]) -> Settings:
    """The record with the values that are set; a field that is not set, or whose value is no longer
    allowed, has its default."""
    row = connection.execute(select(SETTINGS.c.value).where(SETTINGS.c.service == service)).scalar_one_or_none()
    held: Mapping[str, Any] = from_json(row) if row else {}
    known = {field.name: held[field.name] for field in fields_of(record) if field.name in held}
    try:
        return _adapter(record).validate_json(to_json(known))
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors(include_url=False) if problem["loc"]}
        kept = {name: value for name, value in known.items() if name not in wrong}
        return _adapter(record).validate_json(to_json(kept))


def settings_version(connection: Connection, service: str) -> int:
    """How many times they were changed; 0 for never."""
    found = connection.execute(select(SETTINGS.c.version).where(SETTINGS.c.service == service)).scalar_one_or_none()
    return found or 0


def change_settings(context: Context, value: Any, version: int) -> int:
    """Set them all, if nobody else has since this version; returns the new version."""
    connection = context.connection
    row = connection.execute(select(SETTINGS).where(SETTINGS.c.service == context.service)).mappings().one_or_none()
    held = row["version"] if row else 0
    if held != version:
        if row is None:
            raise RuleBroken(_("nobody has set them yet: their version is 0"), field="version")
        raise Conflict(
            "settings of", context.service, changed_by=row["changed_by"], changed_at=row["changed_at"], version=held
        )
    values = {
        "value": _adapter(type(value)).dump_json(value).decode(),
        "version": version + 1,
        "changed_by": context.person.name,
        "changed_at": context.now,
    }
    if row is None:
        connection.execute(insert(SETTINGS).values(service=context.service, **values))
    else:
        connection.execute(update(SETTINGS).where(SETTINGS.c.service == context.service).values(values))
    return version + 1


@cache
def _cached(record: Any) -> TypeAdapter[Any]:
    return TypeAdapter(record)


def _adapter(record: type[Settings]) -> TypeAdapter[Settings]:
    kept: Any = record  # mypy takes no type for hashable
    return _cached(kept)
