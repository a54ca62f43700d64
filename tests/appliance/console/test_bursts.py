"""Keys faster than the console works, answers slower than the keys: nothing is done twice, lost or left standing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Button, Input

from appliance.client.protocol import Reply
from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.door import Failure, Transport, Unreachable
from appliance.console.jump import JumpScreen
from appliance.console.key_sheet import KeySheet
from appliance.console.passwords import PasswordScreen
from appliance.console.places import Places
from appliance.console.shell import ServiceScreen, remove_modes
from appliance.console.transport import open_transport
from appliance.console.widgets.deeds import underway
from appliance.console.widgets.dialogs import AskScreen, ConfirmScreen
from tests.appliance.console.driving import Driven, console, log_in, open_screen, shown, speak, typed, until
from tests.appliance.console.test_master_data import vehicle
from tests.appliance.daemon.house import PASSWORD


def burst(app: ConsoleApp, *keys: str) -> None:
    """These keys at once, as a terminal hands over what was typed while the application was busy."""
    for key in keys:
        event = events.Key(key, key if len(key) == 1 else None)
        event.set_sender(app)
        assert app._driver is not None
        app._driver.send_message(event)


class Held:
    """The way to the real daemon, on which answers of one path wait until they are let go."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.asked: list[Mapping[str, str]] = []
        self.done = 0
        """So many of them the daemon has answered."""
        self.let_go = asyncio.Event()
        self.lost = 0
        """So many answers do not come."""
        self._real: Transport | None = None

    def __call__(self, places: Places) -> Held:
        self._real = open_transport(places)
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "token":
            setattr(self._real, name, value)
        else:
            super().__setattr__(name, value)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Reply:
        assert self._real is not None
        if path != self.path:
            return await self._real.request(method, path, body=body, headers=headers, again=again)
        self.asked.append(headers or {})
        # The daemon goes on with it, whoever hangs up meanwhile.
        reply = await asyncio.shield(
            asyncio.ensure_future(self._real.request(method, path, body=body, headers=headers, again=again))
        )
        self.done += 1
        await self.let_go.wait()
        if self.lost:
            self.lost -= 1
            raise Unreachable("Connection reset by peer")
        return reply


def play_held(house: Driven, folder: Path, path: str, play: Any, name: str = "clerk") -> None:
    """As ``house.drive``, with answers of the path held back."""

    async def all_of_it() -> None:
        held = Held(path)
        made: Any = held
        async with console(folder, socket=house.socket, services=house.services, double=made) as (app, pilot):
            await log_in(app, pilot, name)
            await play(app, pilot, held)

    asyncio.run(all_of_it())


async def _on_trips(app: ConsoleApp, pilot: Pilot[Any], plate: str) -> Any:
    """The form of a trip of this vehicle, with ten kilometres entered."""
    pane = await open_screen(app, pilot, "pool", "trips")
    await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
    await pilot.press("g")
    for _step in range(pane.grid.count):
        if pane.row_values()["plate"] == plate:
            break
        await pilot.press("down")
    await pilot.press("t")
    # The plate is the row's, and the kilometres are wanted.
    await until(lambda: isinstance(app.screen, RecordDialog) and app.focused is not None)
    await until(lambda: app.focused in app.screen.form.rows["kilometres"].query(Input))
    await typed(pilot, "10")
    return pane


def test_saving_twice_is_done_once(house: Driven, tmp_path: Path) -> None:
    house.call("vehicles.add", vehicle("TW-1"))

    async def play(app: ConsoleApp, pilot: Pilot[Any], held: Held) -> None:
        await _on_trips(app, pilot, "TW-1")
        await pilot.press("ctrl+s")
        await until(lambda: held.asked)
        # It takes long, and somebody is impatient.
        for _again in range(3):
            await pilot.press("ctrl+s")
            await pilot.pause()
        held.let_go.set()
        await until(lambda: not isinstance(app.screen, RecordDialog))
        assert len(held.asked) == 1

    play_held(house, tmp_path, "/commands/pool/drive", play)
    assert house.call("vehicles.get", {"plate": "TW-1"})["row"]["kilometres"] == 10
    house.call("vehicles.remove", {"plate": "TW-1", "version": 2})


