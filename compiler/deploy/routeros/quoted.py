"""Words of a RouterOS script around any octets."""

from __future__ import annotations

from compiler.deploy.routeros.menus import Menu, Values
from compiler.dialects.routeros.quoting import quote

__all__ = ["find_of", "quoted"]


def quoted(text: str) -> str:
    """``text`` in quotes, whatever octets it has: those that are no UTF-8 are written one by one."""
    parts = []
    for character in text:
        if "\udc80" <= character <= "\udcff":
            parts.append(f"\\{ord(character) - 0xDC00:02X}")
        else:
            bare = quote(f" {character}")  # the blank makes it write the quotes
            parts.append(bare[2:-1])
    return '"' + "".join(parts) + '"'


def find_of(menu: Menu, values: Values) -> str:
    """``[find where ...]`` for a row: by its key, or by all that it says."""
    names = menu.key or tuple(name for name in values if name != "password")
    tests = " and ".join(f"{name}={quoted(values.get(name, ''))}" for name in names)
    return f"[find where {tests}]"
