"""The client's end of an exchange of datagrams, with the duties that all clients share."""

from __future__ import annotations

from compiler.simulator.applications.running import Attempt, Running
from compiler.simulator.sockets import Cancel, Endpoint, Failure, UdpSocket

__all__ = ["DatagramAttempt"]


class DatagramAttempt(Attempt):
    """Has a UDP port while it lasts, and at most one thing that it waits for."""

    def __init__(self, running: Running, index: int) -> None:
        super().__init__(running, index)
        self.socket: UdpSocket | None = None
        self.waiting: Cancel | None = None

    def bind(self) -> None:
        """Take the port that the request wants, or any. ValueError when it is taken."""
        self.socket = self.sockets.udp(self.client.port, self)
        self.client = self.client._replace(port=self.socket.port)

    def stop_waiting(self) -> None:
        """What was to come does not."""
        if self.waiting is not None:
            self.waiting()

    def end(self, failure: Failure | None = None) -> None:
        """Free the port."""
        self.stop_waiting()
        if self.socket is not None:
            self.socket.close()
        super().end(failure)

    def received(self, socket: UdpSocket, remote: Endpoint, data: bytes | None, octets: int) -> None:
        """A datagram came."""
        raise NotImplementedError

    def failed(self, socket: UdpSocket, remote: Endpoint, failure: Failure) -> None:
        """An ICMP error came back."""
        raise NotImplementedError
