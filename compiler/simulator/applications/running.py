"""An activity under way: opens its connections in time and keeps a record of each."""

from __future__ import annotations

from collections.abc import Callable

from compiler.simulator.applications.outcome import ConnectionRecord, Outcome
from compiler.simulator.applications.request import Request, token
from compiler.simulator.applications.server_log import Meter
from compiler.simulator.sockets import Cancel, Endpoint, Failure, FailureKind, Sockets

__all__ = ["Attempt", "Running"]

_LONGEST_DETAIL = 2000


class Attempt:
    """One connection, exchange or echo: what its record will say. It is over when ``ended`` is set."""

    def __init__(self, running: Running, index: int) -> None:
        self.running = running
        self.sockets = running.sockets
        self.request = running.request
        self.index = index
        self.token = token(running.request.traffic, index)
        self.client = Endpoint(running.request.server.family, running.own_address, running.source_port(index))
        self.server = running.request.server
        self.started = running.sockets.now()
        self.connected_at: int | None = None
        self.ended: int | None = None
        self.transferred = 0
        self.failure: Failure | None = None
        self.detail = ""

    def begin(self) -> None:
        """Do the first thing."""
        raise NotImplementedError

    def cannot_begin(self, error: ValueError) -> None:
        """The host refuses what is asked of it, a port that is taken for instance."""
        self.say(str(error))
        self.end(Failure(FailureKind.REFUSED))

    def time_is_up(self) -> None:
        """The activity's duration is over."""
        self.end(None if self.connected_at is not None else Failure(FailureKind.TIMED_OUT))

    def say(self, text: str) -> None:
        """Keep what the protocol said."""
        if len(self.detail) < _LONGEST_DETAIL:
            self.detail += f"; {text}" if self.detail else text

    def end(self, failure: Failure | None = None) -> None:
        """It is over; the first end counts."""
        if self.ended is None:
            self.ended = self.sockets.now()
            self.failure = failure
            self.running.one_ended()

    def record(self) -> ConnectionRecord:
        """What is known now."""
        return ConnectionRecord(
            index=self.index,
            client=self.client,
            server=self.server,
            started=self.started,
            connected=self.connected_at,
            ended=self.ended,
            transferred=self.transferred,
            failure=self.failure,
            detail=self.detail,
        )


class Running:
    """One activity. Its outcome can be asked for at any time; ``when_over`` is called once, at the end.

    ``tokens`` tell by which word the server knows the connection of an index.
    """

    def __init__(self, sockets: Sockets, request: Request, make: Callable[[Running, int], Attempt], total: int) -> None:
        self.sockets = sockets
        self.request = request
        self.meter = Meter(request.sample)
        self.sent = 0
        self.received = 0
        self.delays: list[int] = []
        self.attempts: list[Attempt] = []
        self.when_over: Callable[[], object] | None = None
        addresses = (address for family, address in sockets.addresses() if family is request.server.family)
        self.own_address = next(addresses, 0)
        self._make = make
        self._total = total
        self._ended = 0
        self._began = 0
        self._cancel: Cancel = sockets.after(max(0, request.start - sockets.now()), self._begin)
        self._cancel_end: Cancel | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self._ended >= self._total

    @property
    def tokens(self) -> dict[int, str]:
        """Index of each connection to the word that its server knows it by."""
        return {attempt.index: attempt.token for attempt in self.attempts}

    def source_port(self, index: int) -> int:
        """The local port that the request wants for that connection; 0: any."""
        ports = self.request.source_ports
        return ports[index % len(ports)] if ports else 0

    def one_ended(self) -> None:
        """An attempt is over."""
        self._ended += 1
        self._tell()

    def no_more(self) -> None:
        """No further attempts will be made: those under way are all."""
        self._cancel()
        self._total = len(self.attempts)
        self._tell()

    def stop(self) -> None:
        """The duration is over: end what runs."""
        self._total = len(self.attempts)
        self._cancel()
        for attempt in self.attempts:
            if attempt.ended is None:
                attempt.time_is_up()
        self._tell()

    def outcome(self) -> Outcome:
        """What the client knows now."""
        return Outcome(
            traffic=self.request.traffic,
            connections=tuple(attempt.record() for attempt in self.attempts),
            samples=self.meter.samples,
            sent=self.sent,
            received=self.received,
            delays=tuple(self.delays),
        )

    def _tell(self) -> None:
        if self.is_over and self.when_over is not None:
            tell, self.when_over = self.when_over, None
            if self._cancel_end is not None:
                self._cancel_end()
            tell()

    def _begin(self) -> None:
        self._began = self.sockets.now()
        if self.request.duration is not None:
            self._cancel_end = self.sockets.after(self.request.duration, self.stop)
        if self.request.moments and self.request.moments[0]:
            self.again(self.request.moments[0])
        else:
            self.open_next()

    def again(self, delay: int) -> None:
        """Come back to ``open_next``."""
        self._cancel = self.sockets.after(delay, self.open_next)

    def open_next(self) -> None:
        """Make the next attempt, and all others that are due now."""
        while (index := len(self.attempts)) < self._total:
            attempt = self._make(self, index)
            self.attempts.append(attempt)
            attempt.begin()
            due = self._due(index + 1)
            if due is not None and index + 1 < self._total:
                # Counted from the beginning, so that a host that is late once is not late ever after.
                self.again(max(0, due - self.sockets.now()))
                return

    def _due(self, index: int) -> int | None:
        """When that attempt is to be made; None: with the one before."""
        moments = self.request.moments
        if moments:
            return self._began + moments[min(index, len(moments) - 1)]
        return self._began + index * self.request.interval if self.request.interval else None
