"""What single rows say: addresses, networks, tables, distances, interfaces. None where a value cannot be read."""

from __future__ import annotations

from compiler.balancing.lints.rows import ROUTES, Reading, Row
from compiler.fields import Family
from compiler.policy.network import InterfaceAddress, Prefix

__all__ = [
    "address_of",
    "default_routes",
    "distance_of",
    "interfaces_of",
    "list_members",
    "network_of",
    "parse_prefix",
    "parse_v4",
    "table_of",
]


def network_of(address: InterfaceAddress) -> Prefix:
    """The network that an address lies in."""
    host = (1 << (32 - address.length)) - 1
    return Prefix(Family.IPV4, address.address & ~host, address.length)


def parse_v4(text: str) -> int | None:
    """An IPv4 address, or None."""
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        return None
    return int.from_bytes(bytes(int(part) for part in parts), "big")


def parse_prefix(text: str) -> Prefix | None:
    """``1.2.3.4`` or ``1.2.3.4/24``, with host bits cleared, or None."""
    base, slash, length = text.partition("/")
    address = parse_v4(base)
    if address is None or (slash and not (length.isdigit() and int(length) <= 32)):
        return None
    return network_of(InterfaceAddress(Family.IPV4, address, int(length) if slash else 32))


def address_of(row: Row) -> InterfaceAddress | None:
    """The address of a row of ``/ip address``, or None where it cannot be read."""
    base, slash, length = row["address"].partition("/")
    address, mask = parse_v4(base), parse_v4(row["netmask"])
    if address is None:
        return None
    if slash:
        return InterfaceAddress(Family.IPV4, address, int(length)) if length.isdigit() and int(length) <= 32 else None
    return InterfaceAddress(Family.IPV4, address, 32 if mask is None else mask.bit_count())


def default_routes(reading: Reading) -> list[Row]:
    """The active default routes that have a gateway."""
    return [row for row in reading.of(ROUTES) if row["dst-address"] in ("", "0.0.0.0/0") and row["gateway"]]


def table_of(row: Row) -> str:
    """The table, or in version 6 the mark, of a route."""
    return row["routing-table"] or row["routing-mark"] or "main"


def list_members(reading: Reading, name: str) -> tuple[str, ...]:
    """The interfaces of an interface list."""
    rows = reading.of(("interface", "list", "member"))
    return tuple(row["interface"] for row in rows if row["list"] == name)


def interfaces_of(reading: Reading, row: Row, side: str) -> tuple[str, ...]:
    """The interfaces that a rule asks for by name or by list; ``side`` is ``in`` or ``out``."""
    name, group = row[f"{side}-interface"], row[f"{side}-interface-list"]
    plain = (name,) if name and not name.startswith("!") else ()
    return plain + (list_members(reading, group) if group and not group.startswith("!") else ())


def distance_of(row: Row) -> int:
    """The distance of a route."""
    return int(row["distance"]) if row["distance"].isdigit() else 1
