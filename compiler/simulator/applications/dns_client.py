"""A stub resolver's queries (RFC 1035), with the patience of resolv.conf(5): two tries, 5 s each."""

from __future__ import annotations

from compiler.addresses import format_address
from compiler.fields import Family
from compiler.simulator.applications.datagram_attempt import DatagramAttempt
from compiler.simulator.applications.dns_message import NAMES_OF_TYPES, TYPES, A, Message, decode, encode
from compiler.simulator.applications.dns_server import dns_token
from compiler.simulator.applications.running import Running
from compiler.simulator.sockets import Endpoint, Failure, FailureKind, UdpSocket

__all__ = ["DnsClient"]

_TRIES = 2
_CODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


class DnsClient(DatagramAttempt):
    """One query. ``detail`` holds the answers in order (``example.test A 192.0.2.1``) or ``NXDOMAIN``.

    ``timeout`` is for all tries together.
    """

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        name, _, kind = self.request.query.partition(" ")
        self._query = Message(self.sockets.random.randrange(1 << 16), name.rstrip("."), TYPES.get(kind.strip(), A))
        self._octets = b""
        self._tries = 0
        self.token = dns_token(self._query)

    def begin(self) -> None:
        """Send the first try."""
        try:
            self._octets = encode(self._query)
            self.bind()
        except ValueError as error:
            self.cannot_begin(error)
        else:
            self._try(Failure(FailureKind.TIMED_OUT))

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """Take the answer if it is to this query (RFC 5452, 9.1)."""
        if self.ended is not None or data is None or remote != self.server:
            return
        try:
            answer = decode(data)
        except ValueError:
            return
        asked = (self._query.identifier, self._query.name.lower(), self._query.kind)
        if not answer.is_response or (answer.identifier, answer.name.lower(), answer.kind) != asked:
            return
        self.connected_at = self.sockets.now()
        self.transferred = octets
        self.running.received += 1
        self.running.delays.append(self.connected_at - self.started)
        self.say(_described(answer))
        self.end()

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        """An ICMP error: the next try comes at once."""
        if self.ended is None:
            self._try(failure)

    def _try(self, failure: Failure) -> None:
        self.stop_waiting()
        if self._tries == _TRIES or self.socket is None:
            self.end(failure)
            return
        self._tries += 1
        self.running.sent += 1
        patience = self.request.timeout // _TRIES
        self.waiting = self.sockets.after(patience, lambda: self._try(Failure(FailureKind.TIMED_OUT)))
        self.socket.send(self.server, self._octets)


def _described(answer: Message) -> str:
    if answer.code:
        return _CODES.get(answer.code, f"code {answer.code}")
    words = []
    for record in answer.answers:
        if isinstance(record.data, bytes):
            family = Family.IPV4 if len(record.data) == 4 else Family.IPV6
            data = format_address(int.from_bytes(record.data, "big"), family.width)
        else:
            data = record.data
        words.append(f"{record.name} {NAMES_OF_TYPES[record.kind]} {data}")
    return "; ".join(words) or "no records of that type"
