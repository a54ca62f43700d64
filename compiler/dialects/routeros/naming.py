"""Address lists for what one matcher cannot hold: their names, their sizes, their sharing."""

from __future__ import annotations

import re

from compiler.addresses import AddressSet, format_address
from compiler.dialects.routeros.pieces import inline_addresses
from compiler.fields import Family
from compiler.lowering.bounding import Unsayable
from compiler.policy.ruleset import NamedSet

__all__ = ["TOTAL_FACTOR", "AddressListBook", "entry_count"]

TOTAL_FACTOR = 8
"""All lists of one script together may take this many times the entries that one list may take."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.:-]+")


def entry_count(addresses: AddressSet) -> int:
    """Entries that the list of this set takes, known before they are built.

    IPv4 lists hold ranges, one for each maximal run; IPv6 lists hold prefixes only.
    """
    if addresses.width == 32:
        return addresses.run_count()
    count = sum(wildcard.run_count() for wildcard in addresses.wildcards)
    return count + sum(_prefix_count(low, high) for low, high in addresses.ranges)


def _prefix_count(low: int, high: int) -> int:
    """Prefixes of the least cover of one range."""
    count, end = 0, high + 1
    while low < end:
        size = 1 << (end - low).bit_length() - 1  # the largest block that fits …
        low += min(size, low & -low) if low else size  # … and that may begin here
        count += 1
    return count


class AddressListBook:
    """The lists that a configuration needs. Equal sets share one list."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        """Entries of all lists so far."""
        self.sets: list[NamedSet] = []
        self._names: dict[tuple[AddressSet, str], str] = {}
        self._taken: dict[tuple[Family, str], AddressSet] = {}

    def name(self, addresses: AddressSet | None, group: str, field: str) -> str:
        """The list that holds ``addresses``, or ``""`` when one matcher says them.

        ``group`` is the name that the source gave the set. Raises Unsayable above the limit
        of one list, or of all lists together.
        """
        if addresses is None or (not group and inline_addresses(addresses) is not None):
            return ""
        known = self._names.get((addresses, group))
        if known is not None:
            return known
        size = entry_count(addresses)
        if size > self.limit:
            why = f"needs {size:,} entries, above the limit of {self.limit:,}; raise it with --address-limit"
            raise Unsayable((field,), why)
        together = self.total + size
        if together > TOTAL_FACTOR * self.limit:
            why = f"all address lists together need {together:,} entries, above {TOTAL_FACTOR} times the limit"
            raise Unsayable((field,), f"{why} of {self.limit:,}; raise it with --address-limit")
        family = Family.IPV4 if addresses.width == 32 else Family.IPV6
        name = self._unique(family, _UNSAFE.sub("-", group) or _readable(addresses, size), addresses, size)
        self._names[addresses, group] = name
        return name

    def _unique(self, family: Family, wanted: str, addresses: AddressSet, size: int) -> str:
        name, number = wanted, 1
        while self._taken.get((family, name), addresses) != addresses:
            number += 1
            name = f"{wanted}-{number}"
        if (family, name) not in self._taken:
            self._taken[family, name] = addresses
            self.total += size
            table = "ip" if family is Family.IPV4 else "ipv6"
            self.sets.append(NamedSet(table, name, family, addresses))
        return name


def _readable(addresses: AddressSet, size: int) -> str:
    wildcard = addresses.as_wildcard()
    if wildcard is not None:
        value, mask = format_address(wildcard.value, wildcard.width), format_address(wildcard.mask, wildcard.width)
        return f"wild-{value}-{mask}"
    first, _ = addresses.hull()
    return f"nets-{format_address(first, addresses.width)}-{size}"
