"""What rows a script leaves in a router's menus, read with patience.

The readers of :mod:`compiler.dialects.routeros` refuse every word that they do
not know. Here such words are kept, so that lints can speak about them: a
property that is near a known one counts as that one, a command without a menu
belongs to the menu whose properties it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from compiler.balancing.lints.joining import Break, joined
from compiler.dialects.routeros.facts import INERT, MATCHERS, PROPERTIES, UNMODELLED_MATCHERS
from compiler.dialects.routeros.network_facts import OTHER_LINKS, SETTINGS, TABLES
from compiler.dialects.routeros.network_tables import LinkTable, Ports, Settings
from compiler.dialects.routeros.runner import header_version
from compiler.dialects.routeros.script import COMMANDS, Opaque, Path, Script, Statement, parse
from compiler.dialects.routeros.stateful_facts import ACTION_PROPERTIES
from compiler.dialects.routeros.tables import Item, Table
from compiler.dialects.routeros.versions import evident_version
from compiler.errors import InputError, InputErrors, Unmodelled
from compiler.source import Span

__all__ = ["KNOWN", "MANGLE", "NAT", "ROUTES", "Reading", "Row", "read_rows"]

MANGLE: Path = ("ip", "firewall", "mangle")
NAT: Path = ("ip", "firewall", "nat")
ROUTES: Path = ("ip", "route")
_FIREWALL = ("raw", "mangle", "nat", "filter")
_RULES = INERT | MATCHERS | UNMODELLED_MATCHERS | {"place-before", "copy-from"}
_LINKS = ("ethernet", "bridge", "vlan", "pppoe-client", *OTHER_LINKS)
_PORTS = ("ethernet", "wireless", "wifi", "wifiwave2", "lte")

KNOWN: Mapping[Path, frozenset[str]] = MappingProxyType(
    {("ip", "firewall", kind): _RULES | ACTION_PROPERTIES[kind] for kind in _FIREWALL}
    | {path: known | {"place-before", "copy-from"} for path, known in PROPERTIES.items()}
    | dict(TABLES)
    | dict(SETTINGS)
)
"""Menu -> the properties of its rows."""

_HARMLESS = frozenset({":put", ":log", ":delay", ":beep"})
_FLAGS = frozenset({"fib", "blackhole"})


class Row:
    """One row: its menu, its properties (under their right names), and where they are written."""

    __slots__ = ("item", "misspelt", "path")

    def __init__(self, path: Path, item: Item, misspelt: Mapping[str, str]) -> None:
        self.path = path
        self.item = item
        self.misspelt = misspelt
        """Right name -> the name that is written."""

    def __getitem__(self, name: str) -> str:
        return self.item.properties.get(name, "")

    @property
    def active(self) -> bool:
        """Whether the row is not disabled."""
        return not self.item.disabled

    @property
    def start(self) -> int:
        """Where the statement begins that added the row."""
        return self.item.statement.start

    @property
    def menu(self) -> str:
        """``/ip route``."""
        return "/" + " ".join(self.path)

    def written(self, name: str) -> str:
        """The name under which a property stands in the text."""
        return self.misspelt.get(name, name)


class Reading:
    """A script's rows. ``unread`` are statements that even patience cannot read; ``homeless`` those without a menu."""

    def __init__(self, text: str, source: str, version: int | None) -> None:
        self.text = text
        self.source = source
        self.clean, self.breaks = joined(text)
        self.script: Script = parse(self.clean, source)
        self.original = Script(text, source)
        told = version or header_version(self.script)
        self.version = (6 if told < 7 else 7) if told else evident_version(self.script) or 7
        self.version_told = told is not None
        self.unread: list[InputError] = list(self.script.faults)
        self.homeless: list[tuple[Statement, Path]] = []
        self.rows: list[Row] = []

    def of(self, path: Path) -> list[Row]:
        """The rows of one menu that are not disabled, in order."""
        return [row for row in self.rows if row.path == path and row.active]

    def settings(self, path: Path) -> Row | None:
        """The one row of a menu that has no rows, or None where nothing is set."""
        return next(iter(self.of(path)), None)

    def place(self, row: Row, name: str = "") -> Span:
        """Where a property stands in the user's text, or the row."""
        statement = row.item.statement
        words = self.script.words(statement)
        start, end = words[0].start, words[0].end
        if name:
            begin = row.item.offset(name)
            for word in words if begin == statement.start else self.script.words(statement._replace(start=begin)):
                if word.name == row.written(name):
                    start, end = word.start, word.end
        return self.original.span(start, end)

    def extent(self, statement: Statement) -> tuple[int, int]:
        """Where a statement begins and ends in the user's text."""
        words = self.script.words(statement)
        if not words:
            return statement.start, statement.start
        end = words[-1].end
        # What was put together is shorter than what stands in the text.
        while end < len(self.text) and self.clean[end] == " " and self.text[end] not in " \t":
            end += 1
        return words[0].start, end

    def breaks_in(self, start: int, end: int) -> Iterator[Break]:
        """What was put together in a stretch of the text."""
        return (one for one in self.breaks if start <= one.offset < end)


