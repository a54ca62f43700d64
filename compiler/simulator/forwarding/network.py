"""A network of FIFO links and static next hops, and its run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.simulator.forwarding import loop
from compiler.simulator.forwarding.compiling import compiled_forward
from compiler.simulator.forwarding.values import (
    Arrivals,
    ForwardingLink,
    ForwardingNode,
    Hop,
    LinkCounts,
    NodeKind,
    Traffic,
)
from compiler.simulator.machine_code import has_numba

__all__ = ["ForwardingNetwork"]

_UNLIMITED = 1 << 60
_FIRST_SLOTS = 1024


class ForwardingNetwork:
    """Nodes, links and next hops.

    ``next_hops`` says for a host or router and a destination where packets go;
    ``switching`` for a switch and a neighbour by which link. A destination is
    the name of a node, or one of ``addresses``, which gives the node that has
    it, or ``unowned``: nobody's. Every run begins with empty links and gives the same for the same traffic.

    It gives what the engine gives with the same links, packet for packet,
    because it keeps the engine's rule: events of one moment happen in the order
    in which they were asked for. A frame is asked for when it is sent; the
    traffic was, before the run, in its own order. It refuses what it cannot
    keep: links going up and down, changes of a wire during a run, fragments
    (a packet larger than an MTU), ICMP errors (see ``Arrivals.errors_due``).
    """

    def __init__(
        self,
        nodes: Sequence[ForwardingNode],
        links: Sequence[ForwardingLink],
        next_hops: Mapping[tuple[str, str], Hop],
        *,
        switching: Mapping[tuple[str, str], str] | None = None,
        addresses: Mapping[str, str] | None = None,
        unowned: Iterable[str] = (),
    ) -> None:
        """Raises ValueError for unknown and double names, links used from where they do not begin, and loops of
        switches."""
        self.nodes = tuple(nodes)
        self.links = tuple(links)
        self._node = _indices("node", (node.name for node in nodes))
        self._link = _indices("link", (link.name for link in links))
        switching = switching or {}
        local = {name: name for name in self._node} | dict(addresses or {})
        neighbours = {hop.neighbour for hop in next_hops.values() if hop.neighbour} | {name for _, name in switching}
        columns = dict.fromkeys(local) | dict.fromkeys(unowned) | dict.fromkeys(sorted(neighbours))
        self._column = {name: number for number, name in enumerate(columns)}
        shape = len(self.nodes), len(self._column)
        self._next_links = np.full(shape, loop.NOWHERE, np.int32)
        self._next_towards = np.zeros(shape, np.int32)
        for destination, owner in local.items():
            node = self._known(self._node, "node", owner)
            if self.nodes[node].kind is not NodeKind.SWITCH:
                self._next_links[node, self._column[destination]] = loop.HERE
        for (name, destination), hop in next_hops.items():
            node, column = self._place(name, destination, is_switch=False)
            if self._next_links[node, column] == loop.HERE:
                raise ValueError(f"{name} has {destination} itself: a next hop for it cannot be")
            self._next_links[node, column] = self._leaving(name, hop.link)
            self._next_towards[node, column] = self._column[hop.neighbour or destination]
        for (name, neighbour), link in switching.items():
            node, column = self._place(name, neighbour, is_switch=True)
            self._next_links[node, column] = self._leaving(name, link)
        self._check_switches()
        self._links, self._losses, self._generators = _link_tables(self.links, self._node)

    # -- building ----------------------------------------------------------------

    @staticmethod
    def _known(names: Mapping[str, int], what: str, name: str) -> int:
        if name not in names:
            raise ValueError(f"there is no {what} {name!r}")
        return names[name]

    def _place(self, name: str, column: str, *, is_switch: bool) -> tuple[int, int]:
        node = self._known(self._node, "node", name)
        if (self.nodes[node].kind is NodeKind.SWITCH) is not is_switch:
            raise ValueError(f"{name} is {'no' if is_switch else 'a'} switch")
        return node, self._known(self._column, "destination", column)

    def _leaving(self, node: str, link: str) -> int:
        index = self._known(self._link, "link", link)
        if self.links[index].source != node:
            raise ValueError(f"link {link} does not begin at {node}")
        return index

    def _check_switches(self) -> None:
        """Frames have no TTL: among switches they must not go round."""
        switches = [index for index, node in enumerate(self.nodes) if node.kind is NodeKind.SWITCH]
        for name, column in self._column.items():
            for first in switches:
                node, seen = first, {first}
                while (link := int(self._next_links[node, column])) >= 0:
                    node = self._known(self._node, "node", self.links[link].target)
                    if self.nodes[node].kind is not NodeKind.SWITCH:
                        break
                    if node in seen:
                        raise ValueError(f"frames for {name} would go round among the switches for ever")
                    seen.add(node)

    # -- running -----------------------------------------------------------------

    def run(self, traffic: Traffic, *, compiled: bool | None = None) -> Arrivals:
        """Send the traffic and follow every packet to its end.

        ``compiled`` None means: where numba is. Without it the same loop runs
        as Python, some hundred times as slowly, and with the same result.

        Raises ValueError for flows from or to what there is not, packets
        larger than an MTU on their way, and moments beyond 73 years.
        """
        if compiled is None:
            compiled = has_numba()
        flows = np.array(
            [
                (
                    self._sender(flow.source),
                    self._known(self._column, "destination", flow.destination),
                    _checked_ttl(flow.ttl),
                )
                for flow in traffic.flows
            ],
            np.int64,
        ).reshape(-1)
        packets, links = len(traffic), len(self.links)
        state = np.zeros((links, loop.STATE_FIELDS), np.int64)
        state[:, [loop.FIRST, loop.LAST, loop.FIRST_WAITING]] = -1
        slots = min(packets, _FIRST_SLOTS) if compiled else packets
        slots = max(slots, 1)
        flight = np.zeros(slots * loop.FLIGHT_FIELDS, np.int64)
        free = np.arange(slots - 1, -1, -1, dtype=np.int64) * loop.FLIGHT_FIELDS
        heap = [np.zeros(max(links, 1), np.int64) for _ in range(3)]
        results = (
            np.full(packets, -1, np.int64),
            np.zeros(packets, np.int8),
            np.full(packets, -1, np.int32),
            np.zeros(packets, np.int32),
            np.zeros(packets, np.int64),
        )
        counts = np.zeros(5, np.int64)
        kinds = np.array([node.kind for node in self.nodes], np.int64)
        arrays = (
            *(traffic.moments, traffic.octets, traffic.flow_of, flows, self._links, self._losses),
            *(self._generators.copy(), kinds, len(self._column)),
            *(self._next_links.reshape(-1), self._next_towards.reshape(-1)),
            *(state.reshape(-1), flight, free, *heap, *results, counts),
        )
        if compiled:
            status = compiled_forward()(*arrays)
        else:
            lists: list[Any] = [array.tolist() if isinstance(array, np.ndarray) else array for array in arrays]
            status = loop.forward(*lists)
            for array, values in zip(arrays[11:], lists[11:], strict=True):
                array[:] = values  # type: ignore[index]  # all of these are arrays
        if status == loop.TOO_BIG:
            raise ValueError(f"packet {counts[4]} is larger than an MTU on its way: fragments are the engine's work")
        if status == loop.TOO_LATE:
            raise ValueError(f"packet {counts[4]} would be sent later than in {loop.LATEST} ns")
        return Arrivals(*results, self._counts(state), int(counts[2]), int(counts[3]))

    def _sender(self, name: str) -> int:
        node = self._known(self._node, "node", name)
        if self.nodes[node].kind is NodeKind.SWITCH:
            raise ValueError(f"{name} is a switch: it sends nothing itself")
        return node

    def _counts(self, state: NDArray[np.int64]) -> dict[str, LinkCounts]:
        fields = [loop.FRAMES, loop.OCTETS, loop.DROPS_QUEUE, loop.DROPS_LOSS]
        rows = state[:, fields].tolist()
        return {link.name: LinkCounts(*row) for link, row in zip(self.links, rows, strict=True)}


def _indices(what: str, names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        if name in found:
            raise ValueError(f"two {what}s are called {name!r}")
        found[name] = len(found)
    return found


def _checked_ttl(ttl: int) -> int:
    if not 1 <= ttl <= 255:
        raise ValueError(f"a TTL of {ttl}: 1 to 255 expected")
    return ttl


def _link_tables(
    links: Sequence[ForwardingLink], nodes: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Figures of the links, their losses, and the generators of those that lose."""
    figures = np.zeros((len(links), loop.LINK_FIELDS), np.int64)
    losses = np.zeros(len(links), np.float64)
    generators: list[int] = []
    for number, link in enumerate(links):
        row, wire = figures[number], link.wire
        if link.source not in nodes or link.target not in nodes:
            raise ValueError(f"link {link.name} is from {link.source} to {link.target}, which are not both nodes")
        if (wire.rate is not None and not 0 < wire.rate < _UNLIMITED) or not 0 <= wire.delay < loop.LATEST:
            raise ValueError(f"link {link.name} has a rate of {wire.rate} bit/s and a delay of {wire.delay} ns")
        row[loop.RATE] = wire.rate or 0
        row[loop.DELAY] = wire.delay
        row[loop.LIMIT] = _UNLIMITED if wire.queue is None else wire.queue
        row[loop.LIMIT_OCTETS] = _UNLIMITED if wire.queue_octets is None else wire.queue_octets
        row[loop.IS_LIMITED] = wire.queue is not None or wire.queue_octets is not None
        row[loop.MTU] = _UNLIMITED if link.mtu is None else link.mtu
        row[loop.TARGET] = nodes[link.target]
        if wire.loss:
            losses[number] = wire.loss
            row[loop.LOSS] = len(generators)
            generators.extend(Random(link.seed).getstate()[1])
    return figures.reshape(-1), losses, np.array(generators or [0], np.int64)
