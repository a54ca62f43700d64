"""The web door as a person has it: a real daemon, a real door, real consoles, and Chromium."""

from __future__ import annotations

import http.server
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.doors.running import Processes
from tests.appliance.doors.standing import alive

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 45.0
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")


class Seen:
    """A browser's page: what it asked for, what it complained of, and what its terminal was told."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.painted = b""
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._said)
        page.on("websocket", self._watch)

    def _said(self, message: Any) -> None:
        # Chromium says of each answer from 400 on that it could not load it, and of textual-serve's terminal that it
        # tells a connection that has gone of the focus, and of a busy machine that a task had to wait.
        known = (
            "responded with a status of",
            "already in CLOSING or CLOSED state",
            "task queue exceeded allotted deadline",
        )
        if message.type in {"error", "warning"} and not any(one in message.text for one in known):
            self.complaints.append(message.text)

    def _watch(self, websocket: Any) -> None:
        self.requests.append(websocket.url)
        websocket.on("framereceived", self._framed)

    def _framed(self, payload: Any) -> None:
        if isinstance(payload, bytes):
            self.painted += payload

    @property
    def text(self) -> str:
        """What was painted so far, without its colours and places."""
        said = self.painted.decode("utf-8", "replace")
        return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", said)

    def until(self, holds: Callable[[], Any]) -> None:
        """Wait for it, while the page lives on."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, self.text[-3000:]
            self.page.wait_for_timeout(20)

    def reads(self, words: str) -> None:
        """Wait until the terminal was told so."""
        self.until(lambda: words in self.text)

    def told(self, key: str, words: str) -> None:
        """Press the key, again where the console was not listening yet, until the terminal was told this anew."""
        deadline = time.monotonic() + PATIENCE
        self.painted = b""
        while words not in self.text:
            assert time.monotonic() < deadline, self.text[-3000:]
            self.page.keyboard.press(key)
            self._patiently(lambda: words in self.text)

    def choose(self, command: str, done: Callable[[], Any]) -> None:
        """Run a command of the palette."""
        self.told("Control+p", "Search for a screen")
        self.page.keyboard.type(command)
        self.page.wait_for_timeout(500)
        deadline = time.monotonic() + PATIENCE
        # The list is found as one types; until it is, Enter chooses nothing.
        while not done():
            assert time.monotonic() < deadline, self.text[-3000:]
            self.page.keyboard.press("Enter")
            self._patiently(done)

    def _patiently(self, holds: Callable[[], Any]) -> None:
        for _step in range(150):
            if holds():
                return
            self.page.wait_for_timeout(20)

    def ink(self) -> int:
        """Pixels of text on the terminal's canvas."""
        script = """() => {
            const text = document.querySelector("canvas.xterm-text-layer");
            const data = text.getContext("2d").getImageData(0, 0, text.width, text.height).data;
            let ink = 0;
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 3] > 0 && data[at] + data[at + 1] + data[at + 2] > 450) { ink += 1; }
            }
            return ink;
        }"""
        return int(self.page.evaluate(script))

    def log_in(self, password: str = "gerbang-demo") -> None:
        """By the form."""
        self.page.fill("#name", "admin")
        self.page.fill("#password", password)
        self.page.click("text='Log in'")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for the file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _closed(chromium: Any) -> Iterator[None]:
    """Whatever a test opened is closed after it, whether it came to its end or not."""
    yield
    for context in chromium.contexts:
        context.close()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """With something for visitors."""
    made = Processes(tmp_path_factory.mktemp("web"), public=True)
    yield made
    made.stop()


def _opened(chromium: Any, processes: Processes) -> Seen:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", accept_downloads=True)
    seen = Seen(context.new_page())
    seen.page.set_default_timeout(PATIENCE * 1000)
    seen.page.goto(processes.origin)
    return seen


def _asked_only_the_door(seen: Seen, processes: Processes) -> None:
    own = (processes.origin + "/", processes.origin.replace("http", "ws", 1) + "/ws?", "data:,")
    assert [one for one in seen.requests if not one.startswith(own)] == []
    assert any(one.startswith(own[1]) for one in seen.requests)
    assert seen.complaints == []


def test_a_person_logs_in_works_exports_and_leaves(chromium: Any, processes: Processes, tmp_path: Path) -> None:
    seen = _opened(chromium, processes)
    page = seen.page
    assert page.url.endswith("/login")
    seen.log_in("wrong")
    assert page.inner_text(".refused") == "the name or the password is wrong"
    seen.log_in()
    seen.reads("Good day, Demo Administrator.")
    seen.until(lambda: seen.ink() > 2000)
    (console,) = processes.consoles()
    environment = Path(f"/proc/{console}/environ").read_bytes().decode().split("\0")
    token = next(one for one in environment if one.startswith("GERBANG_TOKEN=")).partition("=")[2]

    # Keys arrive without a click; the hotel opens; its rooms leave as a file.
    seen.told("F3", "Rooms by day")
    seen.choose("Hotel: Rooms", lambda: "Capacity" in seen.text)
    arrived: list[Any] = []
    page.on("download", lambda file: arrived.append(file))  # noqa: PLW0108 - playwright marks the function
    seen.told("x", "Text (CSV)")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    seen.until(lambda: arrived)
    file = tmp_path / "rooms"
    arrived[0].save_as(file)
    assert arrived[0].suggested_filename.endswith(".csv")
    assert "Bungalow Cedar" in file.read_text(encoding="utf-8-sig")

    _asked_only_the_door(seen, processes)
    assert token not in page.content()
    assert not any(token in one for one in seen.requests)
    page.reload()
    seen.painted = b""
    seen.reads("Good day, Demo Administrator.")
    seen.until(lambda: list(processes.consoles()) not in ([console], []))
    assert len(processes.consoles()) == 1
    page.click("text=/Log out/")
    page.wait_for_url("**/login")
    seen.until(lambda: not processes.consoles())
    assert token not in processes.log.read_text()
    page.context.close()


