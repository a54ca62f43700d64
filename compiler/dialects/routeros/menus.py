"""Paths: which menus there are, and which of the skipped ones change packets."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from types import MappingProxyType

from compiler.dialects.routeros.facts import MENUS, OTHER_FIREWALL_MENUS, TOP_MENUS
from compiler.dialects.routeros.script import Path

__all__ = ["FEATURES", "abbreviation_fault", "path_fault"]

FEATURES = MappingProxyType(
    {
        ("ip", "firewall", "nat"): "/ip firewall nat",
        ("ip", "firewall", "mangle"): "/ip firewall mangle",
        ("ip", "firewall", "connection", "tracking"): "/ip firewall connection tracking",
        ("ipv6", "firewall", "nat"): "/ipv6 firewall nat",
        ("ipv6", "firewall", "mangle"): "/ipv6 firewall mangle",
        ("interface", "bridge", "filter"): "/interface bridge filter",
        ("interface", "bridge", "nat"): "/interface bridge nat",
        ("interface", "bridge", "settings"): "/interface bridge settings",
        ("ip", "hotspot"): "/ip hotspot (adds firewall rules of its own)",
    }
)
"""Menus that decide about packets, change them, or their way, outside the model."""


@lru_cache(maxsize=8)
def _beginnings(menus: frozenset[Path]) -> frozenset[Path]:
    """The modelled menus and all on the way to them."""
    return frozenset(menu[:length] for menu in menus for length in range(len(menu) + 1))


_COMMON = ("add", "set", "remove", "move", "disable", "enable", "print")


def _near(word: str, known: tuple[str, ...]) -> str:
    """A hint at the known word that looks most alike, or nothing."""
    from difflib import get_close_matches  # only for messages: it costs start-up time

    near = get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def path_fault(path: Path, menus: Collection[Path] = MENUS) -> str:
    """Why a path is wrong, or ``""``. Closed where firewalls are; elsewhere only the first word is checked.

    The console takes abbreviated words. A path that may be short for a
    modelled menu is a fault, so that no rule is skipped unseen.
    """
    beginnings = _beginnings(frozenset(menus))
    if path in beginnings:
        return ""
    for menu in sorted(menus):
        if path[: len(menu)] == menu and path[: len(menu) + 1] not in beginnings:
            return f"{path[len(menu)]!r} is no command of /{' '.join(menu)}{_near(path[len(menu)], _COMMON)}"
        if all(full.startswith(word) for word, full in zip(path, menu, strict=False)):
            return f"/{' '.join(path)} is short for another path: write it out, as in /{' '.join(menu)}"
    if path[0] not in TOP_MENUS:
        return f"{path[0]!r} is no menu of RouterOS{_near(path[0], tuple(sorted(TOP_MENUS)))}"
    if path[:1] in (("ip",), ("ipv6",)) and path[1:2] == ("firewall",) and len(path) > 2:
        known = sorted({*OTHER_FIREWALL_MENUS, "filter", "raw", "address-list"})
        if path[2] not in known:
            return f"{path[2]!r} is no menu of /{path[0]} firewall: expected one of {', '.join(known)}"
    return ""


def abbreviation_fault(path: Path, menus: Collection[Path]) -> str:
    """Why a path among many menus that are skipped is wrong, or ``""``.

    Only its first word is checked, and that it is not short for a menu that is read.
    """
    if not path:
        return ""
    for menu in sorted(menus):
        same_length = len(path) == len(menu) and path not in menus
        if same_length and all(full.startswith(word) for word, full in zip(path, menu, strict=True)):
            return f"/{' '.join(path)} is short for another path: write it out, as in /{' '.join(menu)}"
    if path[0] not in TOP_MENUS:
        return f"{path[0]!r} is no menu of RouterOS{_near(path[0], tuple(sorted(TOP_MENUS)))}"
    return ""
