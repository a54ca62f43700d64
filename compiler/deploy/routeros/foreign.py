"""Rows of others: what of them decides before the balance does, and what of them uses its names.

They are left as they are. A plan warns of those that would spoil it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from compiler.deploy.routeros.menus import Menu, Row, menu_of
from compiler.deploy.routeros.steps import Step, Verb, told

if TYPE_CHECKING:
    from compiler.deploy.routeros.difference import Tables

__all__ = ["users_of", "warnings_of"]

_CHAINS = frozenset({"prerouting", "forward", "output", "input", "postrouting", "srcnat", "dstnat"})
_HARMLESS = frozenset({"log", "passthrough", "add-src-to-address-list", "add-dst-to-address-list"})
_USES: Mapping[tuple[str, ...], frozenset[str]] = {
    ("interface", "list"): frozenset({"list", "in-interface-list", "out-interface-list", "include", "exclude"}),
    ("routing", "table"): frozenset({"routing-table", "new-routing-mark", "routing-mark"}),
    ("interface", "pppoe-client"): frozenset({"interface", "in-interface", "out-interface", "gateway"}),
}


def users_of(menu: Menu, name: str, tables: Tables) -> tuple[str, ...]:
    """Foreign rows that use the name of a row."""
    uses = _USES.get(menu.path, frozenset())
    return tuple(
        f"{other.name} {told(other, row.values)}"
        for other, rows in tables.items()
        if other.path != ("ip", "firewall", "address-list")
        for row in rows
        if not row.is_ours
        and not row.is_dynamic
        and not other.is_settings
        and any(name in row.values.get(use, "").removeprefix("!").split(",") for use in uses)
    )


def warnings_of(tables: Tables, steps: Sequence[Step], hosts: Sequence[str] = ()) -> tuple[str, ...]:
    """What a user should know before the plan is carried out."""
    return (*_before_ours(tables), *_defaults(tables, steps), *_cut_off(steps, hosts))


def _before_ours(tables: Tables) -> Iterator[str]:
    for name in ("mangle", "filter", "nat"):
        menu = menu_of(("ip", "firewall", name))
        assert menu is not None  # it is in the table of menus
        for row in _first(tables[menu]):
            action, chain = row.values.get("action", "accept"), row.values.get("chain", "")
            if "disabled" in row.values or chain not in _CHAINS or action in _HARMLESS or not _spoils(name, row):
                continue
            what = "sends connections past the marks" if action == "fasttrack-connection" else "decides first"
            yield f"{menu.name}: {told(menu, row.values)} stands before the balance and {what}: it is left as it is"


def _spoils(name: str, row: Row) -> bool:
    action = row.values.get("action", "accept")
    if name == "mangle":
        return action in ("accept", "mark-connection", "mark-routing", "jump", "return")
    if name == "filter":
        return row.values["chain"] == "forward" and action in ("fasttrack-connection", "accept")
    return True


def _first(rows: Sequence[Row]) -> Iterator[Row]:
    """Foreign rows before the last of ours; all of them where ours are still to come."""
    last = max((place for place, row in enumerate(rows) if row.is_ours), default=len(rows))
    for row in rows[:last]:
        if not row.is_ours and not row.is_dynamic:
            yield row


def _defaults(tables: Tables, steps: Sequence[Step]) -> Iterator[str]:
    menu = menu_of(("ip", "route"))
    assert menu is not None  # it is in the table of menus
    if not any(step.menu is menu and step.verb is not Verb.REMOVE for step in steps):
        return
    for row in tables[menu]:
        if row.is_ours or "disabled" in row.values or row.values.get("dst-address") != "0.0.0.0/0":
            continue
        whose = "of a lease or a link" if row.is_dynamic else "of somebody else"
        if not row.values.get("routing-table") and not row.values.get("routing-mark"):
            text = told(menu, row.values)
            yield f"{menu.name}: {text} is a default route {whose} beside those of the balance: it is left as it is"


def _cut_off(steps: Sequence[Step], hosts: Sequence[str]) -> Iterator[str]:
    for step in steps:
        if step.verb is not Verb.REMOVE or step.menu.path != ("ip", "address"):
            continue
        text = told(step.menu, step.before)
        if step.before.get("address", "").partition("/")[0] in hosts:
            yield (
                f"{step.menu.name}: {text} goes, by which you are connected: without a confirmation over another way "
                "the device returns"
            )
        else:
            yield f"{step.menu.name}: {text} goes: who reaches the device by it will not any more"
