"""A remark: something said about a place of a text, with nothing left of the trees that it came from."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from compiler.errors import CannotSay, GerbangError, InputError, InputErrors, Refusal
from compiler.source import Span

__all__ = ["Level", "Remark", "remarks_of", "worst"]


class Level(StrEnum):
    """How bad it is, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Remark(NamedTuple):
    """One remark. Lines and columns count from 1, 0 where there is none; ``end`` is the column after."""

    level: Level
    message: str
    line: int = 0
    column: int = 0
    end: int = 0
    rule: str = ""
    """The name of the lint."""
    source: str = ""
    """The file, when it is not the one that was asked about."""

    def __str__(self) -> str:
        place = f"{self.source}:" if self.source else ""
        place += f"{self.line}:{self.column}: " if self.line else ""
        rule = f" [{self.rule}]" if self.rule else ""
        return f"{place}{self.level.value}: {self.message}{rule}"

    @classmethod
    def at(cls, level: Level, message: str, span: Span, name: str, rule: str = "") -> Remark:
        """A remark about a span; ``name`` is what the text that is looked at is called."""
        return cls(level, message, span.line, span.column, span.end, rule, "" if span.source == name else span.source)


def remarks_of(error: GerbangError, name: str) -> tuple[Remark, ...]:
    """What an exception says, place by place."""
    if isinstance(error, InputErrors):
        return tuple(_of_input(one, name) for one in error.errors)
    if isinstance(error, InputError):
        return (_of_input(error, name),)
    if isinstance(error, CannotSay):
        return tuple(refused(one, name, Level.ERROR) for one in error.refusals)
    return (Remark(Level.ERROR, error.render()),)


def refused(refusal: Refusal, name: str, level: Level) -> Remark:
    """A refusal, or a bound that was taken."""
    return Remark.at(level, f"{refusal.what}: {refusal.why}", refusal.span, name)


def worst(remarks: Iterable[Remark]) -> Level | None:
    """The worst level among them."""
    levels = {remark.level for remark in remarks}
    return next((level for level in Level if level in levels), None)


def _of_input(error: InputError, name: str) -> Remark:
    is_warning = error.message.startswith("warning: ")
    level = Level.WARNING if is_warning else Level.ERROR
    return Remark.at(level, error.message.removeprefix("warning: "), error.span, name)
