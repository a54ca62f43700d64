"""What the console makes of events: the countdown of a commit that began before the login, and one's own doing."""

import asyncio
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from appliance.console.access import Access
from appliance.console.listening import listen
from appliance.console.state import ConsoleState
from tests.appliance.console.double import Double
from tests.appliance.console.driving import console, log_in, shown, until

MACHINE = {
    "name": "machine",
    "title": "Machine",
    "commands": [{"name": "status", "effect": "query", "summary": "", "arguments": False}],
    "listings": [],
    "settings": False,
}


def booked(by: str) -> dict[str, object]:
    """An event of somebody's booking."""
    return {"service": "pool", "kind": "added", "template": "{person} has booked", "values": {"person": by}}


def test_a_commit_that_waits_already_counts_down_after_the_login(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double(services=[MACHINE])
        double.answers["POST", "/commands/machine/status"] = {"current": 2, "confirmed": 1, "remaining": 45}
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            await until(lambda: "commit waits: 4" in shown(app))
            double.told.put_nowait({"service": "machine", "kind": "generation", "values": {"seconds": 0}})
            await until(lambda: "commit waits" not in shown(app))

    asyncio.run(play())


def test_what_others_do_is_told_and_ones_own_doing_is_not(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            double.told.put_nowait(booked("ani"))
            double.told.put_nowait(booked("budi"))
            await until(lambda: app.state.unread == 1)
            await until(lambda: [one.message for one in app._notifications] == ["budi has booked"])
            assert [one.values["person"] for one in app.state.notices] == ["budi", "ani"]

    asyncio.run(play())


def test_who_leaves_while_a_screen_looks_closes_the_stream() -> None:
    """Else its connection would be the garbage collector's to close."""

    async def play() -> None:
        double, looks = Double(), asyncio.Event()

        async def call(*_command: str) -> Any:
            looks.set()
            await asyncio.sleep(3600)

        state = ConsoleState()
        state.access = Access.of([MACHINE])
        console = SimpleNamespace(state=state, door=SimpleNamespace(transport=double, call=call))
        listening = asyncio.create_task(listen(cast("Any", console)))
        await looks.wait()
        assert double.listening == 1
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        assert double.listening == 0

    asyncio.run(play())
