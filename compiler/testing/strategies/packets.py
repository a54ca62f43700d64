"""Packets of a tiny alphabet, and packets at the corners of rules.

``packets_near`` draws the INDEX of a rule, then a corner of it: all fields that
it asks for at their first values, or at their last, or one of them at another
border or just beyond. Fields that it leaves free take a plain value, or one
that another rule names. Nothing is computed from what was drawn, so a packet
shrinks to the plainest one at the first rule that shows the fault.
"""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from compiler.fields import ICMP, ICMP_PROTOCOLS, ICMPV6, PORT_PROTOCOLS, TCP, UDP, Family
from compiler.policy.packet import Packet, Path
from compiler.policy.packet_text import format_packet
from compiler.testing.strategies.corners import Described, Near, RuleCorners, near

__all__ = ["DrawnPacket", "packets", "packets_near"]

T = TypeVar("T")

_SOURCES = {
    Family.IPV4: (0xC0000201, 0x0A000002, 0xAC100604),
    Family.IPV6: (0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 2, 1 << 127),
}
_DESTINATIONS = {
    Family.IPV4: (0xC6336401, 0x0A000002, 0xAC100604),
    Family.IPV6: (0x20010DB8 << 96 | 2, 0x20010DB8 << 96 | 1, 1 << 127),
}
"""192.0.2.1 and 198.51.100.1 (RFC 5737), 2001:db8::1 and ::2 (RFC 3849), then some that drawn policies name."""

_PLAIN_OF: dict[Family, dict[str, tuple[int, ...]]] = {
    family: {
        "ttl": (64,),
        "traffic_class": (0,),
        "icmp_code": (0,),
        "tcp_flags": (0x02, 0x10, 0x04, 0x12),
        "icmp_type": (8, 0, 3) if family is Family.IPV4 else (128, 129, 135),
        "source_port": (1025, 53),
        "destination_port": (80, 443, 21, 53),
        "destination": _DESTINATIONS[family],
        "source": _SOURCES[family],
        "protocol": (TCP, UDP, ICMP) if family is Family.IPV4 else (TCP, UDP, ICMPV6),
    }
    for family in Family
}
"""What nobody wonders about stands first: the first segment of a connection to a web server.

The fields are in the order of the draws: what is drawn last gives way last when Hypothesis shrinks.
"""

_WHERE = st.sampled_from(("first", "last", "elsewhere", "elsewhere"))
"""A rule has one first and one last corner, and many others."""
_LATER = st.sampled_from((False, False, True))
_SHORT = 4
_PLAIN_TIMES = 4


class DrawnPacket(Packet):
    """A packet that reads as ``gerbang trace`` takes it, where Hypothesis tells what failed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"packet {format_packet(self)!r}"


def packets(family: Family = Family.IPV4) -> st.SearchStrategy[Packet]:
    """Packets over the alphabet of :func:`policies`; the simplest opens a connection to a web server."""
    return _packets(Near((RuleCorners({}, {}, ()),), {}, ("",), ("",), (Path.FORWARD,)), family)


def packets_near(*about: Described, family: Family = Family.IPV4) -> st.SearchStrategy[Packet]:
    """Packets at the corners of what is given: policies, trees, single matches, or the headers that a property names.

    Packets come in and go out by each interface that has a list or is named,
    and cross the hooks that have chains; where a policy asks about one list
    alone they name no interface. UsageError when nothing is of the family.
    """
    return _packets(near(about, family), family)


@st.composite
def _packets(draw: st.DrawFn, found: Near, family: Family) -> Packet:
    # The bound of a short list does not follow its length: so a rule before the guilty one can go when it shrinks.
    last = len(found.rules) - 1
    rule = found.rules[min(draw(st.integers(0, max(last, _SHORT))), last)]
    where = draw(_WHERE)
    which = draw(st.integers(0, max(len(rule.others) - 1, 0)))
    fields = dict(
        rule.first if where == "first" or not rule.others else rule.last if where == "last" else rule.others[which]
    )
    noninitial = draw(_LATER)
    path, egress, ingress = _one(draw, found.paths), _one(draw, found.egresses), _one(draw, found.ingresses)
    for name, plain in _PLAIN_OF[family].items():
        # Drawn even where the rule has said it, so that the draws stay in step when the rule changes.
        fields.setdefault(name, _one(draw, _weighted(plain, found.named.get(name, ()))))
    protocol = fields["protocol"]
    if noninitial or not PORT_PROTOCOLS.contains(protocol):
        fields["source_port"] = fields["destination_port"] = 0
    if noninitial or protocol != TCP:
        fields["tcp_flags"] = 0
    if noninitial or not ICMP_PROTOCOLS.contains(protocol):
        fields["icmp_type"] = fields["icmp_code"] = 0
    return DrawnPacket(
        family,
        **fields,
        noninitial=noninitial,
        ingress="" if path is Path.OUTPUT else ingress,
        egress="" if path is Path.INPUT else egress,
        path=path,
    )


def _one(draw: st.DrawFn, among: tuple[T, ...]) -> T:
    """One of them; where there is no choice Hypothesis has none to shrink."""
    return draw(st.sampled_from(among)) if len(among) > 1 else among[0]


def _weighted(plain: tuple[int, ...], named: tuple[int, ...]) -> tuple[int, ...]:
    """The plain value about half the time, else another that is plain too or that a rule names."""
    others = tuple(dict.fromkeys((*plain[1:], *named)))
    return plain[:1] * _PLAIN_TIMES + others if others else plain[:1]
