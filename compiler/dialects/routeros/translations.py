"""The actions of ``/ip firewall nat`` that translate addresses.

Source: MikroTik documentation, "NAT"; Linux ``nf_nat_core.c`` for ranges: the
address is chosen by a hash of source and destination, with ``persistent`` by
the source alone, as ``same`` does with ``same-not-by-dst=yes``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from compiler.dialects.routeros.faults import MatcherFault, PropertyFault
from compiler.dialects.routeros.matchers import bounds
from compiler.errors import Unmodelled
from compiler.fields import Family
from compiler.policy.ruleset import Hook
from compiler.policy.stateful import AddressRange, Translate, Translation

__all__ = ["TRANSLATIONS", "translation"]

TRANSLATIONS = frozenset({"src-nat", "dst-nat", "masquerade", "redirect", "netmap", "same"})

_DESTINATION_HOOKS = frozenset({Hook.PREROUTING, Hook.OUTPUT})
_ONE_SIDED = {
    "src-nat": Translation.SOURCE,
    "masquerade": Translation.MASQUERADE,
    "dst-nat": Translation.DESTINATION,
    "redirect": Translation.REDIRECT,
}


def translation(action: str, properties: Mapping[str, str], family: Family, hooks: frozenset[Hook]) -> Translate:
    """What an action of NAT does to the first packet of a connection. Raises :class:`PropertyFault`.

    ``hooks`` are those that reach the rule's chain: they say which address
    ``netmap`` and ``same`` translate.
    """
    at_destination = _side(action, hooks)
    ranges: tuple[AddressRange, ...] = ()
    ports = None
    if action not in ("masquerade", "redirect"):
        ranges = _ranges(properties, family)
    if action != "netmap":
        ports = _ports(properties.get("to-ports", ""))
    if not ranges and (action in ("netmap", "same") or (action in ("src-nat", "dst-nat") and ports is None)):
        wanted = "to-addresses" if action in ("netmap", "same") else "to-addresses or to-ports"
        raise PropertyFault("action", f"action={action} without {wanted}")
    if action == "netmap":
        _want_prefix(ranges[0])
        kind = Translation.NETMAP_DESTINATION if at_destination else Translation.NETMAP_SOURCE
    elif action == "same":
        kind = Translation.DESTINATION if at_destination else Translation.SOURCE
    else:
        kind = _ONE_SIDED[action]
    persistent = action == "same" and _yes(properties, "same-not-by-dst")
    return Translate(kind, ranges, ports, persistent, _yes(properties, "randomise-ports"))


def _side(action: str, hooks: frozenset[Hook]) -> bool:
    """Whether the destination is translated, where the chain allows it."""
    destination = hooks & _DESTINATION_HOOKS
    source = hooks - _DESTINATION_HOOKS
    if action in ("dst-nat", "redirect") and source:
        raise PropertyFault(
            "action", f"action={action} stands where sources are translated: it works in dstnat, not srcnat"
        )
    if action in ("src-nat", "masquerade") and destination:
        raise PropertyFault(
            "action", f"action={action} stands where destinations are translated: it works in srcnat, not dstnat"
        )
    if action in ("netmap", "same") and destination and source:
        raise PropertyFault(
            "action", f"action={action} is reached from srcnat and from dstnat: not modelled", Unmodelled
        )
    return bool(destination)


def _ranges(properties: Mapping[str, str], family: Family) -> tuple[AddressRange, ...]:
    text = properties.get("to-addresses") or properties.get("to-address") or ""
    if text in ("", "0.0.0.0", "::", "::/0"):
        return ()
    try:
        low, high = bounds(text, family)
    except MatcherFault as fault:
        name = "to-addresses" if properties.get("to-addresses") else "to-address"
        raise PropertyFault(name, f"{name}: {fault}", fault.kind) from None
    return (AddressRange(family, low, high),)


def _want_prefix(one: AddressRange) -> None:
    mask = one.first ^ one.last
    if mask & (mask + 1) or one.first & mask:
        raise PropertyFault("to-addresses", "action=netmap maps one prefix to another: to-addresses must be a prefix")


def _ports(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text, re.ASCII)
    low = int(found[1]) if found else 0
    high = int(found[2] or found[1]) if found else 0
    if found is None or high > 65535:
        raise PropertyFault("to-ports", f"to-ports={text}: expected a port or a range of ports up to 65535")
    if low > high:
        raise PropertyFault("to-ports", f"to-ports={text}: the range runs backwards")
    return None if (low, high) == (0, 65535) else (low, high)


def _yes(properties: Mapping[str, str], name: str) -> bool:
    text = properties.get(name) or "no"
    if text not in ("yes", "no", "true", "false"):
        raise PropertyFault(name, f"{name}={text}: expected yes or no")
    return text in ("yes", "true")