def test_a_console_that_has_ended_is_started_again(chromium: Any, processes: Processes) -> None:
    seen = _opened(chromium, processes)
    seen.log_in()
    seen.reads("Good day, Demo Administrator.")
    seen.page.wait_for_timeout(300)
    seen.page.keyboard.press("Control+q")
    seen.page.wait_for_selector("dialog[open]")
    seen.until(lambda: not processes.consoles())
    seen.painted = b""
    seen.page.click("text='Start again'")
    # The session is the door's: leaving the console has not ended it.
    seen.reads("Good day, Demo Administrator.")
    # Logging out inside has.
    seen.choose("Log out", lambda: seen.page.is_visible("dialog[open]"))
    seen.page.click("text='Start again'")
    seen.page.wait_for_url("**/login")
    _asked_only_the_door(seen, processes)
    seen.page.context.close()


FOREIGN = """<!DOCTYPE html><title>a game</title>
<form id=login method=post action="{door}/login"><input name=name value=admin><input name=password value=x></form>
<form id=logout method=post action="{door}/logout"></form>
<form id=visit method=post action="{door}/visit"></form>
<form id=upload method=post action="{door}/upload" enctype="multipart/form-data"><input name=form_key></form>
<iframe src="{door}/"></iframe>
<script>
async function tell() {{
  return Promise.all([
    fetch("{door}/", {{credentials: "include"}}).then(() => "read", () => "closed"),
    fetch("{door}/upload", {{credentials: "include"}}).then(() => "read", () => "closed"),
    new Promise((done) => {{
      const socket = new WebSocket("{socket}/ws?width=80&height=24");
      socket.onopen = () => done("open");
      socket.onerror = () => done("closed");
    }}),
  ]);
}}
</script>"""
"""What the page of another site tries in the browser of somebody who has logged in."""


class _Foreign(http.server.BaseHTTPRequestHandler):
    text = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.text.encode())

    def log_message(self, *_words: object) -> None:
        """Nothing."""


@contextmanager
def _foreign_site(door: str) -> Iterator[str]:
    """Another site: for browsers ``localhost`` is none of 127.0.0.1."""
    page = FOREIGN.format(door=door, socket=door.replace("http", "ws", 1))
    handler = type("Foreign", (_Foreign,), {"text": page})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://localhost:{server.server_address[1]}/"
        finally:
            server.shutdown()
            serving.join()


def test_the_page_of_another_site_can_do_nothing(chromium: Any, processes: Processes) -> None:
    seen = _opened(chromium, processes)
    seen.log_in()
    seen.reads("Good day, Demo Administrator.")
    (console,) = processes.consoles()
    with _foreign_site(processes.origin) as site:
        other = seen.page.context.new_page()
        other.set_default_timeout(PATIENCE * 1000)
        other.goto(site)
        assert other.evaluate("tell()") == ["closed"] * 3
        assert "Gerbang" not in [frame.title() for frame in other.frames]
        for form in ("login", "logout", "visit", "upload"):
            other.goto(site)
            with other.expect_navigation(url=f"{processes.origin}/{form}") as told:
                other.evaluate(f"document.getElementById('{form}').submit()")
            assert told.value.status == 403, form
            assert "set-cookie" not in told.value.headers
        other.close()
    # Nothing of it had an effect: the console is the same, and the session the person's.
    assert list(processes.consoles()) == [console]
    assert "Log out (admin)" in seen.page.request.get(processes.origin).text()
    seen.page.context.close()


def test_a_visitor_sees_what_is_public_and_a_way_to_log_in(chromium: Any, processes: Processes) -> None:
    seen = _opened(chromium, processes)
    assert "Lobby" in seen.page.inner_text("main")
    seen.page.click("text='Come in as a visitor'")
    seen.reads("Good day, Visitor.")
    seen.until(lambda: len(processes.consoles()) == 1)
    (words,) = processes.consoles().values()
    assert words.endswith("--visitor")
    seen.told("F3", "Enter the parameters")
    seen.page.keyboard.press("Control+s")
    seen.reads("Selamat datang di lobi")
    assert "Bell of the porters" not in seen.text
    assert "Hotel" not in seen.text
    assert "System" not in seen.text
    seen.choose("Log in", lambda: seen.page.url.endswith("/login"))
    seen.until(lambda: not processes.consoles())
    seen.page.context.close()


def test_without_public_services_there_is_no_way_in_and_sigterm_leaves_nothing(chromium: Any, tmp_path: Path) -> None:
    made = Processes(tmp_path, public=False)
    try:
        seen = _opened(chromium, made)
        assert "visitor" not in seen.page.inner_text("main")
        answer = seen.page.request.post(f"{made.origin}/visit", headers={"Origin": made.origin})
        assert answer.status == 403
        seen.log_in()
        seen.reads("Good day, Demo Administrator.")
        (console,) = made.consoles()
        made.door.terminate()
        assert made.door.wait(20) == 0
        assert not alive(console)
        seen.page.context.close()
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()
