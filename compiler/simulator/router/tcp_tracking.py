"""How connection tracking follows a TCP connection: states, and sequence windows.

After net/netfilter/nf_conntrack_proto_tcp.c of Linux 6.18, which in turn
follows van Rooij, "Real Stateful TCP Packet Filtering in IP Filter" (SANE
2000). The sysctls have Linux's defaults: ``nf_conntrack_tcp_loose`` is on,
``nf_conntrack_tcp_be_liberal`` and ``_ignore_invalid_rst`` are off.
"""

from __future__ import annotations

from enum import IntEnum

from compiler.simulator.frame import Datagram

__all__ = ["ACK", "FIN", "RST", "SYN", "Answer", "TcpState", "TcpTrack"]

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))

_VALID_FLAGS = frozenset({SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG})
IS_VALID = tuple((flags & ~(ECE | CWR | PSH)) in _VALID_FLAGS for flags in range(256))
"""Which combinations of flags are no nonsense (tcp_valid_flags): ECE, CWR and PSH do not count."""


class TcpState(IntEnum):
    """States of nf_conntrack_proto_tcp.c, in its order."""

    NONE = 0
    SYN_SENT = 1
    SYN_RECEIVED = 2
    ESTABLISHED = 3
    FIN_WAIT = 4
    CLOSE_WAIT = 5
    LAST_ACK = 6
    TIME_WAIT = 7
    CLOSE = 8
    SYN_SENT_2 = 9
    """Both sides have sent a SYN."""

    __hash__ = int.__hash__


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


_INVALID, _IGNORE = 10, 11
_NAMES = {
    "SS": TcpState.SYN_SENT,
    "SR": TcpState.SYN_RECEIVED,
    "ES": TcpState.ESTABLISHED,
    "FW": TcpState.FIN_WAIT,
    "CW": TcpState.CLOSE_WAIT,
    "LA": TcpState.LAST_ACK,
    "TW": TcpState.TIME_WAIT,
    "CL": TcpState.CLOSE,
    "S2": TcpState.SYN_SENT_2,
    "IV": _INVALID,
    "IG": _IGNORE,
}

_SYN, _SYN_ACK, _FIN, _ACK, _RST, _NONE = range(6)
"""What a segment is to the tables (enum tcp_bit_set)."""

#    from: none syn-sent syn-received established fin-wait close-wait last-ack time-wait close syn-sent-2
_ORIGINAL = (
    "SS SS IG IG IG IG IG SS SS S2",
    "IV IV SR IV IV IV IV IV IV SR",
    "IV IV FW FW LA LA LA TW CL IV",
    "ES IV ES ES CW CW TW TW CL IV",
    "IV CL CL CL CL CL CL CL CL CL",
    "IV IV IV IV IV IV IV IV IV IV",
)
_REPLY = (
    "IV S2 IV IV IV IV IV SS IV S2",
    "IV SR IG IG IG IG IG IG IG SR",
    "IV IV FW FW LA LA LA TW CL IV",
    "IV IG SR ES CW CW TW TW CL IG",
    "IV CL CL CL CL CL CL CL CL CL",
    "IV IV IV IV IV IV IV IV IV IV",
)
_TABLES = tuple(tuple(tuple(int(_NAMES[name]) for name in row.split()) for row in table) for table in (_ORIGINAL, _REPLY))

_TIMEOUTS = (120, 120, 60, 432_000, 120, 60, 30, 120, 10, 120)
"""Seconds, by state (tcp_timeouts)."""
_UNACKNOWLEDGED_TIMEOUT = _RETRANSMITTED_TIMEOUT = 300
_MOST_RETRANSMISSIONS = 3
_CLOSING = frozenset({TcpState.FIN_WAIT, TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.TIME_WAIT, TcpState.CLOSE})

_WORD = 0xFFFFFFFF
_HALF = 0x80000000
_LEAST_ACK_WINDOW = 66_000
_MOST_SCALE = 14

_SCALED, _SACK, _CLOSES, _LIBERAL, _UNACKNOWLEDGED, _HAS_ACK, _CHALLENGED, _SIMULTANEOUS = (1 << bit for bit in range(8))


def _kind(flags: int) -> int:
    """The row of the state tables (get_conntrack_index)."""
    if flags & RST:
        return _RST
    if flags & SYN:
        return _SYN_ACK if flags & ACK else _SYN
    if flags & FIN:
        return _FIN
    return _ACK if flags & ACK else _NONE


