"""A network, described for properties: hosts, routers, switches and cables. Pure values.

::

    lan = (
        network()
        .host("anna", "10.1.0.2/24", gateway="10.1.0.1")
        .host("server", "10.2.0.2/24", gateway="10.2.0.1")
        .router("edge", "edge.cfg")
        .cable("anna", "edge:GigabitEthernet0/1")
        .cable("server", "edge:GigabitEthernet0/2")
    )
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from compiler.errors import InputErrors, UsageError
from compiler.fields import Family
from compiler.placed.addresses import address as one_address
from compiler.placed.addresses import interface_address, prefix
from compiler.policy.access_list import Device
from compiler.policy.network import Interface, InterfaceAddress, Network, NextHop, Route
from compiler.policy.ruleset import ChainKind, Ruleset

if TYPE_CHECKING:
    from compiler.balancing.line_health import Probing
    from compiler.balancing.plan import Plan
    from compiler.testing.networks.verification import Verification

__all__ = ["Cable", "HostEnd", "NetworkModel", "PortName", "RouterEnd", "network"]

T = TypeVar("T")

HOST_PORT = "eth0"
"""How the port of a host is called when nobody says."""


class PortName(NamedTuple):
    """A port of a node."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node}:{self.port}"


class HostEnd(NamedTuple):
    """A machine at the edge: its addresses, all on one port, and a gateway for each family that has one."""

    name: str
    addresses: tuple[InterfaceAddress, ...]
    gateways: tuple[tuple[Family, int], ...] = ()
    port: str = HOST_PORT


@dataclass(frozen=True, slots=True)
class RouterEnd:
    """A device that routes and filters.

    ``tree`` is what proofs see; None where the configuration says more than a
    proof can know (state, translation, marks), and ``beyond`` tells what.
    ``policy`` is what the simulator runs, None where nothing filters.
    """

    name: str
    network: Network
    tree: Device | Ruleset | None = None
    policy: Device | Ruleset | None = None
    beyond: str = ""
    watch: tuple[Plan, Probing] | None = None
    """How a balanced Linux router asks whether its lines are alive, where it does."""


class Cable(NamedTuple):
    """A link between two ports. ``rate`` in bits a second, ``delay`` in nanoseconds."""

    name: str
    ends: tuple[PortName, PortName]
    rate: int | None = None
    delay: int = 0


