"""From the words of a question to its two ends: hosts by name or pattern, or networks beyond a router's port."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.analysis.traffic.constraints import addresses
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress
from compiler.testing.networks.model import HostEnd, NetworkModel, PortName, RouterEnd
from compiler.testing.networks.segments import Segments

__all__ = ["Beyond", "Itself", "Place", "addresses_of", "destinations", "outside", "places"]


class Beyond(NamedTuple):
    """Addresses outside the drawing, and the ports without a cable that lead there."""

    name: str
    addresses: AddressSet
    ports: tuple[PortName, ...]


class Itself(NamedTuple):
    """A router as an end: what is sent to its own addresses, or to those of them that were named, it takes itself."""

    name: str
    addresses: tuple[InterfaceAddress, ...]


Place = HostEnd | Itself | Beyond


def places(model: NetworkModel, text: str) -> tuple[Place, ...]:
    """What the text names, to send: ``anna``, ``client-*``, ``198.51.100.0/24``.

    UsageError when there is no such thing. Routers send nothing: of them only is asked what they take.
    """
    hosts = _named_hosts(model, text)
    if hosts:
        return hosts
    if any(fnmatchcase(router.name, text) for router in model.routers):
        raise UsageError(
            f"{text} is a router, which only reachable, unreachable, via and avoids ask about, as their end"
        )
    sets = _named_addresses(model, text)
    return _found(text, (*_owners(model, sets), *(place for held in sets for place in _beyond(model, text, held))))


def destinations(model: NetworkModel, text: str) -> tuple[Place, ...]:
    """What the text names, to be reached: the same, and routers by name or by their addresses.

    A name or pattern means hosts where any host has it, else routers. Addresses
    beyond a port are those that somebody there can have: no group, no broadcast,
    none of a router's own.
    """
    hosts = _named_hosts(model, text)
    if hosts:
        return hosts
    routers = {router.name: _own(router) for router in model.routers}
    named = tuple(Itself(name, own) for name, own in routers.items() if own and fnmatchcase(name, text))
    if named:
        return named
    sets = _named_addresses(model, text)
    themselves = (
        Itself(name, held)
        for name, own in routers.items()
        if (held := tuple(one for one in own if any(_holds(named, one.family, one.address) for named in sets)))
    )
    beyond = (place for held in sets for place in _beyond(model, text, held.intersection(_unheld(model, held.width))))
    return _found(text, (*_owners(model, sets), *themselves, *beyond))


def _named_hosts(model: NetworkModel, text: str) -> tuple[HostEnd, ...]:
    if not text:
        raise UsageError("an end has no name: name a host, or the addresses beyond a port")
    return tuple(host for host in model.hosts if fnmatchcase(host.name, text))


def _named_addresses(model: NetworkModel, text: str) -> tuple[AddressSet, ...]:
    known = ", ".join(host.name for host in model.hosts) or "none"
    try:
        named = addresses(text)
    except UsageError as error:
        raise UsageError(f"no host is called {text!r} (there are {known}), and it is no address: {error}") from error
    return (named,) if named is not None else _every(text)


def _owners(model: NetworkModel, sets: tuple[AddressSet, ...]) -> tuple[HostEnd, ...]:
    return tuple(
        host
        for host in model.hosts
        if any(_holds(held, one.family, one.address) for one in host.addresses for held in sets)
    )


def _found(text: str, found: tuple[Place, ...]) -> tuple[Place, ...]:
    if not found:
        raise UsageError(f"no host has an address of {text}, and no port without a cable leads out to it")
    return found


def _own(router: RouterEnd) -> tuple[InterfaceAddress, ...]:
    return tuple(one for interface in router.network.interfaces for one in interface.addresses)


def _unheld(model: NetworkModel, width: int) -> AddressSet:
    """All addresses that somebody beyond a port can have: no broadcast of a network, none of a router's own."""
    taken = [
        (one.address, one.address) for router in model.routers for one in _own(router) if one.family.width == width
    ]
    for held in _ports(model).values():
        for one in held:
            if one.family is Family.IPV4 and width == one.family.width and one.length < 31:
                low, high = _network(one).hull()
                taken += [(low, low), (high, high)]
    return AddressSet.of(width, ranges=taken).complement()


def _every(text: str) -> tuple[AddressSet, ...]:
    """``0.0.0.0/0``, ``::/0``, or ``any`` for both."""
    families = tuple(one for one in Family if (":" if one is Family.IPV6 else ".") in text) or tuple(Family)
    return tuple(AddressSet.any(family.width) for family in families)


def outside(model: NetworkModel) -> tuple[Beyond, ...]:
    """All addresses of a family that may come in by the ports without a cable, where there are such ports."""
    return tuple(
        Beyond("outside", AddressSet.any(family.width), ports)
        for family in Family
        if (ports := tuple(port for port, held in _ports(model).items() if any(one.family is family for one in held)))
    )


def addresses_of(place: Place, family: Family) -> AddressSet | None:
    """The addresses of an end in one family, or None where it has none."""
    if isinstance(place, Beyond):
        return place.addresses if place.addresses.width == family.width else None
    own = [(one.address, one.address) for one in place.addresses if one.family is family]
    return AddressSet.of(family.width, ranges=own) if own else None


_NOBODYS = {
    Family.IPV4: ((0, (1 << 24) - 1), (127 << 24, (128 << 24) - 1), (0xE0 << 24, (0xF0 << 24) - 1), (0xFFFFFFFF,) * 2),
    Family.IPV6: ((0, 1), (0xFE80 << 112, (0xFEC0 << 112) - 1), (0xFF << 120, (1 << 128) - 1)),
}
"""This network, loopback, groups, the limited broadcast; unspecified, link-local: nobody far away (RFC 6890)."""


def _holds(named: AddressSet, family: Family, address: int) -> bool:
    return named.width == family.width and named.contains(address)


def _beyond(model: NetworkModel, text: str, named: AddressSet) -> tuple[Beyond, ...]:
    """The addresses that are on no drawn network, and the ports that lead out: those on their network, else all."""
    ports = _ports(model)
    nobodys = next(ranges for family, ranges in _NOBODYS.items() if family.width == named.width)
    named = named.intersection(AddressSet.of(named.width, ranges=nobodys).complement())
    drawn = (
        _network(one)
        for port, held in model.addresses().items()
        if port not in ports
        for one in held
        if one.family.width == named.width
    )
    for one in drawn:
        named = named.intersection(one.complement())
    near = tuple(port for port, held in ports.items() if any(_meets(named, one) for one in held))
    chosen = near or tuple(ports)
    return (Beyond(text, named, chosen),) if chosen and not named.is_empty else ()


def _ports(model: NetworkModel) -> dict[PortName, tuple[InterfaceAddress, ...]]:
    """The ports of routers without a cable, with their addresses."""
    segments = Segments(model)
    routers = {router.name for router in model.routers}
    return {
        port: held for port, held in model.addresses().items() if port.node in routers and segments.is_outside(port)
    }


def _meets(named: AddressSet, one: InterfaceAddress) -> bool:
    return named.width == one.family.width and not named.intersection(_network(one)).is_empty


def _network(one: InterfaceAddress) -> AddressSet:
    shift = one.family.width - one.length
    low = one.address >> shift << shift
    return AddressSet.of(one.family.width, ranges=[(low, low + (1 << shift) - 1)])
