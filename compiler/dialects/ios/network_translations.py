"""``ip nat`` outside of interfaces: static and dynamic translations, pools.

Source: Cisco IOS IP Addressing Services Command Reference, "ip nat inside source",
"ip nat outside source", "ip nat pool".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from compiler.addresses import format_address
from compiler.dialects.ios.network_state import DynamicDraft, NetworkState, Pool
from compiler.dialects.ios.network_words import begins_interface, counted, host, interface, netmask, outside
from compiler.dialects.ios.ports import PORTS
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import TCP, UDP, Family
from compiler.integers import is_number
from compiler.policy.network import StaticTranslation
from compiler.policy.stateful import AddressRange

__all__ = ["read_translation"]

_SKIPPED = ("translation", "service", "log", "settings", "portmap", "create", "switchover", "piggyback-support")
"""Words behind ``ip nat`` that make no translation."""

_PROTOCOLS = {"tcp": TCP, "udp": UDP}
_STATIC = "static, list or route-map"


def read_translation(state: NetworkState, line: Words, no: bool) -> None:
    """The rest of ``[no] ip nat …``."""
    word = line.take("inside, outside or pool").lower()
    if word in _SKIPPED:
        state.skipped += 1
        return
    reader = _READERS.get(word)
    if reader is None:
        raise expected(line.words[line.at - 1], line.at - 1, "inside, outside or pool", (*_READERS, *_SKIPPED))
    reader(state, line, no)


def _inside(state: NetworkState, line: Words, no: bool) -> None:
    word = line.take("source").lower()
    if word == "destination":
        raise outside(line.words, line.at - 1, 1, "TCP load distribution is not in the model")
    if word != "source":
        raise expected(line.words[line.at - 1], line.at - 1, "source", ("source", "destination"))
    kind = line.take(_STATIC).lower()
    if kind == "static":
        _static(state, line, no, outer=False)
    elif kind in ("list", "route-map"):
        _dynamic(state, line, kind, no)
    else:
        raise expected(line.words[line.at - 1], line.at - 1, _STATIC, ("static", "list", "route-map"))


def _outside(state: NetworkState, line: Words, no: bool) -> None:
    word = line.take("source")
    if word.lower() != "source":
        raise expected(word, line.at - 1, "source", ("source",))
    kind = line.take("static").lower()
    if kind in ("list", "route-map"):
        raise outside(line.words, line.at - 1, 1, "dynamic translation of outside hosts; give static entries")
    if kind != "static":
        raise expected(line.words[line.at - 1], line.at - 1, "static", ("static",))
    _static(state, line, no, outer=True)


# -- static -----------------------------------------------------------------------------


def _static(state: NetworkState, line: Words, no: bool, *, outer: bool) -> None:
    start = line.at
    word = line.peek().lower()
    if word in _PROTOCOLS:
        line.at += 1
        found = _ports(line, _PROTOCOLS[word], outer=outer)
    elif word == "network":
        line.at += 1
        found = _network(line, outer=outer)
    elif word in ("esp", "gre", "icmp"):
        raise outside(line.words, line.at, 1, "one protocol of a host is translated for tcp and udp only")
    else:
        found = _hosts(line, outer=outer)
    found = _options(line, found)
    if no:
        _remove_static(state, found, start, line)
        return
    if found in state.statics:
        state.skipped += 1
        return
    _check_taken(state, found, start, line)
    state.statics[found] = replace(found, span=state.line_span())


def _remove_static(state: NetworkState, found: StaticTranslation, start: int, line: Words) -> None:
    """``no ip nat … static``; whether ``no-alias`` is said again does not matter."""
    for alias in (True, False):
        if state.statics.pop(replace(found, alias=alias), None) is not None:
            return
    raise Fault("there is no such translation", start, len(line.words) - start)


def _check_taken(state: NetworkState, found: StaticTranslation, start: int, line: Words) -> None:
    """A fault when packets to one global address (and port) would have two hosts to go to."""
    for known in state.statics:
        if _global(known) == _global(found):
            here = format_address(known.local, 32)
            place = state.statics[known].span.line
            message = f"this global address (and port) is translated to {here} on line {place} already"
            raise Fault(message, start, len(line.words) - start)


def _global(found: StaticTranslation) -> tuple[object, ...]:
    return found.outside, found.protocol, found.global_address, found.interface, found.global_port, found.length


def _hosts(line: Words, *, outer: bool) -> StaticTranslation:
    """``LOCAL GLOBAL`` or ``LOCAL interface X``; ``GLOBAL LOCAL`` for outside hosts."""
    first = host(line, what="an IPv4 address A.B.C.D, tcp, udp or network")
    if outer:
        return StaticTranslation(host(line), first, outside=True)
    if line.peek().lower() == "interface":
        line.at += 1
        return StaticTranslation(first, None, interface(line))
    return StaticTranslation(first, host(line, what="a global address A.B.C.D, or interface"))


def _ports(line: Words, protocol: int, *, outer: bool) -> StaticTranslation:
    """``LOCAL PORT GLOBAL PORT`` or ``LOCAL PORT interface X PORT``."""
    first = host(line)
    first_port = _port(line, protocol)
    if outer:
        second = host(line)
        return StaticTranslation(second, first, "", protocol, _port(line, protocol), first_port, outside=True)
    if line.peek().lower() == "interface":
        line.at += 1
        name = interface(line)
        return StaticTranslation(first, None, name, protocol, first_port, _port(line, protocol))
    second = host(line, what="a global address A.B.C.D, or interface")
    return StaticTranslation(first, second, "", protocol, first_port, _port(line, protocol))


def _port(line: Words, protocol: int) -> int:
    names = PORTS[protocol]
    word = line.take("a port from 1 to 65535")
    value = number(word, 1, 65535) or names.get(word.lower())
    if value is None:
        if is_number(word):
            raise Fault(f"'{word}' is not a port: expected 1 to 65535", line.at - 1)
        raise expected(word, line.at - 1, "a port from 1 to 65535", names)
    return value


def _network(line: Words, *, outer: bool) -> StaticTranslation:
    """``network LOCAL GLOBAL /LENGTH``, or with a netmask."""
    at = line.at
    first, second = host(line), host(line)
    word = line.peek()
    if word.startswith("/"):
        line.at += 1
        length = number(word[1:], 1, 32)
        if length is None:
            raise Fault(f"'{word}' is not the length of a prefix: expected /1 to /32", line.at - 1)
    elif not word:
        raise expected("", line.at, "a netmask M.M.M.M or /LENGTH")
    else:
        length = netmask(line)
    for index, value in enumerate((first, second)):
        if value & (1 << 32 - length) - 1:
            raise Fault(f"'{line.words[at + index]}' has bits outside its /{length}", at + index)
    local, global_address = (second, first) if outer else (first, second)
    return StaticTranslation(local, global_address, length=length, outside=outer)


def _options(line: Words, found: StaticTranslation) -> StaticTranslation:
    """``extendable`` and ``no-alias``; all else changes what is translated, or how."""
    given: set[str] = set()
    while line.peek():
        at = line.at
        word = line.take("an option").lower()
        if word in given:
            raise Fault(f"the option '{word}' is given twice", at)
        given.add(word)
        if word == "no-alias":
            found = replace(found, alias=False)
        elif word == "extendable":
            continue  # says only that the addresses may stand in several entries
        elif word in _OUTSIDE:
            raise outside(line.words, at, 1 if word in ("add-route", "no-payload") else 2, _OUTSIDE[word])
        else:
            raise expected(line.words[at], at, "extendable, no-alias or the end of the line", _KNOWN)
    return found


_OUTSIDE: Mapping[str, str] = MappingProxyType(
    {
        "route-map": "a static translation for some packets only",
        "vrf": "VRFs are not in the model",
        "match-in-vrf": "VRFs are not in the model",
        "redundancy": "it follows the state of another router",
        "mapping-id": "it follows the state of another router",
        "add-route": "give the route with 'ip route'",
        "no-payload": "addresses in payloads are not translated selectively",
        "forced": "it only removes entries in use",
        "reversible": "connections from outside through a dynamic translation",
        "oer": "it follows measurements",
    }
)
_KNOWN = ("extendable", "no-alias", *_OUTSIDE)


# -- dynamic ----------------------------------------------------------------------------


def _dynamic(state: NetworkState, line: Words, kind: str, no: bool) -> None:
    """``list L|route-map M pool P|interface X [overload]``; a second line for the same list replaces the first."""
    start = line.at - 1
    name = line.take("the name of a list" if kind == "list" else "the name of a route map")
    if kind == "list" and is_number(name):
        name = str(int(name))
    key = kind, name
    if no and not line.peek():
        _remove_dynamic(state, key, start, line)
        return
    word = line.take("interface or pool").lower()
    pool = out = ""
    if word == "pool":
        pool = line.take("the name of a pool")
    elif word == "interface":
        if not begins_interface(line):
            raise expected(line.peek(), line.at, "the name of an interface")
        out = interface(line)
    else:
        raise expected(line.words[line.at - 1], line.at - 1, "interface or pool", ("interface", "pool"))
    overload = line.peek().lower() == "overload"
    line.at += overload
    if line.peek().lower() in _OUTSIDE:
        raise outside(line.words, line.at, 2, _OUTSIDE[line.peek().lower()])
    if line.peek():
        raise expected(line.peek(), line.at, "overload or the end of the line", ("overload", *_OUTSIDE))
    if no:
        _remove_dynamic(state, key, start, line)
        return
    if state.dynamics.pop(key, None) is not None:
        state.skipped += 1
    listed, mapped = (name, "") if kind == "list" else ("", name)
    state.dynamics[key] = DynamicDraft(listed, mapped, pool, out, overload, state.line_span())


def _remove_dynamic(state: NetworkState, key: tuple[str, str], start: int, line: Words) -> None:
    if state.dynamics.pop(key, None) is None:
        raise Fault("there is no such translation", start, len(line.words) - start)


def _pool(state: NetworkState, line: Words, no: bool) -> None:
    """``NAME FIRST LAST netmask M|prefix-length N``."""
    at = line.at
    name = line.take("the name of a pool")
    if no:
        if state.pools.pop(name, None) is None:
            raise Fault(f"there is no pool {name}", at)
        return
    if line.peek().lower() in ("netmask", "prefix-length"):
        raise outside(line.words, line.at, 2, "a pool of several ranges; give first and last address in this line")
    first = host(line, what="the first address A.B.C.D")
    last = host(line, what="the last address A.B.C.D")
    if last < first:
        raise Fault("the last address is below the first", at + 2)
    word = line.take("netmask or prefix-length").lower()
    if word == "netmask":
        length = netmask(line)
    elif word == "prefix-length":
        length = counted(line, 1, 32, "the length of a prefix")
    else:
        raise expected(line.words[line.at - 1], line.at - 1, "netmask or prefix-length", ("netmask", "prefix-length"))
    if first >> 32 - length != last >> 32 - length:
        raise Fault(f"first and last address are not in one /{length}", at + 1, 2)
    if line.peek().lower() in ("type", "add-route", "accounting", "arp-ping", "nopreservation"):
        raise outside(line.words, line.at, 2, "how the pool is used is the router's own way here")
    line.end()
    state.pools[name] = Pool(AddressRange(Family.IPV4, first, last), state.span(at))


def _source(_state: NetworkState, line: Words, _no: bool) -> None:
    raise outside(line.words, line.at - 1, 1, "NAT without inside and outside (NVI) is not in the model")


_READERS: Mapping[str, Callable[[NetworkState, Words, bool], None]] = MappingProxyType(
    {"inside": _inside, "outside": _outside, "pool": _pool, "source": _source}
)
