"""A match in words: ``tcp from 172.16.6.0/24 to 10.0.0.2 port 21``."""

from __future__ import annotations

from compiler.addresses import AddressSet, format_address
from compiler.fields import TCP_FLAGS
from compiler.integers import IntegerSet
from compiler.policy.match import Match

__all__ = ["format_addresses", "format_match", "format_numbers"]

_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 89: "ospf"}
_SHOWN = 6


def format_match(match: Match) -> str:
    """One line; long sets are cut with their size."""
    words = [_protocol(match.protocol)]
    if match.noninitial:
        words.append("later fragments")
    words.append(f"from {format_addresses(match.source)}")
    if match.source_port is not None:
        words.append(f"port {format_numbers(match.source_port)}")
    words.append(f"to {format_addresses(match.destination)}")
    if match.destination_port is not None:
        words.append(f"port {format_numbers(match.destination_port)}")
    if match.tcp_flags is not None:
        words.append(f"flags {_flags(match.tcp_flags)}")
    for name, label in (
        ("icmp_type", "type"),
        ("icmp_code", "code"),
        ("traffic_class", "class"),
        ("ttl", "ttl"),
        ("week_minute", "week minute"),
        ("date_minute", "minute since 1970"),
    ):
        value = getattr(match, name)
        if value is not None:
            words.append(f"{label} {format_numbers(value)}")
    return " ".join(words)


def format_addresses(addresses: AddressSet | None) -> str:
    """``any``, a prefix, a range, ``value wildcard mask``, or a list of those."""
    if addresses is None or addresses.is_any:
        return "any"
    width = addresses.width
    texts = []
    for low, high in addresses.ranges[:_SHOWN]:
        block = AddressSet.of(width, ((low, high),)).as_wildcard()
        if block is None:
            texts.append(f"{format_address(low, width)}-{format_address(high, width)}")
        elif block.mask:
            texts.append(f"{format_address(low, width)}/{block.prefix_length}")
        else:
            texts.append(format_address(low, width))
    for wildcard in addresses.wildcards[: _SHOWN - len(texts)]:
        texts.append(f"{format_address(wildcard.value, width)} wildcard {format_address(wildcard.mask, width)}")
    more = len(addresses.ranges) + len(addresses.wildcards) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more else "")


def format_numbers(numbers: IntegerSet) -> str:
    """``21, 80, 1024-65535``."""
    texts = [str(low) if low == high else f"{low}-{high}" for low, high in numbers.intervals[:_SHOWN]]
    more = len(numbers.intervals) - len(texts)
    return ", ".join(texts) + (f" and {more} more ranges" if more else "")


def _protocol(protocol: IntegerSet | None) -> str:
    if protocol is None:
        return "ip"
    return ", ".join(
        _PROTOCOLS.get(low, f"protocol {low}") if low == high else f"protocols {low}-{high}"
        for low, high in protocol.intervals[:_SHOWN]
    ) + (" …" if len(protocol.intervals) > _SHOWN else "")


def _flags(flags: IntegerSet) -> str:
    """By the bits where one bit decides, else by their number."""
    for name, bit in TCP_FLAGS.items():
        for wanted, sign in ((bit, "+"), (0, "-")):
            if flags == IntegerSet.of((byte, byte) for byte in range(256) if byte & bit == wanted):
                return f"{sign}{name}"
    established = IntegerSet.of((byte, byte) for byte in range(256) if byte & 0x14)
    if flags == established:
        return "ack or rst"
    return f"{flags.size()} of 256 combinations"
