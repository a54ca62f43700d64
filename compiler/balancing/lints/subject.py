"""What lints look at: the script's rows, its roles, what it does; and how a row is edited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from compiler.balancing.lints.behaviour import Behaviour
from compiler.balancing.lints.lint import Edit
from compiler.balancing.lints.roles import Roles, roles_of
from compiler.balancing.lints.rows import Reading, Row, read_rows
from compiler.dialects.routeros.quoting import quote
from compiler.dialects.routeros.script import COMMANDS, Path, Token
from compiler.source import Span

__all__ = ["Subject", "UnknownValue"]

_JOIN = re.compile(r"\\\r?\n[ \t]*")


_UNKNOWN = re.compile(r"([a-z-]+)=(\S+) is none of its values; did you mean ([^?\s]+)\?")


class UnknownValue(NamedTuple):
    """A property whose value there is not, and the nearest one that there is."""

    row: Row
    name: str
    value: str
    right: str


class Subject:
    """A script under examination."""

    def __init__(
        self,
        text: str,
        source: str,
        version: int | None = None,
        inside: tuple[str, ...] = (),
        uplinks: tuple[str, ...] = (),
    ) -> None:
        self.reading: Reading = read_rows(text, source, version)
        self.roles: Roles = roles_of(self.reading, inside, uplinks)

    @property
    def version(self) -> int:
        """6 or 7."""
        return self.reading.version

    @cached_property
    def behaviour(self) -> Behaviour:
        """What the script does to packets, as far as it can be known."""
        return Behaviour(self.reading, self.roles)

    @cached_property
    def unknown_values(self) -> tuple[UnknownValue, ...]:
        """What the readers refuse for its value, where another is near."""
        found = ((row, _UNKNOWN.search(message)) for row, message in self.behaviour.refused)
        return tuple(UnknownValue(row, said[1], said[2], said[3]) for row, said in found if said)

    def of(self, path: Path) -> list[Row]:
        """The active rows of a menu."""
        return self.reading.of(path)

    def place(self, row: Row, name: str = "") -> Span:
        """Where a row, or a property of it, stands."""
        return self.reading.place(row, name)

    # -- editing ----------------------------------------------------------------------------------

    def change(self, row: Row, values: Mapping[str, str | None], path: Path = ()) -> Edit:
        """The row with other values; None takes a property away. ``path`` moves it to another menu.

        Misspelt properties and names of one interface for another are put right on the way.
        """
        words = self.reading.script.words(row.item.statement)
        todo = {row.written(name): (name, value) for name, value in (self._repairs(row) | dict(values)).items()}
        head, said = _split(words)
        parts = []
        for word in said:
            name: str = word.name or (word.value if isinstance(word.value, str) else "")
            if name in todo:
                right, value = todo.pop(name)
                if value is not None:
                    parts.append(_said(right, value))
                continue
            parts.append(_JOIN.sub("", self.reading.clean[word.start : word.end]).strip())
        parts += [_said(name, value) for name, value in todo.values() if value is not None]
        return self._row(row, head, " ".join(parts), path)

    def _repairs(self, row: Row) -> dict[str, str | None]:
        found: dict[str, str | None] = {right: row[right] for right in row.misspelt}
        found |= {one.name: one.right for one in self.unknown_values if one.row is row}
        for name in ("in-interface", "out-interface"):
            plain = row[name].removeprefix("!")
            if plain and self.roles.name(plain) != plain:
                found[name] = row[name].replace(plain, self.roles.name(plain))
        return found

    def _row(self, row: Row, head: list[Token], body: str, path: Path = ()) -> Edit:
        begin, end = self.reading.extent(row.item.statement)
        menu = path or row.path
        shown = f"/{' '.join(menu)} add {body}"
        bare = not path and len(head) == 1 and row.item.statement.path
        return Edit(begin, end, f"add {body}" if bare else shown, shown)

    def rewritten(self, row: Row) -> Edit:
        """The row on one line, in its menu, its words spelt right."""
        return self.change(row, {})

    def remove(self, row: Row) -> Edit:
        """The row goes."""
        return Edit(*self.reading.extent(row.item.statement), "", "")

    def before(self, row: Row, path: Path, body: str) -> Edit:
        """A new row before another one."""
        shown = f"/{' '.join(path)} add {body}"
        return Edit(row.start, row.start, shown + "\n", shown)

    def after(self, row: Row, path: Path, body: str) -> Edit:
        """A new row after another one."""
        end = self.reading.extent(row.item.statement)[1]
        shown = f"/{' '.join(path)} add {body}"
        return Edit(end, end, "\n" + shown, shown)

    def append(self, path: Path, body: str) -> Edit:
        """A new row at the end of the script."""
        end = len(self.reading.text)
        shown = f"/{' '.join(path)} add {body}"
        return Edit(end, end, ("" if self.reading.text.endswith("\n") else "\n") + shown + "\n", shown)


def _split(words: list[Token]) -> tuple[list[Token], list[Token]]:
    """The path and the command of a statement; its arguments."""
    for number, word in enumerate(words):
        if not word.name and isinstance(word.value, str) and word.value.rsplit("/", 1)[-1] in COMMANDS:
            return words[: number + 1], words[number + 1 :]
    return words[:1], words[1:]


def _said(name: str, value: str) -> str:
    if name in ("blackhole", "fib") and value == "yes":
        return name
    return f"{name}={value if re.fullmatch(r'[!0-9A-Za-z_.:/,@%*-]+', value) else quote(value)}"
