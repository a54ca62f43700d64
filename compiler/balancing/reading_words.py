"""Single words of the intent: names, addresses, ports. Every reader raises ValueError with what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.placed import addresses
from compiler.placed.complaints import Complaints
from compiler.placed.fields import as_items, parse
from compiler.placed.places import PlacedValue
from compiler.policy.network import InterfaceAddress, Prefix

__all__ = ["PROTOCOLS", "interface", "ipv4", "ipv4_interface", "ipv4_prefix", "listed", "name", "port_range", "ports"]

T = TypeVar("T")

PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "gre": 47, "ipsec-esp": 50}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")
_INTERFACE = re.compile(r"[!-~](?:[ -~]{0,61}[!-~])?")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


def name(text: str) -> str:
    """A name that every device takes: small letters, digits and hyphens, fifteen at most."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r}: expected a name of small letters, digits and '-', at most 15")
    return text


def interface(text: str) -> str:
    """An interface's name on the device: printable ASCII, blanks within. Writers refuse what a target cannot hold."""
    if not _INTERFACE.fullmatch(text):
        raise ValueError(f"{text!r}: expected the name of an interface")
    return text


def ipv4(text: str) -> int:
    """An address of one host."""
    family, value = addresses.address(text)
    if family is not Family.IPV4:
        raise ValueError(f"{text!r}: balancing is of IPv4")
    if value >> 28 >= 0xE or value >> 24 in (0, 127):
        raise ValueError(f"{text!r} is no address of a host")
    return value


def ipv4_interface(text: str) -> InterfaceAddress:
    """``address/length``."""
    found = addresses.interface_address(text)
    if found.family is not Family.IPV4:
        raise ValueError(f"{text!r}: balancing is of IPv4")
    return found


def ipv4_prefix(text: str) -> Prefix:
    """``network/length`` or a host."""
    found = addresses.prefix(text)
    if found.family is not Family.IPV4:
        raise ValueError(f"{text!r}: balancing is of IPv4")
    return found


def port_range(text: str) -> tuple[int, int]:
    """``80`` or ``6000-6010``."""
    found = _PORTS.fullmatch(text)
    low = int(found[1]) if found else 0
    high = int(found[2] or found[1]) if found else 0
    if not 1 <= low <= high <= 65535:
        raise ValueError(f"{text!r}: expected a port such as 80, or a range such as 6000-6010")
    return low, high


def ports(texts: tuple[tuple[int, int], ...]) -> IntegerSet | None:
    """Ranges as a set; None for none."""
    return IntegerSet.of(texts) if texts else None


def listed(value: PlacedValue | None, reader: Callable[[str], T], complaints: Complaints) -> tuple[T, ...]:
    """What ``reader`` makes of one value or of a list; what is wrong is told and left out."""
    found = (parse(item, reader, complaints) for item in as_items(value))
    return tuple(one for one in found if one is not None)
