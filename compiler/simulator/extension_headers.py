"""IPv6 extension headers (RFC 8200, 4): as ``Datagram.options`` holds them, and as the wire does.

On the wire each header's first octet names the next one. In ``options`` it
names the header itself, so the octets can be read without the header before
them; the length is the same. Authentication and ESP are protocols here, as
they are to Linux's ``meta l4proto``.

A Fragment header stands in ``options`` only where the datagram alone does not
say it: when other headers follow it, and in an atomic fragment (RFC 6946).
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = [
    "DESTINATION",
    "FRAGMENT",
    "HOP_BY_HOP",
    "ROUTING",
    "cut",
    "final_destination",
    "headers",
    "split",
    "to_wire",
]

HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
_KNOWN = frozenset({HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION})


def headers(options: bytes) -> Iterator[bytes]:
    """Each header of ``options``. ValueError when they are not whole headers."""
    start = 0
    while start < len(options):
        length = 8 if options[start] == FRAGMENT else (options[start + 1 : start + 2] or b"\0")[0] * 8 + 8
        if options[start] not in _KNOWN:
            raise ValueError(f"{options[start]} is not the number of an IPv6 extension header")
        if start + length > len(options):
            raise ValueError("IPv6 extension headers end before they should")
        yield options[start : start + length]
        start += length


def to_wire(options: bytes, protocol: int) -> tuple[int, bytes]:
    """``options`` before ``protocol`` as sent: the number of the first header, and the octets."""
    first, made = protocol, b""
    for header in reversed(tuple(headers(options))):
        made = bytes((first,)) + header[1:] + made
        first = header[0]
    return first, made


def cut(octets: bytes, first: int) -> tuple[list[bytes], int, int]:
    """Read the headers at the start of ``octets``, of which the first has the number ``first``.

    Gives them as ``options`` has them, the protocol after them, and their
    length. It stops behind a Fragment header, and before a header that is not
    there in full.
    """
    made = []
    position = 0
    while first in _KNOWN and position + 8 <= len(octets):
        length = 8 if first == FRAGMENT else octets[position + 1] * 8 + 8
        if position + length > len(octets):
            break
        header = octets[position : position + length]
        made.append(bytes((first,)) + header[1:])
        first = header[0]
        position += length
        if made[-1][0] == FRAGMENT:
            break
    return made, first, position


def split(options: bytes) -> tuple[bytes, bytes]:
    """The headers that each fragment repeats, and those that are divided with the payload (RFC 8200, 4.5).

    The first part ends after a routing or hop-by-hop header; a Fragment header is in neither.
    """
    parts = [header for header in headers(options) if header[0] != FRAGMENT]
    last = max((index for index, header in enumerate(parts) if header[0] in {HOP_BY_HOP, ROUTING}), default=-1)
    return b"".join(parts[: last + 1]), b"".join(parts[last + 1 :])


def final_destination(options: bytes, destination: int) -> int:
    """Where the datagram will be in the end, which checksums count (RFC 8200, 8.1; RFC 8754 for segment routing)."""
    for header in headers(options):
        if header[0] == ROUTING and header[3] and len(header) >= 24:
            return int.from_bytes(header[8:24] if header[2] == 4 else header[-16:])
    return destination
