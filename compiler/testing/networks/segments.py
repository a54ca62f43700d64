"""Which ports hear each other: cables and switches, without those that are dead."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.fields import Family
from compiler.testing.networks.model import NetworkModel, PortName

__all__ = ["Segments"]


class Segments:
    """The segments of a network; ``dead`` are names of nodes and cables that do not work."""

    def __init__(self, model: NetworkModel, dead: frozenset[str] = frozenset()) -> None:
        self._parent: dict[PortName, PortName] = {}
        self.plugged: set[PortName] = set()
        """Ports that see a carrier: of a cable whose both ends have power."""
        every = {end for cable in model.cables for end in cable.ends}
        for name in model.switches:
            if name not in dead:
                first, *others = sorted(end for end in every if end.node == name) or [PortName(name, "")]
                for other in others:
                    self._join(first, other)
        for cable in model.cables:
            if cable.name in dead or any(end.node in dead for end in cable.ends):
                continue
            self._join(*cable.ends)
            self.plugged |= set(cable.ends)
        self._cabled = every
        self._owners: dict[tuple[PortName, Family, int], list[PortName]] = {}
        for port, addresses in model.addresses().items():
            if port.node in dead:
                continue
            for one in addresses:
                self._owners.setdefault((self._root(port), one.family, one.address), []).append(port)

    def works(self, port: PortName) -> bool:
        """Whether the port is up: a port that nobody drew a cable to leads to a network outside the drawing."""
        return port in self.plugged or port not in self._cabled

    def is_outside(self, port: PortName) -> bool:
        """Whether no cable is drawn to the port."""
        return port not in self._cabled

    def owners(self, port: PortName, family: Family, address: int) -> list[PortName]:
        """The ports with that address that hear what leaves by ``port``."""
        return self._owners.get((self._root(port), family, address), [])

    def others(self, port: PortName) -> Iterator[PortName]:
        """All other ports of the segment."""
        root = self._root(port)
        return (other for other in list(self._parent) if other != port and self._root(other) == root)

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
