"""Where a list is placed on a target: binding and direction -> table, chain, hook.

=========  =========  =========  ==========================  ==================  ========  =========
target     placement  direction  chain                       packets             address   TTL seen
=========  =========  =========  ==========================  ==================  ========  =========
nftables   early      in         prerouting, priority -450   forwarded, to us    pre-NAT   wire
nftables   filter     in         forward and input           forwarded, to us    post-DNAT forward -1
nftables   either     out        forward, priority 0         forwarded           pre-SNAT  forward -1
nftables   with NAT   out        postrouting, priority 150   forwarded           post-SNAT forward -1
routeros   early      in         raw prerouting              forwarded, to us    pre-NAT   wire
routeros   filter     in         filter forward and input    forwarded, to us    post-DNAT forward -1
routeros   either     out        filter forward              forwarded           pre-SNAT  forward -1
=========  =========  =========  ==========================  ==================  ========  =========

IOS itself: in-lists see forwarded packets and packets to the router, before
NAT; out-lists see forwarded packets after NAT, and never the router's own.
RouterOS has no filter after source NAT, so it has no place for out-lists then.
The router's own packets come to postrouting too, without a way in; IOS never
shows them to a list, so the calls there ask for one. The early places run
before defragmentation (Linux -400; RouterOS raw).
"""

from __future__ import annotations

from typing import NamedTuple

from compiler.fields import Family
from compiler.lowering.options import Placement
from compiler.policy.access_list import Direction
from compiler.policy.ruleset import Hook

__all__ = ["Place", "places", "table"]


class Place(NamedTuple):
    """One base chain that a bound list is called from."""

    group: str
    """The table's own part: ``raw`` or ``filter`` on RouterOS, nothing on nftables."""
    chain: str
    hook: Hook
    priority: int
    before_defragmentation: bool
    wire_ttl: bool
    sees_ios_addresses: bool
    """Whether the addresses are those that an IOS list sees, also where addresses are translated."""


_NFT_EARLY = Place("", "early", Hook.PREROUTING, -450, True, True, True)
_NFT_FORWARD = Place("", "forward", Hook.FORWARD, 0, False, False, False)
_NFT_INPUT = Place("", "input", Hook.INPUT, 0, False, True, False)
_NFT_POSTROUTING = Place("", "postrouting", Hook.POSTROUTING, 150, False, False, True)
_RAW = Place("raw", "prerouting", Hook.PREROUTING, -300, True, True, True)
_FORWARD = Place("filter", "forward", Hook.FORWARD, 0, False, False, False)
_INPUT = Place("filter", "input", Hook.INPUT, 0, False, True, False)

_PLACES: dict[tuple[str, Direction, Placement], tuple[Place, ...]] = {
    ("nftables", Direction.IN, Placement.EARLY): (_NFT_EARLY,),
    ("nftables", Direction.IN, Placement.FILTER): (_NFT_FORWARD, _NFT_INPUT),
    ("nftables", Direction.OUT, Placement.EARLY): (_NFT_FORWARD,),
    ("nftables", Direction.OUT, Placement.FILTER): (_NFT_FORWARD,),
    ("routeros", Direction.IN, Placement.EARLY): (_RAW,),
    ("routeros", Direction.IN, Placement.FILTER): (_FORWARD, _INPUT),
    ("routeros", Direction.OUT, Placement.EARLY): (_FORWARD,),
    ("routeros", Direction.OUT, Placement.FILTER): (_FORWARD,),
}


def places(target: str, direction: Direction, placement: Placement, *, translated: bool = False) -> tuple[Place, ...]:
    """The base chains that call a list bound in that direction.

    ``translated`` says that the source translates addresses: its out-lists see
    the translated ones, as only a chain after source NAT does.
    """
    if translated and (target, direction) == ("nftables", Direction.OUT):
        return (_NFT_POSTROUTING,)
    return _PLACES[(target, direction, placement)]


def table(target: str, family: Family, group: str) -> str:
    """The table's name: ``ip gerbang`` on nftables, ``ip raw`` or ``ipv6 filter`` on RouterOS."""
    if target == "nftables":
        return "ip gerbang" if family is Family.IPV4 else "ip6 gerbang"
    return f"{'ip' if family is Family.IPV4 else 'ipv6'} {group}"
