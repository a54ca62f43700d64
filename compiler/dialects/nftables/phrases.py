"""Each field of a match in the words of nft; numbers wherever nft takes them.

A phrase either says its set exactly or raises Unsayable. Which forms are safe
was tried with nft 1.0.6 and 1.1.3: ``!=`` on raw payload and masks on ``ip6
dscp`` are listed as text with another meaning, so neither is written. Nor are
sets with ranges of the traffic class. In IPv6 it lies across two octets: 1.1.3
shifts it as a number in the machine's byte order, and takes other packets; in
IPv4 it lists the last range of a set up to 255.
"""

from __future__ import annotations

from functools import lru_cache

from compiler.addresses import AddressSet, Wildcard, format_address
from compiler.integers import IntegerSet, bit_pattern, full
from compiler.policy.match import InterfaceSet

__all__ = ["addresses", "flags", "interfaces", "is_whole_dscp", "numbers", "traffic_class"]


@lru_cache(maxsize=65536)
def addresses(value: AddressSet) -> str:
    """What follows ``ip saddr``: a prefix, a masked value, a range or a set; one wildcard or ranges only."""
    width = value.width
    wildcard = value.as_wildcard()
    if wildcard is not None and not wildcard.is_contiguous:
        compared = ((1 << width) - 1) & ~wildcard.mask
        return f"& {format_address(compared, width)} == {format_address(wildcard.value, width)}"
    if wildcard is not None:
        return prefix(wildcard)
    return _listed([address_range(low, high, width) for low, high in value.ranges])


def prefix(wildcard: Wildcard) -> str:
    """A prefix, or one address without a length."""
    text = format_address(wildcard.value, wildcard.width)
    return f"{text}/{wildcard.prefix_length}" if wildcard.mask else text


def address_range(low: int, high: int, width: int) -> str:
    """A range as nft lists it: a prefix where it is one."""
    mask = low ^ high
    if not mask & (mask + 1) and not low & mask:
        return prefix(Wildcard(low, mask, width))
    return f"{format_address(low, width)}-{format_address(high, width)}"


@lru_cache(maxsize=65536)
def numbers(value: IntegerSet) -> str:
    """One number, one range, or a set of both."""
    return _listed([str(low) if low == high else f"{low}-{high}" for low, high in value.intervals])


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else "{ " + ", ".join(parts) + " }"


@lru_cache(maxsize=4096)
def flags(value: IntegerSet) -> str:
    """What follows ``tcp flags``: a mask where one says it, else every byte of the set."""
    found = _masked(value)
    if found is not None:
        mask, bits = found
        return f"& {mask:#04x} == {bits:#04x}"
    found = _masked(value.complement(8))
    if found is not None:
        mask, bits = found
        return f"& {mask:#04x} != {bits:#04x}"
    return "{ " + ", ".join(f"{byte:#04x}" for byte in value.members()) + " }"


def _masked(value: IntegerSet) -> tuple[int, int] | None:
    """``(mask, bits)`` when the set is the bytes with ``byte & mask == bits``."""
    if not value.intervals:
        return None
    always, never = 0xFF, 0xFF
    for byte in value.members():
        always &= byte
        never &= ~byte
    mask = always | (never & 0xFF)
    return (mask, always) if bit_pattern(always, mask, 8) == value else None


def is_whole_dscp(value: IntegerSet) -> bool:
    """Whether the set does not look at the two ECN bits."""
    return all(not low & 3 and high & 3 == 3 for low, high in value.intervals)


@lru_cache(maxsize=4096)
def traffic_class(value: IntegerSet, word: str) -> str:
    """``ip dscp 10``; where ECN bits matter, the raw octet."""
    if is_whole_dscp(value):
        return f"{word} dscp {_values(IntegerSet.of((low >> 2, high >> 2) for low, high in value.intervals))}"
    ecn = _ecn_alone(value)
    if ecn is not None:
        return f"{word} ecn {_values(ecn)}"
    octet = "@nh,8,8" if word == "ip" else "@nh,4,8"
    single = value.single()
    if single is not None:  # nft lists one octet as these two anyway
        return f"{word} dscp {single >> 2} {word} ecn {single & 3}"
    return f"{octet} {_values(value)}"


def _values(value: IntegerSet) -> str:
    """One range, or a set of single values."""
    return numbers(value) if len(value.intervals) == 1 else _listed([str(one) for one in value.members()])


def _ecn_alone(value: IntegerSet) -> IntegerSet | None:
    """The ECN values when the set looks at nothing else."""
    kept = [ecn for ecn in range(4) if value.contains(ecn)]
    if value == IntegerSet.of((octet, octet) for octet in full(8).members() if octet & 3 in kept):
        return IntegerSet.values(*kept)
    return None


def interfaces(word: str, value: InterfaceSet) -> str:
    """``iifname "ppp*"``; several names as a set, wildcards never in one (nft 1.0.6 lists them wrongly).

    The empty name is no interface at all, as of the router's own packets: ``iif 0``.
    """
    plain = sorted(name for name in value.names if name and not name.endswith("*"))
    stars = sorted(name for name in value.names if name.endswith("*"))
    sign = "!= " if value.negated else ""
    quoted = [f'"{name}"' for name in plain]
    parts = [f"{word} {sign}{_listed(quoted)}"] if quoted else []
    parts += [f'{word} {sign}"{name}"' for name in stars]
    if "" in value.names:
        parts.insert(0, f"{word.removesuffix('name')} {sign}0")
    return " ".join(parts)
