"""The handshake of a connection: SYN and SYN-ACK, sent until they are answered (RFC 9293, 3.5; RFC 6298)."""

from __future__ import annotations

from collections.abc import Callable

from compiler.simulator.engine import Engine, Timer
from compiler.simulator.frame import Datagram
from compiler.simulator.hosts.parameters import TcpParameters

__all__ = ["Opening"]


class Opening:
    """Sends ``offer`` until it is stopped, or until patience ends: then ``give_up``."""

    __slots__ = (
        "_engine",
        "_give_up",
        "_is_active",
        "_offer",
        "_parameters",
        "_timer",
        "_transmit",
        "repeated",
        "sent_at",
    )

    def __init__(
        self,
        engine: Engine,
        parameters: TcpParameters,
        offer: Callable[[], Datagram],
        transmit: Callable[[Datagram], None],
        give_up: Callable[[], None],
        is_active: bool,
    ) -> None:
        self._engine = engine
        self._parameters = parameters
        self._offer = offer
        self._transmit = transmit
        self._give_up = give_up
        self._is_active = is_active
        self._timer = Timer(engine, self._expired)
        self.repeated = 0
        self.sent_at = engine.now
        self._wait()
        transmit(offer())

    def _wait(self) -> None:
        parameters, repeated = self._parameters, self.repeated
        if self._is_active:
            pause = parameters.syn_timeout(repeated)
        else:
            pause = min(parameters.initial_timeout << repeated, parameters.maximum_timeout)
        self._timer.start(pause)

    def _expired(self) -> None:
        parameters = self._parameters
        if self._is_active:
            most = parameters.syn_retries + parameters.syn_linear_timeouts
        else:
            most = parameters.syn_ack_retries
        if self.repeated >= most:
            self._give_up()
            return
        self.repeated += 1
        self._wait()
        self.again()

    def again(self) -> None:
        """Send it once more, because the other side has not got it."""
        self.sent_at = self._engine.now
        self._transmit(self._offer())

    def stop(self) -> None:
        """It has been answered, or nobody waits any more."""
        self._timer.stop()
