"""Bob Jenkins' hash as the Linux kernel computes it (include/linux/jhash.h), bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from compiler.fields import PORT_PROTOCOLS, WIDTH
from compiler.policy.stateful import Hash
from compiler.simulator.frame import Datagram

__all__ = ["hash_number", "jhash", "reciprocal_scale"]

_WORD = 0xFFFFFFFF
_INITIAL = 0xDEADBEEF


class _Mixed(NamedTuple):
    a: int
    b: int
    c: int


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _WORD


def _mix(a: int, b: int, c: int) -> _Mixed:
    for bits_a, bits_b, bits_c in ((4, 6, 8), (16, 19, 4)):
        a = (a - c & _WORD) ^ _rotated(c, bits_a)
        c = c + b & _WORD
        b = (b - a & _WORD) ^ _rotated(a, bits_b)
        a = a + c & _WORD
        c = (c - b & _WORD) ^ _rotated(b, bits_c)
        b = b + a & _WORD
    return _Mixed(a, b, c)


def _final(a: int, b: int, c: int) -> int:
    c = (c ^ b) - _rotated(b, 14) & _WORD
    a = (a ^ c) - _rotated(c, 11) & _WORD
    b = (b ^ a) - _rotated(a, 25) & _WORD
    c = (c ^ b) - _rotated(b, 16) & _WORD
    a = (a ^ c) - _rotated(c, 4) & _WORD
    b = (b ^ a) - _rotated(a, 14) & _WORD
    return (c ^ b) - _rotated(b, 24) & _WORD


def jhash(key: bytes, seed: int = 0) -> int:
    """The 32-bit hash of the octets, on a little-endian machine."""
    a = b = c = _INITIAL + len(key) + seed & _WORD
    position, left = 0, len(key)
    while left > 12:
        first, second, third = _words(key[position : position + 12])
        a, b, c = _mix(a + first & _WORD, b + second & _WORD, c + third & _WORD)
        position, left = position + 12, left - 12
    if not left:
        return c
    first, second, third = _words(key[position:].ljust(12, b"\0"))
    return _final(a + first & _WORD, b + second & _WORD, c + third & _WORD)


def _words(octets: bytes) -> Sequence[int]:
    return [int.from_bytes(octets[start : start + 4], "little") for start in (0, 4, 8)]


def reciprocal_scale(value: int, ends: int) -> int:
    """A 32-bit number scaled to 0 … ends-1, as the kernel does without dividing."""
    return value * ends >> 32


def hash_number(number: Hash, datagram: Datagram, seed: int) -> int:
    """The number that the datagram's fields hash to; ``seed`` is the device's where the rule names none.

    nft lays several fields out in registers, each padded to four octets, and
    one alone as it is (net/netfilter/nft_hash.c); it scales the hash. RouterOS takes the
    remainder; its key has no padding, and no ports where the protocol has none.
    """
    used = number.seed if number.seed is not None else seed
    if number.per_connection:
        return jhash(_classifier_key(number, datagram), used) % number.modulus + number.offset
    width = 4 if len(number.fields) > 1 else 1
    key = b"".join(_octets(datagram, field).ljust(width, b"\0") for field in number.fields)
    return reciprocal_scale(jhash(key, used), number.modulus) + number.offset


def _classifier_key(number: Hash, datagram: Datagram) -> bytes:
    has_ports = PORT_PROTOCOLS.contains(datagram.protocol)
    return b"".join(_octets(datagram, field) for field in number.fields if has_ports or not field.endswith("_port"))


def _octets(datagram: Datagram, field: str) -> bytes:
    width = datagram.family.width if field in ("source", "destination") else WIDTH[field]
    value: int = getattr(datagram, field)
    return value.to_bytes(width // 8, "big")
