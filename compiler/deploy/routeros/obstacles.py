"""Rows of others that break a balance: in its chains and lists, before it in forward, and fasttrack that skips marks.

Each is told with the command that mends it, and a deploy is refused. What only
narrows traffic (a drop for one host, for one protocol) is the owner's policy and
no obstacle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compiler.balancing.plan import Plan, port_of
from compiler.deploy.routeros.before import is_satisfied, key_of
from compiler.deploy.routeros.menus import Menu, Row, Values, menu_of
from compiler.deploy.routeros.quoted import find_of
from compiler.deploy.routeros.steps import told
from compiler.deploy.routeros.wanted import Wanted

if TYPE_CHECKING:
    from compiler.deploy.routeros.difference import Tables

__all__ = ["obstacles_of"]

_OWN = "gerbang-"
_HARMLESS = frozenset({"log", "passthrough", "add-src-to-address-list", "add-dst-to-address-list"})
_ENDS = frozenset({"drop", "reject", "tarpit", "jump"})
_WORDLESS = frozenset({"chain", "action", "comment", "log", "log-prefix", "reject-with", "jump-target", "disabled"})
"""Properties that leave a rule with every packet that it is asked about."""
_PLACES = frozenset({"in-interface", "in-interface-list", "out-interface", "out-interface-list"})


def obstacles_of(tables: Tables, wanted: Wanted, plan: Plan) -> tuple[str, ...]:
    """One line each: the row, what it does, and the command against it."""
    return tuple(dict.fromkeys((*_in_lists(tables, wanted), *_in_chains(tables, wanted), *_in_forward(tables, plan))))


def _menu(*path: str) -> Menu:
    menu = menu_of(path)
    assert menu is not None  # it is in the table of menus
    return menu


def _line(menu: Menu, row: Row, why: str, mending: str = "disable") -> str:
    return f"{menu.name}: {told(menu, row.values)} {why}: {menu.name} {mending} {find_of(menu, row.values)}"


def _foreign(rows: Sequence[Row]) -> Iterator[Row]:
    for row in rows:
        if not row.is_ours and "disabled" not in row.values:
            yield row


def _in_lists(tables: Tables, wanted: Wanted) -> Iterator[str]:
    for menu in (_menu("interface", "list", "member"), _menu("ip", "firewall", "address-list")):
        own = {key_of(menu, values): values for values in wanted.rows[menu]}
        names = {values["list"] for values in own.values()}
        for row in _foreign(tables[menu]):
            same = own.get(key_of(menu, row.values))
            if row.values.get("list") in names and (same is None or not is_satisfied(menu, row, same)):
                yield _line(menu, row, "is not of the balance and stands in its list", "remove")


def _in_chains(tables: Tables, wanted: Wanted) -> Iterator[str]:
    for name in ("mangle", "nat", "filter"):
        menu = _menu("ip", "firewall", name)
        own = {values["chain"] for values in wanted.rows[menu] if values["chain"].startswith(_OWN)}
        for row in _foreign(tables[menu]):
            if row.values.get("chain") in own and row.values.get("action", "accept") not in _HARMLESS:
                yield _line(menu, row, "stands in a chain of the balance")


def _in_forward(tables: Tables, plan: Plan) -> Iterator[str]:
    menu = _menu("ip", "firewall", "filter")
    lists = _lists(tables)
    open_lans: set[str] = set()
    lans = {network.interface for network in plan.balance.networks}
    uplinks = {port_of(uplink) for uplink in plan.balance.uplinks}
    for row in _foreign(tables[menu]):
        values, action = row.values, row.values.get("action", "accept")
        if values.get("chain") != "forward":
            continue
        if action == "fasttrack-connection" and values.get("connection-mark") != "no-mark":
            yield _line(menu, row, "sends connections past the marks")
        elif action == "accept" and _takes_new(values) and _is_plain(values, _PLACES | {"connection-state"}):
            if _reaches(values, "out", uplinks, lists):
                open_lans |= {lan for lan in lans if _reaches(values, "in", {lan}, lists)}
        elif action in _ENDS and _takes_new(values) and _is_plain(values, _PLACES | {"connection-state"}):
            caught = {lan for lan in lans - open_lans if _reaches(values, "in", {lan}, lists)}
            if caught and any(_reaches(values, "out", {uplink}, lists) for uplink in uplinks):
                yield _line(menu, row, "decides about what the balance sends out before it does")


def _is_plain(values: Values, more: frozenset[str]) -> bool:
    return not values.keys() - _WORDLESS - more


def _takes_new(values: Values) -> bool:
    states = values.get("connection-state", "")
    return not states or ("new" in states.removeprefix("!").split(",")) is not states.startswith("!")


def _lists(tables: Tables) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in tables[_menu("interface", "list", "member")]:
        if "disabled" not in row.values:
            found.setdefault(row.values.get("list", ""), set()).add(row.values.get("interface", ""))
    return found


def _reaches(values: Values, way: str, ports: set[str], lists: dict[str, set[str]]) -> bool:
    """Whether a rule asks for some of these interfaces, or for none in particular. ``way`` is in or out."""
    for name in (f"{way}-interface", f"{way}-interface-list"):
        text = values.get(name, "")
        bare = text.removeprefix("!")
        if not bare:
            continue
        named = {bare} if name.endswith("interface") else lists.get(bare, set())
        if bare == "all" and name.endswith("list"):
            named = ports
        if not (ports - named if text.startswith("!") else ports & named):
            return False
    return True
