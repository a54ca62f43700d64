"""A scene, built in the simulator: the router under test, clients, gateways that can die, and the internet."""

from __future__ import annotations

from random import Random

from compiler.fields import Family
from compiler.policy.network import InterfaceAddress
from compiler.rehearsal.crowd import Crowd
from compiler.rehearsal.gateway import Gateway, Health
from compiler.rehearsal.internet import HOSTS_PORT, Internet
from compiler.rehearsal.observer import Observer
from compiler.rehearsal.options import WayToFail
from compiler.rehearsal.scene import KEEPALIVE, Inside, Line, Scene
from compiler.rehearsal.servers import NameServer
from compiler.simulator.engine import MILLISECOND, Engine
from compiler.simulator.hosts.host import Host
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import link_address
from compiler.simulator.router.device import Router
from compiler.simulator.switch import Switch

__all__ = ["World", "client_addresses", "server_addresses"]

_DNS = 53
_LAN = Wire(rate=1_000_000_000, delay=50_000, queue=None)
_CORE = Wire(delay=10 * MILLISECOND, queue=None)
_SERVERS = 0x97650000
"""151.101.0.0/16: addresses that no list of bogus networks names. Nothing leaves the simulator."""


class World:
    """Everything is running once this is made. ``hosts`` of the first network's clients have a real TCP."""

    def __init__(self, scene: Scene, seed: str, clients: dict[Inside, list[int]], hosts: int = 0) -> None:
        self.scene = scene
        self.engine = Engine()
        self.random = Random(f"{seed}/rehearsal")
        self.router = Router(self.engine, "router", scene.network, scene.ruleset, seed=seed)
        self.observer = Observer(self.engine, scene)
        self.router.journal = self.observer
        self.router.stack.udp(_DNS, NameServer())
        self.internet = Internet(self.engine)
        self.gateways: dict[str, Gateway] = {}
        self.crowds: dict[str, Crowd] = {}
        self.askers: dict[str, list[int]] = {}
        """The clients of each crowd, by interface."""
        self.hosts: list[Host] = []
        self._links: dict[str, Link] = {}
        self._seed = seed
        for line in scene.lines:
            self._add_line(line)
        for inside in scene.insides:
            # A network with one address only has nobody but the crowd in it.
            room = min(hosts, len(clients[inside]) // 2) if inside is scene.insides[0] else 0
            self._add_inside(inside, clients[inside], room)

    def _add_line(self, line: Line) -> None:
        gateway = self.gateways[line.name] = Gateway(line)
        port = self.router.add_port(line.interface)
        gateway.know(port.link_address)
        wires = Wire(line.upload, MILLISECOND, queue=None), Wire(line.download, MILLISECOND, queue=None)
        self._links[line.name] = Link(self.engine, line.name, (port, gateway.inner), wires, self._seed)
        core = self.internet.add_line(gateway)
        Link(self.engine, f"core-{line.name}", (gateway.outer, core), (_CORE, _CORE), self._seed)

    def _add_inside(self, inside: Inside, clients: list[int], hosts: int) -> None:
        port = self.router.add_port(inside.interface)
        switch = Switch(self.engine, f"switch-{inside.interface}")
        Link(self.engine, f"lan-{inside.interface}", (port, switch.add_port("router")), (_LAN, _LAN), self._seed)
        served = [forward.host for forward in self.scene.forwards if inside.prefix.contains(forward.host)]
        real = clients[:: len(clients) // hosts][:hosts] if hosts else []
        askers = self.askers[inside.interface] = [client for client in clients if client not in real]
        crowd = Crowd(self.engine, f"crowd-{inside.interface}", {*askers, *served}, port.link_address)
        crowd.ignored = self.internet.ignored
        Link(self.engine, crowd.name, (crowd.port, switch.add_port("crowd")), (_LAN, _LAN), self._seed)
        self.crowds[inside.interface] = crowd
        for number, address in enumerate(real):
            host = Host(self.engine, f"client-{number}", self._seed)
            own = InterfaceAddress(Family.IPV4, address, inside.prefix.length)
            end = host.add_interface("lan", (own,))
            host.set_gateway(Family.IPV4, inside.own)
            Link(self.engine, host.name, (end, switch.add_port(host.name)), (_LAN, _LAN), self._seed)
            self.hosts.append(host)

    def add_server(self, addresses: list[int]) -> Host:
        """A host with a real TCP at these addresses of the internet."""
        host = Host(self.engine, "server", self._seed)
        own = tuple(InterfaceAddress(Family.IPV4, address, 32) for address in addresses)
        near = InterfaceAddress(Family.IPV4, _SERVERS | 0xFFFE, 30)
        neighbours = {(Family.IPV4, near.address - 1): link_address(self.internet.name, HOSTS_PORT)}
        end = host.add_interface("core", (*own, near), neighbours=neighbours)
        port = self.internet.add_hosts(frozenset(addresses), end.link_address)
        host.set_gateway(Family.IPV4, near.address - 1)
        Link(self.engine, "servers", (port, end), (_CORE, _CORE), self._seed)
        return host

    def break_(self, line: str, way: WayToFail) -> None:
        """An uplink dies. A session that is dialled ends some seconds after its other end."""
        if way is WayToFail.LINK:
            self._links[line].set_up(False)
        else:
            self.gateways[line].health = Health.SILENT if way is WayToFail.GATEWAY else Health.CUT_OFF
            if way is WayToFail.GATEWAY and self.gateways[line].line.is_dialled:
                self.engine.after(KEEPALIVE, self._hang_up, line)

    def _hang_up(self, line: str) -> None:
        if self.gateways[line].health is Health.SILENT:
            self._links[line].set_up(False)

    def mend(self, line: str, way: WayToFail) -> None:
        """It is well again."""
        self.gateways[line].health = Health.WELL
        if way is WayToFail.LINK or self.gateways[line].line.is_dialled:
            self._links[line].set_up(True)


def client_addresses(scene: Scene, wanted: int) -> dict[Inside, list[int]]:
    """So many clients over all networks inside, spread over the addresses of each; hosts that rules name come last."""
    found: dict[Inside, list[int]] = {}
    for number, inside in enumerate(scene.insides):
        part = wanted // len(scene.insides) + (number < wanted % len(scene.insides))
        found[inside] = _spread(inside, max(part, 1), {forward.host for forward in scene.forwards})
    return found


def _spread(inside: Inside, wanted: int, taken: set[int]) -> list[int]:
    prefix = inside.prefix
    room = (1 << Family.IPV4.width - prefix.length) - 2
    step = max(room // (wanted + 1), 1)
    addresses: dict[int, None] = {}
    for start in range(1, step + 1):
        for offset in range(start, room + 1, step):
            address = prefix.value + offset
            if address != inside.own and address not in taken and address not in inside.named:
                addresses[address] = None
            if len(addresses) == wanted:
                return [*addresses, *inside.named]
    return [*addresses, *inside.named]


def server_addresses(scene: Scene, random: Random, count: int) -> list[int]:
    """Addresses on the internet, none of which the router's own networks hold."""
    local = [inside.prefix for inside in scene.insides]
    found: dict[int, None] = {}
    while len(found) < count:
        address = _SERVERS | random.randrange(1, 0xFF00)
        if not any(prefix.contains(address) for prefix in local):
            found[address] = None
    return list(found)
