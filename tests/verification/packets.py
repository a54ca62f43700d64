"""Packets for the judge: plain values, or z3 bit-vectors for all packets at once.

Nothing here comes from ``compiler``: the judge shares no code with what it judges.
Conditions are Python booleans when they are decided and z3 expressions when they
are not, so that one reading of a configuration gives both a verdict and a formula.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

FORWARD, INPUT, OUTPUT = "forward", "input", "output"
PORTED = (6, 17, 33, 132, 136)
"""TCP, UDP, DCCP, SCTP, UDP-Lite."""

WIDTHS = {
    "protocol": 8,
    "source_port": 16,
    "destination_port": 16,
    "flags": 8,
    "icmp_type": 8,
    "icmp_code": 8,
    "traffic_class": 8,
    "ttl": 8,
}


@dataclass(frozen=True)
class Packet:
    """One packet, or, with bit-vectors as fields, all packets of a context.

    ``noninitial`` packets have no layer-4 header: their layer-4 fields are what
    one would read who takes their first bytes for a header.
    """

    family: int
    source: Any
    destination: Any
    protocol: Any
    source_port: Any = 0
    destination_port: Any = 0
    flags: Any = 0
    icmp_type: Any = 0
    icmp_code: Any = 0
    traffic_class: Any = 0
    ttl: Any = 64
    noninitial: Any = False
    ingress: str = ""
    egress: str = ""
    path: str = FORWARD

    def routed(self) -> Packet:
        """The packet with its TTL lowered by the router."""
        if isinstance(self.ttl, int):
            return replace(self, ttl=max(self.ttl - 1, 0))
        import z3

        return replace(self, ttl=z3.If(self.ttl == 0, self.ttl, self.ttl - 1))


def conj(*parts: Any) -> Any:
    """All of the conditions."""
    open_parts = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            open_parts.append(part)
    if len(open_parts) < 2:
        return open_parts[0] if open_parts else True
    import z3

    return z3.And(*open_parts)


def disj(*parts: Any) -> Any:
    """Any of the conditions."""
    return neg(conj(*(neg(part) for part in parts)))


def neg(part: Any) -> Any:
    """Not the condition."""
    if part is True or part is False:
        return not part
    import z3

    return part.arg(0) if z3.is_not(part) else z3.Not(part)


def same(field: Any, number: int) -> Any:
    """``field == number``."""
    return field == number


def masked(field: Any, value: int, compared: int) -> Any:
    """``field & compared == value``."""
    return (field & compared) == value if compared or value else True


def between(field: Any, low: int, high: int) -> Any:
    """``low <= field <= high``, unsigned."""
    if low > high:
        return False
    if isinstance(field, int):
        return low <= field <= high
    import z3

    if low == high:
        return field == low
    top = (1 << field.size()) - 1
    return conj(z3.UGE(field, low) if low else True, z3.ULE(field, high) if high < top else True)


def one_of(field: Any, numbers: Any) -> Any:
    """Whether the field is one of the numbers."""
    return disj(*(same(field, number) for number in numbers))


@lru_cache(maxsize=4)
def every_packet(family: int) -> tuple[Packet, Any]:
    """A packet of bit-vectors, and what makes it well-formed."""
    import z3

    width = 32 if family == 4 else 128
    fields = {name: z3.BitVec(f"{name}{family}", bits) for name, bits in WIDTHS.items()}
    packet = Packet(
        family,
        z3.BitVec(f"source{family}", width),
        z3.BitVec(f"destination{family}", width),
        noninitial=z3.Bool(f"noninitial{family}"),
        **fields,
    )
    ports = disj(*(packet.protocol == number for number in PORTED))
    icmp = disj(packet.protocol == 1, packet.protocol == 58)
    tcp = packet.protocol == 6
    carried = z3.And(
        z3.Or(ports, z3.And(packet.source_port == 0, packet.destination_port == 0)),
        z3.Or(icmp, z3.And(packet.icmp_type == 0, packet.icmp_code == 0)),
        z3.Or(tcp, packet.flags == 0),
    )
    return packet, carried
