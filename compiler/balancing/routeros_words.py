"""Rows of RouterOS: words with their quotes, comments that name their place in the intent."""

from __future__ import annotations

from typing import NamedTuple

from compiler.dialects.routeros.quoting import quote
from compiler.integers import IntegerSet
from compiler.placed.addresses import show_prefix
from compiler.policy.network import Prefix

__all__ = [
    "OWNER",
    "PORT_SLOTS",
    "Section",
    "comment",
    "port_parts",
    "ports_text",
    "prefixes_text",
    "protocol_text",
    "quoted",
    "row",
]

OWNER = "gerbang-balance:"
"""What the comment of every row of the script begins with. What ``gerbang compile`` loads has another owner."""

PORT_SLOTS = 15
"""Ports of one matcher; a range takes two (MikroTik, "Filter", dst-port)."""

_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 50: "ipsec-esp"}


class Section(NamedTuple):
    """Lines of one menu."""

    menu: str
    why: str
    lines: tuple[str, ...]


def comment(key: str) -> str:
    """``gerbang-balance: class-rest-1``: the name of the thing in the intent. Its place stands in the script's head.

    A place would change with every line that is added above it, and a deploy would replace rows that are right.
    """
    return f"{OWNER} {key}"


def row(note: str, **words: object) -> str:
    """``add name=value … comment="…"``; a word that is None or empty is left out, ``_`` in names stands for ``-``."""
    parts = [
        f"{name.replace('_', '-')}={_value(value)}"
        for name, value in words.items()
        if value is not None and value != ""
    ]
    return " ".join(["add", *parts, f"comment={quote(note)}"])


def quoted(text: str) -> str:
    """A text in quotes, which a comparison needs even for plain words."""
    found = quote(text)
    return found if found.startswith('"') else f'"{found}"'


def _value(value: object) -> str:
    text = str(value)
    # "!" is plain in values, where the rest is; else the quotes hold the whole word.
    bare = quote(text[1:])
    return f"!{bare}" if text.startswith("!") and not bare.startswith('"') else quote(text)


def prefixes_text(prefix: Prefix) -> str:
    """An address or a network."""
    text = show_prefix(prefix)
    return text.removesuffix("/32")


def ports_text(ports: IntegerSet | None) -> str:
    """``80,443,6000-6010``."""
    if ports is None:
        return ""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ports.intervals)


def port_parts(ports: IntegerSet | None) -> tuple[IntegerSet | None, ...]:
    """The ports in parts that each fit one matcher; a single None for all ports."""
    if ports is None:
        return (None,)
    parts: list[list[tuple[int, int]]] = [[]]
    room = PORT_SLOTS
    for low, high in ports.intervals:
        need = 1 if low == high else 2
        if need > room:
            parts.append([])
            room = PORT_SLOTS
        parts[-1].append((low, high))
        room -= need
    return tuple(IntegerSet.of(part) for part in parts)


def protocol_text(number: int | None) -> str:
    """The console's name of a protocol."""
    return "" if number is None else _PROTOCOLS.get(number, str(number))
