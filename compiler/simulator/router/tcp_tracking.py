"""How connection tracking follows a TCP connection: states, and sequence windows.

After net/netfilter/nf_conntrack_proto_tcp.c of Linux 6.18, which in turn
follows van Rooij, "Real Stateful TCP Packet Filtering in IP Filter" (SANE
2000). The sysctls have Linux's defaults: ``nf_conntrack_tcp_loose`` is on,
``nf_conntrack_tcp_be_liberal`` and ``_ignore_invalid_rst`` are off.
"""

from __future__ import annotations

from enum import IntEnum

from compiler.simulator.frame import Datagram
from compiler.simulator.router.tcp_states import (
    ACK,
    IGNORE,
    INVALID,
    KINDS,
    RST,
    SYN,
    TABLES,
    TIMEOUTS,
    Kind,
    TcpState,
)
from compiler.simulator.router.tcp_window import LIBERAL, SACK, SCALED, Side, end_of, is_after, is_before
from compiler.simulator.router.tcp_window import farthest as farthest_of

__all__ = ["Answer", "TcpTrack"]


class Answer(IntEnum):
    """What tracking makes of a segment."""

    INVALID = 0
    """Not part of the connection."""
    VALID = 1
    """Part of it; the connection lives on for :attr:`TcpTrack.timeout` seconds."""
    IGNORED = 2
    """Part of it, but it changes nothing and renews no timeout."""
    GONE = 3
    """Part of it, and the end of it: a reset before anything was answered."""
    REOPENED = 4
    """The first segment of another connection; this one is over."""


_UNACKNOWLEDGED_TIMEOUT = _RETRANSMITTED_TIMEOUT = 300
_MOST_RETRANSMISSIONS = 3
_CLOSING = frozenset({TcpState.FIN_WAIT, TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.TIME_WAIT, TcpState.CLOSE})

_WORD = 0xFFFFFFFF
_LEAST_ACK_WINDOW = 66_000

_CLOSES, _UNACKNOWLEDGED, _HAS_ACK = 4, 16, 32
"""Further flags of a side: it has sent FIN first, has data unanswered, has acknowledged something."""
_CHALLENGED, _SIMULTANEOUS = 64, 128
"""Of the last segment that was remembered: a challenge may come (RFC 5961), both sides have sent SYN."""


