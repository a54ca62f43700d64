"""Marks in Linux: some bits of one number, so that others may use the rest.

Six bits from bit 8 on (``0x3f00``), of packets and of connections. Priorities
of rules and numbers of tables are chosen out of the way of what distributions
use (253 to 255 are the kernel's; iproute2 names 0 and those; 1000 is the
priority of the rule that the kernel makes for VRFs, FIB_RULE_PREF in
drivers/net/vrf.c).
"""

from __future__ import annotations

__all__ = [
    "HOSTS_TABLE",
    "MASK",
    "OWN_PRIORITY",
    "PROTOCOL",
    "RULE_PRIORITY",
    "TABLE_BASE",
    "clear",
    "mark_value",
    "table_number",
]

MASK = 0x3F00
_SHIFT = 8
RULE_PRIORITY = 1100
"""Of the first rule; marks follow."""
TABLE_BASE = 20_000
HOSTS_TABLE = TABLE_BASE
"""Of the hosts that the router itself asks by one uplink: probes, name servers. Marks have the numbers after it."""
OWN_PRIORITY = RULE_PRIORITY - 1
"""Of the rule that sends the router's own packets there."""
PROTOCOL = 103
"""Ours in rules, routes and addresses (``proto 103``; rtnetlink(7): above RTPROT_STATIC, and nobody else's)."""


def mark_value(number: int) -> int:
    """The bits of a mark."""
    return number << _SHIFT


def clear() -> int:
    """All bits but ours."""
    return 0xFFFFFFFF ^ MASK


def table_number(number: int) -> int:
    """The routing table of a mark."""
    return TABLE_BASE + number
