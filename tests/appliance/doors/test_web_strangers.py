"""What strangers and ill-meaning visitors try at the web door by hand: raw requests, raw frames, crowds."""

from __future__ import annotations

import asyncio
import logging
import re
import struct
import zlib
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

import pytest

from appliance.doors.web.settings import Limits
from tests.appliance.doors.standing import PATIENCE, Browsing, Standing, standing
from tests.appliance.doors.test_files import _key

HOST = b"Host: door\r\n"
GET = b"GET /login HTTP/1.1\r\n" + HOST
MARK = b"<script>mark"
POST = b"POST /login HTTP/1.1\r\n" + HOST + b"Origin: {origin}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
REQUESTS: dict[bytes, int] = {
    GET + b"\r\n": 200,
    b"GET /login HTTP/1.0\r\n\r\n": 200,
    b"GET /login HTTP/1.1\r\n\r\n": 400,
    GET + HOST + b"\r\n": 400,
    b"FOO /login HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"TRACE /login HTTP/1.1\r\n" + HOST + b"\r\n": 405,
    b"CONNECT door:443 HTTP/1.1\r\n" + HOST + b"\r\n": 404,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
    b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"a" * 200: 400,
    # Two readers of these would not agree where the request ends (RFC 9112, 11.2).
    POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\na=bcGET / HTTP/1.1\r\n\r\n": 400,
    POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
    POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n": 400,
    POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n": 400,
    POST + b"Content-Length: +3\r\n\r\na=b": 400,
    POST + b"Content-Length: -1\r\n\r\na=b": 400,
    CHUNKED + b"\r\nzz\r\na=b\r\n0\r\n\r\n": 400,
    CHUNKED + b"\r\n-3\r\na=b\r\n0\r\n\r\n": 400,
    CHUNKED + b"\r\n" + b"f" * 20 + b"\r\na=b\r\n0\r\n\r\n": 400,
    CHUNKED + b"\r\n3\na=b\n0\n\n": 400,
    # What cannot be read is not repeated.
    b"GET /" + MARK + b"\x01 HTTP/1.1\r\n" + HOST + b"Accept: text/html\r\n\r\n": 400,
    b"GET /" + MARK * 1000 + b" HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    GET + b"X" + MARK + b": 1\r\n\r\n": 400,
    GET + b"X: a\0b\r\n\r\n": 400,
    GET + b"X: a\r\n b\r\n\r\n": 400,
    GET + b"".join(b"X%d: a\r\n" % number for number in range(200)) + b"\r\n": 400,
    POST + b"Expect: odd\r\nContent-Length: 3\r\n\r\na=b": 417,
    POST + b"Content-Encoding: deflate\r\nContent-Length: 3\r\n\r\na=b": 400,
}
PART = b'--X\r\nContent-Disposition: form-data; name="name"'
HEADS = (
    b"\r\nA: b" * 200,
    b"\r\nA: " + b"b" * 9000,
    b"\r\nnocolon",
    b"\r\n: x",
    b"\0",
    b"\r\n\xff: \xff",
    b"\r\nContent-Transfer-Encoding: odd",
    b"\r\nContent-Encoding: odd",
    b"\r\nContent-Encoding: gzip",
    b"\r\nContent-Length: -5",
    b"\r\nContent-Type: text/plain; charset=hex",
    b"\r\nContent-Type: multipart/mixed",
)
FORM = "application/x-www-form-urlencoded"
FORMS = (
    *((FORM + f"; charset={said}", b"name=a&password=b") for said in ("none", "utf-16", "hex", "idna")),
    (FORM + "; charset=utf-7", b"name=+2AA-&password=b"),
    (FORM, b"name=%ed%a0%80%ff%00&password=%ff"),
    (FORM, b"&".join(b"a%d=b" % number for number in range(500))),
    (FORM, b"name=" + b"a" * 70_000),
    ("application/json", b'{"name": "ani", "password": "right"}'),
    ("", b"name=ani&password=right"),
    *(("multipart/form-data; boundary=X", PART + head + b"\r\n\r\nani\r\n--X--\r\n") for head in (b"", *HEADS)),
)


