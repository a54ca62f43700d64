"""The sending half of a TCP connection: windows, recovery and timers.

As Linux does it: losses by time (RACK), proportional rate reduction (RFC 6937),
tail loss probes (RFC 8985, 7), timeouts (RFC 6298). Without selective
acknowledgements, NewReno (RFC 6582). Left out: undoing needless reductions, F-RTO.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compiler.simulator.engine import MILLISECOND, Engine, Timer
from compiler.simulator.hosts.congestion import Cubic, NewReno, Window
from compiler.simulator.hosts.headers import ACK, FIN, PSH
from compiler.simulator.hosts.parameters import TcpParameters
from compiler.simulator.hosts.rate_reduction import RateReduction
from compiler.simulator.hosts.round_trip import Patience, RoundTrip
from compiler.simulator.hosts.scoreboard import Scoreboard, Segment
from compiler.simulator.hosts.send_buffer import SendBuffer
from compiler.simulator.hosts.tcp_state import Recovery, Wait

__all__ = ["Sender"]

_DUPLICATES = 3

Emit = Callable[[int, int, int, bytes | None], None]
"""Sends a segment: place, octets, flags, data."""


class Sender:
    """Places count from the own SYN, which is 0, and never wrap; data begin at 1."""

    __slots__ = (
        "_backoff",
        "_emit",
        "_engine",
        "_give_up",
        "_limited_to",
        "_parameters",
        "_patience",
        "_reduction",
        "_sent_at",
        "_small_to",
        "_tail_to",
        "_timer",
        "_wait",
        "board",
        "buffer",
        "congestion",
        "edge",
        "is_closing",
        "is_selective",
        "nxt",
        "recovery",
        "recovery_point",
        "retransmissions",
        "round_trip",
        "segment",
        "timeouts",
        "una",
    )

    def __init__(self, engine: Engine, parameters: TcpParameters, emit: Emit, give_up: Callable[[], None]) -> None:
        self._engine = engine
        self._parameters = parameters
        self._emit = emit
        self._give_up = give_up
        self._timer = Timer(engine, self._expired)
        self._wait = Wait.TIMEOUT
        self.board = Scoreboard()
        self.buffer = SendBuffer(1)
        self.round_trip = RoundTrip(parameters.initial_timeout, parameters.minimum_timeout, parameters.maximum_timeout)
        initial = parameters.initial_window
        self._reduction = RateReduction(initial)
        self.congestion: Window = (
            Cubic(initial, parameters.slow_start_exit) if parameters.congestion == "cubic" else NewReno(initial)
        )
        self.una = 0
        """The first place that is not acknowledged."""
        self.nxt = 1
        """The first place that was never sent."""
        self.edge = 0
        """The place up to which the receiver has room."""
        self.segment = 536
        """Most octets of data in a segment."""
        self.is_selective = False
        self.is_closing = False
        """After the data comes a FIN."""
        self.recovery = Recovery.OPEN
        self.recovery_point = 0
        self.retransmissions = 0
        self.timeouts = 0
        self._backoff = 0
        self._patience = Patience(parameters.patience)
        self._limited_to = 0
        self._small_to = 0
        self._tail_to = 0
        self._sent_at = 0

    @property
    def is_finished(self) -> bool:
        """Whether the FIN has been sent and acknowledged."""
        return self.is_closing and self.una > self.buffer.end

    # -- acknowledgements --------------------------------------------------------

    def acknowledge(self, place: int, edge: int, blocks: Sequence[tuple[int, int]], taken: int, is_bare: bool) -> None:
        """All before ``place`` and in ``blocks`` has arrived, and there is room to ``edge``.

        ``taken`` is a round-trip time by timestamps for want of a better one (0:
        none); ``is_bare`` says that the segment carried nothing else.
        """
        board, congestion, before = self.board, self.congestion, self.una
        outstanding = len(board.segments)
        opened = edge > self.edge
        if opened:
            self.edge = edge
        if self._wait is Wait.WINDOW:  # the receiver lives, with room or without
            self._patience.renew()
            self._backoff = 0 if opened else self._backoff
        delivered = waiting = 0
        if place > before:
            delivered = self._advance(place, taken)
        elif is_bare and not (self.is_selective or opened) and outstanding:
            delivered = self._repeated(place, outstanding)
        if self.is_selective and (blocks or board.sacked or board.lost or board.resent):
            now, least = self._engine.now, self.round_trip.least
            delivered += board.sack(blocks, now, least)
            waiting = board.judge(now, self._tolerance())
        if board.lost or self.recovery:
            self._recover(place)
        if self.recovery is Recovery.FAST:
            self._reduce(delivered, place > before)
        elif delivered and (
            before < self._limited_to or congestion.window < min(congestion.threshold, 2 * outstanding)
        ):
            congestion.grow(delivered, self._engine.now)
        if place > before:
            if self._tail_to and place >= self._tail_to:
                self._tail_to = 0
            self._arm()
        elif self._wait is Wait.TAIL and board.sacked:
            self._arm()
        if waiting:
            self._wait = Wait.REORDERING
            self._timer.start(waiting)

    def _advance(self, place: int, taken: int) -> int:
        """More has arrived in order; how many segments."""
        now = self._engine.now
        board, round_trip = self.board, self.round_trip
        self.una = place
        delivered = board.acknowledge(place, now, round_trip.least)
        self.buffer.release(place)
        self._backoff = 0
        self._patience.renew()
        if board.sample:
            round_trip.sample(board.sample)
            self.congestion.round_trip(now, board.latest, place, self.nxt)
        elif taken:
            round_trip.sample(taken)
        if not self.is_selective:
            board.sacked = max(0, board.sacked - delivered + 1) if board.segments else 0
            if self.recovery is Recovery.FAST and place < self.recovery_point:
                board.lose(board.segments[0])  # a partial acknowledgement (RFC 6582)
        return delivered

    def _repeated(self, place: int, outstanding: int) -> int:
        """A duplicate acknowledgement: some segment has arrived, one does not know which."""
        board = self.board
        board.sacked = min(board.sacked + 1, outstanding - board.lost)
        if board.sacked >= _DUPLICATES and not self.recovery and place >= self.recovery_point:
            board.lose(board.segments[0])
        return 1

    def _tolerance(self) -> int:
        """How much later than expected a segment may come before it counts as lost (``tcp_rack_reo_wnd``)."""
        board = self.board
        if not board.is_reordered and (self.recovery or board.sacked >= _DUPLICATES):
            return 0
        return min(self.round_trip.least >> 2, self.round_trip.smoothed)

    def _recover(self, place: int) -> None:
        """Begin to repair, or see that all is repaired."""
        if not self.recovery:
            self.recovery = Recovery.FAST
            self.recovery_point = self.nxt
            self._reduction = RateReduction(self.congestion.window)
            self.congestion.reduce()
            self._tail_to = 0
        elif place >= self.recovery_point:
            if self.recovery is Recovery.FAST:
                self.congestion.window = self.congestion.threshold
            self.recovery = Recovery.OPEN

    def _reduce(self, delivered: int, advanced: bool) -> None:
        board, congestion = self.board, self.congestion
        progress = advanced and board.next_lost() is None
        congestion.window = self._reduction.window(int(congestion.threshold), board.in_flight, delivered, progress)

    # -- sending -----------------------------------------------------------------

    def push(self) -> None:
        """Send what the windows allow: first what was lost, then what is new."""
        board = self.board
        now = self._engine.now
        if not board.segments and self.nxt > 1 and now - self._sent_at > self.round_trip.timeout:
            self._rested(now)
        window = int(self.congestion.window) or 1
        flight = len(board.segments) - board.sacked - board.lost + board.resent
        if board.lost > board.resent:
            flight = self._repair(window, flight, now)
        if flight >= window:
            self._limited_to = self.nxt
        elif self.nxt < self.buffer.end + self.is_closing:
            self._send_new(window, flight, now)

    def _repair(self, window: int, flight: int, now: int) -> int:
        """Send lost segments again; how many are under way then."""
        board = self.board
        first = board.segments[0]
        while flight < window and (lost := board.next_lost()) is not None:
            self._resend(lost, now)
            flight += 1
            if lost is first:
                self._arm()
        return flight

    def _send_new(self, window: int, flight: int, now: int) -> None:
        board, buffer, segment, edge = self.board, self.buffer, self.segment, self.edge
        end = buffer.end
        before = flight
        nxt = self.nxt
        last = end + self.is_closing
        while nxt < last:
            if flight >= window:
                self._limited_to = nxt
                break
            size = min(end - nxt, segment)
            if nxt + size > edge:
                size = self._fitting(nxt, size)
                if size < 0:
                    break
            elif size < segment and self._small_to > self.una and not (self.is_closing or self._parameters.no_delay):
                break  # Nagle, as Minshall has it: one small segment at a time
            stop = nxt + size
            flags, fin = ACK, 0
            if stop == end:
                fin = FIN if self.is_closing else 0
                flags = ACK | (PSH if size else 0) | fin
            if size < segment:
                self._small_to = stop
            board.order = order = board.order + 1
            board.segments.append(Segment(nxt, stop + fin, now, order))
            flight += 1
            self.nxt = stop + fin
            self._emit(nxt, size, flags, buffer.read(nxt, stop) if buffer.pieces else None)
            nxt = stop + fin
        if flight > before:
            self._sent_at = now
            if self.recovery is Recovery.FAST:
                self._reduction.count(flight - before)
            if self._timer.due is None or self._wait is not Wait.TIMEOUT:
                self._arm()
        elif not board.segments and self._timer.due is None:
            self._wait_for_window()

    def _fitting(self, nxt: int, size: int) -> int:
        """How much of a segment to send into a window that does not take it whole; -1: nothing now.

        Silly windows are avoided (RFC 1122, 4.2.3.4): what is under way makes room, or the timer looks again.
        """
        if size == 0 and not self.board.segments and self.edge >= nxt:
            return 0  # a FIN needs no room
        room = self.edge - nxt
        return room if room >= self.segment >> 1 and not self.board.segments else -1

    def _resend(self, segment: Segment, now: int) -> None:
        board, end = self.board, self.buffer.end
        if min(segment.end, end) - segment.start > self.segment:
            board.split(segment, segment.start + self.segment)
        stop = min(segment.end, end)
        flags = ACK | (FIN if segment.end > end else 0) | (PSH if stop == end and stop > segment.start else 0)
        board.sent_again(segment, now)
        self.retransmissions += 1
        self._sent_at = now
        if self.recovery is Recovery.FAST:
            self._reduction.count(1)
        self._emit(segment.start, stop - segment.start, flags, self.buffer.read(segment.start, stop))

    def _rested(self, now: int) -> None:
        """After a silence of a timeout or more the window is old news (RFC 2861, ``tcp_cwnd_restart``)."""
        congestion = self.congestion
        congestion.threshold = max(congestion.threshold, congestion.window * 3 // 4)
        periods = (now - self._sent_at) // self.round_trip.timeout
        least = min(self._parameters.initial_window, congestion.window)
        congestion.window = max(int(congestion.window) >> min(periods, 32), least)
        self._sent_at = now

    def resize(self, segment: int) -> None:
        """Segments of so many octets from now on; larger ones under way are lost, without blame (RFC 1191, 6.4)."""
        self.segment = segment
        if self.board.lose_larger(segment, self.buffer.end):
            if not self.recovery:
                self.recovery = Recovery.TIMEOUT
                self.recovery_point = self.nxt
            self.push()

    # -- timers ------------------------------------------------------------------

    def _arm(self) -> None:
        """Wait for an acknowledgement: until a tail loss probe, or a timeout."""
        board = self.board
        count = len(board.segments)
        if not count:
            self._timer.stop()
            return
        round_trip = self.round_trip
        delay = round_trip.backed_off(self._backoff) if self._backoff else round_trip.timeout
        self._wait = Wait.TIMEOUT
        if not (self.recovery or board.sacked or self._backoff or self._tail_to) and self._parameters.tail_loss_probe:
            probe = 2 * round_trip.smoothed + (self._parameters.minimum_timeout if count == 1 else 2 * MILLISECOND)
            if round_trip.smoothed and probe < delay:
                self._wait = Wait.TAIL
                delay = probe
        self._timer.start(delay)

    def _expired(self) -> None:
        if self._wait is Wait.WINDOW:
            self._probe_window()
        elif self._wait is Wait.TAIL:
            self._probe_tail()
        elif self._wait is Wait.REORDERING:
            self.board.judge(self._engine.now, self._tolerance())
            if self.board.lost and not self.recovery:
                self._recover(self.una)
                self._reduce(0, False)
            self._arm()
            self.push()
        else:
            self._timed_out()

    def _timed_out(self) -> None:
        if not self._patience.lasts(self._engine.now):
            self._give_up()
            return
        self.timeouts += 1
        congestion = self.congestion
        if self.recovery is not Recovery.TIMEOUT or self.una >= self.recovery_point:
            congestion.reduce()
            congestion.restart()
        self.recovery = Recovery.TIMEOUT
        self.recovery_point = self.nxt
        self._tail_to = 0
        if not self.is_selective:
            self.board.sacked = 0
        self.board.lose_all()
        congestion.window = 1
        self._backoff += 1
        self.push()
        self._arm()

    def _probe_tail(self) -> None:
        """Send one segment more, or the last one again, so that an acknowledgement tells what is lost."""
        segments = self.board.segments
        before = self.nxt
        if before < self.buffer.end:
            window, self.congestion.window = self.congestion.window, self.board.in_flight + 1
            self.push()
            self.congestion.window = window
        if self.nxt == before and segments:
            self._resend(segments[-1], self._engine.now)
        self._tail_to = self.nxt
        self._arm()

    def _wait_for_window(self) -> None:
        self._wait = Wait.WINDOW
        self._timer.start(self.round_trip.backed_off(self._backoff))

    def _probe_window(self) -> None:
        """Ask a receiver without room whether it has some now (RFC 9293, 3.8.6.1), or use what little there is."""
        if not self._patience.lasts(self._engine.now):
            self._give_up()
            return
        room = min(self.edge - self.nxt, self.buffer.end - self.nxt)
        if room > 0:
            self.board.order += 1
            self.board.segments.append(Segment(self.nxt, self.nxt + room, self._engine.now, self.board.order))
            start = self.nxt
            self.nxt += room
            self._emit(start, room, ACK | PSH, self.buffer.read(start, self.nxt))
            self._arm()
            return
        self._backoff += 1
        self._emit(self.una - 1, 0, ACK, None)
        self._wait_for_window()

    def stop(self) -> None:
        """No timers any more."""
        self._timer.stop()
