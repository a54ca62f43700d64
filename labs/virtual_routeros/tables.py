"""The tables of a virtual router: rows in order, with ids that are never given again.

What a command may do and what the router says when it may not. Source:
MikroTik documentation, "API" (command description) and "Console" (general
commands). Refusals are worded as manuals and users report them ("unknown
parameter", "no such item", "missing =.id=", "input does not match any value
of", "already have such address"); the wordings for dynamic rows, for
ranges and for equal names of other menus are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count

from compiler.dialects.routeros.script import Path
from labs.virtual_routeros.menus import CONSOLE_ONLY, Kind, Menu
from labs.virtual_routeros.traps import Category, Trap
from labs.virtual_routeros.values import Names, normal

__all__ = ["Ids", "Row", "Table"]

_TEXT_MAY_BE_EMPTY = frozenset({"log-prefix", "servers", "source", "on-event", "start-date"})
_NOT_RESOLVED = "no such item"


class Ids:
    """Numbers for rows, ``*1``, ``*2``, …, hexadecimal and never used twice."""

    def __init__(self, first: int = 1) -> None:
        self._next = first

    def take(self) -> str:
        """The next one."""
        number, self._next = self._next, self._next + 1
        return f"*{number:X}"


class Row:
    """One row. ``properties`` are those that were set; a dynamic row is the router's own."""

    __slots__ = ("dynamic", "extra", "id", "properties")

    def __init__(self, id: str, properties: dict[str, str], *, dynamic: bool = False) -> None:
        self.id = id
        self.properties = properties
        self.dynamic = dynamic
        self.extra: dict[str, str] = {}
        """What the router tells of the row beside what was set."""

    @property
    def is_disabled(self) -> bool:
        """Whether the row does nothing."""
        return self.properties.get("disabled") == "true"


