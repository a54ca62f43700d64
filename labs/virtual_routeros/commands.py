"""The commands that menus have over the API, and what they answer.

Source: MikroTik documentation, "API" (command description): ``getall`` is
``print``; there is no ``find`` and no ``where``, but query words; the id of a
new row is ``ret``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compiler.dialects.routeros.durations import format_duration
from compiler.dialects.routeros.script import Path
from compiler.simulator.engine import SECOND
from labs.virtual_routeros.clocks import day_of, time_of
from labs.virtual_routeros.menus import Kind
from labs.virtual_routeros.queries import parse_query
from labs.virtual_routeros.tables import Row, Table
from labs.virtual_routeros.traps import Category, Trap

if TYPE_CHECKING:
    from labs.virtual_routeros.device import Device

__all__ = ["Reply", "carry_out"]

_PRINT_WORDS = frozenset({"detail", "stats", "terse", "brief", "without-paging", "count-only", ".proplist", "from"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answers: rows, ``ret`` of its ``!done``, and whether it might have had rows."""

    rows: tuple[Mapping[str, str], ...] = ()
    ret: str | None = None
    lists: bool = False


Command = Callable[["Device", Table, dict[str, str]], Reply]


def carry_out(device: Device, path: Path, command: str, arguments: Mapping[str, str], query: Sequence[str]) -> Reply:
    """One command in a menu of the device. Raises Trap."""
    if (path, command) == ((), "import"):
        return _import(device, dict(arguments))
    table = device.table(path)
    if command in ("print", "getall"):
        return _print(device, table, arguments, query)
    if query:
        raise Trap("query is not allowed here", Category.API)
    work = (_SETTINGS if table.menu.kind == Kind.SETTINGS else _ROWS).get(command)
    if path == ("system", "script") and command == "run":
        work = _run
    if work is None or table.menu.kind == Kind.STATE:
        raise Trap("no such command", Category.MISSING)
    return work(device, table, dict(arguments))


# -- looking -------------------------------------------------------------------------------


def _print(device: Device, table: Table, arguments: Mapping[str, str], query: Sequence[str]) -> Reply:
    for name in arguments:
        if name not in _PRINT_WORDS and name != ".id":
            raise Trap(f"unknown parameter {name}" if device.version >= 7 else "unknown parameter")
    test = parse_query(query)
    if device.before_print is not None:
        device.before_print()
    rows = table.rows
    chosen = arguments.get(".id", arguments.get("from"))
    if chosen is not None:
        rows = table.resolve(chosen)
    shown = [_state(device)] if table.menu.kind == Kind.STATE else [table.shown(row) for row in rows]
    if table.menu.path == ("system", "clock"):
        shown = [{**one, **_time(device)} for one in shown]
    found = [one for one in shown if test(one)]
    if "count-only" in arguments:
        return Reply(ret=str(len(found)))
    wanted = [name for name in arguments.get(".proplist", "").split(",") if name]
    if wanted:
        found = [{name: one[name] for name in wanted if name in one} for one in found]
    return Reply(tuple(found), lists=True)


def _state(device: Device) -> dict[str, str]:
    uptime = (device.clock.now() - device.started) // SECOND * SECOND
    return {
        "uptime": format_duration(uptime),
        "version": f"{device.description.version} (stable)",
        "free-memory": "939524096",
        "total-memory": "1073741824",
        "cpu": "QEMU",
        "cpu-count": "1",
        "cpu-load": "0",
        "architecture-name": "x86_64",
        "board-name": device.description.board,
        "platform": "MikroTik",
    }


def _time(device: Device) -> dict[str, str]:
    now = device.clock.now()
    return {"time": time_of(now), "date": day_of(now, device.version)}


