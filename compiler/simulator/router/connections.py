"""Connection tracking as Linux does it (net/netfilter/nf_conntrack_*.c); RouterOS's is the same code.

A connection is known by two tuples: the one of its first packet, and the one
that its replies will have, after translation. TCP is followed by
:mod:`~compiler.simulator.router.tcp_tracking`. SCTP and DCCP are not: what
they say is taken for valid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from compiler.fields import ICMP, ICMPV6, TCP, UDP, UDPLITE, Family
from compiler.policy.stateful import State
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.router.tcp_states import ACK, FIN, IS_VALID, RST, SYN, TcpState
from compiler.simulator.router.tcp_tracking import Answer, TcpTrack
from compiler.simulator.router.tuples import ICMP6_ANSWERS, ICMP_ANSWERS, WITH_PORTS, Tuple, tuple_of

if TYPE_CHECKING:
    from compiler.simulator.router.ftp_helper import Expectation, Lines
    from compiler.simulator.router.sequence_shift import Shift
    from compiler.simulator.router.transit import Transit

__all__ = ["ACK", "FIN", "RST", "SYN", "WITH_PORTS", "Connection", "Connections", "TcpState", "Tuple", "tuple_of"]

_GRE = 47

_ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
_ICMP6_UNTRACKED = frozenset({130, 131, 132, 133, 134, 135, 136, 143, 151, 152})
"""Neighbour and listener discovery: never tracked (nf_conntrack_proto_icmpv6.c, noct_valid_new)."""
_MOST_EXPECTED = 1
"""Connections that one FTP session may announce at a time (nf_conntrack_ftp.c, ftp_exp_policy)."""

_EXPECTATION_TIMEOUT = 300 * SECOND
_UDP_TIMEOUT, _UDP_STREAM_TIMEOUT, _UDP_STREAM_AFTER = 30 * SECOND, 120 * SECOND, 2 * SECOND
_ICMP_TIMEOUT, _GENERIC_TIMEOUT = 30 * SECOND, 600 * SECOND
_GRE_TIMEOUT, _GRE_STREAM_TIMEOUT = 30 * SECOND, 180 * SECOND


class Connection:
    """One connection. ``original`` and ``reply`` are its tuples; ``status`` holds the names of ``ct status``."""

    __slots__ = (
        "destinations",
        "expires",
        "helper",
        "interface",
        "is_plain",
        "is_settled",
        "lines",
        "mark",
        "master",
        "original",
        "packets",
        "reply",
        "shifts",
        "skips",
        "sources",
        "status",
        "stream_from",
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
        self.is_plain = False
        """Known to the table, not translated, and watched by no helper: nothing need be done to its packets."""
        self.is_settled = False
        """``sources`` and ``destinations`` say all about its translation."""
        self.sources: list[tuple[int, int] | None] = [None, None]
        """What source address and port packets get in the original direction and in the other; None: their own."""
        self.destinations: list[tuple[int, int] | None] = [None, None]
        self.interface = ""
        """What it is masqueraded behind."""
        self.tcp: TcpTrack | None = None
        self.expires = 0
        self.stream_from = 0
        """When UDP in both directions begins to count as a stream."""
        self.helper = ""
        self.lines: Lines | None = None
        """What the helper remembers of where lines of text begin."""
        self.master: Connection | None = None
        self.shifts: list[Shift | None] = [None, None]
        """By how much a helper has made the text of each direction longer."""
        self.skips = False
        self.packets = [0, 0]
        """Packets of the original direction and of the other."""

    def settle(self) -> None:
        """It is in the table: see what its packets will need."""
        original, reply = self.original, self.reply
        is_source, is_destination = "snat" in self.status, "dnat" in self.status
        self.is_plain = not (self.helper or is_source or is_destination)
        self.is_settled = original.protocol in WITH_PORTS
        if is_source:
            self.sources[0] = (reply.destination, reply.destination_port)
            self.destinations[1] = (original.source, original.source_port)
        if is_destination:
            self.destinations[0] = (reply.source, reply.source_port)
            self.sources[1] = (original.destination, original.destination_port)


class Connections:
    """All connections of one router, by both tuples.

    ``no_mark`` is what a fresh connection's mark is: 0, or ``""`` in RouterOS.
    """

    def __init__(self, engine: Engine, no_mark: int | str = 0) -> None:
        self._engine = engine
        self._no_mark = no_mark
        self._known: dict[tuple[int, ...], tuple[Connection, bool]] = {}
        self._by_source: dict[tuple[int, ...], list[Connection]] = {}
        self._expected: dict[Tuple, tuple[Expectation, int]] = {}
        self.on_gone: Callable[[Connection], None] | None = None
        self.on_expected: Callable[[Connection, Expectation], None] | None = None
        """Told of a connection that was expected, before anything else sees it."""

    def __len__(self) -> int:
        return len({id(connection) for connection, _ in self._known.values()})

    def find(self, wanted: tuple[int, ...]) -> tuple[Connection, bool] | None:
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

    def track(self, transit: Transit) -> None:
        """Find or make the connection of a whole datagram, and let it take part in its state.

        Sets the packet's ``connection``, ``state``, ``is_reply`` and ``is_related``.
        """
        datagram = transit.datagram
        protocol = datagram.protocol
        if protocol == TCP:
            if not IS_VALID[datagram.tcp_flags]:
                transit.state = State.INVALID
                return
            source_port, destination_port = datagram.source_port, datagram.destination_port
        elif protocol in WITH_PORTS:
            if protocol == UDPLITE and transit.ingress:
                # Linux sums a pseudo-header of UDP's number, and so takes every UDP-Lite checksum for wrong.
                transit.state = State.INVALID
                return
            source_port, destination_port = datagram.source_port, datagram.destination_port
        elif protocol in (ICMP, ICMPV6):
            if self._is_message(transit):
                return
            source_port, destination_port = datagram.identifier, datagram.icmp_type << 8 | datagram.icmp_code
        else:
            source_port = destination_port = 0
        key = (datagram.family, protocol, datagram.source, datagram.destination, source_port, destination_port)
        found = self._known.get(key)
        if found is None:
            self._first(transit, Tuple(*key))
            return
        connection, is_reply = found
        if connection.expires <= self._engine.now:
            self.remove(connection)
            self._first(transit, Tuple(*key))
            return
        self._later(transit, connection, is_reply)

    def _later(self, transit: Transit, connection: Connection, is_reply: bool) -> None:
        status = connection.status
        is_replied = "seen-reply" in status
        track = connection.tcp
        if track is not None:
            datagram = transit.datagram
            other = connection.shifts[not is_reply]
            offset = other.at(datagram.acknowledgement - 1) if other is not None else 0
            answer = track.hear(
                datagram, is_reply, is_replied=is_replied, is_assured="assured" in status, offset=offset
            )
            if answer is Answer.VALID:
                connection.expires = self._engine.now + track.timeout * SECOND
                if track.becomes_assured:
                    status.add("assured")
            elif answer is Answer.INVALID:
                transit.state = State.INVALID
                return
            elif answer is Answer.GONE:
                self.remove(connection)
            elif answer is Answer.REOPENED:
                self.remove(connection)
                self._first(transit, tuple_of(datagram))
                return
        else:
            self._renew(connection, is_replied)
        transit.connection = connection
        connection.packets[is_reply] += 1
        if is_reply:
            transit.is_reply = True
            transit.state = State.ESTABLISHED
            if not is_replied:
                status.add("seen-reply")
        elif is_replied:
            transit.state = State.ESTABLISHED
        else:
            transit.state = State.RELATED if connection.master is not None else State.NEW

    def _renew(self, connection: Connection, is_replied: bool) -> None:
        """Another packet of a connection that has no states."""
        protocol, now = connection.original[1], self._engine.now
        if protocol == UDP:
            timeout = _UDP_TIMEOUT
            if is_replied and now > connection.stream_from:
                timeout = _UDP_STREAM_TIMEOUT
                connection.status.add("assured")
        elif protocol in (UDPLITE, _GRE):
            timeout = _UDP_TIMEOUT if protocol == UDPLITE else _GRE_TIMEOUT
            if is_replied:
                timeout = _UDP_STREAM_TIMEOUT if protocol == UDPLITE else _GRE_STREAM_TIMEOUT
                connection.status.add("assured")
        else:
            timeout = _ICMP_TIMEOUT if protocol in (ICMP, ICMPV6) else _GENERIC_TIMEOUT
        connection.expires = now + timeout

    def confirm(self, connection: Connection) -> bool:
        """Enter a new connection once its first packet leaves; False when another has its tuple by now."""
        if "confirmed" in connection.status:
            return True
        for wanted in (connection.original, connection.reply):
            found = self.find(wanted)
            if found is not None and found[0] is not connection:
                return False
        connection.status.add("confirmed")
        connection.settle()
        self._known[connection.original] = (connection, False)
        self._known[connection.reply] = (connection, True)
        if "source" in connection.translated:
            self._by_source.setdefault(_sender(connection.original), []).append(connection)
        return True

    def is_taken(self, wanted: Tuple, by: Connection) -> bool:
        """Whether a translated connection may not have this reply tuple, because another has it."""
        found = self.find(wanted)
        return found is not None and found[0] is not by

    def of_source(self, sent: Tuple) -> list[Connection]:
        """Living connections from the same address and port, the newest first (nf_nat_bysource)."""
        now = self._engine.now
        return [one for one in reversed(self._by_source.get(_sender(sent), ())) if one.expires > now]

    def remove(self, connection: Connection) -> None:
        """Forget it, as ``conntrack -D`` and a timeout do, and what it has announced."""
        connection.expires = 0
        connection.status.add("dying")
        for wanted in (connection.original, connection.reply):
            if wanted in self._known and self._known[wanted][0] is connection:
                del self._known[wanted]
        sender = _sender(connection.original)
        same = self._by_source.get(sender)
        if same is not None and connection in same:
            same.remove(connection)
            if not same:
                del self._by_source[sender]
        if connection.helper:
            for wanted in [one for one, (plan, _) in self._expected.items() if plan.master is connection]:
                del self._expected[wanted]
        if self.on_gone is not None:
            self.on_gone(connection)

    def close(self, connection: Connection) -> None:
        """The router itself has refused a segment of it with a reset (nf_ct_set_closing)."""
        if connection.tcp is not None and connection.expires:
            connection.tcp.close()
            connection.expires = self._engine.now + connection.tcp.timeout * SECOND

    def expect(self, wanted: Tuple, plan: Expectation, timeout: int = _EXPECTATION_TIMEOUT) -> bool:
        """A helper has read that such a connection will come; False when another one's is awaited there.

        A source port of 0 stands for any. A session's new announcement takes the place of its last one.
        """
        known = self._expected.get(wanted)
        now = self._engine.now
        if known is not None and known[1] > now and known[0].master is not plan.master:
            return False
        self._expected.pop(wanted, None)
        own = [one for one, (other, until) in self._expected.items() if other.master is plan.master and until > now]
        for oldest in own[: len(own) + 1 - _MOST_EXPECTED]:
            del self._expected[oldest]
        self._expected[wanted] = (plan, now + timeout)
        return True

    # -- first packets -----------------------------------------------------------------

    def _first(self, transit: Transit, wanted: Tuple) -> None:
        connection = Connection(wanted, self._no_mark)
        protocol, datagram = wanted.protocol, transit.datagram
        plan = self._expectation(wanted) if self._expected and wanted.is_answerable else None
        transit.state = State.INVALID
        timeout = _GENERIC_TIMEOUT
        if protocol == TCP:
            track = connection.tcp = TcpTrack()
            if not track.open(datagram):
                return
            track.hear(datagram, False, is_replied=False, is_assured=False, offset=0)
            timeout = track.timeout * SECOND
        elif protocol in (ICMP, ICMPV6):
            if datagram.icmp_type not in (ICMP_ANSWERS if protocol == ICMP else ICMP6_ANSWERS):
                return
            timeout = _ICMP_TIMEOUT
        elif protocol in (UDP, UDPLITE, _GRE):
            timeout = _UDP_TIMEOUT
            connection.stream_from = self._engine.now + _UDP_STREAM_AFTER
        connection.expires = self._engine.now + timeout
        connection.packets[0] = 1
        transit.connection = connection
        transit.state = State.NEW
        if plan is not None:
            connection.master = plan.master
            connection.mark = plan.master.mark
            connection.status.add("expected")
            transit.state = State.RELATED
            if self.on_expected is not None:
                self.on_expected(connection, plan)

    def _expectation(self, wanted: Tuple) -> Expectation | None:
        """What was announced and has now come; each announcement is good for one connection."""
        for key in (wanted, wanted._replace(source_port=0)):
            expected = self._expected.get(key)
            if expected is not None and "dying" not in expected[0].master.status:
                del self._expected[key]
                return expected[0] if expected[1] > self._engine.now else None
        return None

    def _is_message(self, transit: Transit) -> bool:
        """Whether an ICMP message neither asks nor answers: errors are told apart here."""
        datagram = transit.datagram
        kind = datagram.icmp_type
        if datagram.protocol == ICMP and datagram.family is Family.IPV4:
            if kind in _ICMP_ERRORS:
                self._related(transit)
                return True
        elif datagram.protocol == ICMPV6 and datagram.family is Family.IPV6:
            if kind < 128:
                self._related(transit)
                return True
            if kind in _ICMP6_UNTRACKED:
                transit.state = State.UNTRACKED
                return True
        else:  # the other family's: neither tracker wants it
            transit.state = State.INVALID
            return True
        return False

    def _related(self, transit: Transit) -> None:
        """An ICMP error belongs to the connection that it quotes a packet of."""
        transit.state = State.INVALID
        datagram = transit.datagram
        quoted = datagram.quoted
        if quoted is None or quoted.fragment_offset:
            return
        sent = tuple_of(quoted)
        found = self.find(sent.inverted()) if sent.is_answerable else None
        if found is None:
            return
        # The error goes against the quoted packet: its direction is that of the inverted tuple.
        connection, is_reply = found
        addressed = (connection.reply if is_reply else connection.original).destination
        if datagram.destination != addressed:  # outer and inner address must agree (nf_conntrack_inet_error)
            return
        transit.connection, transit.state = connection, State.RELATED
        transit.is_reply, transit.is_related = is_reply, True


def _sender(sent: Tuple) -> tuple[int, ...]:
    return sent.family, sent.protocol, sent.source, sent.source_port
