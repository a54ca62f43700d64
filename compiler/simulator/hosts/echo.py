"""ICMP echo: asking, and answering (RFC 792, RFC 4443 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from compiler.fields import ICMP, ICMPV6, Family
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import ICMP_HEADER, IP_HEADER, LARGEST_PAYLOAD
from compiler.simulator.sockets import Cancel, EchoAnswer, Failure

if TYPE_CHECKING:
    from compiler.simulator.hosts.stack import Stack

__all__ = ["REPLY", "REQUEST", "Echoes"]

REQUEST: dict[Family, int] = {Family.IPV4: 8, Family.IPV6: 128}
REPLY: dict[Family, int] = {Family.IPV4: 0, Family.IPV6: 129}

Heard = Callable[[EchoAnswer], object]
_Question = tuple[Family, int, int]
"""Family, identifier and sequence number."""


class Echoes:
    """The echo requests of one node that may still be answered."""

    __slots__ = ("_identifier", "_questions", "_stack")

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._questions: dict[_Question, list[Heard]] = {}
        self._identifier = stack.random.randrange(1, 65536)

    def ask(
        self, family: Family, destination: int, heard: Heard, octets: int, ttl: int, identifier: int, sequence: int
    ) -> Cancel:
        """Send one request; an identifier of 0 is replaced by one that is the node's own.

        ValueError for a payload, TTL, identifier or sequence number that does not exist.
        """
        if not (
            0 <= octets <= LARGEST_PAYLOAD[family]
            and 0 < ttl < 256
            and 0 <= identifier < 65536
            and 0 <= sequence < 65536
        ):
            raise ValueError(f"no echo request: {octets} octets, TTL {ttl}, {identifier}/{sequence}")
        stack = self._stack
        question = (family, identifier or self._identifier, sequence)
        listeners = self._questions.setdefault(question, [])
        listeners.append(heard)

        def cancel() -> None:
            if heard in listeners:
                listeners.remove(heard)
            if not listeners and self._questions.get(question) is listeners:
                del self._questions[question]

        source = stack.source_for(family, destination)
        hindrance = stack.hindrance(family, destination, source)
        if source is None or hindrance is not None:
            answer = EchoAnswer(0, hindrance)
            stack.engine.after(0, lambda _: heard in listeners and heard(answer))
            return cancel
        size = IP_HEADER[family] + ICMP_HEADER + octets
        request = Datagram(family, source, destination, ICMP if family is Family.IPV4 else ICMPV6, size, ttl=ttl)
        request.icmp_type = REQUEST[family]
        request.identifier, request.rest = question[1], sequence
        request.dont_fragment = size <= stack.path_mtu(family, destination) and not stack.may_be_cut(
            family, destination
        )
        stack.send(request)
        return cancel

    def answer(self, request: Datagram) -> None:
        """Send back what came. Broadcasts are not answered (icmp_echo_ignore_broadcasts), IPv6 multicast is."""
        family = request.family
        source: int | None = request.destination
        if self._stack.is_for_all(request):
            source = None if family is Family.IPV4 else self._stack.source_for(family, request.source)
        if source is None or request.source == 0:
            return
        reply = Datagram(family, source, request.source, request.protocol, request.size - len(request.options))
        reply.icmp_type = REPLY[family]
        reply.identifier, reply.rest = request.identifier, request.rest
        reply.data = request.data
        reply.traffic_class = request.traffic_class
        self._stack.send(reply)

    def heard_reply(self, reply: Datagram) -> None:
        """A reply has come."""
        self._tell((reply.family, reply.identifier, reply.rest), EchoAnswer(reply.source, None))

    def heard_error(self, quoted: Datagram, failure: Failure, reporter: int) -> None:
        """An ICMP error about a request of this node has come."""
        if quoted.icmp_type == REQUEST[quoted.family]:
            self._tell((quoted.family, quoted.identifier, quoted.rest), EchoAnswer(reporter, failure))

    def _tell(self, question: _Question, answer: EchoAnswer) -> None:
        for heard in tuple(self._questions.get(question, ())):
            heard(answer)
