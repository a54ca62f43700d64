"""Interface names: IOS takes ``gi0/1`` and means ``GigabitEthernet0/1``."""

from __future__ import annotations

import re
from functools import lru_cache

from compiler.dialects.ios.words import expected
from compiler.integers import is_number

__all__ = ["PHYSICAL", "interface_name", "read_interface"]

_TYPES = (
    "Ethernet",
    "FastEthernet",
    "GigabitEthernet",
    "TenGigabitEthernet",
    "TwentyFiveGigE",
    "FortyGigabitEthernet",
    "HundredGigE",
    "AppGigabitEthernet",
    "Serial",
    "Loopback",
    "Tunnel",
    "Vlan",
    "Port-channel",
    "Dialer",
    "Multilink",
    "BVI",
    "ATM",
    "POS",
    "Async",
    "Cellular",
    "Null",
    "Virtual-Template",
    "Virtual-Access",
)
PHYSICAL = tuple(
    name
    for name in _TYPES
    if "Ethernet" in name or "GigE" in name or name in ("Serial", "ATM", "POS", "Async", "Cellular")
)
"""Types of which ``no interface`` removes none but subinterfaces."""

_KINDS = ("point-to-point", "multipoint", "mpls", "tag-switching")
"""What may stand behind a subinterface (Cisco IOS Interface Command Reference, "interface")."""
_TEMPLATE_KINDS = ("serial", "ethernet", "tunnel")
_NAME = re.compile(r"([A-Za-z][A-Za-z-]*)([0-9].*)")


@lru_cache(maxsize=4096)
def interface_name(text: str) -> str:
    """The full name; a type of two or more letters is completed when only one fits."""
    found = _NAME.fullmatch(text)
    if found is None:
        return text
    letters, rest = found[1].lower(), found[2]
    fitting = [name for name in _TYPES if name.lower().startswith(letters)]
    exact = [name for name in fitting if name.lower() == letters]
    if exact:
        return exact[0] + rest
    return fitting[0] + rest if len(fitting) == 1 and len(letters) > 1 else text


def read_interface(words: list[str], at: int) -> str:
    """The full name that begins at word ``at``: ``Gi0/1``, ``Serial 0/0.1 point-to-point``. Fault for a word more."""
    if at >= len(words):
        raise expected("", at, "the name of an interface")
    name = words[at]
    at += 1
    following = words[at] if at < len(words) else ""
    if is_number(following[:1]) and not is_number(name[-1]):
        name += following
        at += 1
    name = interface_name(name)
    rest = [word.lower() for word in words[at:]]
    if len(rest) == 2 and rest[0] == "type" and rest[1] in _TEMPLATE_KINDS and name.startswith("Virtual-Template"):
        return name
    if rest and len(rest[0]) > 3 and any(kind.startswith(rest[0]) for kind in _KINDS):
        at += 1
    if at < len(words):
        raise expected(words[at], at, "the end of the line, or point-to-point or multipoint", _KINDS)
    return name
