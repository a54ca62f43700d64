"""What waits, its key, and what the screen says when contact was lost; against a double of the daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual.widgets import Button, Static

from appliance.console.app import ConsoleApp
from appliance.services.machine import service as machine
from tests.appliance.console.double import Double
from tests.appliance.console.driving import console, log_in, open_screen, shown, until

NAMES = {"plan": "query", "commit": "work", "confirm": "work", "rollback": "work", "status": "query",
         "generations": "query", "diagnose": "work", "programs": "query", "log": "query"}  # fmt: skip
PLAN = {
    "generation": 3,
    "standing": 2,
    "findings": [
        {"component": "network", "severity": "warning", "template": "later", "values": {}, "place": ""},
        {"component": "network", "severity": "error", "template": "{what} is wrong", "values": {"what": "[/x]"},
         "place": "network.routes/away"},
    ],
    "files": [{"component": "network", "path": "plan.json", "action": "change", "difference": "-old\n+new\n",
               "mode": 416, "mode_before": 416}],
    "acts": [{"component": "network", "action": "change", "reason": "files"}],
    "edits": [],
}  # fmt: skip


def status(current: int, confirmed: int, remaining: int = 0) -> dict[str, Any]:
    return {"current": current, "confirmed": confirmed, "phase": "confirm" if remaining else None, "holder": "",
            "deadline": None, "remaining": remaining, "unfinished": []}  # fmt: skip


def line(number: int, standing: str, current: bool) -> dict[str, Any]:
    return {"number": number, "standing": standing, "current": current, "who": "ani", "when": "2026-03-01T08:00:00Z",
            "note": "", "components": ["network"]}  # fmt: skip


def appliance(made: Double | None = None) -> Double:
    """It waits for generation 2."""
    commands = [{"name": name, "effect": effect, "summary": "", "arguments": False} for name, effect in NAMES.items()]
    made = made or Double()
    made.services = [{"name": "machine", "title": "Machine", "requires": [], "public": False, "commands": commands,
                      "listings": [], "settings": False}]  # fmt: skip
    said(made, status(2, 1, 90), line(2, "unconfirmed", True), line(1, "confirmed", False))
    made.answers["POST", "/commands/machine/plan"] = PLAN
    return made


def said(double: Double, found: dict[str, Any], *lines: dict[str, Any]) -> None:
    double.answers["POST", "/commands/machine/status"] = found
    double.answers["POST", "/commands/machine/generations"] = list(lines)


class Slow(Double):
    """A plan takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.planned = asyncio.Event()

    async def request(self, method: str, path: str, **more: Any) -> Any:
        if path == "/commands/machine/plan":
            await self.planned.wait()
        return await super().request(method, path, **more)


def play(folder: Path, double: Double, scene) -> None:
    async def all_of_it() -> None:
        async with console(folder, services=(machine,), double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            pane = await open_screen(app, pilot, "machine", "machine")
            await until(lambda: pane.plan is not None)
            await scene(app, pilot, pane)

    asyncio.run(all_of_it())


def test_what_waits_has_a_key_and_errors_come_first(tmp_path: Path) -> None:
    async def scene(app: ConsoleApp, pilot, pane) -> None:
        await until(lambda: app.focused is pane.query_one("#confirm", Button))
        text = shown(app)
        assert "Confirm generation 2" in text
        assert "commit waits: " in text
        assert text.index("[/x] is wrong") < text.index("later")
        planned = str(pane.query_one("#planned", Static).content)
        assert planned.index("[/x] is wrong") < planned.index("would be refused") < planned.index("+new")
        assert "waits: confirm it" in pane.why_not("commit")
        double.answers["POST", "/commands/machine/confirm"] = {"work": "w"}
        done = {"ending": "confirmed", "generation": 2, "standing": 2, "findings": []}
        double.answers["GET", "/work/w"] = {"state": "done", "done": 0, "total": 0, "doing": "", "result": done}
        said(double, status(2, 2), line(2, "confirmed", True))
        before = len(double.asked)
        await pilot.press("y")
        await until(lambda: "Generation 2 is confirmed" in shown(app) and pane.status.confirmed == 2)
        asked = [path for _method, path, _value in double.asked[before:]]
        assert asked.index("/health") < asked.index("/commands/machine/confirm"), "first one comes in again"
        assert "The plan has errors" in pane.why_not("commit")

    double = appliance()
    play(tmp_path, double, scene)


def test_what_was_taken_back_while_contact_was_lost_is_said(tmp_path: Path) -> None:
    async def scene(app: ConsoleApp, pilot, pane) -> None:
        double.reachable = False
        double.told.put_nowait(None)
        await until(lambda: not app.state.connected)
        await pilot.press("y")
        await until(lambda: "Not confirmed" in shown(app))
        assert not any(path.endswith("/confirm") for _method, path, _value in double.asked)
        said(double, status(1, 1), line(2, "undone", False), line(1, "confirmed", True))
        double.reachable = True
        await until(lambda: "Generation 2 was taken back" in shown(app))
        assert not pane.query_one("#waiting").has_class("-shown")
        assert app.state.confirm_until == 0

    double = appliance()
    play(tmp_path, double, scene)


def test_the_keys_work_when_the_plan_came_late(tmp_path: Path) -> None:
    """The screen was made anew, in another language, and nothing could have the focus while the plan was loaded."""
    slow = Slow()
    double = appliance(slow)
    said(double, status(2, 2), line(2, "confirmed", True))

    async def all_of_it() -> None:
        async with console(tmp_path, services=(machine,), double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            first = await open_screen(app, pilot, "machine", "machine")
            await until(lambda: first.query_one("#plan").loading)
            app.action_language("id")
            await until(lambda: app.screen.pane not in {None, first} and app.screen.pane.query_one("#plan").loading)
            await pilot.pause()
            slow.planned.set()
            await until(lambda: app.focused is app.screen.pane.query_one("#plan"))
            await until(lambda: "d Diagnosis" in shown(app))

    asyncio.run(all_of_it())
