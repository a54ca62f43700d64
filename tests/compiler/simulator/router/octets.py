"""Packets for tests of routers, as octets: addresses and ports in text."""

from __future__ import annotations

from compiler.addresses import parse_address
from compiler.fields import ICMP, ICMPV6, TCP, UDP, Family
from compiler.simulator.fragments import fragment
from compiler.simulator.frame import Datagram
from compiler.simulator.wire import decode, encode

__all__ = ["echo", "error", "parts", "read", "tcp", "udp"]

_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}


def _made(source: str, destination: str, protocol: int, header: int, data: bytes) -> Datagram:
    value, width = parse_address(source)
    family = Family.IPV4 if width == 32 else Family.IPV6
    size = (20 if family is Family.IPV4 else 40) + header + len(data)
    made = Datagram(family, value, parse_address(destination)[0], protocol, size, data=data)
    made.identification = 7
    return made


def udp(source: str, source_port: int, destination: str, destination_port: int, data: bytes = b"") -> bytes:
    """A UDP datagram."""
    made = _made(source, destination, UDP, 8, data)
    made.source_port, made.destination_port = source_port, destination_port
    return encode(made)


def tcp(
    source: str,
    source_port: int,
    destination: str,
    destination_port: int,
    flags: str,
    sequence: int = 1000,
    acknowledgement: int = 0,
    data: bytes = b"",
    ttl: int = 64,
) -> bytes:
    """A TCP segment; ``flags`` by their initials."""
    made = _made(source, destination, TCP, 20, data)
    made.source_port, made.destination_port = source_port, destination_port
    made.tcp_flags = sum(_FLAGS[flag] for flag in flags)
    made.sequence, made.acknowledgement, made.window, made.ttl = sequence, acknowledgement, 8000, ttl
    return encode(made)


def echo(source: str, destination: str, identifier: int, *, reply: bool = False, data: bytes = b"ping") -> bytes:
    """An ICMP echo request or reply."""
    v6 = ":" in source
    made = _made(source, destination, ICMPV6 if v6 else ICMP, 8, data)
    made.icmp_type = (129 if v6 else 0) if reply else (128 if v6 else 8)
    made.identifier = identifier
    return encode(made)


def error(source: str, destination: str, kind: int, code: int, quoted: bytes, rest: int = 0) -> bytes:
    """An ICMP error about octets."""
    made = _made(source, destination, ICMPV6 if ":" in source else ICMP, 8, quoted)
    made.icmp_type, made.icmp_code, made.rest = kind, code, rest
    return encode(made)


def parts(octets: bytes, mtu: int, identification: int = 7) -> list[bytes]:
    """The datagram in fragments."""
    whole = decode(octets)
    whole.identification = identification
    return [encode(piece) for piece in fragment(whole, mtu)]


def read(octets: bytes) -> Datagram:
    """What the octets say."""
    return decode(octets)