def _get(device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    rows = table.rows if table.menu.kind == Kind.SETTINGS else _items(table, arguments)
    name = arguments.get("value-name", "")
    if not rows:
        raise Trap("no such item", Category.MISSING)
    shown = table.shown(rows[0])
    if not name:
        return Reply(ret=";".join(f"{key}={text}" for key, text in shown.items()))
    if name not in table.menu.known and name not in shown:
        raise Trap("input does not match any value of value-name", Category.ARGUMENT)
    return Reply(ret=shown.get(name, ""))


# -- changing ------------------------------------------------------------------------------


def _items(table: Table, arguments: dict[str, str]) -> list[Row]:
    """The rows that ``.id`` or ``numbers`` name; both are taken out of the arguments."""
    named = [arguments.pop(name) for name in (".id", "numbers") if name in arguments]
    if not named:
        raise Trap("missing =.id=")
    return table.resolve(",".join(named))


def _add(_device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    return Reply(ret=table.add(arguments).id)


def _set(_device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    rows = table.rows if table.menu.kind == Kind.SETTINGS else _items(table, arguments)
    if table.menu.path == ("system", "clock") and arguments.keys() & {"time", "date"}:
        raise Trap("failure: the clock of a virtual router cannot be set", Category.GENERAL)
    table.set(rows, arguments)
    return Reply()


def _remove(_device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    rows = _items(table, arguments)
    _want_none(_device, arguments)
    table.remove(rows)
    return Reply()


def _switch(disabled: str) -> Command:
    def work(device: Device, table: Table, arguments: dict[str, str]) -> Reply:
        rows = _items(table, arguments)
        _want_none(device, arguments)
        table.set(rows, {"disabled": disabled})
        return Reply()

    return work


def _comment(device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    rows = _items(table, arguments)
    comment = arguments.pop("comment", "")
    _want_none(device, arguments)
    table.set(rows, {"comment": comment})
    return Reply()


def _move(device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    """As measured on RouterOS 7: numbers are places in the table, and an unknown destination is the end."""
    destination = arguments.pop("destination", "")
    named = [arguments.pop(name) for name in (".id", "numbers") if name in arguments]
    _want_none(device, arguments)
    if not named:
        raise Trap("missing =.id=")
    rows = [row for part in ",".join(named).split(",") if part for row in _placed(table, part)]
    try:
        anchors = _placed(table, destination)
    except Trap:
        anchors = []
    table.move(rows, anchors[0] if anchors else None)
    return Reply()


def _placed(table: Table, text: str) -> list[Row]:
    if text.isascii() and text.isdigit() and int(text) < len(table.rows):
        return [table.rows[int(text)]]
    return table.resolve(text)


def _unset(device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    rows = _items(table, arguments)
    names = [name for name in arguments.pop("value-name", "").split(",") if name]
    _want_none(device, arguments)
    if not names:
        raise Trap("missing =value-name=")
    table.set(rows, {f"!{name}": "" for name in names})
    return Reply()


def _reset(_device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    rows = _items(table, arguments) if arguments else table.rows
    for row in rows:
        row.extra["packets"] = "0"
    return Reply()


def _want_none(device: Device, arguments: Mapping[str, str]) -> None:
    for name in arguments:
        raise Trap(f"unknown parameter {name}" if device.version >= 7 else "unknown parameter")


# -- scripts -------------------------------------------------------------------------------


def _run(device: Device, table: Table, arguments: dict[str, str]) -> Reply:
    """The part behind a ``:delay`` goes on by itself; a real router would answer only at the end."""
    for row in _items(table, arguments):
        device.scheduler.start(
            row.properties.get("source", ""), f"script {row.properties.get('name', '')}", strict=True
        )
        row.properties["run-count"] = str(int(row.properties.get("run-count", "0")) + 1)
    return Reply()


def _import(device: Device, arguments: dict[str, str]) -> Reply:
    name = arguments.pop("file-name", "")
    _want_none(device, arguments)
    if not name:
        raise Trap("missing =file-name=")
    files = device.tables["file",].rows
    text = next((row.properties.get("contents", "") for row in files if row.properties.get("name") == name), None)
    if text is None:
        raise Trap(f"failure: file {name} not found" if device.version >= 7 else "no such file", Category.GENERAL)
    device.scheduler.start(text, name, strict=True)
    return Reply()


_SETTINGS: Mapping[str, Command] = {"set": _set, "get": _get}
_ROWS: Mapping[str, Command] = {
    "add": _add,
    "set": _set,
    "get": _get,
    "remove": _remove,
    "enable": _switch("no"),
    "disable": _switch("yes"),
    "comment": _comment,
    "move": _move,
    "unset": _unset,
    "reset-counters": _reset,
    "reset-counters-all": _reset,
}
