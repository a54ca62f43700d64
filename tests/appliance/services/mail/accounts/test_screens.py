"""The postmaster at the console: by keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static, TextArea

from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.services.certificates import service as certificates
from appliance.services.dns import service as dns
from appliance.services.machine import service as machine
from appliance.services.mail import service as mail
from appliance.services.system import service as system
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until
from tests.appliance.daemon.house import House

SERVICES = (system, machine, certificates, dns, mail)
WIDE = (110, 40)


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """``siti`` is the postmaster, and nothing else."""
    folder: Path = tmp_path_factory.mktemp("mail")
    made = House(folder, services=SERVICES)
    made.add("siti", "mail.postmaster")
    with made.live(folder) as socket:
        driven = Driven(made, socket, SERVICES)
        settings = {"address": "192.168.10.2"}
        driven.call("settings.change", {"version": 0, "row": settings}, service="mail")
        driven.call("departments.add", {"name": "nurses", "title": "Nurses"}, service="mail")
        driven.call("accounts.add", {"name": "siti", "full_name": "Siti [b]Rahma[/x]"}, service="mail")
        yield driven


def rows(driven: Driven, name: str) -> dict[str, Any]:
    return dict(driven.call("accounts.get", {"name": name}, service="mail")["row"])


async def ready(app: ConsoleApp, pane: Any, count: int) -> None:
    await until(lambda: pane.grid.count == count and app.focused is pane.grid.body)


def test_an_account_is_added_suspended_and_taken_in_again(driven: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "accounts")
        await ready(app, pane, 1)
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
        await typed(pilot, "budi")
        await pilot.press("tab")
        await typed(pilot, "Budi Santoso")
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, ToldScreen) and "budi@rssulsel.com" in shown(app))
        # A Linux console has no clipboard: what is shown only now has to be read.
        secret = app.screen._copied.rpartition("password\t")[2].strip()
        assert len(secret) > 8
        assert secret in shown(app)
        await pilot.press("enter")
        await ready(app, pane, 2)
        await until(lambda: "budi" in shown(app))

        await pilot.press("home", "u")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: rows(driven, "budi")["active"] is False)
        await until(lambda: app.screen is pane.screen and pane._values()["active"] is False)
        await pilot.press("u")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: rows(driven, "budi")["active"] is True)

        await until(lambda: app.screen is pane.screen and pane._values()["active"] is True)
        await pilot.press("l")
        await until(lambda: isinstance(app.screen, RecordDialog))
        dialog: Any = app.screen
        quota = dialog.form.rows["quota"].editor.query_one(Input)
        quota.focus()
        quota.value = "750"
        await pilot.press("ctrl+s")
        await until(lambda: rows(driven, "budi")["quota"] == 750)

        await until(lambda: app.screen is pane.screen and pane._values()["quota"] == 750)
        await pilot.press("p")
        await until(lambda: isinstance(app.screen, RecordDialog))
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, ToldScreen) and "budi@rssulsel.com" in shown(app))
        await pilot.press("enter")

    driven.drive(tmp_path, "siti", play, WIDE)


def test_a_sheet_is_pasted(driven: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "accounts")
        await until(lambda: pane.grid.row is not None)
        await pilot.press("i")
        await until(lambda: isinstance(app.screen, RecordDialog))
        app.screen.query_one(TextArea).text = "name,full_name,department\nfitri,Fitriani,nurses\n"
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, ToldScreen) and "fitri@rssulsel.com" in shown(app))
        await pilot.press("enter")
        await until(lambda: "Fitriani" in shown(app))

    driven.drive(tmp_path, "siti", play, WIDE)


def test_who_gets_it_and_what_waits(driven: Driven, tmp_path: Path) -> None:
    group = {"name": "carers", "title": "Carers", "members": ["siti"], "senders": "members"}
    driven.call("groups.add", group, service="mail")
    waiting: dict[str, Any] = {"accounts": True, "others": []}

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "groups")
        await ready(app, pane, 1)
        asked: list[str] = []

        async def call(service: str, command: str, *rest: Any) -> Any:
            asked.append(command)
            return waiting if command == "waiting" else await plain(service, command, *rest)

        plain, pane.door.call = pane.door.call, call
        driven.call("aliases.add", {"name": "sr", "targets": ["siti"]}, service="mail")
        await until(lambda: "c makes them hold" in str(pane.query_one("#waits", Static).content))
        waiting["others"] = ["network[/x]"]
        driven.call("aliases.add", {"name": "sr2", "targets": ["siti"]}, service="mail")
        await until(lambda: "network[/x]" in shown(app) and "administrator" in shown(app))
        await pilot.press("w")
        await until(lambda: isinstance(app.screen, RecordDialog))
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, ToldScreen) and "Siti [b]Rahma[/x]" in shown(app))
        await pilot.press("enter")

    driven.drive(tmp_path, "siti", play, WIDE)


def test_keys_that_sign_and_settings(driven: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "dkim")
        await ready(app, pane, 1)
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, ToldScreen))
        await pilot.press("enter")
        await ready(app, pane, 2)
        assert "PRIVATE" not in shown(app)
        await open_screen(app, pilot, "mail", "settings")
        await until(lambda: "192.168.10.2" in shown(app) and "rssulsel.com" in shown(app))

    driven.drive(tmp_path, "siti", play, WIDE)


def test_an_administrator_is_led_to_the_commit_of_all(driven: Driven, tmp_path: Path) -> None:
    waiting = {"accounts": True, "others": ["mail.postfix"]}

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "departments")

        async def call(service: str, command: str, *rest: Any) -> Any:
            return waiting if command == "waiting" else await plain(service, command, *rest)

        plain, pane.door.call = pane.door.call, call
        driven.call("departments.add", {"name": "kitchen", "title": "Kitchen"}, service="mail")
        await until(lambda: "also of Mail: c goes to Machine" in str(pane.query_one("#waits", Static).content))
        await pilot.press("c")
        await until(lambda: app.current_mode == "machine")

    driven.drive(tmp_path, "admin", play, WIDE)


def test_who_has_no_settings_yet_is_led_to_them(tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "accounts")
        await ready(app, pane, 0)
        await until(lambda: "Mail is not set up yet" in shown(app))
        await pilot.press("g")
        await until(lambda: app.screen.opened == "settings" and "rssulsel.com" in shown(app))
        assert "holds when it is committed" in app.screen.pane.help_text
        house_driven.call("settings.change", {"version": 0, "row": {"address": "192.168.10.2"}}, service="mail")
        await open_screen(app, pilot, "mail", "accounts")
        await until(lambda: "Mail is not set up yet" not in shown(app))

    made = House(tmp_path, services=SERVICES)
    made.add("siti", "mail.postmaster")
    with made.live(tmp_path) as socket:
        house_driven = Driven(made, socket, SERVICES)
        house_driven.drive(tmp_path, "siti", play, WIDE)