class Table:
    """One menu's rows, or its settings. ``names`` looks into other menus; ``changed`` is told of each row."""

    renamed: Callable[[Path, str, str], None] | None = None
    """Told of a row's menu and of its name before and after."""
    rivals: Table | None = None
    """The table whose rows a new one must differ from, where that is not this one."""

    def __init__(
        self,
        menu: Menu,
        version: int,
        names: Names,
        changed: Callable[[Table, Row, bool], None],
        ids: Ids | None = None,
    ) -> None:
        self.menu = menu
        self._version = version
        self._names = names
        self._changed = changed
        self._ids = ids or Ids()
        self.rows: list[Row] = []
        if menu.kind == Kind.SETTINGS:
            self.rows.append(Row("*0", dict(menu.defaults)))

    # -- looking ---------------------------------------------------------------------------

    def shown(self, row: Row) -> dict[str, str]:
        """All that ``print`` tells of a row."""
        if self.menu.kind != Kind.ROWS:
            return dict(row.properties)
        told = {".id": row.id, **self.menu.defaults, **row.properties, **row.extra}
        for name, actions in self.menu.only_with.items():
            if name not in row.properties and told.get("action") not in actions:
                del told[name]
        told["dynamic"] = "true" if row.dynamic else "false"
        if self.menu.can_disable:
            told.setdefault("disabled", "false")
        return told

    def resolve(self, text: str) -> list[Row]:
        """Rows by ids (and names, where rows have such), with commas between. Raises Trap when one is not there."""
        return [self._one(part) for part in text.split(",") if part]

    def _one(self, text: str) -> Row:
        for row in self.rows:
            if row.id.upper() == text.upper():
                return row
        if self.menu.has_names and not text.startswith("*"):
            for row in self.rows:
                if row.properties.get("name") == text:
                    return row
        raise Trap(_NOT_RESOLVED, Category.MISSING)

    # -- changing --------------------------------------------------------------------------

    def add(self, arguments: Mapping[str, str]) -> Row:
        """A new row at the end, or before the one that ``place-before`` names. Raises Trap."""
        menu = self.menu
        if not menu.can_add:
            raise Trap("no such command", Category.MISSING)
        position = len(self.rows)
        if "place-before" in arguments:
            if not menu.is_ordered:
                raise self._unknown("place-before")
            anchors = self.resolve(arguments["place-before"])
            if anchors:
                position = self.rows.index(anchors[0])
        given: dict[str, str] = {}
        if "copy-from" in arguments:
            for source in self.resolve(arguments["copy-from"])[:1]:
                given.update(source.properties)
        given |= self._checked({name: text for name, text in arguments.items() if name not in CONSOLE_ONLY})
        given = {name: text for name, text in given.items() if text or name in _TEXT_MAY_BE_EMPTY}
        for name in menu.required:
            if not given.get(name):
                raise Trap(f"missing ={name}=", Category.MISSING)
        if menu.prefix and not given.get("name"):
            given["name"] = self._free_name()
        self._want_unique(given, ())
        row = Row(self._ids.take(), given)
        self.rows.insert(position, row)
        self._changed(self, row, False)
        return row

    def put(self, row: Row) -> None:
        """A row of the router's own, at the end."""
        self.rows.append(row)

    def new_id(self) -> str:
        """An id for a row of the router's own."""
        return self._ids.take()

    def set(self, rows: Iterable[Row], arguments: Mapping[str, str]) -> None:
        """Change properties of rows: of all of them, or of none. Raises Trap."""
        chosen = list(rows)
        self._want_static(chosen)
        given = self._checked(arguments)
        planned = [(row, {**row.properties, **given}) for row in chosen]
        for row, properties in planned:
            # What has a name, as every interface, keeps one, also where a new row may leave it out.
            kept = {"name"} & row.properties.keys() if not self._is_single else set()
            for name in dict.fromkeys((*self.menu.required, *kept)):
                if not properties.get(name):
                    raise Trap(f"missing ={name}=", Category.MISSING)
            self._want_unique(properties, chosen if len(chosen) == 1 else (row,))
        if len(chosen) > 1 and any(given.keys() & set(names) for names, _ in self.menu.unique):
            self._want_apart(planned)
        for row, properties in planned:
            before, after = row.properties.get("name", ""), properties.get("name", "")
            if before and after != before and self.renamed is not None:
                self.renamed(self.menu.path, before, after)
            row.properties = {
                name: text for name, text in properties.items() if text or name in _TEXT_MAY_BE_EMPTY or self._is_single
            }
            self._changed(self, row, False)

    def remove(self, rows: Iterable[Row]) -> None:
        """Take rows out: all of them, or none. Raises Trap."""
        chosen = list(rows)
        self._want_static(chosen)
        if not self.menu.can_add:
            raise Trap("no such command", Category.MISSING)
        for row in chosen:
            if row in self.rows:
                self.rows.remove(row)
                self._changed(self, row, True)

    def move(self, rows: Iterable[Row], before: Row | None) -> None:
        """Put rows, in the order in which they are named, before another one or at the end. Raises Trap."""
        if not self.menu.is_ordered:
            raise Trap("no such command", Category.MISSING)
        moved = list(dict.fromkeys(rows))
        self._want_static(moved)
        if before in moved:
            raise Trap("failure: can not move object before itself", Category.GENERAL)
        rest = [row for row in self.rows if row not in moved]
        position = rest.index(before) if before is not None else len(rest)
        self.rows[:] = [*rest[:position], *moved, *rest[position:]]
        for row in moved:
            self._changed(self, row, False)

    # -- rules of all of them -----------------------------------------------------------------

    @property
    def _is_single(self) -> bool:
        return self.menu.kind == Kind.SETTINGS

    def _checked(self, arguments: Mapping[str, str]) -> dict[str, str]:
        """Known properties with sound values; ``!name`` stands for an empty one."""
        found: dict[str, str] = {}
        for given, text in arguments.items():
            name, value = (given[1:], "") if given.startswith("!") else (given, text)
            if name not in self.menu.known:
                raise self._unknown(name)
            if value == "" and (name in self.menu.flags) and not given.startswith("!"):
                value = "yes"
            is_unset = value == "" and given.startswith("!")
            found[name] = "" if is_unset else normal(self.menu.path, name, value, self._names, self._version)
        return found

    def _unknown(self, name: str) -> Trap:
        """Version 7 names the parameter."""
        return Trap(f"unknown parameter {name}" if self._version >= 7 else "unknown parameter")

    def _want_static(self, rows: Iterable[Row]) -> None:
        if any(row.dynamic for row in rows):
            raise Trap("failure: can not change dynamic object", Category.GENERAL)

    def _want_unique(self, given: Mapping[str, str], but: Iterable[Row]) -> None:
        excepted = {id(row) for row in but}
        for names, message in self.menu.unique:
            wanted = [given.get(name, "") for name in names]
            for row in self._rivals():
                if id(row) not in excepted and [row.properties.get(name, "") for name in names] == wanted:
                    raise Trap(message, Category.GENERAL)

    def _want_apart(self, planned: list[tuple[Row, dict[str, str]]]) -> None:
        for names, message in self.menu.unique:
            values = [tuple(properties.get(name, "") for name in names) for _, properties in planned]
            if len(set(values)) < len(values):
                raise Trap(message, Category.GENERAL)

    def _free_name(self) -> str:
        taken = {row.properties.get("name") for row in self._rivals()}
        return next(name for number in count(1) if (name := f"{self.menu.prefix}{number}") not in taken)

    def _rivals(self) -> Iterator[Row]:
        """The rows that a new one must differ from: for a link those of all kinds."""
        yield from (self.rivals or self).rows
