"""The ISP's end of an uplink: a modem or router with the gateway's address, which can die in three ways."""

from __future__ import annotations

from enum import Enum

from compiler.rehearsal.scene import Line
from compiler.simulator.frame import ArpMessage, Datagram, Frame
from compiler.simulator.neighbour_messages import arp_message
from compiler.simulator.node import Port, link_address

__all__ = ["Gateway", "Health"]


class Health(Enum):
    """What works of a gateway."""

    WELL = "well"
    SILENT = "silent"
    """It hangs: neither ARP nor pings are answered, nothing is passed on."""
    CUT_OFF = "cut off"
    """It answers for itself, and nothing passes to or from the ISP."""


class Gateway:
    """Between the router (port ``inner``) and the internet (port ``outer``). It translates nothing.

    A source address that the line does not own goes no further (BCP 38): ``refused`` counts them.
    """

    def __init__(self, line: Line) -> None:
        self.name = f"gateway of {line.name}"
        self.line = line
        self.health = Health.WELL
        self.inner = Port(self, "inner", link_address(self.name, "inner"))
        self.outer = Port(self, "outer", link_address(self.name, "outer"))
        self.refused = 0
        self._router = 0
        self._own = frozenset(line.gateways)
        self._routers = frozenset(one.address for one in line.addresses)

    def know(self, router: int) -> None:
        """The Ethernet address of the router's port."""
        self._router = router

    def receive(self, port: Port, frame: Frame) -> None:
        """Answer for itself, pass on the rest."""
        if self.health is Health.SILENT:
            return
        if isinstance(frame, ArpMessage):
            self._asked(frame)
        elif isinstance(frame, Datagram) and port is self.inner:
            if frame.link_destination == self.inner.link_address:
                self._out(frame)
        elif isinstance(frame, Datagram) and self.health is Health.WELL:
            frame.ttl -= 1
            frame.link_destination = self._router
            self.inner.send(frame)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """A modem does not mind."""

    def _asked(self, message: ArpMessage) -> None:
        """Never for the router's own addresses: a gateway that is the router itself has nobody behind it."""
        if message.is_reply or message.target in self._routers:
            return
        if message.target in self._own or self.line.answers_for_all:
            own, to = self.inner.link_address, message.sender_link
            reply = arp_message(own, message.target, message.sender, to, is_reply=True, target_link=to)
            self.inner.send(reply)

    def _out(self, datagram: Datagram) -> None:
        if datagram.destination in self._own:
            if datagram.icmp_type == 8 and datagram.protocol == 1:
                answer = datagram.copy()
                answer.source, answer.destination = datagram.destination, datagram.source
                answer.icmp_type, answer.ttl = 0, 64
                answer.link_destination = self._router
                self.inner.send(answer)
            return
        if self.health is not Health.WELL:
            return
        if not self.line.owns(datagram.source) or datagram.ttl <= 1:
            self.refused += 1
            return
        datagram.ttl -= 1
        self.outer.send(datagram)
