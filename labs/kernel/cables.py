"""Links as cables in a room of their own: two plugs, and what comes in at one goes out at the other.

Each end of a link is a veth pair whose inner half is a plug in the room. The
plugs redirect to one another (tc-mirred(8)), with the rate and the queue (TBF
with a FIFO inside) at the way out. So a queue holds what it would hold in the
simulator, whoever sends; a cut cable takes the carrier from both ends and
leaves their routes; and a cable may be cut one way only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from labs.kernel.namespaces import Namespace
from labs.kernel.netlink import Routing
from labs.observation import LinkCount
from labs.topology import Link, LinkDirection

__all__ = ["Cable", "Plug", "link_counts"]

_ETHERNET = 14
_FIRST_NUMBER = 1_000_000
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
    """One link. The room's namespace is shared by all; ``program`` (a descriptor) sees each frame that comes in."""

    def __init__(
        self, room: Namespace, number: int, link: Link, plugs: tuple[Plug, Plug], program: int | None = None
    ) -> None:
        self.link = link
        self.names = (f"c{number}a", f"c{number}b")
        self._routing = room.routing
        self._program = program
        self._reasons: set[str] = set()
        self._one_way: dict[int, bool] = {0: True, 1: True}
        self._figures: list[LinkDirection] = [link.up, link.down]
        self._drops = [0, 0]
        # Where both halves have one number the kernel is slow to tell of a lost carrier (linkwatch_urgent_event).
        self.indexes = [_FIRST_NUMBER + 2 * number, _FIRST_NUMBER + 2 * number + 1]
        for name, index, plug in zip(self.names, self.indexes, plugs, strict=True):
            self._routing.link(
                "add",
                index=index,
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
        for way in (0, 1):
            self._connect(way)
            self._shape(way)

    # -- up and down -------------------------------------------------------------

    @property
    def is_cut(self) -> bool:
        """Whether its ends have no carrier."""
        return bool(self._reasons)

    def plug_in(self) -> None:
        """Give both ends a carrier, unless the link is down for some reason."""
        self._carrier()

    def set_up(self, is_up: bool, *, reason: str = "link", direction: str = "both") -> None:
        """Cut it for a reason, or take the reason away. ``up`` or ``down``: that way only, and the carrier stays."""
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
            self._drops[way] += self._lost(way)
            self._routing.tc("del", index=self.indexes[1 - way], handle=_BUCKET, parent=_ROOT)
            self._shape(way)

    # -- frames --------------------------------------------------------------------

    def _connect(self, way: int) -> None:
        """Way 0 is ``up``: in at the first plug, out at the second."""
        source, target = self.indexes[way], self.indexes[1 - way]
        action = {"kind": "mirred", "direction": "egress", "action": "redirect", "ifindex": target}
        self._routing.tc("add", "ingress", source)
        if self._program is not None:
            words = {"fd": self._program, "name": "forget-hash", "classid": 1}
            self._routing.tc("add-filter", "bpf", source, parent=_INGRESS, prio=1, protocol=_ALL_PROTOCOLS, **words)
        self._routing.tc(
            "add-filter",
            "u32",
            source,
            parent=_INGRESS,
            prio=2,
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

    def counts(self, sent: Mapping[int, tuple[int, int]], dropped: Mapping[int, int]) -> tuple[LinkCount, LinkCount]:
        """What :func:`link_counts` says of this cable; ``up`` first."""
        made = []
        for way, word in enumerate(("up", "down")):
            index = self.indexes[1 - way]
            made.append(LinkCount(self.link.name, word, *sent[index], self._drops[way] + dropped.get(index, 0)))
        return made[0], made[1]

    def _lost(self, way: int) -> int:
        """Frames that the queue has dropped, and those that wait in it."""
        index = self.indexes[1 - way]
        queues = dict(_queues(self._routing, index))
        return sum(queues.get(index, (0, 0)))


def link_counts(room: Namespace, cables: Iterable[Cable]) -> tuple[LinkCount, ...]:
    """Frames and octets that went out at each cable's ends, and what the queues dropped: all asked for at once."""
    sent = {}
    for message in room.routing.get_links():
        statistics = message.get_attr("IFLA_STATS64")
        sent[message["index"]] = (statistics["tx_packets"], statistics["tx_bytes"])
    dropped = {index: drops for index, (drops, _) in _queues(room.routing)}
    return tuple(count for cable in cables for count in cable.counts(sent, dropped))


def _queues(routing: Routing, index: int | None = None) -> Iterator[tuple[int, tuple[int, int]]]:
    """Number of each interface with a bucket, and how many frames its queue dropped and holds."""
    for message in routing.get_qdiscs(index=index):
        if message["handle"] == _BUCKET:
            queue = message.get_attr("TCA_STATS2").get_attr("TCA_STATS_QUEUE")
            yield message["index"], (queue["drops"], queue["qlen"])
