"""Translation on a Cisco router (Cisco, "IP Addressing: NAT Configuration Guide").

Words of Cisco: an inside host has a local and a global address. Simple entries
bind two addresses; extended ones (ports, overload) bind one session, outside
host included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from compiler.fields import ICMP, PORT_PROTOCOLS, TCP, UDP, Family
from compiler.policy.network import DynamicTranslation, Network, StaticTranslation
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import FIN, RST

__all__ = ["CiscoTranslation", "Permits", "Session"]

Permits = Callable[[DynamicTranslation, Datagram, str], bool]
"""Whether the list or route map of a dynamic translation lets a packet be translated that leaves by an interface."""

_SIMPLE_TIMEOUT, _TCP_TIMEOUT, _CLOSING_TIMEOUT = 86_400 * SECOND, 86_400 * SECOND, 60 * SECOND
_UDP_TIMEOUT, _DNS_TIMEOUT, _ICMP_TIMEOUT = 300 * SECOND, 60 * SECOND, 60 * SECOND
_CLASSES = ((0, 511), (512, 1023), (1024, 65535))
"""Overload keeps a port within its class."""
_WITH_PORTS = frozenset(PORT_PROTOCOLS.members())


class Session(NamedTuple):
    """One end pair as seen on one side: protocol, own address and port, the other's."""

    protocol: int
    address: int
    port: int
    other: int
    other_port: int


class _Entry:
    """An extended entry."""

    __slots__ = ("expires", "inside", "outside")

    def __init__(self, inside: Session, outside: Session) -> None:
        self.inside = inside
        self.outside = outside
        self.expires = 0


