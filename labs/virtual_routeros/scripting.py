"""Scripts on the device: the part of the language that configuring and rolling back need.

Commands of menus with ``[find …]``, ids or names for their rows, and
``[:pick [find …] N]`` for one of them; ``:delay``, ``:log``, ``:put``,
``:do {…} on-error={…}``, ``:if ([:len [find …]] = N) do={…} else={…}``,
``/import``, ``/system script run``. Whatever else the language has (variables,
other conditions, loops) is refused by name. Statements are read by :mod:`compiler.dialects.routeros.script`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from compiler.dialects.routeros.durations import duration
from compiler.dialects.routeros.find import NotFind, parse_find
from compiler.dialects.routeros.script import COMMANDS, Opaque, Path, Script, Statement, Value, parse
from compiler.simulator.engine import SECOND
from labs.virtual_routeros.menus import READ_ONLY, Kind
from labs.virtual_routeros.tables import Row, Table
from labs.virtual_routeros.traps import Category, Trap
from labs.virtual_routeros.values import spoken

if TYPE_CHECKING:
    from labs.virtual_routeros.device import Device

__all__ = ["run_script"]

_DEEPEST = 20
_DYNAMIC = re.compile(r"(?<![!\w-])(?<!not )dynamic(?!\w|=(?:no|false)|-)")
_ABOUT_DYNAMIC = re.compile(r"(?<![\w-])(?:dynamic|static)(?![\w-])")
_COUNTED = re.compile(r"\(\s*\[:len (\[.*\])\]\s*(=|!=|>|<)\s*(\d{1,9})\s*\)", re.DOTALL)
_PICKED = re.compile(r"\[:pick (\[.*\]) (\d{1,9})\]", re.DOTALL)
_QUIET = frozenset({"print", "export"})


def run_script(device: Device, text: str, source: str, depth: int = 0) -> Iterator[int]:
    """Run a script as far as each ``:delay``, whose nanoseconds are yielded.

    A script with a mistake of grammar does not begin. Else it stops at the
    first command that fails: Trap, its message with ``source`` and line; what
    was done before stays done.
    """
    if depth > _DEEPEST:
        raise Trap(f"{source}: scripts call one another too deep", Category.SCRIPT)
    script = parse(text, source)
    if script.faults:
        fault = script.faults[0]
        raise Trap(f"syntax error: {fault}", Category.SCRIPT)
    for statement in script.statements:
        try:
            yield from _statement(device, script, statement, depth)
        except Trap as trap:
            if trap.category is Category.SCRIPT:
                raise
            raise Trap(f"{trap} ({source} line {statement.line})", Category.SCRIPT) from None


def _statement(device: Device, script: Script, statement: Statement, depth: int) -> Iterator[int]:
    path, command = statement.path, statement.command
    if command in COMMANDS:
        if command not in _QUIET:
            _change(device, statement)
    elif command == ":delay":
        yield _delay(statement)
    elif command in (":log", ":put"):
        device.log.append(" ".join(_text(value) for _, value in statement.arguments))
    elif command == ":do":
        yield from _guarded(device, script, statement, depth)
    elif command == ":if":
        yield from _chosen_block(device, script, statement, depth)
    elif command:
        raise Trap(f"{command.split(None, 1)[0]} is not modelled in scripts of a virtual router", Category.GENERAL)
    elif path[:3] == ("system", "script", "run") and (len(path) == 4 or statement.arguments):
        yield from _stored(device, path, statement, depth)
    elif path[:1] == ("import",) and (len(path) == 2 or statement.arguments):
        yield from _imported(device, path, statement, depth)
    elif path[:1] == ("log",) and len(path) == 2 and statement.arguments:
        device.log.append(" ".join(_text(value) for _, value in statement.arguments))
    elif statement.arguments or not _is_menu(device, path):
        raise Trap(f"{' '.join(('/' + ' '.join(path), '…'))} is not modelled in scripts of a virtual router")


def _is_menu(device: Device, path: Path) -> bool:
    return any(known[: len(path)] == path for known in device.tables)


def _delay(statement: Statement) -> int:
    words = [_text(value) for name, value in statement.arguments if name in ("", "delay-time")]
    length = duration(words[0]) if len(words) == 1 else SECOND if not words else None
    if length is None:
        raise Trap("invalid value for argument delay-time", Category.ARGUMENT)
    return length


def _guarded(device: Device, script: Script, statement: Statement, depth: int) -> Iterator[int]:
    """``:do {…} on-error={…}``; loops (``while=``) are refused."""
    blocks = dict(statement.arguments)
    if not blocks.keys() <= {"", "on-error"} or len(blocks) != len(statement.arguments):
        raise Trap(":do with a condition is not modelled in scripts of a virtual router", Category.GENERAL)
    try:
        yield from run_script(device, _block(blocks.get("", "")), script.source, depth + 1)
    except Trap:
        if "on-error" not in blocks:
            raise
        yield from run_script(device, _block(blocks["on-error"]), script.source, depth + 1)


def _chosen_block(device: Device, script: Script, statement: Statement, depth: int) -> Iterator[int]:
    """``:if (…) do={…} else={…}``, where the condition counts rows."""
    blocks = dict(statement.arguments)
    if not {"", "do"} <= blocks.keys() <= {"", "do", "else"} or len(blocks) != len(statement.arguments):
        raise Trap(":if: expected a condition, do={…} and perhaps else={…}", Category.SCRIPT)
    condition = blocks[""]
    counted = _COUNTED.fullmatch(condition.text) if isinstance(condition, Opaque) else None
    if counted is None:
        raise Trap(f":if {_shown(condition)} is not modelled in scripts of a virtual router", Category.GENERAL)
    find, sign, number = counted[1], counted[2], int(counted[3])
    menu = _menu_of_find(device, find)
    found = len(_rows(device, menu, Opaque(find, 0)))
    holds = {"=": found == number, "!=": found != number, ">": found > number, "<": found < number}[sign]
    branch = "do" if holds else "else"
    if branch in blocks:
        yield from run_script(device, _block(blocks[branch]), script.source, depth + 1)


def _menu_of_find(device: Device, find: str) -> Table:
    """The menu that a ``[/path find …]`` names: a condition stands in none."""
    path, found, _ = find[1:-1].partition("find")
    words = tuple(word for word in re.split(r"[\s/]+", path) if word)
    if not found or not words:
        raise Trap(f"{find}: expected a path and find", Category.SCRIPT)
    return device.table(words)


def _block(value: Value) -> str:
    if not isinstance(value, Opaque) or not value.text.startswith("{"):
        raise Trap("expected a block in braces", Category.SCRIPT)
    return value.text[1:-1]


def _stored(device: Device, path: Path, statement: Statement, depth: int) -> Iterator[int]:
    named = path[3] if len(path) == 4 else ""
    for name, value in statement.arguments:
        if name not in ("", "number"):
            raise Trap(f"unknown parameter {name}")
        table = device.tables["system", "script"]
        named = ",".join(row.id for row in _rows(device, table, value)) if isinstance(value, Opaque) else value
    for row in device.tables["system", "script"].resolve(named):
        yield from run_script(device, row.properties.get("source", ""), f"script {named}", depth + 1)


def _imported(device: Device, path: Path, statement: Statement, depth: int) -> Iterator[int]:
    named = path[1] if len(path) == 2 else ""
    for name, value in statement.arguments:
        if name not in ("", "file-name", "verbose"):
            raise Trap(f"unknown parameter {name}")
        named = _text(value) if name != "verbose" else named
    for row in device.tables["file",].rows:
        if row.properties.get("name") == named:
            yield from run_script(device, row.properties.get("contents", ""), named, depth + 1)
            return
    raise Trap(f"failure: file {named} not found", Category.GENERAL)


# -- commands of menus -----------------------------------------------------------------------


def _change(device: Device, statement: Statement) -> None:
    """Carry out one command as the API would, when its rows are known."""
    table, command = device.table(statement.path), statement.command
    arguments: dict[str, str] = {}
    bare: list[Value] = []
    for name, value in statement.arguments:
        if name == "!":
            arguments[f"!{_text(value)}"] = ""
        elif name in ("numbers", ".id") or (not name and not _is_flag(table, command, value)):
            bare.append(value)
        elif not name:
            arguments[_text(value)] = "yes"
        elif name in ("place-before", "destination", "copy-from"):
            arguments[name] = _ids(device, table, value)
        else:
            arguments[name] = _text(value)
    if command in ("add", "find") or table.menu.kind == Kind.SETTINGS:
        if bare:
            raise Trap(f"{_shown(bare[0])} stands where a name and a value should", Category.SCRIPT)
    else:
        _choose(device, table, command, bare, arguments)
        if arguments.get(".id") == "":
            return  # nothing was found, so nothing changes
    if command == "find":
        return
    device.call(statement.path, command, arguments)


def _choose(device: Device, table: Table, command: str, bare: list[Value], arguments: dict[str, str]) -> None:
    """The rows that a command is about, and the second word that ``move`` and ``unset`` have."""
    if not bare:
        raise Trap(f"{command}: missing value(s) of argument(s) numbers", Category.ARGUMENT)
    arguments[".id"] = ",".join(row.id for row in _rows(device, table, bare[0]))
    rest = bare[1:]
    if rest and command == "move":
        arguments["destination"] = _ids(device, table, rest.pop(0))
    elif rest and command == "unset":
        arguments["value-name"] = _text(rest.pop(0))
    if rest:
        raise Trap(f"{_shown(rest[0])} stands where a name and a value should", Category.SCRIPT)


def _is_flag(table: Table, command: str, value: Value) -> bool:
    return command in ("add", "set") and isinstance(value, str) and value in table.menu.flags


def _ids(device: Device, table: Table, value: Value) -> str:
    """The ids of rows; here the console takes their numbers too."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        if int(value) >= len(table.rows):
            raise Trap("no such item", Category.MISSING)
        return table.rows[int(value)].id
    return ",".join(row.id for row in _rows(device, table, value))


