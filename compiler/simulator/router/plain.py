"""The plain way through a router: nothing to ask, the neighbour known.

Kept to the least that is right. What is unusual goes the slow way, which
remembers destinations here once it has looked at everything.
"""

from __future__ import annotations

from collections.abc import Callable

from compiler.fields import Family
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.link import Direction
from compiler.simulator.node import Port

__all__ = ["PlainWays"]

_MOST_REMEMBERED = 1 << 16


class PlainWays:
    """What one router knows of destinations that need no second look. IPv4 only."""

    def __init__(self) -> None:
        self._ways: dict[int, tuple[int, int, int, Direction]] = {}
        """By destination: MTU, the neighbour's link address, our own, and the wire."""
        self._sound_sources: set[int] = set()

    def clear(self) -> None:
        """Something changed: look at everything again."""
        self._ways.clear()

    def remember(self, datagram: Datagram, mtu: int, neighbour: int, port: Port) -> None:
        """Let the next datagram to this destination go the plain way, out of ``port`` to a link address.

        Its source was looked at on the slow way: it is not impossible (:func:`is_impossible`).
        """
        if port.direction is None:
            return
        if len(self._sound_sources) >= _MOST_REMEMBERED:
            self._sound_sources.clear()
        self._sound_sources.add(datagram.source)
        self._ways[datagram.destination] = (mtu, neighbour, port.link_address, port.direction)

    def receiver(self, port: Port) -> Callable[[Frame], None]:
        """What a port does with a frame: forward it, or have it received as before."""
        ways, own, slow, ipv4, sound = self._ways, port.link_address, port.receive, Family.IPV4, self._sound_sources

        def receive(frame: Frame) -> None:
            if frame.link_destination == own and type(frame) is Datagram and frame.family is ipv4:
                way = ways.get(frame.destination)
                if way is not None and frame.ttl > 1 and frame.size <= way[0] and frame.source in sound:
                    frame.ttl -= 1
                    frame.link_destination = way[1]
                    frame.link_source = way[2]
                    way[3].send(frame)
                    return
            slow(frame)

        return receive