async def _said(door: Standing, request: bytes) -> tuple[int, bytes]:
    """The status and all of the answer until the connection is idle or ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.door.settings.port)
    writer.write(request.replace(b"{origin}", door.origin.encode()))
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: ([0-9]+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
    writer.close()
    return int(head.split()[1]), head + body


def test_every_answer_is_strict_also_to_what_is_no_request() -> None:
    async def play() -> None:
        async with standing() as door:
            for request, status in REQUESTS.items():
                told, answer = await _said(door, request)
                assert told == status, (request[:200], answer)
                head = answer.partition(b"\r\n\r\n")[0]
                assert b"\r\nServer: Gerbang" in head, request[:200]
                assert b"\r\nX-Content-Type-Options: nosniff" in head, request[:200]
                assert b"\r\nContent-Security-Policy: default-src 'none'" in head, request[:200]
                assert MARK not in answer, request[:200]

    asyncio.run(play())


def test_only_the_terminal_has_styles_of_its_own() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            for path, inline in (("/", True), ("/upload", False), ("/login", False), ("/static/door.css", False)):
                answer = await browser.get(path)
                assert ("unsafe-inline" in answer.headers["Content-Security-Policy"]) == inline, path

    asyncio.run(play())


def test_a_form_that_is_none_is_refused_in_a_few_words(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with standing() as door:
            browser, stranger = door.browser(), door.browser()
            await browser.log_in()
            for kind, body in FORMS:
                answer = await stranger.post("/login", body, headers={**stranger.own, "Content-Type": kind})
                assert answer.status in {400, 401, 413}, (kind, body[:100])
            key = (await _key(browser)).encode()
            start = b'--X\r\nContent-Disposition: form-data; name="form_key"\r\n\r\n' + key + b"\r\n"
            for head in HEADS:
                body = start + PART.replace(b'"name"', b'"file"; filename="a"') + head + b"\r\n\r\na\r\n--X--\r\n"
                headers = {**browser.own, "Content-Type": "multipart/form-data; boundary=X"}
                # A file is kept as it comes, whatever is said of its encoding.
                assert (await browser.post("/upload", body, headers=headers)).status in {200, 400, 403, 422}, head

    with caplog.at_level(logging.ERROR):
        asyncio.run(play())
    assert caplog.text == ""


def _frame(code: int, data: bytes = b"", *, ends: bool = True, reserved: int = 0) -> bytes:
    size, first = len(data), bytes([ends << 7 | reserved << 4 | code])
    if size < 126:
        return first + bytes([0x80 | size]) + bytes(4) + data
    if size < 65_536:
        return first + b"\xfe" + struct.pack(">H", size) + bytes(4) + data
    return first + b"\xff" + struct.pack(">Q", size) + bytes(4) + data


def _bomb() -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packing.compress(b"a" * 50_000_000) + packing.flush(zlib.Z_SYNC_FLUSH))[:-4]


BROKEN, NO_TEXT, POLICY, TOO_BIG = 1002, 1007, 1008, 1009
FRAMES: list[tuple[str, bytes, int]] = [
    ("5 MB", _frame(1, b"a" * 5_000_000), TOO_BIG),
    ("claims 2**63", b"\x81\xff" + struct.pack(">Q", 2**63) + bytes(4), TOO_BIG),
    ("claims 1 GB", b"\x81\xff" + struct.pack(">Q", 2**30) + bytes(4), TOO_BIG),
    ("fragments", _frame(1, b"a" * 1000, ends=False) + _frame(0, b"a" * 1000, ends=False) * 300, TOO_BIG),
    ("packed", _frame(1, _bomb(), reserved=4), TOO_BIG),
    ("no UTF-8", _frame(1, b"\xff\xfe"), NO_TEXT),
    ("no such code", _frame(3, b"x"), BROKEN),
    ("reserved", _frame(1, b"x", reserved=2), BROKEN),
    ("a long ping", _frame(9, b"x" * 126), BROKEN),
    ("a ping in parts", _frame(9, b"x", ends=False), BROKEN),
    ("half a reason", _frame(8, b"x"), BROKEN),
    ("an end without a start", _frame(0, b"x"), BROKEN),
    ("a number of 5,000 digits", _frame(1, b'["resize", {"width": ' + b"9" * 5000 + b"}]"), POLICY),
    ("deep", _frame(1, b"[" * 100_000), POLICY),
]


async def _upgraded(door: Standing, browser: Browsing) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A websocket whose frames are ours to write; its console has spoken."""
    (cookie,) = browser.cookies.items()
    reader, writer = await asyncio.open_connection("127.0.0.1", door.door.settings.port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: door\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
        + f"Origin: {door.origin}\r\nCookie: {cookie[0]}={cookie[1]}\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    await _message(reader)
    return reader, writer


async def _message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next message of the door: its code and its payload, which may be packed."""
    async with asyncio.timeout(PATIENCE):
        first, size = await reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack(">H", await reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", await reader.readexactly(8))
        return first & 15, await reader.readexactly(size)


def test_frames_that_are_none_or_too_much_end_their_console() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            for name, frames, code in FRAMES:
                reader, writer = await _upgraded(door, browser)
                writer.write(frames)
                try:
                    while (message := await _message(reader))[0] != 8:
                        pass
                    assert message[1][:2] == struct.pack(">H", code), name
                except ConnectionError:
                    # What was still on its way when the door closed was answered with a reset, which may come first.
                    assert code == TOO_BIG, name
                writer.close()
                await door.until(lambda: len(door.door.consoles) == 0)

    asyncio.run(play())


def test_others_have_their_turns_between_the_pings_of_one() -> None:
    many = 4000

    async def play() -> None:
        async with standing() as door:
            browser, turns = door.browser(), 0
            await browser.log_in()
            reader, writer = await _upgraded(door, browser)

            async def others() -> None:
                nonlocal turns
                while True:
                    await asyncio.sleep(0)
                    turns += 1

            beside = asyncio.create_task(others())
            writer.write(_frame(9) * many)
            for _number in range(many):
                assert await _message(reader) == (10, b"")
            beside.cancel()
            assert turns >= many
            writer.close()

    asyncio.run(play())


def test_who_brings_many_slow_forms_makes_room_himself_and_uploads_of_others_go_on() -> None:
    async def bringing(door: Standing, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = door.door.settings.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        head = POST.replace(b"{origin}", door.origin.encode())
        writer.write(head + b"Expect: 100-continue\r\nContent-Length: 30\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        return reader, writer

    async def play() -> None:
        async with standing(limits=Limits(connections=8, ends_within=0.3)) as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            honest = await bringing(door, "127.0.0.2")
            crowd = [await bringing(door, "127.0.0.3") for _number in range(6)]
            for number in range(3):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", door.door.settings.port, local_addr=(f"127.0.0.{4 + number}", 0)
                )
                writer.write(GET + b"Connection: close\r\n\r\n")
                async with asyncio.timeout(PATIENCE):
                    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
                writer.close()
            async with asyncio.timeout(PATIENCE):
                with suppress(ConnectionError):
                    await crowd[0][0].read()  # the slowest of the crowd went
            honest[1].write(b"name=ani&password=right-------")
            async with asyncio.timeout(PATIENCE):
                assert b" 401 " in await honest[0].readuntil(b"401 ")
            await console.type("here")
            assert await console.read() == "here"
            for _reader, writer in [honest, *crowd]:
                writer.close()

    asyncio.run(play())


def test_nobody_pushes_others_out_by_coming_often() -> None:
    async def play() -> None:
        proxies = frozenset({ip_address("127.0.0.1")})
        async with standing(proxies=proxies, limits=Limits(sessions=4, ends_within=0.3)) as door:

            async def visitor(address: str) -> Any:
                browser = door.browser()
                headers = {**browser.own, "X-Forwarded-For": address}
                assert (await browser.post("/visit", headers=headers)).status == 303
                return browser

            guest, person = await visitor("203.0.113.5"), door.browser()
            console = await guest.open()
            await person.log_in("ani")
            for number in range(9):
                await visitor(f"2001:db8::{number}")  # of one /64
                await door.browser().log_in("budi")
            assert (await guest.get("/")).status == (await person.get("/")).status == 200
            await console.type("here")
            assert await console.read() == "here"
            assert len(door.door.browsers) == 8

    asyncio.run(play())


def test_pongs_that_nobody_asked_for_and_empty_fragments_do_nothing() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            reader, writer = await _upgraded(door, browser)
            writer.write(_frame(10) * 1000 + _frame(1, b"", ends=False) + _frame(0, b"", ends=False) * 1000)
            writer.write(_frame(0, b'["ping", "1"]'))
            code, _packed = await _message(reader)
            assert code == 1
            assert len(door.door.consoles) == 1
            writer.close()

    asyncio.run(play())