class _Patient(Table):
    """A table that keeps what it does not know."""

    def _know(self, script: Script, statement: Statement, index: int, name: str) -> None:
        pass

    def want_known(self, script: Script, statement: Statement) -> None:
        pass

    def _add(self, script: Script, statement: Statement) -> None:
        properties: dict[str, str] = {}
        for name, value in statement.arguments:
            if not name and isinstance(value, str) and value in _FLAGS:
                properties[value] = "yes"
            elif name not in ("", "!"):
                properties[name] = value.text if isinstance(value, Opaque) else value
        before = properties.pop("place-before", None)
        item = Item(properties, statement)
        anchors = self._resolve(script, statement, None, before) if before else []
        self.items.insert(self._position(anchors[0]) if anchors else len(self.items), item)


class _Rows(_Patient):
    texts = frozenset({"default-name", "name", "routing-mark", "routing-table", "table", "bridge", "gateway"})

    def __init__(self, path: Path) -> None:
        Table.__init__(self, path, KNOWN.get(path, frozenset()), ())


class _Links(_Patient, LinkTable):
    pass


class _HardwarePorts(_Patient, Ports):
    pass


class _Settings(_Patient, Settings):
    pass


def _tables() -> dict[Path, Table]:
    tables: dict[Path, Table] = {}
    for path in KNOWN:
        if path[0] != "ipv6":
            tables[path] = _Settings(path) if path in SETTINGS else _Rows(path)
    for kind in _LINKS:
        tables["interface", kind] = (_HardwarePorts if kind in _PORTS else _Links)(("interface", kind))
    return tables


def read_rows(text: str, source: str, version: int | None = None) -> Reading:
    """Read a whole script. Never raises for what stands in it; the result says what could not be read."""
    reading = Reading(text, source, version)
    tables = _tables()
    for statement in reading.script.statements:
        _run(reading, tables, statement)
    for path, table in tables.items():
        reading.rows += [Row(path, item, _right_names(path, item)) for item in table.items]
    return reading


def _run(reading: Reading, tables: dict[Path, Table], statement: Statement) -> None:
    path = _menu(statement.path, tables)
    if not statement.path and statement.command in ("add", "set"):
        path = _likely_menu(statement)
        if path:
            reading.homeless.append((statement, path))
    table = tables["interface", "ethernet"] if path == ("interface",) else tables.get(path)
    if statement.command.startswith(":") and statement.command not in _HARMLESS:
        why = f"scripting ({statement.command}) is not followed: rows that it makes are not seen"
        reading.unread.append(reading.script.fault_at(why, statement, kind=Unmodelled))
    if table is None or statement.command not in COMMANDS:
        return
    try:
        table.run(reading.script, statement._replace(path=path))
    except InputError as fault:
        reading.unread.append(fault)
    except InputErrors as several:
        reading.unread += several.errors


def _menu(path: Path, tables: dict[Path, Table]) -> Path:
    """The menu that a path means: the console takes words that are short but clear."""
    if path in tables or not path:
        return path
    same = [menu for menu in tables if len(menu) == len(path)]
    near = [menu for menu in same if all(full.startswith(word) for full, word in zip(menu, path, strict=True))]
    return near[0] if len(near) == 1 else path


def _likely_menu(statement: Statement) -> Path:
    """The menu whose properties a command has that stands in none, or ``()``."""
    names = {name for name, _ in statement.arguments if name not in ("", "!")}
    values = {value for _, value in statement.arguments if isinstance(value, str)}
    menus = SETTINGS if statement.command == "set" else KNOWN
    if names & {"primary-dns", "secondary-dns"}:
        return ("ip", "dns")
    best: tuple[int, Path] = (0, ())
    for path, known in menus.items():
        if path in SETTINGS and statement.command == "add":
            continue
        score = 3 * len(names & known) - sum(name not in known for name in names)
        if path == NAT and values & {"srcnat", "dstnat"}:
            score += 2
        if path == MANGLE and values & {"mark-connection", "mark-routing"}:
            score += 2
        if path[0] != "ipv6" and score > best[0]:
            best = score, path
    return best[1]


def _right_names(path: Path, item: Item) -> dict[str, str]:
    """Count misspelt properties as what they are near; the right name of each -> the written one."""
    known = KNOWN.get(path)
    found: dict[str, str] = {}
    if known is None or (path[0] == "interface" and path[1:2] != ("list",)):
        return found
    for index, (name, value) in enumerate(item.statement.arguments):
        if name in ("", "!") or name in known or not isinstance(value, str):
            continue
        near = get_close_matches(name, sorted(known), 1, 0.75)
        if near and near[0] not in item.properties:
            item.properties.pop(name, None)
            item.put(near[0], value, item.statement, index)
            found[near[0]] = name
    return found
