"""Who is let through to a TLS handshake, and who makes room."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest

from appliance.gate import Bounds, Gate, allow_more_files

PATIENCE = 60.0


class Echo(asyncio.Protocol):
    """Says back what it is told."""

    alive: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.place = str(transport.get_extra_info("peername")[0])
        self.alive[self.place] += 1

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive[self.place] -= 1


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder = tmp_path_factory.mktemp("gate")
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(
        [*made, "-keyout", folder / "k.pem", "-out", folder / "c.pem", "-subj", "/CN=x"],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return context


@pytest.fixture(autouse=True)
def _anew() -> None:
    Echo.alive.clear()


def standing(context: ssl.SSLContext, bounds: Bounds, free: frozenset[str] = frozenset()) -> tuple[Gate, int]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    gate = Gate(listening, Echo, context, place_of=str, alive=lambda place: Echo.alive[place], free=free, bounds=bounds)
    return gate, listening.getsockname()[1]


async def silent(port: int, place: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that never begins its handshake."""
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(place, 0))


async def greeted(port: int, place: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection whose handshake was made, and that is answered."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.check_hostname, theirs.verify_mode = False, ssl.CERT_NONE
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=theirs, local_addr=(place, 0))
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
    return reader, writer


async def is_cut(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionError):
            while await reader.read(100):
                pass
    return True


async def ended(gate: Gate, *writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.transport.abort()
    gate.close()
    async with asyncio.timeout(PATIENCE):
        await gate.wait_closed()
    assert [one.fileno() for one in gate.sockets] == [-1]


def test_one_place_has_so_many_and_another_comes_in(context: ssl.SSLContext) -> None:
    async def play() -> None:
        gate, port = standing(context, Bounds(of_one=4, within=PATIENCE))
        through = [await greeted(port, "127.0.0.2") for _ in range(2)]
        waiting = [await silent(port, "127.0.0.2") for _ in range(2)]
        refused, writer = await silent(port, "127.0.0.2")
        assert await is_cut(refused)
        other = await greeted(port, "127.0.0.3")
        through[0][1].transport.abort()
        while Echo.alive["127.0.0.2"] > 1:
            await asyncio.sleep(0.001)
        again = await greeted(port, "127.0.0.2")
        await ended(gate, writer, other[1], again[1], *(one[1] for one in (*through, *waiting)))

    asyncio.run(play())


def test_a_place_that_is_free_has_any_number(context: ssl.SSLContext) -> None:
    async def play() -> None:
        gate, port = standing(context, Bounds(of_one=1), frozenset({"127.0.0.2"}))
        through = [await greeted(port, "127.0.0.2") for _ in range(5)]
        await ended(gate, *(one[1] for one in through))

    asyncio.run(play())


def test_who_has_most_handshakes_open_makes_room(context: ssl.SSLContext) -> None:
    async def play() -> None:
        gate, port = standing(context, Bounds(greeting=4, within=PATIENCE))
        alone = await silent(port, "127.0.0.9")
        crowd = [await silent(port, "127.0.0.2") for _ in range(3)]
        other = await greeted(port, "127.0.0.3")
        assert await is_cut(crowd[0][0])
        assert not alone[0].at_eof()
        await ended(gate, other[1], alone[1], *(one[1] for one in crowd))

    asyncio.run(play())


def test_a_handshake_that_does_not_come_is_not_waited_for(context: ssl.SSLContext) -> None:
    async def play() -> None:
        gate, port = standing(context, Bounds(within=0.2))
        reader, writer = await silent(port, "127.0.0.2")
        assert await is_cut(reader)
        said, wrong = await silent(port, "127.0.0.2")
        wrong.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await is_cut(said)
        other = await greeted(port, "127.0.0.2")
        await ended(gate, writer, wrong, other[1])

    asyncio.run(play())


def test_closing_cuts_who_has_not_come_in(context: ssl.SSLContext) -> None:
    async def play() -> None:
        gate, port = standing(context, Bounds(within=PATIENCE))
        reader, writer = await silent(port, "127.0.0.2")
        while not gate._greeting:
            await asyncio.sleep(0.001)
        await ended(gate)
        assert await is_cut(reader)
        writer.transport.abort()

    asyncio.run(play())


def test_files_run_out_and_come_back(context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        loop, real, failed = asyncio.get_running_loop(), asyncio.get_running_loop().sock_accept, 0

        async def scarce(listening: socket.socket) -> tuple[socket.socket, object]:
            nonlocal failed
            failed += 1
            if failed < 3:
                raise OSError(24, "Too many open files")
            return await real(listening)

        monkeypatch.setattr(loop, "sock_accept", scarce)
        gate, port = standing(context, Bounds())
        through = await greeted(port, "127.0.0.2")
        await ended(gate, through[1])

    asyncio.run(play())


def test_the_soft_limit_of_files_is_raised_as_far_as_it_may(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        allow_more_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(16_384, before[1]), before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
