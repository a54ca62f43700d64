"""The side of a TCP connection that its application sees."""

from __future__ import annotations

from compiler.simulator.hosts.tcp_receiver import Receiver
from compiler.simulator.hosts.tcp_sender import Sender
from compiler.simulator.hosts.tcp_state import State
from compiler.simulator.sockets import Endpoint, StreamEvents

__all__ = ["TcpStream"]


class TcpStream:
    """What may be asked of a connection; :class:`~compiler.simulator.hosts.tcp.Connection` does it."""

    __slots__ = ("_drain", "_is_passive", "_state", "events", "local", "receiver", "remote", "sender")

    sender: Sender
    receiver: Receiver

    def __init__(self, local: Endpoint, remote: Endpoint, events: StreamEvents | None) -> None:
        self.local = local
        self.remote = remote
        self.events = events
        """None until a server has taken the connection."""
        self._state = State.CLOSED
        """ESTABLISHED stands for all states after the handshake; see :attr:`state`."""
        self._drain = False
        """Whether the application is to hear when all that it queued has arrived."""
        self._is_passive = False
        """The other side closed first."""

    def send(self, data: bytes) -> None:
        """Queue octets; what comes after :meth:`close` is ignored, as a broken pipe's would be."""
        if data and self._may_send():
            self.sender.buffer.append(bytes(data))
            self._drain = True
            self._push()

    def send_zeros(self, octets: int) -> None:
        """Queue so many octets without making them. ValueError for a negative number."""
        if octets and self._may_send():
            self.sender.buffer.append_zeros(octets)
            self._drain = True
            self._push()

    def close(self) -> None:
        """A FIN after what is queued. What the other side still sends is received."""
        if self._may_send():
            self._is_passive = self.receiver.has_all
            self.sender.is_closing = True
            self._push()

    def abort(self) -> None:
        """Reset the connection, and forget it. No event follows."""
        raise NotImplementedError

    @property
    def state(self) -> State:
        """Where it stands by RFC 9293."""
        if self._state is not State.ESTABLISHED:
            return self._state
        if not self.sender.is_closing:
            return State.CLOSE_WAIT if self.receiver.has_all else State.ESTABLISHED
        if self._is_passive:
            return State.LAST_ACK
        if self.sender.is_finished:
            return State.FIN_WAIT_2
        return State.CLOSING if self.receiver.has_all else State.FIN_WAIT_1

    def _may_send(self) -> bool:
        return not self.sender.is_closing and self._state is not State.CLOSED

    def _push(self) -> None:
        if self._state is State.ESTABLISHED:
            self.sender.push()
