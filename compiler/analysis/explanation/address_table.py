"""Which source addresses may reach one service: the table of a list, as exact ranges.

The paper's question: of the clients 172.16.0.0/16, who reaches port 21 of the
server? Each range is one row; how many rows there are is known to be bounded
before they are built, so a wildcard of many runs is refused, not built.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compiler.addresses import AddressSet, format_address
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.access_list import AccessList, TimeRange
from compiler.policy.match import Match
from compiler.policy.packet import Packet, matches
from compiler.semantics.router import NEIGHBOUR_DISCOVERY, entry_matches

__all__ = ["AddressRow", "AddressTable", "address_table"]

MOST_ROWS = 1 << 20


class AddressRow(NamedTuple):
    """Consecutive addresses with one verdict; both ends are included."""

    first: int
    last: int
    permitted: bool

    @property
    def size(self) -> int:
        """How many addresses."""
        return self.last - self.first + 1


class AddressTable(NamedTuple):
    """All rows, ascending; neighbours differ in their verdict."""

    width: int
    rows: tuple[AddressRow, ...]

    def addresses(self, *, permitted: bool) -> int:
        """How many addresses have that verdict."""
        return sum(row.size for row in self.rows if row.permitted is permitted)

    def lines(self, most: int = 40) -> Iterator[str]:
        """A printed table of at most ``most`` rows, with exact sums."""
        shown = self.rows if len(self.rows) <= most else self.rows[: most - 1]
        ends = [(format_address(row.first, self.width), format_address(row.last, self.width)) for row in shown]
        left = max((len(first) for first, _ in ends), default=0)
        right = max((len(last) for _, last in ends), default=0)
        for (first, last), row in zip(ends, shown, strict=True):
            verdict = "permitted" if row.permitted else "denied   "
            yield f"{first:<{left}} - {last:<{right}}  {verdict}  {row.size:>7,}"
        if len(shown) < len(self.rows):
            yield f"… and {len(self.rows) - len(shown):,} more rows"
        yield (
            f"{self.addresses(permitted=True):,} addresses permitted, {self.addresses(permitted=False):,} denied, "
            f"in {len(self.rows):,} ranges"
        )

    def as_json(self, most: int = MOST_ROWS) -> dict[str, object]:
        """Plain data; the counts are of all rows, also those beyond ``most``."""
        return {
            "permitted": self.addresses(permitted=True),
            "denied": self.addresses(permitted=False),
            "ranges": len(self.rows),
            "rows": [
                {
                    "first": format_address(row.first, self.width),
                    "last": format_address(row.last, self.width),
                    "verdict": "permitted" if row.permitted else "denied",
                    "count": row.size,
                }
                for row in self.rows[:most]
            ],
        }


def address_table(
    access_list: AccessList,
    template: Packet,
    within: AddressSet | None = None,
    *,
    time_ranges: tuple[TimeRange, ...] = (),
    most_rows: int = MOST_ROWS,
) -> AddressTable:
    """What the list decides for packets like ``template`` from each source address in ``within`` (default: all).

    Work grows with the number of ranges, never with the number of addresses.
    UsageError when more than ``most_rows`` ranges would have to be built.
    """
    width = template.family.width
    if access_list.family is not template.family:
        raise UsageError(f"list {access_list.name} is of another family than the packet")
    remaining = AddressSet.any(width) if within is None else within
    times = {time_range.name: time_range for time_range in time_ranges}
    decided: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    if not access_list.entries:  # an empty list permits everything
        return _table(width, {True: list(_runs(remaining, most_rows)), False: []})
    left = _Remaining(remaining, most_rows)
    for match, permits in _matches(access_list, times, noninitial=template.noninitial):
        if not matches(match._replace(source=None, family=None), template):
            continue
        source = AddressSet.any(width) if match.source is None else match.source
        decided[permits] += left.take(source)
        if not left.ranges:
            break
    decided[False] += left.ranges
    return _table(width, decided)


def _matches(access_list: AccessList, times: dict[str, TimeRange], *, noninitial: bool) -> Iterator[tuple[Match, bool]]:
    for entry in access_list.entries:
        for match in entry_matches(entry, times, noninitial=noninitial):
            yield match, entry.action.permits
    if access_list.family is Family.IPV6 and not noninitial:
        for match in NEIGHBOUR_DISCOVERY:
            yield match, True


class _Remaining:
    """The addresses that nothing has decided yet, as ascending disjoint ranges."""

    def __init__(self, addresses: AddressSet, most: int) -> None:
        self.ranges = list(_runs(addresses, most))
        self._most = most

    def take(self, source: AddressSet) -> list[tuple[int, int]]:
        """Remove the addresses of ``source``; what was there of them, as ranges."""
        if source.is_any:
            everything, self.ranges = self.ranges, []
            return everything
        if not self.ranges:
            return []
        runs = _runs_between(source, self.ranges[0][0], self.ranges[-1][1], self._most)
        taken: list[tuple[int, int]] = []
        kept: list[tuple[int, int]] = []
        place = 0
        for low, high in self.ranges:
            while place < len(runs) and runs[place][1] < low:
                place += 1
            position, here = low, place
            while here < len(runs) and runs[here][0] <= high:
                first, last = max(low, runs[here][0]), min(high, runs[here][1])
                if first > position:
                    kept.append((position, first - 1))
                taken.append((first, last))
                position = last + 1
                here += 1
            if position <= high:
                kept.append((position, high))
        self.ranges = kept
        return taken


def _runs(addresses: AddressSet, most: int) -> tuple[tuple[int, int], ...]:
    if addresses.run_count() > most:
        raise UsageError(f"{addresses.run_count():,} ranges, more than {most:,}; look within a smaller prefix")
    return addresses.runs()


def _runs_between(source: AddressSet, low: int, high: int, most: int) -> tuple[tuple[int, int], ...]:
    """The runs of ``source`` inside one range, ascending; those outside are never built."""
    window = AddressSet.of(source.width, [(low, high)])
    blocks = window.prefixes() if source.wildcards else ()
    pieces = [both for block in blocks for odd in source.wildcards if (both := odd.intersection(block))]
    ranges = [(max(low, first), min(high, last)) for first, last in source.ranges if first <= high and last >= low]
    return _runs(AddressSet.of(source.width, ranges, pieces), most)


def _table(width: int, decided: dict[bool, list[tuple[int, int]]]) -> AddressTable:
    pieces = sorted((first, last, permitted) for permitted, some in decided.items() for first, last in some)
    rows: list[AddressRow] = []
    for first, last, permitted in pieces:
        if rows and rows[-1].permitted is permitted and rows[-1].last + 1 == first:
            rows[-1] = AddressRow(rows[-1].first, last, permitted)
        else:
            rows.append(AddressRow(first, last, permitted))
    return AddressTable(width, tuple(rows))
