"""Logging in, out, and again in the middle of work, against a double that does what a daemon does not on request."""

import asyncio
from pathlib import Path

from textual.widgets import Input

from appliance.console.passwords import AgainScreen, PasswordScreen
from tests.appliance.console.double import Double, error
from tests.appliance.console.driving import console, log_in, shown, typed, until


def test_name_and_password_open_the_home_screen(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            assert "Ani Wijaya" in shown(app)
        assert [path for _method, path, _value in double.asked if path == "/login"] == ["/login"]

    asyncio.run(play())


def test_a_wrong_password_is_said_and_only_it_is_asked_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with console(tmp_path, double=Double()) as (app, pilot):
            await until(app.reachable.is_set)
            await typed(pilot, "ani")
            await pilot.press("tab", *"wrong", "enter")
            await until(lambda: "the name or the password is wrong" in shown(app))
            password = app.login.query_one("#password", Input)
            assert (password.value, app.login.query_one("#name", Input).value) == ("", "ani")
            await until(lambda: password.has_focus)
            await typed(pilot, "right")
            await pilot.press("enter")
            await until(lambda: app.current_mode == "home")

    asyncio.run(play())


def test_a_locked_name_says_when_to_try_again(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        locked = error("too-many", "too many requests; try again in {seconds} s", seconds=30)
        double.answers["POST", "/login"] = (429, locked)
        async with console(tmp_path, double=double) as (app, pilot):
            await until(app.reachable.is_set)
            await pilot.press(*"ani", "tab", "x", "enter")
            await until(lambda: "try again in 30 s" in shown(app))

    asyncio.run(play())


def test_an_unreachable_daemon_is_tried_again_until_it_answers(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double(reachable=False)
        async with console(tmp_path, double=double) as (app, pilot):
            await until(lambda: "does not answer" in shown(app) and "Trying again" in shown(app))
            double.reachable = True
            await log_in(app, pilot, "ani", "right")

    asyncio.run(play())


def test_a_given_password_is_changed_before_anything_else(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double(must_change=True)
        async with console(tmp_path, double=double) as (app, pilot):
            await until(app.reachable.is_set)
            await pilot.press(*"ani", "tab", *"right", "enter")
            await until(lambda: isinstance(app.screen, PasswordScreen))
            await pilot.press(*"new one", "tab", *"new two", "enter")
            await until(lambda: "not the same" in shown(app))
            again = app.screen.query_one("#again", Input)
            again.value = "new one"
            await pilot.press("enter")
            await until(lambda: app.current_mode == "home")
        assert double.password == "new one"

    asyncio.run(play())


def test_leaving_the_change_of_a_given_password_leaves_one_logged_out(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double(must_change=True)
        async with console(tmp_path, double=double) as (app, pilot):
            await until(app.reachable.is_set)
            await pilot.press(*"ani", "tab", *"right", "enter")
            await until(lambda: isinstance(app.screen, PasswordScreen))
            await pilot.press("escape")
            await until(lambda: "must be changed" in shown(app))
        assert not double.valid

    asyncio.run(play())


def test_an_expired_session_asks_once_and_all_requests_go_on(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            double.valid.clear()
            waiting = [asyncio.create_task(app.door.services()) for _ in range(3)]
            await until(lambda: isinstance(app.screen, AgainScreen))
            await pilot.press(*"nonsense", "enter")
            await until(lambda: "is wrong" in shown(app))
            await pilot.press(*"right", "enter")
            assert await asyncio.gather(*waiting) == [[], [], []]
            assert app.current_mode == "home"
            assert not isinstance(app.screen, AgainScreen)
        assert sum(path == "/login" for _method, path, _value in double.asked) == 3

    asyncio.run(play())


def test_a_lost_connection_is_shown_and_comes_back(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            await until(lambda: "services well" in shown(app))
            double.reachable = False
            double.told.put_nowait(None)
            await until(lambda: not app.state.connected)
            await until(lambda: "no connection" in shown(app))
            double.reachable = True
            await until(lambda: app.state.connected and "services well" in shown(app))

    asyncio.run(play())


def test_logging_out_shows_the_login_and_forgets_the_person(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            await app.run_action("logout")
            await until(lambda: app.screen is app.login and app.state.person is None)
            await until(lambda: "Logged out" in shown(app))
            assert not double.valid
            app.login.query_one("#name", Input).value = "ani"
            await pilot.press(*"right", "enter")
            await until(lambda: app.current_mode == "home")

    asyncio.run(play())


def test_events_with_words_are_notified_urgent_ones_stay_and_markup_is_text(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            told = {"service": "pool", "kind": "changed", "subject": "x", "template": "{who} waits", "urgent": True}
            double.told.put_nowait({**told, "values": {"who": "[/red]Budi\x1b[31m"}})
            await until(lambda: "[/red]Budi␛[31m waits" in shown(app))
            assert app.state.unread == 1
            assert [one.timeout for one in app._notifications] == [3600]
            await pilot.press("f9")
            await until(lambda: app.state.unread == 0)

    asyncio.run(play())


def test_a_waiting_commit_counts_down(tmp_path: Path) -> None:
    async def play() -> None:
        double = Double()
        async with console(tmp_path, double=double) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            double.told.put_nowait({"service": "network", "kind": "generation", "values": {"seconds": 60}})
            await until(lambda: "commit waits:" in shown(app))
            double.told.put_nowait({"service": "network", "kind": "generation", "values": {"seconds": 0}})
            await until(lambda: "commit waits:" not in shown(app))

    asyncio.run(play())
