"""Matches in plain words: ``TCP from 10.0.0.0/8 to 192.0.2.1 port 21``."""

from __future__ import annotations

from functools import lru_cache

from compiler.addresses import AddressSet, Wildcard, format_address
from compiler.fields import TCP_FLAGS, WIDTH, flags_all
from compiler.integers import IntegerSet
from compiler.policy.match import InterfaceSet, Match
from compiler.policy.packet_text import protocol_name

__all__ = ["address_words", "flag_words", "interface_words", "match_words", "number_words", "protocol_words"]

_PARTS = 4


@lru_cache(maxsize=4096)
def address_words(addresses: AddressSet | None, *, sizes: bool = True) -> str:
    """``any address``, a host, a prefix, a range, or an odd wildcard (with its exact size)."""
    if addresses is None or addresses.is_any:
        return "any address"
    parts = [_range_words(low, high, addresses.width) for low, high in addresses.ranges[:_PARTS]]
    parts += [_wildcard_words(wildcard, sizes) for wildcard in addresses.wildcards[:_PARTS]]
    more = len(addresses.ranges) + len(addresses.wildcards) - len(parts)
    return ", ".join(parts) + (f" and {more:,} more" if more else "") or "no address"


def _range_words(low: int, high: int, width: int) -> str:
    free = low ^ high
    if not free:
        return format_address(low, width)
    if not free & (free + 1) and not low & free:
        return f"{format_address(low, width)}/{width - free.bit_length()}"
    return f"{format_address(low, width)}-{format_address(high, width)}"


def _wildcard_words(wildcard: Wildcard, sizes: bool) -> str:
    value, mask = format_address(wildcard.value, wildcard.width), format_address(wildcard.mask, wildcard.width)
    if not sizes:
        return f"{value} wildcard {mask}"
    return f"{value} wildcard {mask} ({wildcard.size():,} addresses in {wildcard.run_count():,} ranges)"


def number_words(numbers: IntegerSet, width: int) -> str:
    """``21``, ``1024-65535``, ``not 25``; ``none`` for no number."""
    if not numbers.intervals:
        return "none"
    rest = numbers.complement(width)
    if rest.intervals and len(numbers.intervals) > 1 and len(rest.intervals) < len(numbers.intervals):
        return f"not {number_words(rest, width)}"
    shown = [str(low) if low == high else f"{low}-{high}" for low, high in numbers.intervals[: 2 * _PARTS]]
    more = len(numbers.intervals) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def protocol_words(protocols: IntegerSet | None) -> str:
    """``TCP``, ``TCP or UDP``, ``protocols 1-50``, ``everything``, ``no protocol``."""
    if protocols is None:
        return "everything"
    if not protocols.intervals:
        return "no protocol"
    if protocols.size() <= _PARTS:
        names = [protocol_name(number) for number in protocols.members()]
        return " or ".join(f"protocol {name}" if name.isdigit() else name.upper() for name in names)
    return f"protocols {number_words(protocols, 8)}"


@lru_cache(maxsize=256)
def flag_words(flags: IntegerSet) -> str:
    """``ACK or RST set``, ``SYN set, ACK clear``, or how many of the 256 bytes."""
    if not flags.intervals:
        return "no combination of flags"
    ones, zeros = _forced(flags)
    if flags_all(ones, zeros) == flags:
        return ", ".join(_said(ones, zeros)) or "any flags"
    rest = flags.complement(8)
    ones, zeros = _forced(rest)
    if flags_all(ones, zeros) == rest:
        return " or ".join(_said(zeros, ones))
    return f"{flags.size()} of the 256 combinations of flags"


def _forced(flags: IntegerSet) -> tuple[int, int]:
    """Bits that are set in all members, and bits that are clear in all."""
    ones = zeros = 255
    for byte in flags.members():
        ones &= byte
        zeros &= ~byte
    return ones, zeros


def _said(ones: int, zeros: int) -> list[str]:
    said = [f"{name.upper()} set" for name, bit in TCP_FLAGS.items() if ones & bit]
    return said + [f"{name.upper()} clear" for name, bit in TCP_FLAGS.items() if zeros & bit]


def interface_words(interfaces: InterfaceSet) -> str:
    """``ether1``, ``ether1 or ether2``, ``any interface but ether1``, ``no interface``."""
    if not interfaces.names:
        return "any interface" if interfaces.negated else "no interface"
    names = " or ".join(sorted(interfaces.names))
    return f"any interface but {names}" if interfaces.negated else names


def match_words(match: Match, source_group: str = "", destination_group: str = "") -> str:
    """The packets of a match; groups are named beside their addresses."""
    text = protocol_words(match.protocol)
    if match.family is not None:
        text = f"IPv{match.family.value} {text}"
    text += f" from {_grouped(match.source, source_group)}"
    if match.source_port is not None:
        text += f" {_numbered('port', match.source_port, 16)}"
    text += f" to {_grouped(match.destination, destination_group)}"
    if match.destination_port is not None:
        text += f" {_numbered('port', match.destination_port, 16)}"
    if match.tcp_flags is not None:
        text += f" with {flag_words(match.tcp_flags)}"
    for name, words in (("icmp_type", "type"), ("icmp_code", "code"), ("ttl", "TTL")):
        numbers: IntegerSet | None = getattr(match, name)
        if numbers is not None:
            text += f" with {_numbered(words, numbers, WIDTH[name])}"
    if match.traffic_class is not None:
        text += f" with {_class_words(match.traffic_class)}"
    if match.ingress is not None:
        text += f" in through {interface_words(match.ingress)}"
    if match.egress is not None:
        text += f" out through {interface_words(match.egress)}"
    if match.noninitial and not match.looks_at_layer4:
        text += " in fragments other than the first"
    if match.week_minute is not None or match.date_minute is not None:
        text += " at certain times"
    return f"{text} (matches nothing)" if _is_empty(match) else text


def _is_empty(match: Match) -> bool:
    """Whether some field has an empty set."""
    return any(
        (isinstance(field, IntegerSet) and not field.intervals)
        or (isinstance(field, AddressSet) and field.is_empty)
        or (isinstance(field, InterfaceSet) and not field.names and not field.negated)
        for field in match
    )


def _numbered(what: str, numbers: IntegerSet, width: int) -> str:
    """``port 21``, ``no port``."""
    return f"{what} {number_words(numbers, width)}" if numbers.intervals else f"no {what}"


def _grouped(addresses: AddressSet | None, group: str) -> str:
    words = address_words(addresses)
    return f"group {group} ({words})" if group else words


def _class_words(classes: IntegerSet) -> str:
    dscp = IntegerSet.of((low >> 2, high >> 2) for low, high in classes.intervals)
    if IntegerSet.of((low << 2, high << 2 | 3) for low, high in dscp.intervals) == classes:
        return _numbered("DSCP", dscp, 6)
    return _numbered("traffic class", classes, 8)
