"""Whether gateways answer: RouterOS's ``check-gateway`` (MikroTik, "IP/Routing").

Every ten seconds an echo request goes to the gateway; two that nobody answers
in time make it dead, one answer makes it alive again. The time for an answer
is 1 s in RouterOS 7 and 10 s in RouterOS 6.
"""

from __future__ import annotations

from collections.abc import Callable

from compiler.fields import ICMP, ICMPV6, Family
from compiler.policy.network import CheckGateway, Network, NextHop, Route
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.router.routes import Routes, checked

__all__ = ["CHECK_IDENTIFIER", "GatewayChecks"]

_PERIOD = 10 * SECOND
_MISSES = 2
_ECHO, _ECHO_REPLY = {Family.IPV4: 8, Family.IPV6: 128}, {Family.IPV4: 0, Family.IPV6: 129}
CHECK_IDENTIFIER = 0xC4EC
"""The ICMP identifier of the requests."""


class _Gateway:
    """One gateway as seen through one route."""

    def __init__(self, route: Route, hop: NextHop, number: int) -> None:
        self.route = route
        self.hop = hop
        self.number = number
        self.sequence = 0
        self.answered = 0
        """The last sequence number that was answered."""
        self.misses = 0
        self.interface = ""


class GatewayChecks:
    """The checks of one router. ``send`` sends an echo request by an interface to a neighbour."""

    def __init__(
        self,
        engine: Engine,
        network: Network,
        send: Callable[[Datagram, str, int], None],
        changed: Callable[[str, int, bool], None],
    ) -> None:
        self._engine = engine
        self._send = send
        self._changed = changed
        self._timeout = 10 * SECOND if network.version == 6 else SECOND
        self._gateways = [
            _Gateway(route, hop, number) for number, (route, hop) in enumerate(checked(network.routes), 1)
        ]
        self._dead: set[tuple[str, int]] = set()
        self._routes: Routes | None = None
        self._is_stopped = False

    def start(self, routes: Routes) -> None:
        """Begin to check."""
        self._routes = routes
        for gateway in self._gateways:
            self._engine.after(0, self._ask, gateway)

    def stop(self) -> None:
        """Ask no more."""
        self._is_stopped = True

    def take_over(self, other: GatewayChecks) -> None:
        """Know of the gateways that both check what the other one knows; it is asked no more."""
        other.stop()
        known = {(gateway.hop.address, gateway.route.check_gateway): gateway for gateway in other._gateways}
        for gateway in self._gateways:
            before = known.get((gateway.hop.address, gateway.route.check_gateway))
            if before is not None:
                gateway.misses, gateway.interface = before.misses, before.interface
                key = (before.interface, before.hop.address)
                if before.hop.address is not None and key in other._dead:
                    self._dead.add((before.interface, before.hop.address))

    def answers(self, _check: CheckGateway, interface: str, gateway: int) -> bool:
        """Whether the gateway is thought alive."""
        return (interface, gateway) not in self._dead

    def heard(self, datagram: Datagram, ingress: str) -> bool:
        """Take an echo reply that is for a check; whether it was one."""
        is_reply = datagram.icmp_type == _ECHO_REPLY[datagram.family] and datagram.protocol in (ICMP, ICMPV6)
        if not is_reply or datagram.identifier != CHECK_IDENTIFIER:
            return False
        for gateway in self._gateways:
            if gateway.hop.address == datagram.source and gateway.number == datagram.rest >> 8:
                gateway.answered = gateway.sequence
                gateway.misses = 0
                key = (gateway.interface, datagram.source)
                if key in self._dead:
                    self._dead.discard(key)
                    self._changed(gateway.interface, datagram.source, True)
        return True

    def _ask(self, gateway: _Gateway) -> None:
        if self._is_stopped:
            return
        assert self._routes is not None
        assert gateway.hop.address is not None
        found = self._routes.resolved(gateway.route, gateway.hop)
        gateway.sequence += 1
        if found is not None:
            gateway.interface = found[0]
            family = gateway.route.prefix.family
            protocol = ICMP if family is Family.IPV4 else ICMPV6
            header = 28 if family is Family.IPV4 else 48
            request = Datagram(family, 0, gateway.hop.address, protocol, header + 32, icmp_type=_ECHO[family])
            request.identifier = CHECK_IDENTIFIER
            request.rest = gateway.number << 8 | gateway.sequence & 0xFF
            self._send(request, *found)
        self._engine.after(self._timeout, self._judge, (gateway, gateway.sequence))
        self._engine.after(_PERIOD, self._ask, gateway)

    def _judge(self, asked: tuple[_Gateway, int]) -> None:
        gateway, sequence = asked
        if gateway.answered >= sequence or self._is_stopped:
            return
        gateway.misses += 1
        assert gateway.hop.address is not None
        key = (gateway.interface, gateway.hop.address)
        if gateway.misses >= _MISSES and key not in self._dead:
            self._dead.add(key)
            self._changed(*key, False)