class CiscoTranslation:
    """The translation table of one router. IPv4 only, as on the router."""

    def __init__(
        self, network: Network, engine: Engine, permits: Callable[[DynamicTranslation, Datagram, str], bool]
    ) -> None:
        self._engine = engine
        self._permits = permits
        self._dynamic = network.dynamic_translations
        self._addresses = {
            interface.name: next((one.address for one in interface.addresses if one.family is Family.IPV4), None)
            for interface in network.interfaces
        }
        self._static = tuple(self._resolved(network.static_translations))
        self._by_inside: dict[Session, _Entry] = {}
        self._by_outside: dict[Session, _Entry] = {}
        self._simple_by_local: dict[int, tuple[int, int]] = {}
        """Global address and time of death, by local address, of pools without overload."""
        self._simple_by_global: dict[int, int] = {}

    def _resolved(self, entries: tuple[StaticTranslation, ...]) -> Iterator[tuple[StaticTranslation, int]]:
        for one in entries:
            address = one.global_address if one.global_address is not None else self._addresses.get(one.interface)
            if address is not None:
                yield one, address

    # -- the two ways ---------------------------------------------------------------------------

    def outwards(self, datagram: Datagram, egress: str) -> bool:
        """A packet from an inside to an outside interface, after routing; False when no address is left for it."""
        if datagram.family is not Family.IPV4:
            return True
        self._outside_local(datagram)
        if datagram.quoted is not None:
            self._quoted_outwards(datagram)
            return True
        session = _outward(datagram)
        entry = self._living(self._by_inside.get(session))
        if entry is None:
            found = self._new(session, datagram, egress)
            if found is False:
                return False
            if found is None:
                return True
            address, port = found
        else:
            address, port = entry.outside.address, entry.outside.port
            self._touch(entry, datagram)
        datagram.source = address
        _set_source_port(datagram, port)
        return True

    def inwards(self, datagram: Datagram) -> None:
        """A packet that came in on an outside interface, before routing."""
        if datagram.family is not Family.IPV4:
            return
        if datagram.quoted is not None:
            self._quoted_inwards(datagram)
        else:
            self._destination(datagram)
        self._outside_global(datagram)

    def _destination(self, datagram: Datagram) -> None:
        session = _inward(datagram)
        entry = self._living(self._by_outside.get(session))
        if entry is not None:
            self._touch(entry, datagram)
            datagram.destination = entry.inside.address
            _set_destination_port(datagram, entry.inside.port)
            return
        local = self._local_of(session)
        if local is not None:
            datagram.destination, port = local
            _set_destination_port(datagram, port)

    # -- what is not there yet --------------------------------------------------------------------

    def _new(self, session: Session, datagram: Datagram, egress: str) -> tuple[int, int] | Literal[False] | None:
        """Global address and port for a session; None to leave it alone, False when nothing is free."""
        for one, address in self._static:
            if not one.outside and _is_local_of(one, session):
                port = one.global_port if one.protocol is not None else session.port
                return _same_host(one, address, session.address), port
        simple = self._simple_by_local.get(session.address)
        if simple is not None and simple[1] > self._engine.now:
            return simple[0], session.port
        for dynamic in self._dynamic:
            if self._permits(dynamic, datagram, egress):
                if dynamic.overload:
                    return self._overload(dynamic, session, datagram)
                return self._bound(dynamic, session)
        return None

    def _overload(
        self, dynamic: DynamicTranslation, session: Session, datagram: Datagram
    ) -> tuple[int, int] | Literal[False]:
        for address in self._globals(dynamic):
            for port in _ports(session):
                outside = Session(session.protocol, address, port, session.other, session.other_port)
                if self._living(self._by_outside.get(outside)) is None and not self._is_static(outside):
                    entry = _Entry(session, outside)
                    self._by_inside[session] = self._by_outside[outside] = entry
                    self._touch(entry, datagram)
                    return address, port
        return False

    def _bound(self, dynamic: DynamicTranslation, session: Session) -> tuple[int, int] | Literal[False]:
        now = self._engine.now
        for address in self._globals(dynamic):
            owner = self._simple_by_global.get(address)
            if owner is None or self._simple_by_local[owner][1] <= now:
                self._simple_by_global[address] = session.address
                self._simple_by_local[session.address] = (address, now + _SIMPLE_TIMEOUT)
                return address, session.port
        return False

    def _globals(self, dynamic: DynamicTranslation) -> Iterator[int]:
        if dynamic.pool is not None:
            yield from range(dynamic.pool.first, dynamic.pool.last + 1)
            return
        address = self._addresses.get(dynamic.interface)
        if address is not None:
            yield address

    def _is_static(self, outside: Session) -> bool:
        return any(not one.outside and _is_global_of(one, address, outside) for one, address in self._static)

    def _local_of(self, session: Session) -> tuple[int, int] | None:
        """The inside local address and port of a global one, by static and simple entries."""
        for one, address in self._static:
            if not one.outside and _is_global_of(one, address, session):
                port = one.local_port if one.protocol is not None else session.port
                return _same_host(one, one.local, session.address), port
        owner = self._simple_by_global.get(session.address)
        if owner is not None and self._simple_by_local[owner][1] > self._engine.now:
            return owner, session.port
        return None

    # -- outside hosts (ip nat outside source static) -------------------------------------------------

    def _outside_global(self, datagram: Datagram) -> None:
        """An outside host's global address becomes the local one that insiders know."""
        for one, address in self._static:
            if one.outside and datagram.source == address:
                datagram.source = one.local
                return

    def _outside_local(self, datagram: Datagram) -> None:
        for one, address in self._static:
            if one.outside and datagram.destination == one.local:
                datagram.destination = address
                return

    # -- ICMP errors ------------------------------------------------------------------------------------

    def _quoted_inwards(self, datagram: Datagram) -> None:
        """An error about a packet that had gone out: what it quotes has the global source."""
        assert datagram.quoted is not None
        quoted = datagram.quoted.copy()
        session = _outward(quoted)
        entry = self._living(self._by_outside.get(session))
        local = (entry.inside.address, entry.inside.port) if entry is not None else self._local_of(session)
        if local is not None:
            if datagram.destination == quoted.source:
                datagram.destination = local[0]
            quoted.source = local[0]
            _set_source_port(quoted, local[1])
            datagram.quoted = quoted

    def _quoted_outwards(self, datagram: Datagram) -> None:
        """An error about a packet that had come in: what it quotes has the local destination."""
        assert datagram.quoted is not None
        quoted = datagram.quoted.copy()
        session = _inward(quoted)
        entry = self._living(self._by_inside.get(session))
        if entry is not None:
            known: tuple[int, int] | None = (entry.outside.address, entry.outside.port)
        else:
            known = next(
                (
                    (
                        _same_host(one, address, session.address),
                        one.global_port if one.protocol is not None else session.port,
                    )
                    for one, address in self._static
                    if not one.outside and _is_local_of(one, session)
                ),
                None,
            )
        if known is not None:
            if datagram.source == quoted.destination:
                datagram.source = known[0]
            quoted.destination = known[0]
            _set_destination_port(quoted, known[1])
            datagram.quoted = quoted

    # -- time ---------------------------------------------------------------------------------------------

    def _living(self, entry: _Entry | None) -> _Entry | None:
        if entry is None or entry.expires > self._engine.now:
            return entry
        self._by_inside.pop(entry.inside, None)
        self._by_outside.pop(entry.outside, None)
        return None

    def _touch(self, entry: _Entry, datagram: Datagram) -> None:
        if datagram.protocol == TCP:
            timeout = _CLOSING_TIMEOUT if datagram.tcp_flags & (FIN | RST) else _TCP_TIMEOUT
        elif datagram.protocol == UDP:
            timeout = _DNS_TIMEOUT if 53 in (entry.inside.other_port, entry.inside.port) else _UDP_TIMEOUT
        else:
            timeout = _ICMP_TIMEOUT
        entry.expires = self._engine.now + timeout


