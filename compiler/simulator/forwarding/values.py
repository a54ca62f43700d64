"""What goes into the compiled path and what comes out: nodes, links, flows, traffic, arrivals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.simulator.forwarding import loop
from compiler.simulator.link import Wire

__all__ = [
    "Arrivals",
    "Flow",
    "ForwardingLink",
    "ForwardingNode",
    "Hop",
    "LinkCounts",
    "NodeKind",
    "Outcome",
    "Traffic",
]

Integers = NDArray[np.integer[Any]]


class NodeKind(IntEnum):
    """What a node does with a packet that is not for it."""

    HOST = loop.HOST
    """Drops it; its next hops are for what it sends itself."""
    ROUTER = loop.ROUTER
    """Takes one from its TTL and passes it on by its destination."""
    SWITCH = loop.SWITCH
    """Passes it on by the neighbour that the last router or host meant; the TTL stays."""


class Outcome(IntEnum):
    """How a packet ended."""

    DELIVERED = loop.DELIVERED
    QUEUE_FULL = loop.DROPPED_QUEUE
    LOST_ON_THE_LINK = loop.DROPPED_LOSS
    NO_ROUTE = loop.DROPPED_NO_ROUTE
    TTL_EXCEEDED = loop.DROPPED_TTL


class ForwardingNode(NamedTuple):
    """A node."""

    name: str
    kind: NodeKind = NodeKind.ROUTER


@dataclass(frozen=True, slots=True)
class ForwardingLink:
    """One direction of a link, from node to node.

    ``seed`` is that of the generator of its losses: the whole string that
    ``Link`` makes (``seed/name/forward``). ``mtu`` is that of the interface it
    leaves by, in octets of IP; None at a switch, which has none.
    """

    name: str
    source: str
    target: str
    wire: Wire
    seed: str = ""
    mtu: int | None = None


class Hop(NamedTuple):
    """Where a router or host sends packets: by which link, and, with switches on the way, to which neighbour."""

    link: str
    neighbour: str = ""


class Flow(NamedTuple):
    """Packets from a node to a destination."""

    source: str
    destination: str
    ttl: int = 64


class Traffic:
    """Open-loop traffic: the ``n``-th packet is sent at ``moments[n]`` (ns), has ``octets[n]`` (IP), belongs to
    ``flows[flow_of[n]]``.

    Moments never decrease; packets of one moment are sent in their order, and
    before what arrives at that moment: they were asked for earlier.
    """

    __slots__ = ("flow_of", "flows", "moments", "octets")

    def __init__(
        self,
        moments: Integers,
        octets: Integers | int,
        flows: tuple[Flow, ...] | list[Flow],
        flow_of: Integers | int = 0,
    ) -> None:
        """Raises ValueError for columns of different lengths, moments out of order, sizes and flows out of range."""
        self.flows = tuple(flows)
        self.moments = np.require(moments, np.int64, ["C", "A", "W"])
        shape = self.moments.shape
        self.octets = np.require(np.broadcast_to(octets, shape), np.int32, ["C", "A", "W"])
        self.flow_of = np.require(np.broadcast_to(flow_of, shape), np.int32, ["C", "A", "W"])
        if len(shape) != 1:
            raise ValueError(f"moments of {len(shape)} dimensions: 1 expected")
        if not len(self.moments):
            return
        if self.moments[0] < 0 or self.moments[-1] >= loop.LATEST or bool((np.diff(self.moments) < 0).any()):
            raise ValueError(f"moments from 0 to {loop.LATEST} ns in order of time expected")
        if self.octets.min() < 1 or self.octets.max() > 65_575:
            raise ValueError("packets of 1 to 65575 octets expected")
        if self.flow_of.min() < 0 or self.flow_of.max() >= len(self.flows):
            raise ValueError(f"a packet of a flow that is not among the {len(self.flows)}")

    def __len__(self) -> int:
        return len(self.moments)


class LinkCounts(NamedTuple):
    """What :class:`compiler.simulator.link.Direction` counts."""

    frames: int
    octets: int
    drops_queue: int
    drops_loss: int


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """What became of each packet, in the order of the traffic.

    ``ended`` is the moment of its arrival or of its drop (for losses on a link,
    as in the engine, that at which it was handed to the link). ``drop_link``
    is the index of the link whose queue or loss took it, or by which it had
    come where a node dropped it; -1 where there is none. ``hops`` are links
    crossed. ``order`` are the packets in the order in which they ended.
    """

    ended: NDArray[np.int64]
    outcome: NDArray[np.int8]
    drop_link: NDArray[np.int32]
    hops: NDArray[np.int32]
    order: NDArray[np.int64]
    links: dict[str, LinkCounts]
    events: int
    """Sends and arrivals that the loop worked through."""
    most_under_way: int
    """The most packets that were in queues and on wires at once."""

    @property
    def time(self) -> NDArray[np.int64]:
        """When each packet arrived, -1 for those that did not."""
        return np.where(self.outcome == Outcome.DELIVERED, self.ended, -1)

    @property
    def packet_hops(self) -> int:
        """Links crossed by all packets."""
        return int(self.hops.sum())

    @property
    def errors_due(self) -> int:
        """Packets for which routers would have sent ICMP errors. They are not simulated: where this is not 0, the
        engine's network carries more traffic than this one."""
        return int(((self.outcome == Outcome.NO_ROUTE) | (self.outcome == Outcome.TTL_EXCEEDED)).sum())
