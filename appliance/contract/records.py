"""A record: an immutable value with typed fields, the same for a command's arguments, a form and a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, dataclass_transform, overload

from pydantic import ConfigDict

__all__ = ["STRICT", "Row", "record"]

Made = TypeVar("Made")

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)
"""Unknown names are refused, "12" is no number, and what was sent is not said back."""


class Row(Protocol):
    """What a rule of a service looks at: a row by the names of its columns, of a table or as a screen has it."""

    def __getitem__(self, name: str, /) -> Any: ...


@overload
def record(cls: type[Made]) -> type[Made]: ...
@overload
def record(*, title: str = "", help: Mapping[str, str] | None = None) -> Callable[[type[Made]], type[Made]]: ...


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
def record(cls: Any = None, *, title: str = "", help: Mapping[str, str] | None = None) -> Any:
    """A frozen dataclass that pydantic reads strictly. ``title`` is what people call it: ``room``.

    ``help`` says of some fields, by name, what a form tells who enters them.
    """

    def made(plain: type[Made]) -> type[Made]:
        described: Any = plain
        described.__pydantic_config__ = STRICT
        described.__record_title__ = title or _words(plain.__name__)
        if help is not None:
            described.__record_help__ = help
        return dataclasses.dataclass(frozen=True, kw_only=True, slots=True)(plain)

    return made if cls is None else made(cls)


def _words(name: str) -> str:
    """``RoomType`` as ``room type``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
