"""The compiled script as rows: what is deployed is what is compiled, for it is the same text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from compiler.balancing.plan import Plan
from compiler.balancing.routeros import write_routeros
from compiler.deploy.routeros.menus import MENUS, Menu, Values, menu_of, normal
from compiler.dialects.routeros.script import Opaque, Statement, parse

__all__ = ["NOTHING", "Wanted", "wanted_of"]

_IN_THE_WAY = re.compile(r'\[find where ([a-z-]+)="([^"\\]+)"\]')


class Wanted(NamedTuple):
    """Rows of each menu in their order, settings, and foreign rows that the script takes out of its way."""

    rows: Mapping[Menu, tuple[Values, ...]]
    settings: Mapping[Menu, Values]
    in_the_way: frozenset[tuple[Menu, str, str]]
    """Menu, property and value: the script removes such rows whoever made them."""
    restored: Mapping[Menu, tuple[Values, ...]] = MappingProxyType({})
    """Rows of somebody else that made room once, and come back."""
    replaced: frozenset[tuple[Menu, tuple[str, ...]]] = frozenset()
    """Foreign rows, by menu and key, that make room now."""
    notes: tuple[str, ...] = ()
    """What is told with the plan."""


NOTHING = Wanted({menu: () for menu in MENUS if not menu.is_settings}, {}, frozenset())
"""A device without a balance."""


def wanted_of(plan: Plan, version: int) -> Wanted:
    """What the script for that version says. Raises CannotSay as its writer does."""
    script = parse(write_routeros(plan, version), "the compiled script")
    rows: dict[Menu, list[Values]] = {menu: [] for menu in MENUS if not menu.is_settings}
    settings: dict[Menu, Values] = {}
    in_the_way = set()
    for statement in script.statements:
        menu = menu_of(statement.path)
        if not statement.command:
            continue  # a path alone
        if menu is None:
            raise AssertionError(f"the script writes to a menu that a deploy does not know: {statement.path}")
        if statement.command == "add":
            rows[menu].append(normal(menu, _values(statement), version))
        elif statement.command == "set" and menu.is_settings:
            settings[menu] = normal(menu, _values(statement), version)
        elif statement.command == "remove":
            found = _IN_THE_WAY.fullmatch(_text(statement))
            if found is not None:
                in_the_way.add((menu, found[1], found[2]))
        else:
            raise AssertionError(f"the script has a command that a deploy does not know: {statement}")
    return Wanted({menu: tuple(several) for menu, several in rows.items()}, settings, frozenset(in_the_way))


def _values(statement: Statement) -> dict[str, str]:
    """Names and values; a bare word is a flag."""
    found = {}
    for name, value in statement.arguments:
        assert isinstance(value, str), f"the script has a value that only a device can compute: {value}"
        found[name or value] = value if name else "yes"
    return found


def _text(statement: Statement) -> str:
    value = statement.arguments[0][1]
    return value.text if isinstance(value, Opaque) else value
