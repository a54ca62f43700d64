"""One packet, with all that surrounds it: the plain value that witnesses are made of."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.match import Match

__all__ = ["Packet", "Path", "matches"]


class Path(Enum):
    """How the packet meets the router."""

    FORWARD = "forwarded"
    INPUT = "to the router"
    OUTPUT = "from the router"


class Packet(NamedTuple):
    """A well-formed packet and the moment at which the router sees it.

    Layer-4 fields mean something only when ``protocol`` carries them and the
    packet is not a non-initial fragment. ``ttl`` is the value on the wire.
    ``ingress`` is empty for packets from the router, ``egress`` for packets to it.
    """

    family: Family
    source: int
    destination: int
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    tcp_flags: int = 0
    icmp_type: int = 0
    icmp_code: int = 0
    traffic_class: int = 0
    ttl: int = 64
    week_minute: int = 0
    date_minute: int = 0
    noninitial: bool = False
    ingress: str = ""
    egress: str = ""
    path: Path = Path.FORWARD


def matches(match: Match, packet: Packet) -> bool:
    """Whether the packet lies in the match, field by field: the plain meaning of a Match.

    Reads a layer-4 field only under the law of carried fields, so a match
    built by ``layer4`` never sees a field that the packet lacks.
    """
    if match.family is not None and match.family != packet.family:
        return False
    if match.noninitial is not None and match.noninitial != packet.noninitial:
        return False
    for interfaces, name in ((match.ingress, packet.ingress), (match.egress, packet.egress)):
        if interfaces is not None and not interfaces.contains(name):
            return False
    for allowed, value in zip(match[1:13], packet[1:13], strict=True):
        if isinstance(allowed, AddressSet):
            if allowed.width != packet.family.width or not allowed.contains(value):
                return False
        elif isinstance(allowed, IntegerSet) and not allowed.contains(value):
            return False
    return True
