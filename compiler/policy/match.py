"""What one rule looks at: a product of sets, one for each field."""

from __future__ import annotations

from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.fields import ICMP_PROTOCOLS, PORT_PROTOCOLS, TCP_ONLY, Family
from compiler.integers import IntegerSet

__all__ = ["ANY", "LAYER4", "InterfaceSet", "Match", "intersect", "layer4", "without_layer4"]


class InterfaceSet(NamedTuple):
    """Interfaces by name; a name that ends in ``*`` stands for all names that begin so.

    With ``negated`` the set is every interface but these.
    """

    names: frozenset[str]
    negated: bool = False

    @classmethod
    def only(cls, *names: str) -> InterfaceSet:
        """Just these."""
        return cls(frozenset(names))

    def contains(self, name: str) -> bool:
        """Whether an interface called ``name`` is a member."""
        named = name in self.names or any(
            pattern.endswith("*") and name.startswith(pattern[:-1]) for pattern in self.names
        )
        return named != self.negated


class Match(NamedTuple):
    """Packets whose every field lies in the given set; None leaves a field free.

    The law of carried fields: a Match that constrains a layer-4 field also
    constrains ``protocol`` to protocols that carry it, and ``noninitial`` to
    False. Build such matches with :func:`layer4`, which sees to both.

    ``ingress`` and ``egress`` are the interfaces; ``noninitial`` asks whether
    the packet is a fragment other than the first.
    """

    family: Family | None = None
    source: AddressSet | None = None
    destination: AddressSet | None = None
    protocol: IntegerSet | None = None
    source_port: IntegerSet | None = None
    destination_port: IntegerSet | None = None
    tcp_flags: IntegerSet | None = None
    icmp_type: IntegerSet | None = None
    icmp_code: IntegerSet | None = None
    traffic_class: IntegerSet | None = None
    ttl: IntegerSet | None = None
    week_minute: IntegerSet | None = None
    date_minute: IntegerSet | None = None
    noninitial: bool | None = None
    ingress: InterfaceSet | None = None
    egress: InterfaceSet | None = None

    @property
    def looks_at_layer4(self) -> bool:
        """Whether a layer-4 field is constrained."""
        return self[4:9] != (None, None, None, None, None)


ANY = Match()

LAYER4: dict[str, IntegerSet] = {
    "source_port": PORT_PROTOCOLS,
    "destination_port": PORT_PROTOCOLS,
    "tcp_flags": TCP_ONLY,
    "icmp_type": ICMP_PROTOCOLS,
    "icmp_code": ICMP_PROTOCOLS,
}
"""The layer-4 fields and the protocols that carry each."""


def layer4(match: Match) -> Match:
    """The same match under the law of carried fields: protocol narrowed, fragments out."""
    if not match.looks_at_layer4:
        return match
    protocol = match.protocol
    for name, carriers in LAYER4.items():
        if getattr(match, name) is not None:
            protocol = carriers if protocol is None else protocol.intersection(carriers)
    return match._replace(protocol=protocol, noninitial=False)


def without_layer4(match: Match) -> Match:
    """The layer-3 part: addresses, protocol, traffic class, TTL; any fragment."""
    return match._replace(
        source_port=None,
        destination_port=None,
        tcp_flags=None,
        icmp_type=None,
        icmp_code=None,
        noninitial=None,
    )


def intersect(left: Match, right: Match) -> Match | None:
    """Packets in both, or None when a field shows that there are none.

    ValueError for interfaces like ``ppp*`` but not ``ppp0``, which no InterfaceSet holds.
    """
    parts: list[object] = []
    for name, mine, theirs in zip(Match._fields, left, right, strict=True):
        if mine is None or theirs is None or mine == theirs:
            parts.append(theirs if mine is None else mine)
        elif isinstance(mine, InterfaceSet) and isinstance(theirs, InterfaceSet):
            both_names = _intersect_interfaces(mine, theirs)
            if both_names is None:
                return None
            parts.append(both_names)
        elif isinstance(mine, IntegerSet) and isinstance(theirs, IntegerSet):
            both = mine.intersection(theirs)
            if not both.intervals:
                return None
            parts.append(both)
        elif isinstance(mine, AddressSet) and isinstance(theirs, AddressSet) and mine.width == theirs.width:
            addresses = mine.intersection(theirs)
            if addresses.is_empty:
                return None
            parts.append(addresses)
        else:  # two families, two widths, or initial against non-initial
            return None
        del name
    return Match(*parts)  # type: ignore[arg-type]


def _intersect_interfaces(left: InterfaceSet, right: InterfaceSet) -> InterfaceSet | None:
    if left.negated and right.negated:
        return InterfaceSet(left.names | right.names, True)
    if left.negated:
        left, right = right, left
    if right.negated:
        names = frozenset(name for name in left.names if right.contains(name))
        if any(_within(other, name) for name in names for other in right.names):
            raise ValueError("a pattern of names without some of them is no set of names and patterns")
    else:
        names = frozenset(
            name
            for mine in left.names
            for theirs in right.names
            for name, other in ((mine, theirs), (theirs, mine))
            if name == other or _within(name, other)
        )
    return InterfaceSet(names) if names else None


def _within(name: str, pattern: str) -> bool:
    """Whether every interface that ``name`` stands for is one that ``pattern`` stands for."""
    return pattern.endswith("*") and name.startswith(pattern[:-1])
