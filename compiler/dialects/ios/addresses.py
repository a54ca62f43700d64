"""Addresses in entries: ``any``, ``host X``, wildcards, prefixes, groups."""

from __future__ import annotations

import re
from functools import lru_cache

from compiler.addresses import AddressSet, Wildcard, format_address, parse_address
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.integers import is_number

__all__ = [
    "Place",
    "explain_address",
    "ipv4_host",
    "ipv4_place",
    "ipv6_place",
    "netmask_set",
    "prefix_set",
    "standard_place",
]

Place = tuple[AddressSet | None, str]
"""The addresses (None is any), and the name of a network group or the empty string."""

_ANY: Place = (None, "")
_IPV4 = "an address: any, host A.B.C.D, A.B.C.D with a wildcard, or object-group NAME"
_IPV6 = "an address: any, host X:X::X, X:X::X/LENGTH, or object-group NAME"
_STANDARD = "an address: any, host A.B.C.D, or A.B.C.D with or without a wildcard"
_WORDS = ("any", "host", "object-group")
_DOTTED = re.compile(r"[0-9]+(\.[0-9]+)+")


_OCTETS = {str(octet): octet for octet in range(256)}


def _ipv4(text: str) -> int:
    """The value of an IPv4 address; ValueError when it is none. A list has tens of thousands of them."""
    try:
        first, second, third, fourth = text.split(".")
        return _OCTETS[first] << 24 | _OCTETS[second] << 16 | _OCTETS[third] << 8 | _OCTETS[fourth]
    except (KeyError, ValueError):
        value, width = parse_address(text)
        if width != 32:
            raise ValueError(text) from None
        return value


@lru_cache(maxsize=65536)
def _wildcard(address: str, wildcard: str) -> AddressSet | None:
    """The set of ``address wildcard``; None when it is every address; ValueError when a word is no address."""
    value, mask = _ipv4(address), _ipv4(wildcard)
    if mask & (mask + 1):
        return AddressSet.of(32, (), (Wildcard.of(value, mask),))
    # One range is canonical as it stands; this is the path of nearly every address.
    return AddressSet(32, ((value & ~mask, value | mask),)) if mask != 0xFFFFFFFF else None


@lru_cache(maxsize=65536)
def _host(address: str, width: int) -> AddressSet:
    value, actual = parse_address(address)
    if actual != width:
        raise ValueError(address)
    return AddressSet(width, ((value, value),))


@lru_cache(maxsize=65536)
def prefix_set(text: str) -> AddressSet | None:
    """The set of an IPv6 prefix ``X:X::X/LENGTH``, None for ``::/0``; ValueError when it is none."""
    address, slash, length = text.partition("/")
    value, width = parse_address(address)
    if width != 128 or not slash or not is_number(length) or not 0 <= int(length) <= 128:
        raise ValueError(text)
    return AddressSet.wildcard(Wildcard.prefix(value, int(length), 128)) if int(length) else None


@lru_cache(maxsize=65536)
def netmask_set(address: str, netmask: str) -> AddressSet:
    """The set of a group's ``address netmask``; ValueError unless the mask is contiguous."""
    (value, width), (mask, mask_width) = parse_address(address), parse_address(netmask)
    wildcard = ~mask & 0xFFFFFFFF
    if width != 32 or mask_width != 32:
        raise ValueError(f"{address} {netmask} is not an IPv4 address and netmask")
    if wildcard & (wildcard + 1):
        hint = f": as a wildcard it would be {format_address(wildcard, 32)}" if not mask & (mask + 1) else ""
        raise ValueError(f"{netmask} is not a netmask{hint}")
    return AddressSet.wildcard(Wildcard.of(value, wildcard))


def ipv4_host(line: Words) -> AddressSet:
    """The next word as one IPv4 host."""
    word = line.take("an IPv4 address A.B.C.D")
    try:
        return _host(word, 32)
    except ValueError:
        if word in _WORDS:
            raise Fault(f"'{word}' stands behind 'host'; expected an IPv4 address A.B.C.D", line.at - 1) from None
        raise explain_address(line.words, line.at - 1, "an IPv4 address A.B.C.D") from None


def ipv4_place(line: Words) -> Place:
    """Source or destination of an extended IPv4 entry."""
    words, at = line.words, line.at
    word = words[at] if at < len(words) else ""
    if word == "any":
        line.at = at + 1
        return _ANY
    if word == "host":
        line.at = at + 1
        return ipv4_host(line), ""
    if at + 1 < len(words):
        try:
            found = _wildcard(word, words[at + 1])
        except ValueError:
            pass
        else:
            line.at = at + 2
            return found, ""
    return _uncommon(line, _IPV4, ipv4_place)


