"""Addresses, masks, numbers and interfaces in the lines about networks."""

from __future__ import annotations

from compiler.addresses import format_address, parse_address
from compiler.dialects.ios.addresses import explain_address
from compiler.dialects.ios.interfaces import interface_name
from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.network import Prefix

__all__ = [
    "ADDRESS",
    "address",
    "begins_interface",
    "counted",
    "host",
    "interface",
    "ipv4_prefix",
    "ipv6_prefix",
    "is_ipv4",
    "netmask",
    "outside",
]

ADDRESS = "an IPv4 address A.B.C.D"
_IPV6 = "an IPv6 prefix X:X::X/LENGTH"


def outside(words: list[str], at: int, count: int, why: str) -> Fault:
    """The fault of words that IOS knows and that are outside the model."""
    stop = min(at + count, len(words))
    return Fault(f"'{' '.join(words[at:stop])}' is not modelled: {why}", at, stop - at, unmodelled=True)


def is_ipv4(word: str) -> bool:
    """Whether the word is an IPv4 address."""
    try:
        return parse_address(word)[1] == 32
    except ValueError:
        return False


def address(line: Words, what: str = ADDRESS) -> int:
    """The next word as any IPv4 address."""
    word = line.take(what)
    if is_ipv4(word):
        return parse_address(word)[0]
    at = line.at - 1
    bare, slash, length = word.partition("/")
    if slash and is_ipv4(bare) and number(length, 0, 32) is not None:
        raise Fault(f"'{word}' is a prefix; IOS wants '{bare} {_dotted_mask(int(length))}'", at)
    if not word[0].isdigit():
        raise expected(word, at, what)
    raise explain_address(line.words, at, what)


def host(line: Words, family: Family = Family.IPV4, what: str = "") -> int:
    """The next word as the address of one host: no network 0 or 127, no multicast or above (RFC 6890)."""
    if family is Family.IPV6:
        return _host6(line, what or "an IPv6 address X:X::X")
    value = address(line, what or ADDRESS)
    first = value >> 24
    if first in (0, 127) or first >= 224:
        at = line.at - 1
        raise Fault(f"'{line.words[at]}' is not the address of a host", at)
    return value


def _host6(line: Words, what: str) -> int:
    word = line.take(what)
    at = line.at - 1
    try:
        value, width = parse_address(word)
    except ValueError:
        width = value = 0
    if width != 128:
        raise expected(word, at, what)
    if value < 2 or value >> 120 == 0xFF:
        raise Fault(f"'{word}' is not the address of a host", at)
    return value


def _dotted_mask(length: int) -> str:
    return format_address(0xFFFFFFFF ^ ((1 << 32 - length) - 1), 32)


def netmask(line: Words) -> int:
    """The length that the next word, a netmask, stands for."""
    mask = address(line, "a netmask M.M.M.M")
    wildcard = ~mask & 0xFFFFFFFF
    if wildcard & (wildcard + 1):
        at = line.at - 1
        near = f"; did you mean {format_address(wildcard, 32)}?" if not mask & (mask + 1) else ""
        raise Fault(f"'{line.words[at]}' is not a netmask: its one bits do not stand first{near}", at)
    return 32 - wildcard.bit_length()


def ipv4_prefix(line: Words) -> Prefix:
    """The next two words as network and mask; a fault when the network has host bits (IOS: inconsistent)."""
    at = line.at
    value = address(line, "a network A.B.C.D")
    length = netmask(line)
    clear = value >> 32 - length << 32 - length
    if clear != value:
        meant = f"did you mean {format_address(clear, 32)}?"
        raise Fault(f"'{line.words[at]}' has bits outside the mask {line.words[at + 1]}; {meant}", at, 2)
    return Prefix(Family.IPV4, value, length)


def ipv6_prefix(line: Words, what: str = _IPV6) -> tuple[int, int]:
    """The address and the length of the next word ``X:X::X/LENGTH``; host bits may be set."""
    word = line.take(what)
    text, slash, length = word.partition("/")
    try:
        value, width = parse_address(text)
    except ValueError:
        raise expected(word, line.at - 1, what) from None
    if width != 128 or not slash or number(length, 0, 128) is None:
        raise expected(word, line.at - 1, what)
    return value, int(length)


def counted(line: Words, low: int, high: int, what: str) -> int:
    """The next word as a number in ``low … high``."""
    word = line.take(f"{what}: {low} to {high}")
    value = number(word, low, high)
    if value is None:
        raise Fault(f"'{word}' is not {what}: expected {low} to {high}", line.at - 1)
    return value


def begins_interface(line: Words) -> bool:
    """Whether the next word may name an interface: it begins with a letter, and a number stands in it or behind it."""
    word = line.peek()
    following = line.words[line.at + 1] if line.at + 1 < len(line.words) else ""
    return word[:1].isalpha() and ":" not in word and (is_number(word[-1]) or is_number(following[:1]))


def interface(line: Words, what: str = "the name of an interface") -> str:
    """The next word, or two (``Serial 0/0``), as the full name of an interface."""
    word = line.take(what)
    if not word[0].isalpha():
        raise expected(word, line.at - 1, what)
    if not is_number(word[-1]) and is_number(line.peek()[:1]) and not is_ipv4(line.peek()):
        word += line.take(what)
    elif not is_number(word[-1]):
        raise expected(word, line.at - 1, what)
    return interface_name(word)