def _numbers(datagram: Datagram) -> tuple[int, int]:
    """Source and destination port; the identifier twice for ICMP queries, 0 for protocols without ports."""
    if datagram.protocol in _WITH_PORTS:
        return datagram.source_port, datagram.destination_port
    if datagram.protocol == ICMP:
        return datagram.identifier, datagram.identifier
    return 0, 0


def _outward(datagram: Datagram) -> Session:
    source, destination = _numbers(datagram)
    return Session(datagram.protocol, datagram.source, source, datagram.destination, destination)


def _inward(datagram: Datagram) -> Session:
    source, destination = _numbers(datagram)
    return Session(datagram.protocol, datagram.destination, destination, datagram.source, source)


def _set_source_port(datagram: Datagram, port: int) -> None:
    if datagram.protocol in _WITH_PORTS:
        datagram.source_port = port
    elif datagram.protocol == ICMP:
        datagram.identifier = port


def _set_destination_port(datagram: Datagram, port: int) -> None:
    if datagram.protocol in _WITH_PORTS:
        datagram.destination_port = port
    elif datagram.protocol == ICMP:
        datagram.identifier = port


def _network_bits(one: StaticTranslation) -> int:
    return (1 << 32 - one.length) - 1


def _is_local_of(one: StaticTranslation, session: Session) -> bool:
    if one.protocol is not None:
        return (one.protocol, one.local, one.local_port) == session[:3]
    return (session.address ^ one.local) & ~_network_bits(one) == 0


def _is_global_of(one: StaticTranslation, address: int, session: Session) -> bool:
    if one.protocol is not None:
        return (one.protocol, address, one.global_port) == session[:3]
    return (session.address ^ address) & ~_network_bits(one) == 0


def _same_host(one: StaticTranslation, network: int, address: int) -> int:
    """The address with its network replaced (``static network``), or the one address that a host entry has."""
    bits = _network_bits(one)
    return network & ~bits | address & bits


def _ports(session: Session) -> Iterator[int]:
    """Global ports to try for a session: its own first, then the others of its class."""
    yield session.port
    if session.protocol not in _WITH_PORTS and session.protocol != ICMP:
        return
    low, high = next(one for one in _CLASSES if one[0] <= session.port <= one[1])
    for step in range(high - low):
        yield low + (session.port - low + 1 + step) % (high - low + 1)
