"""Addresses that cannot be: what a router drops before it looks for a way."""

from __future__ import annotations

from compiler.fields import Family
from compiler.simulator.frame import Datagram
from compiler.simulator.router.routes import Routes

__all__ = ["LIMITED_BROADCAST", "Plausibility", "is_impossible"]

LIMITED_BROADCAST = 0xFFFFFFFF
_MOST_REMEMBERED = 1 << 16


class Plausibility:
    """Looks at each pair of addresses once: the router's own addresses do not change while it lives."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._sound: set[tuple[Family, int, int]] = set()

    def refuses(self, datagram: Datagram) -> bool:
        """Whether the addresses must not come from outside: see :func:`is_impossible`."""
        ends = datagram.family, datagram.source, datagram.destination
        if ends in self._sound:
            return False
        if is_impossible(datagram, self._routes):
            return True
        if len(self._sound) >= _MOST_REMEMBERED:
            self._sound.clear()
        self._sound.add(ends)
        return False


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
