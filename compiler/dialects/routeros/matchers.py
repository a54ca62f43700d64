"""One matcher of a rule, from its text to fields of a Match.

``effect`` is cached: equal texts are parsed once. Values may begin with ``!``,
which negates the matcher. Source: MikroTik documentation, "Common Firewall
Matchers and Actions".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from compiler.addresses import AddressSet, parse_address
from compiler.dialects.routeros.clock import week_minutes
from compiler.dialects.routeros.facts import INTERFACE_GROUPS, PROTOCOLS
from compiler.dialects.routeros.faults import MatcherFault
from compiler.errors import Unmodelled
from compiler.fields import TCP_FLAGS, Family, flags_all
from compiler.integers import IntegerSet, full
from compiler.policy.match import InterfaceSet

__all__ = ["PORT_SLOTS", "Effect", "FieldValue", "bounds", "effect"]

PORT_SLOTS = 15
"""Ports in one list; a range takes two (as in the kernel's ``multiport``)."""

FieldValue = AddressSet | IntegerSet | InterfaceSet | bool | None


class Effect(NamedTuple):
    """What a matcher asks: one of the alternatives, on packets of ``carrier`` protocols.

    An alternative is fields with values; None for a value leaves the field
    free. ``port=80`` has two: either port is 80. ``carrier`` is ``"ports"``,
    ``"tcp"``, ``"icmp"`` or ``""``.
    """

    alternatives: tuple[tuple[tuple[str, FieldValue], ...], ...]
    carrier: str = ""


@lru_cache(maxsize=65536)
def effect(family: Family, name: str, text: str) -> Effect:
    """The effect of ``name=text``. Raises :class:`MatcherFault`.

    Address lists and interface lists are not matchers of this kind: they need the tables.
    """
    negated = text.startswith("!")
    body = text[1:] if negated else text
    if not body:
        raise MatcherFault(f"{name} has no value")
    return _READERS[name](family, name, body, negated)


def _read_addresses(family: Family, name: str, body: str, negated: bool) -> Effect:
    addresses = AddressSet(family.width, (bounds(body, family),))  # one range is canonical
    if negated:
        addresses = addresses.complement()
    return _one("source" if name[0] == "s" else "destination", None if addresses.is_any else addresses)


def _read_interface(_family: Family, name: str, body: str, negated: bool) -> Effect:
    return _one("ingress" if name[0] == "i" else "egress", _interface(body, negated))


def _read_protocol(_family: Family, _name: str, body: str, negated: bool) -> Effect:
    return _one("protocol", _integers(_protocol(body), negated, 8))


def _read_flags(_family: Family, _name: str, body: str, negated: bool) -> Effect:
    # The sign belongs to the first flag: each flag has its own.
    return _one("tcp_flags", _whole(_flags("!" + body if negated else body), 8), "tcp")


def _read_dscp(_family: Family, _name: str, body: str, negated: bool) -> Effect:
    dscp = _number(body, 63, "a DSCP value")
    return _one("traffic_class", _integers(IntegerSet.range(dscp << 2, dscp << 2 | 3), negated, 8))


def _read_hops(_family: Family, name: str, body: str, negated: bool) -> Effect:
    return _one("ttl", _ttl(name, "!" + body if negated else body))


def _read_fragment(_family: Family, name: str, body: str, negated: bool) -> Effect:
    if body not in ("yes", "no"):
        raise MatcherFault(f"{name}={body}: expected yes or no")
    return _one("noninitial", (body == "yes") != negated)


def _read_time(_family: Family, name: str, body: str, negated: bool) -> Effect:
    if negated:
        raise MatcherFault(f"{name} cannot be negated")
    minutes = week_minutes(body)
    return _one("week_minute", None if minutes == IntegerSet.range(0, 10079) else minutes)


def _one(field: str, value: FieldValue, carrier: str = "") -> Effect:
    return Effect((((field, value),),), carrier)


def _read_icmp(_family: Family, name: str, body: str, negated: bool) -> Effect:
    """``icmp-options=TYPE``, ``TYPE:CODE``, ``TYPE:CODE-CODE``."""
    found = re.fullmatch(r"(\d{1,3})(?::(\d{1,3})(?:-(\d{1,3}))?)?", body, re.ASCII)
    if found is None:
        raise MatcherFault(f"{name}={body}: expected TYPE, TYPE:CODE or TYPE:CODE-CODE")
    number = _number(found[1], 255, "an ICMP type")
    if number == 255:
        raise MatcherFault("icmp-options with type 255 may stand for any type: not modelled", Unmodelled)
    low = _number(found[2] or "0", 255, "an ICMP code")
    high = 255 if found[2] is None else _number(found[3], 255, "an ICMP code") if found[3] else low
    if low > high:
        raise MatcherFault(f"{name}={body}: the codes run backwards")
    kind, codes = IntegerSet.values(number), IntegerSet.range(low, high)
    if not negated:
        return Effect(((("icmp_type", kind), ("icmp_code", _whole(codes, 8))),), "icmp")
    others: tuple[tuple[str, FieldValue], ...] = (("icmp_type", kind.complement(8)),)
    if codes == full(8):
        return Effect((others,), "icmp")
    return Effect((others, (("icmp_type", kind), ("icmp_code", codes.complement(8)))), "icmp")


def bounds(text: str, family: Family) -> tuple[int, int]:
    """First and last address; host bits of a prefix are ignored, as the console does."""
    width = family.width
    first, dash, last = text.partition("-")
    address, slash, length = text.partition("/")
    try:
        if dash:
            if family is Family.IPV6:
                raise MatcherFault(f"{text}: RouterOS has ranges for IPv4 only; expected an IPv6 prefix")
            low, high = _address(first, width), _address(last, width)
            if low > high:
                raise MatcherFault(f"{text}: the range runs backwards")
            return low, high
        value = _address(address, width)
        if not slash:
            return value, value
        mask = (1 << (width - _prefix_length(length, family))) - 1
    except ValueError as error:
        raise MatcherFault(f"{error}; expected {_expected(family)}") from None
    return value & ~mask, value | mask


def _expected(family: Family) -> str:
    if family is Family.IPV4:
        return "an IPv4 address, ADDRESS/LENGTH or FIRST-LAST"
    return "an IPv6 address or ADDRESS/LENGTH"


def _address(text: str, width: int) -> int:
    value, found = parse_address(text)
    if found != width:
        raise ValueError(f"{text!r} is of the other address family")
    return value


def _prefix_length(text: str, family: Family) -> int:
    if family is Family.IPV4 and "." in text:  # the console takes netmasks too
        mask, _ = parse_address(text)
        inverse = mask ^ 0xFFFFFFFF
        if inverse & (inverse + 1):
            raise MatcherFault(f"{text}: a netmask of RouterOS has its ones in front")
        return 32 - inverse.bit_length()
    return _number(text, family.width, "a prefix length")


def _number(text: str, highest: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= highest):
        raise MatcherFault(f"{text!r} is not {what}: expected 0 to {highest}")
    return int(text)


def _whole(values: IntegerSet, width: int) -> IntegerSet | None:
    return None if values == full(width) else values


def _integers(values: IntegerSet, negated: bool, width: int) -> IntegerSet | None:
    return _whole(values.complement(width) if negated else values, width)


def _read_ports(_family: Family, name: str, body: str, negated: bool) -> Effect:
    if not negated and name != "port" and body.isdigit():  # most port matchers are one number
        port = _number(body, 65535, "a port")
        return _one("source_port" if name[0] == "s" else "destination_port", IntegerSet(((port, port),)), "ports")
    pairs = []
    slots = 0
    for part in body.split(","):
        first, dash, last = part.partition("-")
        low = _number(first, 65535, "a port")
        high = _number(last, 65535, "a port") if dash else low
        if low > high:
            raise MatcherFault(f"{name}: the range {part} runs backwards")
        slots += 2 if dash else 1
        pairs.append((low, high))
    if slots > PORT_SLOTS:
        raise MatcherFault(f"{name} takes {slots} slots: RouterOS has {PORT_SLOTS}, and a range takes two")
    ports = _integers(IntegerSet.of(pairs), negated, 16)
    if name == "src-port":
        return _one("source_port", ports, "ports")
    if name == "dst-port":
        return _one("destination_port", ports, "ports")
    if negated:  # neither port may be one of the list
        return Effect(((("source_port", ports), ("destination_port", ports)),), "ports")
    return Effect(((("source_port", ports),), (("destination_port", ports),)), "ports")


def _interface(name: str, negated: bool) -> InterfaceSet | None:
    if name == "all":
        return InterfaceSet(frozenset()) if negated else None
    if name in INTERFACE_GROUPS:
        raise MatcherFault(f"{name} stands for the interfaces of a kind: not modelled", Unmodelled)
    if name.startswith("*"):
        raise MatcherFault(f"{name} is an interface that no longer exists: not modelled", Unmodelled)
    if name.endswith("*"):
        raise MatcherFault(f"{name} ends in a star, which stands for a pattern here: not modelled", Unmodelled)
    return InterfaceSet(frozenset({name}), negated)


def _protocol(text: str) -> IntegerSet:
    number = PROTOCOLS.get(text.lower())
    if number is None:
        if not text.isdigit():
            from difflib import get_close_matches

            near = get_close_matches(text, PROTOCOLS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise MatcherFault(f"{text!r} is no protocol of RouterOS: expected a name or 0 to 255{hint}")
        number = _number(text, 255, "a protocol")
    if number == 0:
        raise MatcherFault("protocol 0 may stand for any protocol: not modelled", Unmodelled)
    return IntegerSet.values(number)


def _flags(text: str) -> IntegerSet:
    """Flags are AND-ed: every plain one set, every ``!`` one clear."""
    required = forbidden = 0
    for part in text.split(","):
        bit = TCP_FLAGS.get(part.removeprefix("!"))
        if bit is None:
            raise MatcherFault(f"{part!r} is no TCP flag: expected {', '.join(TCP_FLAGS)}, each with or without !")
        if part.startswith("!"):
            forbidden |= bit
        else:
            required |= bit
    return flags_all(required, forbidden)


def _ttl(name: str, text: str) -> IntegerSet | None:
    mode, colon, number = text.partition(":")
    if not colon and mode.isdigit():
        mode, number = "equal", mode
    value = _number(number, 255, "a number of hops") if number else -1
    if value < 0 or mode not in ("equal", "not-equal", "greater-than", "less-than"):
        raise MatcherFault(f"{name}={text}: expected equal:N, not-equal:N, greater-than:N or less-than:N")
    if mode == "greater-than":
        return IntegerSet.range(value + 1, 255)
    if mode == "less-than":
        return IntegerSet.range(0, value - 1)
    return _integers(IntegerSet.values(value), mode == "not-equal", 8)


_READERS: dict[str, Callable[[Family, str, str, bool], Effect]] = {
    "src-address": _read_addresses,
    "dst-address": _read_addresses,
    "src-port": _read_ports,
    "dst-port": _read_ports,
    "port": _read_ports,
    "in-interface": _read_interface,
    "out-interface": _read_interface,
    "protocol": _read_protocol,
    "icmp-options": _read_icmp,
    "tcp-flags": _read_flags,
    "dscp": _read_dscp,
    "ttl": _read_hops,
    "hop-limit": _read_hops,
    "fragment": _read_fragment,
    "time": _read_time,
}
