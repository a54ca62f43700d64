"""Packets of translated connections, rewritten (net/netfilter/nf_nat_proto.c)."""

from __future__ import annotations

from contextlib import suppress

from compiler.fields import ICMP, ICMPV6, TCP, UDP, UDPLITE, Family
from compiler.simulator.dissection import WireError, decode
from compiler.simulator.frame import Datagram
from compiler.simulator.router.connections import WITH_PORTS, Connection, Tuple
from compiler.simulator.wire import header_length

__all__ = ["rewrite"]

_QUERIES = {ICMP: frozenset({0, 8, 13, 14, 15, 16, 17, 18}), ICMPV6: frozenset({128, 129})}
"""ICMP messages with an identifier that is translated."""
_CHECKSUM_AT = {TCP: 16, UDP: 6, UDPLITE: 6, ICMP: 2, ICMPV6: 2}


def rewrite(datagram: Datagram, connection: Connection, *, is_reply: bool, is_related: bool, source: bool) -> None:
    """Rewrite the source (at the postrouting and input hooks) or the destination (prerouting, output) of a packet.

    For the direction at hand the connection says whether that side is
    translated; an ICMP error has its quoted packet rewritten the other way round.
    """
    if ("snat" if source is not is_reply else "dnat") not in connection.status:
        return
    # The packet is to look like the answer to what the other direction's packets look like.
    other = connection.original if is_reply else connection.reply
    if is_related:
        if datagram.quoted is not None:
            _rewrite_quote(datagram, datagram.quoted, other, source=not source)
        if source:
            datagram.source = other[3]
        else:
            datagram.destination = other[2]
        return
    protocol = datagram.protocol
    if source:
        datagram.source = other[3]
        if protocol in WITH_PORTS:
            datagram.source_port = other[5]
    else:
        datagram.destination = other[2]
        if protocol in WITH_PORTS:
            datagram.destination_port = other[4]
    if protocol in (ICMP, ICMPV6) and datagram.icmp_type in _QUERIES[protocol]:
        datagram.identifier = other[4]


def _rewrite_quote(datagram: Datagram, quoted: Datagram, seen: Tuple, *, source: bool) -> None:
    """Let the quoted packet look as it did on the side that the error goes to: like one of ``seen``."""
    changed = quoted.copy()
    if source:
        changed.source = seen.source
    else:
        changed.destination = seen.destination
    if not changed.fragment_offset:
        if changed.protocol in WITH_PORTS:
            if source:
                changed.source_port = seen.source_port
            else:
                changed.destination_port = seen.destination_port
        elif changed.protocol in _QUERIES and changed.icmp_type in _QUERIES[changed.protocol]:
            changed.identifier = seen.source_port
    if datagram.data is not None:
        datagram.data = _patched(datagram.data, quoted, changed)
        with suppress(WireError):  # the octets stay as they are; what they say is known all the same
            changed = decode(datagram.data, checksums=False, whole=False)
    datagram.quoted = changed


def _patched(octets: bytes, old: Datagram, new: Datagram) -> bytes:
    """The octets of a quote, perhaps cut short, with addresses, ports and checksums changed as the kernel does.

    Checksums are brought up to date by the difference (RFC 1624): the octets that they cover may not all be there.
    """
    made = bytearray(octets)
    addresses, width = (12, 4) if old.family is Family.IPV4 else (8, 16)
    layer4 = header_length(old)
    made[addresses : addresses + width] = new.source.to_bytes(width, "big")
    made[addresses + width : addresses + 2 * width] = new.destination.to_bytes(width, "big")
    address_words = (bytes(octets[addresses : addresses + 2 * width]), bytes(made[addresses : addresses + 2 * width]))
    if old.family is Family.IPV4:
        _update(made, 10, *address_words)
    protocol = old.protocol
    if old.fragment_offset or len(made) < layer4 + 8:
        return bytes(made)
    before = bytes(made[layer4 : layer4 + 8])
    if protocol in WITH_PORTS:
        made[layer4 : layer4 + 2] = new.source_port.to_bytes(2, "big")
        made[layer4 + 2 : layer4 + 4] = new.destination_port.to_bytes(2, "big")
    elif protocol in _QUERIES and old.icmp_type in _QUERIES[protocol]:
        made[layer4 + 4 : layer4 + 6] = new.identifier.to_bytes(2, "big")
    place = _CHECKSUM_AT.get(protocol)
    if place is None or len(made) < layer4 + (20 if protocol == TCP else 8):
        return bytes(made)
    if protocol == UDP and not any(before[6:8]):  # no checksum was computed
        return bytes(made)
    after = bytes(made[layer4 : layer4 + 8])
    changed = slice(4, 6) if protocol in _QUERIES else slice(0, 4)
    old_words, new_words = before[changed], after[changed]
    if protocol != ICMP:  # the pseudo-header has the addresses
        old_words, new_words = address_words[0] + old_words, address_words[1] + new_words
    _update(made, layer4 + place, old_words, new_words)
    if protocol in (UDP, UDPLITE) and not any(made[layer4 + place : layer4 + place + 2]):
        made[layer4 + place : layer4 + place + 2] = b"\xff\xff"
    return bytes(made)


def _update(octets: bytearray, place: int, old: bytes, new: bytes) -> None:
    """Bring a checksum up to date: RFC 1624, equation 3."""
    if old == new:
        return
    total = ~int.from_bytes(octets[place : place + 2], "big") & 0xFFFF
    for start in range(0, len(old), 2):
        total += ~int.from_bytes(old[start : start + 2], "big") & 0xFFFF
        total += int.from_bytes(new[start : start + 2], "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    octets[place : place + 2] = (~total & 0xFFFF).to_bytes(2, "big")
