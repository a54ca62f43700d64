"""The NAT stations of a chain firewall: which translation a new connection gets, and every packet rewritten."""

from __future__ import annotations

from collections.abc import Callable

from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.policy.ruleset import Chain, Hook, Verdict
from compiler.policy.stateful import AddressRange, State, Translate, Translation
from compiler.simulator.router.chains import Chains, Decision
from compiler.simulator.router.connections import Connection
from compiler.simulator.router.ftp_helper import Expectation
from compiler.simulator.router.memory import Memory, numbers
from compiler.simulator.router.routes import Routes
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.translation import bind_destination, bind_source, rewrite

__all__ = ["AddressTranslation"]

_SOURCE = frozenset({Translation.SOURCE, Translation.MASQUERADE, Translation.NETMAP_SOURCE})
_LOOPBACK = 0x7F000001


class AddressTranslation:
    """What the nat chains of one router do (net/netfilter/nf_nat_core.c, nf_nat_inet_fn)."""

    def __init__(self, chains: Chains, base: tuple[Chain, ...], memory: Memory, routes: Routes) -> None:
        self._chains = chains
        self._base = base
        self._memory = memory
        self._routes = routes
        self._numbers: dict[Translate, Callable[[Transit], int]] = {}
        self.masqueraded: dict[Connection, str] = {}
        """Connections that go out under the address of an interface, until that goes away."""
        chains.translate = self._translate

    def station(self, transit: Transit, hook: Hook) -> Decision | None:
        """Translate the packet; a decision where it must be dropped."""
        connection = transit.connection
        if connection is None:
            return None
        source = hook in (Hook.POSTROUTING, Hook.INPUT)
        if not transit.is_related and transit.state in (State.NEW, State.RELATED):
            dropped = self._settle(transit, connection, hook, source)
            if dropped is not None:
                return dropped
        rewrite(transit.datagram, connection, is_reply=transit.is_reply, is_related=transit.is_related, source=source)
        return None

    def interface_gone(self, name: str) -> None:
        """Forget the connections that were masqueraded behind the interface."""
        for connection in [one for one, interface in self.masqueraded.items() if interface == name]:
            self._memory.connections.remove(connection)
            del self.masqueraded[connection]

    def _settle(self, transit: Transit, connection: Connection, hook: Hook, source: bool) -> Decision | None:
        """Ask the chains once for each side of a connection; without an answer it keeps its address."""
        side = "source" if source else "destination"
        if side in connection.translated or "confirmed" in connection.status:
            return None
        if connection.plan is not None and connection.plan.master.status & {"snat", "dnat"}:
            self._follow_master(connection, connection.plan, source)
            return None
        for chain in self._base:
            if chain.hook is hook and transit.datagram.family in chain.families:
                decision = self._chains.run(chain, transit)
                if decision.verdict in (Verdict.DROP, Verdict.REJECT):
                    return decision
                if side in connection.translated:
                    return None
        bind = bind_source if source else bind_destination
        if not bind(self._memory.connections, connection, None, None, self._memory.random):
            return Decision(Verdict.DROP, None)
        return None

    def _follow_master(self, connection: Connection, plan: Expectation, source: bool) -> None:
        """A data connection is translated as its control connection was (nf_nat_follow_master)."""
        family, connections, random = connection.original.family, self._memory.connections, self._memory.random
        if source:
            bind_source(connections, connection, _single(family, plan.source), None, random)
        else:
            address = _single(family, plan.destination)
            bind_destination(connections, connection, address, (plan.port, plan.port), random)

    def _translate(self, transit: Transit, asked: Translate) -> bool:
        """Carry out a rule's translation; False when the packet has to be dropped for it."""
        connection = transit.connection
        if connection is None:
            return True
        source = asked.kind in _SOURCE
        if ("source" if source else "destination") in connection.translated:
            return True
        address = self._address(transit, connection, asked)
        if address is None and asked.kind in (Translation.MASQUERADE, Translation.REDIRECT):
            return False
        memory = self._memory
        if not source:
            return bind_destination(
                memory.connections, connection, address, asked.ports, memory.random, persistent=asked.persistent
            )
        if asked.kind is Translation.MASQUERADE:
            self.masqueraded[connection] = transit.egress
        return bind_source(
            memory.connections,
            connection,
            address,
            asked.ports,
            memory.random,
            persistent=asked.persistent,
            shuffle=asked.random,
        )

    def _address(self, transit: Transit, connection: Connection, asked: Translate) -> AddressRange | None:
        kind, family = asked.kind, transit.datagram.family
        if kind is Translation.MASQUERADE:
            hop = transit.way.next_hop if transit.way else 0
            return _single(family, self._routes.address_towards(transit.egress, family, hop))
        if kind is Translation.REDIRECT:
            if transit.path is Path.OUTPUT:
                return _single(family, _LOOPBACK if family is Family.IPV4 else 1)
            return _single(family, self._routes.address_towards(transit.ingress, family, 0))
        if asked.number is not None:
            return self._numbered(transit, asked)
        chosen = next((one for one in asked.addresses if one.family is family), None)
        if chosen is not None and kind in (Translation.NETMAP_SOURCE, Translation.NETMAP_DESTINATION):
            now = connection.reply.inverted()
            return _mapped(chosen, now.source if kind is Translation.NETMAP_SOURCE else now.destination)
        return chosen

    def _numbered(self, transit: Transit, asked: Translate) -> AddressRange | None:
        assert asked.number is not None
        if asked not in self._numbers:
            source = numbers(asked.number, self._memory)
            self._numbers[asked] = lambda one: source.draw(one.datagram)
        drawn = self._numbers[asked](transit)
        return next((addresses for values, addresses in asked.table if values.contains(drawn)), None)


def _single(family: Family, address: int | None) -> AddressRange | None:
    return None if address is None else AddressRange(family, address, address)


def _mapped(network: AddressRange, address: int) -> AddressRange:
    """The host part of the address in the other network (nft ``prefix to``, RouterOS ``netmap``)."""
    host_bits = network.first ^ network.last
    mapped = network.first & ~host_bits | address & host_bits
    return AddressRange(network.family, mapped, mapped)
