"""The NAT stations of a chain firewall: which translation a new connection gets, and every packet rewritten."""

from __future__ import annotations

from collections.abc import Callable

from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.policy.ruleset import Chain, Hook, Verdict
from compiler.policy.stateful import AddressRange, State, Translate, Translation
from compiler.simulator.router.chains import Chains, Decision
from compiler.simulator.router.connections import WITH_PORTS, Connection
from compiler.simulator.router.ftp_helper import Expectation
from compiler.simulator.router.memory import Memory, numbers
from compiler.simulator.router.rewriting import rewrite
from compiler.simulator.router.routes import Routes
from compiler.simulator.router.transit import Transit
from compiler.simulator.router.translation import bind_destination, bind_source
from compiler.simulator.wire import header_length

__all__ = ["AddressTranslation"]

_SOURCE = frozenset({Translation.SOURCE, Translation.MASQUERADE, Translation.NETMAP_SOURCE})
_LOOPBACK = 0x7F000001
_REDIRECT, _REDIRECT_V6 = 5, 137
_GRE = 47
_DROPPED = Decision(Verdict.DROP, None)


class AddressTranslation:
    """What the nat chains of one router do (net/netfilter/nf_nat_core.c, nf_nat_inet_fn).

    With ``keeps_interface`` a masqueraded connection whose packets come to
    leave by another interface is forgotten (Linux: nf_nat_oif_changed).
    """

    def __init__(
        self, chains: Chains, base: tuple[Chain, ...], memory: Memory, routes: Routes, *, keeps_interface: bool
    ) -> None:
        self._chains = chains
        self._keeps_interface = keeps_interface
        self._base = {hook: tuple(chain for chain in base if chain.hook is hook) for hook in Hook}
        self._memory = memory
        self._routes = routes
        self._numbers: dict[int, Callable[[Transit], int]] = {}
        """By the identity of the rule's translation: rules that read alike count each for itself."""
        self.families = frozenset(family for chain in base for family in chain.families)
        """Families with a nat chain at any hook: only then is anything translated, or its ports kept apart."""
        self.masqueraded: dict[Connection, str] = {
            one: one.interface for one in memory.connections.all() if one.interface
        }
        """Connections that go out under the address of an interface, until that goes away."""
        chains.translate = self._translate
        memory.connections.on_expected = self._follow_master
        memory.connections.on_gone = self._gone

    def station(self, transit: Transit, hook: Hook) -> Decision | None:
        """Translate the packet; a decision where it must be dropped."""
        connection = transit.connection
        if connection is None or transit.datagram.family not in self.families:
            return None
        source = hook is Hook.POSTROUTING or hook is Hook.INPUT
        if transit.is_related:
            if _is_redirect(transit) and not _may_redirect(connection):
                return _DROPPED
        elif ("source" if source else "destination") not in connection.translated:
            dropped = self._settle(transit, connection, hook, source)
            if dropped is not None:
                return dropped
        elif self._has_moved(transit, connection, source):
            self._memory.connections.remove(connection)
            return _DROPPED
        if (transit.is_related or transit.datagram.protocol == _GRE) and _is_short(transit, connection, source):
            return _DROPPED
        rewrite(transit.datagram, connection, is_reply=transit.is_reply, is_related=transit.is_related, source=source)
        return None

    def _has_moved(self, transit: Transit, connection: Connection, source: bool) -> bool:
        """Whether a masqueraded packet is about to leave by another interface than its first one."""
        is_watched = self._keeps_interface and source and not transit.is_reply
        return is_watched and connection.interface not in ("", transit.egress)

    def interface_gone(self, name: str) -> None:
        """Forget the connections that were masqueraded behind the interface."""
        for connection in [one for one, interface in self.masqueraded.items() if interface == name]:
            self._memory.connections.remove(connection)

    def _gone(self, connection: Connection) -> None:
        self.masqueraded.pop(connection, None)

    def _settle(self, transit: Transit, connection: Connection, hook: Hook, source: bool) -> Decision | None:
        """Ask the chains once for each side of a connection; without an answer it keeps its address."""
        if transit.state not in (State.NEW, State.RELATED):
            return None
        side = "source" if source else "destination"
        for chain in self._base[hook]:
            if transit.datagram.family in chain.families:
                decision = self._chains.run(chain, transit)
                if decision.verdict in (Verdict.DROP, Verdict.REJECT):
                    return decision
                if side in connection.translated:
                    return None
        if "confirmed" not in connection.status:
            if source:
                bind_source(self._memory.connections, connection, None, None, self._memory.random)
            else:
                bind_destination(self._memory.connections, connection, None, None)
        return None

    def _follow_master(self, connection: Connection, plan: Expectation) -> None:
        """A data connection is translated as its control connection was (nf_nat_follow_master)."""
        family, connections, random = connection.original.family, self._memory.connections, self._memory.random
        if plan.follows:
            bind_source(connections, connection, _single(family, plan.source), None, random)
            bind_destination(connections, connection, _single(family, plan.destination), (plan.port, plan.port))

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
        if "confirmed" in connection.status:
            return True
        if not source:
            bind_destination(memory.connections, connection, address, asked.ports, persistent=asked.persistent)
            return True
        if asked.kind is Translation.MASQUERADE:
            self.masqueraded[connection] = connection.interface = transit.egress
        bind_source(
            memory.connections,
            connection,
            address,
            asked.ports,
            memory.random,
            persistent=asked.persistent,
            shuffle=asked.random,
        )
        return True

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
        if id(asked) not in self._numbers:
            source = numbers(asked.number, self._memory)
            self._numbers[id(asked)] = lambda one: source.draw(one.datagram)
        drawn = self._numbers[id(asked)](transit)
        return next((addresses for values, addresses in asked.table if values.contains(drawn)), None)


def _is_short(transit: Transit, connection: Connection, source: bool) -> bool:
    """Translation needs eight octets of layer 4, in a quote too, else the packet is dropped (nf_nat_proto.c)."""
    if ("snat" if source is not transit.is_reply else "dnat") not in connection.status:
        return False
    datagram = transit.datagram
    room = datagram.size - header_length(datagram)
    quoted = datagram.quoted
    if not transit.is_related:
        return datagram.protocol == _GRE and room < 8
    if quoted is None or quoted.fragment_offset:
        return False
    return (quoted.protocol == _GRE or quoted.protocol in WITH_PORTS) and room - 8 - header_length(quoted) < 8


def _is_redirect(transit: Transit) -> bool:
    datagram = transit.datagram
    return datagram.icmp_type == (_REDIRECT if datagram.family is Family.IPV4 else _REDIRECT_V6)


def _may_redirect(connection: Connection) -> bool:
    """Redirects about translated connections make no sense to their receiver."""
    return len(connection.translated) == 2 and connection.status.isdisjoint({"snat", "dnat"})


def _single(family: Family, address: int | None) -> AddressRange | None:
    return None if address is None else AddressRange(family, address, address)


def _mapped(network: AddressRange, address: int) -> AddressRange:
    """The host part of the address in the other network (nft ``prefix to``, RouterOS ``netmap``)."""
    host_bits = network.first ^ network.last
    mapped = network.first & ~host_bits | address & host_bits
    return AddressRange(network.family, mapped, mapped)
