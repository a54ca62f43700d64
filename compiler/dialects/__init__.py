"""The dialects: each a folder with its facts, its reader and its writer.

A dialect is loaded when it is used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from compiler.errors import UsageError

if TYPE_CHECKING:
    from compiler.policy.access_list import Device
    from compiler.policy.network import Network
    from compiler.policy.ruleset import Ruleset

__all__ = ["DIALECTS", "detect", "read", "read_network"]

DIALECTS = ("ios", "nftables", "routeros")

_ROUTEROS = re.compile(
    r"^\s*(?:/(?:ip|ipv6|interface|system|routing|user|queue|tool|port|snmp)\b|#.*by RouterOS)", re.M
)
_NFTABLES = re.compile(
    r"^\s*(?:#!.*\bnft\b|flush ruleset\b|(?:(?:add|create|delete|destroy|flush)\s+)?table\s+"
    r"(?:(?:ip|ip6|inet|arp|bridge|netdev)\s+)?[\w/.-]+\s*(?:;|\{|$))",
    re.M,
)


def detect(text: str) -> str:
    """The dialect that a text looks like; IOS is what remains."""
    if _NFTABLES.search(text):
        return "nftables"
    if _ROUTEROS.search(text):
        return "routeros"
    return "ios"


def read(
    text: str,
    source: str,
    *,
    dialect: str | None = None,
    unmodelled: Literal["refuse", "bound", "simulate"] = "refuse",
) -> Device | Ruleset:
    """The tree of a configuration. Raises InputErrors with every place that cannot be read.

    With ``unmodelled="simulate"`` clauses about state carry the meaning that the
    simulator runs (:mod:`compiler.policy.stateful`).
    """
    dialect = dialect or detect(text)
    if dialect == "ios":
        from compiler.dialects.ios.reader import read as read_ios

        return read_ios(text, source, unmodelled=unmodelled)
    if dialect == "nftables":
        from compiler.dialects.nftables.reader import read as read_nftables

        return read_nftables(text, source, unmodelled=unmodelled)
    if dialect == "routeros":
        from compiler.dialects.routeros.reader import read as read_routeros

        return read_routeros(text, source, unmodelled=unmodelled)
    raise UsageError(f"unknown dialect {dialect!r}: expected one of {', '.join(DIALECTS)}")


def read_network(text: str, source: str, *, dialect: str | None = None) -> Network:
    """What a configuration says about where packets go: interfaces, addresses, routes, translations.

    Raises InputErrors with every place that cannot be read, and UsageError for
    nftables, whose rulesets hold nothing of the kind.
    """
    dialect = dialect or detect(text)
    if dialect == "ios":
        from compiler.dialects.ios.network import read_network as read_ios

        return read_ios(text, source)
    if dialect == "routeros":
        from compiler.dialects.routeros.network import read_network as read_routeros

        return read_routeros(text, source)
    if dialect == "nftables":
        raise UsageError(f"{source}: nftables has no addresses and no routes; the lab file gives those of the node")
    raise UsageError(f"unknown dialect {dialect!r}: expected one of {', '.join(DIALECTS)}")
