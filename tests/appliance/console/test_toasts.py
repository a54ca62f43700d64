"""What was told on one screen does not lie over the next."""

from __future__ import annotations

import asyncio
from pathlib import Path

from appliance.console.preferences import Preferences
from appliance.console.speaking_app import FRESH, SpeakingApp


async def _folded(folder: Path) -> list[str]:
    app = SpeakingApp(Preferences.read(folder))
    async with app.run_test(notifications=True) as pilot:
        app.tell("old")
        app.tell("old that stays", stays=True)
        await pilot.pause()
        for one in app._notifications:
            one.raised_at -= 2 * FRESH
        app.tell("new")
        await pilot.pause()
        app.fold_toasts()
        return [one.message for one in app._notifications]


def test_what_was_told_goes_with_its_screen_but_for_what_stays_or_is_new(tmp_path: Path) -> None:
    assert asyncio.run(_folded(tmp_path)) == ["old that stays", "new"]