def test_what_was_saved_below_a_question_is_not_entered_again(house: Driven, tmp_path: Path) -> None:
    """The answer comes while "leave without saving?" or the key sheet stands in front of the form."""
    house.call("vehicles.add", vehicle("TW-2"))

    async def play(app: ConsoleApp, pilot: Pilot[Any], held: Held) -> None:
        pane = await _on_trips(app, pilot, "TW-2")
        form = app.screen
        await pilot.press("ctrl+s")
        await until(lambda: held.asked)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        held.let_go.set()
        await until(lambda: form.answered)
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        await until(lambda: app.screen_stack == [app.screen] and app.screen.pane is pane)
        await until(lambda: "Done." in shown(app))
        held.let_go.clear()
        await _on_trips(app, pilot, "TW-2")
        await pilot.press("ctrl+s")
        await until(lambda: len(held.asked) == 2)
        await pilot.press("f1")
        await until(lambda: isinstance(app.screen, KeySheet))
        held.let_go.set()
        await until(lambda: "20" in str(house.call("vehicles.get", {"plate": "TW-2"})["row"]["kilometres"]))
        await pilot.pause()
        await pilot.press("escape")
        await until(lambda: app.screen_stack == [app.screen] and app.screen.pane is pane)

    play_held(house, tmp_path, "/commands/pool/drive", play)
    house.call("vehicles.remove", {"plate": "TW-2", "version": 3})


def test_saving_again_since_nobody_answered_is_done_once(house: Driven, tmp_path: Path) -> None:
    """The daemon has done it, and died before its answer; it is there again when the user tries once more."""
    house.call("vehicles.add", vehicle("TW-3"))

    async def play(app: ConsoleApp, pilot: Pilot[Any], held: Held) -> None:
        held.let_go.set()
        held.lost = 2
        pane = await _on_trips(app, pilot, "TW-3")
        for attempt in (1, 2):
            await pilot.press("ctrl+s")
            await until(lambda attempt=attempt: len(held.asked) == attempt and "does not answer" in shown(app))
            assert isinstance(app.screen, RecordDialog)
            # What was entered is all there, and it can be tried again.
            assert app.screen.form.dirty
            await until(lambda: not underway(app.screen, "submit"))
        await pilot.press("ctrl+s")
        await until(lambda: app.screen.pane is pane)
        # Something else is another trip.
        held.lost = 1
        await _on_trips(app, pilot, "TW-3")
        await pilot.press("ctrl+s")
        await until(lambda: len(held.asked) == 4 and "does not answer" in shown(app))
        await until(lambda: not underway(app.screen, "submit"))
        await pilot.press("end", "0")
        await pilot.press("ctrl+s")
        await until(lambda: app.screen.pane is pane)
        keys = [headers["Idempotency-Key"] for headers in held.asked]
        assert len(keys) == 5
        assert len(set(keys)) == 3

    play_held(house, tmp_path, "/commands/pool/drive", play)
    assert house.call("vehicles.get", {"plate": "TW-3"})["row"]["kilometres"] == 10 + 10 + 100
    house.call("vehicles.remove", {"plate": "TW-3", "version": 4})


def test_who_logs_out_is_not_asked_for_his_password(house: Driven, tmp_path: Path) -> None:
    """Something was asked in the last moment, and refused since the session has just ended."""

    async def play(app: ConsoleApp, pilot: Pilot[Any], held: Held) -> None:
        app.action_logout()
        await until(lambda: held.done)
        with pytest.raises(Failure):
            await asyncio.wait_for(app.door.set_language("en"), 60)
        held.let_go.set()
        await until(lambda: app.current_mode == "login" and app.state.person is None)
        await pilot.pause()
        assert app.screen is app.login
        app.login.post_message(app.login.Attempt("reader", PASSWORD))
        await until(lambda: app.current_mode == "home" and app.state.person and app.state.person.name == "reader")

    play_held(house, tmp_path, "/logout", play)


def test_what_was_typed_in_one_go_is_in_its_entries(house: Driven, tmp_path: Path) -> None:
    """As from a line that stood still for a while: no letter goes to another entry, and none comes after the saving."""

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
        keys = (*"TW4", "tab", *"Quickly", "tab", "tab", *"12", "tab", "shift+tab", "end", "3", "backspace", "ctrl+s")
        burst(app, *keys)
        await until(lambda: app.screen_stack == [app.screen] and app.screen.pane is pane)

    house.drive(tmp_path, "clerk", play)
    row = house.call("vehicles.get", {"plate": "TW4"})["row"]
    assert (row["name"], row["seats"]) == ("Quickly", 12)
    house.call("vehicles.remove", {"plate": "TW4", "version": 1})


