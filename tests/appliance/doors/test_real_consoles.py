"""The door before a real daemon with real consoles: sessions that have ended, first passwords, files."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.client.addresses import Address
from appliance.client.waiting import AsyncClient
from appliance.contract.people import ADMINISTRATOR
from appliance.doors.web.connecting import DaemonClient
from appliance.doors.web.settings import Limits, WebSettings
from appliance.services.system import service as system
from appliance.services.system.commands import make
from appliance.services.system.model import PersonRecord
from tests.appliance.daemon.house import PASSWORD, ROOT, House, kept_password
from tests.appliance.doors.painting import Painted
from tests.appliance.doors.standing import Standing, standing
from tests.appliance.doors.test_files import _form, _key

Play = Callable[[Standing], Awaitable[None]]
NEW = "harimau makan nasi"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Path]]:
    """A daemon with an administrator, and one whose password was given to him."""
    folder = tmp_path_factory.mktemp("house")
    made = House(folder, services=(system,))
    with made.parts.runner.changing(ROOT, "system", "people.add", {"name": "budi"}) as context:
        person = PersonRecord(name="budi", full_name="Budi", roles=(ADMINISTRATOR,))
        make(context, person, kept_password(), must_change=True)
    with made.live(folder) as socket:
        yield made, socket
    made.store.close()


def _played(socket: Path, play: Play) -> None:
    async def whole() -> None:
        program = WebSettings().program
        daemon = DaemonClient(Address(socket))
        limits = Limits(ends_within=3.0, upload=2_100_000)
        async with standing(daemon, program=program, daemon=("--socket", str(socket)), limits=limits) as door:
            await play(door)

    asyncio.run(whole())


def test_who_comes_with_a_session_that_has_ended_logs_in_again(house: tuple[House, Path]) -> None:
    async def play(door: Standing) -> None:
        browser = door.browser()
        assert (await browser.log_in("admin", PASSWORD)).status == 303
        (known,) = door.door.browsers._people.values()
        await door.daemon.log_out(known.token)
        console = await Painted.opened(browser)
        await console.reads("Password", "log in first")
        await console.types("admin\t", f"{PASSWORD}\r")
        await console.reads("Good day, Admin.")
        await console.close()

    _played(house[1], play)


def test_a_password_that_was_given_is_changed_in_the_page(house: tuple[House, Path]) -> None:
    async def play(door: Standing) -> None:
        browser, elsewhere = door.browser(), door.browser()
        for one in (browser, elsewhere):
            assert (await one.log_in("budi", PASSWORD)).status == 303
        key = await _key(elsewhere)
        console = await Painted.opened(browser)
        await console.reads("Choose your own.", "New password, once more")
        await console.types(f"{PASSWORD}\r", f"{NEW}\r", f"{NEW}\r")
        await console.reads("Good day, Budi.")
        await console.close()
        # Whoever was in with the old password is out, and keeps nothing.
        assert (await elsewhere.post("/upload", _form(key))).status == 422
        assert (await elsewhere.get("/")).headers["Location"] == "/login"
        assert await elsewhere.refused() == 403
        other = door.browser()
        assert (await other.log_in("budi", PASSWORD)).status == 401
        assert (await other.log_in("budi", NEW)).status == 303

    _played(house[1], play)


def test_an_upload_is_there_when_it_is_fetched_again(house: tuple[House, Path], tmp_path: Path) -> None:
    content = b"%PDF-1.7\n" + bytes(range(256)) * 4000

    async def play(door: Standing) -> None:
        browser = door.browser()
        assert (await browser.log_in("admin", PASSWORD)).status == 303
        async with browser.session.post(
            f"{door.origin}/upload", data=_form(await _key(browser), "bukti ✓.pdf", content), headers=browser.own
        ) as answer:
            assert answer.status == 200
            found = re.search(r'<output id="number">([^<]+)</output>', await answer.text())
        assert found is not None
        token = next(iter(door.door.browsers._people.values())).token
        fetched: dict[str, Any] = {}
        async with AsyncClient(Address(house[1]), token) as client:
            path = tmp_path / "fetched"
            await client.download(f"/files/{found[1]}", path)
            fetched["content"] = path.read_bytes()
            headers = (
                await client.http.get(f"/files/{found[1]}", headers={"Authorization": f"Bearer {token}"})
            ).headers
        assert fetched["content"] == content
        assert headers["content-type"] == "application/pdf"
        assert "bukti" in headers["content-disposition"]

    _played(house[1], play)


def test_what_breaks_off_or_is_too_large_leaves_nothing(house: tuple[House, Path]) -> None:
    files = house[0].parts.files

    def kept() -> dict[str, int]:
        """What lies in the folder of files on the way, and how long it is."""
        return {one.name: one.stat().st_size for one in files._folder.glob("*")}

    async def play(door: Standing) -> None:
        browser, before, stopped = door.browser(), kept(), asyncio.Event()
        assert (await browser.log_in("admin", PASSWORD)).status == 303
        key = await _key(browser)

        async def half() -> AsyncIterator[bytes]:
            yield b"x" * 2_000_000
            await stopped.wait()

        sending = asyncio.create_task(browser.post("/upload", _form(key, content=half())))
        await door.until(lambda: sum(kept().values()) > sum(before.values()) and len(kept()) == len(before) + 1)
        sending.cancel()
        await door.until(lambda: kept() == before)
        assert not files.arriving.bytes
        assert (await browser.post("/upload", _form(key, content=io.BytesIO(b"x" * 2_100_001)))).status == 413
        await door.until(lambda: kept() == before)
        for name in ("n" * 300 + ".pdf", "../../../etc/passwd", "\u202egpj.exe", "';<script>.html"):
            answer = await browser.post("/upload", _form(key, name, b"%PDF", "text/html"))
            assert answer.status == 200, name
        assert (await browser.post("/upload", _form(key, content=io.BytesIO(b"x" * 2_100_000)))).status == 200
        names = set(kept()) - set(before)
        assert all(re.fullmatch("[0-9a-f]{32}", one) for one in names)

    _played(house[1], play)
