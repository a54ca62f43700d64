"""Datagrams and frames as octets.

Beyond what :class:`~compiler.simulator.frame.Datagram` says of its fields:

- TCP: ``rest`` is the urgent pointer, ``identifier`` the four reserved bits.
- UDP-Lite (RFC 3828): ``rest`` is the checksum coverage.
- SCTP: ``sequence`` is the verification tag, ``data`` the chunks.
- DCCP (RFC 4340): ``data`` is all that follows the ports, with a checksum of 0.
- An ICMP error that was read from the wire has its octets in ``data`` and
  what they say in ``quoted``; ``quoted`` counts when it has been changed.
"""

from __future__ import annotations

from struct import Struct

from compiler.fields import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, Family
from compiler.simulator.checksum import crc32c, finish, number
from compiler.simulator.dissection import WireError, decode, decode_frame, pseudo_header
from compiler.simulator.extension_headers import FRAGMENT, headers, to_wire
from compiler.simulator.frame import ETHERNET, ArpMessage, Datagram, Frame

__all__ = ["WireError", "decode", "decode_frame", "encode", "frame_bytes", "header_length", "payload"]

_IPV4, _IPV6 = Family.IPV4, Family.IPV6

_UDP_IPV4 = Struct("!BBHHHBBHIIHHHH").pack
_IPV4_HEADER = Struct("!BBHHHBBHII").pack
_IPV6_HEADER = Struct("!IHBB16s16s").pack
_FRAGMENT_HEADER = Struct("!BxHI").pack
_UDP_HEADER = Struct("!HHHH").pack
_TCP_HEADER = Struct("!HHIIBBHHH").pack
_ICMP_HEADER = Struct("!BBHHH").pack
_SCTP_HEADER = Struct("!HHII").pack
_ARP = Struct("!HHBBH6sI6sI").pack


def encode(datagram: Datagram) -> bytes:
    """The datagram's octets, ``size`` of them, with right lengths and checksums.

    Raises WireError when ``size`` and the contents do not fit each other or a
    field is too large for its place.
    """
    try:
        if (
            datagram.protocol == UDP
            and datagram.family is _IPV4
            and datagram.data is None
            and not (datagram.options or datagram.fragment_offset or datagram.more_fragments)
        ):
            return _encode_empty_udp(datagram)
        return _network_header(datagram) + payload(datagram)
    except WireError:
        raise
    except Exception as error:  # struct.error, OverflowError, ValueError of options: a value that has no place
        raise WireError(f"{datagram!r} has a field that does not fit: {error}") from error


def header_length(datagram: Datagram) -> int:
    """Octets before the layer-4 header: those of ``Datagram.fragment`` come after them."""
    if datagram.family is _IPV4:
        return 20 + len(datagram.options)
    length = 40 + len(datagram.options)
    return length + 8 if datagram.is_fragment and not _has_fragment_header(datagram.options) else length


def payload(datagram: Datagram) -> bytes:
    """The octets after the IP header (IPv6: after the extension headers), with their checksum. Raises WireError."""
    room = datagram.size - header_length(datagram)
    if datagram.is_fragment:
        octets = datagram.fragment
        if octets is None or len(octets) != room:
            have = "none" if octets is None else len(octets)
            raise WireError(f"{datagram!r} is a fragment of {datagram.size} octets: {room} expected, {have} given")
        return octets
    build = _PAYLOADS.get(datagram.protocol)
    return _fill(datagram.data, room, datagram) if build is None else build(datagram, room)


# -- IP --------------------------------------------------------------------------


def _encode_empty_udp(datagram: Datagram) -> bytes:
    """What labs send most, in one go."""
    size = datagram.size
    length = size - 20
    if length < 8:
        raise WireError(f"{datagram!r} of {size} octets has no room for a UDP header")
    addresses = datagram.source + datagram.destination
    word = 0x4500 | datagram.traffic_class
    fragment = 0x4000 if datagram.dont_fragment else 0
    head = word + size + datagram.identification + fragment + (datagram.ttl << 8 | UDP) + addresses
    body = UDP + length + length + datagram.source_port + datagram.destination_port + addresses
    return _UDP_IPV4(
        0x45,
        datagram.traffic_class,
        size,
        datagram.identification,
        fragment,
        datagram.ttl,
        UDP,
        -head % 0xFFFF,
        datagram.source,
        datagram.destination,
        datagram.source_port,
        datagram.destination_port,
        length,
        -body % 0xFFFF or 0xFFFF,
    ) + bytes(length - 8)


def _network_header(datagram: Datagram) -> bytes:
    return _ipv4_header(datagram) if datagram.family is _IPV4 else _ipv6_header(datagram)


