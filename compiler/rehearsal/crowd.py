"""The clients of one network inside, as one node: it holds their addresses and moves their connections on."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.fields import ICMP, TCP
from compiler.rehearsal.flows import Flow
from compiler.rehearsal.packets import ACK, FIN, PSH, RST, SYN, datagram, segment, words
from compiler.rehearsal.servers import payload_of, serve
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import ArpMessage, Datagram, Frame
from compiler.simulator.neighbour_messages import arp_message
from compiler.simulator.node import Port, link_address
from compiler.simulator.router.connections import Tuple

__all__ = ["FIRST_SEQUENCE", "Crowd"]

FIRST_SEQUENCE = 1000
_REPEAT_AFTER = SECOND
"""A SYN that nobody answers is repeated after a second (RFC 6298, 2.1)."""


class Crowd:
    """Opens the flows that it is given. What comes for one of its addresses and is no answer is served."""

    def __init__(self, engine: Engine, name: str, addresses: Iterable[int], router: int) -> None:
        self.name = name
        self.port = Port(self, "lan", link_address(name, "lan"))
        self.ignored: set[int] = set()
        """Where to leave the numbers of datagrams whose answers shall be lost."""
        self._engine = engine
        self._addresses = frozenset(addresses)
        self._router = router
        self._flows: dict[Tuple, Flow] = {}
        """Running ones, by the tuple of their answers."""

    def open(self, flow: Flow) -> None:
        """Send the first packet; again after a second if that was to be lost."""
        flow.started = self._engine.now
        flow.expected = 0
        self._flows[flow.wanted.inverted()] = flow
        first = self._first(flow)
        if flow.asks_twice:
            self.ignored.add(first.number)
            self._engine.after(_REPEAT_AFTER, self._repeat, flow)
        self._send(first)

    def receive(self, port: Port, frame: Frame) -> None:
        """Answer questions for its addresses; go on with flows."""
        if isinstance(frame, ArpMessage):
            if not frame.is_reply and frame.target in self._addresses:
                to = frame.sender_link
                reply = arp_message(port.link_address, frame.target, frame.sender, to, is_reply=True, target_link=to)
                port.send(reply)
        elif isinstance(frame, Datagram) and frame.link_destination == port.link_address:
            self._heard(frame)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """Clients wait."""

    # -- flows -----------------------------------------------------------------------------

    def _first(self, flow: Flow) -> Datagram:
        protocol, source, destination = _ends(flow.wanted)
        if protocol == TCP:
            return segment(source, destination, SYN, (FIRST_SEQUENCE, 0))
        return datagram(protocol, source, destination, flow.request)

    def _repeat(self, flow: Flow) -> None:
        if flow.opened is None:
            self._send(self._first(flow))

    def _heard(self, frame: Datagram) -> None:
        if frame.quoted is not None:
            return
        key = _key(frame)
        flow = self._flows.get(key)
        if flow is None:
            if frame.protocol != TCP or frame.tcp_flags & SYN:
                serve(frame, self._send)
            return
        if flow.opened is None:
            flow.opened = self._engine.now
        if frame.protocol != TCP:
            self._finish(flow, key)
        elif frame.tcp_flags & RST:
            flow.reasons.append("reset")
            del self._flows[key]
        else:
            self._segment(flow, key, frame)

    def _segment(self, flow: Flow, key: Tuple, frame: Datagram) -> None:
        _, source, destination = _ends(flow.wanted)
        sent = FIRST_SEQUENCE + 1
        if frame.tcp_flags & SYN:
            heard = frame.sequence + 1
            self._send(segment(source, destination, ACK, (sent, heard)))
            request = segment(source, destination, ACK | PSH, (sent, heard), flow.request)
            request.data = words(flow.reply, flow.request)
            self._send(request)
        elif frame.tcp_flags & FIN:
            end = sent + flow.request + 1
            self._send(segment(source, destination, ACK, (end, frame.sequence + 1)))
            self._finish(flow, key)
        else:
            assert flow.expected is not None
            flow.expected += payload_of(frame)
            if flow.expected >= flow.reply:
                heard = frame.sequence + payload_of(frame)
                self._send(segment(source, destination, FIN | ACK, (sent + flow.request, heard)))

    def _finish(self, flow: Flow, key: Tuple) -> None:
        flow.finished = self._engine.now
        del self._flows[key]

    def _send(self, made: Datagram) -> None:
        made.link_destination = self._router
        self.port.send(made)


def _ends(wanted: Tuple) -> tuple[int, tuple[int, int], tuple[int, int]]:
    _, protocol, source, destination, source_port, destination_port = wanted
    return protocol, (source, source_port), (destination, destination_port)


def _key(frame: Datagram) -> Tuple:
    if frame.protocol == ICMP:
        kind = frame.icmp_type << 8 | frame.icmp_code
        return Tuple(frame.family, ICMP, frame.source, frame.destination, frame.identifier, kind)
    return Tuple(
        frame.family, frame.protocol, frame.source, frame.destination, frame.source_port, frame.destination_port
    )