def test_a_password_that_is_changed_once_is_not_called_wrong(house: Driven, tmp_path: Path) -> None:
    house.house.add("hasty", "pool.reader")

    async def play(app: ConsoleApp, pilot: Pilot[Any], held: Held) -> None:
        app.push_screen(PasswordScreen())
        await until(lambda: isinstance(app.screen, PasswordScreen) and app.screen.query("#old"))
        for place, text in (("old", PASSWORD), ("new", "another long password"), ("again", "another long password")):
            app.screen.query_one(f"#{place}", Input).value = text
        app.screen.query_one("#again").focus()
        await pilot.press("enter")
        await until(lambda: held.asked)
        await pilot.press("enter")
        await pilot.pause()
        held.let_go.set()
        await until(lambda: not isinstance(app.screen, PasswordScreen))
        assert len(held.asked) == 1

    play_held(house, tmp_path, "/password", play, name="hasty")


def test_an_answer_too_many_ends_nothing(house: Driven, tmp_path: Path) -> None:
    """Enter, letters and clicks that were meant for a screen which has gone."""

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
        answers: list[Any] = []
        app.push_screen(ConfirmScreen("Sure?"), answers.append)
        await until(lambda: isinstance(app.focused, Button))
        yes = app.screen.query_one("#yes", Button)
        for _click in range(3):
            yes.press()
        await until(lambda: app.screen.focused is pane.grid.body)
        app.push_screen(AskScreen("Which?", "this"), answers.append)
        await until(lambda: isinstance(app.focused, Input))
        burst(app, "enter", "enter", "enter")
        await until(lambda: len(answers) == 2 and not isinstance(app.screen, AskScreen))
        app.action_jump()
        await until(lambda: isinstance(app.screen, JumpScreen))
        burst(app, "z", "z", "z", "z")
        await until(lambda: not isinstance(app.screen, JumpScreen))
        await pilot.pause()
        assert answers == [True, "this"]
        assert len(app.screen_stack) == 1

    house.drive(tmp_path, "reader", play)


def test_a_question_that_two_keys_asked_stands_once(house: Driven, tmp_path: Path) -> None:
    for number in range(2):
        house.call("vehicles.add", vehicle(f"A-{number}"))

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 5 and app.focused is pane.grid.body)
        await pilot.press("g")
        await until(lambda: pane.grid.row is not None and pane.key_of(pane.grid.row) == "A-0")
        before = pane.grid.count
        burst(app, "delete", "delete", "delete")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.pause()
        assert len(app.screen_stack) == 2
        burst(app, "y", "y", "y")
        await until(lambda: pane.grid.count == before - 1 and len(app.screen_stack) == 1)

    house.drive(tmp_path, "clerk", play)
    house.call("vehicles.remove", {"plate": "A-1", "version": 1})


def _whole(app: ConsoleApp) -> bool:
    """Each mode that was made shows the one pane that is open there, and has none that it does not know."""
    for stack in app._screen_stacks.values():
        for screen in stack:
            if isinstance(screen, ServiceScreen):
                if not screen.ready.is_set() or screen.pane is None:
                    return False
                stage = list(screen.query_one("#stage").children)
                if [one for one in stage if one.display] != [screen.pane] or set(stage) != set(screen.panes):
                    return False
    return True


