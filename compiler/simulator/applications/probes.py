"""Ping and traceroute, with ICMP echo requests (RFC 792, RFC 4443)."""

from __future__ import annotations

from zlib import crc32

from compiler.addresses import format_address
from compiler.simulator.applications.running import Attempt, Running
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import Cancel, EchoAnswer, Failure, FailureKind

__all__ = ["Hop", "Ping", "Trace"]

_WAIT = 5 * SECOND
"""How long traceroute(8) waits for a probe."""


class Ping(Attempt):
    """One echo request and its answer."""

    ttl = 64

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        self._cancel_echo: Cancel | None = None
        self._cancel_timer: Cancel | None = None

    @property
    def patience(self) -> int:
        """How long to wait for an answer."""
        return self.request.timeout

    def begin(self) -> None:
        """Send it."""
        self.running.sent += 1
        self._cancel_timer = self.sockets.after(self.patience, self._give_up)
        cancel = self.sockets.echo(
            self.server.family,
            self.server.address,
            self.heard,
            octets=self.request.size,
            ttl=self.ttl,
            identifier=self._identifier(),
            sequence=(self.index + 1) & 0xFFFF,
        )
        if self.ended is None:
            self._cancel_echo = cancel
        else:  # the host had an answer at once
            cancel()

    def end(self, failure: Failure | None = None) -> None:
        """Listen no more."""
        for cancel in (self._cancel_echo, self._cancel_timer):
            if cancel is not None:
                cancel()
        super().end(failure)

    def heard(self, answer: EchoAnswer) -> None:
        """The first answer counts."""
        if self.ended is not None:
            return
        self.say(format_address(answer.responder, self.server.family.width))
        if answer.failure is None:
            self.answered()
            self.transferred = self.request.size
        self.end(answer.failure)

    def answered(self) -> None:
        """Note the time that it took."""
        self.connected_at = now = self.sockets.now()
        self.running.received += 1
        self.running.delays.append(now - self.started)

    def _give_up(self) -> None:
        self.end(Failure(FailureKind.TIMED_OUT))

    def _identifier(self) -> int:
        """One for all echoes of the activity, as ping(8) has one for each process."""
        name = f"{self.request.traffic}/{self.running.own_address}"
        return crc32(name.encode()) % 65535 + 1


class Hop(Ping):
    """One probe of a traceroute; ``detail`` is who answered, or ``*``.

    The next hop is probed when this one answered or did not for 5 s. An answer
    of the target, or an error other than time-exceeded, ends the trace.
    """

    is_last = False

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        self.ttl = index + 1

    @property
    def patience(self) -> int:
        """As traceroute(8), or the request's if that is shorter."""
        return min(self.request.timeout, _WAIT)

    def heard(self, answer: EchoAnswer) -> None:
        """A router that says time-exceeded has answered the probe."""
        if self.ended is not None:
            return
        failure = answer.failure
        self.say(format_address(answer.responder, self.server.family.width))
        if failure is not None and failure.kind is FailureKind.TIME_EXCEEDED:
            failure = None
            self.answered()
        else:
            if failure is None:
                self.answered()
            self.is_last = True
        self.end(failure)

    def _give_up(self) -> None:
        self.say("*")
        super()._give_up()


class Trace(Running):
    """One probe a hop, one after the other, to ``count`` hops at most (traceroute(8))."""

    def open_next(self) -> None:
        """Probe one hop; the next comes when this probe is over."""
        attempt = Hop(self, len(self.attempts))
        self.attempts.append(attempt)
        attempt.begin()

    def one_ended(self) -> None:
        """Probe on, unless that was the last hop."""
        super().one_ended()
        last = self.attempts[-1]
        if isinstance(last, Hop) and last.is_last:
            self.no_more()
        elif not self.is_over:
            self.again(0)
