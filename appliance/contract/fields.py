"""What a record's fields are, read once from its type: for form, grid, table and command line alike."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, MaxLen, MinLen

from appliance.contract.kinds import Entry, Refers, Unit

__all__ = ["Bound", "Field", "Kind", "fields_of", "title_of"]

Bound = float | date
"""A least or most value."""
SHORT = frozenset({"id", "mtu", "ssh", "tls", "ttl"})
"""Words of names of fields that are written in capitals."""


class Kind(StrEnum):
    """How a value is entered, shown and kept."""

    LINE = "line"
    NOTE = "note"
    SECRET = "secret"
    WHOLE = "whole"
    NUMBER = "number"
    """A whole number by which something is called: a port. It has no thousands separators."""
    RUPIAH = "rupiah"
    SHARE = "share"
    DECIMALS = "decimals"
    DAY = "day"
    MOMENT = "moment"
    YES_NO = "yes-no"
    CHOICE = "choice"
    SEVERAL = "several"
    """A tuple of values of ``item``."""
    RECORD = "record"
    """A record inside a record: a bill's line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a record. ``label`` is English and a key of the translations."""

    name: str
    label: str
    kind: Kind
    type: Any
    """The annotation, for pydantic's TypeAdapter."""
    plain: type
    """The Python type under the annotation: ``str`` of ``Name | None``."""
    optional: bool = False
    """May be None."""
    required: bool = True
    """Has no default."""
    default: Any = None
    choices: tuple[str, ...] = ()
    refers: str = ""
    unit: str = ""
    least: Bound | None = None
    most: Bound | None = None
    longest: int | None = None
    shortest: int = 0
    item: Field | None = None
    help: str = ""
    """What a form says of it. English, and a key of the translations."""

    @property
    def numeric(self) -> bool:
        """Whether it is shown to the right and added up."""
        return self.kind in {Kind.WHOLE, Kind.NUMBER, Kind.RUPIAH, Kind.SHARE, Kind.DECIMALS}


def fields_of(record: type) -> tuple[Field, ...]:
    """The fields of a record in their order.

    Raises TypeError for a field that has no kind: a bare ``str`` or ``int``.
    """
    return _read(record)


@cache
def _read(record: Hashable) -> tuple[Field, ...]:
    assert isinstance(record, type)
    hints = get_type_hints(record, include_extras=True)
    return tuple(_field(record, field, hints[field.name]) for field in dataclasses.fields(record))


def title_of(record: type) -> str:
    """What people call one of these: ``room``."""
    return str(getattr(record, "__record_title__", record.__name__))


def _field(record: type, field: dataclasses.Field[Any], annotation: Any) -> Field:
    default: Any = None
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    if field.default is not dataclasses.MISSING:
        default = field.default
    elif field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    label = field.metadata.get("label") or _words(field.name)
    told = getattr(record, "__record_help__", {}).get(field.name, "")
    try:
        return _described(field.name, label, annotation, required=required, default=default, help=told)
    except TypeError as error:
        raise TypeError(f"{record.__name__}.{field.name}: {error}") from None


def _words(name: str) -> str:
    """``ssh_port`` as ``SSH port``."""
    words = " ".join(word.upper() if word in SHORT else word for word in name.split("_"))
    return words[:1].upper() + words[1:]


def _described(name: str, label: str, annotation: Any, **known: Any) -> Field:
    bare, notes, optional = _taken_apart(annotation)
    if get_origin(bare) is tuple:
        (inner, *rest) = get_args(bare)
        if rest != [Ellipsis]:
            raise TypeError("several values are tuple[kind, ...]")
        item = _described(name, label, inner)
        return Field(
            name=name,
            label=label,
            kind=Kind.SEVERAL,
            type=annotation,
            plain=tuple,
            item=item,
            longest=_longest(notes),
            **known,
        )
    choices = _choices(bare)
    return Field(
        name=name,
        label=label,
        kind=Kind.CHOICE if choices else _kind(bare, notes),
        type=annotation,
        plain=str if choices and not isinstance(bare, type) else bare,
        optional=optional,
        choices=choices,
        refers=next((note.to for note in notes if isinstance(note, Refers)), ""),
        unit=next((note.name for note in notes if isinstance(note, Unit)), ""),
        least=next((cast("Bound", note.ge) for note in notes if isinstance(note, Ge)), None),
        most=next((cast("Bound", note.le) for note in notes if isinstance(note, Le)), None),
        longest=_longest(notes),
        shortest=next((note.min_length for note in notes if isinstance(note, MinLen)), 0),
        **known,
    )


def _longest(notes: tuple[Any, ...]) -> int | None:
    return next((note.max_length for note in notes if isinstance(note, MaxLen)), None)


def _taken_apart(annotation: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """The type, its notes, and whether None is allowed, of an annotation in any nesting of the three."""
    notes: tuple[Any, ...] = ()
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            notes = (*more, *notes)
        elif origin in {Union, types.UnionType}:
            others = [one for one in get_args(annotation) if one is not type(None)]
            if len(others) != 1:
                raise TypeError("a field has one type, or that type and None")
            optional, annotation = True, others[0]
        else:
            return annotation, notes, optional


def _choices(bare: Any) -> tuple[str, ...]:
    if get_origin(bare) is Literal:
        return tuple(str(one) for one in get_args(bare))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return tuple(str(one.value) for one in bare)
    return ()


PLAIN = {bool: Kind.YES_NO, int: Kind.WHOLE, float: Kind.DECIMALS, datetime: Kind.MOMENT, date: Kind.DAY}


def _kind(bare: Any, notes: tuple[Any, ...]) -> Kind:
    if dataclasses.is_dataclass(bare):
        return Kind.RECORD
    if bare not in PLAIN and bare is not str:
        raise TypeError(f"{bare!r} is no kind of value that a record holds")
    entry = next((note for note in reversed(notes) if isinstance(note, Entry)), None)
    if bare in {int, float} and not any(isinstance(note, Le) for note in notes):
        raise TypeError("a number has a least and a most: take a kind of appliance.contract.kinds")
    if bare is str:
        if _longest(notes) is None:
            raise TypeError("a text has a longest length: take a kind of appliance.contract.kinds")
        return Kind(entry.kind) if entry else Kind.LINE
    return Kind(entry.kind) if entry else PLAIN[bare]