def ipv6_place(line: Words) -> Place:
    """Source or destination of an IPv6 entry."""
    words, at = line.words, line.at
    word = words[at] if at < len(words) else ""
    if word == "any":
        line.at = at + 1
        return _ANY
    if word == "host":
        line.at = at + 2
        host = words[at + 1] if at + 1 < len(words) else ""
        try:
            return _host(host, 128), ""
        except ValueError:
            raise expected(host, at + 1, "an IPv6 address X:X::X") from None
    try:
        found = prefix_set(word)
    except ValueError:
        return _uncommon(line, _IPV6, ipv6_place)
    line.at = at + 1
    return found, ""


def standard_place(line: Words) -> Place:
    """The source of a standard entry: an address without a wildcard is one host.

    ``show access-lists`` writes ``10.1.0.0, wildcard bits 0.0.255.255``.
    """
    words, at = line.words, line.at
    word = words[at] if at < len(words) else ""
    if word in ("any", "host"):
        return ipv4_place(line)
    if word.endswith(",") and words[at + 1 : at + 3] == ["wildcard", "bits"] and at + 3 < len(words):
        word, mask, count = word[:-1], words[at + 3], 4
    elif at + 1 < len(words) and _DOTTED.fullmatch(words[at + 1]):
        mask, count = words[at + 1], 2
    else:
        mask, count = "0.0.0.0", 1
    try:
        found = _wildcard(word, mask)
    except ValueError:
        if word.lower() in ("any", "host"):
            line.words = [*words[:at], word.lower(), *words[at + 1 :]]
            return ipv4_place(line)
        raise explain_address(words, at, _STANDARD) from None
    line.at = at + count
    return found, ""


def _uncommon(line: Words, what: str, again: object) -> Place:
    """Groups, capital letters, and all that is wrong."""
    at = line.at
    word = line.peek()
    lower = word.lower()
    if lower == "object-group":
        line.at = at + 1
        return None, line.take("the name of an object-group network")
    if lower in ("any", "host") and lower != word:
        line.words = [*line.words[:at], lower, *line.words[at + 1 :]]
        return ipv4_place(line) if again is ipv4_place else ipv6_place(line)
    if lower in ("addrgroup", "fqdn-group", "fqdn", "geo-group", "object", "interface"):
        line.refuse("addresses of this kind are not in the text", at, 2)
        return _ANY
    raise explain_address(line.words, at, what)


def explain_address(words: list[str], at: int, what: str) -> Fault:
    """What is wrong with the address at ``at`` (and with the wildcard behind it)."""
    word = words[at] if at < len(words) else ""
    octets = word.split(".")
    if _DOTTED.fullmatch(word) and len(octets) != 4:
        return _explain_octets(word, octets, at, what)
    address, slash, length = word.partition("/")
    if slash and is_number(length) and int(length) <= 32 and _is_ipv4(address):
        wildcard = format_address((1 << (32 - int(length))) - 1, 32)
        return Fault(
            f"'{word}' is a prefix, as NX-OS and IOS XR write it; IOS wants '{address} {wildcard}'",
            at,
        )
    if _is_ipv4(word) and "A.B.C.D" in what:
        return _explain_wildcard(words, at)
    if "." in word or ":" in word:
        return Fault(f"'{word}' is not an address; expected {what}", at)
    return expected(word, at, what, _WORDS)


def _explain_wildcard(words: list[str], at: int) -> Fault:
    """The address at ``at`` is right, so its wildcard is not."""
    following = words[at + 1] if at + 1 < len(words) else ""
    if _DOTTED.fullmatch(following):
        return explain_address(words, at + 1, "a wildcard W.W.W.W")
    why = f"expected a wildcard for {words[at]} (one host: 'host {words[at]}')"
    if not following:
        return Fault(f"the line ends here; {why}", at + 1)
    return Fault(f"'{following}' is not a wildcard; {why}", at + 1)


def _explain_octets(word: str, octets: list[str], at: int, what: str) -> Fault:
    """A run of too many or too few octets: most often a lost blank."""
    count = len(octets)
    if count in (7, 8) and all(number(octet, 0, 255) is not None for octet in octets):
        first, last = ".".join(octets[:4]), ".".join(octets[-4:])
        lost = "an octet is missing" if count == 7 else "a blank is missing"
        return Fault(f"'{word}' is not an address: {count} octets in one word, {lost}; try '{first} {last}'", at)
    return Fault(f"'{word}' is not an address: {count} octets instead of 4; expected {what}", at)


def _is_ipv4(word: str) -> bool:
    try:
        return parse_address(word)[1] == 32
    except ValueError:
        return False
