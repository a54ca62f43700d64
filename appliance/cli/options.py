"""Options of a command from its JSON schema: ``--name``, ``--row.name``; several values by repetition."""

from __future__ import annotations

import json
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Option", "arguments_from", "options_of"]

YES = {"yes": True, "true": True, "no": False, "false": False}
DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Option:
    """One leaf of the arguments. ``place`` is its path in the object."""

    place: tuple[str, ...]
    schema: Mapping[str, Any]
    several: bool
    nullable: bool
    required: bool

    @property
    def name(self) -> str:
        """Without the dashes."""
        return ".".join(self.place).replace("_", "-")

    def add_to(self, parser: ArgumentParser) -> None:
        """Add it; what is required is asked by the daemon, because --json may bring it."""
        choices = self.schema.get("enum")
        metavar = "|".join(map(str, choices)) if choices else self._type.upper()
        parser.add_argument(
            f"--{self.name}",
            dest=".".join(self.place),
            type=self._read,
            action="append" if self.several else "store",
            default=SUPPRESS,
            metavar=metavar,
            help=self._help.replace("%", "%%"),
        )

    @property
    def _type(self) -> str:
        return str(self.schema.get("format") or self.schema.get("type") or "json")

    @property
    def _help(self) -> str:
        notes = ["required" if self.required else ""]
        for name, words in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"), ("pattern", "as")):
            if name in self.schema:
                notes.append(f"{words} {self.schema[name]}" + (" characters" if name == "maxLength" else ""))
        if "default" in self.schema:
            notes.append(f"default {json.dumps(self.schema['default'])}")
        if self.several:
            notes.append("may be repeated")
        if self.nullable:
            notes.append("null for none")
        return ", ".join(filter(None, notes))

    def _read(self, text: str) -> Any:
        """The value as JSON has it; what it may be beyond its type, the daemon says."""
        kind = self.schema.get("type")
        if self.nullable and text == "null":
            return None
        try:
            if kind == "integer":
                return int(text)
            if kind == "number":
                return float(text)
            if kind == "boolean":
                return YES[text.lower()]
            if kind != "string":
                return json.loads(text)
        except (ValueError, KeyError):
            raise ArgumentTypeError(f"{text!r} is no {kind or 'JSON value'}") from None
        return text


def options_of(operation: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Option, ...]:
    """All options of the operation's body, in the order of the record."""
    if "requestBody" not in operation:
        return ()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return tuple(_leaves((), schema, document, required=True))


def _leaves(
    place: tuple[str, ...], schema: Mapping[str, Any], document: Mapping[str, Any], *, required: bool
) -> list[Option]:
    bare, nullable = _bare(schema, document)
    if bare.get("type") == "object" and bare.get("properties") and len(place) < DEEPEST and not (nullable and place):
        needed = bare.get("required", ())
        found: list[Option] = []
        for name, one in bare["properties"].items():
            found += _leaves((*place, name), one, document, required=required and name in needed)
        return found
    if bare.get("type") == "array":
        item, _ = _bare(bare.get("items", {}), document)
        return [Option(place, item, several=True, nullable=False, required=required)]
    return [Option(place, bare, several=False, nullable=nullable, required=required)]


def _bare(schema: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The schema without references and without the choice of null."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return _bare({**document["components"]["schemas"][name], **_beside(schema)}, document)
    if "anyOf" in schema:
        others = [one for one in schema["anyOf"] if one.get("type") != "null"]
        if len(others) == 1:
            inner, _ = _bare(others[0], document)
            return {**inner, **_beside(schema)}, len(others) < len(schema["anyOf"])
    return schema, False


def _beside(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name in {"default", "title"}}


def arguments_from(options: tuple[Option, ...], given: Namespace) -> dict[str, Any]:
    """The object that the options make; those that were not given are left out."""
    made: dict[str, Any] = {}
    said = vars(given)
    for option in options:
        if ".".join(option.place) not in said:
            continue
        value = said[".".join(option.place)]
        inner = made
        for name in option.place[:-1]:
            inner = inner.setdefault(name, {})
        inner[option.place[-1]] = value
    return made
