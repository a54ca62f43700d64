"""What a user asks about traffic, as a match: addresses, protocol, ports, ICMP messages, TCP flags.

Names of protocols, ports and messages are those of Cisco IOS, and where it has
none those of Linux (``/etc/services``, ``/etc/protocols`` and nftables), in
whatever dialect the device speaks. Numbers are always understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from compiler.addresses import AddressSet, Wildcard, format_address, parse_address
from compiler.dialects.ios.facts import PROTOCOLS
from compiler.dialects.ios.icmp import MESSAGES
from compiler.dialects.ios.ports import PORTS
from compiler.dialects.nftables.facts import ICMP_TYPES, ICMPV6_TYPES
from compiler.dialects.nftables.facts import PROTOCOLS as LINUX_PROTOCOLS
from compiler.dialects.nftables.services import SERVICES
from compiler.errors import UsageError
from compiler.fields import (
    ICMP,
    ICMP_PROTOCOLS,
    ICMPV6,
    PORT_PROTOCOLS,
    TCP,
    TCP_FLAGS,
    UDP,
    WIDTH,
    Family,
    flags_all,
)
from compiler.integers import IntegerSet, full
from compiler.policy.match import Match, layer4

__all__ = ["Constraints", "addresses", "constraints", "prefix"]

T = TypeVar("T")

_EVERYDAY = {"dns": 53, "dhcp": 67, "ntp": 123, "smb": 445, "syslog": 514, "rdp": 3389, "sip": 5060, "vxlan": 4789}
"""Ports that people name otherwise than IANA does, or that Debian's table has not."""


def _messages(linux: Mapping[str, int], ios: Mapping[str, tuple[int, int | None]]) -> dict[str, tuple[int, int | None]]:
    return {**{name: (kind, None) for name, kind in linux.items()}, **ios}


_MESSAGES = {
    ICMP: _messages(ICMP_TYPES, MESSAGES[ICMP]),
    ICMPV6: {**_messages(ICMPV6_TYPES, MESSAGES[ICMPV6]), "echo": (128, None)},
}


class Constraints(NamedTuple):
    """The words of a question; an empty one leaves its field free."""

    source: str = ""
    destination: str = ""
    protocol: str = ""
    source_port: str = ""
    destination_port: str = ""
    icmp: str = ""
    flags: str = ""


def constraints(words: Constraints) -> Match:
    """The packets that the words describe.

    The family follows from the addresses, and stays free when none tells.
    Raises UsageError for words that are not understood or contradict one another.
    """
    named = [_union(words.source), _union(words.destination)]
    family = _family(*named)
    # All addresses of a family ask for the family only.
    source, destination = (None if one is None or one.is_any else one for one in named)
    number = _protocol(words.protocol, family)
    ports = _narrowest(number, (words.source_port, words.destination_port), words.icmp)
    match = Match(
        family=family,
        source=source,
        destination=destination,
        protocol=None if number is None else IntegerSet.values(number),
        source_port=_ports(words.source_port, ports),
        destination_port=_ports(words.destination_port, ports),
    )
    match = _with_message(match, words.icmp, number, family)
    return layer4(_with_flags(match, words.flags, number))


def addresses(text: str) -> AddressSet | None:
    """``any``, an address, ``prefix/length``, ``first-last``, ``address wildcard``, or several with commas.

    None is any address. Raises UsageError.
    """
    found = _union(text)
    return None if found is None or found.is_any else found


def _union(text: str) -> AddressSet | None:
    """The addresses; those of one family, all of them too, are not the same as any."""
    if text in ("", "any"):
        return None
    sets = [_addresses(part.strip()) for part in text.split(",")]
    if len({one.width for one in sets}) > 1:
        raise UsageError(f"{text!r} mixes IPv4 and IPv6")
    both = sets[0]
    for one in sets[1:]:
        both = both.union(one)
    return both


def prefix(text: str) -> Wildcard:
    """``prefix/length``; a lone address is a prefix of full length. Raises UsageError."""
    address, slash, length = text.partition("/")
    value, width = _address(address)
    if not slash:
        return Wildcard.of(value, 0, width)
    if not length.isdecimal() or len(length) > 3 or int(length) > width:
        raise UsageError(f"{text!r}: expected a prefix length of at most {width}")
    found = Wildcard.prefix(value, int(length), width)
    if found.value != value:
        raise UsageError(f"{text!r} has bits beyond its length: {format_address(found.value, width)}/{length}?")
    return found


def _addresses(text: str) -> AddressSet:
    address, gap, mask = text.partition(" ")
    if gap:
        value, width = _address(address)
        wild, other = _address(mask.strip())
        if width != other:
            raise UsageError(f"{text!r}: address and wildcard are of two families")
        return AddressSet.wildcard(Wildcard.of(value, wild, width))
    first, dash, last = text.partition("-")
    if not dash:
        return AddressSet.wildcard(prefix(text))
    low, width = _address(first)
    high, other = _address(last)
    if width != other or low > high:
        raise UsageError(f"{text!r}: expected FIRST-LAST, of one family and in order")
    return AddressSet.of(width, ((low, high),))


