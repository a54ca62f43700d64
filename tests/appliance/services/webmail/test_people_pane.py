"""The screen of who uses the web mail, by keys, against a double of the daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from appliance.console.app import ConsoleApp
from appliance.services.webmail import service
from tests.appliance.console.double import Double
from tests.appliance.console.driving import console, log_in, open_screen, shown, until

PEOPLE: list[dict[str, Any]] = [
    {
        "account": f"{name}@rssulsel.com",
        "sessions": sessions,
        "addresses": "192.168.10.11" if sessions else "",
        "seen": "2026-01-05T09:00:00+08:00" if sessions else None,
        "last": "2026-01-05T08:00:00+08:00",
        "first": "2026-01-01T08:00:00+08:00",
        "failed": 0,
        "language": "id_ID",
    }
    for name, sessions in (("budi", 0), ("siti", 2))
]


def _daemon() -> Double:
    effects = {"people": "query", "log-out": "change"}
    commands = [{"name": name, "effect": effect, "summary": "", "arguments": False} for name, effect in effects.items()]
    offered = {"name": "webmail", "title": "Web mail", "requires": [], "public": False}
    made = Double()
    made.services = [{**offered, "commands": commands, "listings": [], "settings": True}]
    made.answers["POST", "/commands/webmail/people"] = PEOPLE
    made.answers["POST", "/commands/webmail/log-out"] = {"account": "siti@rssulsel.com", "sessions": 2}
    return made


def test_a_lost_tablet(tmp_path: Path) -> None:
    double = _daemon()

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "webmail", "people")
        await until(lambda: "siti@rssulsel.com" in shown(app))
        assert "192.168.10.11" in shown(app)
        await pilot.press("down")
        await until(lambda: pane.row is not None and pane.row.account == "siti@rssulsel.com")
        double.answers["POST", "/commands/webmail/people"] = [PEOPLE[0], {**PEOPLE[1], "sessions": 0, "addresses": ""}]
        await pilot.press("d")
        await until(lambda: "End all sessions of siti@rssulsel.com?" in shown(app))
        assert "/commands/webmail/log-out" not in [path for _method, path, _value in double.asked]
        await pilot.press("y")
        await until(lambda: "192.168.10.11" not in shown(app))
        asked = [value for _method, path, value in double.asked if path == "/commands/webmail/log-out"]
        assert asked == [{"account": "siti@rssulsel.com"}]

    async def all_of_it() -> None:
        async with console(tmp_path, services=[service], double=double, size=(140, 30)) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            await play(app, pilot)

    asyncio.run(all_of_it())
