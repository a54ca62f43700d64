"""A packet inside a router: the datagram, and what the router remembers of it between its stations."""

from __future__ import annotations

from compiler.fields import ICMP, ICMPV6
from compiler.policy.packet import Path
from compiler.policy.stateful import State
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Connection
from compiler.simulator.router.ways import Way

__all__ = ["Transit"]


class Transit:
    """What Linux keeps in an sk_buff. ``mark`` and ``routing_mark`` are 0 or ``""`` for none.

    ``ingress`` and ``egress`` are names of the router's interfaces, empty where
    there is none (yet). ``way`` is the route that was found.
    """

    __slots__ = (
        "connection",
        "datagram",
        "egress",
        "ingress",
        "is_related",
        "is_reply",
        "largest_fragment",
        "mark",
        "path",
        "routing_mark",
        "skips",
        "state",
        "way",
    )

    def __init__(self, datagram: Datagram, ingress: str, path: Path) -> None:
        self.datagram = datagram
        self.ingress = ingress
        self.egress = ""
        self.path = path
        self.mark: int | str = 0
        self.routing_mark = ""
        self.connection: Connection | None = None
        self.is_reply = False
        self.is_related = False
        """An ICMP error about the connection, not a packet of it."""
        self.state: State | None = None
        self.way: Way | None = None
        self.largest_fragment = 0
        """Of the fragments that it was put together from; it leaves in no larger ones."""
        self.skips = False
        """RouterOS's fasttrack: no further chain looks at it."""

    def attach(self, about: Transit) -> None:
        """Make this answer part of the connection of ``about``, in the other direction (nf_conntrack_attach)."""
        self.connection = about.connection
        self.state = State.RELATED
        self.is_reply = not about.is_reply
        self.is_related = self.datagram.protocol in (ICMP, ICMPV6)
