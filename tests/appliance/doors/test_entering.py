"""Who comes in at the web door: Origin, cookies, logging in and out, visitors."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from appliance.doors.web.settings import Limits
from tests.appliance.doors.standing import Browsing, Double, Standing, alive, standing

FOREIGN = [{}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "{origin}0"}, {"Origin": "{origin}/"}]
STRICT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "Gerbang",
}


def test_a_page_of_another_origin_is_refused_everywhere() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            for foreign in FOREIGN:
                headers = {name: value.format(origin=door.origin) for name, value in foreign.items()}
                for path in ("/login", "/logout", "/visit", "/upload"):
                    assert (await browser.post(path, {"name": "ani"}, headers=headers)).status == 403
                assert await browser.refused(headers=headers) == 403
            twice = [("Origin", door.origin), ("Origin", "http://evil.example")]
            assert (await browser.post("/logout", headers=twice)).status in {400, 403}
            # Nothing of it had an effect: the session is as it was.
            assert (await browser.get("/")).status == 200

    asyncio.run(play())


def test_no_console_without_the_cookie_of_a_login() -> None:
    async def play() -> None:
        async with standing() as door:
            stranger = door.browser()
            assert await stranger.refused() == 403
            assert (await stranger.get("/")).headers["Location"] == "/login"
            name = door.door.settings.cookie
            for forged in ("x", "A" * 43, "é", "", "x" * 5000):
                headers = {**stranger.own, "Cookie": f"{name}={forged}"}
                assert await stranger.refused(headers=headers) == 403
            for path in ("/upload", "/download/1"):
                assert (await stranger.get(path)).status == 403

    asyncio.run(play())


def test_a_refused_login_says_why_and_lets_nobody_in() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser(**{"Accept-Language": "en"})
            answer = await browser.log_in("<b>ani", "wrong")
            assert answer.status == 401
            text = await answer.text()
            assert "too many requests; try again in 7 s" in text
            assert "&lt;b&gt;ani" in text
            assert "wrong" not in text.replace("the password is wrong", "")
            assert browser.cookies == {}
            door.daemon.silent = True
            assert (await browser.log_in()).status == 503
            assert (await browser.get("/login")).status == 503

    asyncio.run(play())


def test_each_login_has_a_new_cookie_and_the_one_before_is_worth_nothing() -> None:
    async def play() -> None:
        async with standing() as door:
            browser, name = door.browser(), door.door.settings.cookie
            planted = {**browser.own, "Cookie": f"{name}=planted-by-somebody-else"}
            answer = await browser.post("/login", {"name": "ani", "password": "right"}, headers=planted)
            first = answer.cookies[name].value
            assert first != "planted-by-somebody-else"
            assert "HttpOnly" in answer.headers["Set-Cookie"]
            assert "SameSite=Strict" in answer.headers["Set-Cookie"]
            old = await browser.open()
            await browser.log_in("budi")
            assert browser.cookies[name] != first
            thief = door.browser()
            assert await thief.refused(headers={**thief.own, "Cookie": f"{name}={first}"}) == 403
            await old.closed()
            assert not alive(old.pid)
            assert len(door.daemon.sessions) == 1

    asyncio.run(play())


def test_logging_out_ends_the_session_and_its_consoles() -> None:
    async def play() -> None:
        async with standing() as door:
            browser, other, name = door.browser(), door.browser(), door.door.settings.cookie
            await browser.log_in()
            await other.log_in("budi")
            kept = browser.cookies[name]
            consoles = [await browser.open(), await browser.open()]
            foreign = await other.open()
            assert (await browser.post("/logout")).headers["Location"] == "/login"
            for one in consoles:
                await one.closed()
                assert not alive(one.pid)
            assert alive(foreign.pid)
            assert browser.cookies == {}
            assert await browser.refused(headers={**browser.own, "Cookie": f"{name}={kept}"}) == 403
            assert {one.split("-")[2] for one in door.daemon.sessions} == {"budi"}

    asyncio.run(play())


def test_a_session_that_the_daemon_has_ended_leads_to_the_login() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            await browser.log_in()
            assert (await browser.get("/")).status == 200
            door.daemon.sessions.clear()
            assert (await browser.get("/")).headers["Location"] == "/login"
            assert await browser.refused() == 403

    asyncio.run(play())


def test_visitors_come_in_only_when_something_is_public() -> None:
    async def play() -> None:
        async with standing() as door:
            visitor = door.browser()
            assert "Come in as a visitor" in await (await visitor.get("/login")).text()
            assert (await visitor.post("/visit")).headers["Location"] == "/"
            console = await visitor.open()
            assert "--visitor" in console.said["argv"]
            assert "GERBANG_TOKEN" not in console.said["environment"]
            assert (await visitor.get("/upload")).status == 403
            door.daemon.public = ()
            other = door.browser()
            assert "visitor" not in await (await other.get("/login")).text()
            assert (await other.post("/visit")).status == 403
            assert await other.refused() == 403

    asyncio.run(play())


def test_visitors_never_push_out_who_has_logged_in() -> None:
    async def play() -> None:
        async with standing(limits=Limits(sessions=3)) as door:
            person = door.browser()
            await person.log_in()
            for _number in range(8):
                await door.browser().post("/visit")
            assert (await person.get("/")).status == 200
            for number in range(3):
                await door.browser().log_in(f"b{number}")
            assert (await person.get("/")).status == 303
            assert len(door.door.browsers) == 6
            assert len(door.daemon.sessions) == 3

    asyncio.run(play())


async def _every_kind(door: Standing, browser: Browsing) -> list[aiohttp.ClientResponse]:
    answers = [
        await browser.get(path)
        for path in ("/", "/login", "/nothing", "/ws", "/download/x", "/upload", "/static/door.css", "/static/none")
    ]
    posts: list[tuple[str, Any]] = [
        ("/login", {"name": "x"}),
        ("/visit", None),
        ("/login", {"name": "x" * 100_000}),
        ("/x", None),
    ]
    answers += [await browser.post(path, given) for path, given in posts]
    answers.append(await browser.post("/login", {}, headers={}))
    answers.append(
        await browser.post("/login", b"\xff", headers={**browser.own, "Content-Type": "text/x; charset=none"})
    )
    door.daemon.public_services = None  # a fault of ours
    answers.append(await browser.get("/login"))
    return answers


def test_every_answer_has_the_strict_headers() -> None:
    async def play() -> None:
        async with standing() as door:
            stranger, person = door.browser(), door.browser()
            await person.log_in()
            answers = [await person.get("/"), await person.get("/upload"), *await _every_kind(door, stranger)]
            assert {200, 303, 401, 403, 404, 413, 500} <= {one.status for one in answers}
            for one in answers:
                assert {name: one.headers.get(name) for name in STRICT} == STRICT, one
                policy = one.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'none'" in policy
                assert f"connect-src ws{door.origin[4:]};" in policy
                script = policy.partition("script-src ")[2].partition(";")[0]
                assert script == "'self'"

    asyncio.run(play())


@pytest.mark.parametrize("path", ["/static/", "/static", "/static/..", "/static/%2e%2e%2fsettings.py",
                                  "/static/..%2f..%2fweb%2flogin.html.j2", "/static/login.html.j2",
                                  "/static/%00", "/static//etc/passwd", "/%2e%2e/pyproject.toml"])  # fmt: skip
def test_only_the_five_files_are_served(path: str) -> None:
    async def play() -> None:
        async with standing() as door:
            host, port = "127.0.0.1", door.door.settings.port
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            assert answer.split(b" ")[1] in {b"404", b"400"}
            assert b"root:" not in answer

    asyncio.run(play())


def test_static_files_are_asked_for_again_by_their_tags() -> None:
    async def play() -> None:
        async with standing() as door:
            browser = door.browser()
            first = await browser.get("/static/terminal.js")
            assert first.content_type == "text/javascript"
            again = await browser.get("/static/terminal.js", headers={"If-None-Match": first.headers["ETag"]})
            assert again.status == 304

    asyncio.run(play())


def test_a_proxy_is_believed_when_it_is_ours_and_its_last_word_only() -> None:
    async def play(proxies: frozenset[Any], said: str) -> str:
        async with standing(proxies=proxies) as door:
            browser = door.browser()
            given = {"name": "ani", "password": "right"}
            await browser.post("/login", given, headers={**browser.own, "X-Forwarded-For": said})
            return next(one[2] for one in door.daemon.asked if one[0] == "log_in")

    from ipaddress import ip_address

    ours = frozenset({ip_address("127.0.0.1")})
    assert asyncio.run(play(frozenset(), "198.51.100.7")) == "127.0.0.1"
    assert asyncio.run(play(ours, "203.0.113.9, 198.51.100.7")) == "198.51.100.7"
    assert asyncio.run(play(ours, "203.0.113.9, nobody")) == "127.0.0.1"
    assert asyncio.run(play(frozenset({ip_address("10.0.0.1")}), "198.51.100.7")) == "127.0.0.1"


def test_the_pages_speak_the_language_of_the_browser() -> None:
    from appliance.doors.web.pages import language_of

    for said, language in (
        ("id-ID,id;q=0.9,en;q=0.8", "id"),
        ("en;q=0.5, id;q=0.6", "id"),
        ("fr, de;q=0.5", "en"),
        ("id;q=0", "en"),
        ("id;q=x", "en"),
        ("", "en"),
    ):
        assert language_of({"Accept-Language": said}) == language


def test_the_double_is_as_the_door_takes_it() -> None:
    """So that a change of the protocol is seen here."""
    from appliance.doors.web.daemon import Daemon

    asked = {name for name in vars(Daemon) if not name.startswith("_")}
    assert asked <= set(dir(Double))
