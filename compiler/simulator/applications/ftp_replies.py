"""Addresses in FTP commands and replies: PORT and PASV (RFC 959), EPRT and EPSV (RFC 2428)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

from compiler.addresses import format_address, parse_address
from compiler.fields import Family
from compiler.simulator.sockets import Endpoint

__all__ = [
    "DYNAMIC_PORTS",
    "data_ports",
    "format_eprt",
    "format_epsv",
    "format_port",
    "parse_eprt",
    "parse_epsv",
    "parse_port",
]

DYNAMIC_PORTS = (49152, 65535)
"""First and last (RFC 6335)."""

_SIX = re.compile(r"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})")
_EPSV = re.compile(r"\((.)\1\1(\d{1,5})\1\)")


def format_port(endpoint: Endpoint) -> str:
    """``h1,h2,h3,h4,p1,p2``."""
    octets = (*endpoint.address.to_bytes(4, "big"), *endpoint.port.to_bytes(2, "big"))
    return ",".join(str(octet) for octet in octets)


def parse_port(text: str) -> Endpoint | None:
    """The endpoint in a PORT argument or a 227 reply, or None."""
    found = _SIX.search(text)
    if found is None:
        return None
    octets = [int(group) for group in found.groups()]
    if max(octets) > 255:
        return None
    return Endpoint(Family.IPV4, int.from_bytes(octets[:4], "big"), octets[4] << 8 | octets[5])


def format_eprt(endpoint: Endpoint) -> str:
    """``|2|2001:db8::1|50000|``; 1 is IPv4."""
    kind = 1 if endpoint.family is Family.IPV4 else 2
    return f"|{kind}|{format_address(endpoint.address, endpoint.family.width)}|{endpoint.port}|"


def parse_eprt(text: str) -> Endpoint | None:
    """The endpoint in an EPRT argument, or None."""
    parts = text.split(text[:1]) if text else []
    if len(parts) != 5 or parts[1] not in ("1", "2") or not parts[3].isdigit() or int(parts[3]) > 65535:
        return None
    try:
        address, width = parse_address(parts[2])
    except ValueError:
        return None
    family = Family.IPV4 if parts[1] == "1" else Family.IPV6
    return Endpoint(family, address, int(parts[3])) if width == family.width else None


def format_epsv(port: int) -> str:
    """``(|||50000|)``."""
    return f"(|||{port}|)"


def parse_epsv(text: str) -> int | None:
    """The port in a 229 reply, or None."""
    found = _EPSV.search(text)
    return int(found.group(2)) if found and int(found.group(2)) <= 65535 else None


def data_ports(session: str, turn: int, first: int, last: int) -> Iterator[int]:
    """The ports to try for the ``turn``-th data connection of a session, each once.

    They depend on the session's name alone, so that a session says the same
    whatever happens beside it, in the simulator and in the kernel.
    """
    count = last - first + 1
    start = crc32(f"{session}/{turn}".encode()) % count
    return (first + (start + step) % count for step in range(count))
