"""Which next hop of several: Linux's hash of a flow, and the part of it that each next hop has.

The hash is that of ``fib_multipath_hash`` (net/ipv4/route.c) and
``rt6_multipath_hash`` (net/ipv6/route.c): SipHash-2-4 over ``struct
flow_keys`` (net/core/flow_dissector.c), addresses and ports each in order of
size, so that both directions of a flow hash alike. Since Linux 6.11 its key
can be set (``net.ipv4.fib_multipath_hash_seed``): with that the simulator and a
kernel choose the same next hop for every packet. Before, and with a seed of 0,
it is drawn at boot. RouterOS 7 has the same code without the setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from compiler.fields import ICMP, ICMPV6, TCP, UDP, UDPLITE, Family
from compiler.simulator.frame import Datagram

__all__ = ["flow_hash", "siphash", "upper_bounds"]

_WORD = 0xFFFFFFFFFFFFFFFF
_ERRORS = frozenset({3, 4, 5, 11, 12})
_ICMP6_INFORMATION = 128
_DISSECTED = frozenset({TCP, UDP, UDPLITE, 33, 132})
"""Protocols whose ports the kernel's dissector reads, as far as datagrams here have them (DCCP, SCTP)."""
_GRE = 47
_ETHERNET_IPV4, _ETHERNET_IPV6 = 0x0800, 0x86DD
_TUNNELS = {4: _ETHERNET_IPV4, 41: _ETHERNET_IPV6}
_IPV4, _IPV4_HEADER, _IPV6_HEADER, _LEAST_WORDS, _WORD_OCTETS = 4, 20, 40, 5, 4


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = v0 + v1 & _WORD
    v1 = (v1 << 13 & _WORD | v1 >> 51) ^ v0
    v0 = v0 << 32 & _WORD | v0 >> 32
    v2 = v2 + v3 & _WORD
    v3 = (v3 << 16 & _WORD | v3 >> 48) ^ v2
    v0 = v0 + v3 & _WORD
    v3 = (v3 << 21 & _WORD | v3 >> 43) ^ v0
    v2 = v2 + v1 & _WORD
    v1 = (v1 << 17 & _WORD | v1 >> 47) ^ v2
    v2 = v2 << 32 & _WORD | v2 >> 32
    return v0, v1, v2, v3


