"""Consoles behind the web door: caps, what browsers send, and processes that die, hang or flood."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.doors.web.settings import Limits
from tests.appliance.doors.standing import QUICK, Standing, alive, standing

ODD = (
    "no json",
    "{}",
    "[]",
    "3",
    "null",
    '"stdin"',
    "[[]]",
    '["stdin"]',
    '["stdin", 3]',
    '["stdin", null]',
    '["stdin", {"a": 1}]',
    '["resize"]',
    '["resize", 3]',
    '["resize", []]',
    '["nothing", 1]',
    '[{"a": 1}, 2]',
    "[" * 5000 + "]" * 5000,
)


def test_the_environment_of_a_console_is_made_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        monkeypatch.setenv("SECRET_OF_THE_DOOR", "hush")
        monkeypatch.setenv("GERBANG_SOCKET", "/elsewhere")
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open("?width=132&height=43")
            said = console.said["environment"]
            assert set(said) <= {
                *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "HOME", "XDG_CONFIG_HOME"),
                *("PYTHONUSERBASE", "TEXTUAL_DRIVER", "TEXTUAL_FPS", "TEXTUAL_COLOR_SYSTEM", "TERM_PROGRAM"),
                *("TERM_PROGRAM_VERSION", "COLUMNS", "ROWS", "GERBANG_WEB", "GERBANG_LOGIN", "GERBANG_TOKEN"),
            }
            (token,) = door.daemon.sessions
            assert (said["GERBANG_TOKEN"], said["COLUMNS"], said["ROWS"]) == (token, "132", "43")
            assert token not in " ".join(console.said["argv"])
            assert token not in await (await browser.get("/")).text()
            assert said["HOME"] == console.said["folder"] != os.environ.get("HOME")
            assert os.getsid(console.pid) == console.pid

    asyncio.run(play())


def test_each_person_has_a_folder_of_his_own_and_a_visitor_leaves_none() -> None:
    async def play() -> None:
        async with standing() as door:
            ani, budi, visitor = door.browser(), door.browser(), door.browser()
            await ani.log_in("ani")
            await budi.log_in("../budi")
            await visitor.post("/visit")
            first, second, third = await ani.open(), await ani.open(), await budi.open()
            guest = await visitor.open()
            folders = [Path(one.said["folder"]) for one in (first, second, third, guest)]
            assert folders[0] == folders[1]
            assert len(set(folders)) == 3
            assert len({one.parent for one in folders}) == 1
            assert stat.S_IMODE(folders[2].stat().st_mode) == 0o700
            assert stat.S_IMODE(folders[2].parent.stat().st_mode) == 0o700
            await guest.websocket.close()
            await door.until(lambda: not folders[3].exists())
        assert not folders[0].parent.exists()

    asyncio.run(play())


def _caps(limits: Limits) -> Any:
    return standing(limits=limits)


def test_no_more_consoles_than_the_door_takes_on_and_room_again_afterwards() -> None:
    async def play() -> None:
        async with _caps(Limits(consoles=3, consoles_of_one=2, visitors=1, ends_within=0.3)) as door:
            ani, budi, guest = door.browser(), door.browser(), door.browser()
            await ani.log_in("ani")
            await budi.log_in("budi")
            await guest.post("/visit")
            own = [await ani.open(), await ani.open()]
            assert await ani.refused() == 503
            visiting = await guest.open()
            assert await budi.refused() == 503
            await visiting.websocket.close()
            await door.until(lambda: len(door.door.consoles) == 2)
            await guest.open()
            other = door.browser()
            await other.post("/visit")
            await own[0].websocket.close()
            await door.until(lambda: len(door.door.consoles) == 2)
            assert await other.refused() == 503
            await budi.open()

    asyncio.run(play())


def test_many_at_once_are_not_more_than_the_cap() -> None:
    async def play() -> None:
        async with _caps(Limits(consoles=3, consoles_of_one=9, ends_within=0.3)) as door:
            browser = door.browser()
            await browser.log_in()
            answers = await asyncio.gather(*(browser.refused() for _number in range(8)))
            assert sorted(answers) == [101] * 3 + [503] * 5

    asyncio.run(play())


def test_what_is_no_message_of_a_terminal_closes_its_console() -> None:
    async def play() -> None:
        async with standing(limits=Limits(ends_within=0.3, consoles=99, consoles_of_one=99)) as door:
            browser = door.browser()
            await browser.log_in()
            for said in ODD:
                console = await browser.open()
                await console.websocket.send_str(said)
                assert await console.closed() == aiohttp.WSCloseCode.POLICY_VIOLATION, said[:40]
            console = await browser.open()
            await console.websocket.send_bytes(b"\x00\x01")
            assert await console.closed() == aiohttp.WSCloseCode.POLICY_VIOLATION
            await door.until(lambda: len(door.door.consoles) == 0)

    asyncio.run(play())


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ('{"width": 100, "height": 30}', (100, 30)),
        ('{"width": 99999999, "height": 99999999}', (500, 200)),
        ('{"width": -5, "height": 0}', (20, 5)),
        ('{"width": NaN, "height": Infinity}', (80, 24)),
        ('{"width": "wide", "height": [1]}', (80, 24)),
        ('{"width": 1e400, "height": "9"}', (80, 9)),
        ("{}", (80, 24)),
    ],
)
def test_sizes_are_bounded(said: str, size: tuple[int, int]) -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open("?width=-9999999999999999999999&height=x")
            assert (console.said["environment"]["COLUMNS"], console.said["environment"]["ROWS"]) == ("20", "24")
            await console.websocket.send_str(f'["resize", {said}]')
            told = json.loads(await console.read())
            assert (told["width"], told["height"]) == size

    asyncio.run(play())


def test_keys_pings_and_pastes_arrive_and_what_is_too_long_does_not() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            await console.type("kunci ✓ \ud800")
            assert await console.read() == "kunci ✓ ?"
            await console.websocket.send_json(["ping", "x" * 500])
            assert json.loads(await console.read()) == ["pong", "x" * 64]
            await console.type("p" * 200_000)
            assert await console.read() == "p" * 200_000
            await console.type("p" * 300_000)
            assert await console.closed() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            await door.until(lambda: not alive(console.pid))

    asyncio.run(play())


def test_pings_do_not_keep_a_console_that_nobody_touches() -> None:
    async def play() -> None:
        async with standing(limits=Limits(idle=0.6, ends_within=0.3)) as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()

            async def ping() -> None:
                while not console.websocket.closed:
                    await console.websocket.send_json(["ping", "1"])
                    await asyncio.sleep(0.05)

            pinging = asyncio.create_task(ping())
            assert await console.closed() == aiohttp.WSCloseCode.GOING_AWAY
            pinging.cancel()
            await door.until(lambda: not alive(console.pid))

    asyncio.run(play())


def test_a_console_that_dies_closes_its_page_and_leaves_no_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            for how in ("die", "gibberish"):
                console = await browser.open()
                await console.type(how)
                await console.closed()
                assert not alive(console.pid)
            await door.until(lambda: len(door.door.consoles) == 0)
            # The door is well: the next one opens.
            await browser.open()

    with caplog.at_level(logging.INFO):
        asyncio.run(play())
    assert "a console ended with 3: ValueError: dead" in caplog.text
    assert "hush" not in caplog.text
    assert "token-of" not in caplog.text


def test_a_console_that_hangs_is_killed_when_its_page_goes() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            await console.type("stop")
            await door.until(lambda: "T" in Path(f"/proc/{console.pid}/stat").read_text().rpartition(")")[2].split()[0])
            await console.websocket.close()
            await door.until(lambda: not alive(console.pid))

    asyncio.run(play())


def test_a_console_that_takes_no_keys_is_given_up() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            await console.type("stop")
            for _number in range(8):
                await console.type("k" * 60_000)
            await console.closed()
            await door.until(lambda: not alive(console.pid))
            await door.until(lambda: len(door.door.consoles) == 0)

    asyncio.run(play())


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_console_that_floods_waits_for_its_browser() -> None:
    async def play() -> None:
        async with standing() as door:
            browser, other = door.browser(), door.browser()
            await browser.log_in()
            await other.log_in("budi")
            console = await browser.open()
            before = _resident()
            await console.type("flood")
            read = 0
            while read < 8 * 1024 * 1024:
                message = await console.websocket.receive(timeout=20)
                read += len(message.data)
            # It reads no more: nothing is piled up in the door.
            await asyncio.sleep(0.3)
            assert _resident() - before < 64 * 1024 * 1024
            beside = await other.open()
            await beside.type("here")
            assert await beside.read() == "here"
            console.websocket._response.close()
            await door.until(lambda: not alive(console.pid))

    asyncio.run(play())


def test_nothing_of_a_console_is_left_when_the_door_ends() -> None:
    async def play() -> tuple[list[int], Standing]:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            consoles = [await browser.open() for _number in range(3)]
            await consoles[0].type("stop")
            await consoles[1].type("fork")
            child = int((await consoles[1].read()).split()[1])
            assert alive(child)
            return [*(one.pid for one in consoles), child], door

    pids, door = asyncio.run(play())
    # The kernel takes a moment for what was killed and is nobody's child any more.
    asyncio.run(door.until(lambda: not any(alive(pid) for pid in pids)))
    assert ("close",) in door.daemon.asked


def test_what_a_console_has_started_does_not_outlive_it() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            await console.type("fork")
            child = int((await console.read()).split()[1])
            os.kill(console.pid, signal.SIGKILL)
            await console.closed()
            await door.until(lambda: not alive(child))

    asyncio.run(play())


def test_only_pages_of_the_web_are_opened() -> None:
    async def play() -> None:
        async with standing(limits=QUICK) as door:
            browser = door.browser()
            await browser.log_in()
            console = await browser.open()
            for url in ("javascript:alert(1)", "file:///etc/passwd", "JAVASCRIPT:x"):
                await console.type(f"url {url}")
            await console.type("url https://gate.example/help")
            said: Any = json.loads(await console.read())
            assert said == ["open_url", {"url": "https://gate.example/help", "new_tab": True}]

    asyncio.run(play())
