"""Which command a line is: the first words, in full or in the short forms that people type."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["GLOBAL_HEADS", "command", "is_global", "leaves_interface"]

Head = tuple[str, ...]

_SHORT = {
    "add": "address",
    "addr": "address",
    "addre": "address",
    "addres": "address",
    "shut": "shutdown",
    "shutd": "shutdown",
    "shutdo": "shutdown",
    "shutdow": "shutdown",
    "desc": "description",
    "descr": "description",
    "descri": "description",
    "descrip": "description",
    "descript": "description",
    "descripti": "description",
    "descriptio": "description",
    **{"interface"[:length]: "interface" for length in range(3, 9)},
}

GLOBAL_HEADS: frozenset[Head] = frozenset(
    (
        ("interface",),
        ("route-map",),
        ("ip", "route"),
        ("ipv6", "route"),
        ("ip", "nat"),
        ("ip", "name-server"),
        ("ip", "routing"),
        ("ip", "default-gateway"),
        ("ip", "default-network"),
        ("ip", "local"),
        ("ip", "cef"),
    )
)
"""Commands that belong to no interface: they end one in a text without indentation."""

_MODES = frozenset(
    [
        "router",
        "line",
        "class-map",
        "policy-map",
        "control-plane",
        "access-list",
        "object-group",
        "time-range",
        "end",
        "hostname",
        "dial-peer",
        "voice-port",
        "archive",
        "vlan",
        "banner",
        "aaa",
        "snmp-server",
        "tacacs-server",
        "radius-server",
        "username",
        "enable",
        "version",
        "service",
        "configure",
    ]
)
"""First words that leave the interface."""


def command(words: list[str], at: int, known: Collection[Head]) -> Head | None:
    """The known command that begins at word ``at``, or None."""
    first, second = (*(word.lower() for word in words[at : at + 2]), "", "")[:2]
    first, second = _SHORT.get(first, first), _SHORT.get(second, second)
    if (first, second) in known:
        return first, second
    return (first,) if (first,) in known else None


def is_global(words: list[str]) -> bool:
    """Whether the line belongs to no interface, whatever stands above it."""
    first = words[0].lower()
    at = 1 if first in ("no", "default") and len(words) > 1 else 0
    head = command(words, at, GLOBAL_HEADS)
    if head == ("ip", "nat"):
        return len(words) > at + 3 or words[at + 2 : at + 3] in (["pool"], ["translation"])
    if head == ("ip", "cef"):
        return "load-sharing" in words
    if head is not None:
        return True
    return words[at] in ("ip", "ipv6") and words[at + 1 : at + 2] == ["access-list"]


def leaves_interface(words: list[str]) -> bool:
    """Whether a line that is not indented cannot be one of the interface above it."""
    if is_global(words) or words[0].lower() in _MODES:
        return True
    return words[:2] == ["ip", "vrf"] and words[2:3] != ["forwarding"]