def _ipv4_header(datagram: Datagram) -> bytes:
    options = datagram.options
    words, odd = divmod(20 + len(options), 4)
    if odd or words > 15:
        raise WireError(f"{datagram!r} has {len(options)} octets of options: at most 40 and a multiple of 4 expected")
    if datagram.fragment_offset & 7:
        raise WireError(f"{datagram!r} has a fragment offset of {datagram.fragment_offset}: a multiple of 8 expected")
    place = datagram.fragment_offset >> 3 | datagram.dont_fragment << 14 | datagram.more_fragments << 13
    total = (words << 8 | 0x4000) + datagram.traffic_class + datagram.size + datagram.identification + place
    total += (datagram.ttl << 8 | datagram.protocol) + datagram.source + datagram.destination + number(options)
    return (
        _IPV4_HEADER(
            0x40 | words,
            datagram.traffic_class,
            datagram.size,
            datagram.identification,
            place,
            datagram.ttl,
            datagram.protocol,
            finish(total),
            datagram.source,
            datagram.destination,
        )
        + options
    )


def _ipv6_header(datagram: Datagram) -> bytes:
    options = datagram.options
    has_fragment_header = _has_fragment_header(options)
    if datagram.is_fragment and not has_fragment_header:
        options += bytes((FRAGMENT,)) + bytes(7)
        has_fragment_header = True
    first, extensions = to_wire(options, datagram.protocol) if options else (datagram.protocol, b"")
    if has_fragment_header:
        extensions = _set_fragment_header(datagram, options, extensions)
    return (
        _IPV6_HEADER(
            6 << 28 | datagram.traffic_class << 20 | datagram.flow_label,
            datagram.size - 40,
            first,
            datagram.ttl,
            datagram.source.to_bytes(16),
            datagram.destination.to_bytes(16),
        )
        + extensions
    )


def _has_fragment_header(options: bytes) -> bool:
    return bool(options) and any(header[0] == FRAGMENT for header in headers(options))


def _set_fragment_header(datagram: Datagram, options: bytes, extensions: bytes) -> bytes:
    if datagram.fragment_offset & 7:
        raise WireError(f"{datagram!r} has a fragment offset of {datagram.fragment_offset}: a multiple of 8 expected")
    start = 0
    for header in headers(options):
        if header[0] == FRAGMENT:
            break
        start += len(header)
    place = datagram.fragment_offset | datagram.more_fragments
    made = _FRAGMENT_HEADER(extensions[start], place, datagram.identification)
    return extensions[:start] + made + extensions[start + 8 :]


# -- layer 4 ---------------------------------------------------------------------


def _fill(data: bytes | None, room: int, datagram: Datagram) -> bytes:
    if room < 0:
        raise WireError(f"{datagram!r} of {datagram.size} octets has no room for its headers")
    if data is None:
        return bytes(room)
    if len(data) != room:
        raise WireError(f"{datagram!r} of {datagram.size} octets has room for {room} octets of data, not {len(data)}")
    return data


def _udp(datagram: Datagram, room: int) -> bytes:
    data = _fill(datagram.data, room - 8, datagram)
    ports = datagram.source_port + datagram.destination_port
    total = pseudo_header(datagram, room) + ports + room + (number(data) if datagram.data else 0)
    return _UDP_HEADER(datagram.source_port, datagram.destination_port, room, finish(total) or 0xFFFF) + data


def _udp_lite(datagram: Datagram, room: int) -> bytes:
    data = _fill(datagram.data, room - 8, datagram)
    coverage = datagram.rest
    covered = data if not coverage else data[: coverage - 8]
    total = (
        pseudo_header(datagram, room) + datagram.source_port + datagram.destination_port + coverage + number(covered)
    )
    return _UDP_HEADER(datagram.source_port, datagram.destination_port, coverage, finish(total) or 0xFFFF) + data


def _tcp(datagram: Datagram, room: int) -> bytes:
    options = datagram.tcp_options
    words, odd = divmod(20 + len(options), 4)
    if odd or words > 15:
        raise WireError(f"{datagram!r} has {len(options)} octets of TCP options: at most 40, a multiple of 4 expected")
    data = _fill(datagram.data, room - 4 * words, datagram)
    start = words << 4 | datagram.identifier
    total = pseudo_header(datagram, room) + datagram.source_port + datagram.destination_port + datagram.window
    total += datagram.sequence + datagram.acknowledgement + (start << 8 | datagram.tcp_flags) + datagram.rest
    total += number(options) + (number(data) if datagram.data else 0)
    return (
        _TCP_HEADER(
            datagram.source_port,
            datagram.destination_port,
            datagram.sequence,
            datagram.acknowledgement,
            start,
            datagram.tcp_flags,
            datagram.window,
            finish(total),
            datagram.rest,
        )
        + options
        + data
    )


def _icmp(datagram: Datagram, room: int) -> bytes:
    if datagram.quoted is None or (datagram.data is not None and _says_the_same(datagram)):
        data = _fill(datagram.data, room - 8, datagram)
    else:
        quote = _quote(datagram.quoted)
        if room < 8:
            raise WireError(f"{datagram!r} of {datagram.size} octets has no room for its headers")
        if len(quote) < room - 8:
            raise WireError(f"{datagram!r} has room for {room - 8} octets of a quoted datagram of {len(quote)}")
        data = quote[: room - 8]
    word = datagram.icmp_type << 8 | datagram.icmp_code
    total = word + datagram.identifier + datagram.rest + number(data)
    if datagram.protocol == ICMPV6:
        total += pseudo_header(datagram, room)
    checksum = finish(total) if total else 0xFFFF
    return _ICMP_HEADER(datagram.icmp_type, datagram.icmp_code, checksum, datagram.identifier, datagram.rest) + data


