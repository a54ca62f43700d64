"""Network address translation as Linux does it (net/netfilter/nf_nat_core.c).

A connection's reply tuple says how it is translated; packets of both
directions, and ICMP errors about them, are rewritten from it
(:mod:`~compiler.simulator.router.rewriting`). Which port a translation takes
is determined while the client's own is free; otherwise the kernel draws at
random, and so do we.
"""

from __future__ import annotations

from random import Random

from compiler.fields import ICMP, ICMPV6, TCP, Family
from compiler.policy.stateful import AddressRange
from compiler.simulator.router.connections import WITH_PORTS, Connection, Connections, Tuple
from compiler.simulator.router.jhash import jhash, reciprocal_scale
from compiler.simulator.router.tcp_states import TcpState

__all__ = ["bind_destination", "bind_source"]

_GRE = 47
_ATTEMPTS = 128
_FEW_ATTEMPTS = 32
"""So many attempts before the last, connections that are as good as over give way (NF_NAT_HARDER_THRESH)."""
_FULL = 0xFFFFFFFF

Ports = tuple[int, int]


def bind_source(
    connections: Connections,
    connection: Connection,
    addresses: AddressRange | None,
    ports: Ports | None,
    random: Random,
    *,
    persistent: bool = False,
    shuffle: bool = False,
) -> None:
    """Settle the source that the connection will have beyond this router; None keeps the address.

    When no port is free the tuple is not unique: the clash shows when the connection is confirmed.
    """
    target = connection.reply.inverted()
    connection.translated.add("source")
    if not shuffle:
        if _in_range(target, addresses, ports):
            if not _is_taken(connections, target, connection):
                return
        else:
            mapped = _mapped_before(connections, target, addresses, ports)
            if mapped is not None and not _is_taken(connections, mapped, connection):
                _settle(connection, mapped, "snat")
                return
    chosen = target._replace(source=_best_address(addresses, target, target.source, persistent=persistent))
    if not shuffle and _has_port(chosen.source_port, chosen.protocol, ports):
        only = ports is not None and ports[0] == ports[1]
        if only or not _is_taken(connections, chosen, connection):
            _settle(connection, chosen, "snat")
            return
    _settle(connection, _free_source_port(connections, connection, chosen, ports, random), "snat")


def bind_destination(
    connections: Connections,
    connection: Connection,
    addresses: AddressRange | None,
    ports: Ports | None,
    *,
    persistent: bool = False,
) -> None:
    """Settle where the connection really goes; None keeps the address."""
    target = connection.reply.inverted()
    connection.translated.add("destination")
    chosen = target._replace(destination=_best_address(addresses, target, target.destination, persistent=persistent))
    own = chosen.source_port if chosen.protocol in (ICMP, ICMPV6) else chosen.destination_port
    if _has_port(own, chosen.protocol, ports):
        only = ports is not None and ports[0] == ports[1]
        if only or not _is_taken(connections, chosen, connection):
            _settle(connection, chosen, "dnat")
            return
    # Unlike a source's, these are tried from the lowest up: an ICMP query gets another identifier, whatever was asked.
    is_query = chosen.protocol in (ICMP, ICMPV6)
    if is_query or (ports is not None and chosen.protocol in WITH_PORTS):
        low, high = ports if ports is not None else (0, 0xFFFF)
        attempts = min(high + 1 - low, _ATTEMPTS)
        for step in range(attempts):
            port = low + step
            chosen = chosen._replace(source_port=port) if is_query else chosen._replace(destination_port=port)
            if not _is_taken_still(connections, chosen, connection, attempts - step):
                break
    _settle(connection, chosen, "dnat")


def _settle(connection: Connection, chosen: Tuple, status: str) -> None:
    reply = chosen.inverted()
    if reply != connection.reply:
        connection.reply = reply
        connection.status.add(status)


def _is_taken(connections: Connections, target: Tuple, connection: Connection) -> bool:
    """Whether another connection has the answers that this target would get."""
    return connections.is_taken(target.inverted(), connection)


