"""``ip route`` and ``ipv6 route``, given and taken back.

Source: Cisco IOS IP Routing: Protocol-Independent Command Reference, "ip route";
Cisco IOS IPv6 Command Reference, "ipv6 route".
"""

from __future__ import annotations

from dataclasses import replace

from compiler.dialects.ios.network_state import NetworkState, RouteKey
from compiler.dialects.ios.network_words import (
    begins_interface,
    counted,
    host,
    interface,
    ipv4_prefix,
    ipv6_prefix,
    is_ipv4,
    outside,
)
from compiler.dialects.ios.words import Fault, Words, expected
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.network import NextHop, Prefix, Route, RouteKind

__all__ = ["OTHER_ROUTE_WORDS", "read_route"]

OTHER_ROUTE_WORDS = ("static", "profile", "priority")
"""What may follow ``ip route`` and is no route."""

NEVER = 255
"""The distance at which IOS believes no route."""

_OPTIONS = ("name", "permanent", "tag", "track", "multicast", "unicast", "global")


def read_route(state: NetworkState, line: Words, family: Family, no: bool) -> None:
    """The rest of ``[no] ip route`` or ``ipv6 route``."""
    word = line.peek().lower()
    if word == "vrf":
        raise outside(line.words, line.at, 2, "VRFs are not in the model")
    prefix = _prefix(line, family)
    if no and not line.peek():
        _remove(state, prefix, None, line)
        return
    if line.peek().lower() == "dhcp":
        raise outside(line.words, line.at, 1, "the next hop comes from a server, not from the text")
    out = interface(line) if begins_interface(line) else ""
    null = out.lower() == "null0"
    address = None
    if not null and (not out or _is_address(line.peek(), family)):
        name = "a next hop A.B.C.D" if family is Family.IPV4 else "a next hop X:X::X"
        address = host(line, family, name if out else f"{name}, an interface, or both")
    if family is Family.IPV6 and address is not None and address >> 118 == 0x3FA and not out:
        raise Fault(f"'{line.words[line.at - 1]}' is link-local: expected its interface before it", line.at - 1)
    key = RouteKey(prefix, address, out)
    route = _options(line, Route(prefix, span=state.line_span()))
    if no:
        _remove(state, prefix, key, line)
        return
    route = replace(route, kind=RouteKind.BLACKHOLE) if null else replace(route, next_hops=(NextHop(address, out),))
    if key in state.routes:
        state.skipped += 1
    state.routes[key] = route


def _prefix(line: Words, family: Family) -> Prefix:
    if family is Family.IPV4:
        return ipv4_prefix(line)
    at = line.at
    value, length = ipv6_prefix(line)
    if value & (1 << 128 - length) - 1:
        raise Fault(f"'{line.words[at]}' has bits outside its /{length}", at)
    return Prefix(family, value, length)


def _is_address(word: str, family: Family) -> bool:
    return is_ipv4(word) if family is Family.IPV4 else ":" in word


def _options(line: Words, route: Route) -> Route:
    """Distance, name, tag and permanent, in any order; each once."""
    given: set[str] = set()
    while line.peek():
        at = line.at
        word = line.take("an option").lower()
        name = "distance" if is_number(word) else word
        if name in given:
            raise Fault(f"the option '{name}' is given twice", at)
        given.add(name)
        if name == "distance":
            line.at = at
            distance = counted(line, 1, NEVER, "a distance")
            route = replace(route, distance=distance, enabled=distance != NEVER)
        elif name == "name":
            route = replace(route, comment=line.take("the name of the route"))
        elif name == "permanent":
            route = replace(route, permanent=True)
        elif name == "tag":
            counted(line, 1, 0xFFFFFFFF, "a tag")
        elif name == "track":
            raise outside(line.words, at, 2, "the state of tracked objects is not in the text")
        elif name in ("multicast", "unicast"):
            raise outside(line.words, at, 1, "the tables of multicast are not in the model")
        elif name == "global":
            raise outside(line.words, at, 1, "VRFs are not in the model")
        else:
            what = "a distance from 1 to 255, name, permanent, tag, or the end of the line"
            raise expected(line.words[at], at, what, _OPTIONS)
    return route


def _remove(state: NetworkState, prefix: Prefix, key: RouteKey | None, line: Words) -> None:
    """``no ip route``: one route, or all to the prefix when no next hop is named."""
    gone = [known for known in state.routes if (known == key if key else known.prefix == prefix)]
    if not gone:
        raise Fault("there is no such route", 1, len(line.words) - 1)
    for known in gone:
        del state.routes[known]
