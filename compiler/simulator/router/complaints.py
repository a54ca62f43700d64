"""What a router tells the senders of packets that it does not pass on: ICMP errors and resets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from compiler.fields import Family
from compiler.policy.network import Network
from compiler.policy.packet import Path
from compiler.policy.ruleset import Rule
from compiler.policy.stateful import AddressKind
from compiler.simulator.engine import Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import is_for_group
from compiler.simulator.hosts.icmp import error
from compiler.simulator.router.memory import Memory
from compiler.simulator.router.reject import answer, is_answered, reset
from compiler.simulator.router.route_errors import RouteErrors
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.ways import NO_ROUTE, Way

__all__ = ["Complaints"]

_DEFAULT_ANSWER = {"nftables": "port-unreachable", "routeros": "net-unreachable"}
_UNREACHABLE = {
    AddressKind.UNREACHABLE: ((3, 1), (1, 0)),
    AddressKind.PROHIBIT: ((3, 13), (1, 1)),
}
"""ICMP type and code in both families (net/ipv4/route.c, ip_error; net/ipv6/route.c)."""


class Originate(Protocol):
    """Sends a datagram of the router's own, about a packet."""

    def __call__(self, datagram: Datagram, way: Way | None = None, about: Transit | None = None) -> None: ...


class Complaints:
    """The complaints of one router. ``dialect`` is its policy's: it says what a bare ``reject`` answers."""

    def __init__(
        self,
        engine: Engine,
        network: Network,
        memory: Memory,
        dialect: str,
        originate: Originate,
        source_for: Callable[[Family, int], int | None],
    ) -> None:
        self._engine = engine
        self._memory = memory
        self._routes = memory.routes
        self._interfaces = {interface.name: interface for interface in network.interfaces}
        self._default_answer = _DEFAULT_ANSWER.get(dialect, "")
        self._originate = originate
        self._source_for = source_for
        self._route_errors = None if network.dialect == "ios" else RouteErrors()

    def complain(self, transit: Transit, ipv4: tuple[int, int], ipv6: tuple[int, int], rest: int = 0) -> None:
        """Tell the sender by ICMP (type and code of its family), where that is allowed.

        Nobody is told about what was for more than one (RFC 1122, 3.2.2).
        """
        about = transit.datagram
        if self._is_broadcast(about):
            return
        kind, code = ipv4 if about.family is Family.IPV4 else ipv6
        if self._routes.is_local(about.family, about.destination):
            source: int | None = about.destination
        elif about.family is Family.IPV6 and transit.ingress in self._interfaces:
            source = self._routes.address_towards(transit.ingress, about.family, about.source)  # icmp6_send
        else:
            source = self._source_for(about.family, about.source)
        if source is not None:
            made = error(about, source, kind, code, rest)
            if made is not None:
                self._originate(made, about=transit)

    def _is_broadcast(self, about: Datagram) -> bool:
        return about.family is Family.IPV4 and self._routes.is_broadcast(about.destination)

    def unroutable(self, transit: Transit, way: Way) -> None:
        """There is no way, or one that says no."""
        about = transit.datagram
        if self._route_errors and not self._route_errors.allows(about.family, about.source, self._engine.now):
            return
        if way is NO_ROUTE:
            self.complain(transit, (3, 0), (1, 0))
        elif way.kind in _UNREACHABLE:
            self.complain(transit, *_UNREACHABLE[way.kind])

    def unanswered(self, datagram: Datagram) -> None:
        """The neighbour that should have it does not answer."""
        if not self._routes.is_local(datagram.family, datagram.source):
            self.complain(Transit(datagram, "", Path.FORWARD), (3, 1), (1, 3))

    def rejected(self, transit: Transit, rule: Rule) -> None:
        """Answer as the rule says."""
        datagram = transit.datagram
        said = answer(rule.answer, datagram.family, default=self._default_answer)
        if said.icmp is not None:
            if is_answered(datagram):
                self.complain(transit, said.icmp, said.icmp)
            return
        refusal = reset(datagram)
        if refusal is not None and not is_for_group(datagram) and not self._is_broadcast(datagram):
            self._originate(refusal, about=transit)
            connection = transit.connection
            if connection is not None and connection.tcp is not None and "confirmed" in connection.status:
                self._memory.connections.close(connection)

    def prohibited(self, transit: Transit, about: Datagram) -> None:
        """The answer of a Cisco list: administratively prohibited (RFC 1812, 5.3.9; RFC 4443, 3.1)."""
        interface = self._interfaces.get(transit.ingress)
        if interface is None or interface.unreachables:
            self.complain(Transit(about, "", Path.FORWARD), (3, 13), (1, 1))