def _is_taken_still(connections: Connections, target: Tuple, connection: Connection, left: int) -> bool:
    """The same, near the end of the attempts: a connection that is over gives way (nf_nat_used_tuple_harder)."""
    track = connection.tcp
    if left > _FEW_ATTEMPTS or target.protocol != TCP or track is None or track.state != TcpState.SYN_SENT:
        return _is_taken(connections, target, connection)
    found = connections.find(target.inverted())
    if found is None:
        return False
    other, is_reply = found
    if not is_reply or other is connection or other.tcp is None:
        return True
    is_over = other.tcp.state >= TcpState.TIME_WAIT and "snat" in other.status
    if not is_over or not track.is_ahead_of(other.tcp):
        return True
    connections.remove(other)
    return False


# -- addresses ---------------------------------------------------------------------------------


def _in_range(target: Tuple, addresses: AddressRange | None, ports: Ports | None) -> bool:
    """Whether source and port are such already (nf_in_range)."""
    if addresses is not None and not addresses.first <= target.source <= addresses.last:
        return False
    return _has_port(target.source_port, target.protocol, ports)


def _mapped_before(
    connections: Connections, target: Tuple, addresses: AddressRange | None, ports: Ports | None
) -> Tuple | None:
    """What another connection from the same address and port has become, if that will do (find_appropriate_src)."""
    for other in connections.of_source(target):
        seen = other.reply.inverted()
        mapped = target._replace(source=seen.source, source_port=seen.source_port)
        if _in_range(mapped, addresses, ports):
            return mapped
    return None


def _best_address(addresses: AddressRange | None, target: Tuple, current: int, *, persistent: bool) -> int:
    """The address of the range that the kernel picks (find_best_ips_proto)."""
    if addresses is None or addresses.family is not target.family:
        return current
    if addresses.first == addresses.last:
        return addresses.first
    return _picked(addresses, target, persistent=persistent)


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
        chosen = reciprocal_scale(number, _FULL) if anything else low + reciprocal_scale(number, high - low + 1)
        picked += chosen.to_bytes(4, "big")
        anything = anything or picked[at] != last[at]
        if not persistent:
            number ^= destination[word]
    return int.from_bytes(picked, "big")


def _words(address: int, words: int) -> list[int]:
    """The address as the kernel reads its 32-bit words: network order in memory, on a little-endian machine."""
    octets = address.to_bytes(4 * words, "big")
    return [int.from_bytes(octets[4 * word : 4 * word + 4], "little") for word in range(words)]


# -- ports -------------------------------------------------------------------------------------


def _has_port(port: int, protocol: int, ports: Ports | None) -> bool:
    """Whether the port (an ICMP query's identifier) is one of those asked for (l4proto_in_range)."""
    if ports is None or not (protocol in WITH_PORTS or protocol in (ICMP, ICMPV6, _GRE)):
        return True
    return ports[0] <= port <= ports[1]


def _free_source_port(
    connections: Connections, connection: Connection, target: Tuple, ports: Ports | None, random: Random
) -> Tuple:
    """A port of the range, else of the class of the client's own (nf_nat_l4proto_unique_tuple)."""
    own, protocol = target.source_port, target.protocol
    if protocol not in WITH_PORTS and protocol not in (ICMP, ICMPV6):
        return target
    if ports is not None:
        low, high = ports
    elif protocol in (ICMP, ICMPV6):
        low, high = 0, 0xFFFF
    elif own < 512:
        low, high = 1, 511
    elif own < 1024:
        low, high = 600, 1023
    else:
        low, high = 1024, 65535
    size = high - low + 1
    attempts = min(size, _ATTEMPTS)
    chosen = target
    while True:
        start = random.getrandbits(16) if size > 1 else 0
        for step in range(attempts):
            chosen = target._replace(source_port=low + (start + step & 0xFFFF) % size)
            if not _is_taken_still(connections, chosen, connection, attempts - step):
                return chosen
        if attempts >= size or attempts < 16:
            return chosen
        attempts //= 2
