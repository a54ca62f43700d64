"""Records as they may stand in a log: without their secrets."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from appliance.contract.fields import Kind, fields_of

__all__ = ["redacted"]


def redacted(value: Any) -> Any:
    """A record as JSON values, its secrets replaced by a mark: what the audit log may hold."""
    if not is_dataclass(value) or isinstance(value, type):
        return {} if value is None else to_jsonable_python(value, fallback=str)
    secrets = {field.name for field in fields_of(type(value)) if field.kind is Kind.SECRET}
    return {
        field.name: "•••" if field.name in secrets else _redacted_part(getattr(value, field.name))
        for field in fields(value)
    }


def _redacted_part(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_redacted_part(one) for one in value]
    return redacted(value) if is_dataclass(value) else to_jsonable_python(value, fallback=str)