_KINDS = tuple(_kind(flags) for flags in range(256))


class _Side:
    """What is known of one sender (struct ip_ct_tcp_state)."""

    __slots__ = ("end", "flags", "most_ack", "most_end", "most_window", "scale")

    def __init__(self) -> None:
        self.end = 0
        """One behind the last octet that it has sent."""
        self.most_end = 0
        """How far the other side has ever allowed it to send."""
        self.most_window = 0
        """The widest window that it has ever offered; 0 while nothing of it was seen."""
        self.most_ack = 0
        self.scale = 0
        self.flags = 0

    def read_options(self, options: bytes) -> None:
        """Window scale (RFC 7323) and SACK permitted (RFC 2018) of a SYN."""
        if not options:
            return
        self.scale = 0
        self.flags &= _LIBERAL
        for kind, body in _options(options):
            if kind == 4 and not body:
                self.flags |= _SACK
            elif kind == 3 and len(body) == 1:
                self.scale = min(body[0], _MOST_SCALE)
                self.flags |= _SCALED


def _options(options: bytes) -> list[tuple[int, bytes]]:
    found = []
    position = 0
    while position < len(options) and options[position]:
        if options[position] == 1:
            position += 1
            continue
        length = options[position + 1] if position + 1 < len(options) else 0
        if length < 2 or position + length > len(options):
            break
        found.append((options[position], options[position + 2 : position + length]))
        position += length
    return found


def _farthest(options: bytes, acknowledged: int) -> int:
    """The highest octet that ACK or SACK blocks (RFC 2018) confirm."""
    for kind, body in _options(options):
        if kind == 5 and body and not len(body) % 8:
            for start in range(4, len(body), 8):
                edge = int.from_bytes(body[start : start + 4], "big")
                if _is_after(edge, acknowledged):
                    acknowledged = edge
            break
    return acknowledged


