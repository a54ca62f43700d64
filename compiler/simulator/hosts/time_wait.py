"""What is left of a connection for a while after its end (RFC 9293, TIME-WAIT; ``tcp_minisocks.c``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from compiler.fields import TCP
from compiler.simulator.engine import Timer
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import ACK, FIN, IP_HEADER, RST, SYN, TCP_HEADER, payload

if TYPE_CHECKING:
    from compiler.simulator.hosts.tcp_ports import Key, TcpPorts

__all__ = ["TimeWait", "made_reply"]

_BITS = 0xFFFFFFFF
_HALF = 1 << 31


def made_reply(segment: Datagram) -> Datagram:
    """A segment without data back to where one came from; its flags and numbers are to be set."""
    reply = Datagram(
        segment.family,
        segment.destination,
        segment.source,
        TCP,
        IP_HEADER[segment.family] + TCP_HEADER,
        segment.destination_port,
        segment.source_port,
    )
    reply.traffic_class = segment.traffic_class & 0xFC  # without ECN (tcp_v4_send_reset)
    reply.dont_fragment = True
    return reply


class TimeWait:
    """Answers what old segments may still come, and makes way for a new connection between the same ports."""

    __slots__ = ("_expected", "_key", "_ports", "_timer", "_transmit", "sequence")

    def __init__(
        self, ports: TcpPorts, key: Key, sequence: int, expected: int, transmit: Callable[[Datagram], None]
    ) -> None:
        self._ports = ports
        self._key = key
        self.sequence = sequence
        """What the connection would have sent next."""
        self._expected = expected
        self._transmit = transmit
        self._timer = Timer(ports.stack.engine, self.lose)

    def start(self) -> None:
        """Wait, from now on."""
        self._timer.start(self._ports.parameters.time_wait)

    def lose(self) -> None:
        """It is over."""
        self._timer.stop()
        if self._ports.connections.get(self._key) is self:
            del self._ports.connections[self._key]

    def receive(self, segment: Datagram) -> bool:
        """A segment has come; whether it begins a new connection."""
        flags = segment.tcp_flags
        ahead = segment.sequence - self._expected & _BITS
        if flags & RST:
            if ahead == 0:
                self.lose()
            return False
        if flags & (SYN | ACK) == SYN and 0 < ahead < _HALF:
            self.lose()
            return True
        if ahead or flags & (SYN | FIN) or payload(segment, TCP_HEADER + len(segment.tcp_options)):
            reply = made_reply(segment)
            reply.tcp_flags = ACK
            reply.sequence, reply.acknowledgement = self.sequence, self._expected
            reply.window = 0xFFFF
            self._transmit(reply)
        self.start()
        return False
