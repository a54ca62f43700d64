"""One TCP connection (RFC 9293): data both ways, the ways to begin and to end.

Places in the two streams are plain integers that count from the SYN and never
wrap; sequence numbers of 32 bits exist in segments only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.fields import Family
from compiler.simulator.engine import MILLISECOND
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.headers import ACK, FIN, PSH, RST, SYN
from compiler.simulator.hosts.tcp_opening import Opening
from compiler.simulator.hosts.tcp_options import read_syn, read_timestamps
from compiler.simulator.hosts.tcp_receiver import Arrived, Receiver, exactly
from compiler.simulator.hosts.tcp_segments import Incoming, Segments
from compiler.simulator.hosts.tcp_sender import Sender
from compiler.simulator.hosts.tcp_state import State
from compiler.simulator.hosts.tcp_stream import TcpStream
from compiler.simulator.sockets import Endpoint, Failure, FailureKind, StreamEvents

if TYPE_CHECKING:
    from compiler.simulator.hosts.tcp_ports import TcpPorts

__all__ = ["Connection"]

_BITS = 0xFFFFFFFF
_HALF = 1 << 31
_ABOVE = 65_537
_INVALID_INTERVAL = 500 * MILLISECOND
"""Least time between answers to segments without data that do not fit (tcp_invalid_ratelimit)."""


class Connection(TcpStream):
    """One end of a connection."""

    __slots__ = (
        "_engine",
        "_invalid_at",
        "_opening",
        "_ports",
        "_segments",
        "_soft",
        "_transmit",
        "key",
    )

    def __init__(self, ports: TcpPorts, local: Endpoint, remote: Endpoint, events: StreamEvents | None) -> None:
        super().__init__(local, remote, events)
        stack, parameters = ports.stack, ports.parameters
        self._ports = ports
        self._engine = stack.engine
        self.key = (local.family, local.address, local.port, remote.address, remote.port)
        self.sender = Sender(stack.engine, parameters, self._emit, self._gave_up)
        self.receiver = Receiver(stack.engine, parameters, self._acknowledge)
        self._segments = Segments(stack.engine, parameters, stack.random, local, remote)
        self._segments.join(self.sender, self.receiver)
        self._transmit = stack.transmitter(local.family, remote.address)
        self._opening: Opening | None = None
        self._soft: Failure | None = None
        """The last ICMP error about an open connection: reported only if it breaks."""
        self._invalid_at = -_INVALID_INTERVAL

    def abort(self) -> None:
        """Reset the connection, and forget it. No event follows."""
        if self._state not in {State.CLOSED, State.SYN_SENT}:
            self._emit(self.sender.nxt, 0, RST | ACK, None)
        self._end()

    # -- opening -----------------------------------------------------------------

    def follow(self, sequence: int) -> None:
        """Begin well above what an earlier connection between the same ports has sent (``tcp_twsk_unique``)."""
        self._segments.iss = sequence + _ABOVE & _BITS

    def open(self) -> None:
        """Send the SYN."""
        self._state = State.SYN_SENT
        self._begin(SYN, self._ports.parameters.selective)

    def answer(self, syn: Datagram) -> None:
        """A SYN has come to a port that is served: answer it."""
        self._state = State.SYN_RECEIVED
        self._segments.irs = syn.sequence
        self._segments.agree(self._ports.parameters, read_syn(syn.tcp_options))
        self._fit()
        self._begin(SYN | ACK, self.sender.is_selective)

    def _begin(self, flags: int, selective: bool) -> None:
        stack, segments = self._ports.stack, self._segments
        family, address, _ = self.remote
        segments.keeps_whole = not stack.may_be_cut(family, address)
        self._opening = Opening(
            self._engine,
            self._ports.parameters,
            lambda: segments.offer(flags, stack.device_mtu(family, address), selective),
            self._transmit,
            self._end if flags & ACK else self._gave_up,
            not flags & ACK,
        )

    def _fit(self) -> None:
        stack, segments = self._ports.stack, self._segments
        family, address, _ = self.remote
        segments.keeps_whole = not stack.may_be_cut(family, address)
        self.sender.resize(segments.fitting(stack.path_mtu(family, address)))

    def _in_syn_sent(self, segment: Datagram) -> None:
        """RFC 9293, 3.10.7.3. A SYN without acknowledgement (both opening at once) is not answered."""
        flags = segment.tcp_flags
        if flags & ACK and segment.acknowledgement != self._segments.iss + 1 & _BITS:
            self._ports.refuse(segment)
        elif flags & RST and flags & ACK:
            self._fail(Failure(FailureKind.REFUSED))
        elif flags & (SYN | ACK | RST) == SYN | ACK:
            self._segments.irs = segment.sequence
            self._segments.agree(self._ports.parameters, read_syn(segment.tcp_options))
            self._fit()
            self._established(segment, 0)
            self._acknowledge()
            if self.events is not None:
                self.events.connected(self)
            self._push()

    def _established(self, segment: Datagram, scale: int) -> None:
        sender, opening = self.sender, self._opening
        self._state = State.ESTABLISHED
        sender.una = sender.nxt
        sender.edge = sender.una + (segment.window << scale)
        if opening is None:
            return
        opening.stop()
        if not opening.repeated:
            sender.round_trip.sample(self._engine.now - opening.sent_at)
        elif self._segments.is_timed:
            sender.round_trip.sample(self._segments.since(self._segments.read(segment).echo))
        self._opening = None

    # -- segments in -------------------------------------------------------------

    def receive(self, segment: Datagram) -> bool:
        """A segment for this connection has come. It never is the beginning of another one: False."""
        if self._state is State.ESTABLISHED:
            if not self._predicted(segment):
                self._examine(segment)
        elif self._state is State.SYN_SENT:
            self._in_syn_sent(segment)
        else:
            self._examine(segment)
        return False

    def _predicted(self, segment: Datagram) -> bool:
        """The short way for nearly every segment (header prediction): what comes next, with nothing special."""
        segments, receiver, sender = self._segments, self.receiver, self.sender
        options = segment.tcp_options
        expected = receiver.next
        if (
            segment.tcp_flags & ~PSH != ACK
            or segment.sequence != segments.irs + expected & _BITS
            or receiver.finish is not None
            or receiver.waits
        ):
            return False
        una = sender.una
        acknowledged = una + (segment.acknowledgement - segments.iss - una & _BITS)
        if acknowledged > sender.nxt:
            return False
        taken = 0
        if segments.is_timed:
            times = read_timestamps(options)
            if times is None or times[0] - segments.recent & _BITS >= _HALF:
                return False
            value, echo = times
            if expected == segments.acknowledged:  # otherwise delayed acknowledgements would look fast
                segments.recent = value
            if acknowledged > una and sender.board.lost and echo:
                taken = segments.since(echo)
        elif options:
            return False
        octets = segment.size - segments.headers - len(options) - len(segment.options)
        if octets < 0 or octets > receiver.window:
            return False
        if acknowledged > una or not octets:
            sender.acknowledge(
                acknowledged, acknowledged + (segment.window << segments.scale_out), (), taken, not octets
            )
        if octets:
            self._after([(exactly(segment.data, octets), octets)], receiver.in_order(octets, self._engine.now), False)
        else:
            self._after((), False, False)
        return True

    def _examine(self, segment: Datagram) -> None:  # the order of RFC 9293, 3.10.7.4
        """The long way."""
        flags, segments, receiver = segment.tcp_flags, self._segments, self.receiver
        said = segments.read(segment)
        if self._state is State.SYN_RECEIVED and said.place == 0 and flags & (SYN | ACK) == SYN:
            if self._opening is not None:
                self._opening.again()  # ours was lost
            return
        old = said.value is not None and segments.is_timed and said.value - segments.recent & _BITS >= _HALF
        # Numbers may have wrapped since an old timestamp (RFC 7323, 5), and what lies outside the window is not ours.
        if old or said.stop < segments.acknowledged or said.place > receiver.next + receiver.window:
            if not flags & RST:
                self._complain(said)
            return
        if said.value is not None and said.place <= segments.acknowledged:
            segments.recent = said.value
        if flags & (RST | SYN):
            self._reset(said, bool(flags & RST))
            return
        if not flags & ACK or not self._heed_acknowledgement(segment, said):
            return
        arrived: Arrived = []
        at_once = False
        if said.octets:
            arrived, at_once = receiver.take(said.place, said.octets, segment.data, self._engine.now)
        finished = False
        if flags & FIN or receiver.finish is not None:
            finished, again = receiver.heard_finish(said.place + said.octets if flags & FIN else None)
            at_once = at_once or finished or again
        self._after(arrived, at_once, finished)

    def _heed_acknowledgement(self, segment: Datagram, said: Incoming) -> bool:
        """Whether the segment is to be heeded further."""
        segments, sender = self._segments, self.sender
        if said.acknowledged > sender.nxt or self._state is State.SYN_RECEIVED:
            if said.acknowledged != sender.nxt:
                self._not_sent(segment, said)
                return False
            return self._accepted(segment)
        if said.acknowledged >= sender.una:
            board = sender.board
            taken = segments.since(said.echo) if said.echo and board.segments and board.segments[0].times else 0
            edge = said.acknowledged + (segment.window << segments.scale_out)
            sender.acknowledge(said.acknowledged, edge, said.blocks, taken, said.stop == said.place)
        return True

    def _reset(self, said: Incoming, is_reset: bool) -> None:
        """RFC 5961: a reset counts only when it fits exactly; other ones, and SYNs, are asked about."""
        if not is_reset or said.place != self.receiver.next:
            self._complain(said)
        elif self._state is State.SYN_RECEIVED:
            self._end()
        else:
            self._fail(Failure(FailureKind.RESET))

    def _not_sent(self, segment: Datagram, said: Incoming) -> None:
        """It acknowledges what was never sent."""
        if self._state is State.SYN_RECEIVED:
            self._ports.refuse(segment)
        else:
            self._complain(said)

    def _accepted(self, segment: Datagram) -> bool:
        """The handshake's last part has come: whether the connection lives."""
        events = self._ports.serve(self)
        if events is None:
            self._emit(self.sender.nxt, 0, RST | ACK, None)
            self._end()
            return False
        self._established(segment, self._segments.scale_out)
        self.events = events(self)
        if self._state is State.ESTABLISHED:
            self.events.connected(self)
        return self._state is State.ESTABLISHED

    def _complain(self, said: Incoming) -> None:
        """A segment does not fit: say what is expected (RFC 9293, 3.10.7.4), but never start a quarrel."""
        now = self._engine.now
        if said.octets:
            if said.place + said.octets <= self.receiver.next:
                self.receiver.repeated(said.place, said.place + said.octets)
        elif now - self._invalid_at < _INVALID_INTERVAL:
            return
        else:
            self._invalid_at = now
        self._acknowledge()

    def _after(self, arrived: Arrived | tuple[()], at_once: bool, finished: bool) -> None:
        """A segment was heeded: send, acknowledge, and then tell the application, which may do anything."""
        sender, segments = self.sender, self._segments
        if sender.nxt < sender.buffer.end + sender.is_closing or sender.board.lost:
            sender.push()
        if at_once and (segments.acknowledged < self.receiver.next or not arrived or self.receiver.waits):
            self._acknowledge()
        if arrived or finished or self._drain or sender.is_closing:
            self._tell(arrived, finished)

    def _tell(self, arrived: Arrived | tuple[()], finished: bool) -> None:
        events, sender = self.events, self.sender
        if events is None:
            return
        for data, octets in arrived:
            if self._state is not State.CLOSED:
                events.received(self, data, octets)
        if self._drain and sender.una >= sender.buffer.end and self._state is not State.CLOSED:
            self._drain = False
            events.drained(self)
        if finished and self._state is not State.CLOSED:
            events.finished(self)
        if (
            sender.is_closing
            and sender.una > sender.buffer.end
            and self.receiver.has_all
            and self._state is not State.CLOSED
        ):
            self._end()
            if not self._is_passive:
                segments = self._segments
                self._ports.linger(self, segments.iss + sender.nxt & _BITS, segments.irs + self.receiver.next & _BITS)
            events.closed(self)

    # -- segments out ------------------------------------------------------------

    def _emit(self, place: int, octets: int, flags: int, data: bytes | None) -> None:
        made = self._segments.write(place, octets, flags, data)
        receiver = self.receiver
        receiver.acknowledged()
        if octets and not receiver.interactive:
            receiver.sent_data(self._engine.now)
        self._transmit(made)

    def _acknowledge(self) -> None:
        self._emit(self.sender.nxt, 0, ACK, None)

    # -- errors and ends ---------------------------------------------------------

    def heard_error(self, quoted: Datagram, failure: Failure) -> None:
        """An ICMP error about one of its segments came (``tcp_v4_err``, ``tcp_v6_err``, ``tcp_req_err``).

        Before the connection is open any error ends it, also those that RFC
        1122 calls soft; later ones are kept, and told only when it breaks.
        Errors about segments that are not under way are not believed (RFC 5927).
        """
        sender = self.sender
        ahead = quoted.sequence - self._segments.iss - sender.una & _BITS
        if self._state is State.SYN_SENT:
            if ahead == 0:
                self._fail(failure)
        elif self._state is State.SYN_RECEIVED:
            if ahead == 0 and _ends_half_open(self.local.family, failure):
                self._end()
        elif ahead <= sender.nxt - sender.una:
            self._soft = failure

    def path_changed(self) -> None:
        """The path takes smaller datagrams than was thought."""
        if self._state not in {State.CLOSED, State.SYN_SENT}:
            self._fit()

    def fail_later(self, failure: Failure) -> None:
        """It cannot even begin: say so when the caller has the stream."""
        self._state = State.SYN_SENT
        self._engine.after(0, lambda _: self._fail(failure))

    def lose(self) -> None:
        """The node has lost its memory; its application hears that the connection is gone."""
        self._fail(Failure(FailureKind.CLOSED))

    def _gave_up(self) -> None:
        self._fail(self._soft or Failure(FailureKind.TIMED_OUT))

    def _fail(self, failure: Failure) -> None:
        if self._state is not State.CLOSED:
            self._end()
            if self.events is not None:
                self.events.failed(self, failure)

    def _end(self) -> None:
        self._state = State.CLOSED
        self.sender.stop()
        self.receiver.stop()
        if self._opening is not None:
            self._opening.stop()
        self._ports.forget(self)


def _ends_half_open(family: Family, failure: Failure) -> bool:
    """Whether Linux gives up a connection that nobody has accepted yet."""
    if family is Family.IPV4:
        return failure.kind is FailureKind.TIME_EXCEEDED or failure.icmp_type == 12 or failure.icmp_code in {0, 1}
    return failure.kind in {FailureKind.REFUSED, FailureKind.PROHIBITED}
