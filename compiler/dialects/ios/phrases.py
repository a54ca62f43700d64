"""Sets -> the words of IOS: each set becomes one or several clauses whose union it is.

Every function returns a tuple of clauses: one where a single line can say the
set, more where it takes several lines. :class:`Unsayable` says why none can.
"""

from __future__ import annotations

from functools import lru_cache

from compiler.addresses import AddressSet, Wildcard, format_address
from compiler.dialects.ios.facts import PORT_LIMIT, TCP_FLAG_WORDS
from compiler.fields import TCP_FLAGS, Family, flags_all, flags_any
from compiler.integers import IntegerSet, bit_pattern

__all__ = ["ADDRESS_CLAUSES", "Unsayable", "addresses", "comparisons", "flags", "messages", "traffic_classes"]

ADDRESS_CLAUSES = 1024
"""The most prefixes that one address set may become."""

Clauses = tuple[str, ...]


class Unsayable(Exception):
    """IOS has no words for a set."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(why)
        self.what = what
        self.why = why


@lru_cache(maxsize=65536)
def addresses(found: AddressSet | None, family: Family, *, standard: bool = False) -> Clauses:
    """``any``, ``host A``, ``A W`` or ``X/LENGTH``; in standard lists a host stands alone."""
    if found is None or found.is_any:
        return ("any",)
    if found.width != family.width:
        raise Unsayable("an address", f"the list is for IPv{family.value}")
    if not found.wildcards and len(found.ranges) == 1:
        low, high = found.ranges[0]
        mask = low ^ high
        if not mask & (mask + 1) and not low & mask:
            return (_address(Wildcard(low, mask, found.width), standard=standard),)
    blocks: list[Wildcard] = []
    if family is Family.IPV4:
        blocks += AddressSet(32, found.ranges).prefixes()
        blocks += found.wildcards
    elif found.run_count() > ADDRESS_CLAUSES:
        raise Unsayable("an IPv6 address set", f"IOS takes prefixes only, and it has {found.run_count()} runs")
    else:
        blocks += found.prefixes()
    if len(blocks) > ADDRESS_CLAUSES:
        raise Unsayable("an address set", f"it takes {len(blocks)} lines, more than {ADDRESS_CLAUSES}")
    return tuple(_address(block, standard=standard) for block in blocks)


def _address(block: Wildcard, *, standard: bool) -> str:
    value, mask, width = block
    text = format_address(value, width)
    if not mask:
        return text if standard else f"host {text}"
    if width == 128:
        return f"{text}/{block.prefix_length}"
    return f"{text} {format_address(mask, 32)}"


@lru_cache(maxsize=65536)
def comparisons(found: IntegerSet | None, width: int, *, several: bool = True) -> Clauses:
    """``eq a b``, ``neq a``, ``gt``, ``lt``, ``range``; an empty clause for all numbers.

    Without ``several``, as in object groups, ``eq`` takes one number and there is no ``neq``.
    """
    if found is None:
        return ("",)
    limit = PORT_LIMIT if several else 1
    if len(found.intervals) == 1 and found.single() is None:
        return (_interval(*found.intervals[0], (1 << width) - 1),)
    if found.size() <= limit:
        return ("eq " + " ".join(map(str, found.members())),)
    rest = found.complement(width)
    if several and 0 < rest.size() <= limit and len(found.intervals) > 1:
        return ("neq " + " ".join(map(str, rest.members())),)
    singles = [low for low, high in found.intervals if low == high]
    clauses = [f"eq {' '.join(map(str, singles[at : at + limit]))}" for at in range(0, len(singles), limit)]
    clauses += [_interval(low, high, (1 << width) - 1) for low, high in found.intervals if low != high]
    return tuple(clauses)


def _interval(low: int, high: int, top: int) -> str:
    if high == top and low > 0:
        return f"gt {low - 1}"
    if low == 0 and high < top:
        return f"lt {high + 1}"
    return f"range {low} {high}"


_NAMED_BITS = 0x3F


@lru_cache(maxsize=4096)
def flags(found: IntegerSet | None) -> Clauses:
    """``established``, bare flags, ``match-any`` or ``match-all``; several of these as the last resort."""
    if found is None:
        return ("",)
    known = _flag_clauses().get(found)
    if known is not None:
        return (known,)
    members = set(found.members())
    low = {byte & _NAMED_BITS for byte in members}
    if len(low) * 4 != len(members):
        raise Unsayable("TCP flags", "IOS has no words for ECE and CWR")
    return tuple(_cubes(low))


@lru_cache(maxsize=1)
def _flag_clauses() -> dict[IntegerSet, str]:
    """All sets of flag bytes that one clause can say."""
    names = {TCP_FLAGS[word]: word for word in TCP_FLAG_WORDS}
    table: dict[IntegerSet, str] = {}
    for code in range(1, 3 ** len(names)):
        required, forbidden, rest = 0, 0, code
        signs = []
        for bit, word in names.items():
            rest, digit = divmod(rest, 3)
            if digit == 1:
                required |= bit
                signs.append(f"+{word}")
            elif digit == 2:
                forbidden |= bit
                signs.append(f"-{word}")
        table.setdefault(flags_all(required, forbidden), "match-all " + " ".join(signs))
        table.setdefault(flags_any(required, forbidden), "match-any " + " ".join(signs))
    for bits in range(1, _NAMED_BITS + 1):
        table[flags_any(bits)] = " ".join(word for bit, word in names.items() if bits & bit)
    table[flags_any(TCP_FLAGS["ack"] | TCP_FLAGS["rst"])] = "established"
    return table


def _cubes(members: set[int]) -> list[str]:
    """``match-all`` clauses whose union is the set, grown greedily from each member left."""
    clauses, left = [], set(members)
    while left:
        value, free = min(left), 0
        for bit in (1 << place for place in range(6)):
            if all((value ^ bit ^ part) in members for part in _subsets(free)):
                free |= bit
        covered = {value ^ part for part in _subsets(free)}
        left -= covered
        signs = [
            ("+" if value & TCP_FLAGS[word] else "-") + word for word in TCP_FLAG_WORDS if not TCP_FLAGS[word] & free
        ]
        clauses.append("match-all " + " ".join(signs))
    return clauses


def _subsets(bits: int) -> list[int]:
    found, part = [0], bits
    while part:
        found.append(part)
        part = (part - 1) & bits
    return found


@lru_cache(maxsize=4096)
def messages(types: IntegerSet | None, codes: IntegerSet | None) -> Clauses:
    """``TYPE`` or ``TYPE CODE``."""
    if types is None:
        if codes is not None:
            raise Unsayable("an ICMP code", "IOS takes a code only behind a type")
        return ("",)
    if codes is None:
        return tuple(str(kind) for kind in types.members())
    return tuple(f"{kind} {code}" for kind in types.members() for code in codes.members())


@lru_cache(maxsize=4096)
def traffic_classes(found: IntegerSet | None, family: Family) -> Clauses:
    """``dscp N``, ``precedence N``, ``tos N`` or the last two together."""
    if found is None:
        return ("",)
    members = frozenset(found.members())
    if family is Family.IPV6:
        if any(byte ^ 1 not in members or byte ^ 2 not in members for byte in members):
            raise Unsayable("the ECN bits of the traffic class", "IPv6 lists of IOS have only dscp")
        return tuple(f"dscp {code}" for code in sorted({byte >> 2 for byte in members}))
    known = _class_clauses().get(found)
    if known is not None:
        return (known,)
    if any(byte ^ 1 not in members for byte in members):
        raise Unsayable("the lowest bit of the traffic class", "dscp, precedence and tos do not reach it")
    for mask, shift, word in ((0x1F, 5, "precedence"), (0x03, 2, "dscp")):
        if all(byte ^ bit in members for byte in members for bit in (1, 2, 4, 8, 16) if bit & mask):
            return tuple(f"{word} {value}" for value in sorted({byte >> shift for byte in members}))
    tos = sorted({byte >> 1 & 15 for byte in members})
    if len(tos) * 16 == len(members):
        return tuple(f"tos {value}" for value in tos)
    return tuple(f"precedence {byte >> 5} tos {byte >> 1 & 15}" for byte in sorted(members) if not byte & 1)


@lru_cache(maxsize=1)
def _class_clauses() -> dict[IntegerSet, str]:
    """All sets of bytes that one clause can say."""
    table = {bit_pattern(code << 2, 0xFC, 8): f"dscp {code}" for code in range(64)}
    for precedence in range(8):
        table[bit_pattern(precedence << 5, 0xE0, 8)] = f"precedence {precedence}"
        for tos in range(16):
            both = bit_pattern(precedence << 5 | tos << 1, 0xFE, 8)
            table[both] = f"precedence {precedence} tos {tos}"
    for tos in range(16):
        table[bit_pattern(tos << 1, 0x1E, 8)] = f"tos {tos}"
    return table
