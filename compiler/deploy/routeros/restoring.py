"""The script that puts back what was there before a deploy, whatever of the deploy was done.

It says what shall be, not what to undo: rows are found by key or by comment,
never by id (ids are another session's, and another boot's). So it may run after
any part of the deploy, twice, or again after a power cut in its middle, and
always ends with the same rows in the same order. A line that fails is written
to the log, and the next is tried. Source: MikroTik documentation, "Scripting".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.balancing.routeros_words import OWNER
from compiler.deploy.routeros.difference import Tables
from compiler.deploy.routeros.menus import Menu, Row, Values, is_ours, menus_of
from compiler.deploy.routeros.quoted import find_of, quoted
from compiler.deploy.routeros.steps import Step, Verb
from compiler.dialects.routeros.quoting import quote

__all__ = ["restoring_lines"]

_OURS = f'[find where comment~"^{OWNER}"]'
_FAILED = ':do {{ {0} }} on-error={{ :log error "gerbang: could not be put back: {1}" }}'


def restoring_lines(tables: Tables, steps: Sequence[Step], version: int) -> tuple[str, ...]:
    """The lines of the script, for the tables as they are before these steps."""
    first: list[str] = []
    then: list[str] = []
    for menu in menus_of(version):
        own = [step for step in steps if step.menu is menu]
        if not own:
            continue
        if menu.is_settings:
            then += _settings(menu, own)
        elif menu.key:
            gone, back = _keyed(menu, own)
            first[:0] = gone
            then += back
        else:
            gone, back = _listed(menu, tables[menu], own)
            first[:0] = gone
            then += back
    return (*first, *then)


def _guarded(menu: Menu, line: str, what: str) -> str:
    return _FAILED.format(line, quoted(f"{menu.name} {what}"[:120])[1:-1])


def _settings(menu: Menu, steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        words = " ".join(f"{name}={_value(value)}" for name, value in step.before.items())
        yield _guarded(menu, f"{menu.name} set {words}", "set")


# -- rows with a key ----------------------------------------------------------------------------------


def _keyed(menu: Menu, steps: Sequence[Step]) -> tuple[list[str], list[str]]:
    gone, back = [], []
    for step in steps:
        found = find_of(menu, step.before or step.values)
        what = " ".join((step.before or step.values).get(name, "") for name in menu.key)
        if step.verb is Verb.ADD:
            if is_ours(step.values):
                found = f'{found[:-1]} and comment~"^{OWNER}"]'
            gone.append(_guarded(menu, f"{menu.name} remove {found}", what))
        elif step.verb is Verb.REMOVE:
            adding = f"{menu.name} add {_words(menu, step.before)}"
            absent = f":if ([:len [{menu.name} {found[1:-1]}]] = 0) do={{ {adding} }}"
            back.append(_guarded(menu, absent, what))
        else:
            old = {name: step.before.get(name, menu.defaults.get(name, "")) for name in step.values}
            back.append(_guarded(menu, f"{menu.name} set {found} {_assigned(old)}", what))
    return gone, back


def _assigned(values: Values) -> str:
    """``name=value`` for ``set``, where an empty value takes a property away."""
    return " ".join(f"{name}={_value(value)}" for name, value in values.items())


# -- rules and routes ---------------------------------------------------------------------------------


def _listed(menu: Menu, rows: Sequence[Row], steps: Sequence[Step]) -> tuple[list[str], list[str]]:
    """Rows are taken out by comment, all of a comment's that any step touches, and added as they were."""
    static = [row for row in rows if not row.is_dynamic]
    touched = {
        text
        for step in steps
        for text in (step.before.get("comment", ""), step.values.get("comment", ""))
        if text.startswith(OWNER)
    }
    ours = [row for row in static if row.is_ours]
    if 2 * sum(row.values["comment"] in touched for row in ours) >= len(ours):
        gone = [_guarded(menu, f"{menu.name} remove {_OURS}", "remove")]
        touched = {row.values["comment"] for row in ours}
    else:
        gone = [
            _guarded(menu, f"{menu.name} remove [find where comment={quoted(text)}]", "remove")
            for text in sorted(touched)
        ]
    back = []
    for place, row in enumerate(static):
        if not row.is_ours or row.values["comment"] not in touched:
            continue
        adding = f"{menu.name} add {_words(menu, row.values)}"
        if menu.is_ordered and any(not one.is_ours or one.values["comment"] not in touched for one in static[place:]):
            # Whoever has taken rules away since then gets it at the end.
            there = f"place-before=[:pick [{menu.name} find where dynamic=no] {place}]"
            adding = f":do {{ {adding} {there} }} on-error={{ {adding} }}"
        back.append(_guarded(menu, adding, "add"))
    return gone, back


def _words(menu: Menu, values: Values) -> str:
    return " ".join(
        name if name in menu.flags and value == "yes" else f"{name}={_value(value)}" for name, value in values.items()
    )


def _value(value: str) -> str:
    return quoted(value) if value == "" or any("\udc80" <= one <= "\udcff" for one in value) else quote(value)
