"""User text with markup and control characters on all screens: shown as it is, and nothing falls over."""

import random
from pathlib import Path

from appliance.console.app import ConsoleApp
from tests.appliance.console.driving import Driven, open_screen, shown, until

PIECES = (
    "[/x]",
    "[bold]",
    "[@click=app.quit]x[/]",
    "$primary",
    "{0}",
    "{name}",
    "%s",
    "\\[",
    "]]",
    "[[",
    "[link=a]",
    "é",
    "语",
)


def _texts() -> list[str]:
    chance = random.Random(6)
    return ["".join(chance.choices(PIECES, k=3)) for _text in range(12)]


def test_markup_is_text_on_all_screens(house: Driven, tmp_path: Path) -> None:
    for number, text in enumerate(_texts()):
        vehicle = {"plate": f"FZ-{number:02}", "name": text, "seats": 4, "note": f"{text}\n[/]{text}"}
        house.call("vehicles.add", vehicle)
    house.house.add("odd", "pool.clerk")
    person = {"name": "odd", "full_name": "[/b] {x}", "roles": ["pool.clerk"]}
    house.call("people.change", {"name": "odd", "version": 1, "row": person}, service="system")

    async def play(app: ConsoleApp, pilot) -> None:
        assert "[/b] {x}" in shown(app)
        for screen in ("vehicles", "trips"):
            pane = await open_screen(app, pilot, "pool", screen)
            await until(lambda pane=pane: pane.grid.count >= 15 and app.focused is pane.grid.body)
            assert _texts()[0] in shown(app)
            for _row in range(3):
                await pilot.press("down", "enter")
                await pilot.pause()
                await pilot.press("escape")
                await pilot.pause()
            await pilot.press("f1")
            await pilot.pause()
            await pilot.press("escape")
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await pilot.press("delete")
        await pilot.pause()
        await pilot.press("escape")
        house.house.parts.hub.publish(())
        app.tell("{what} [/x]", what="[/red]")
        await until(lambda: "[/red] [/x]" in shown(app))
        await pilot.press("ctrl+p")
        await pilot.press(*"[/x")
        await pilot.pause()
        await pilot.press("escape")

    house.drive(tmp_path, "odd", play, size=(140, 45))
