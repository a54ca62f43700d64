"""TCP connections of a lab's nodes: real sockets behind the simulator's contract."""

from __future__ import annotations

import errno
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from compiler.fields import Family
from compiler.simulator.sockets import Endpoint, Failure, FailureKind, Stream, StreamEvents
from labs.kernel.failures import endpoint, failure_of_error, queued_error
from labs.kernel.loop import ERRORS, READABLE, WRITABLE, Loop

__all__ = ["KernelStream"]

_ZEROS = memoryview(bytes(1 << 18))
_ONE_TURN = 1 << 20
"""Octets that one stream may send or receive before the others have their turn."""
_READ = 1 << 18
_LINGER_AND_RESET = struct.pack("=ii", 1, 0)
_AFTER_HANDSHAKE = (errno.ECONNRESET, errno.EPIPE)
"""What a reset is called once the handshake is done (``tcp_reset``): both may have come before anybody looked."""
_OPEN = (1, 8)
"""TCP_ESTABLISHED and TCP_CLOSE_WAIT of net/tcp_states.h."""
_RECVERR = {Family.IPV4: (socket.SOL_IP, 11), Family.IPV6: (socket.IPPROTO_IPV6, 25)}


class KernelStream:
    """One connection. Events come from the loop, never from within a call."""

    def __init__(self, loop: Loop, one: socket.socket, family: Family, remote: Endpoint) -> None:
        self._loop = loop
        self._socket = one
        self._family = family
        self._remote = remote
        self._local = Endpoint(family, 0, 0)
        self._events: StreamEvents | None = None
        self._queue: deque[memoryview | int] = deque()
        self._is_connected = False
        self._is_closing = False
        self._is_sent_all = False
        self._peer_is_done = False
        self._is_over = False
        self._is_undrained = False

    @property
    def local(self) -> Endpoint:
        """This end."""
        return self._local

    @property
    def remote(self) -> Endpoint:
        """The other end."""
        return self._remote

    # -- what applications ask for ---------------------------------------------------

    def send(self, data: bytes) -> None:
        """Queue octets."""
        if data:
            self._enqueue(memoryview(data))

    def send_zeros(self, octets: int) -> None:
        """Queue zeros."""
        if octets > 0:
            self._enqueue(octets)

    def close(self) -> None:
        """Send what is queued, then no more."""
        if not self._is_closing:
            self._is_closing = True
            self._watch()

    def abort(self) -> None:
        """Reset the connection."""
        if not self._is_over:
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_AND_RESET)
            self._leave()

    # -- beginnings --------------------------------------------------------------------

    def open(self, events: StreamEvents) -> None:
        """Begin the handshake."""
        self._events = events
        # Errors of ICMP end a handshake, and say what they are.
        self._socket.setsockopt(*_RECVERR[self._family], 1)
        self._loop.breathe()
        number = self._socket.connect_ex((_text(self._remote), self._remote.port))
        if number in (0, errno.EINPROGRESS):
            self._note_local()
            self._loop.watch(self._socket, WRITABLE, self._handshake_ready)
        else:
            self._loop.watch(self._socket, 0, lambda _: None)
            self._loop.after(0, lambda: self._fail(failure_of_error(number)))

    def accepted_by(self, accept: Callable[[Stream], StreamEvents]) -> None:
        """The handshake is done already: this is the server's end."""
        self._note_local()
        self._events = accept(self)
        self._begin()

    def _handshake_ready(self, ready: int) -> None:
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        queued = queued_error(self._socket, self._family) if ready & ERRORS or number else None
        if number in _AFTER_HANDSHAKE:
            self._note_local()
            self._begin()
            self._fail(failure_of_error(number))
            return
        if number and not self._is_open():
            is_reported = queued is not None and queued.failure.reporter is not None
            self._fail(queued.failure if queued is not None and is_reported else failure_of_error(number))
            return
        self._note_local()
        # Later ones are hints only, as RFC 1122 (4.2.3.9) has it.
        self._socket.setsockopt(*_RECVERR[self._family], 0)
        self._begin()

    def _is_open(self) -> bool:
        """Whether the handshake was done before the error came, which is a hint then."""
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _OPEN

    def _begin(self) -> None:
        self._is_connected = True
        self._watch()
        assert self._events is not None
        self._events.connected(self)

    def _note_local(self) -> None:
        try:
            self._local = endpoint(self._family, self._socket.getsockname())
        except OSError:
            return

    # -- octets --------------------------------------------------------------------

    def _enqueue(self, part: memoryview | int) -> None:
        if self._is_over or self._is_closing:
            return
        self._queue.append(part)
        self._is_undrained = True
        self._watch()

    def _watch(self) -> None:
        if self._is_over or not self._is_connected:
            return
        events = 0 if self._peer_is_done else READABLE
        if self._queue or self._is_undrained or (self._is_closing and not self._is_sent_all):
            events |= WRITABLE
        self._loop.watch(self._socket, events, self._ready)

    def _ready(self, ready: int) -> None:
        if ready & (READABLE | ERRORS):
            self._receive()
        if ready & ERRORS and self._peer_is_done and not self._is_over:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._fail(failure_of_error(number))
                return
        if ready & WRITABLE and not self._is_over:
            self._send()
        if not self._is_over:
            self._watch()

    def _receive(self) -> None:
        assert self._events is not None
        left = _ONE_TURN
        while left > 0 and not self._is_over and not self._peer_is_done:
            try:
                data = self._socket.recv(_READ)
            except BlockingIOError:
                return
            except OSError as error:
                self._fail(failure_of_error(error.errno or 0))
                return
            if not data:
                self._peer_is_done = True
                self._events.finished(self)
                self._perhaps_over()
                return
            left -= len(data)
            self._events.received(self, data, len(data))

    def _send(self) -> None:
        left = _ONE_TURN
        try:
            while self._queue and left > 0:
                part = self._queue[0]
                zeros = isinstance(part, int)
                sent = self._socket.send(_ZEROS[:part] if isinstance(part, int) else part)
                left -= sent
                rest = part - sent if isinstance(part, int) else part[sent:]
                if rest if zeros else len(rest):  # type: ignore[arg-type]
                    self._queue[0] = rest
                else:
                    self._queue.popleft()
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(failure_of_error(error.errno or 0))
            return
        if self._queue:
            return
        if self._is_undrained:
            self._is_undrained = False
            assert self._events is not None
            self._events.drained(self)
        if self._is_closing and not self._queue and not self._is_sent_all and not self._is_over:
            self._finish_sending()

    def _finish_sending(self) -> None:
        self._is_sent_all = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._fail(failure_of_error(error.errno or 0))
            return
        self._perhaps_over()

    # -- ends ----------------------------------------------------------------------

    def _perhaps_over(self) -> None:
        if self._peer_is_done and self._is_sent_all and not self._is_over:
            self._leave()
            assert self._events is not None
            self._events.closed(self)

    def _fail(self, failure: Failure) -> None:
        if self._is_over:
            return
        if self._is_connected and failure.kind is FailureKind.REFUSED:
            failure = failure._replace(kind=FailureKind.RESET)
        self._leave()
        assert self._events is not None
        self._events.failed(self, failure)

    def _leave(self) -> None:
        self._is_over = True
        self._queue.clear()
        if self._socket.fileno() >= 0:
            self._loop.drop(self._socket)


def _text(remote: Endpoint) -> str:
    family = socket.AF_INET if remote.family is Family.IPV4 else socket.AF_INET6
    return socket.inet_ntop(family, remote.address.to_bytes(remote.family.width // 8, "big"))
