"""Sets of packets as people name them: ``packets(source="10.0.0.0/8", service="tcp/80") - packets(…)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from compiler.analysis.traffic.constraints import Constraints, constraints
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.match import ANY, Match
from compiler.testing.answer import hides

if TYPE_CHECKING:
    from oxidd.bdd import BDDFunction

    from compiler.symbolic.space import PacketSpace

__all__ = ["Headers", "PacketWords", "packets"]


__tracebackhide__ = hides


_OPENING = "syn,!ack,!rst"
"""What begins a TCP connection, and nothing that IOS calls established (ACK or RST)."""


class _Part(NamedTuple):
    """Packets of one match, in the words that they were asked for with."""

    match: Match
    words: str


class PacketWords(TypedDict, total=False):
    """What :func:`packets` takes by name beside addresses and service."""

    protocol: str
    source_port: str
    destination_port: str
    icmp: str
    flags: str
    opening: bool


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
    def halves(self) -> tuple[bool, ...]:
        """Of whole packets (False) and later fragments (True) those that the set may have.

        Later fragments have no ports, flags or messages. A part that asks for
        some has no such packet, and takes none away.
        """
        return (False,) if all(part.match.looks_at_layer4 for part in self.parts) else (False, True)

    def encode(self, space: PacketSpace, *, noninitial: bool = False) -> BDDFunction:
        """The packets of the set that are of the space's family: whole ones and first fragments, or later ones."""
        found = space.empty
        for part in self.parts:
            found = found | self._one(part.match, space, noninitial)
        for part in self.without:
            found = found & ~self._one(part.match, space, noninitial)
        return found & space.possible

    @staticmethod
    def _one(match: Match, space: PacketSpace, noninitial: bool) -> BDDFunction:
        if match.family not in (None, space.family) or (noninitial and match.looks_at_layer4):
            return space.empty
        return space.encode(match._replace(family=None, noninitial=None))


def packets(  # noqa: PLR0913
    source: str = "",
    destination: str = "",
    service: str = "",
    *,
    protocol: str = "",
    source_port: str = "",
    destination_port: str = "",
    icmp: str = "",
    flags: str = "",
    opening: bool = False,
) -> Headers:
    """The packets that the words describe; an empty word leaves its field free.

    Addresses are ``10.0.0.1``, ``10.0.0.0/8``, ``A-B``, ``ADDRESS WILDCARD``, or
    several with commas. ``service`` is short for protocol and destination port
    or message: ``tcp/21``, ``udp/53``, ``tcp/80,443``, ``icmp/echo``, ``tcp``.
    Names of ports are those of IOS, then those of ``/etc/services``.
    ``flags="syn,!ack"`` asks that TCP flags be set and clear. ``opening`` asks
    for first packets of TCP connections: SYN without ACK and RST (RFC 9293,
    3.10.7.2). A service says the same: ``tcp/22 opening``, ``tcp flags=syn``.
    Raises UsageError for words that are not understood or contradict one another.
    """
    service, said_flags, said_opening = _with_flags(service)
    if (flags or opening) and (said_flags or said_opening):
        raise UsageError("the service says already which TCP flags")
    flags, opening = flags or said_flags, opening or said_opening
    if flags and opening:
        raise UsageError("opening says already which TCP flags: syn,!ack,!rst")
    if service:
        name, _, what = service.partition("/")
        if protocol or (what and (destination_port or icmp)):
            raise UsageError(f"service {service!r} says already what protocol, port or message would say")
        protocol = name
        if name in ("icmp", "icmp6", "icmpv6"):
            icmp = icmp or what
        else:
            destination_port = destination_port or what
    if opening or flags:
        protocol = protocol or "tcp"
    words = Constraints(
        source, destination, protocol, source_port, destination_port, icmp, _OPENING if opening else flags
    )
    match = constraints(words)
    return Headers((_Part(match, _said(words, match)),))


def _with_flags(service: str) -> tuple[str, str, bool]:
    """A service, the flags that are said after it, and whether it says ``opening``."""
    rest, flags, opening = [], "", False
    for word in service.split():
        if word == "opening":
            opening = True
        elif word.startswith("flags="):
            flags = word.removeprefix("flags=")
            if not flags:
                raise UsageError(f"service {service!r}: expected names of TCP flags after flags=")
        else:
            rest.append(word)
    return (" ".join(rest) if flags or opening else service), flags, opening


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
    flags = " that open" if words.flags == _OPENING else f" with flags {words.flags}" if words.flags else ""
    return f"{what}{source}{ports}{destination}{flags}"
