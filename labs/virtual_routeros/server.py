"""The API of a virtual router over TCP, and over TLS where a context is given.

One thread with an event loop serves all sessions, so commands are carried out
one after the other; the loop also runs the scheduler when the device lives by
real time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType

from labs.virtual_routeros.clocks import RealClock
from labs.virtual_routeros.device import Device
from labs.virtual_routeros.faults import Cut, Faults, Moment
from labs.virtual_routeros.sentences import BadLength, Decoder, Sentence, encode_sentence
from labs.virtual_routeros.session import Session

__all__ = ["Server"]

_PIECE = 1 << 16
_TICK = 0.1
"""Seconds between looks at the scheduler in real time."""
_HANDSHAKE = 10.0
_GOODBYE = 1.0
"""Seconds that a client has to end TLS when the router goes; many do not."""


class Server:
    """A context in which the router can be reached at ``address``.

    ``port`` 0 takes a free one. OSError when the address cannot be had.
    """

    def __init__(
        self, device: Device, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.device = device
        self.faults = Faults()
        self.received: list[Sentence] = []
        """Every sentence that clients have sent, passwords included."""
        self._tls = tls
        self._socket = socket.create_server((host, port))
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._failures: list[Exception] = []
        self._ready = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._thread = Thread(target=self._run, name=f"virtual RouterOS {self.address[1]}", daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all sessions and wait for that. Raises what went wrong inside the server, if anything did."""
        if self._thread.is_alive() and self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()
        self._socket.close()
        while self._failures:
            raise self._failures.pop()

    @property
    def sessions(self) -> int:
        """How many clients are connected."""
        return len(self._sessions)

    # -- in the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        begin, end = (None, None) if self._tls is None else (_HANDSHAKE, _GOODBYE)
        server = await asyncio.start_server(
            self._accept, sock=self._socket, ssl=self._tls, ssl_handshake_timeout=begin, ssl_shutdown_timeout=end
        )
        ticking = asyncio.create_task(self._tick())
        self._ready.set()
        await self._over.wait()
        server.close()
        tasks = [ticking, *self._sessions]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tick(self) -> None:
        while isinstance(self.device.clock, RealClock):
            try:
                self.device.tick()
            except Exception as error:
                self._failures.append(error)
            await asyncio.sleep(_TICK)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A plain function, so that the task is ours to end and its failure ours to see.
        task = asyncio.get_running_loop().create_task(self._session(reader, writer))
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, writer)
        try:
            if not self.faults.is_deaf:
                await connection.serve(reader)
        except (ConnectionError, ssl.SSLError, BadLength):
            pass  # the client is gone, or speaks another protocol
        except Exception as error:
            self._failures.append(error)  # a fault of ours, which must not look like a lost connection
        finally:
            connection.session.end()
            writer.transport.abort() if connection.is_cut else writer.close()
            with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError, TimeoutError):
                await writer.wait_closed()


class _Connection:
    """One client's connection."""

    def __init__(self, server: Server, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer
        self._held: list[bytes] | None = None
        self.is_cut = False
        self.session = Session(server.device, self._send)

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Carry out sentences until one side has enough."""
        decoder, faults = Decoder(), self._server.faults
        sock = self._writer.get_extra_info("socket")
        if sock is not None:  # asyncio does so only where the socket names its protocol, and ours does not
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session.begin()
        while octets := await self._read(reader):
            for sentence in decoder.feed(octets):
                self._server.received.append(sentence)
                cut = faults.count()
                if faults.delay:
                    await asyncio.sleep(faults.delay)
                if cut is not None:
                    await self._lose(cut, sentence)
                    return
                goes_on = self.session.take(sentence, faults.refusal(sentence))
                await self._writer.drain()
                if not goes_on:
                    return

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """Acknowledge at once: clients that send word by word wait for that (Nagle), and Linux would take 40 ms."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None and hasattr(socket, "TCP_QUICKACK"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return await reader.read(_PIECE)

    async def _lose(self, cut: Cut, sentence: Sentence) -> None:
        self._held = []
        if cut.moment is not Moment.BEFORE:
            self.session.take(sentence, self._server.faults.refusal(sentence))
        answer = b"".join(self._held)
        if cut.moment is Moment.MIDWAY and answer:
            self._writer.write(answer[: max(len(answer) // 2, 1)])
            await self._writer.drain()
        sock = self._writer.get_extra_info("socket")
        if cut.resets and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_cut = True

    def _send(self, sentence: Sentence) -> None:
        octets = encode_sentence(sentence)
        if self._held is not None:
            self._held.append(octets)
            return
        loop = self._server._loop
        if loop is None or self._writer.is_closing():
            return
        if _is_running(loop):
            self._writer.write(octets)
        else:  # a change from another thread, told to a listener
            loop.call_soon_threadsafe(self._writer.write, octets)


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
