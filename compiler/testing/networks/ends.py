"""From the words of a question to its two ends: hosts by name or pattern, or networks beyond a router's port."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from compiler.addresses import AddressSet
from compiler.analysis.traffic.constraints import addresses
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress
from compiler.testing.networks.model import HostEnd, NetworkModel, PortName
from compiler.testing.networks.segments import Segments

__all__ = ["Beyond", "Place", "addresses_of", "outside", "places"]


class Beyond(NamedTuple):
    """Addresses outside the drawing, and the ports without a cable that lead there."""

    name: str
    addresses: AddressSet
    ports: tuple[PortName, ...]


Place = HostEnd | Beyond


def places(model: NetworkModel, text: str) -> tuple[Place, ...]:
    """What the text names: ``anna``, ``client-*``, ``198.51.100.0/24``. UsageError when there is no such thing."""
    if not text:
        raise UsageError("an end has no name: name a host, or the addresses beyond a port")
    hosts = tuple(host for host in model.hosts if fnmatchcase(host.name, text))
    if hosts:
        return hosts
    known = ", ".join(host.name for host in model.hosts) or "none"
    try:
        named = addresses(text)
    except UsageError as error:
        raise UsageError(f"no host is called {text!r} (there are {known}), and it is no address: {error}") from error
    sets = (named,) if named is not None else _every(text)
    owners = tuple(
        host
        for host in model.hosts
        if any(_holds(held, one.family, one.address) for one in host.addresses for held in sets)
    )
    beyond = tuple(place for held in sets for place in _beyond(model, text, held))
    if not owners and not beyond:
        raise UsageError(f"no host has an address of {text}, and no port without a cable leads out to it")
    return (*owners, *beyond)


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


def _holds(named: AddressSet, family: Family, address: int) -> bool:
    return named.width == family.width and named.contains(address)


def _beyond(model: NetworkModel, text: str, named: AddressSet) -> tuple[Beyond, ...]:
    """The addresses that are on no drawn network, and the ports that lead out: those on their network, else all."""
    ports = _ports(model)
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
