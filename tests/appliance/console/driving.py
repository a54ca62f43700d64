"""Driving a console by keys against a real daemon or a double."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from appliance.client.addresses import Address
from appliance.console.app import ConsoleApp
from appliance.console.places import Places
from appliance.contract.service import Service
from tests.appliance.console.double import Double
from tests.appliance.daemon.house import PASSWORD, House

PATIENCE = 20.0


async def until(holds: Callable[[], Any]) -> None:
    """Wait for it; what it raises in the meantime is no answer yet."""
    for _attempt in range(int(PATIENCE / 0.02)):
        try:
            if holds():
                return
        except Exception:
            pass
        await asyncio.sleep(0.02)
    assert holds()


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Type a text into what has the focus."""
    await pilot.press(*text)


def shown(app: ConsoleApp) -> str:
    """The text on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


@asynccontextmanager
async def console(
    config: Path,
    *,
    socket: Path = Path("/nowhere"),
    services: Sequence[Service] = (),
    double: Double | None = None,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[tuple[ConsoleApp, Pilot[Any]]]:
    """A console at its login."""
    places = Places(address=Address(socket), config=config)
    app = ConsoleApp(places, services=lambda: services, transport=double)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield app, pilot
        # A worker that was made in the last moment begins before all of them are ended.
        await pilot.pause()
        await asyncio.sleep(0.02)


async def log_in(app: ConsoleApp, pilot: Pilot[Any], name: str, password: str = PASSWORD) -> None:
    """By keys, up to the home screen."""
    await until(app.reachable.is_set)
    await typed(pilot, name)
    await pilot.press("tab")
    await typed(pilot, password)
    await pilot.press("enter")
    await until(lambda: app.current_mode == "home" and app.screen.pane is not None)
    await pilot.pause()


class Driven:
    """A house and its socket."""

    def __init__(self, house: House, socket: Path, services: Sequence[Service]) -> None:
        self.house = house
        self.socket = socket
        self.services = services

    def drive(
        self,
        config: Path,
        name: str,
        play: Callable[[ConsoleApp, Pilot[Any]], Awaitable[None]],
        size: tuple[int, int] = (80, 24),
    ) -> None:
        """Log in as this person, and play."""

        async def all_of_it() -> None:
            async with console(config, socket=self.socket, services=self.services, size=size) as (app, pilot):
                try:
                    await log_in(app, pilot, name)
                    await play(app, pilot)
                except AssertionError as error:
                    error.add_note(f"focus: {app.focused!r}\n{shown(app)}")
                    raise

        asyncio.run(all_of_it())

    def call(self, command: str, arguments: dict[str, Any], person: str = "admin", service: str = "pool") -> Any:
        """What another client does meanwhile."""
        import json

        from appliance.contract.people import ADMINISTRATOR, Person

        runner = self.house.parts.runner
        who = Person(person, frozenset({ADMINISTRATOR}))
        return json.loads(runner.call(who, service, command, json.dumps(arguments).encode()).json())


async def speak(app: ConsoleApp, language: str) -> None:
    """Change the language, until the daemon has kept it: the next login begins with it."""
    app.action_language(language)
    for _attempt in range(600):
        me = await app.door.me()
        if app.language == language and (me.get("person") or me)["language"] == language:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(me)


async def open_screen(app: ConsoleApp, pilot: Pilot[Any], service: str, screen: str) -> Any:
    """One screen of a service; its pane."""
    app.action_open(service, screen)
    await until(lambda: app.current_mode == service and app.screen.opened == screen and app.screen.pane is not None)
    await pilot.pause()
    return app.screen.pane
