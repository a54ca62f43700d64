"""ICMP errors: when one may be sent, what it looks like, and what it means to whom it comes back to."""

from __future__ import annotations

from compiler.fields import ICMP, ICMPV6, Family
from compiler.simulator.dissection import ICMP_ERRORS
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import ICMP_HEADER, IP_HEADER, is_for_group, is_group
from compiler.simulator.sockets import Failure, FailureKind

__all__ = [
    "FRAGMENTATION_NEEDED",
    "PACKET_TOO_BIG",
    "PARAMETER_PROBLEM",
    "PARAMETER_PROBLEM_V6",
    "SMALLEST_MTU",
    "TIME_EXCEEDED",
    "TIME_EXCEEDED_V6",
    "UNREACHABLE",
    "UNREACHABLE_V6",
    "address_unreachable",
    "error",
    "failure",
    "is_error",
    "port_unreachable",
    "protocol_unreachable",
    "told_mtu",
]

UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 11, 12
FRAGMENTATION_NEEDED = 4
"""The code of UNREACHABLE (RFC 1191)."""
UNREACHABLE_V6, PACKET_TOO_BIG, TIME_EXCEEDED_V6, PARAMETER_PROBLEM_V6 = 1, 2, 3, 4

_ERRORS_V4 = ICMP_ERRORS[ICMP]
_KNOWN_V4 = _ERRORS_V4 | {0, 8, 9, 10, 13, 14, 15, 16, 17, 18}
_REDIRECT_V6 = 137
_PROHIBITED = {Family.IPV4: frozenset({9, 10, 13}), Family.IPV6: frozenset({1, 5, 6})}
_PORT = {Family.IPV4: 3, Family.IPV6: 4}
SMALLEST_MTU = {Family.IPV4: 552, Family.IPV6: 1280}
"""Path MTUs below this are not believed (Linux: min_pmtu; RFC 8200, 5)."""

_PLATEAUS = (32000, 17914, 8166, 4352, 2002, 1492, 576, 552)
"""What paths usually carry, for routers that do not say (RFC 1191, 7.1)."""


def is_error(datagram: Datagram) -> bool:
    """Whether it is an ICMP error, or one of a type nobody knows, which counts as one (``__icmp_send``)."""
    if datagram.protocol == ICMP and datagram.family is Family.IPV4:
        return datagram.icmp_type in _ERRORS_V4 or datagram.icmp_type not in _KNOWN_V4
    if datagram.protocol == ICMPV6 and datagram.family is Family.IPV6:
        return datagram.icmp_type < 128 or datagram.icmp_type == _REDIRECT_V6
    return False


def error(about: Datagram, source: int, kind: int, code: int, rest: int = 0) -> Datagram | None:
    """The ICMP error of type ``kind`` about a datagram, from ``source``; None where one is forbidden.

    Forbidden are errors about errors, about datagrams to or from groups, about
    what came as a link-layer broadcast, and in IPv4 about later fragments (RFC
    1122, 3.2.2; RFC 1812, 4.3.2.7; RFC 4443, 2.4: there packet-too-big and an
    unknown option may answer multicast). ``rest`` is the MTU for
    packet-too-big, the pointer for a parameter problem. The datagram is quoted
    as far as 576 octets in all reach, or 1280 in IPv6.
    """
    if is_error(about):
        return None
    if about.family is Family.IPV4:
        if about.fragment_offset or is_for_group(about):
            return None
        origin = about.source
        is_stray = origin >> 24 == 127 != about.destination >> 24  # loopback answers itself only
        if origin == 0 or is_stray or origin >> 28 >= 0xE:
            return None
        made = _made(about, source, ICMP, min(about.size, 576 - 20 - ICMP_HEADER))
        # Precedence "internetwork control", as RFC 1812 4.3.2.5 asks for.
        made.traffic_class = about.traffic_class & 0x1E | 0xC0
    else:
        if is_for_group(about) and kind != PACKET_TOO_BIG and (kind, code) != (PARAMETER_PROBLEM_V6, 2):
            return None
        if about.source == 0 or is_group(Family.IPV6, about.source):
            return None
        made = _made(about, source, ICMPV6, min(about.size, 1280 - 40 - ICMP_HEADER))
    made.icmp_type = kind
    made.icmp_code = code
    made.identifier, made.rest = rest >> 16, rest & 0xFFFF
    return made


def _made(about: Datagram, source: int, protocol: int, quoted: int) -> Datagram:
    size = IP_HEADER[about.family] + ICMP_HEADER + quoted
    made = Datagram(about.family, source, about.source, protocol, size)
    made.quoted = about.copy()
    return made


def port_unreachable(about: Datagram) -> Datagram | None:
    """Nobody listens at the UDP port."""
    if about.family is Family.IPV4:
        return error(about, about.destination, UNREACHABLE, 3)
    return error(about, about.destination, UNREACHABLE_V6, 4)


def protocol_unreachable(about: Datagram) -> Datagram | None:
    """Nobody here speaks the protocol; in IPv6 the pointer shows the next-header field."""
    if about.family is Family.IPV4:
        return error(about, about.destination, UNREACHABLE, 2)
    return error(about, about.destination, PARAMETER_PROBLEM_V6, 1, 6)


def address_unreachable(about: Datagram, source: int) -> Datagram | None:
    """The next hop does not answer."""
    if about.family is Family.IPV4:
        return error(about, source, UNREACHABLE, 1)
    return error(about, source, UNREACHABLE_V6, 3)


def failure(datagram: Datagram) -> Failure | None:
    """What an ICMP error says to an application; None for what is not one, or no failure (redirect).

    A datagram that was too large is unreachable in IPv6 too, where the message is one of its own.
    """
    kind, code = datagram.icmp_type, datagram.icmp_code
    if datagram.family is Family.IPV4:
        unreachable, exceeded, problem = UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM
    else:
        unreachable, exceeded, problem = UNREACHABLE_V6, TIME_EXCEEDED_V6, PARAMETER_PROBLEM_V6
    if kind == unreachable:
        meaning = FailureKind.UNREACHABLE
        if code == _PORT[datagram.family]:
            meaning = FailureKind.REFUSED
        elif code in _PROHIBITED[datagram.family]:
            meaning = FailureKind.PROHIBITED
    elif kind == exceeded:
        meaning = FailureKind.TIME_EXCEEDED
    elif kind == problem or (kind == PACKET_TOO_BIG and datagram.family is Family.IPV6):
        meaning = FailureKind.UNREACHABLE
    else:
        return None
    return Failure(meaning, datagram.source, kind, code)


def told_mtu(datagram: Datagram) -> int | None:
    """The MTU in octets that a packet-too-big or fragmentation-needed message tells of, or None.

    A router that gives none leaves a guess (RFC 1191, 5). It may be less than
    anybody believes (:data:`SMALLEST_MTU`).
    """
    if datagram.family is Family.IPV4:
        if (datagram.icmp_type, datagram.icmp_code) != (UNREACHABLE, FRAGMENTATION_NEEDED):
            return None
        told = datagram.rest
        if not told and datagram.quoted is not None:
            told = next((plateau for plateau in _PLATEAUS if plateau < datagram.quoted.size), 0)
    elif datagram.icmp_type == PACKET_TOO_BIG:
        told = datagram.identifier << 16 | datagram.rest
    else:
        return None
    return told
