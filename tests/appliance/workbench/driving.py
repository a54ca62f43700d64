"""The workbench driven by keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from appliance.workbench.app import WorkbenchApp
from appliance.workbench.lanes import HereLane
from appliance.workbench.screen import WorkbenchScreen

WITHIN = 20.0
"""Seconds after which what was waited for is not coming."""


class ThreadLane(HereLane):
    """Works in a thread of this process, whose other threads parse Python too (asserts that pytest rewrites).

    CPython 3.11 counts the depth of a syntax tree for all threads together (gh-106905) and may raise for it.
    """

    def run(self, task: Callable[..., object], *arguments: object, **asked) -> object:
        for _attempt in range(3):
            try:
                return super().run(task, *arguments, **asked)
            except SystemError as error:
                if "recursion depth" not in str(error):
                    raise
        raise AssertionError("parsed by two threads three times")


@asynccontextmanager
async def workbench(folder: Path, *names: str, size=(80, 24), make_lane=ThreadLane, is_limited=False, language="en"):
    """The app with these files of the folder open; gives its screen and its pilot."""
    paths = [folder / name for name in names]
    app = WorkbenchApp(folder, paths, make_lane=make_lane, is_limited=is_limited, language=language)
    async with app.run_test(size=size) as pilot:
        screen = app.workbench
        await until(pilot, lambda: len(screen.texts) == len(names))
        if names:
            await checked(screen, pilot)
        yield screen, pilot


async def until(pilot: Pilot, is_so: Callable[[], object]) -> None:
    """Wait for something."""
    async with asyncio.timeout(WITHIN):
        while not is_so():
            await pilot.pause(0.02)
    await pilot.pause()


async def checked(screen: WorkbenchScreen, pilot: Pilot) -> None:
    """Wait until what stands in the editor is checked."""

    def is_checked() -> bool:
        here = screen.here
        return (
            here is not None
            and here.checked is not None
            and here.checked.is_whole
            and here.text_checked == here.editor.text
            and not screen.is_working("check")
        )

    await until(pilot, is_checked)


async def made(screen: WorkbenchScreen, pilot: Pilot, name: str):
    """The panel of a name, made if it is not yet."""
    panel = await screen.panel(name)
    await pilot.pause()
    return panel


def drive(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run it to its end."""
    asyncio.run(scenario())


def typed(screen: WorkbenchScreen, field: str, words: str) -> None:
    """Put words into a field."""
    screen.query_one(f"#{field}", Input).value = words


def drawn(screen: WorkbenchScreen) -> str:
    """What the terminal shows, as lines of text."""
    width, height = screen.size
    strips = screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip)[:width] for strip in strips[:height])


def last_for_ever(_text, _name, _choice, tell):
    """A compile that tells once how far it is, and does not end."""
    tell((1, 100))
    time.sleep(3600)
