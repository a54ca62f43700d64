"""Octets as datagrams and frames: the way back of ``compiler.simulator.wire``, which says where fields go."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from compiler.fields import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, Family
from compiler.simulator.checksum import crc32c, number
from compiler.simulator.extension_headers import FRAGMENT, cut, final_destination
from compiler.simulator.frame import ArpMessage, Datagram, Frame
from compiler.simulator.link_layers import ETHERNET_LAYER, strip_link_layer

__all__ = ["ICMP_ERRORS", "WireError", "decode", "decode_frame", "dissect_network", "dissect_payload", "pseudo_header"]

_IPV4, _IPV6 = Family.IPV4, Family.IPV6
_IPV4_HEADER = Struct("!BBHHHBBHII").unpack_from
_IPV6_HEADER = Struct("!IHBB16s16s").unpack_from
_FOUR = Struct("!HHHH").unpack_from
_TCP_HEADER = Struct("!HHIIBBHHH").unpack_from
_ICMP_HEADER = Struct("!BBHHH").unpack_from
_SCTP_HEADER = Struct("!HHII").unpack_from
_ARP = Struct("!HHBBH6sI6sI").unpack_from

ICMP_ERRORS = {ICMP: frozenset({3, 4, 5, 11, 12}), ICMPV6: frozenset({1, 2, 3, 4})}
"""Types of messages about a datagram, which they quote, by protocol."""


class WireError(ValueError):
    """Octets that are no well-formed packet, or a datagram that has no octets; it says why."""


def decode(octets: bytes, *, checksums: bool = True, whole: bool = True) -> Datagram:
    """The datagram that the octets are, from the IP header to the last one.

    Raises WireError for wrong lengths and checksums. Without ``checksums``
    those of layer 4 are not looked at (a capture on the sending machine has
    them unfinished). Without ``whole`` the octets may stop early, as a quote
    in an ICMP error does: ``size`` is what the header says, layer-4 fields
    that are cut off are 0, and ``data`` is what is there.
    """
    if not octets:
        raise WireError("no octets")
    version = octets[0] >> 4
    if version == 4:
        return _ipv4(octets, checksums, whole)
    if version == 6:
        return _ipv6(octets, checksums, whole)
    raise WireError(f"IP version {version}: 4 or 6 expected")


def _ipv4(octets: bytes, checksums: bool, whole: bool) -> Datagram:
    if len(octets) < 20:
        raise WireError(f"{len(octets)} octets: an IPv4 header has 20")
    first, traffic_class, size, identification, place, ttl, protocol, _, source, destination = _IPV4_HEADER(octets)
    length = (first & 15) * 4
    if length < 20 or length > size or length > len(octets):
        raise WireError(f"an IPv4 header of {length} octets in a packet of {min(size, len(octets))}")
    _check_length(len(octets), size, whole)
    if whole and number(octets[:length]) % 0xFFFF:
        raise WireError("wrong IPv4 header checksum")
    if place & 0x8000:
        raise WireError("the reserved bit of the IPv4 flags is set")
    datagram = Datagram(_IPV4, source, destination, protocol, size, ttl=ttl)
    datagram.traffic_class = traffic_class
    datagram.identification = identification
    datagram.dont_fragment = bool(place & 0x4000)
    datagram.more_fragments = bool(place & 0x2000)
    datagram.fragment_offset = (place & 0x1FFF) << 3
    datagram.options = octets[20:length]
    _contents(datagram, octets[length:], checksums, whole)
    return datagram


def _ipv6(octets: bytes, checksums: bool, whole: bool) -> Datagram:
    if len(octets) < 40:
        raise WireError(f"{len(octets)} octets: an IPv6 header has 40")
    first, length, following, ttl, source, destination = _IPV6_HEADER(octets)
    size = length + 40
    _check_length(len(octets), size, whole)
    rest = octets[40:]
    parts, protocol, used = cut(rest, following)
    datagram = Datagram(_IPV6, int.from_bytes(source), int.from_bytes(destination), protocol, size, ttl=ttl)
    datagram.traffic_class = first >> 20 & 0xFF
    datagram.flow_label = first & 0xFFFFF
    if parts and parts[-1][0] == FRAGMENT:
        used += _fragment_header(datagram, parts, rest[used:])
    datagram.options = b"".join(parts)
    if whole and datagram.protocol in {0, 43, 44, 60} and not datagram.is_fragment:
        raise WireError(f"IPv6 extension header {datagram.protocol} ends before it should")
    _contents(datagram, rest[used:], checksums, whole)
    return datagram


def _fragment_header(datagram: Datagram, parts: list[bytes], behind: bytes) -> int:
    """Take in the Fragment header that ends ``parts``, and the headers behind it: how many octets those are."""
    header = parts.pop()
    place = int.from_bytes(header[2:4])
    if header[1] or place & 6:
        raise WireError("the reserved bits of an IPv6 fragment header are set")
    datagram.fragment_offset = place & ~7
    datagram.more_fragments = bool(place & 1)
    datagram.identification = int.from_bytes(header[4:])
    if datagram.fragment_offset:
        return 0
    more, datagram.protocol, used = cut(behind, datagram.protocol)
    if any(one[0] == FRAGMENT for one in more):
        raise WireError("two IPv6 fragment headers")
    if more or not datagram.is_fragment:
        parts.extend((bytes((FRAGMENT,)) + bytes(7), *more))
    return used


def _check_length(have: int, size: int, whole: bool) -> None:
    if have > size:
        raise WireError(f"{have - size} octets behind a packet of {size}")
    if whole and have < size:
        raise WireError(f"{have} octets of a packet of {size}")


# -- layer 4 ---------------------------------------------------------------------


def _contents(datagram: Datagram, octets: bytes, checksums: bool, whole: bool) -> None:
    if datagram.is_fragment:
        if whole and datagram.more_fragments and len(octets) & 7:
            raise WireError(f"a fragment of {len(octets)} octets with more to come: a multiple of 8 expected")
        if whole and not octets:
            raise WireError("a fragment without contents")
        datagram.fragment = octets
        if not datagram.fragment_offset:
            dissect_payload(datagram, octets, checksums=False, whole=False)
            datagram.data = datagram.quoted = None
        return
    dissect_payload(datagram, octets, checksums=checksums, whole=whole)


def dissect_payload(datagram: Datagram, octets: bytes, *, checksums: bool = True, whole: bool = True) -> None:
    """Set the layer-4 fields from the octets after the IP header. Raises WireError."""
    read = _READERS.get(datagram.protocol)
    if read is None:
        datagram.data = octets
    else:
        read(datagram, octets, checksums and whole, whole)


def _ports_only(datagram: Datagram, octets: bytes, least: int, whole: bool) -> bool:
    """Set the ports; whether the header of ``least`` octets is not all there."""
    if len(octets) >= 4:
        datagram.source_port = int.from_bytes(octets[:2])
        datagram.destination_port = int.from_bytes(octets[2:4])
    if len(octets) >= least:
        return False
    if whole:
        raise WireError(f"{len(octets)} octets for the header of protocol {datagram.protocol}, which has {least}")
    datagram.data = b""
    return True


def pseudo_header(datagram: Datagram, length: int) -> int:
    """What the pseudo-header adds to a sum, before ``length`` octets of layer 4 (RFC 768, RFC 8200 8.1)."""
    destination = datagram.destination
    if datagram.options and datagram.family is _IPV6:
        destination = final_destination(datagram.options, destination)
    return datagram.source + destination + datagram.protocol + length


def _verify(datagram: Datagram, octets: bytes, covered: bytes, what: str) -> None:
    if (pseudo_header(datagram, len(octets)) + number(covered)) % 0xFFFF:
        raise WireError(f"wrong {what} checksum")


def _udp(datagram: Datagram, octets: bytes, checksums: bool, whole: bool) -> None:
    if _ports_only(datagram, octets, 8, whole):
        return
    _, _, length, checksum = _FOUR(octets)
    if whole and length != len(octets):
        raise WireError(f"a UDP length of {length}, with {len(octets)} octets there")
    if checksums and (checksum or datagram.family is _IPV6):
        if not checksum:
            raise WireError("no UDP checksum over IPv6")
        _verify(datagram, octets, octets, "UDP")
    datagram.data = octets[8:]


def _udp_lite(datagram: Datagram, octets: bytes, checksums: bool, whole: bool) -> None:
    if _ports_only(datagram, octets, 8, whole):
        return
    _, _, coverage, checksum = _FOUR(octets)
    if whole and (0 < coverage < 8 or coverage > len(octets)):
        raise WireError(f"a UDP-Lite checksum over {coverage} of {len(octets)} octets")
    if checksums:
        if not checksum:
            raise WireError("no UDP-Lite checksum")
        _verify(datagram, octets, octets[: coverage or len(octets)], "UDP-Lite")
    datagram.rest = coverage
    datagram.data = octets[8:]


def _tcp(datagram: Datagram, octets: bytes, checksums: bool, whole: bool) -> None:
    if len(octets) >= 8:
        datagram.sequence = int.from_bytes(octets[4:8])
    if _ports_only(datagram, octets, 20, whole):
        return
    _, _, _, datagram.acknowledgement, start, datagram.tcp_flags, datagram.window, _, datagram.rest = _TCP_HEADER(
        octets
    )
    length = (start >> 4) * 4
    if whole and not 20 <= length <= len(octets):
        raise WireError(f"a TCP header of {length} octets in a segment of {len(octets)}")
    if checksums:
        _verify(datagram, octets, octets, "TCP")
    datagram.identifier = start & 15
    datagram.tcp_options = octets[20:length]
    datagram.data = octets[max(length, 20) :]


def _icmp(datagram: Datagram, octets: bytes, checksums: bool, whole: bool) -> None:
    if len(octets) >= 2:
        datagram.icmp_type, datagram.icmp_code = octets[0], octets[1]
    if len(octets) < 8:
        if whole:
            raise WireError(f"{len(octets)} octets for an ICMP header, which has 8")
        datagram.data = b""
        return
    _, _, _, datagram.identifier, datagram.rest = _ICMP_HEADER(octets)
    if checksums:
        if datagram.protocol == ICMPV6:
            _verify(datagram, octets, octets, "ICMPv6")
        elif number(octets) % 0xFFFF:
            raise WireError("wrong ICMP checksum")
    datagram.data = octets[8:]
    if datagram.icmp_type in ICMP_ERRORS[datagram.protocol]:
        try:
            datagram.quoted = decode(datagram.data, checksums=False, whole=False)
        except WireError:  # an error about what nobody can read is a well-formed error
            datagram.quoted = None


def _sctp(datagram: Datagram, octets: bytes, checksums: bool, whole: bool) -> None:
    if len(octets) >= 8:
        datagram.sequence = int.from_bytes(octets[4:8])
    if _ports_only(datagram, octets, 12, whole):
        return
    if checksums and crc32c(octets[:8] + bytes(4) + octets[12:]) != int.from_bytes(octets[8:12], "little"):
        raise WireError("wrong SCTP checksum")
    datagram.data = octets[12:]


def _dccp(datagram: Datagram, octets: bytes, checksums: bool, whole: bool) -> None:
    if _ports_only(datagram, octets, 12, whole):
        return
    if checksums:
        coverage = octets[5] & 15
        covered = octets if not coverage else octets[: octets[4] * 4 + (coverage - 1) * 4]
        _verify(datagram, octets, covered, "DCCP")
    datagram.data = octets[4:6] + b"\0\0" + octets[8:]


_READERS: dict[int, Callable[[Datagram, bytes, bool, bool], None]] = {
    ICMP: _icmp,
    TCP: _tcp,
    UDP: _udp,
    DCCP: _dccp,
    ICMPV6: _icmp,
    SCTP: _sctp,
    UDPLITE: _udp_lite,
}


# -- frames ----------------------------------------------------------------------


def decode_frame(octets: bytes, *, checksums: bool = True, whole: bool = True) -> Frame:
    """The frame that the octets are, from the Ethernet header on.

    VLAN tags (IEEE 802.1Q) are taken off, and padding behind the packet.
    Raises WireError, also for frames that are neither IP nor ARP.
    """
    if len(octets) < 14:
        raise WireError(f"{len(octets)} octets: an Ethernet header has 14")
    kind, packet = strip_link_layer(octets, ETHERNET_LAYER)
    frame = dissect_network(kind, packet, checksums=checksums, whole=whole)
    frame.link_destination = int.from_bytes(octets[:6])
    frame.link_source = int.from_bytes(octets[6:12])
    return frame


def dissect_network(kind: int | None, octets: bytes, *, checksums: bool = True, whole: bool = True) -> Frame:
    """The frame whose contents (EtherType ``kind``) the octets are; padding behind them goes. Raises WireError.

    Without an EtherType they are an IP packet, and all of them are it.
    """
    if kind is None:
        return decode(octets, checksums=checksums, whole=whole)
    if kind == 0x0806:
        return _arp(octets)
    if kind not in {0x0800, 0x86DD}:
        raise WireError(f"EtherType {kind:#06x}: neither IP nor ARP")
    if len(octets) < 8:
        raise WireError(f"{len(octets)} octets are no IP packet")
    if octets[0] >> 4 != (4 if kind == 0x0800 else 6):
        raise WireError(f"EtherType {kind:#06x} before IP version {octets[0] >> 4}")
    size = int.from_bytes(octets[2:4]) if kind == 0x0800 else int.from_bytes(octets[4:6]) + 40
    return decode(octets[:size], checksums=checksums, whole=whole)


def _arp(octets: bytes) -> ArpMessage:
    if len(octets) < 28:
        raise WireError(f"{len(octets)} octets: an ARP message has 28")
    hardware, protocol, *lengths, operation, sender_link, sender, target_link, target = _ARP(octets)
    if (hardware, protocol, lengths) != (1, 0x0800, [6, 4]) or operation not in {1, 2}:
        raise WireError("ARP for other than IPv4 over Ethernet, or neither a request nor a reply")
    return ArpMessage(
        is_reply=operation == 2,
        sender=sender,
        sender_link=int.from_bytes(sender_link),
        target=target,
        target_link=int.from_bytes(target_link),
    )
