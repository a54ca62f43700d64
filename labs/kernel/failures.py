"""What went wrong, from the kernel's error numbers and error queue (ip(7), IP_RECVERR), in the simulator's words."""

from __future__ import annotations

import errno
import socket
import struct
from typing import NamedTuple

from compiler.fields import Family
from compiler.simulator.sockets import Endpoint, Failure, FailureKind

__all__ = ["QueuedError", "endpoint", "failure_of_error", "failure_of_icmp", "is_icmp_error", "queued_error"]

_ORIGIN_LOCAL, _ORIGIN_ICMP, _ORIGIN_ICMP6 = 1, 2, 3
_EXTENDED = struct.Struct("=IBBBBII")
_RECVERR = {(socket.SOL_IP, 11), (socket.IPPROTO_IPV6, 25)}
_PROHIBITED = {Family.IPV4: frozenset({9, 10, 13}), Family.IPV6: frozenset({1, 5, 6})}
_PORT = {Family.IPV4: 3, Family.IPV6: 4}
_UNREACHABLE = {Family.IPV4: 3, Family.IPV6: 1}
_EXCEEDED = {Family.IPV4: 11, Family.IPV6: 3}

_OF_NUMBER = {
    errno.ECONNREFUSED: FailureKind.REFUSED,
    errno.ECONNRESET: FailureKind.RESET,
    errno.EPIPE: FailureKind.RESET,
    errno.ECONNABORTED: FailureKind.RESET,
    errno.ETIMEDOUT: FailureKind.TIMED_OUT,
    errno.ENETUNREACH: FailureKind.NO_ROUTE,
    errno.EADDRNOTAVAIL: FailureKind.PORT_IN_USE,
    errno.EHOSTUNREACH: FailureKind.UNREACHABLE,
    errno.EACCES: FailureKind.PROHIBITED,
    errno.EPERM: FailureKind.PROHIBITED,
}


class QueuedError(NamedTuple):
    """An entry of a socket's error queue: what failed, and where the datagram was going."""

    failure: Failure
    remote: Endpoint | None


def failure_of_error(number: int) -> Failure:
    """What an error number says by itself."""
    return Failure(_OF_NUMBER.get(number, FailureKind.UNREACHABLE))


def is_icmp_error(family: Family, kind: int) -> bool:
    """Whether an ICMP message of that type says that a datagram did not get through."""
    return kind in (3, 11, 12) if family is Family.IPV4 else kind in (1, 2, 3, 4)


def failure_of_icmp(family: Family, kind: int, code: int, reporter: int | None) -> Failure:
    """What an ICMP error says (RFC 792, RFC 1812, RFC 4443)."""
    if kind == _EXCEEDED[family]:
        meaning = FailureKind.TIME_EXCEEDED
    elif kind == _UNREACHABLE[family] and code == _PORT[family]:
        meaning = FailureKind.REFUSED
    elif kind == _UNREACHABLE[family] and code in _PROHIBITED[family]:
        meaning = FailureKind.PROHIBITED
    else:
        meaning = FailureKind.UNREACHABLE
    return Failure(meaning, reporter, kind, code)


def queued_error(one: socket.socket, family: Family) -> QueuedError | None:
    """The next entry of the error queue, or None when it is empty."""
    try:
        _, ancillary, _, address = one.recvmsg(512, 512, socket.MSG_ERRQUEUE)
    except (BlockingIOError, OSError):
        return None
    remote = endpoint(family, address) if address else None
    for level, kind, data in ancillary:
        if (level, kind) not in _RECVERR:
            continue
        number, origin, icmp_type, icmp_code, _, _, _ = _EXTENDED.unpack_from(data)
        if origin in (_ORIGIN_ICMP, _ORIGIN_ICMP6):
            reporter = _offender(data[_EXTENDED.size :], family)
            return QueuedError(failure_of_icmp(family, icmp_type, icmp_code, reporter), remote)
        return QueuedError(failure_of_error(number), remote)
    return QueuedError(Failure(FailureKind.UNREACHABLE), remote)


def endpoint(family: Family, address: tuple[str, int] | tuple[str, int, int, int]) -> Endpoint:
    """A socket address as an endpoint."""
    packed = socket.inet_pton(
        socket.AF_INET if family is Family.IPV4 else socket.AF_INET6, address[0].partition("%")[0]
    )
    return Endpoint(family, int.from_bytes(packed, "big"), address[1])


def _offender(data: bytes, family: Family) -> int | None:
    """The reporter, behind the entry as a sockaddr."""
    length = family.width // 8
    start = 4 if family is Family.IPV4 else 8
    if len(data) < start + length or not int.from_bytes(data[:2], "little"):
        return None
    return int.from_bytes(data[start : start + length], "big")
