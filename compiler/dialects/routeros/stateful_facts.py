"""What RouterOS knows of tables that change packets: mangle, NAT, and their actions.

Sources: MikroTik documentation ("Mangle", "NAT", "RAW", "Filter", "Packet Flow
in RouterOS", "Moving from ROSv6 to v7"). The NAT chains ``input`` and
``output`` are there since version 7; before, what the router itself sends
passes no destination NAT.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from compiler.dialects.routeros.facts import ACTIONS
from compiler.fields import Family
from compiler.policy.ruleset import ChainKind, Hook

__all__ = [
    "ACTION_PROPERTIES",
    "SIMULATED_ACTIONS",
    "SIMULATED_MENUS",
    "base_chains",
    "chain_kind",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SIMULATED_MENUS: Mapping[tuple[str, ...], tuple[str, Family]] = MappingProxyType(
    {
        (menu, "firewall", kind): (f"{menu} {kind}", family)
        for menu, family in (("ip", Family.IPV4), ("ipv6", Family.IPV6))
        for kind in ("raw", "mangle", "nat", "filter")
    }
)
"""Menu -> the table's name in the tree, and its family."""

_RAW = {"prerouting": (Hook.PREROUTING, -300), "output": (Hook.OUTPUT, -300)}
_MANGLE = {hook.value: (hook, -150) for hook in Hook}
_FILTER = {hook.value: (hook, 0) for hook in (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)}
_NAT = {"dstnat": (Hook.PREROUTING, -100), "srcnat": (Hook.POSTROUTING, 100)}
_NAT_OF_7 = _NAT | {"output": (Hook.OUTPUT, -100), "input": (Hook.INPUT, 100)}


def base_chains(kind: str, version: int) -> Mapping[str, tuple[Hook, int]]:
    """The built-in chains of a table (``raw``, ``mangle``, ``nat``, ``filter``), with hooks and priorities."""
    if kind == "nat":
        return _NAT if version == 6 else _NAT_OF_7
    return {"raw": _RAW, "mangle": _MANGLE, "filter": _FILTER}[kind]


def chain_kind(kind: str, hook: Hook | None) -> ChainKind:
    """What the chains of a table are for. After mangle's output chain packets are routed anew."""
    if kind == "nat":
        return ChainKind.NAT
    return ChainKind.ROUTE if kind == "mangle" and hook is Hook.OUTPUT else ChainKind.FILTER


_EVERYWHERE = _words("accept add-dst-to-address-list add-src-to-address-list jump log passthrough return")

SIMULATED_ACTIONS = MappingProxyType(
    {
        "raw": ACTIONS["raw"],
        "filter": ACTIONS["filter"],
        "mangle": _EVERYWHERE
        | _words(
            "change-dscp change-hop-limit change-mss change-ttl clear-df fasttrack-connection mark-connection "
            "mark-packet mark-routing route set-priority sniff-pc sniff-tzsp strip-ipv4-options"
        ),
        "nat": _EVERYWHERE | _words("dst-nat endpoint-independent-nat masquerade netmap redirect same src-nat"),
    }
)

ACTION_PROPERTIES = MappingProxyType(
    {
        "raw": frozenset[str](),
        "filter": frozenset[str](),
        "mangle": _words(
            "new-connection-mark new-packet-mark new-routing-mark passthrough new-dscp new-ttl new-hop-limit new-mss "
            "new-priority route-dst sniff-id sniff-target sniff-target-port"
        ),
        "nat": _words("to-addresses to-address to-ports same-not-by-dst randomise-ports"),
    }
)
"""Properties that say how an action does its work; with other actions they mean nothing."""
