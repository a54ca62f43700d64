"""The data types of nftables: from one word to the interval of numbers that it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from compiler.addresses import parse_address
from compiler.dialects.nftables import facts
from compiler.dialects.nftables.services import SERVICES

__all__ = ["DATATYPES", "DataType", "NotThatType", "integer_type", "interval"]


class NotThatType(Exception):
    """A word that is no value of the type; the text says what is expected."""


class DataType(NamedTuple):
    """``width`` in bits; the values are numbers or ``names``. Width 0: interface names."""

    name: str
    width: int
    names: Mapping[str, int]
    noun: str
    address: bool = False

    def __hash__(self) -> int:
        return hash(self.name)


_ADDRESS4 = DataType("ipv4_addr", 32, {}, "an IPv4 address, prefix or range", True)
_ADDRESS6 = DataType("ipv6_addr", 128, {}, "an IPv6 address, prefix or range", True)

DATATYPES: dict[str, DataType] = {
    kind.name: kind
    for kind in (
        _ADDRESS4,
        _ADDRESS6,
        DataType("inet_service", 16, SERVICES, "a port number or service name"),
        DataType("inet_proto", 8, facts.PROTOCOLS, "a protocol number or name"),
        DataType("icmp_type", 8, facts.ICMP_TYPES, "an ICMP type"),
        DataType("icmpv6_type", 8, facts.ICMPV6_TYPES, "an ICMPv6 type"),
        DataType("icmp_code", 8, facts.ICMP_CODES, "an ICMP code"),
        DataType("icmpv6_code", 8, facts.ICMPV6_CODES, "an ICMPv6 code"),
        DataType("dscp", 6, facts.DSCP, "a DSCP value from 0 to 63 or its name"),
        DataType("ecn", 2, facts.ECN, "an ECN value from 0 to 3 or its name"),
        DataType("tcp_flag", 8, facts.TCP_FLAG_NAMES, "TCP flags (fin syn rst psh ack urg ecn cwr)"),
        DataType("nf_proto", 8, facts.NFPROTO, "ipv4 or ipv6"),
        DataType("ether_type", 16, facts.ETHERTYPES, "ip or ip6"),
        DataType("ifname", 0, {}, "the name of an interface"),
        DataType("iface_index", 0, {}, "the name of an interface"),
    )
}
"""The types that the model knows, by the name that ``type`` of a set uses."""

# A leading zero means octal to nft where all digits are octal ones, decimal elsewhere: refused.
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0|[1-9][0-9]*", re.ASCII)


@lru_cache(maxsize=64)
def integer_type(width: int) -> DataType:
    """A plain number of ``width`` bits."""
    return DataType(f"integer_{width}", width, {}, f"a number below {1 << width}")


@lru_cache(maxsize=262144)
def interval(kind: DataType, word: str) -> tuple[int, int]:
    """The first and last value that a word stands for: one value, a prefix or ``a-b``.

    Raises NotThatType.
    """
    bare = word[1:-1] if word[:1] == '"' else word
    if kind.address:
        return _addresses(kind, bare)
    value = _value(kind, bare)
    if value is not None:
        return value, value
    # Names hold hyphens too: a range is any split with a value on each side.
    for position, character in enumerate(bare):
        if character == "-":
            low, high = _value(kind, bare[:position]), _value(kind, bare[position + 1 :])
            if low is not None and high is not None:
                if low > high:
                    raise NotThatType("a range whose first value is not above its last")
                return low, high
    raise NotThatType(kind.noun)


def _value(kind: DataType, word: str) -> int | None:
    number = kind.names.get(word)
    if number is not None:
        return number
    if not _NUMBER.fullmatch(word) or len(word) > 40:
        return None
    value = int(word, 16) if word[:2] in ("0x", "0X") else int(word)
    if value >> kind.width:
        raise NotThatType(f"{kind.noun} (at most {(1 << kind.width) - 1})")
    return value


_OCTETS = {str(number): number for number in range(256)}


def _address(word: str, kind: DataType) -> int:
    """One address of the type. Octets with leading zeros are refused: nft reads them as octal."""
    if kind.width == 32:
        try:
            first, second, third, fourth = word.split(".")
            return _OCTETS[first] << 24 | _OCTETS[second] << 16 | _OCTETS[third] << 8 | _OCTETS[fourth]
        except (ValueError, KeyError):
            raise NotThatType(kind.noun) from None
    try:
        value, width = parse_address(word)
    except ValueError:
        raise NotThatType(kind.noun) from None
    if width != kind.width:
        raise NotThatType(kind.noun)
    return value


def _addresses(kind: DataType, word: str) -> tuple[int, int]:
    if "/" in word:
        head, _, tail = word.partition("/")
        if not tail.isascii() or not tail.isdigit() or len(tail) > 3 or int(tail) > kind.width:
            raise NotThatType(f"a prefix length from 0 to {kind.width}")
        hosts = (1 << (kind.width - int(tail))) - 1
        low = _address(head, kind) & ~hosts
        return low, low | hosts
    if "-" in word:
        first, _, last = word.partition("-")
        low, high = _address(first, kind), _address(last, kind)
        if low > high:
            raise NotThatType("a range whose first address is not above its last")
        return low, high
    value = _address(word, kind)
    return value, value
