"""What tells a direction of a connection from all others (nf_conntrack_tuple)."""

from __future__ import annotations

from typing import NamedTuple

from compiler.fields import ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, Family
from compiler.simulator.frame import Datagram

__all__ = ["ICMP6_ANSWERS", "ICMP_ANSWERS", "WITH_PORTS", "Tuple", "tuple_of"]

WITH_PORTS = frozenset({TCP, UDP, SCTP, UDPLITE})
"""Protocols whose ports tell connections apart (nf_ct_get_tuple); DCCP's are not looked at since Linux 6.16."""

ICMP_ANSWERS = {8: 0, 13: 14, 15: 16, 17: 18}
ICMP6_ANSWERS = {128: 129, 139: 140}
_ICMP_REVERSE = {**ICMP_ANSWERS, **{answer: question for question, answer in ICMP_ANSWERS.items()}}
_ICMP6_REVERSE = {**ICMP6_ANSWERS, **{answer: question for question, answer in ICMP6_ANSWERS.items()}}


class Tuple(NamedTuple):
    """What tells a direction of a connection from all others.

    For ICMP queries ``source_port`` is the identifier and ``destination_port``
    type and code; for protocols without ports both are 0.
    """

    family: Family
    protocol: int
    source: int
    destination: int
    source_port: int
    destination_port: int

    def inverted(self) -> Tuple:
        """The tuple of the answer, where nothing is translated."""
        family, protocol, source, destination, source_port, destination_port = self
        if protocol in (ICMP, ICMPV6):
            reverse = _ICMP_REVERSE if protocol == ICMP else _ICMP6_REVERSE
            kind = destination_port >> 8
            answer = reverse.get(kind, kind) << 8 | destination_port & 0xFF
            return Tuple(family, protocol, destination, source, source_port, answer)
        return Tuple(family, protocol, destination, source, destination_port, source_port)

    @property
    def is_answerable(self) -> bool:
        """Whether anything can be its answer (nf_ct_invert_tuple): not for ICMP messages that ask nothing."""
        if self.protocol == ICMP:
            return self.destination_port >> 8 in _ICMP_REVERSE
        return self.protocol != ICMPV6 or self.destination_port >> 8 in _ICMP6_REVERSE


def tuple_of(datagram: Datagram) -> Tuple:
    """The tuple of a whole datagram."""
    protocol = datagram.protocol
    if protocol in WITH_PORTS:
        source_port, destination_port = datagram.source_port, datagram.destination_port
    elif protocol in (ICMP, ICMPV6):
        source_port, destination_port = datagram.identifier, datagram.icmp_type << 8 | datagram.icmp_code
    else:
        source_port = destination_port = 0
    return Tuple(datagram.family, protocol, datagram.source, datagram.destination, source_port, destination_port)
