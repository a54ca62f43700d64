"""Addresses that stand in for those that an ISP would give (RFC 6598: shared address space)."""

from __future__ import annotations

from compiler.fields import Family
from compiler.policy.network import InterfaceAddress

__all__ = ["leased"]

_SHARED = 0x64400000


def leased(number: int, *, alone: bool) -> tuple[InterfaceAddress, int | None]:
    """The address and the gateway of the uplink of that number; ``alone`` without a network round it (PPPoE)."""
    network = _SHARED | number << 8
    if alone:
        return InterfaceAddress(Family.IPV4, network | 2, 32), None
    return InterfaceAddress(Family.IPV4, network | 2, 24), network | 1