def _address(text: str) -> tuple[int, int]:
    try:
        return parse_address(text)
    except ValueError as error:
        raise UsageError(f"{error}: expected any, ADDRESS, PREFIX/LENGTH, FIRST-LAST or ADDRESS WILDCARD") from error


def _family(*sets: AddressSet | None) -> Family | None:
    widths = {one.width for one in sets if one is not None}
    if len(widths) > 1:
        raise UsageError("the addresses are of two families, IPv4 and IPv6")
    return {32: Family.IPV4, 128: Family.IPV6}[widths.pop()] if widths else None


def _protocol(text: str, family: Family | None) -> int | None:
    if text in ("", "any", "ip", "ipv6"):
        return None
    if text.isdecimal():
        return _number(text, 8, "protocol")
    names = {"icmp6": ICMPV6, "icmpv6": ICMPV6, **_known(PROTOCOLS[family or Family.IPV4])}
    if text in LINUX_PROTOCOLS and text not in names:
        return LINUX_PROTOCOLS[text]
    return _named(text, names, "protocol")


def _known(names: Mapping[str, int | None]) -> dict[str, int]:
    return {name: number for name, number in names.items() if number is not None}


def _narrowest(number: int | None, ports: Iterable[str], icmp: str) -> Mapping[str, int]:
    """Port names that the protocol gives a meaning. Raises UsageError when it carries no such field."""
    if any(ports):
        if icmp:
            raise UsageError("no packet has both ports and an ICMP message")
        if number is not None and not PORT_PROTOCOLS.contains(number):
            raise UsageError(f"protocol {number} has no ports")
    if icmp and number is not None and not ICMP_PROTOCOLS.contains(number):
        raise UsageError(f"protocol {number} has no ICMP messages")
    elsewhere = {**SERVICES, **_EVERYDAY}
    if number is not None:
        return {**elsewhere, **PORTS.get(number, {})}
    agreed = PORTS[TCP].items() & PORTS[UDP].items()
    alone = {name: port for names in (PORTS[TCP], PORTS[UDP]) for name, port in names.items()}
    both = PORTS[TCP].keys() & PORTS[UDP].keys()
    told = {**elsewhere, **alone}
    return {name: port for name, port in told.items() if name not in both or (name, port) in agreed}


def _ports(text: str, names: Mapping[str, int]) -> IntegerSet | None:
    """``21``, ``20-21``, ``ftp``, or several with commas."""
    if not text:
        return None
    pairs = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if dash and low.isdecimal():
            pairs.append((_number(low, 16, "port"), _number(high, 16, "port")))
        else:
            port = _number(part, 16, "port") if part.isdecimal() else _named(part, names, "port")
            pairs.append((port, port))
    found = IntegerSet.of(pairs)
    if not found.intervals:
        raise UsageError(f"{text!r} holds no port: expected LOW-HIGH")
    return None if found == full(WIDTH["destination_port"]) else found


def _with_message(match: Match, text: str, number: int | None, family: Family | None) -> Match:
    """``echo``, ``8``, ``3/13``: type, and code where it is given."""
    if not text:
        return match
    if number is None:
        number = ICMPV6 if family is Family.IPV6 else ICMP
    kind, slash, code = text.partition("/")
    if kind.isdecimal():
        message = _number(kind, 8, "ICMP type"), _number(code, 8, "ICMP code") if slash else None
    else:
        message = _named(text, _MESSAGES[number], "ICMP message")
    return match._replace(
        protocol=IntegerSet.values(number),
        icmp_type=IntegerSet.values(message[0]),
        icmp_code=None if message[1] is None else IntegerSet.values(message[1]),
    )


def _with_flags(match: Match, text: str, number: int | None) -> Match:
    """``syn,!ack``: flags that are set, and those that are clear; the others are free."""
    if not text:
        return match
    if match.icmp_type is not None or number not in (None, TCP):
        raise UsageError(f"only TCP has flags: {text!r}")
    required = forbidden = 0
    for word in text.split(","):
        name = word.strip()
        bit = _named(name.removeprefix("!"), TCP_FLAGS, "TCP flag")
        if name.startswith("!"):
            forbidden |= bit
        else:
            required |= bit
    if required & forbidden:
        raise UsageError(f"flags {text!r}: no flag is both set and clear")
    return match._replace(protocol=IntegerSet.values(TCP), tcp_flags=flags_all(required, forbidden))


def _number(text: str, bits: int, what: str) -> int:
    if not text.isdecimal() or len(text) > 10 or int(text) >> bits:
        raise UsageError(f"{what} {text!r}: expected 0 to {(1 << bits) - 1}")
    return int(text)


def _named(text: str, names: Mapping[str, T], what: str) -> T:
    if text in names:
        return names[text]
    from difflib import get_close_matches

    near = get_close_matches(text, names, 3)
    hint = f"did you mean {', '.join(near)}?" if near else "expected a known name, or a number"
    raise UsageError(f"unknown {what} {text!r}: {hint}")
