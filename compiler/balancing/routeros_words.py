"""Rows of RouterOS: words with their quotes, comments that name their place in the intent."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

from compiler.dialects.routeros.quoting import quote
from compiler.integers import IntegerSet
from compiler.placed.addresses import show_prefix
from compiler.policy.network import Prefix
from compiler.source import Span

__all__ = [
    "OWNER",
    "PORT_SLOTS",
    "Section",
    "comment",
    "ports_text",
    "prefixes_text",
    "protocol_text",
    "row",
    "slots_of",
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


def comment(key: str, span: Span) -> str:
    """``gerbang-balance: class-rest-1 (two.yaml:7:1)``."""
    place = f" ({PurePath(span.source).name}:{span.line}:{span.column})" if span.line else ""
    return f"{OWNER} {key}{place}"


def row(note: str, **words: object) -> str:
    """``add name=value … comment="…"``; a word that is None or empty is left out, ``_`` in names stands for ``-``."""
    parts = [
        f"{name.replace('_', '-')}={_value(value)}"
        for name, value in words.items()
        if value is not None and value != ""
    ]
    return " ".join(["add", *parts, f"comment={quote(note)}"])


def _value(value: object) -> str:
    text = str(value)
    # "!" and "%" are plain in values, and quote() would put them in quotes: both are read alike.
    return f"!{quote(text[1:])}" if text.startswith("!") else quote(text)


def prefixes_text(prefix: Prefix) -> str:
    """An address or a network."""
    text = show_prefix(prefix)
    return text.removesuffix("/32")


def ports_text(ports: IntegerSet | None) -> str:
    """``80,443,6000-6010``."""
    if ports is None:
        return ""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ports.intervals)


def slots_of(ports: IntegerSet | None) -> int:
    """How many slots a matcher of these ports takes."""
    return 0 if ports is None else sum(1 if low == high else 2 for low, high in ports.intervals)


def protocol_text(number: int | None) -> str:
    """The console's name of a protocol."""
    return "" if number is None else _PROTOCOLS.get(number, str(number))
