"""Which ports hear each other: cables and switches, without those that are dead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from compiler.fields import Family
from compiler.testing.networks.model import NetworkModel, PortName

__all__ = ["Segments"]


class Segments:
    """The segments of a network; ``dead`` are names of nodes and cables that do not work."""

    def __init__(self, model: NetworkModel, dead: frozenset[str] = frozenset()) -> None:
        self.dead = dead = dead | model.dead
        self._switches = frozenset(model.switches)
        self._parent: dict[PortName, PortName] = {}
        self.plugged: set[PortName] = set()
        """Ports that see a carrier: of a cable whose both ends have power."""
        self._cables: dict[PortName, tuple[str, PortName]] = {}
        """Of each plugged port the cable, and its other end."""
        self._bridges: dict[PortName, tuple[PortName, ...]] = {}
        every = {end for cable in model.cables for end in cable.ends}
        self._ports_of: dict[str, list[PortName]] = {}
        for end in sorted(every):
            self._ports_of.setdefault(end.node, []).append(end)
        for name in model.switches:
            if name not in dead:
                first, *others = self._ports_of.get(name, [PortName(name, "")])
                for other in others:
                    self._join(first, other)
        disabled = self._bridge(model)
        closing: list[PortName] = []
        for cable in model.cables:
            if cable.name in dead or any(end.node in dead for end in cable.ends):
                continue
            if self._root(cable.ends[0]) == self._root(cable.ends[1]):
                closing.append(cable.ends[0])
            self._join(*cable.ends)
            self.plugged |= set(cable.ends)
            for here, there in (cable.ends, cable.ends[::-1]):
                self._cables[here] = (cable.name, there)
        self._circles = frozenset(map(self._root, closing))
        # A host without a cable is alone; a port of a router without one leads out of the drawing.
        self._cabled = every | {PortName(host.name, host.port) for host in model.hosts}
        self._owners: dict[tuple[PortName, Family], dict[int, list[PortName]]] = {}
        for port, addresses in model.addresses().items():
            if port.node in dead or port in disabled:
                continue
            for one in addresses:
                held = self._owners.setdefault((self._root(port), one.family), {})
                held.setdefault(one.address, []).append(port)

    def _bridge(self, model: NetworkModel) -> set[PortName]:
        """Join the ports of each bridge with the bridge; what is shut down joins nothing, and is returned."""
        disabled: set[PortName] = set()
        for router in model.routers:
            shut = {one.name for one in router.network.interfaces if not one.enabled}
            disabled |= {PortName(router.name, name) for name in shut}
            for one in router.network.interfaces:
                bridge = PortName(router.name, one.name)
                members = tuple(PortName(router.name, name) for name in one.members if name not in shut)
                if members and one.enabled and router.name not in self.dead:
                    self._bridges[bridge] = members
                    for member in members:
                        self._join(bridge, member)
        return disabled

    def works(self, port: PortName) -> bool:
        """Whether the port is up: a port that nobody drew a cable to leads to a network outside the drawing."""
        return port in self.plugged or port not in self._cabled

    def is_outside(self, port: PortName) -> bool:
        """Whether no cable is drawn to the port, nor to a port that it is a bridge of."""
        return port not in self._cabled and not any(one in self._cabled for one in self._bridges.get(port, ()))

    def owners(self, port: PortName, family: Family, address: int) -> list[PortName]:
        """The ports with that address that hear what leaves by ``port``."""
        return self._owners.get((self._root(port), family), {}).get(address, [])

    def residents(self, port: PortName, family: Family) -> tuple[int, ...]:
        """The addresses that hear what leaves by ``port``, its own too."""
        return tuple(self._owners.get((self._root(port), family), ()))

    def has_circle(self, name: str) -> bool:
        """Whether the switch or the cable is on a segment whose cables close a circle: then a spanning tree decides
        which of them frames take, and that is not known here.
        """
        ports = [*self._ports_of.get(name, ()), *(port for port, (cable, _) in self._cables.items() if cable == name)]
        return any(self._root(port) in self._circles for port in ports)

    def between(self, left: PortName, right: PortName) -> frozenset[str]:
        """The cables and switches from one port to another of its segment, by the shortest way."""
        if left == right:
            return frozenset()
        seen: set[PortName] = set()
        goals = frozenset(self._bridges.get(right, (right,)))
        waiting = deque((one, frozenset[str]()) for one in self._bridges.get(left, (left,)))
        while waiting:
            port, crossed = waiting.popleft()
            if port not in self._cables:
                continue
            cable, other = self._cables[port]
            crossed = crossed | {cable}
            if other in goals:
                return crossed
            if other not in seen:
                seen.add(other)
                waiting += [(one, crossed | {other.node}) for one in self._beside(other)]
        return frozenset()

    def _beside(self, port: PortName) -> Iterator[PortName]:
        """The ports that a switch or a bridge sends what comes in by a port out of."""
        if port.node in self._switches:
            return (one for one in self._ports_of.get(port.node, ()) if one != port)
        bridges = (members for members in self._bridges.values() if port in members)
        return (one for members in bridges for one in members if one != port)

    def _root(self, port: PortName) -> PortName:
        while (parent := self._parent.get(port, port)) != port:
            port = parent
        return port

    def _join(self, left: PortName, right: PortName) -> None:
        one, other = self._root(left), self._root(right)
        self._parent.setdefault(left, left)
        self._parent.setdefault(right, right)
        if one != other:
            self._parent[other] = one
