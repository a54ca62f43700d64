"""The last steps of a packet: is it too big, which neighbour gets it, in how many pieces (net/ipv4/ip_output.c)."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.fields import Family
from compiler.policy.stateful import AddressKind
from compiler.simulator.fragments import fragment
from compiler.simulator.neighbours import Neighbours
from compiler.simulator.router.journal import Journal
from compiler.simulator.router.plausible import LIMITED_BROADCAST
from compiler.simulator.router.transit import Transit

__all__ = ["ETHERNET", "Leaving"]

ETHERNET = 1500
"""Octets of IP that an interface carries if nobody says otherwise."""


class Leaving:
    """How packets leave one router, whose ``neighbours`` and MTUs (octets of IP) are by interface."""

    def __init__(self, neighbours: Mapping[str, Neighbours], mtus: Mapping[str, int]) -> None:
        self._neighbours = neighbours
        self._mtus = mtus

    def mtu(self, interface: str) -> int:
        """The MTU of an interface, in octets of IP."""
        return self._mtus.get(interface, ETHERNET)

    def is_too_big(self, transit: Transit) -> bool:
        """Whether the packet does not fit its egress and must not be cut."""
        datagram, mtu = transit.datagram, self.mtu(transit.egress)
        if datagram.size <= mtu:
            return False
        cannot_be_cut = datagram.dont_fragment or datagram.family is Family.IPV6
        if transit.largest_fragment:
            return cannot_be_cut and transit.largest_fragment > mtu
        return cannot_be_cut

    def transmit(self, transit: Transit, journal: Journal) -> None:
        """Give the packet to the neighbour of its way, and write that down."""
        way, datagram = transit.way, transit.datagram
        assert way is not None
        neighbours = self._neighbours.get(way.interface)
        if neighbours is None:
            journal.dropped(transit, "no such interface")
            return
        if journal.tracer is not None:
            journal.noted(transit, "send", f"on {way.interface}")
        next_hop = LIMITED_BROADCAST if way.kind is AddressKind.BROADCAST else way.next_hop
        mtu = self._mtus.get(way.interface, ETHERNET)
        if transit.largest_fragment:
            mtu = min(mtu, transit.largest_fragment)
        if datagram.size <= mtu:
            neighbours.send(datagram, next_hop)
            return
        # What was put together here leaves in pieces again, whatever its sender asked for (IPSKB_FRAG_PMTU).
        keeps_whole, datagram.dont_fragment = datagram.dont_fragment, False
        for piece in fragment(datagram, mtu):
            piece.dont_fragment = keeps_whole
            neighbours.send(piece, next_hop)
