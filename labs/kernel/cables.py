"""Links as cables in a room of their own: two plugs, and what comes in at one goes out at the other.

Each end of a link is a veth pair whose inner half is a plug in the room. The
plugs redirect to one another (tc-mirred(8)), with the rate and the queue (TBF
with a FIFO inside) at the way out. So a queue holds what it would hold in the
simulator, whoever sends; a cut cable takes the carrier from both ends and
leaves their routes; and a cable may be cut one way only.
"""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from labs.kernel.namespaces import Namespace
from labs.observation import LinkCount
from labs.topology import Link, LinkDirection

__all__ = ["Cable", "Plug"]

_ETHERNET = 14
_ROOT, _INGRESS = 0xFFFFFFFF, 0xFFFF0000
_BUCKET, _INSIDE, _QUEUE = 0x10000, 0x10001, 0x100000
_ALL_PROTOCOLS = 3
_ENDLESS = 1 << 20
"""Frames of a queue without a limit."""
_SLACK = 64
"""Octets on top of the largest frame: TBF rounds its burst, and drops what is larger."""
_TICK = 2000
"""Parts of a second that a timer may be late: the bucket holds what is due in that time."""


class Plug(NamedTuple):
    """Where an end of a cable goes: the node's namespace, and the interface there."""

    namespace: Namespace
    interface: str
    link_address: str


class Cable:
    """One link. The room's namespace is shared by all."""

    def __init__(self, room: Namespace, number: int, link: Link, plugs: tuple[Plug, Plug]) -> None:
        self.link = link
        self.names = (f"c{number}a", f"c{number}b")
        self._room = room
        self._routing: Any = room.routing
        self._reasons: set[str] = set()
        self._one_way: dict[int, bool] = {0: True, 1: True}
        self._figures: list[LinkDirection] = [link.up, link.down]
        self._drops = [0, 0]
        for name, plug in zip(self.names, plugs, strict=True):
            self._routing.link(
                "add",
                ifname=name,
                kind="veth",
                mtu=link.mtu,
                peer={
                    "ifname": plug.interface,
                    "net_ns_fd": plug.namespace.descriptor,
                    "address": plug.link_address,
                    "mtu": link.mtu,
                    "gso_max_segs": 1,
                },
            )
        with room.inside():
            self.indexes = [socket.if_nametoindex(name) for name in self.names]
        for way in (0, 1):
            self._connect(way)
            self._shape(way)

    # -- up and down -------------------------------------------------------------

    def plug_in(self) -> None:
        """Give both ends a carrier, unless the link is down for some reason."""
        self._carrier()

    def set_up(self, is_up: bool, *, reason: str = "link", direction: str = "both") -> None:
        """Cut it for a reason, or take the reason away. ``up`` or ``down`` cuts that way only, and keeps the carrier."""
        if direction == "both":
            if is_up:
                self._reasons.discard(reason)
                for way in (0, 1):
                    self._set_way(way, True)
            else:
                self._reasons.add(reason)
            self._carrier()
        else:
            self._set_way(0 if direction == "up" else 1, is_up)

    def change(self, up: LinkDirection | None, down: LinkDirection | None) -> None:
        """Other figures from now on."""
        for way, figures in enumerate((up, down)):
            if figures is not None:
                had_rate = self._figures[way].rate is not None
                self._figures[way] = figures
                self._shape(way, "change" if had_rate else "add")

    def _carrier(self) -> None:
        state = "down" if self._reasons else "up"
        for way, index in enumerate(self.indexes):
            if state == "down":
                self._empty(way)
            self._routing.link("set", index=index, state=state)

    def _set_way(self, way: int, is_up: bool) -> None:
        if self._one_way[way] == is_up:
            return
        self._one_way[way] = is_up
        if is_up:
            self._connect(way)
        else:
            self._routing.tc("del", "ingress", self.indexes[way])
            self._empty(way)

    def _empty(self, way: int) -> None:
        """What waits in the queue is lost."""
        if self._figures[way].rate is not None:
            self._drops[way] += self._dropped(way) + self._waiting(way)
            self._routing.tc("del", index=self.indexes[1 - way], handle=_BUCKET, parent=_ROOT)
            self._shape(way)

    # -- frames --------------------------------------------------------------------

    def _connect(self, way: int) -> None:
        """Way 0 is ``up``: in at the first plug, out at the second."""
        source, target = self.indexes[way], self.indexes[1 - way]
        action = {"kind": "mirred", "direction": "egress", "action": "redirect", "ifindex": target}
        self._routing.tc("add", "ingress", source)
        self._routing.tc(
            "add-filter",
            "u32",
            source,
            parent=_INGRESS,
            prio=1,
            protocol=_ALL_PROTOCOLS,
            target=0,
            keys=["0x0/0x0+0"],
            action=action,
        )

    def _shape(self, way: int, command: str = "add") -> None:
        """The rate and the queue at the way out."""
        index, figures = self.indexes[1 - way], self._figures[way]
        if figures.rate is None:
            if command == "change":
                self._routing.tc("del", index=index, handle=_BUCKET, parent=_ROOT)
            return
        frame = self.link.mtu + _ETHERNET
        burst = max(frame + _SLACK, figures.rate // 8 // _TICK)
        octets = figures.queue_octets
        frames = figures.queue
        by_octets = octets is not None and (frames is None or frames * frame > octets)
        limit = max(octets or 0, burst) if by_octets else min(frame * (frames or _ENDLESS) + burst, 2**31 - 1)
        rate = f"{figures.rate}bit"
        self._routing.tc(command, "tbf", index, handle=_BUCKET, rate=rate, burst=burst, limit=limit)
        if not by_octets:
            # A queue of no frames at all would let nothing pass: the one being sent waits in it too.
            size = max(1, frames) if frames is not None else _ENDLESS
            inner = "add" if command == "add" else "replace"
            self._routing.tc(inner, "pfifo", index, parent=_INSIDE, handle=_QUEUE, limit=size)

    # -- counters ------------------------------------------------------------------

    def counts(self) -> tuple[LinkCount, LinkCount]:
        """Frames and octets that went out at the far end, and what the queue dropped; ``up`` first."""
        made = []
        for way, word in enumerate(("up", "down")):
            (message,) = self._routing.link("get", index=self.indexes[1 - way])
            statistics = message.get_attr("IFLA_STATS64")
            drops = self._drops[way] + self._dropped(way)
            made.append(LinkCount(self.link.name, word, statistics["tx_packets"], statistics["tx_bytes"], drops))
        return made[0], made[1]

    def _dropped(self, way: int) -> int:
        return self._statistic(way, "drops")

    def _waiting(self, way: int) -> int:
        return self._statistic(way, "qlen")

    def _statistic(self, way: int, name: str) -> int:
        index = self.indexes[1 - way]
        for message in self._routing.get_qdiscs(index=index):
            if message["index"] == index and message["handle"] == _BUCKET:
                queue = message.get_attr("TCA_STATS2").get_attr("TCA_STATS_QUEUE")
                return int(queue[name])
        return 0
