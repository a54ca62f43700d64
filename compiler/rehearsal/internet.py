"""The internet behind the gateways: servers at every address, hosts with a real TCP at some, and strangers who call."""

from __future__ import annotations

from collections.abc import Callable

from compiler.rehearsal.gateway import Gateway
from compiler.rehearsal.servers import serve
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.node import Port, link_address

__all__ = ["HOSTS_PORT", "Internet"]

HOSTS_PORT = "hosts"
"""Where hosts with a real TCP are."""

Heard = Callable[[str, Datagram], bool]
"""Called with a line's name and a datagram from it; whether somebody has taken it."""


class Internet:
    """A node with a port for each line and one for real servers. Answers return by the line that owns their address."""

    def __init__(self, engine: Engine) -> None:
        self.name = "internet"
        self.engine = engine
        self.lines: dict[str, Port] = {}
        self.ignored: set[int] = set()
        """Numbers of datagrams that are lost here: what a client repeats was not answered the first time."""
        self.on_heard: list[Heard] = []
        self._gateways: dict[str, Gateway] = {}
        self._owners: dict[int, str] = {}
        self._hosts: Port | None = None
        self._host_addresses: frozenset[int] = frozenset()
        self._host_link = 0

    def add_line(self, gateway: Gateway) -> Port:
        """A port towards a gateway."""
        name = gateway.line.name
        port = self.lines[name] = Port(self, name, link_address(self.name, name))
        self._gateways[name] = gateway
        for one in gateway.line.addresses:
            self._owners.setdefault(one.address, name)
        return port

    def add_hosts(self, addresses: frozenset[int], link: int) -> Port:
        """A port towards a host with these addresses."""
        self._hosts = Port(self, HOSTS_PORT, link_address(self.name, HOSTS_PORT))
        self._host_addresses, self._host_link = addresses, link
        return self._hosts

    def receive(self, port: Port, frame: Frame) -> None:
        """From a line: somebody here is asked. From the hosts: towards a line."""
        if not isinstance(frame, Datagram):
            return
        if port is self._hosts:
            owner = self._owners.get(frame.destination)
            if owner is not None:
                self.send(owner, frame)
            return
        if frame.number in self.ignored or any(heard(port.name, frame) for heard in self.on_heard):
            return
        if frame.destination in self._host_addresses:
            assert self._hosts is not None
            frame.link_destination = self._host_link
            self._hosts.send(frame)
            return
        serve(frame, lambda said: self.send(port.name, said))

    def send(self, line: str, said: Datagram) -> None:
        """Send towards the router by a line."""
        said.link_destination = self._gateways[line].outer.link_address
        self.lines[line].send(said)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """The core does not mind."""
