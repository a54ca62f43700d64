"""Connections that say little, or are many; they are cut, and nobody else notices."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.doors.web.connections import place_of
from appliance.doors.web.settings import Limits
from tests.appliance.doors.standing import PATIENCE, Standing, standing

HEAD = b"GET /login HTTP/1.1\r\nHost: door\r\n\r\n"


async def _connected(door: Standing, said: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.door.settings.port)
    writer.write(said)
    return reader, writer


async def _is_cut(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            while await reader.read(65536):
                pass
    except ConnectionResetError:
        pass
    return True


async def _answered(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        await reader.readexactly(length)
    return head.split(b"\r\n")[0]


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: door\r\nX-A: b"])
def test_a_head_that_does_not_come_is_waited_for_only_so_long(said: bytes) -> None:
    async def play() -> None:
        async with standing(limits=Limits(head=0.2)) as door:
            reader, writer = await _connected(door, said)
            assert await _is_cut(reader)
            writer.close()

    asyncio.run(play())


def test_one_byte_after_the_other_buys_no_time() -> None:
    async def play() -> None:
        async with standing(limits=Limits(head=0.3)) as door:
            reader, writer = await _connected(door)

            async def drip() -> None:
                for byte in HEAD[:-2] + b"X-Long: " + b"a" * 4000:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.02)

            dripping = asyncio.create_task(drip())
            assert await _is_cut(reader)
            assert not dripping.done()
            dripping.cancel()
            writer.close()

    asyncio.run(play())


def test_a_connection_that_is_kept_has_its_time_for_the_next_head() -> None:
    async def play() -> None:
        async with standing(limits=Limits(head=0.5, keep_alive=1.0)) as door:
            reader, writer = await _connected(door)
            for _number in range(4):  # longer than one head may take, and each in time
                writer.write(HEAD)
                assert await _answered(reader) == b"HTTP/1.1 200 OK"
                await asyncio.sleep(0.2)
            writer.write(HEAD[:20])
            assert await _is_cut(reader)
            writer.close()

    asyncio.run(play())


def test_silent_ones_make_room_and_a_console_stays() -> None:
    async def play() -> None:
        async with standing(limits=Limits(connections=6, ends_within=0.3)) as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            crowd = [await _connected(door) for _number in range(12)]
            assert await _is_cut(crowd[0][0])
            await console.type("here")
            assert await console.read() == "here"
            reader, writer = await _connected(door, HEAD)
            assert await _answered(reader) == b"HTTP/1.1 200 OK"
            for _reader, other in [*crowd, (reader, writer)]:
                other.close()

    asyncio.run(play())


def test_one_address_has_no_more_than_its_share_but_a_proxy_has() -> None:
    async def play(**settings: Any) -> list[bool]:
        async with standing(limits=Limits(connections_of_one=3), **settings) as door:
            crowd = [await _connected(door, HEAD) for _number in range(5)]
            found = []
            for reader, _writer in crowd:
                try:
                    found.append(await _answered(reader) == b"HTTP/1.1 200 OK")
                except (asyncio.IncompleteReadError, ConnectionError):
                    found.append(False)
            crowd[0][1].close()
            await asyncio.sleep(0.05)
            reader, writer = await _connected(door, HEAD)
            found.append(await _answered(reader) == b"HTTP/1.1 200 OK")  # one went, one may come
            for _reader, other in [*crowd, (reader, writer)]:
                other.close()
            return found

    assert asyncio.run(play()) == [True, True, True, False, False, True]
    assert asyncio.run(play(proxies=frozenset({ip_address("127.0.0.1")}))) == [True] * 6


def test_a_form_that_does_not_come_is_given_up() -> None:
    async def play() -> None:
        async with standing(limits=Limits(body=0.2)) as door:
            head = (
                f"POST /login HTTP/1.1\r\nHost: door\r\nOrigin: {door.origin}\r\nContent-Length: 100\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\nname=an"
            )
            reader, writer = await _connected(door, head.encode())
            async with asyncio.timeout(PATIENCE):
                assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
            writer.close()
            assert door.daemon.asked == []

    asyncio.run(play())


def test_a_file_that_comes_too_slowly_is_given_up_and_a_steady_one_is_not() -> None:
    async def play(slowest: int) -> tuple[int, int]:
        from tests.appliance.doors.test_files import _form, _key

        async with standing(limits=Limits(body=0.2, slowest=slowest)) as door:
            browser = door.browser()
            await browser.log_in()

            async def pieces() -> Any:
                for _number in range(30):
                    yield b"x" * 4096
                    await asyncio.sleep(0.02)

            answer = await browser.post("/upload", _form(await _key(browser), content=pieces()))
            return answer.status, door.daemon.received

    # 200 kB a second come.
    assert asyncio.run(play(10_000_000))[0] == 408
    assert asyncio.run(play(1024)) == (200, 30 * 4096)


def test_visitors_of_one_address_have_no_more_than_two_consoles() -> None:
    async def play() -> None:
        proxies = frozenset({ip_address("127.0.0.1")})
        async with standing(proxies=proxies, limits=Limits(ends_within=0.3)) as door:

            async def visit(address: str) -> Any:
                """The status; an open console stays open."""
                browser = door.browser()
                headers = {**browser.own, "X-Forwarded-For": address}
                assert (await browser.post("/visit", headers=headers)).status == 303
                return await browser.refused(headers=headers)

            assert [await visit("203.0.113.5") for _number in range(3)] == [101, 101, 503]
            # A household has all of its /64.
            assert [await visit(f"2001:db8::{number}") for number in range(1, 4)] == [101, 101, 503]
            assert await visit("2001:db8:0:1::1") == 101
            await door.browsers[0].terminals[0].websocket.close()
            await door.until(lambda: len(door.door.consoles) == 4)
            assert await visit("203.0.113.5") == 101
            # Who has logged in is not counted among them.
            person = door.browser()
            await person.log_in()
            headers = {**person.own, "X-Forwarded-For": "203.0.113.5"}
            assert [await person.refused(headers=headers) for _number in range(3)] == [101] * 3

    asyncio.run(play())


@given(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_place_is_an_ipv4_address_or_64_bits(network: int, host: int, other: int) -> None:
    one, two = (str(IPv6Address(network << 64 | last)) for last in (host, other))
    assert place_of(one) == place_of(two) != place_of(str(IPv6Address((network ^ 1) << 64 | host)))
    assert place_of("::ffff:192.0.2.1") == place_of("192.0.2.1") != place_of("192.0.2.2")
