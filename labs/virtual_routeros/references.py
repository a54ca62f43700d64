"""Names of rows that other rows use: a row that gets another name keeps what points to it.

A router holds such references by id and prints the name of the moment; what points
to a row that is gone prints its id, and a new row of that name does not change
that (measured by others on RouterOS 7 with DHCP servers and pools; taken to hold
for interfaces, lists and routing tables too).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from compiler.dialects.routeros.script import Path

if TYPE_CHECKING:
    from labs.virtual_routeros.tables import Table

__all__ = ["rename"]

_LINK = frozenset({"interface", "in-interface", "out-interface", "gateway", "bridge"})
_USES: dict[Path, frozenset[str]] = {
    ("interface", "list"): frozenset({"list", "in-interface-list", "out-interface-list", "include", "exclude"}),
    ("routing", "table"): frozenset({"routing-table", "table", "new-routing-mark"}),
}


def rename(tables: Iterable[Table], path: Path, before: str, after: str) -> None:
    """Have every row that names the row by its name ``before`` name it ``after``."""
    is_link = path[:1] == ("interface",) and path[1:2] != ("list",)
    uses = _LINK if is_link else _USES.get(path, frozenset())
    for table in tables:
        if path == ("interface", "list") and table.menu.path == ("ip", "firewall", "address-list"):
            continue  # its "list" is another thing
        for row in table.rows:
            for name in uses & row.properties.keys():
                text = row.properties[name]
                bare = text.removeprefix("!")
                parts = [_renamed(part, before, after) for part in bare.split(",")]
                row.properties[name] = text[: len(text) - len(bare)] + ",".join(parts)


def _renamed(part: str, before: str, after: str) -> str:
    address, percent, link = part.partition("%")
    if percent:
        return f"{address}%{after}" if link == before else part
    return after if part == before else part
