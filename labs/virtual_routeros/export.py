"""The tables of a virtual router as a script, as ``/export terse`` would write them.

Properties stand in the order of their names, without defaults. What the router
made itself is left out. Each line names the row that it came
from, so that what a reader finds wrong can be told by menu and id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from compiler.dialects.routeros.quoting import quote
from compiler.dialects.routeros.script import Path
from labs.virtual_routeros.device import Device
from labs.virtual_routeros.menus import Kind
from labs.virtual_routeros.tables import Table
from labs.virtual_routeros.values import spoken

__all__ = ["Export", "export"]

_ORDER: tuple[Path, ...] = (
    ("interface", "ethernet"),
    ("interface", "bridge"),
    ("interface", "vlan"),
    ("interface", "pppoe-client"),
    ("interface", "list"),
    ("interface", "list", "member"),
    ("routing", "table"),
    ("interface", "bridge", "port"),
    ("ip", "address"),
    ("ip", "dhcp-client"),
    ("ip", "dns"),
    ("ip", "settings"),
    ("ip", "firewall", "connection", "tracking"),
    ("ip", "firewall", "address-list"),
    ("ip", "firewall", "raw"),
    ("ip", "firewall", "mangle"),
    ("ip", "firewall", "nat"),
    ("ip", "firewall", "filter"),
    ("ip", "route"),
    ("ip", "route", "rule"),
    ("routing", "rule"),
    ("system", "identity"),
)
"""What is used comes before what uses it."""


def _is_default(table: Table, name: str, text: str) -> bool:
    """A compact export leaves these out."""
    return text == table.menu.defaults.get(name) or (name == "disabled" and text == "false")


class Export(NamedTuple):
    """A script, and for each of its lines from the first on the menu and id of its row."""

    text: str
    rows: tuple[tuple[Path, str], ...]


def export(device: Device, extra: Iterable[Path] = ()) -> Export:
    """All that decides where packets go; ``extra`` menus behind it, such as the scheduler's."""
    major, minor = device.description.numbers
    lines = [f"# by RouterOS {major}.{minor}"]
    rows: list[tuple[Path, str]] = [((), "")]
    for path in (*_ORDER, *extra):
        table = device.tables.get(path)
        for row in table.rows if table is not None else ():
            if row.dynamic:
                continue
            assert table is not None  # it has a row
            words = [
                f"{name}={quote(spoken(name, text))}"
                for name, text in sorted(row.properties.items())
                if text and not _is_default(table, name, text)
            ]
            start = f"/{' '.join(path)} "
            if path == ("interface", "ethernet"):
                start += f"set [ find default-name={quote(row.extra['default-name'])} ]"
            elif table.menu.kind == Kind.SETTINGS:
                if not words:
                    continue
                start += "set"
            else:
                start += "add"
            lines.append(" ".join([start, *words]))
            rows.append((path, row.id))
    return Export("\n".join(lines) + "\n", tuple(rows))
