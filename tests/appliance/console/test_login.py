"""Logging in, out, and again in the middle of work, against a double that does what a daemon does not on request."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.door import Failure
from appliance.console.passwords import AgainScreen, PasswordScreen
from appliance.console.widgets.dialogs import ConfirmScreen
from tests.appliance.console.double import Double, error
from tests.appliance.console.driving import console, log_in, shown, typed, until


async def a_wrong_password_is_said_and_only_it_is_asked_again(app: ConsoleApp, pilot: Pilot[Any]) -> None:
    await until(app.reachable.is_set)
    await typed(pilot, "ani")
    await pilot.press("tab", *"wrong", "enter")
    await until(lambda: "the name or the password is wrong" in shown(app))
    password = app.login.query_one("#password", Input)
    assert (password.value, app.login.query_one("#name", Input).value) == ("", "ani")
    await until(lambda: password.has_focus)
    await typed(pilot, "right")
    await pilot.press("enter")
    await until(lambda: app.current_mode == "home" and app.screen.pane is not None)
    await until(lambda: "Ani Wijaya" in shown(app))


async def urgent_events_stay_and_markup_is_text(app: ConsoleApp, pilot: Pilot[Any], double: Double) -> None:
    told = {"service": "pool", "kind": "changed", "subject": "x", "template": "{who} waits", "urgent": True}
    double.told.put_nowait({**told, "values": {"who": "[/red]Budi\x1b[31m"}})
    await until(lambda: "[/red]Budi␛[31m waits" in shown(app))
    assert app.state.unread == 1
    assert [one.timeout for one in app._notifications if "Budi" in one.message] == [3600]
    await pilot.press("f9")
    await until(lambda: app.state.unread == 0)


async def a_waiting_commit_counts_down(app: ConsoleApp, double: Double) -> None:
    double.told.put_nowait({"service": "network", "kind": "generation", "values": {"seconds": 60}})
    await until(lambda: "commit waits:" in shown(app))
    double.told.put_nowait({"service": "network", "kind": "generation", "values": {"seconds": 0}})
    await until(lambda: "commit waits:" not in shown(app))


async def a_lost_connection_is_shown_and_comes_back(app: ConsoleApp, double: Double) -> None:
    await until(lambda: "services well" in shown(app))
    double.reachable = False
    double.told.put_nowait(None)
    await until(lambda: not app.state.connected)
    await until(lambda: "no connection" in shown(app))
    double.reachable = True
    await until(lambda: app.state.connected and "services well" in shown(app))


async def an_expired_session_asks_once_and_all_requests_go_on(
    app: ConsoleApp, pilot: Pilot[Any], double: Double
) -> None:
    before = double.logins()
    double.valid.clear()
    waiting = [asyncio.create_task(app.door.services()) for _ in range(3)]
    await until(lambda: isinstance(app.screen, AgainScreen))
    await pilot.press(*"nonsense", "enter")
    await until(lambda: "is wrong" in shown(app))
    await pilot.press(*"right", "enter")
    assert await asyncio.gather(*waiting) == [[], [], []]
    assert app.current_mode == "home"
    assert not isinstance(app.screen, AgainScreen)
    assert double.logins() == before + 2


async def logging_out_shows_the_login_and_forgets_the_person(app: ConsoleApp, double: Double) -> None:
    await app.run_action("logout")
    await until(lambda: app.screen is app.login and app.state.person is None)
    await until(lambda: "Logged out" in shown(app))
    assert not double.valid


async def a_locked_name_says_when_to_try_again(app: ConsoleApp, pilot: Pilot[Any], double: Double) -> None:
    locked = error("too-many", "too many requests; try again in {seconds} s", seconds=30)
    double.answers["POST", "/login"] = (429, locked)
    app.login.query_one("#name", Input).value = "ani"
    await pilot.press("x", "enter")
    await until(lambda: "try again in 30 s" in shown(app))
    del double.answers["POST", "/login"]
    await pilot.press(*"right", "enter")
    await until(lambda: app.current_mode == "home")


def test_a_working_day(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double(reachable=False)
        async with console(tmp_path, double=double) as (app, pilot):
            await until(lambda: "does not answer" in shown(app) and "Trying again" in shown(app))
            double.reachable = True
            await a_wrong_password_is_said_and_only_it_is_asked_again(app, pilot)
            await urgent_events_stay_and_markup_is_text(app, pilot, double)
            await a_waiting_commit_counts_down(app, double)
            await an_expired_session_asks_once_and_all_requests_go_on(app, pilot, double)
            await a_lost_connection_is_shown_and_comes_back(app, double)
            await logging_out_shows_the_login_and_forgets_the_person(app, double)
            await a_locked_name_says_when_to_try_again(app, pilot, double)

    asyncio.run(play())


def test_a_given_password_is_changed_before_anything_else(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double(must_change=True)
        async with console(tmp_path, double=double) as (app, pilot):
            await until(app.reachable.is_set)
            await pilot.press(*"ani", "tab", *"right", "enter")
            await until(lambda: isinstance(app.screen, PasswordScreen))
            await pilot.press("escape")
            await until(lambda: "must be changed" in shown(app))
            assert not double.valid, "who leaves it is logged out"
            password = app.login.query_one("#password", Input)
            password.value = ""
            password.focus()
            await pilot.press(*"right", "enter")
            await until(lambda: isinstance(app.screen, PasswordScreen))
            await pilot.press(*"new one", "tab", *"new two", "enter")
            await until(lambda: "not the same" in shown(app))
            again = app.screen.query_one("#again", Input)
            again.value = "new one"
            await pilot.press("enter")
            await until(lambda: app.current_mode == "home")
        assert double.password == "new one"

    asyncio.run(play())


def test_who_was_told_of_a_gap_looks_again(tmp_path: Path) -> None:
    """An empty event in the middle of the stream says that some were lost."""

    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            seen: list[str] = []
            app.screen.told = lambda event: seen.append(event["kind"])  # type: ignore[attr-defined]
            double.told.put_nowait({})
            await until(lambda: seen == ["missed"])

    asyncio.run(play())


def test_an_account_that_was_closed_says_so_and_loses_nothing_without_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is removed while he works: his password opens nothing any more, and what he typed is asked about."""

    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double, size=(80, 24)) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            pane = app.screen.pane
            assert pane is not None
            unsaved = {"booking"}
            monkeypatch.setattr(type(pane), "unsaved", property(lambda _pane: ", ".join(unsaved)))
            double.valid.clear()
            double.password = "of nobody"
            waiting = asyncio.create_task(app.door.services())
            await until(lambda: isinstance(app.screen, AgainScreen))
            await pilot.press(*"right", "enter")
            await until(lambda: "closed your account" in " ".join(shown(app).replace("│", " ").split()))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, ConfirmScreen))
            assert "booking" in shown(app)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, AgainScreen))
            unsaved.clear()
            await pilot.press("escape")
            await until(lambda: app.screen is app.login and app.state.person is None)
            assert "The session has ended." in shown(app)
            assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], Failure)

    asyncio.run(play())


def test_a_password_that_an_administrator_made_new_goes_on_after_ones_own(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            double.valid.clear()
            double.password, double.must_change = "one-time", True
            waiting = asyncio.create_task(app.door.services())
            await until(lambda: isinstance(app.screen, AgainScreen))
            await pilot.press(*"one-time", "enter")
            await until(lambda: isinstance(app.screen, PasswordScreen))
            # Without one of one's own nothing goes on, and the session is no session.
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, AgainScreen) and "must be changed" in shown(app))
            assert not double.valid
            app.screen.query_one(Input).value = ""
            await pilot.press(*"one-time", "enter")
            await until(lambda: isinstance(app.screen, PasswordScreen))
            await pilot.press(*"mine", "tab", *"mine", "enter")
            assert await waiting == []
            assert app.current_mode == "home"
            assert not isinstance(app.screen, AgainScreen | PasswordScreen)
            assert double.password == "mine"

    asyncio.run(play())