def _rows(device: Device, table: Table, value: Value) -> list[Row]:
    """Rows by ``[find …]``, ids or names. A script has printed nothing, so numbers name nothing."""
    if isinstance(value, str):
        return table.resolve(value)
    text = value.text
    picked = _PICKED.fullmatch(text)
    if picked is not None:
        several = _rows(device, table, Opaque(picked[1], value.offset))
        if int(picked[2]) >= len(several):
            raise Trap("no such item", Category.MISSING)  # the console picks nothing, and nothing is no row
        return [several[int(picked[2])]]
    if not text.startswith("["):
        raise Trap(f"{_shown(value)} is not modelled in scripts of a virtual router", Category.GENERAL)
    if _DYNAMIC.search(re.sub(r'"[^"]*"', '""', text)):
        raise Trap("find by dynamic is not modelled in scripts of a virtual router", Category.GENERAL)
    try:
        finder = parse_find(text, frozenset(table.menu.known | READ_ONLY | {".id"}))
    except NotFind as why:
        raise Trap(f"{text}: {why}", Category.GENERAL) from None
    found = device.table(finder.path) if finder.path else table
    static = _ABOUT_DYNAMIC.search(text) is not None
    return [row for row in found.rows if not (static and row.dynamic) and finder.test(_spoken(found, row))]


def _spoken(table: Table, row: Row) -> Mapping[str, str]:
    """A row in the console's words: ``yes`` for the API's ``true``."""
    return {name: spoken(name, text) for name, text in table.shown(row).items()}


def _text(value: Value) -> str:
    if isinstance(value, Opaque):
        raise Trap(f"{_shown(value)} is not modelled in scripts of a virtual router", Category.GENERAL)
    return value


def _shown(value: Value) -> str:
    text = value.text if isinstance(value, Opaque) else value
    return text if len(text) <= 40 else text[:40] + "…"
