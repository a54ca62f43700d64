"""Arguments that a command takes, made of its record's JSON schema: no sense in them, and nothing wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from appliance.daemon.running import adapter

__all__ = ["plausible"]

WORDS = (
    "ani", "A1", "Kas", "192.0.2.7", "192.0.2.0/24", "ani@example.com", "example.com", "+62 411 123456",
    "2026-03-01", "2026-03-01T08:00:00Z", "08:00:00", "1234567890", "0" * 32, "Asia/Jakarta", "eth0", "",
)  # fmt: skip
"""What the fields of texts are tried with, one after the other."""


@cache
def plausible(record: type) -> bytes | None:
    """A body that this record takes, or None when none was found."""
    taker = adapter(record)
    schema = taker.json_schema(mode="validation")
    names: dict[tuple[str, ...], int] = {}
    for _ in range(200):
        body = bytes(to_json(_value(schema, schema.get("$defs", {}), (), names)))
        try:
            taker.validate_json(body)
        except ValidationError as error:
            wrong = [tuple(str(one) for one in found["loc"] if not isinstance(one, int)) for found in error.errors()]
            # The next word for each text that is wrong; a rule of the record names nobody.
            for place in wrong:
                names[place] = names.get(place, 0) + 1
            if all(names[place] > len(WORDS) for place in wrong):
                return None
            continue
        return body
    return None


def _value(schema: Mapping[str, Any], known: Mapping[str, Any], place: tuple[str, ...], names: Any) -> Any:
    if (to := schema.get("$ref")) is not None:
        return _value(known[to.rpartition("/")[2]], known, place, names)
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return _value(choices[0], known, place, names)
    match schema.get("type"):
        case "object":
            fields: Mapping[str, Any] = schema.get("properties", {})
            wanted = schema.get("required", ())
            return {name: _value(one, known, (*place, name), names) for name, one in fields.items() if name in wanted}
        case "array":
            one = schema.get("items") or {}
            return [_value(one, known, place, names) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return max(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1), 1)
        case "boolean":
            return True
        case "null":
            return None
    word = WORDS[names.get(place, 0) % len(WORDS)]
    return word.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
