"""Crafted packets of a lab's traffic, as datagrams; and how the world is asked what became of them.

Every packet carries its number in the IPv4 identification, so that both
worlds know it again behind routers and inside ICMP errors. IPv6 has no such
field but in fragments: there the number is the flow label, which the
simulator keeps in the datagram's own number.
"""

from __future__ import annotations

from compiler.simulator.crafting import datagram_of

__all__ = ["datagram_of"]