def siphash(octets: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 with 64 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012)."""
    v0, v1 = 0x736F6D6570736575 ^ key[0], 0x646F72616E646F6D ^ key[1]
    v2, v3 = 0x6C7967656E657261 ^ key[0], 0x7465646279746573 ^ key[1]
    padded = octets + bytes(7 - len(octets) % 8) + bytes([len(octets) & 0xFF])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v3 ^= word
        v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3))
        v0 ^= word
    v2 ^= 0xFF
    v0, v1, v2, v3 = _round(*_round(*_round(*_round(v0, v1, v2, v3))))
    return v0 ^ v1 ^ v2 ^ v3


class _Keys(NamedTuple):
    """What is hashed; zero where the policy leaves it out. Addresses are octets."""

    source: bytes
    destination: bytes
    protocol: int = 0
    label: int = 0
    ports: tuple[int, int] = (0, 0)

    def octets(self) -> bytes:
        """``struct flow_keys`` from ``basic`` on, after ``__flow_hash_consistentify``."""
        # The kernel compares IPv4 addresses and ports as the little-endian numbers that they are in its memory.
        low, high = sorted((port.to_bytes(2, "big") for port in self.ports), key=_reversed)
        is_small = len(self.source) == _IPV4
        source, destination = sorted((self.source, self.destination), key=_reversed if is_small else None)
        # basic (n_proto, ip_proto), tags, vlan, cvlan, keyid, ports, icmp, addrs, and the structure's padding.
        head = bytes((0, 0, self.protocol, 0)) + self.label.to_bytes(4, "little") + bytes(20)
        return head + low + high + bytes(4) + source + destination + bytes(4)


def flow_hash(datagram: Datagram, policy: str, seed: int) -> int:
    """The number, 31 bits, that the packet's next hop is chosen by.

    ``policy`` is ``l3`` (addresses; of an ICMP error those of the packet that it
    is about), ``l4`` (addresses, ports and protocol) or ``l3-inner`` (the
    addresses of what IP-in-IP and GRE carry).
    """
    key = seed << 32 | seed
    found = siphash(_keys(datagram, policy).octets(), (key, key)) & 0xFFFFFFFF
    return (found or 1) >> 1


def _keys(datagram: Datagram, policy: str) -> _Keys:
    if policy == "l4":
        # Errors go by their own addresses here.
        has_ports = datagram.protocol in _DISSECTED and not datagram.is_fragment
        ports = (datagram.source_port, datagram.destination_port) if has_ports else (0, 0)
        return _addresses(datagram)._replace(protocol=datagram.protocol, ports=ports)
    if policy == "l3-inner":
        return _carried(_level3(datagram), datagram.protocol, datagram.data or b"")
    if _is_error(datagram) and datagram.quoted is not None:
        return _level3(datagram.quoted)
    return _level3(datagram)


def _addresses(datagram: Datagram) -> _Keys:
    width = datagram.family.width // 8
    return _Keys(datagram.source.to_bytes(width, "big"), datagram.destination.to_bytes(width, "big"))


def _level3(datagram: Datagram) -> _Keys:
    keys = _addresses(datagram)
    if datagram.family is Family.IPV4:
        return keys
    return keys._replace(protocol=datagram.protocol, label=datagram.flow_label)


def _carried(outer: _Keys, protocol: int, data: bytes) -> _Keys:
    """The innermost addresses that the kernel's dissector comes to."""
    keys = outer
    while True:
        if protocol == _GRE:
            kind, data = _in_gre(data)
        else:
            kind = _TUNNELS.get(protocol, 0)
        if kind == _ETHERNET_IPV4 and len(data) >= _IPV4_HEADER and data[0] & 15 >= _LEAST_WORDS:
            keys = _Keys(data[12:16], data[16:20])
            protocol, cut = data[9], int.from_bytes(data[6:8], "big") & 0x3FFF
            data = data[(data[0] & 15) * 4 :]
            if cut:
                return keys
        elif kind == _ETHERNET_IPV6 and len(data) >= _IPV6_HEADER:
            protocol = data[6]
            keys = _Keys(data[8:24], data[24:40], protocol, int.from_bytes(data[:4], "big") & 0xFFFFF)
            data = data[_IPV6_HEADER:]
        else:
            return keys


def _in_gre(data: bytes) -> tuple[int, bytes]:
    """The kind of what GRE carries (RFC 2784, RFC 2890), 0 where the dissector does not look, and the thing itself."""
    if len(data) < _WORD_OCTETS or data[0] & 0x40 or data[1] & 7:
        return 0, b""
    words = 1 + sum(bool(data[0] & bit) for bit in (0x80, 0x20, 0x10))
    return int.from_bytes(data[2:4], "big"), data[words * _WORD_OCTETS :]


def _reversed(octets: bytes) -> bytes:
    return octets[::-1]


def _is_error(datagram: Datagram) -> bool:
    if datagram.family is Family.IPV4:
        return datagram.protocol == ICMP and datagram.icmp_type in _ERRORS
    return datagram.protocol == ICMPV6 and datagram.icmp_type < _ICMP6_INFORMATION


def upper_bounds(weights: Sequence[int]) -> list[int]:
    """Up to which hash each next hop is taken (``fib_rebalance``, net/ipv4/fib_semantics.c)."""
    total, so_far, bounds = sum(weights), 0, []
    for weight in weights:
        so_far += weight
        bounds.append(((so_far << 31) + total // 2) // total - 1)
    return bounds
