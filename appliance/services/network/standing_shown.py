"""How the network stands, as rows: what the daemon answers, with the rates between two answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le

from appliance.contract.kinds import Count, Line, Unit, Whole, YesNo
from appliance.contract.records import record
from appliance.language import _

__all__ = ["InterfaceShown", "LineShown", "RouteShown", "UplinkShown", "interfaces", "lines", "routes", "uplinks"]

BitsPerSecond = Annotated[int, Ge(0), Le(10**14), Unit("bit/s")]
PerSecond = Annotated[int, Ge(0), Le(10**12), Unit("/s")]


@record(title=_("interface"))
class InterfaceShown:
    """One interface, with what it carries now."""

    name: Line
    state: Line
    addresses: tuple[Line, ...]
    receiving: BitsPerSecond
    sending: BitsPerSecond
    errors: Whole
    dropped: Whole
    received_packets: Whole
    sent_packets: Whole
    mtu: Count
    hardware_address: Line
    foreign_addresses: tuple[Line, ...]
    """Those that the appliance did not give: by DHCP, by hand."""


@record(title=_("route"))
class RouteShown:
    """A route of the main table."""

    destination: Line
    way: Line
    metric: Whole
    ours: YesNo


@record(title=_("uplink"))
class UplinkShown:
    """A line of the balance."""

    name: Line
    state: Line
    carrier: YesNo
    used: YesNo


@record(title=_("policy line"))
class LineShown:
    """A line of a policy, and what it has decided since the filter was loaded."""

    policy: Line
    line: Count
    text: Line
    family: Count
    permits: YesNo
    packets: Whole
    per_second: PerSecond
    octets: Whole


def interfaces(now: Mapping[str, Any], before: Mapping[str, Any], seconds: float) -> tuple[InterfaceShown, ...]:
    """``before`` is the answer of so many seconds ago, or empty."""
    old = {one["name"]: one for one in before.get("interfaces", ())}
    return tuple(
        InterfaceShown(
            name=one["name"],
            state="up" if one["up"] and one["carrier"] else "no carrier" if one["up"] else "down",
            addresses=tuple(one["addresses"]),
            receiving=8 * _rate(one, old.get(one["name"]), "received_octets", seconds),
            sending=8 * _rate(one, old.get(one["name"]), "sent_octets", seconds),
            errors=one["errors"],
            dropped=one["dropped"],
            received_packets=one["received_packets"],
            sent_packets=one["sent_packets"],
            mtu=one["mtu"],
            hardware_address=one["hardware_address"],
            foreign_addresses=tuple(one["foreign_addresses"]),
        )
        for one in now["interfaces"]
    )


def routes(now: Mapping[str, Any]) -> tuple[RouteShown, ...]:
    """Those of the main table."""
    return tuple(RouteShown(**one) for one in now["routes"])


def uplinks(now: Mapping[str, Any]) -> tuple[UplinkShown, ...]:
    """Those that a balance uses."""
    return tuple(
        UplinkShown(
            name=one["name"],
            state=("alive" if one["alive"] else "dead") if one["known"] else "not watched",
            carrier=one["carrier"],
            used=one["used"],
        )
        for one in now["uplinks"]
    )


def lines(
    now: Mapping[str, Any], before: Mapping[str, Any], seconds: float, texts: Mapping[str, str]
) -> tuple[LineShown, ...]:
    """By policy and line, the implicit deny of each list last. ``texts``: those of the policies, by their names."""
    old = {_key(one): one for one in before.get("lines", ())}
    found = sorted(now["lines"], key=lambda one: (one["policy"], one["family"], one["line"] or 1 << 31))
    return tuple(
        LineShown(
            policy=one["policy"],
            line=one["line"],
            text=_line_of(texts.get(one["policy"], ""), one["line"]),
            family=one["family"],
            permits=one["permits"],
            packets=one["packets"],
            per_second=_rate(one, old.get(_key(one)), "packets", seconds),
            octets=one["octets"],
        )
        for one in found
    )


def _key(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return one["policy"], one["line"], one["family"], one["permits"]


def _rate(now: Mapping[str, Any], before: Mapping[str, Any] | None, name: str, seconds: float) -> int:
    """A counter that fell was begun anew."""
    if before is None or seconds <= 0 or now[name] < before[name]:
        return 0
    return round((int(now[name]) - int(before[name])) / seconds)


def _line_of(text: str, number: int) -> str:
    if not number:
        return _("implicit deny")
    kept = text.split("\n")
    line = kept[number - 1].strip()[:200] if number <= len(kept) else ""
    # IOS permits neighbour discovery at the end of each IPv6 list; the rule is named by the line of the list.
    return _("implicit permit of neighbour discovery") if line.startswith("ipv6 access-list") else line
