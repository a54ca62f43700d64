"""What stood before the balance and is not as it was: settings, and foreign rows that made room.

It is kept on the device, in a script of our own that only holds comments, and
is part of what is deployed: a rollback takes it back like any row. When the
balance wants a place no more, what was there returns: a row unless there is one
of its key again, a setting unless somebody has changed it since.

A foreign row that is as wanted stays whose it is: nothing is done to it, and it
counts. One that is not is a conflict, and is refused unless the user says that
it may be replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from compiler.balancing.routeros_words import OWNER
from compiler.deploy.deployment import DeployError
from compiler.deploy.routeros.menus import SCRIPTS, Menu, Row, Values, menus_of
from compiler.deploy.routeros.quoted import find_of
from compiler.deploy.routeros.steps import changes_of, told
from compiler.deploy.routeros.wanted import Wanted

if TYPE_CHECKING:
    from compiler.deploy.routeros.difference import Tables

__all__ = ["NAME", "complete", "is_satisfied", "key_of"]

NAME = "gerbang-balance-before"
_COMMENT = f"{OWNER} what was there before, for --remove"
_Settings = dict[tuple[str, str], tuple[str, str]]
_Rows = tuple[tuple[Menu, Values], ...]


class _Record(NamedTuple):
    """Settings by menu and name: before, and as the deploy set them. Rows as they were."""

    settings: _Settings
    rows: _Rows


def key_of(menu: Menu, values: Values) -> tuple[str, ...]:
    """What tells a row apart from others of its menu."""
    return tuple(values.get(name, "") for name in menu.key)


def is_satisfied(menu: Menu, row: Row, values: Values) -> bool:
    """Whether somebody else's row says what is wanted, whatever its comment."""
    return not row.is_ours and not row.is_dynamic and not changes_of(menu, row.values, values).keys() - {"comment"}


def complete(tables: Tables, wanted: Wanted, version: int, *, replace: bool) -> Wanted:
    """What is wanted of this very device. Raises DeployError for conflicts that may not be replaced."""
    record = _read(tables, version)
    conflicts = tuple(_conflicts(tables, wanted, version))
    if conflicts and not replace:
        lines = (f"  {menu.name} remove {find_of(menu, row.values)}" for menu, row in conflicts)
        shown = "; ".join(f"{menu.name}: {told(menu, row.values)}" for menu, row in conflicts)
        raise DeployError(
            f"not of the balance, and in its way: {shown}. Nothing was changed. Clear it by\n"
            + "\n".join(lines)
            + "\nor give --replace-foreign: --remove then puts it back."
        )
    due = tuple(one for one in record.rows if not _is_in_the_way(*one, wanted))
    known = {(menu, key_of(menu, values)) for menu, values in record.rows}
    fresh = ((menu, row.values) for menu, row in conflicts if (menu, key_of(menu, row.values)) not in known)
    kept = (*(one for one in record.rows if one not in due), *fresh)
    settings, memory, notes = _settings(tables, wanted, record.settings, version)
    rows = {**wanted.rows, SCRIPTS: _written(_Record(memory, kept))}
    restored = {menu: tuple(values for one, values in due if one is menu) for menu in menus_of(version)}
    replaced = frozenset((menu, key_of(menu, row.values)) for menu, row in conflicts)
    return wanted._replace(rows=rows, settings=settings, restored=restored, replaced=replaced, notes=notes)


# -- conflicts ----------------------------------------------------------------------------------------


def _conflicts(tables: Tables, wanted: Wanted, version: int) -> Iterator[tuple[Menu, Row]]:
    for menu in menus_of(version):
        if not menu.key:
            continue
        by_key = {key_of(menu, values): values for values in wanted.rows[menu]}
        for row in tables[menu]:
            if row.is_ours or row.is_dynamic:
                continue
            same = by_key.get(key_of(menu, row.values))
            if same is not None and is_satisfied(menu, row, same):
                continue
            if _is_in_the_way(menu, row.values, wanted):
                yield menu, row


def _is_in_the_way(menu: Menu, values: Values, wanted: Wanted) -> bool:
    """Whether a row has the key of a wanted one, or an address of ours at another place."""
    if any(key_of(menu, one) == key_of(menu, values) for one in wanted.rows[menu]):
        return True
    if "disabled" in values:
        return False
    return any(
        one is menu and _bare(menu, values.get(name, "")) == _bare(menu, text) for one, name, text in wanted.in_the_way
    )


def _bare(menu: Menu, text: str) -> str:
    """An address without its length: two of them on one router are in each other's way whatever that is."""
    return text.partition("/")[0] if menu.path == ("ip", "address") else text


# -- settings -----------------------------------------------------------------------------------------


def _settings(
    tables: Tables, wanted: Wanted, known: _Settings, version: int
) -> tuple[dict[Menu, Values], _Settings, tuple[str, ...]]:
    """What to set, what to remember, and what is told."""
    result: dict[Menu, Values] = {}
    memory: _Settings = {}
    notes = []
    for menu in menus_of(version):
        if not menu.is_settings:
            continue
        now: Values = tables[menu][0].values if tables[menu] else {}
        own = dict(wanted.settings.get(menu, {}))
        for name, value in own.items():
            held = now.get(name, "")
            before, then = known.get((menu.name, name), (held, held))
            if held not in (then, value):
                before = held  # the owner has changed it since
            if before != value or (menu.name, name) in known:
                memory[menu.name, name] = before, value
        for (where, name), (before, then) in known.items():
            if where != menu.name or name in own:
                continue
            if now.get(name, "") == then:
                own[name] = before
            else:
                text = now.get(name, "")
                notes.append(f"{where}: {name}={text} was changed since the deploy and stays (before it: {before!r})")
        if own:
            result[menu] = own
    return result, memory, tuple(notes)


# -- the script that holds it -------------------------------------------------------------------------


def _written(record: _Record) -> tuple[Values, ...]:
    if not record.settings and not record.rows:
        return ()
    found = [
        {"menu": menu, "name": name, "before": before, "set": then}
        for (menu, name), (before, then) in record.settings.items()
    ] + [{"menu": menu.name, "row": dict(values)} for menu, values in record.rows]
    lines = sorted(f"# {json.dumps(one, sort_keys=True)}" for one in found)
    return ({"comment": _COMMENT, "name": NAME, "source": "\n".join(lines)},)


def _read(tables: Tables, version: int) -> _Record:
    settings: _Settings = {}
    rows = []
    menus: Mapping[str, Menu] = {menu.name: menu for menu in menus_of(version)}
    for row in tables[SCRIPTS]:
        if not row.is_ours or row.values.get("name") != NAME:
            continue
        for line in row.values.get("source", "").replace("\r\n", "\n").split("\n"):
            try:
                one = json.loads(line.removeprefix("# "))
                if "row" in one and one["menu"] in menus:
                    rows.append((menus[one["menu"]], {str(name): str(text) for name, text in one["row"].items()}))
                elif "row" not in one:
                    settings[str(one["menu"]), str(one["name"])] = str(one["before"]), str(one["set"])
            except (ValueError, KeyError, TypeError, AttributeError):
                raise DeployError(
                    f"/system script: {NAME} is not as a deploy wrote it ({line[:60]!r}): put it right, or take it "
                    "away (then nothing of what was there before comes back). Nothing was changed."
                ) from None
    return _Record(settings, tuple(rows))
