"""Connection tracking as Linux does it (net/netfilter/nf_conntrack_*.c); RouterOS's is the same code.

A connection is known by two tuples: the one of its first packet, and the one
that its replies will have, after translation. Sequence windows are not
checked (``nf_conntrack_tcp_be_liberal``): a segment far out of its window is
not called invalid.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from compiler.fields import ICMP, ICMPV6, PORT_PROTOCOLS, TCP, UDP, Family
from compiler.policy.stateful import State
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram

if TYPE_CHECKING:
    from compiler.simulator.router.ftp_helper import Expectation, Shift

__all__ = ["Connection", "Connections", "Found", "TcpState", "Tuple", "tuple_of"]

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))

_WITH_PORTS = frozenset(PORT_PROTOCOLS.members())

_ICMP_ANSWERS = {8: 0, 13: 14, 15: 16, 17: 18}
_ICMP6_ANSWERS = {128: 129, 139: 140}
_ICMP_REVERSE = {**_ICMP_ANSWERS, **{answer: question for question, answer in _ICMP_ANSWERS.items()}}
_ICMP6_REVERSE = {**_ICMP6_ANSWERS, **{answer: question for question, answer in _ICMP6_ANSWERS.items()}}
_ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
_ICMP6_UNTRACKED = frozenset({130, 131, 132, 133, 134, 135, 136, 137, 143})
"""Neighbour and listener discovery: never tracked (nf_conntrack_proto_icmpv6.c, noct_valid_new)."""

_VALID_FLAGS = frozenset({SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG})
"""Combinations, ECE, CWR and PSH aside, that are no nonsense (nf_conntrack_proto_tcp.c, tcp_valid_flags)."""


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
        if self.protocol in (ICMP, ICMPV6):
            kind, code = self.destination_port >> 8, self.destination_port & 0xFF
            reverse = _ICMP_REVERSE if self.protocol == ICMP else _ICMP6_REVERSE
            answer = reverse.get(kind, kind) << 8 | code
            return Tuple(self.family, self.protocol, self.destination, self.source, self.source_port, answer)
        return Tuple(self.family, self.protocol, self.destination, self.source, self.destination_port, self.source_port)


def tuple_of(datagram: Datagram) -> Tuple:
    """The tuple of a whole datagram."""
    protocol = datagram.protocol
    if protocol in _WITH_PORTS:
        ports = datagram.source_port, datagram.destination_port
    elif protocol in (ICMP, ICMPV6):
        ports = datagram.identifier, datagram.icmp_type << 8 | datagram.icmp_code
    else:
        ports = 0, 0
    return Tuple(datagram.family, protocol, datagram.source, datagram.destination, *ports)


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


_STATES = {
    "SS": TcpState.SYN_SENT,
    "SR": TcpState.SYN_RECEIVED,
    "ES": TcpState.ESTABLISHED,
    "FW": TcpState.FIN_WAIT,
    "CW": TcpState.CLOSE_WAIT,
    "LA": TcpState.LAST_ACK,
    "TW": TcpState.TIME_WAIT,
    "CL": TcpState.CLOSE,
    "S2": TcpState.SYN_SENT_2,
}
_INVALID, _IGNORE = "IV", "IG"

#       from:  none syn-sent syn-received established fin-wait close-wait last-ack time-wait close syn-sent-2
_ORIGINAL = {
    "syn": "SS SS IG IG IG IG IG SS SS S2",
    "syn-ack": "IV IV SR IV IV IV IV IV IV SR",
    "fin": "IV IV FW FW LA LA LA TW CL IV",
    "ack": "ES IV ES ES CW CW TW TW CL IV",
    "rst": "IV CL CL CL CL CL CL CL CL CL",
    "none": "IV IV IV IV IV IV IV IV IV IV",
}
_REPLY = {
    "syn": "IV S2 IV IV IV IV IV SS IV S2",
    "syn-ack": "IV SR IG IG IG IG IG IG IG SR",
    "fin": "IV IV FW FW LA LA LA TW CL IV",
    "ack": "IV IG SR ES CW CW TW TW CL IG",
    "rst": "IV CL CL CL CL CL CL CL CL CL",
    "none": "IV IV IV IV IV IV IV IV IV IV",
}
_TABLES = tuple({kind: tuple(row.split()) for kind, row in table.items()} for table in (_ORIGINAL, _REPLY))

_TCP_TIMEOUTS = {
    TcpState.NONE: 120,
    TcpState.SYN_SENT: 120,
    TcpState.SYN_RECEIVED: 60,
    TcpState.ESTABLISHED: 432_000,
    TcpState.FIN_WAIT: 120,
    TcpState.CLOSE_WAIT: 60,
    TcpState.LAST_ACK: 30,
    TcpState.TIME_WAIT: 120,
    TcpState.CLOSE: 10,
    TcpState.SYN_SENT_2: 120,
}
_EXPECTATION_TIMEOUT = 300 * SECOND
_UDP_TIMEOUT, _UDP_STREAM_TIMEOUT, _ICMP_TIMEOUT, _GENERIC_TIMEOUT = 30, 120, 30, 600


class Connection:
    """One connection. ``original`` and ``reply`` are its tuples; ``status`` holds the names of ``ct status``."""

    __slots__ = (
        "expires",
        "helper",
        "is_expected",
        "mark",
        "master",
        "original",
        "packets",
        "plan",
        "reply",
        "shifts",
        "skips",
        "status",
        "tcp",
        "translated",
    )

    def __init__(self, original: Tuple, mark: int | str) -> None:
        self.original = original
        self.reply = original.inverted()
        self.mark = mark
        self.status: set[str] = set()
        self.translated: set[str] = set()
        """``source`` and ``destination`` once it is settled whether and how that is translated."""
        self.tcp = TcpState.NONE
        self.expires = 0
        self.helper = ""
        self.is_expected = False
        self.master: Connection | None = None
        self.plan: Expectation | None = None
        """How an expected connection is to be translated."""
        self.shifts: list[Shift | None] = [None, None]
        """By how much a helper has made the text of each direction longer."""
        self.skips = False
        self.packets = [0, 0]
        """Packets of the original direction and of the other."""


class Found(NamedTuple):
    """What tracking says of a packet. Without a connection the state is INVALID or UNTRACKED."""

    connection: Connection | None
    state: State
    is_reply: bool = False
    is_related: bool = False


_NOT_FOUND = Found(None, State.INVALID)


class Connections:
    """All connections of one router, by both tuples.

    ``no_mark`` is what a fresh connection's mark is: 0, or ``""`` in RouterOS.
    """

    def __init__(self, engine: Engine, no_mark: int | str = 0) -> None:
        self._engine = engine
        self._no_mark = no_mark
        self._known: dict[Tuple, tuple[Connection, bool]] = {}
        self._expected: dict[Tuple, tuple[Expectation, int]] = {}
        self.on_gone: Callable[[Connection], None] | None = None

    def __len__(self) -> int:
        return len({id(connection) for connection, _ in self._known.values()})

    def find(self, wanted: Tuple) -> tuple[Connection, bool] | None:
        """The living connection with that tuple, and whether it is its reply's."""
        found = self._known.get(wanted)
        if found is not None and found[0].expires <= self._engine.now:
            self.remove(found[0])
            return None
        return found

    def all(self) -> list[Connection]:
        """Living connections, oldest first."""
        now = self._engine.now
        return [one for one, is_reply in self._known.values() if not is_reply and one.expires > now]

    def track(self, datagram: Datagram) -> Found:
        """Find or make the connection of a whole datagram, and let it take part in its state."""
        protocol = datagram.protocol
        if protocol == ICMP:
            if datagram.icmp_type in _ICMP_ERRORS:
                return self._related(datagram)
        elif protocol == ICMPV6:
            if datagram.icmp_type < 128:
                return self._related(datagram)
            if datagram.icmp_type in _ICMP6_UNTRACKED:
                return Found(None, State.UNTRACKED)
        elif protocol == TCP and datagram.tcp_flags & ~(ECE | CWR | PSH) not in _VALID_FLAGS:
            return _NOT_FOUND
        wanted = tuple_of(datagram)
        found = self.find(wanted)
        if found is None:
            return self._first(datagram, wanted)
        connection, is_reply = found
        if protocol == TCP and not self._tcp(connection, datagram, is_reply):
            if connection.expires <= self._engine.now:  # reopened: the old one is gone
                return self._first(datagram, wanted)
            return _NOT_FOUND
        return self._of(connection, is_reply)

    def _of(self, connection: Connection, is_reply: bool) -> Found:
        connection.packets[is_reply] += 1
        if is_reply:
            connection.status.add("seen-reply")
        if "seen-reply" in connection.status:
            state = State.ESTABLISHED
        elif connection.is_expected:
            state = State.RELATED
        else:
            state = State.NEW
        if connection.original.protocol != TCP:
            connection.expires = self._engine.now + self._timeout(connection)
        return Found(connection, state, is_reply)

    def confirm(self, connection: Connection) -> bool:
        """Enter a new connection once its first packet leaves; False when another has its tuple by now."""
        if "confirmed" in connection.status:
            return True
        for wanted in (connection.original, connection.reply):
            found = self.find(wanted)
            if found is not None and found[0] is not connection:
                return False
        connection.status.add("confirmed")
        connection.expires = self._engine.now + self._timeout(connection)
        self._known[connection.original] = (connection, False)
        self._known[connection.reply] = (connection, True)
        return True

    def is_taken(self, wanted: Tuple, by: Connection) -> bool:
        """Whether a translated connection may not have this reply tuple, because another has it."""
        found = self.find(wanted)
        return found is not None and found[0] is not by

    def remove(self, connection: Connection) -> None:
        """Forget it, as ``conntrack -D`` and a timeout do."""
        connection.expires = 0
        connection.status.add("dying")
        for wanted in (connection.original, connection.reply):
            if wanted in self._known and self._known[wanted][0] is connection:
                del self._known[wanted]
        if self.on_gone is not None:
            self.on_gone(connection)

    def expect(self, wanted: Tuple, plan: Expectation, timeout: int = _EXPECTATION_TIMEOUT) -> bool:
        """A helper has read that such a connection will come; False when another is awaited there.

        A source port of 0 stands for any.
        """
        known = self._expected.get(wanted)
        if known is not None and known[1] > self._engine.now and known[0] != plan:
            return False
        self._expected[wanted] = (plan, self._engine.now + timeout)
        return True

    # -- first packets -----------------------------------------------------------------

    def _first(self, datagram: Datagram, wanted: Tuple) -> Found:
        connection = Connection(wanted, self._no_mark)
        if wanted.protocol == TCP:
            after = _TABLES[0][_kind(datagram.tcp_flags)][TcpState.NONE]
            if after == _INVALID:
                return _NOT_FOUND
            # An ACK without a SYN is taken for a connection in full swing (nf_conntrack_tcp_loose).
            connection.tcp = _STATES[after]
        elif (wanted.protocol == ICMP and datagram.icmp_type not in _ICMP_ANSWERS) or (
            wanted.protocol == ICMPV6 and datagram.icmp_type not in _ICMP6_ANSWERS
        ):
            return _NOT_FOUND
        expected = self._expected.pop(wanted, None) or self._expected.pop(wanted._replace(source_port=0), None)
        if expected is not None and expected[1] > self._engine.now:
            connection.plan = expected[0]
            connection.master = connection.plan.master
            connection.is_expected = True
            connection.mark = connection.master.mark
            connection.status.add("expected")
        connection.expires = self._engine.now + self._timeout(connection)
        connection.packets[0] += 1
        return Found(connection, State.RELATED if connection.is_expected else State.NEW)

    def _related(self, datagram: Datagram) -> Found:
        """An ICMP error belongs to the connection that it quotes a packet of."""
        quoted = datagram.quoted
        if quoted is None or quoted.fragment_offset:
            return _NOT_FOUND
        found = self.find(tuple_of(quoted).inverted())
        if found is None:
            return _NOT_FOUND
        # The error goes against the quoted packet: its direction is that of the inverted tuple.
        connection, is_reply = found
        addressed = (connection.reply if is_reply else connection.original).destination
        if datagram.destination != addressed:  # outer and inner address must agree (nf_conntrack_inet_error)
            return _NOT_FOUND
        return Found(connection, State.RELATED, is_reply, is_related=True)

    # -- state ---------------------------------------------------------------------------

    def _tcp(self, connection: Connection, datagram: Datagram, is_reply: bool) -> bool:
        """Let a segment move the state; False when it does not belong to the connection."""
        kind = _kind(datagram.tcp_flags)
        before = connection.tcp
        after = _TABLES[is_reply][kind][before]
        if after == _INVALID:
            return False
        if after == _IGNORE:
            return True
        state = _STATES[after]
        if state is TcpState.SYN_SENT and before in (TcpState.TIME_WAIT, TcpState.CLOSE):
            self.remove(connection)
            return False
        if state is TcpState.ESTABLISHED and before in (TcpState.SYN_RECEIVED, TcpState.ESTABLISHED):
            connection.status.add("assured")
        connection.tcp = state
        connection.expires = self._engine.now + self._timeout(connection)
        return True

    def _timeout(self, connection: Connection) -> int:
        protocol = connection.original.protocol
        if protocol == TCP:
            return _TCP_TIMEOUTS[connection.tcp] * SECOND
        if protocol == UDP:
            stream = "seen-reply" in connection.status
            return (_UDP_STREAM_TIMEOUT if stream else _UDP_TIMEOUT) * SECOND
        return (_ICMP_TIMEOUT if protocol in (ICMP, ICMPV6) else _GENERIC_TIMEOUT) * SECOND


def _kind(flags: int) -> str:
    """The row of the state tables (get_conntrack_index)."""
    if flags & RST:
        return "rst"
    if flags & SYN:
        return "syn-ack" if flags & ACK else "syn"
    if flags & FIN:
        return "fin"
    return "ack" if flags & ACK else "none"