def _is_after(one: int, other: int) -> bool:
    return other - one & _WORD >= _HALF


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
        self._sides = (_Side(), _Side())
        self._last_kind = _NONE
        self._last_is_reply = False
        self._last_sequence = self._last_ack = self._last_end = self._last_window = 0
        self._last_scale = self._last_flags = 0
        self._retransmissions = 0

    def close(self) -> None:
        """The router itself has sent a reset (nf_conntrack_tcp_set_closing)."""
        self.state = TcpState.CLOSE
        self.timeout = _TIMEOUTS[TcpState.CLOSE]

    def is_ahead_of(self, older: TcpTrack) -> bool:
        """Whether its client's numbers are beyond those of an older connection (nf_seq_has_advanced)."""
        return _is_after(self._sides[0].end, older._sides[0].end)

    def open(self, segment: Datagram) -> bool:
        """Begin with the first segment; False when it begins nothing (tcp_new)."""
        flags = segment.tcp_flags
        first = _TABLES[0][_KINDS[flags]][TcpState.NONE]
        if first == _INVALID:
            return False
        sender = self._sides[0]
        sender.end = _end(segment)
        sender.most_window = segment.window or 1
        if first == TcpState.SYN_SENT:
            sender.most_end = sender.end
            sender.read_options(segment.tcp_options)
        else:  # in full swing: nothing is known of window scales, so windows are not checked
            sender.most_end = sender.end + sender.most_window & _WORD
            sender.flags = self._sides[1].flags = _SACK | _LIBERAL
        return True

    def hear(self, segment: Datagram, is_reply: bool, *, is_replied: bool, is_assured: bool, offset: int) -> Answer:
        """Let a segment move the state (nf_conntrack_tcp_packet).

        ``is_replied``: something of the reply direction has come before.
        ``offset`` is by how much a helper has made the text that the segment
        acknowledges longer.
        """
        kind = _KINDS[segment.tcp_flags]
        before = self.state
        after = _TABLES[is_reply][kind][before]
        if kind != _ACK or before != TcpState.ESTABLISHED or after != before:
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
        timeout = _TIMEOUTS[after]
        if timeout > 300:
            if self._retransmissions >= _MOST_RETRANSMISSIONS:
                timeout = _RETRANSMITTED_TIMEOUT
            elif kind != _RST and (self._sides[0].flags | self._sides[1].flags) & _UNACKNOWLEDGED:
                timeout = _UNACKNOWLEDGED_TIMEOUT
            elif kind != _RST and not self._last_window:
                timeout = _RETRANSMITTED_TIMEOUT
        if kind == _RST and self._retransmissions < _MOST_RETRANSMISSIONS:
            timeout = _TIMEOUTS[TcpState.CLOSE]
        if not is_replied:
            if segment.tcp_flags & RST:
                return Answer.GONE
            if kind == _SYN and before == TcpState.SYN_SENT:
                return Answer.IGNORED  # a retransmitted SYN renews nothing
            if after == TcpState.ESTABLISHED:
                timeout = min(timeout, _UNACKNOWLEDGED_TIMEOUT)
        else:
            was_open = before in (TcpState.SYN_RECEIVED, TcpState.ESTABLISHED)
            self.becomes_assured = was_open and after == TcpState.ESTABLISHED
        self.timeout = timeout
        return Answer.VALID

    # -- what the table alone does not say -----------------------------------------------------

    def _judge(  # noqa: PLR0913, PLR0917  # all that decides
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
        if after == _INVALID:
            return Answer.INVALID, before, after
        if after == TcpState.SYN_SENT and before >= TcpState.TIME_WAIT:
            closes = (self._sides[0].flags | self._sides[1].flags) & _CLOSES
            if closes or (self._last_is_reply is is_reply and self._last_kind == _RST):
                return Answer.REOPENED, before, after
            after = _IGNORE
        if after == _IGNORE:
            return self._ignore(segment, is_reply, kind, before)
        if after == TcpState.TIME_WAIT:
            awaited = self._last_is_reply is not is_reply and self._last_kind == _SYN
            if before == TcpState.LAST_ACK and kind == _ACK and awaited and self._last_flags & _CHALLENGED:
                self._last_flags &= ~_CHALLENGED  # RFC 5961: it does not acknowledge the last FIN
                return Answer.IGNORED, before, after
        elif after == TcpState.SYN_SENT_2:
            self._last_flags |= _SIMULTANEOUS
        elif after == TcpState.SYN_RECEIVED:
            if is_reply and kind == _ACK and self._last_flags & _SIMULTANEOUS:
                after = TcpState.ESTABLISHED
        elif after == TcpState.CLOSE and kind == _RST:
            return self._reset(segment, is_reply, before, is_replied, is_assured)
        return None, before, after

    def _ignore(
        self, segment: Datagram, is_reply: bool, kind: int, before: int
    ) -> tuple[Answer | None, int, int]:
        """A segment that may be right while the tracker is wrong: remember it, and see what is answered."""
        if (
            kind == _SYN_ACK
            and self._last_kind == _SYN
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
            other.flags &= _LIBERAL
            return None, TcpState.SYN_SENT, TcpState.SYN_RECEIVED
        self._last_kind = kind
        self._last_is_reply = is_reply
        self._last_sequence = segment.sequence
        self._last_end = _end(segment)
        self._last_window = segment.window
        if kind == _SYN and not is_reply:
            seen = _Side()
            seen.read_options(segment.tcp_options)
            self._last_flags = seen.flags
            self._last_scale = seen.scale
            if before == TcpState.LAST_ACK:
                self._last_flags |= _CHALLENGED
        if before == TcpState.SYN_SENT and kind == _ACK and is_reply:
            self._last_ack = segment.acknowledgement
        return Answer.IGNORED, before, _IGNORE

    def _reset(
        self, segment: Datagram, is_reply: bool, before: int, is_replied: bool, is_assured: bool
    ) -> tuple[Answer | None, int, int]:
        after: int = TcpState.CLOSE
        if before in _CLOSING:
            return None, before, ~after
        other = self._sides[not is_reply]
        if other.flags & _HAS_ACK and self._last_kind != _SYN:
            sequence = segment.sequence
            is_open = before == TcpState.ESTABLISHED and is_assured
            if not sequence and not is_open:
                return None, before, after
            if _is_after(other.most_ack, sequence):
                return Answer.INVALID, before, after
            if not is_open or sequence == other.most_ack:
                return None, before, after
            if self._last_kind == _ACK and self._last_is_reply is is_reply and sequence == self._last_end:
                return None, before, after
            after = before  # not quite right: it may be answered by a challenge (RFC 5961)
        refuses = (is_replied and self._last_kind == _SYN) or (not is_assured and self._last_kind == _ACK)
        if refuses and segment.acknowledgement == self._last_end:
            return None, before, ~after
        challenged = before == TcpState.SYN_SENT and self._last_kind == _ACK and self._last_is_reply
        if challenged and segment.sequence == self._last_ack:
            return None, before, ~after
        return None, before, after

    def _note_invalid(self, kind: int, is_reply: bool, is_assured: bool) -> None:
        """A FIN or RST outside the window (nf_tcp_handle_invalid)."""
        if is_assured and kind in (_RST, _FIN):
            closing = self._last_kind in (_FIN, _RST)
            if not (self._last_is_reply is not is_reply and closing):
                self._last_kind = kind
                self._last_is_reply = is_reply

    # -- windows --------------------------------------------------------------------------------

    def _in_window(self, segment: Datagram, is_reply: bool, kind: int, offset: int) -> Answer:  # noqa: PLR0912, PLR0915
        """Whether the segment can be of this connection by its numbers (tcp_in_window), one condition after the other."""
        sender, receiver = (self._sides[1], self._sides[0]) if is_reply else self._sides
        flags = segment.tcp_flags
        sequence = segment.sequence
        window = segment.window
        end = _end(segment)
        ack = farthest = segment.acknowledgement
        if receiver.flags & _SACK and segment.tcp_options:
            farthest = _farthest(segment.tcp_options, ack)
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
        elif flags & SYN and self.state in (TcpState.SYN_SENT, TcpState.SYN_RECEIVED) and _is_after(end, sender.end):
            self._begin(sender, receiver, segment, end, is_reply)
            if is_reply and not flags & ACK:
                return Answer.VALID
        if not flags & ACK or (flags & RST and not ack):
            ack = farthest = receiver.end
        if flags & RST and not sequence and self.state == TcpState.SYN_SENT:
            sequence = end = sender.end
        is_liberal = sender.flags & _LIBERAL
        least_end = sender.end - receiver.most_window - 1 & _WORD
        least_ack = receiver.end - max(sender.most_window, _LEAST_ACK_WINDOW) - 1 & _WORD
        if not is_before(sequence, sender.most_end + 1):
            overshot = end - sender.most_end + 1 & _WORD
            little = receiver.most_window and _is_after(end, least_end) and overshot <= receiver.most_window
            if little and _is_after(farthest, least_ack) and is_before(farthest, receiver.end + 1):
                sender.end = end
                sender.flags |= _UNACKNOWLEDGED
                return Answer.VALID if is_liberal else Answer.IGNORED
            return Answer.VALID if is_liberal else Answer.INVALID
        if not is_before(farthest, receiver.end + 1):
            return Answer.VALID if is_liberal else Answer.INVALID
        if (receiver.most_window and not _is_after(end, least_end)) or not _is_after(farthest, least_ack):
            return Answer.VALID if is_liberal else Answer.IGNORED
        if not flags & SYN:
            window <<= sender.scale
        sender.most_window = max(sender.most_window, window + (farthest - ack) & _WORD)
        if _is_after(end, sender.end):
            sender.end = end
            sender.flags |= _UNACKNOWLEDGED
        if flags & ACK:
            if not sender.flags & _HAS_ACK:
                sender.most_ack = ack
                sender.flags |= _HAS_ACK
            elif _is_after(ack, sender.most_ack):
                sender.most_ack = ack
        if receiver.most_window and _is_after(end, sender.most_end):
            receiver.most_window += end - sender.most_end & _WORD
        edge = farthest + window & _WORD
        if _is_after(edge, receiver.most_end - 1 & _WORD):
            receiver.most_end = edge + (not window) & _WORD
        if ack == receiver.end:
            receiver.flags &= ~_UNACKNOWLEDGED
        if kind == _ACK:
            self._count_retransmissions(sequence, ack, end, segment.window, is_reply)
        return Answer.VALID

    @staticmethod
    def _begin(sender: _Side, receiver: _Side, segment: Datagram, end: int, is_reply: bool) -> None:
        """The sender's SYN, or a later one (tcp_init_sender)."""
        sender.end = sender.most_end = end
        sender.most_window = segment.window or 1
        sender.read_options(segment.tcp_options)
        if is_reply and not sender.flags & receiver.flags & _SCALED:
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


def is_before(one: int, other: int) -> bool:
    """Whether sequence number ``one`` comes before ``other`` (RFC 9293, 3.4)."""
    return one - other & _WORD >= _HALF


def _end(segment: Datagram) -> int:
    """One behind the segment's last octet; SYN and FIN count as one each."""
    headers = (40 if segment.family == 4 else 60) + len(segment.options) + len(segment.tcp_options)
    flags = segment.tcp_flags
    return segment.sequence + segment.size - headers + (flags >> 1 & 1) + (flags & 1) & _WORD
