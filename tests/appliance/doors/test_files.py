"""Files through the web door: downloads that a console offers, and uploads."""

from __future__ import annotations

import asyncio
import json
import re
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from appliance.doors.web.settings import Limits
from appliance.doors.web.uploads import plain_name
from tests.appliance.doors.small_console import FILE
from tests.appliance.doors.standing import Browsing, Terminal, standing


async def _offer(console: Terminal, key: str, path: str) -> None:
    await console.type(f"offer {key} {path}")
    assert json.loads(await console.read()) == ["deliver_file_start", key]


def test_a_file_arrives_whole_once_and_for_its_browser_only() -> None:
    async def play() -> None:
        async with standing() as door:
            browser, other = door.browser(), door.browser()
            await browser.log_in()
            await other.log_in("budi")
            console = await browser.open()
            await _offer(console, "k1", '/tmp/kamar "satu"\r\nX-Evil: 1 ❤.csv')
            assert (await other.get("/download/k1")).status == 404
            assert (await door.browser().get("/download/k1")).status == 403
            async with browser.session.get(f"{door.origin}/download/k1") as answer:
                assert await answer.read() == FILE
                assert answer.headers["Content-Type"] == "application/octet-stream"
                assert answer.headers["Content-Disposition"].startswith('attachment; filename="kamar _satu___X-Evil_ 1')
                assert "X-Evil" not in answer.headers
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert (await browser.get("/download/k1")).status == 404

    asyncio.run(play())


def test_a_file_that_breaks_off_is_no_whole_file() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            await _offer(console, "torn", "/tmp/a.csv")
            with pytest.raises(aiohttp.ClientError):
                async with browser.session.get(f"{door.origin}/download/torn") as answer:
                    await answer.read()

    asyncio.run(play())


def test_offers_end_with_their_console() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            await _offer(console, "k1", "/tmp/a.csv")
            await console.websocket.close()
            await door.until(lambda: len(door.door.consoles) == 0)
            assert (await browser.get("/download/k1")).status == 404

    asyncio.run(play())


async def _key(browser: Browsing) -> str:
    text = await (await browser.get("/upload")).text()
    found = re.search(r'name="form_key" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def _form(key: str | None, name: str = "bukti.pdf", content: Any = b"%PDF", kind: str = "application/pdf") -> Any:
    form = aiohttp.FormData(quote_fields=False)
    if key is not None:
        form.add_field("form_key", key)
    form.add_field("file", content, filename=name, content_type=kind)
    return form


def test_an_upload_is_kept_by_the_daemon() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            answer = await browser.post("/upload", _form(await _key(browser), "../../etc/bukti ✓.pdf"))
            assert answer.status == 200
            (kept,) = [one for one in door.daemon.asked if one[0] == "keep"]
            assert kept == ("keep", next(iter(door.daemon.sessions)), "bukti ✓.pdf", "application/pdf")
            door.daemon.silent = True
            assert (await browser.post("/upload", _form(await _key(browser)))).status == 503

    asyncio.run(play())


def test_an_upload_without_the_key_of_this_session_is_refused() -> None:
    async def play() -> None:
        async with standing() as door:
            browser, other = door.browser(), door.browser()
            await browser.log_in()
            await other.log_in("budi")
            key, foreign = await _key(browser), await _key(other)
            for given in (None, "", foreign, key + "x", key[:-1], "x" * 1_000_000):
                assert (await browser.post("/upload", _form(given))).status == 403
            assert not [one for one in door.daemon.asked if one[0] == "keep"]

    asyncio.run(play())


def test_a_form_without_a_file_is_told_and_what_is_no_form_is_refused() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            key = await _key(browser)
            alone = aiohttp.FormData(quote_fields=False)
            alone.add_field("form_key", key, content_type="text/plain")
            answer = await browser.post("/upload", alone)
            assert answer.status == 422
            plain = {**browser.own, "Content-Type": "text/plain"}
            assert (await browser.post("/upload", b"x", headers=plain)).status == 400
            for kind in (
                "multipart/form-data",
                "multipart/form-data; boundary=x",
                'multipart/form-data; boundary="' + "b" * 99,
            ):
                broken = {**browser.own, "Content-Type": kind}
                for body in (b"", b"x", b"--x\r\n", b"--x\r\nA: b\r\n\r\n", b"--x\r\n\r\n\r\n--x--\r\n"):
                    answer = await browser.post("/upload", body, headers=broken)
                    assert answer.status in {400, 403}, (kind, body)
            assert not [one for one in door.daemon.asked if one[0] == "keep"]

    asyncio.run(play())


def test_a_file_that_is_too_large_is_refused_whether_its_length_is_said_or_not() -> None:
    async def play() -> None:
        async with standing(limits=Limits(upload=300_000)) as door:
            browser = door.browser()
            await browser.log_in()
            key = await _key(browser)
            assert (await browser.post("/upload", _form(key, content=b"x" * 300_000))).status == 200
            assert (await browser.post("/upload", _form(key, content=b"x" * 300_001))).status == 413

            async def unsaid() -> AsyncIterator[bytes]:
                for _number in range(8):
                    yield b"x" * 65536

            assert (await browser.post("/upload", _form(key, content=unsaid()))).status == 413

    asyncio.run(play())


def test_an_upload_is_never_whole_in_memory() -> None:
    size, piece = 24 * 1024 * 1024, b"x" * 65536

    async def much() -> AsyncIterator[bytes]:
        for _number in range(size // len(piece)):
            yield piece

    async def play() -> None:
        async with standing(limits=Limits(upload=size)) as door:
            browser = door.browser()
            await browser.log_in()
            key = await _key(browser)
            tracemalloc.start()
            try:
                assert (await browser.post("/upload", _form(key, content=much()))).status == 200
                _now, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert door.daemon.received == size
            assert peak < 8 * 1024 * 1024

    asyncio.run(play())


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("bukti.pdf", "bukti.pdf"),
        ("C:\\foto\\kamar.jpg", "kamar.jpg"),
        ("../../x", "x"),
        ("a\r\nX-Evil: 1", "a__X-Evil: 1"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("...", "file"),
        ("/", "file"),
        ("ü" * 300, "ü" * 120),
    ],
)
def test_names_of_files_are_plain(said: str, kept: str) -> None:
    assert plain_name(said) == kept
