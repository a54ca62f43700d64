"""A learning Ethernet switch (IEEE 802.1D, 7): the star's centre."""

from __future__ import annotations

from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import GROUP, Frame
from compiler.simulator.node import Port, link_address

__all__ = ["Switch"]

AGEING_TIME = 300 * SECOND
"""How long an address is remembered after it was last seen (802.1D, 7.9.2; Linux bridges likewise)."""
TABLE_LIMIT = 8192
"""Addresses that a switch of the smaller kind remembers."""


class _Learnt:
    """Where an address was last seen, and when."""

    __slots__ = ("port", "seen")

    def __init__(self, port: Port, seen: int) -> None:
        self.port = port
        self.seen = seen


class Switch:
    """Remembers behind which port each address is, and floods the rest.

    A switch without a spanning tree: a loop of links makes a storm, as it
    does with the real ones. It takes no time of its own: links have the delays.
    """

    __slots__ = (
        "_engine",
        "_table",
        "_table_limit",
        "ageing_time",
        "drops_full",
        "drops_same_port",
        "drops_shut",
        "flooded",
        "forwarded",
        "is_up",
        "name",
        "ports",
    )

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        ageing_time: int = AGEING_TIME,
        table_limit: int = TABLE_LIMIT,
    ) -> None:
        self.name = name
        self.ports: dict[str, Port] = {}
        self.is_up = True
        self.ageing_time = ageing_time
        self._engine = engine
        self._table: dict[int, _Learnt] = {}
        self._table_limit = table_limit
        self.forwarded = 0
        """Frames sent out at the one port where their destination is."""
        self.flooded = 0
        """Frames sent out at all other ports."""
        self.drops_same_port = 0
        """Frames whose destination is where they came from."""
        self.drops_shut = 0
        """Frames that came while the switch was shut, or for a port that was."""
        self.drops_full = 0
        """Addresses that were not learnt because the table was full."""

    def add_port(self, name: str) -> Port:
        """A new port. ValueError when there is one of this name."""
        if name in self.ports:
            raise ValueError(f"{self.name} has a port {name} already")
        port = self.ports[name] = Port(self, name, link_address(self.name, name))
        return port

    @property
    def addresses(self) -> dict[int, str]:
        """The addresses remembered now, with the names of their ports."""
        oldest = self._engine.now - self.ageing_time
        return {address: learnt.port.name for address, learnt in self._table.items() if learnt.seen > oldest}

    def receive(self, port: Port, frame: Frame) -> None:
        """Learn where the sender is; pass the frame on."""
        if not self.is_up:
            self.drops_shut += 1
            return
        now = self._engine.now
        table = self._table
        sender = table.get(frame.link_source)
        if sender is None:
            self._learn(frame.link_source, port)
        else:
            sender.port = port
            sender.seen = now
        learnt = table.get(frame.link_destination)  # never a group's
        if learnt is not None and now - learnt.seen < self.ageing_time:
            self._forward(learnt.port, port, frame)
        else:
            self._flood(port, frame)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """Forget who was behind a port that has lost its link."""
        if not is_up:
            self._table = {address: learnt for address, learnt in self._table.items() if learnt.port is not port}
        elif not self.is_up:  # a mended link to a dead switch has no carrier: said after the link has told both ends
            self._engine.after(0, self._withdraw_carrier, port)

    def shut(self) -> None:
        """Fail: pass nothing on, and remember nothing afterwards. The other ends of the links lose their carrier."""
        if self.is_up:
            self.is_up = False
            self._table.clear()
            self._set_carrier()

    def start(self) -> None:
        """Work again."""
        if not self.is_up:
            self.is_up = True
            self._set_carrier()

    def _set_carrier(self) -> None:
        for port in self.ports.values():
            if port.direction is not None and port.carrier:
                port.direction.peer.carrier_changed(self.is_up)

    def _withdraw_carrier(self, port: Port) -> None:
        if not self.is_up and port.direction is not None:
            port.direction.peer.carrier_changed(False)

    def _learn(self, address: int, port: Port) -> None:
        if address & GROUP:
            return
        if len(self._table) >= self._table_limit and not self._forget_old():
            self.drops_full += 1
            return
        self._table[address] = _Learnt(port, self._engine.now)

    def _forget_old(self) -> bool:
        """Make room by age; whether there is some."""
        oldest = self._engine.now - self.ageing_time
        self._table = {address: learnt for address, learnt in self._table.items() if learnt.seen > oldest}
        return len(self._table) < self._table_limit

    def _forward(self, to: Port, ingress: Port, frame: Frame) -> None:
        if to is ingress:
            self.drops_same_port += 1
        elif to.direction is None or to.is_shut:
            self.drops_shut += 1
        else:
            self.forwarded += 1
            to.direction.send(frame)  # not by Port.send, which would put in the port's own address

    def _flood(self, ingress: Port, frame: Frame) -> None:
        self.flooded += 1
        for port in self.ports.values():
            if port is not ingress and port.direction is not None and not port.is_shut:
                port.direction.send(frame.copy())
