"""Interface names: IOS takes ``gi0/1`` and means ``GigabitEthernet0/1``."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["interface_name"]

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
_NAME = re.compile(r"([A-Za-z][A-Za-z-]*)(\d.*)")


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
