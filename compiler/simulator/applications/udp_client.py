"""Datagrams at the moments that a generator gives, each with its number and the moment of sending."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.simulator.applications.datagram import Stamp, flow_name, pack, unpack
from compiler.simulator.applications.datagram_attempt import DatagramAttempt
from compiler.simulator.applications.running import Running
from compiler.simulator.engine import SECOND
from compiler.simulator.sockets import Endpoint, Failure, UdpSocket

__all__ = ["LINGER", "UdpFlow"]

LINGER = SECOND
"""How long after the last datagram answers and errors are waited for."""


class UdpFlow(DatagramAttempt):
    """One flow. What arrived is in the server's log; ``failure`` is the first ICMP error, and the flow goes on.

    Datagrams have 16 octets of payload at least: their stamp.
    """

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        self._flow = flow_name(self.token)
        self.token = f"udp {self._flow:08x}"
        self._arrivals: Iterator[tuple[int, int]] = iter(())
        self._number = 0
        self._answers = 0
        self._error: Failure | None = None

    def begin(self) -> None:
        """Bind the port and wait for the first moment."""
        if self.request.arrivals is None:
            raise ValueError(f"{self.request.traffic}: datagrams without arrivals")
        self._arrivals = self.request.arrivals(self.sockets.random)
        try:
            self.bind()
        except ValueError as error:
            self.cannot_begin(error)
        else:
            self._wait_for_next()

    def end(self, failure: Failure | None = None) -> None:
        """Free the port; an ICMP error that came before this is what went wrong."""
        super().end(failure or self._error)

    def time_is_up(self) -> None:
        """What was due in time is still sent: a busy machine may be behind. Nothing later is."""

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """An answer of a ``udp-echo``."""
        stamp = unpack(data)
        if stamp is not None and stamp.flow == self._flow:
            self._answers += 1
            self.detail = f"{self._answers} answers"

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        """An ICMP error came back."""
        self._error = self._error or failure

    def _wait_for_next(self) -> None:
        arrival = next(self._arrivals, None)
        duration = self.request.duration
        if arrival is None or (duration is not None and arrival[0] >= duration):
            self._linger()
            return
        moment, octets = arrival
        delay = max(0, self.started + moment - self.sockets.now())
        self.waiting = self.sockets.after(delay, lambda: self._send(octets))

    def _send(self, octets: int) -> None:
        if self.socket is None or self.ended is not None:
            return
        stamp = Stamp(self._flow, self._number, self.sockets.now())
        self.socket.send(self.server, pack(stamp, octets))
        self._number += 1
        self.running.sent += 1
        self._wait_for_next()

    def _linger(self) -> None:
        self.stop_waiting()
        if self.ended is None:
            self.waiting = self.sockets.after(min(LINGER, self.request.timeout), self.end)