@dataclass(frozen=True, slots=True)
class NetworkModel:
    """The whole network. Each method returns a new one with one part more; UsageError for a name used twice."""

    hosts: tuple[HostEnd, ...] = ()
    routers: tuple[RouterEnd, ...] = ()
    switches: tuple[str, ...] = ()
    cables: tuple[Cable, ...] = ()
    source: str = "the network"
    dead: frozenset[str] = frozenset()
    """Nodes and cables that do not work, whatever is asked."""
    clock: int = 0
    """What the clocks of the devices show, in minutes since 1970: for time ranges, in the simulator."""
    repeats: tuple[str, ...] = ()
    """The command that sends a packet through this network again, but for the sender and the packet."""

    # -- making --------------------------------------------------------------------------------

    def host(self, name: str, *addresses: str, gateway: str | Sequence[str] = ()) -> NetworkModel:
        """Add a host: ``host("anna", "10.1.0.2/24", "2001:db8::2/64", gateway=("10.1.0.1", "2001:db8::1"))``."""
        self._new(name)
        gateways = (gateway,) if isinstance(gateway, str) else tuple(gateway)
        end = HostEnd(
            name,
            tuple(_understood(interface_address, one) for one in addresses),
            tuple(_understood(one_address, one) for one in gateways),
        )
        return replace(self, hosts=(*self.hosts, end))

    def router(
        self,
        name: str,
        configuration: str | Path = "",
        *,
        text: str = "",
        ports: Mapping[str, str | Sequence[str]] | None = None,
        routes: Mapping[str, str] | None = None,
    ) -> NetworkModel:
        """Add a router with a configuration (a file, or its ``text``), or without one.

        ``ports`` gives addresses to its interfaces (``{"lan": "10.1.0.1/24"}``) and
        ``routes`` gateways to prefixes (``{"0.0.0.0/0": "192.0.2.1"}``) beside what
        the configuration says. Raises InputErrors for a configuration that cannot be read.
        """
        from compiler.placed.source_text import read_source

        self._new(name)
        said = str(configuration) or name
        if configuration:
            text = read_source(str(configuration)).text
        end = _router(name, text, said)
        names = tuple(interface.name for interface in end.network.interfaces)
        more = tuple(_interface(_spelled(port, end, names), held) for port, held in (ports or {}).items())
        ways = tuple(_route(destination, gateway) for destination, gateway in (routes or {}).items())
        held = end.network
        joined = replace(held, interfaces=_joined(held.interfaces, more), routes=(*held.routes, *ways))
        return replace(self, routers=(*self.routers, replace(end, network=joined)))

    def switch(self, name: str) -> NetworkModel:
        """Add a switch; its ports are made as cables are plugged in."""
        self._new(name)
        return replace(self, switches=(*self.switches, name))

    def cable(self, left: str, right: str, *, name: str = "", rate: int | None = None, delay: int = 0) -> NetworkModel:
        """Join two ports: ``NODE:PORT``, or ``NODE`` for a host, a switch, or a router with one free port."""
        ends = (self._port(left), self._port(right))
        name = name or f"{ends[0].node}-{ends[1].node}"
        if any(cable.name == name for cable in self.cables):
            raise UsageError(f"two cables are called {name}: give one of them another name=")
        for cable in self.cables:
            for end in ends:
                if end in cable.ends:
                    raise UsageError(f"{end} has a cable already, {cable.name}")
        return replace(self, cables=(*self.cables, Cable(name, ends, rate, delay)))

    def verify(self) -> Verification:
        """The words about this network."""
        from compiler.testing.networks.verification import Verification

        return Verification(self)

    def follow(self, sender: str, packet: str, *, dead: Sequence[str] = ()) -> str:
        """One packet in the simulator, from a host or from beyond ``router:port``: its way, and who decided what.

        ``dead`` names nodes and cables that do not work meanwhile. Raises UsageError
        for a sender that there is not, InputErrors for a packet that cannot be read.
        """
        from compiler.testing.dynamic.following import follow

        return "\n".join(follow(self, sender, packet, dead).lines())

    # -- asking --------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Every node."""
        return (*(host.name for host in self.hosts), *(router.name for router in self.routers), *self.switches)

    def addresses(self) -> dict[PortName, tuple[InterfaceAddress, ...]]:
        """The addresses of each port that has any."""
        found = {PortName(host.name, host.port): host.addresses for host in self.hosts}
        for router in self.routers:
            for interface in router.network.interfaces:
                if interface.addresses:
                    found[PortName(router.name, interface.name)] = interface.addresses
        return found

    def _new(self, name: str) -> None:
        if name in self.names:
            raise UsageError(f"two nodes are called {name}")
        if not name or ":" in name or "*" in name:
            raise UsageError(f"{name!r} is no name of a node: it must not be empty, nor hold ':' or '*'")

    def _port(self, text: str) -> PortName:
        node, _, port = text.partition(":")
        if node not in self.names:
            raise UsageError(f"no node is called {node!r}; there are {', '.join(self.names) or 'none yet'}")
        taken = {end.port for cable in self.cables for end in cable.ends if end.node == node}
        if node in self.switches:
            return PortName(node, port or f"port{len(taken) + 1}")
        for host in self.hosts:
            if host.name == node:
                return PortName(node, self._known(node, port, (host.port,)) if port else host.port)
        router = next(one for one in self.routers if one.name == node)
        names = tuple(interface.name for interface in router.network.interfaces)
        if port:
            return PortName(node, self._known(node, _spelled(port, router, names), names))
        free = [name for name in names if name not in taken]
        if len(free) != 1:
            raise UsageError(f"{node} has the free ports {', '.join(free) or 'none'}: say which, as {node}:PORT")
        return PortName(node, free[0])

    @staticmethod
    def _known(node: str, port: str, names: tuple[str, ...]) -> str:
        if port not in names:
            raise UsageError(f"{node} has no port {port!r}; it has {', '.join(names) or 'none'}")
        return port


def network(source: str = "the network") -> NetworkModel:
    """An empty network, to add to."""
    return NetworkModel(source=source)


def _router(name: str, text: str, said: str) -> RouterEnd:
    from compiler.dialects import detect, read, read_network

    if not text.strip():
        return RouterEnd(name, Network(said, "linux"))
    dialect = detect(text)
    where = Network(said, "linux") if dialect == "nftables" else read_network(text, said, dialect=dialect)
    policy = read(text, said, dialect=dialect, unmodelled="simulate")
    try:
        tree = read(text, said, dialect=dialect)
    except InputErrors as beyond:
        return RouterEnd(name, where, None, policy, str(beyond.errors[0]))
    translations = where.static_translations or where.dynamic_translations
    if translations or (isinstance(policy, Ruleset) and any(one.kind is ChainKind.NAT for one in policy.chains)):
        return RouterEnd(name, where, None, policy, f"{said} translates addresses")
    return RouterEnd(name, where, tree, policy)


def _spelled(port: str, router: RouterEnd, names: tuple[str, ...]) -> str:
    """The port as the configuration spells it, where that is IOS: ``Gi0/1`` is GigabitEthernet0/1."""
    from compiler.dialects.interface_names import in_full

    full = in_full(port, router.policy) if router.policy is not None and port not in names else port
    return full if full in names else port


def _interface(name: str, addresses: str | Sequence[str]) -> Interface:
    several = (addresses,) if isinstance(addresses, str) else tuple(addresses)
    return Interface(name, tuple(_understood(interface_address, one) for one in several))


def _joined(held: tuple[Interface, ...], more: tuple[Interface, ...]) -> tuple[Interface, ...]:
    added = {one.name: one for one in more}
    known = [
        replace(one, addresses=(*one.addresses, *added.pop(one.name).addresses)) if one.name in added else one
        for one in held
    ]
    return (*known, *added.values())


def _route(destination: str, gateway: str) -> Route:
    return Route(_understood(prefix, destination), (NextHop(_understood(one_address, gateway)[1]),))


def _understood(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
