"""Network address translation as Linux does it (net/netfilter/nf_nat_core.c).

A connection's reply tuple says how it is translated; packets of both
directions, and ICMP errors about them, are rewritten from it. Which port a
translation takes is determined while the client's own is free; otherwise the
kernel draws at random, and so do we.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from compiler.fields import ICMP, ICMPV6, PORT_PROTOCOLS, Family
from compiler.policy.stateful import AddressRange
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import Connection, Connections, Tuple
from compiler.simulator.router.jhash import jhash, reciprocal_scale

__all__ = ["bind_destination", "bind_source", "rewrite"]

_WITH_PORTS = frozenset(PORT_PROTOCOLS.members())
_ATTEMPTS = 128


def bind_source(
    connections: Connections,
    connection: Connection,
    addresses: AddressRange | None,
    ports: tuple[int, int] | None,
    random: Random,
    *,
    persistent: bool = False,
    shuffle: bool = False,
) -> bool:
    """Settle the source that the connection will have beyond this router; None keeps the address.

    False when no port is free: the packet is dropped.
    """
    target = connection.reply.inverted()
    for address in _addresses(addresses, target, target.source, persistent=persistent):
        for port in _source_ports(target, ports, random, shuffle=shuffle):
            wanted = target._replace(source=address, source_port=port).inverted()
            if not connections.is_taken(wanted, connection):
                _settle(connection, wanted, "source", "snat")
                return True
    return False


def bind_destination(
    connections: Connections,
    connection: Connection,
    addresses: AddressRange | None,
    ports: tuple[int, int] | None,
    random: Random,
    *,
    persistent: bool = False,
) -> bool:
    """Settle where the connection really goes; None keeps the address. False when that cannot be told apart."""
    target = connection.reply.inverted()
    port = target.destination_port
    if ports is not None and target.protocol in _WITH_PORTS and not ports[0] <= port <= ports[1]:
        port = ports[0] if ports[0] == ports[1] else random.randint(*ports)
    for address in _addresses(addresses, target, target.destination, persistent=persistent):
        wanted = target._replace(destination=address, destination_port=port).inverted()
        if not connections.is_taken(wanted, connection):
            _settle(connection, wanted, "destination", "dnat")
            return True
    # The kernel gives up on uniqueness of a destination; the clash shows when the connection is confirmed.
    _settle(connection, target._replace(destination=address, destination_port=port).inverted(), "destination", "dnat")
    return True


def _settle(connection: Connection, reply: Tuple, side: str, status: str) -> None:
    connection.translated.add(side)
    if reply != connection.reply:
        connection.reply = reply
        connection.status.add(status)


def _addresses(addresses: AddressRange | None, target: Tuple, current: int, *, persistent: bool) -> Iterator[int]:
    """The address of the range that the kernel picks (find_best_ips_proto)."""
    if addresses is None or addresses.family is not target.family or addresses.first <= current <= addresses.last:
        yield current
        return
    if addresses.first == addresses.last:
        yield addresses.first
        return
    yield _picked(addresses, target, persistent=persistent)


def _picked(addresses: AddressRange, target: Tuple, *, persistent: bool) -> int:
    """An address by a hash of source and, unless ``persistent``, destination: 32 bits at a time."""
    words = 1 if target.family is Family.IPV4 else 4
    source = target.source.to_bytes(4 * words, "big").ljust(16, b"\0")
    destination = _words(target.destination, words)
    number = jhash(source, 0 if persistent else destination[-1])
    first, last = (addresses.first.to_bytes(4 * words, "big"), addresses.last.to_bytes(4 * words, "big"))
    picked = b""
    anything = False
    for word in range(words):
        at = slice(4 * word, 4 * word + 4)
        low, high = int.from_bytes(first[at], "big"), int.from_bytes(last[at], "big")
        chosen = reciprocal_scale(number, 0xFFFFFFFF) if anything else low + reciprocal_scale(number, high - low + 1)
        picked += chosen.to_bytes(4, "big")
        anything = anything or picked[at] != last[at]
        if not persistent:
            number ^= destination[word]
    return int.from_bytes(picked, "big")


def _words(address: int, words: int) -> list[int]:
    """The address as the kernel reads its 32-bit words: network order in memory, on a little-endian machine."""
    octets = address.to_bytes(4 * words, "big")
    return [int.from_bytes(octets[4 * word : 4 * word + 4], "little") for word in range(words)]


def _source_ports(target: Tuple, ports: tuple[int, int] | None, random: Random, *, shuffle: bool) -> Iterator[int]:
    """Ports to try: the client's own, then others of its class (nf_nat_l4proto_unique_tuple)."""
    own = target.source_port
    if target.protocol not in _WITH_PORTS and target.protocol not in (ICMP, ICMPV6):
        yield own
        return
    if ports is not None:
        low, high = ports
        if low <= own <= high and not shuffle:
            yield own
        if low == high:
            yield low
            return
    else:
        if not shuffle:
            yield own
        if target.protocol in (ICMP, ICMPV6):
            low, high = 0, 0xFFFF
        elif own < 512:
            low, high = 1, 511
        elif own < 1024:
            low, high = 600, 1023
        else:
            low, high = 1024, 65535
    size = high - low + 1
    start = random.randrange(size)
    attempts = min(size, _ATTEMPTS)
    while attempts >= 16 or attempts == min(size, _ATTEMPTS):
        for step in range(attempts):
            yield low + (start + step) % size
        attempts //= 2
        start = random.randrange(size)


def rewrite(datagram: Datagram, connection: Connection, *, is_reply: bool, is_related: bool, source: bool) -> None:
    """Rewrite the source (at the postrouting and input hooks) or the destination (prerouting, output) of a packet.

    For the direction at hand the connection says whether that side is
    translated; an ICMP error has its quoted packet rewritten the other way round.
    """
    side = "snat" if source != is_reply else "dnat"
    if side not in connection.status:
        return
    target = (connection.original if is_reply else connection.reply).inverted()
    if is_related and datagram.quoted is not None:
        against = connection.original if is_reply else connection.reply
        # The quoted packet went the other way: what was its destination is this side's source.
        datagram.quoted = _rewritten(datagram.quoted.copy(), against, source=not source)
        if source:
            datagram.source = target.source
        else:
            datagram.destination = target.destination
        return
    _rewritten(datagram, target, source=source)


def _rewritten(datagram: Datagram, target: Tuple, *, source: bool) -> Datagram:
    if source:
        datagram.source = target.source
    else:
        datagram.destination = target.destination
    if datagram.fragment_offset:
        return datagram
    if target.protocol in _WITH_PORTS:
        if source:
            datagram.source_port = target.source_port
        else:
            datagram.destination_port = target.destination_port
    elif target.protocol in (ICMP, ICMPV6):
        datagram.identifier = target.source_port
    return datagram
