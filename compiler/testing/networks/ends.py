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

__all__ = ["Beyond", "Place", "addresses_of", "places"]


class Beyond(NamedTuple):
    """Addresses outside the drawing, and the ports without a cable that lead there."""

    name: str
    addresses: AddressSet
    ports: tuple[PortName, ...]


Place = HostEnd | Beyond


def places(model: NetworkModel, text: str) -> tuple[Place, ...]:
    """What the text names: ``anna``, ``client-*``, ``198.51.100.0/24``. UsageError when there is no such thing."""
    hosts = tuple(host for host in model.hosts if fnmatchcase(host.name, text))
    if hosts:
        return hosts
    known = ", ".join(host.name for host in model.hosts) or "none"
    try:
        named = addresses(text)
    except UsageError as error:
        raise UsageError(f"no host is called {text!r} (there are {known}), and it is no address: {error}") from error
    if named is None:
        raise UsageError(f"{text!r} is no end: name a host ({known}) or the addresses beyond a port")
    owners = tuple(
        host for host in model.hosts if any(_holds(named, one.family, one.address) for one in host.addresses)
    )
    if owners:
        return owners
    ports = _outside(model, named)
    if not ports:
        raise UsageError(f"no host has an address of {text}, and no port without a cable leads out to it")
    return (Beyond(text, named, ports),)


def addresses_of(place: Place, family: Family) -> AddressSet | None:
    """The addresses of an end in one family, or None where it has none."""
    if isinstance(place, Beyond):
        return place.addresses if place.addresses.width == family.width else None
    own = [(one.address, one.address) for one in place.addresses if one.family is family]
    return AddressSet.of(family.width, ranges=own) if own else None


def _holds(named: AddressSet, family: Family, address: int) -> bool:
    return named.width == family.width and named.contains(address)


def _outside(model: NetworkModel, named: AddressSet) -> tuple[PortName, ...]:
    """Ports that lead out of the drawing: to a network of these addresses, else wherever."""
    segments = Segments(model)
    held = model.addresses()
    anywhere = tuple(port for port in held if segments.is_outside(port))
    near = tuple(port for port in anywhere if any(_meets(named, one) for one in held[port]))
    return near or anywhere


def _meets(named: AddressSet, one: InterfaceAddress) -> bool:
    if named.width != one.family.width:
        return False
    shift = one.family.width - one.length
    low = one.address >> shift << shift
    return not named.intersection(AddressSet.of(named.width, ranges=[(low, low + (1 << shift) - 1)])).is_empty
