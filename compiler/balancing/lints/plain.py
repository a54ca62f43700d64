"""The rows of a script, written again in words that the strict readers take.

What lints already speak about is put right on the way: misspelt properties,
words of the other version, names of one interface for another, tables that are
not declared. One row is one line, so that a place in this text is a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.balancing.lints.roles import Roles
from compiler.balancing.lints.rows import KNOWN, MANGLE, ROUTES, Reading, Row
from compiler.dialects.routeros.network_facts import SETTINGS
from compiler.dialects.routeros.quoting import quote

__all__ = ["plain_text"]

_IGNORED = frozenset({"comment", "place-before", "copy-from", "numbers", "log", "log-prefix"})
_KINDS = ("bridge", "vlan", "pppoe-client")
_SIMPLE = re.compile(r"[!0-9A-Za-z_.:/,@%*-]+")
_NAMES = frozenset({"in-interface", "out-interface", "interface", "gateway"})


def plain_text(reading: Reading, roles: Roles) -> tuple[str, dict[int, Row]]:
    """The text, and the row of each of its lines."""
    lines: list[str] = [f"# by RouterOS {reading.version}.1"]
    rows: dict[int, Row] = {}
    for name in _lists(reading):
        lines.append(f"/interface list add name={quote(name)}")
    if reading.version != 6:
        lines += [f"/routing table add fib name={quote(name)}" for name in _tables(reading)]
    for row in reading.rows:
        if not row.active or not _wanted(row):
            continue
        text = _line(row, reading.version, roles)
        if text:
            lines.append(text)
            rows[len(lines)] = row
    return "\n".join(lines) + "\n", rows


def _wanted(row: Row) -> bool:
    path = row.path
    if path in SETTINGS or path in (("routing", "table"), ("interface", "list"), ("ip", "dhcp-client")):
        return False
    return path[0] != "interface" or path[1] == "list" or path[1] in _KINDS


def _line(row: Row, version: int, roles: Roles) -> str:
    path, values = row.path, {name: row[name] for name in row.item.properties if row[name]}
    if path == ROUTES:
        values = _route(values, version)
    elif path == MANGLE and values.get("action") == "mark-routing" and values.get("new-routing-mark") == "main":
        return ""
    if path in (("ip", "route", "rule"), ("routing", "rule")):
        path = ("ip", "route", "rule") if version == 6 else ("routing", "rule")
    if path == ("ip", "firewall", "address-list"):
        values.pop("timeout", None)
    known = KNOWN.get(path)
    words = []
    for name, value in values.items():
        if name in _IGNORED or (known is not None and name not in known):
            continue
        text = _renamed(value, roles) if name in _NAMES else value
        if name in ("blackhole", "fib") and text == "yes":
            words.append(name)
        else:
            words.append(f"{name}={text if _SIMPLE.fullmatch(text) else quote(text)}")
    return f"/{' '.join(path)} add {' '.join(words)}"


def _route(values: dict[str, str], version: int) -> dict[str, str]:
    table = values.pop("routing-mark", "") or values.pop("routing-table", "")
    values.pop("routing-table", None)
    blackhole = values.get("type") == "blackhole" or values.pop("blackhole", "no") not in ("no", "false")
    if version != 6 and values.pop("type", "unicast") != "unicast":
        blackhole = True
    if blackhole:
        values.pop("gateway", None)
        values["type" if version == 6 else "blackhole"] = "blackhole" if version == 6 else "yes"
    if table and table != "main":
        values["routing-mark" if version == 6 else "routing-table"] = table
    return values


def _renamed(value: str, roles: Roles) -> str:
    negated = value.startswith("!")
    return "!" * negated + roles.name(value[negated:])


def _lists(reading: Reading) -> Iterator[str]:
    names = [row["name"] for row in reading.rows if row.path == ("interface", "list")]
    names += [row["list"] for row in reading.rows if row.path == ("interface", "list", "member")]
    names += [
        row[side].removeprefix("!") for row in reading.rows for side in ("in-interface-list", "out-interface-list")
    ]
    yield from (name for name in dict.fromkeys(names) if name not in ("", "all", "none", "dynamic", "static"))


def _tables(reading: Reading) -> Iterator[str]:
    names = [row["name"] for row in reading.rows if row.path == ("routing", "table")]
    names += [row["routing-table"] or row["routing-mark"] for row in reading.of(ROUTES)]
    names += [row["new-routing-mark"] for row in reading.of(MANGLE)]
    names += [row["table"] for path in (("routing", "rule"), ("ip", "route", "rule")) for row in reading.of(path)]
    yield from (name for name in dict.fromkeys(names) if name not in ("", "main"))
