"""Sets of packets as people name them: ``packets(source="10.0.0.0/8", service="tcp/80") - packets(…)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from compiler.analysis.traffic.constraints import Constraints, constraints
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.match import ANY, Match
from compiler.testing.answer import hides

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.symbolic.space import PacketSpace

__all__ = ["Headers", "packets"]


__tracebackhide__ = hides


class _Part(NamedTuple):
    """Packets of one match, in the words that they were asked for with."""

    match: Match
    words: str


@dataclass(frozen=True, slots=True)
class Headers:
    """A set of packets: the union of some parts without others. Combine with ``|``, ``-``."""

    parts: tuple[_Part, ...]
    without: tuple[_Part, ...] = ()

    def __or__(self, other: Headers) -> Headers:
        if self.without or other.without:
            raise UsageError("join sets first, then take packets away: (a | b) - c")
        return Headers(self.parts + other.parts)

    def __sub__(self, other: Headers) -> Headers:
        if other.without:
            raise UsageError("what is taken away must be whole: a - b - c")
        return Headers(self.parts, self.without + other.parts)

    def __str__(self) -> str:
        joined = " or ".join(part.words for part in self.parts)
        return joined + "".join(f" but not {part.words}" for part in self.without)

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of which the set may have packets."""
        named = {part.match.family for part in self.parts}
        return tuple(Family) if None in named else tuple(one for one in Family if one in named)

    @property
    def looks_at_layer4(self) -> bool:
        """Whether any part asks for ports, flags or messages, which only first fragments have."""
        return any(part.match.looks_at_layer4 for part in (*self.parts, *self.without))

    def encode(self, space: PacketSpace) -> BDDFunction:
        """The packets of the set that are of the space's family."""
        found = space.empty
        for part in self.parts:
            found = found | self._one(part.match, space)
        for part in self.without:
            found = found & ~self._one(part.match, space)
        return found & space.possible

    @staticmethod
    def _one(match: Match, space: PacketSpace) -> BDDFunction:
        if match.family not in (None, space.family):
            return space.empty
        return space.encode(match._replace(family=None, noninitial=None))


def packets(
    source: str = "",
    destination: str = "",
    service: str = "",
    *,
    protocol: str = "",
    source_port: str = "",
    destination_port: str = "",
    icmp: str = "",
) -> Headers:
    """The packets that the words describe; an empty word leaves its field free.

    Addresses are ``10.0.0.1``, ``10.0.0.0/8``, ``A-B``, ``ADDRESS WILDCARD``, or
    several with commas. ``service`` is short for protocol and destination port
    or message: ``tcp/21``, ``udp/53``, ``tcp/80,443``, ``icmp/echo``, ``tcp``.
    Raises UsageError for words that are not understood or contradict one another.
    """
    if service:
        name, _, what = service.partition("/")
        if protocol or (what and (destination_port or icmp)):
            raise UsageError(f"service {service!r} says already what protocol, port or message would say")
        protocol = name
        if name in ("icmp", "icmp6", "icmpv6"):
            icmp = icmp or what
        else:
            destination_port = destination_port or what
    words = Constraints(source, destination, protocol, source_port, destination_port, icmp)
    match = constraints(words)
    return Headers((_Part(match, _said(words, match)),))


def _said(words: Constraints, match: Match) -> str:
    if match == ANY:
        return "any packet"
    what = words.protocol or "packets"
    if words.icmp:
        what = f"icmp {words.icmp}"
    if words.destination_port:
        what = f"{words.protocol or 'port'}/{words.destination_port}"
    ports = f" from port {words.source_port}" if words.source_port else ""
    source = f" from {words.source}" if words.source else ""
    destination = f" to {words.destination}" if words.destination else ""
    return f"{what}{source}{ports}{destination}"
