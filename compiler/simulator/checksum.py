"""Checksums of the Internet (RFC 1071) and of SCTP (RFC 9260, appendix A).

A one's complement sum is a remainder modulo 65535, and 65536 leaves 1, so a
string of octets and a sum of header fields alike are just numbers to add.
"""

from __future__ import annotations

__all__ = ["crc32c", "finish", "number"]


def number(octets: bytes) -> int:
    """What ``octets``, which begin at an even place, add to a sum."""
    return int.from_bytes(octets) << 8 * (len(octets) & 1)


def finish(total: int) -> int:
    """The checksum field for a sum that is above zero."""
    return -total % 0xFFFF


def _table() -> tuple[int, ...]:
    made = []
    for octet in range(256):
        register = octet
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
        made.append(register)
    return tuple(made)


_CRC = _table()


def crc32c(octets: bytes) -> int:
    """The CRC of SCTP, as the number whose octets are sent in little-endian order."""
    register = 0xFFFFFFFF
    table = _CRC
    for octet in octets:
        register = register >> 8 ^ table[(register ^ octet) & 0xFF]
    return register ^ 0xFFFFFFFF
