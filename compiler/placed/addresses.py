"""Addresses as our files write them: ``10.0.0.2/24`` on an interface, ``10.0.0.0/24`` elsewhere, plain ones."""

from __future__ import annotations

from compiler.addresses import format_address, parse_address
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress, Prefix

__all__ = ["address", "default_prefix", "family_of", "interface_address", "prefix", "show", "show_prefix"]


def family_of(width: int) -> Family:
    """The family whose addresses have so many bits."""
    return Family.IPV4 if width == 32 else Family.IPV6


def address(text: str) -> tuple[Family, int]:
    """A plain address; ValueError with what was expected."""
    if "/" in text:
        raise ValueError(f"{text!r}: expected an address without a length")
    value, width = parse_address(text)
    return family_of(width), value


def interface_address(text: str) -> InterfaceAddress:
    """``address/length`` of an interface; ValueError for the network's own or its broadcast address."""
    plain, length = _split(text)
    if length is None:
        raise ValueError(f"{text!r} has no length: expected an address such as '10.0.0.2/24'")
    value, width = parse_address(plain)
    _check_length(text, length, width)
    host = (1 << (width - length)) - 1
    if width == 32 and length <= 30 and value & host in (0, host):
        which = "broadcast address of" if value & host else "address of the network"
        raise ValueError(f"{text!r} is the {which} {show_prefix(_masked(value, length, width))}, not a host's")
    return InterfaceAddress(family_of(width), value, length)


def prefix(text: str) -> Prefix:
    """``network/length``; a plain address is a host's. ValueError where host bits are set."""
    plain, length = _split(text)
    value, width = parse_address(plain)
    if length is None:
        length = width
    _check_length(text, length, width)
    network = _masked(value, length, width)
    if network.value != value:
        raise ValueError(f"{text!r} has host bits: meant {show_prefix(network)}?")
    return network


def default_prefix(family: Family) -> Prefix:
    """All addresses of the family."""
    return Prefix(family, 0, 0)


def show(family: Family, value: int) -> str:
    """The text of an address."""
    return format_address(value, family.width)


def show_prefix(network: Prefix) -> str:
    """The text of a network."""
    return f"{show(network.family, network.value)}/{network.length}"


def _split(text: str) -> tuple[str, int | None]:
    plain, slash, length = text.partition("/")
    if not slash:
        return plain, None
    if not (length.isascii() and length.isdigit()):
        raise ValueError(f"{text!r}: expected a length in bits after '/'")
    return plain, int(length)


def _check_length(text: str, length: int, width: int) -> None:
    if length > width:
        raise ValueError(f"{text!r}: a length is at most {width}")


def _masked(value: int, length: int, width: int) -> Prefix:
    shift = width - length
    return Prefix(family_of(width), value >> shift << shift, length)
