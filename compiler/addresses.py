"""Wildcards and sets of addresses, over 32 or 128 bits.

A wildcard is Cisco's pair of value and mask: 0 bits of the mask are compared,
1 bits ignored, so ``a`` matches when ``(a ^ value) & ~mask == 0``. The mask may
have any bits. Sizes of covers are known before a cover is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from compiler.integers import IntegerSet

__all__ = ["AddressSet", "Wildcard", "format_address", "parse_address"]

Interval = tuple[int, int]

_FEW_RUNS = 64
"""Runs up to which a mixture of wildcards and ranges is written out, so that it has one form."""


class Wildcard(NamedTuple):
    """Addresses of ``width`` bits that agree with ``value`` where ``mask`` has a 0.

    Canonical: build with :meth:`of`, which clears the ignored bits of ``value``
    as the router does.
    """

    value: int
    mask: int
    width: int

    @classmethod
    def of(cls, value: int, mask: int, width: int = 32) -> Wildcard:
        """The wildcard with the ignored bits of ``value`` cleared."""
        ones = (1 << width) - 1
        if not 0 <= value <= ones or not 0 <= mask <= ones:
            raise ValueError(f"value or mask wider than {width} bits")
        return cls(value & ~mask & ones, mask, width)

    @classmethod
    def prefix(cls, value: int, length: int, width: int = 32) -> Wildcard:
        """``value/length``, host bits ignored."""
        return cls.of(value, (1 << (width - length)) - 1, width)

    def contains(self, address: int) -> bool:
        """Whether ``address`` matches."""
        return not (address ^ self.value) & ~self.mask

    def size(self) -> int:
        """How many addresses match."""
        return 1 << self.mask.bit_count()

    @property
    def is_contiguous(self) -> bool:
        """Whether the wildcard is one prefix."""
        return not self.mask & (self.mask + 1)

    @property
    def trailing(self) -> int:
        """How many low bits are ignored in a row: each run has ``2**trailing`` addresses."""
        return (~self.mask & (self.mask + 1)).bit_length() - 1

    @property
    def prefix_length(self) -> int | None:
        """The length when the wildcard is one prefix, else None."""
        return self.width - self.mask.bit_length() if self.is_contiguous else None

    def run_count(self) -> int:
        """How many maximal runs there are, without building them.

        Each run is one aligned block, so this is the least number of prefixes too.
        """
        return 1 << (self.mask.bit_count() - self.trailing)

    def runs(self) -> Iterator[Interval]:
        """The maximal runs ``(first, last)``, ascending."""
        step = (1 << self.trailing) - 1
        high = self.mask & ~step
        position = 0
        while True:
            yield (self.value | position, self.value | position | step)
            if position == high:
                return
            # The next subset of the high mask bits in ascending order.
            position = (position - high) & high

    def intersection(self, other: Wildcard) -> Wildcard | None:
        """Addresses that match both, or None when there are none."""
        if (self.value ^ other.value) & ~self.mask & ~other.mask:
            return None
        return Wildcard(self.value | other.value, self.mask & other.mask, self.width)

    def issubset(self, other: Wildcard) -> bool:
        """Whether each address here matches the other."""
        return not self.mask & ~other.mask and not (self.value ^ other.value) & ~other.mask

    def complement(self) -> tuple[Wildcard, ...]:
        """Disjoint wildcards that cover what does not match, one for each compared bit."""
        ones = (1 << self.width) - 1
        pieces = []
        ignored = ones
        for bit in range(self.width - 1, -1, -1):
            if self.mask >> bit & 1:
                continue
            ignored &= ~(1 << bit)
            pieces.append(Wildcard.of(self.value ^ (1 << bit), self.mask | ignored & ((1 << bit) - 1), self.width))
        return tuple(pieces)


class AddressSet(NamedTuple):
    """A union of ranges and of wildcards that are not prefixes.

    ``ranges`` are maximal, disjoint and ascending. ``wildcards`` are kept
    apart, sorted, so that their size never explodes by itself. A set without
    wildcards, and a single wildcard without ranges, are canonical, and small
    mixtures are made so; large ones may write one set in several ways, so
    compare those symbolically.
    """

    width: int
    ranges: tuple[Interval, ...]
    wildcards: tuple[Wildcard, ...] = ()

    @classmethod
    def of(cls, width: int, ranges: Iterable[Interval] = (), wildcards: Iterable[Wildcard] = ()) -> AddressSet:
        """The union of the given parts; prefixes among the wildcards become ranges."""
        pairs = list(ranges)
        odd = set()
        for wildcard in wildcards:
            if wildcard.is_contiguous:
                pairs.append((wildcard.value, wildcard.value | wildcard.mask))
            else:
                odd.add(wildcard)
        if 1 < len(odd) <= _FEW_RUNS:
            odd = {one for one in odd if not any(one != other and one.issubset(other) for other in odd)}
        if odd and (pairs or len(odd) > 1) and sum(wildcard.run_count() for wildcard in odd) <= _FEW_RUNS:
            pairs.extend(run for wildcard in odd for run in wildcard.runs())
            odd.clear()
        merged = IntegerSet.of(pairs).intervals
        if not odd:
            whole = _as_wildcard(merged, width)
            if whole is not None:
                return cls(width, (), (whole,))
        return cls(width, merged, tuple(sorted(odd)))

    @classmethod
    def wildcard(cls, wildcard: Wildcard) -> AddressSet:
        """The set of one wildcard."""
        return cls.of(wildcard.width, (), (wildcard,))

    @classmethod
    @lru_cache(maxsize=8)
    def any(cls, width: int) -> AddressSet:
        """All addresses."""
        return cls(width, ((0, (1 << width) - 1),))

    @property
    def is_any(self) -> bool:
        """Whether the ranges alone cover everything."""
        return self.ranges == ((0, (1 << self.width) - 1),)

    @property
    def is_empty(self) -> bool:
        """Whether there is no address."""
        return not self.ranges and not self.wildcards

    def contains(self, address: int) -> bool:
        """Whether ``address`` is a member."""
        return any(low <= address <= high for low, high in self.ranges) or any(
            wildcard.contains(address) for wildcard in self.wildcards
        )

    def union(self, other: AddressSet) -> AddressSet:
        """Members of either."""
        return AddressSet.of(self.width, self.ranges + other.ranges, self.wildcards + other.wildcards)

    def intersection(self, other: AddressSet) -> AddressSet:
        """Members of both, exactly; wildcards are cut into runs only where a range ends inside them."""
        ranges = list(IntegerSet(self.ranges).intersection(IntegerSet(other.ranges)).intervals)
        odd = []
        for mine in self.wildcards:
            for theirs in other.wildcards:
                both = mine.intersection(theirs)
                if both is not None:
                    odd.append(both)
        for wildcards, pairs in ((self.wildcards, other.ranges), (other.wildcards, self.ranges)):
            for wildcard in wildcards:
                for low, high in pairs:
                    for block in _prefixes(low, high, self.width):
                        both = wildcard.intersection(block)
                        if both is not None:
                            odd.append(both)
        return AddressSet.of(self.width, ranges, odd)

    def complement(self) -> AddressSet:
        """All other addresses of the same width."""
        rest = AddressSet.of(self.width, IntegerSet(self.ranges).complement(self.width).intervals)
        for wildcard in self.wildcards:
            rest = rest.intersection(AddressSet.of(self.width, (), wildcard.complement()))
        return rest

    def run_count(self) -> int:
        """An upper bound of the number of maximal runs, exact for one wildcard or ranges alone."""
        return len(self.ranges) + sum(wildcard.run_count() for wildcard in self.wildcards)

    def runs(self) -> tuple[Interval, ...]:
        """All maximal runs, ascending. Ask :meth:`run_count` first."""
        if not self.wildcards:
            return self.ranges
        pairs = list(self.ranges)
        for wildcard in self.wildcards:
            pairs.extend(wildcard.runs())
        return IntegerSet.of(pairs).intervals

    def prefixes(self) -> tuple[Wildcard, ...]:
        """The least set of prefixes that covers the ranges and runs, ascending."""
        return tuple(block for low, high in self.runs() for block in _prefixes(low, high, self.width))

    def as_wildcard(self) -> Wildcard | None:
        """The one wildcard (a prefix, a host or an odd mask) that is this set, or None."""
        if self.wildcards:
            return self.wildcards[0] if len(self.wildcards) == 1 and not self.ranges else None
        if len(self.ranges) != 1:
            return None
        low, high = self.ranges[0]
        mask = low ^ high
        if mask & (mask + 1) or low & mask:
            return None
        return Wildcard(low, mask, self.width)

    def hull(self) -> Interval:
        """The least range that holds every member; ``(1, 0)`` when empty."""
        lows = [low for low, _ in self.ranges[:1]] + [wildcard.value for wildcard in self.wildcards]
        highs = [high for _, high in self.ranges[-1:]]
        highs += [wildcard.value | wildcard.mask for wildcard in self.wildcards]
        return (min(lows), max(highs)) if lows else (1, 0)


def _as_wildcard(ranges: tuple[Interval, ...], width: int) -> Wildcard | None:
    """The odd wildcard whose runs these ranges are, or None; so that one set has one form."""
    count = len(ranges)
    if count < 2 or count & (count - 1):
        return None
    value, last = ranges[0][0], ranges[-1][1]
    mask = value ^ last
    if value & mask or (last & mask) != mask:
        return None
    size = ranges[0][1] - value + 1
    candidate = Wildcard(value, mask, width)
    if size != 1 << candidate.trailing or candidate.run_count() != count:
        return None
    for low, high in ranges:
        if high - low + 1 != size or low & (size - 1) or not candidate.contains(low):
            return None
    return candidate


def _prefixes(low: int, high: int, width: int) -> Iterator[Wildcard]:
    """The least set of prefixes that covers one range, ascending (RFC 4632 aggregation)."""
    from netaddr import IPAddress, iprange_to_cidrs  # imported when used: it costs start-up time

    version: Literal[4, 6] = 4 if width == 32 else 6
    for network in iprange_to_cidrs(IPAddress(low, version), IPAddress(high, version)):
        yield Wildcard(network.first, network.first ^ network.last, width)


@lru_cache(maxsize=65536)
def parse_address(text: str) -> tuple[int, int]:
    """``(value, width)`` of a textual IPv4 or IPv6 address; ValueError when it is none."""
    if ":" in text:
        from netaddr import INET_PTON, IPAddress  # IPv6 text has many forms: the library knows them

        try:
            return int(IPAddress(text, 6, flags=INET_PTON)), 128
        except Exception as error:
            raise ValueError(f"{text!r} is not an IPv6 address") from error
    parts = text.split(".")
    if len(parts) != 4:
        raise ValueError(f"{text!r} is not an IPv4 address")
    value = 0
    for part in parts:
        if not (part.isascii() and part.isdigit() and len(part) <= 3):
            raise ValueError(f"{text!r} is not an IPv4 address")
        octet = int(part)
        if octet > 255:
            raise ValueError(f"{text!r} is not an IPv4 address: {part} is above 255")
        value = value << 8 | octet
    return value, 32


@lru_cache(maxsize=65536)
def format_address(value: int, width: int) -> str:
    """The usual text of an address (RFC 5952 for IPv6)."""
    if width == 32:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    from netaddr import IPAddress

    return str(IPAddress(value, 6))