def test_modes_and_screens_in_bursts(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        # The service's screen is made, and asked for another pane before it has its first.
        app.action_mode("pool")
        app.action_open("pool", "usage")
        await until(lambda: app.screen.opened == "usage" and _whole(app))
        for keys in (["f3"] * 25, ["f4"] * 25, ["f3", "f4"] * 12, ["f9", "f4", "f3", "f2"] * 8, ["shift+f4", "f9"] * 9):
            burst(app, *keys)
            await pilot.pause()
        for screen in ("vehicles", "trips", "usage", "trips"):
            app.action_open("pool", screen)
            await asyncio.sleep(0)
        await until(lambda: app.current_mode == "pool" and app.screen.opened == "trips" and _whole(app))
        await until(lambda: app.screen.pane.grid.count >= 3)

    house.drive(tmp_path, "reader", play)


def test_a_language_chosen_twice_is_everywhere(house: Driven, tmp_path: Path) -> None:
    """The second choice of the same language came while the screens were made anew by the first."""

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        for screen in ("usage", "trips", "vehicles"):
            await open_screen(app, pilot, "pool", screen)
        for wait in (0.0, 0.004, 0.03):
            for language, word in (("id", "Tambah"), ("en", "Add")):
                app.action_language(language)
                await asyncio.sleep(wait)
                app.action_language(language)
                await until(lambda word=word: _whole(app) and app.screen.pane.grid.count >= 3 and word in shown(app))
        # What the daemon keeps is told last.
        await speak(app, "en")

    house.drive(tmp_path, "clerk", play)


@pytest.mark.parametrize("steps", [0, 3, 30])
def test_who_logs_in_at_once_has_nothing_of_who_was_there(house: Driven, tmp_path: Path, steps: int) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        await open_screen(app, pilot, "pool", "vehicles")
        before = {screen for stack in app._screen_stacks.values() for screen in stack} - {app.login}
        app.action_logout()
        await until(lambda: app.current_mode == "login")
        for _step in range(steps):
            await asyncio.sleep(0)
        app.login.post_message(app.login.Attempt("reader", PASSWORD))
        await until(lambda: app.current_mode == "home" and app.state.person and app.state.person.name == "reader")
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
        assert not before & {screen for stack in app._screen_stacks.values() for screen in stack}
        await pilot.press("a")
        await until(lambda: "Your roles do not" in shown(app))

    house.drive(tmp_path, "clerk", play)


def test_two_conflicts_in_a_row_leave_one_entry_a_field(house: Driven, tmp_path: Path) -> None:
    """The form is made anew by the first answer while the second comes."""
    house.call("vehicles.add", vehicle("ZZ-1"))

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 4 and app.focused is pane.grid.body)
        await pilot.press("G")
        await until(lambda: pane.grid.row is not None and pane.key_of(pane.grid.row) == "ZZ-1")
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
        changed = {"plate": "ZZ-1", "version": 1, "row": vehicle("ZZ-1", seats=9)}
        house.call("vehicles.change", changed, person="budi")
        await pilot.press("tab", "end", *" mine")
        burst(app, "ctrl+s", "ctrl+s", "ctrl+s", "ctrl+s")
        await until(lambda: "budi has changed this at" in shown(app) or len(app.screen_stack) == 1)
        if len(app.screen_stack) > 1:
            rows = list(app.screen.query_one(VerticalScroll).children)
            assert len(rows) == len(app.screen.form.rows)
            await pilot.press("ctrl+s")
        await until(lambda: len(app.screen_stack) == 1)

    house.drive(tmp_path, "clerk", play)
    row = house.call("vehicles.get", {"plate": "ZZ-1"})["row"]
    assert (row["name"], row["seats"]) == ("Car ZZ-1 mine", 9)
    house.call("vehicles.remove", {"plate": "ZZ-1", "version": 3})


@pytest.mark.parametrize("wait", [0.0, 0.03, 0.1])
def test_logging_out_while_the_language_changes(house: Driven, tmp_path: Path, wait: float) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        for screen in ("usage", "trips", "vehicles"):
            await open_screen(app, pilot, "pool", screen)
        app.action_language("id")
        await asyncio.sleep(wait)
        app.action_logout()
        await until(lambda: app.current_mode == "login")
        # What is typed before all of the other's screens have gone is kept.
        for place, text in (("name", "reader"), ("password", PASSWORD)):
            app.login.query_one(f"#{place}", Input).value = text
        await until(lambda: app.state.person is None)
        app.login.query_one("#enter", Button).press()
        await until(lambda: app.current_mode == "home" and app.state.person and app.state.person.name == "reader")
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)

    house.drive(tmp_path, "clerk", play)


@pytest.mark.parametrize("turns", range(9, 14))
def test_a_screen_goes_while_its_pane_comes(house: Driven, tmp_path: Path, turns: int) -> None:
    """So many turns of the loop after the panes began to be made anew: after eleven or so, the new one was mounted
    into a screen that went, without any of its parts, and looked for them."""

    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        home = app.screen
        assert isinstance(home, ServiceScreen)
        relabelled = asyncio.ensure_future(home.relabel())
        for _turn in range(turns):
            await asyncio.sleep(0)
        await app.switch_mode(app.DEFAULT_MODE)
        await remove_modes(app)
        await relabelled
        assert not home.stands

    house.drive(tmp_path, "clerk", play)
