"""Routes, tables and rules of a node, as rtnetlink(7) takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from compiler.addresses import format_address
from compiler.fields import Family
from compiler.policy.network import (
    CheckGateway,
    Network,
    NextHop,
    Prefix,
    Route,
    RouteKind,
    RoutingRule,
    RuleAction,
)
from compiler.policy.stateful import MarkIn, MarkNamed
from labs.kernel.neighbours import FAMILIES
from labs.kernel.netlink import Routing, refusal

__all__ = ["Unrealisable", "add_default", "add_routes", "add_rules", "table_numbers"]

_KNOWN_TABLES = {"main": 254, "default": 253, "local": 255, "": 254}
_FIRST_TABLE = 1000


class Unrealisable(Exception):
    """The node asks for something that the kernel world cannot give it; the message says what."""


def table_numbers(network: Network) -> dict[str, int]:
    """Linux's number of each table that the configuration names."""
    names = [*network.tables, *(route.table for route in network.routes), *(rule.table for rule in network.rules)]
    numbers = dict(_KNOWN_TABLES)
    following = _FIRST_TABLE
    for name in names:
        if name in numbers:
            continue
        if name.isascii() and name.isdigit() and 0 < int(name) < 2**32:
            numbers[name] = int(name)
            continue
        numbers[name] = following
        following += 1
    return numbers


def add_default(routing: Routing, family: Family, gateway: int) -> None:
    """A host's default route. Unrealisable when the gateway is out of reach."""
    text = format_address(gateway, family.width)
    _ask(lambda: routing.route("add", family=FAMILIES[family], dst="default", gateway=text), f"the gateway {text}")


def add_routes(
    routing: Routing,
    network: Network,
    indexes: Mapping[str, int],
    tables: Mapping[str, int],
    protocol: Callable[[Route], int | None] = lambda _: None,
) -> None:
    """All routes that are in force. Unrealisable for one that the kernel does not take.

    ``indexes`` are the interfaces that are up, by the device's name; routes by others are not in force.
    ``protocol`` says who set a route (RTPROT of rtnetlink(7)), None for nobody in particular.
    """
    for route in network.routes:
        if not route.enabled:
            continue
        if route.check_gateway is not CheckGateway.NONE:
            raise Unrealisable(f"{route.span}: Linux does not probe gateways (check-gateway)")
        asked = _route(route, indexes, tables)
        if asked is not None:
            number = protocol(route)
            asked |= {} if number is None else {"proto": number}
            _ask(partial(routing.route, "add", **asked), f"{route.span}: the route to {_text(route.prefix)}")


def add_rules(routing: Routing, network: Network, names: Mapping[str, str], tables: Mapping[str, int]) -> None:
    """All rules, in ascending priority."""
    for rule in network.rules:
        if rule.enabled:
            for asked in _rule(rule, names, tables):
                _ask(partial(routing.rule, "add", **asked), f"{rule.span}: the rule {rule.priority}")


def _ask(action: Callable[[], object], what: str) -> None:
    try:
        action()
    except Exception as error:
        said = refusal(error)
        if not said:
            raise
        raise Unrealisable(f"{what}: the kernel says {said}") from error


def _route(route: Route, indexes: Mapping[str, int], tables: Mapping[str, int]) -> dict[str, Any] | None:
    asked: dict[str, Any] = {
        "family": FAMILIES[route.prefix.family],
        "dst": _text(route.prefix),
        "table": tables[route.table],
        "priority": route.distance,
    }
    if route.preferred_source is not None:
        asked["prefsrc"] = format_address(route.preferred_source, route.prefix.family.width)
    if route.kind is not RouteKind.UNICAST:
        return asked | {"type": route.kind.value}
    hops = [hop for hop in route.next_hops if not hop.interface or hop.interface in indexes]
    if not hops:
        return None
    family = route.prefix.family
    if len(hops) == 1:
        return asked | _hop(hops[0], family, indexes)
    return asked | {"multipath": [_hop(hop, family, indexes) | {"hops": hop.weight - 1} for hop in hops]}


def _hop(hop: NextHop, family: Family, indexes: Mapping[str, int]) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if hop.address is not None:
        asked["gateway"] = format_address(hop.address, family.width)
    if hop.interface:
        asked["oif"] = indexes[hop.interface]
    return asked


def _rule(rule: RoutingRule, names: Mapping[str, str], tables: Mapping[str, int]) -> list[dict[str, Any]]:
    asked: dict[str, Any] = {"family": FAMILIES[rule.family], "priority": rule.priority}
    for key, prefix in (("src", rule.source), ("dst", rule.destination)):
        if prefix is not None:
            asked[key] = format_address(prefix.value, prefix.family.width)
            asked[f"{key}_len"] = prefix.length
    if rule.ingress:
        asked["iifname"] = names.get(rule.ingress, rule.ingress)
    if rule.mark is not None:
        asked |= _mark(rule.mark, rule)
    if rule.action in (RuleAction.BLACKHOLE, RuleAction.UNREACHABLE, RuleAction.PROHIBIT):
        return [asked | {"action": rule.action.value}]
    lookup = asked | {"table": tables[rule.table]}
    if rule.suppress_prefix_length is not None:
        lookup["suppress_prefixlen"] = rule.suppress_prefix_length
    if rule.action is RuleAction.LOOKUP_ONLY:  # Linux has none: what the table lacks is unreachable
        return [lookup, asked | {"action": "unreachable"}]
    return [lookup]


def _mark(mark: MarkIn | MarkNamed, rule: RoutingRule) -> dict[str, int]:
    if isinstance(mark, MarkNamed):
        raise Unrealisable(f"{rule.span}: Linux's marks are numbers, not names")
    intervals = mark.values.intervals
    if len(intervals) != 1 or intervals[0][0] != intervals[0][1]:
        raise Unrealisable(f"{rule.span}: a rule of Linux compares with one mark")
    return {"fwmark": intervals[0][0], "fwmask": mark.mask}


def _text(prefix: Prefix) -> str:
    return f"{format_address(prefix.value, prefix.family.width)}/{prefix.length}"
