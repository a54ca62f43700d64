"""Addresses that cannot be: what a router drops before it looks for a way."""

from __future__ import annotations

from compiler.fields import Family
from compiler.simulator.frame import Datagram
from compiler.simulator.router.routes import Routes

__all__ = ["LIMITED_BROADCAST", "is_impossible"]

LIMITED_BROADCAST = 0xFFFFFFFF


def is_impossible(datagram: Datagram, routes: Routes) -> bool:
    """Whether the addresses must not come from outside (Linux's martians).

    net/ipv4/route.c, ip_route_input_slow; net/ipv6/ip6_input.c.
    """
    source, destination = datagram.source, datagram.destination
    if datagram.family is Family.IPV4:
        if source >> 24 in (0, 127) or source >> 28 == 0xE or source == LIMITED_BROADCAST:
            return not (source == 0 and destination == LIMITED_BROADCAST)
        if destination >> 24 in (0, 127):
            return True
        return routes.is_local(datagram.family, source)
    return source == 1 or destination == 1 or source >> 120 == 0xFF
