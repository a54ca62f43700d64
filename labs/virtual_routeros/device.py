"""A virtual router without its wires: tables, users, clock, log, and what runs on it.

Everything that changes a router goes through :meth:`Device.call`, from the
API and from scripts alike. Calls hold ``lock``; a row is changed wholly or not
at all, as on the device.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock

from compiler.dialects.routeros.facts import TOP_MENUS
from compiler.dialects.routeros.script import Path
from labs.virtual_routeros.clocks import Clock, RealClock
from labs.virtual_routeros.commands import Reply, carry_out
from labs.virtual_routeros.dynamic import renew
from labs.virtual_routeros.menus import menus
from labs.virtual_routeros.references import rename
from labs.virtual_routeros.scheduler import Scheduler
from labs.virtual_routeros.tables import Ids, Row, Table
from labs.virtual_routeros.traps import no_such_menu

__all__ = ["Description", "Device", "Listener"]

Listener = Callable[[Path, Mapping[str, str]], None]
"""Told of each changed row: its menu, and what ``print`` would show, or ``.id`` and ``.dead``."""

_LINKS = ("ethernet", "bridge", "vlan", "pppoe-client")
_TYPES = {"ethernet": "ether", "pppoe-client": "pppoe-out"}
_FIRST_DYNAMIC = 0x80000001
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)?(?:(?:beta|rc)\d+)?")


@dataclass(frozen=True, slots=True)
class Description:
    """What a virtual router is. ``has_empty`` is None for what its version does (``!empty`` since 7.18)."""

    version: str = "7.18.2"
    ports: tuple[str, ...] = ("ether1", "ether2", "ether3", "ether4", "ether5")
    users: Mapping[str, str] = field(default_factory=lambda: {"admin": ""})
    """Name -> password."""
    board: str = "CHR"
    has_empty: bool | None = None

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor version. ValueError for what is no version."""
        found = _VERSION.fullmatch(self.version)
        if found is None or int(found[1]) not in (6, 7):
            raise ValueError(f"{self.version!r} is no version of RouterOS: expected 6.x or 7.x")
        return int(found[1]), int(found[2])

    @property
    def says_empty(self) -> bool:
        """Whether a print without rows is answered by ``!empty``."""
        return self.numbers >= (7, 18) if self.has_empty is None else self.has_empty


class Device:
    """One router. ``generation`` grows whenever a row changes."""

    def __init__(self, description: Description | None = None, clock: Clock | None = None) -> None:
        self.description = description or Description()
        self.version = self.description.numbers[0]
        self.clock = clock or RealClock()
        self.started = self.clock.now()
        self.lock = RLock()
        self.generation = 0
        self.log: list[str] = []
        self.listeners: list[Listener] = []
        self.before_print: Callable[[], None] | None = None
        """Brings up to date what the rows tell of packets."""
        self.dynamic_ids = Ids(_FIRST_DYNAMIC)
        self._is_renewing = False
        self.tables: dict[Path, Table] = {}
        links = Ids()
        for path, menu in menus(self.version).items():
            ids = links if path[0] == "interface" and path[1:] and path[1] in _LINKS else None
            kind = _Links if path == ("interface",) else Table
            self.tables[path] = kind(menu, self.version, self.names, self._changed, ids)
        every = self.tables["interface",]
        assert isinstance(every, _Links)
        every.kinds = [self.tables["interface", name] for name in _LINKS]
        for name in _LINKS:
            self.tables["interface", name].rivals = every
        for table in self.tables.values():
            table.renamed = self._renamed
        self.scheduler = Scheduler(self)
        self._begin()

    # -- asking ----------------------------------------------------------------------------

    def call(
        self, path: Path, command: str, arguments: Mapping[str, str] | None = None, query: Sequence[str] = ()
    ) -> Reply:
        """Carry out one command of a menu. Raises Trap."""
        with self.lock:
            return carry_out(self, path, command, arguments or {}, query)

    def table(self, path: Path) -> Table:
        """The table of a menu. Raises Trap with the first word that leads nowhere."""
        found = self.tables.get(path)
        if found is not None:
            return found
        for length, word in enumerate(path):
            is_known = any(known[: length + 1] == path[: length + 1] for known in self.tables)
            if not is_known and not (length == 0 and word in TOP_MENUS):
                raise no_such_menu(word)
        raise no_such_menu(path[-1] if path else "/")

    def names(self, path: Path, name: str) -> set[str]:
        """The values that rows of a menu have for a property."""
        table = self.tables.get(path)
        return {row.properties.get(name, "") for row in table.rows} if table is not None else set()

    def upload(self, name: str, contents: str) -> None:
        """Put a file on the router, as FTP or SCP would; one of that name is replaced."""
        with self.lock:
            files = self.tables["file",]
            files.rows[:] = [row for row in files.rows if row.properties.get("name") != name]
            files.put(Row(files.new_id(), {"name": name, "contents": contents}))

    def tick(self) -> int | None:
        """Run what is due by now; when the next thing is due, or None."""
        with self.lock:
            return self.scheduler.run(self.clock.now())

    # -- changes ---------------------------------------------------------------------------

    def _changed(self, table: Table, row: Row, is_gone: bool) -> None:
        self.generation += 1
        path = table.menu.path
        if is_gone and row.properties.get("name"):
            self._renamed(path, row.properties["name"], row.id)
        if path == ("system", "scheduler"):
            self.scheduler.changed(row, is_gone)
        if not self._is_renewing:
            self._is_renewing = True
            try:
                renew(self)
            finally:
                self._is_renewing = False
        dead = "true" if self.version >= 7 else "yes"
        told = {".id": row.id, ".dead": dead} if is_gone else table.shown(row)
        for listener in tuple(self.listeners):
            listener(path, told)

    def _renamed(self, path: Path, before: str, after: str) -> None:
        rename(self.tables.values(), path, before, after)

    def _begin(self) -> None:
        """Rows that are there before anybody sets anything."""
        ethernet = self.tables["interface", "ethernet"]
        for name in self.description.ports:
            row = Row(ethernet.new_id(), {"name": name})
            row.extra = {"default-name": name, "running": "true", "type": "ether"}
            ethernet.put(row)
        lists = self.tables["interface", "list"]
        for name in ("all", "none", "dynamic", "static"):
            row = Row(lists.new_id(), {"name": name}, dynamic=True)
            row.extra = {"builtin": "true"}
            lists.put(row)
        if self.version >= 7:
            table = self.tables["routing", "table"]
            table.put(Row(table.new_id(), {"name": "main", "fib": "true"}, dynamic=True))


class _Links(Table):
    """``/interface``: the rows of all kinds of links."""

    kinds: Sequence[Table] = ()

    @property
    def rows(self) -> list[Row]:
        """The links in the order of their kinds."""
        return [row for table in self.kinds for row in table.rows]

    @rows.setter
    def rows(self, rows: list[Row]) -> None:
        if rows:
            raise ValueError("links belong to the menus of their kinds")

    def shown(self, row: Row) -> dict[str, str]:
        """All that ``print`` tells of a row."""
        kind = next(table.menu.path[1] for table in self.kinds if row in table.rows)
        kept = {name: text for name, text in super().shown(row).items() if name in _SHOWN}
        return {**kept, "type": _TYPES.get(kind, kind)}


_SHOWN = frozenset({".id", "name", "default-name", "comment", "disabled", "dynamic", "mtu", "l2mtu", "running"})