def _quote(quoted: Datagram) -> bytes:
    """A quoted datagram in full; what was cut off before it came here is zeros."""
    lacking = _lacking(quoted)
    if not lacking:
        return encode(quoted)
    whole = quoted.copy()
    if quoted.is_fragment:
        whole.fragment = (quoted.fragment or b"") + bytes(lacking)
    else:
        whole.data = (quoted.data or b"") + bytes(lacking)
    return encode(whole)


def _lacking(quoted: Datagram) -> int:
    """How many octets less than its size says the quoted datagram has."""
    length = header_length(quoted)
    if quoted.is_fragment:
        return quoted.size - length - len(quoted.fragment or b"")
    if quoted.data is None or quoted.quoted is not None:
        return 0
    if quoted.protocol == TCP:
        length += 20 + len(quoted.tcp_options)
    elif quoted.protocol == SCTP:
        length += 12
    elif quoted.protocol == DCCP:
        length += 4
    elif quoted.protocol in _PAYLOADS:
        length += 8
    return quoted.size - length - len(quoted.data)


def _says_the_same(datagram: Datagram) -> bool:
    """Whether nobody, a translator for instance, has changed the quote since it was read."""
    try:
        before = decode(datagram.data or b"", checksums=False, whole=False)
    except WireError:
        return False
    now = datagram.quoted
    return now is not None and all(getattr(before, name) == getattr(now, name) for name in _QUOTED_FIELDS)


_QUOTED_FIELDS = (
    "acknowledgement",
    "destination",
    "destination_port",
    "dont_fragment",
    "family",
    "fragment_offset",
    "identification",
    "identifier",
    "more_fragments",
    "protocol",
    "sequence",
    "size",
    "source",
    "source_port",
    "tcp_flags",
    "traffic_class",
    "ttl",
    "window",
)


def _sctp(datagram: Datagram, room: int) -> bytes:
    data = _fill(datagram.data, room - 12, datagram)
    if datagram.data is None and len(data) >= 4:
        # Zeros would be a DATA chunk without a length: a PAD chunk (RFC 4820) is what zeros look like in SCTP.
        data = b"\x84\x00" + len(data).to_bytes(2) + data[4:]
    ports = datagram.source_port, datagram.destination_port, datagram.sequence
    checksum = crc32c(_SCTP_HEADER(*ports, 0) + data)
    return _SCTP_HEADER(*ports, int.from_bytes(checksum.to_bytes(4), "little")) + data


def _dccp(datagram: Datagram, room: int) -> bytes:
    data = _fill(datagram.data, room - 4, datagram)
    if len(data) < 8:
        raise WireError(f"{datagram!r} of {datagram.size} octets has no room for a DCCP header")
    if datagram.data is None:
        # DCCP-Data (RFC 4340, 5): type 2 in a header of 16 octets with long sequence numbers, or of 12 with short ones.
        data = (b"\x04\0\0\0\x05" if len(data) >= 12 else b"\x03\0\0\0\x04") + data[5:]
    coverage = data[1] & 15
    covered = data if not coverage else data[: data[0] * 4 - 4 + (coverage - 1) * 4]
    total = pseudo_header(datagram, room) + datagram.source_port + datagram.destination_port
    total += number(covered[:2] + b"\0\0" + covered[4:])
    checksum = finish(total).to_bytes(2)
    return datagram.source_port.to_bytes(2) + datagram.destination_port.to_bytes(2) + data[:2] + checksum + data[4:]


_PAYLOADS = {
    ICMP: _icmp,
    TCP: _tcp,
    UDP: _udp,
    DCCP: _dccp,
    ICMPV6: _icmp,
    SCTP: _sctp,
    UDPLITE: _udp_lite,
}


# -- frames ----------------------------------------------------------------------

_ETHER_TYPE = {_IPV4: 0x0800, _IPV6: 0x86DD}


def frame_bytes(frame: Frame) -> bytes:
    """The frame from its Ethernet header on, without padding and check sequence. Raises WireError."""
    if isinstance(frame, Datagram):
        kind, octets = _ETHER_TYPE[frame.family], encode(frame)
    elif isinstance(frame, ArpMessage):
        kind = 0x0806
        octets = _ARP(
            1,
            0x0800,
            6,
            4,
            2 if frame.is_reply else 1,
            frame.sender_link.to_bytes(6),
            frame.sender,
            frame.target_link.to_bytes(6),
            frame.target,
        )
    else:
        raise WireError(f"a {type(frame).__name__} has no octets")
    addresses = frame.link_destination << 48 | frame.link_source
    return (addresses << 16 | kind).to_bytes(ETHERNET) + octets
