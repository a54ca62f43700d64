"""The routes of an end system: its own networks, and a gateway for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from compiler.fields import Family
from compiler.policy.network import InterfaceAddress
from compiler.simulator.hosts.headers import is_group

if TYPE_CHECKING:
    from compiler.simulator.hosts.interface import Interface

__all__ = ["HostRoutes", "Way"]

_BROADCAST = 0xFFFFFFFF


class Way(NamedTuple):
    """How a datagram leaves: interface, next hop, and the address to send from."""

    interface: Interface
    next_hop: int
    source: int


class HostRoutes:
    """Looks up ways, and remembers them until something changes."""

    __slots__ = ("_gateways", "_interfaces", "_known", "keys")

    def __init__(self) -> None:
        self._interfaces: tuple[Interface, ...] = ()
        self._gateways: dict[Family, int] = {}
        self._known: dict[int, Way | None] = {}
        self.keys: frozenset[int] = frozenset()
        """The host's own addresses, those of IPv6 inverted: one number for either family."""

    def set_interfaces(self, interfaces: Iterable[Interface]) -> None:
        """These are the interfaces now, with these addresses."""
        self._interfaces = tuple(interfaces)
        self.keys = frozenset(
            one.address if one.family is Family.IPV4 else ~one.address
            for interface in self._interfaces
            for one in interface.addresses
        )
        self._known.clear()

    def set_gateway(self, family: Family, address: int | None) -> None:
        """Where all goes that is on no own network; None: nowhere."""
        self._gateways.pop(family, None)
        if address is not None:
            self._gateways[family] = address
        self._known.clear()

    def has_gateway(self, family: Family) -> bool:
        """Whether there is a default route."""
        return family in self._gateways

    def way(self, family: Family, destination: int) -> Way | None:
        """The way to a destination, None when there is none."""
        key = destination if family is Family.IPV4 else ~destination
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._find(family, destination)
            return found

    def is_broadcast(self, destination: int) -> bool:
        """Whether it is the broadcast address of an own IPv4 network, or 255.255.255.255."""
        return destination == _BROADCAST or any(
            destination == _directed(own)
            for interface in self._interfaces
            for own in interface.addresses
            if own.family is Family.IPV4
        )

    def _find(self, family: Family, destination: int) -> Way | None:
        if is_group(family, destination):
            return self._to_group(family, destination)
        found = self._connected(family, destination)
        if found is not None:
            interface, own = found
            hop = _BROADCAST if family is Family.IPV4 and destination == _directed(own) else destination
            return Way(interface, hop, own.address)
        gateway = self._gateways.get(family)
        found = None if gateway is None else self._connected(family, gateway)
        if gateway is None or found is None:
            return None
        return Way(found[0], gateway, found[1].address)

    def _to_group(self, family: Family, destination: int) -> Way | None:
        """Out of the gateway's interface, or of the first one with an address."""
        gateway = self._gateways.get(family)
        found = None if gateway is None else self._connected(family, gateway)
        if found is None:
            found = next(
                (
                    (interface, own)
                    for interface in self._interfaces
                    for own in interface.addresses
                    if own.family is family
                ),
                None,
            )
        return None if found is None else Way(found[0], destination, found[1].address)

    def _connected(self, family: Family, address: int) -> tuple[Interface, InterfaceAddress] | None:
        """The interface whose network has the address; the longest prefix wins."""
        best = None
        for interface in self._interfaces:
            for own in interface.addresses:
                shift = family.width - own.length
                longer = best is None or own.length > best[1].length
                if own.family is family and longer and own.address >> shift == address >> shift:
                    best = (interface, own)
        return best


def _directed(own: InterfaceAddress) -> int | None:
    """The directed broadcast address of an IPv4 network; networks of two addresses or one have none (RFC 3021)."""
    if own.family is not Family.IPV4 or own.length > 30:
        return None
    return own.address | (1 << (32 - own.length)) - 1
