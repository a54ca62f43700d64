"""The screens of names, driven by keys against a daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.refusals import NotFound
from appliance.services.dns import service as dns
from appliance.services.system import service as system
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until
from tests.appliance.daemon.house import House

ZONE = "rssulsel.com"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Driven]:
    """``kartini`` keeps the names of this daemon."""
    folder = tmp_path / "house"
    folder.mkdir()
    made = House(folder, f"sqlite:///{folder / 'house.sqlite'}", services=(system, dns))
    made.add("kartini", "dns.hostmaster")
    with made.live(folder) as socket:
        yield Driven(made, socket, (system, dns))


def test_a_zone_is_set_up_its_records_are_seen_and_what_is_wrong_is_said(
    house: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_downloads_path", lambda: tmp_path / "downloads")

    async def play(app: ConsoleApp, pilot) -> None:
        zones = await open_screen(app, pilot, "dns", "zones")
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, RecordDialog) and "Name server" in shown(app))
        await typed(pilot, ZONE)
        await pilot.press("tab")
        await typed(pilot, "192.168.10.2")
        await pilot.press("ctrl+s")
        await until(lambda: house.call("zones.get", {"name": ZONE}, service="dns"))
        await until(lambda: not isinstance(app.screen, RecordDialog))
        if app.screen is not zones.screen:
            await pilot.press("escape")
        await until(lambda: app.screen is zones.screen and "10.168.192.in-addr.arpa" in shown(app))

        records = await open_screen(app, pilot, "dns", "records")
        await until(lambda: records.grid.row is not None and "192.168.10.2" in shown(app))

        check = await open_screen(app, pilot, "dns", "check")
        await until(lambda: "Nothing is wrong" in shown(app))
        house.call("records.add", {"zone": ZONE, "owner": "@", "type": "MX", "value": "10 lost"}, service="dns")
        await until(lambda: "Errors: 1" in shown(app) and "lost.rssulsel.com has no address" in shown(app))
        assert check.rows[0].place == f"dns.records/{ZONE} MX"
        await pilot.press("enter")
        await until(lambda: app.screen.opened == "records")

        served = await open_screen(app, pilot, "dns", "served")
        await until(lambda: any(one.value == f"10 lost.{ZONE}." for one in served.rows))

        zones = await open_screen(app, pilot, "dns", "zones")
        await until(lambda: zones.grid.row is not None)
        zones.grid.body.focus()
        await pilot.press("end")
        await until(lambda: zones.key_of(zones.grid.row) == ZONE)
        await pilot.press("w")
        saved = tmp_path / "downloads" / f"{ZONE}.zone"
        await until(saved.is_file)
        assert f"@ 3600 IN MX 10 lost.{ZONE}." in saved.read_text()

    house.drive(tmp_path / "config", "kartini", play, size=(140, 40))


def test_a_record_is_changed_by_its_form_and_removed_after_a_question(house: Driven, tmp_path: Path) -> None:
    wanted = {"name": ZONE, "address": "192.168.10.2", "reverse": False}
    house.call("zones.set-up", wanted, service="dns")

    async def play(app: ConsoleApp, pilot) -> None:
        pane = await open_screen(app, pilot, "dns", "records")
        await until(lambda: pane.grid.row is not None and pane.row_values().get("type") == "NS")
        await pilot.press("down")
        await until(lambda: pane.row_values()["owner"] == "ns")
        number = pane.row_values()["number"]
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, RecordDialog))
        value = app.screen.query_one("Form").rows["value"].editor.query_one(Input)
        value.focus()
        value.value = ""
        await typed(pilot, "192.168.10.300")
        await pilot.press("ctrl+s")
        await until(lambda: "of the type A cannot be this" in shown(app))
        await pilot.press("backspace")
        await pilot.press("ctrl+s")
        await until(lambda: house.call("records.get", {"number": number}, service="dns")["version"] == 2)
        kept = house.call("records.get", {"number": number}, service="dns")
        assert kept["row"]["value"] == "192.168.10.30"
        await until(lambda: not isinstance(app.screen, RecordDialog))
        if app.screen is not pane.screen:
            await pilot.press("escape")
        await until(lambda: app.screen is pane.screen and pane.row_values().get("version") == 2)
        await pilot.press("delete")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: "192.168.10.30" not in shown(app) and app.screen is pane.screen)
        with pytest.raises(NotFound):
            house.call("records.get", {"number": number}, service="dns")

    house.drive(tmp_path / "config", "kartini", play, size=(140, 40))