class TcpTrack:
    """One TCP connection as the tracker sees it (struct ip_ct_tcp)."""

    __slots__ = (
        "_last_ack",
        "_last_end",
        "_last_flags",
        "_last_is_reply",
        "_last_kind",
        "_last_scale",
        "_last_sequence",
        "_last_window",
        "_retransmissions",
        "_sides",
        "becomes_assured",
        "state",
        "timeout",
    )

    def __init__(self) -> None:
        self.state = 0
        self.timeout = 0
        """Seconds that the connection lives without another segment."""
        self.becomes_assured = False
        """Whether the last segment showed that both sides mean it."""
        self._sides = (Side(), Side())
        self._last_kind: int = Kind.NONE
        self._last_is_reply = False
        self._last_sequence = self._last_ack = self._last_end = self._last_window = 0
        self._last_scale = self._last_flags = 0
        self._retransmissions = 0

    def close(self) -> None:
        """The router itself has sent a reset (nf_conntrack_tcp_set_closing)."""
        self.state = TcpState.CLOSE
        self.timeout = TIMEOUTS[TcpState.CLOSE]

    def is_ahead_of(self, older: TcpTrack) -> bool:
        """Whether its client's numbers are beyond those of an older connection (nf_seq_has_advanced)."""
        return is_after(self._sides[0].end, older._sides[0].end)

    def open(self, segment: Datagram) -> bool:
        """Begin with the first segment; False when it begins nothing (tcp_new)."""
        flags = segment.tcp_flags
        first = TABLES[0][KINDS[flags]][TcpState.NONE]
        if first == INVALID:
            return False
        sender = self._sides[0]
        sender.end = end_of(segment)
        sender.most_window = segment.window or 1
        if first == TcpState.SYN_SENT:
            sender.most_end = sender.end
            sender.read_options(segment.tcp_options)
        else:  # in full swing: nothing is known of window scales, so windows are not checked
            sender.most_end = sender.end + sender.most_window & _WORD
            sender.flags = self._sides[1].flags = SACK | LIBERAL
        return True

    def hear(  # noqa: PLR0912  # one decision after the other
        self, segment: Datagram, is_reply: bool, *, is_replied: bool, is_assured: bool, offset: int
    ) -> Answer:
        """Let a segment move the state (nf_conntrack_tcp_packet).

        ``is_replied``: something of the reply direction has come before.
        ``offset`` is by how much a helper has made the text that the segment
        acknowledges longer.
        """
        kind = KINDS[segment.tcp_flags]
        before = self.state
        after = TABLES[is_reply][kind][before]
        if kind != Kind.ACK or before != TcpState.ESTABLISHED or after != before:
            decided, before, after = self._judge(segment, is_reply, kind, before, after, is_replied, is_assured)
            if decided is not None:
                return decided
        if after >= 0:
            answer = self._in_window(segment, is_reply, kind, offset)
            if answer is not Answer.VALID:
                if answer is Answer.INVALID:
                    self._note_invalid(kind, is_reply, is_assured)
                return answer
        else:
            after = ~after
        self._last_kind = kind
        self._last_is_reply = is_reply
        self.state = after
        if after != before and after == TcpState.FIN_WAIT:
            self._sides[is_reply].flags |= _CLOSES
        timeout = TIMEOUTS[after]
        if timeout > 300:
            if self._retransmissions >= _MOST_RETRANSMISSIONS:
                timeout = _RETRANSMITTED_TIMEOUT
            elif kind != Kind.RST and (self._sides[0].flags | self._sides[1].flags) & _UNACKNOWLEDGED:
                timeout = _UNACKNOWLEDGED_TIMEOUT
            elif kind != Kind.RST and not self._last_window:
                timeout = _RETRANSMITTED_TIMEOUT
        if kind == Kind.RST and self._retransmissions < _MOST_RETRANSMISSIONS:
            timeout = TIMEOUTS[TcpState.CLOSE]
        if not is_replied:
            if segment.tcp_flags & RST:
                return Answer.GONE
            if kind == Kind.SYN and before == TcpState.SYN_SENT:
                return Answer.IGNORED  # a retransmitted SYN renews nothing
            if after == TcpState.ESTABLISHED:
                timeout = min(timeout, _UNACKNOWLEDGED_TIMEOUT)
        else:
            was_open = before in (TcpState.SYN_RECEIVED, TcpState.ESTABLISHED)
            self.becomes_assured = was_open and after == TcpState.ESTABLISHED
        self.timeout = timeout
        return Answer.VALID

    # -- what the table alone does not say -----------------------------------------------------

    def _judge(  # all that decides
        self,
        segment: Datagram,
        is_reply: bool,
        kind: int,
        before: int,
        after: int,
        is_replied: bool,
        is_assured: bool,
    ) -> tuple[Answer | None, int, int]:
        """A decision, or the states before and after; ``~after`` where the window is not to be looked at."""
        if after == INVALID:
            return Answer.INVALID, before, after
        if after == TcpState.SYN_SENT and before >= TcpState.TIME_WAIT:
            closes = (self._sides[0].flags | self._sides[1].flags) & _CLOSES
            if closes or (self._last_is_reply is is_reply and self._last_kind == Kind.RST):
                return Answer.REOPENED, before, after
            after = IGNORE
        if after == IGNORE:
            return self._ignore(segment, is_reply, kind, before)
        if after == TcpState.TIME_WAIT:
            awaited = self._last_is_reply is not is_reply and self._last_kind == Kind.SYN
            if before == TcpState.LAST_ACK and kind == Kind.ACK and awaited and self._last_flags & _CHALLENGED:
                self._last_flags &= ~_CHALLENGED  # RFC 5961: it does not acknowledge the last FIN
                return Answer.IGNORED, before, after
        elif after == TcpState.SYN_SENT_2:
            self._last_flags |= _SIMULTANEOUS
        elif after == TcpState.SYN_RECEIVED:
            if is_reply and kind == Kind.ACK and self._last_flags & _SIMULTANEOUS:
                after = TcpState.ESTABLISHED
        elif after == TcpState.CLOSE and kind == Kind.RST:
            return self._reset(segment, is_reply, before, is_replied, is_assured)
        return None, before, after

    def _ignore(self, segment: Datagram, is_reply: bool, kind: int, before: int) -> tuple[Answer | None, int, int]:
        """A segment that may be right while the tracker is wrong: remember it, and see what is answered."""
        if (
            kind == Kind.SYN_ACK
            and self._last_kind == Kind.SYN
            and self._last_is_reply is not is_reply
            and segment.acknowledgement == self._last_end
        ):
            # It acknowledges a SYN that was ignored: both sides are in step, so follow them.
            sender = self._sides[self._last_is_reply]
            sender.end = sender.most_end = self._last_end
            sender.most_window = self._last_window or 1
            sender.scale = self._last_scale
            self._last_flags &= ~_CHALLENGED
            sender.flags = self._last_flags
            other = self._sides[is_reply]
            other.end = other.most_end = other.most_window = other.most_ack = other.scale = 0
            other.flags &= LIBERAL
            return None, TcpState.SYN_SENT, TcpState.SYN_RECEIVED
        self._last_kind = kind
        self._last_is_reply = is_reply
        self._last_sequence = segment.sequence
        self._last_end = end_of(segment)
        self._last_window = segment.window
        if kind == Kind.SYN and not is_reply:
            seen = Side()
            seen.read_options(segment.tcp_options)
            self._last_flags = seen.flags
            self._last_scale = seen.scale
            if before == TcpState.LAST_ACK:
                self._last_flags |= _CHALLENGED
        if before == TcpState.SYN_SENT and kind == Kind.ACK and is_reply:
            self._last_ack = segment.acknowledgement
        return Answer.IGNORED, before, IGNORE

    def _reset(
        self, segment: Datagram, is_reply: bool, before: int, is_replied: bool, is_assured: bool
    ) -> tuple[Answer | None, int, int]:
        after: int = TcpState.CLOSE
        if before in _CLOSING:
            return None, before, ~after
        other = self._sides[not is_reply]
        if other.flags & _HAS_ACK and self._last_kind != Kind.SYN:
            sequence = segment.sequence
            is_open = before == TcpState.ESTABLISHED and is_assured
            if not sequence and not is_open:
                return None, before, after
            if is_after(other.most_ack, sequence):
                return Answer.INVALID, before, after
            if not is_open or sequence == other.most_ack:
                return None, before, after
            if self._last_kind == Kind.ACK and self._last_is_reply is is_reply and sequence == self._last_end:
                return None, before, after
            after = before  # not quite right: it may be answered by a challenge (RFC 5961)
        other_asked = self._last_is_reply is not is_reply
        refuses = is_replied and self._last_kind == Kind.SYN and other_asked
        refuses = refuses or (not is_assured and self._last_kind == Kind.ACK)
        if refuses and segment.acknowledgement == self._last_end:
            return None, before, ~after
        challenged = before == TcpState.SYN_SENT and self._last_kind == Kind.ACK and self._last_is_reply
        if challenged and segment.sequence == self._last_ack:
            return None, before, ~after
        return None, before, after

    def _note_invalid(self, kind: int, is_reply: bool, is_assured: bool) -> None:
        """A FIN or RST outside the window (nf_tcp_handle_invalid)."""
        if is_assured and kind in (Kind.RST, Kind.FIN):
            closing = self._last_kind in (Kind.FIN, Kind.RST)
            if not (self._last_is_reply is not is_reply and closing):
                self._last_kind = kind
                self._last_is_reply = is_reply

    # -- windows --------------------------------------------------------------------------------

    def _in_window(self, segment: Datagram, is_reply: bool, kind: int, offset: int) -> Answer:  # noqa: PLR0912, PLR0915
        """Whether the segment can be of this connection by its numbers (tcp_in_window), condition by condition."""
        sender, receiver = (self._sides[1], self._sides[0]) if is_reply else self._sides
        flags = segment.tcp_flags
        sequence = segment.sequence
        window = segment.window
        end = end_of(segment)
        ack = farthest = segment.acknowledgement
        if receiver.flags & SACK and segment.tcp_options:
            farthest = farthest_of(segment.tcp_options, ack)
        if offset:
            ack = ack - offset & _WORD
            farthest = farthest - offset & _WORD
        if not sender.most_window:
            if flags & SYN:
                self._begin(sender, receiver, segment, end, is_reply)
                if not flags & ACK:
                    return Answer.VALID
            else:
                sender.end = end
                sender.most_window = window << sender.scale or 1
                sender.most_end = end + sender.most_window & _WORD
                if not receiver.most_window:
                    receiver.end = receiver.most_end = farthest
                elif farthest == (receiver.end + 1 & _WORD):
                    receiver.end = farthest  # the answer to a keepalive
        elif flags & SYN and self.state in (TcpState.SYN_SENT, TcpState.SYN_RECEIVED) and is_after(end, sender.end):
            self._begin(sender, receiver, segment, end, is_reply)
            if is_reply and not flags & ACK:
                return Answer.VALID
        if not flags & ACK or (flags & RST and not ack):
            ack = farthest = receiver.end
        if flags & RST and not sequence and self.state == TcpState.SYN_SENT:
            sequence = end = sender.end
        is_liberal = sender.flags & LIBERAL
        least_end = sender.end - receiver.most_window - 1 & _WORD
        least_ack = receiver.end - max(sender.most_window, _LEAST_ACK_WINDOW) - 1 & _WORD
        if not is_before(sequence, sender.most_end + 1):
            overshot = end - sender.most_end + 1 & _WORD
            little = receiver.most_window and is_after(end, least_end) and overshot <= receiver.most_window
            if little and is_after(farthest, least_ack) and is_before(farthest, receiver.end + 1):
                sender.end = end
                sender.flags |= _UNACKNOWLEDGED
                return Answer.VALID if is_liberal else Answer.IGNORED
            return Answer.VALID if is_liberal else Answer.INVALID
        if not is_before(farthest, receiver.end + 1):
            return Answer.VALID if is_liberal else Answer.INVALID
        if (receiver.most_window and not is_after(end, least_end)) or not is_after(farthest, least_ack):
            return Answer.VALID if is_liberal else Answer.IGNORED
        if not flags & SYN:
            window <<= sender.scale
        sender.most_window = max(sender.most_window, window + (farthest - ack) & _WORD)
        if is_after(end, sender.end):
            sender.end = end
            sender.flags |= _UNACKNOWLEDGED
        if flags & ACK:
            if not sender.flags & _HAS_ACK:
                sender.most_ack = ack
                sender.flags |= _HAS_ACK
            elif is_after(ack, sender.most_ack):
                sender.most_ack = ack
        if receiver.most_window and is_after(end, sender.most_end):
            receiver.most_window += end - sender.most_end & _WORD
        edge = farthest + window & _WORD
        if is_after(edge, receiver.most_end - 1 & _WORD):
            receiver.most_end = edge + (not window) & _WORD
        if ack == receiver.end:
            receiver.flags &= ~_UNACKNOWLEDGED
        if kind == Kind.ACK:
            self._count_retransmissions(sequence, ack, end, segment.window, is_reply)
        return Answer.VALID

    @staticmethod
    def _begin(sender: Side, receiver: Side, segment: Datagram, end: int, is_reply: bool) -> None:
        """The sender's SYN, or a later one (tcp_init_sender)."""
        sender.end = sender.most_end = end
        sender.most_window = segment.window or 1
        sender.read_options(segment.tcp_options)
        if is_reply and not sender.flags & receiver.flags & SCALED:
            sender.scale = receiver.scale = 0

    def _count_retransmissions(self, sequence: int, ack: int, end: int, window: int, is_reply: bool) -> None:
        if (
            self._last_is_reply is is_reply
            and self._last_sequence == sequence
            and self._last_ack == ack
            and self._last_end == end
            and self._last_window == window
        ):
            self._retransmissions += 1
        else:
            self._last_is_reply = is_reply
            self._last_sequence, self._last_ack = sequence, ack
            self._last_end, self._last_window = end, window
            self._retransmissions = 0
