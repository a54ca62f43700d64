"""The network's screens: what is wrong, the workbench on a policy of the appliance, and who was quicker."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.console.app import ConsoleApp
from appliance.console.key_sheet import KeySheet
from appliance.services.network.standing_shown import interfaces, lines
from appliance.services.network.workbench_pane import ConsoleWorkbench
from appliance.workbench.dialogs import Choose
from tests.appliance.console.driving import Driven, open_screen, shown, speak, until

TEXT = "ip access-list extended LAN\n permit tcp any any eq 22\n"


@pytest.fixture
def policy(house: Driven) -> None:
    """A policy LAN that an interface uses, which locks everybody out."""
    house.call("policies.add", {"name": "LAN", "text": TEXT, "about": "kept"}, service="network")
    one = {"name": "lan0", "addresses": ["10.1.0.1/24"], "filter_in": "LAN"}
    house.call("interfaces.add", one, service="network")
    office = {"name": "office", "network": "10.1.0.0/24", "interface": "lan0"}
    house.call("management.add", office, service="network")


def test_what_is_wrong_is_seen_and_a_policy_is_edited_in_the_workbench(
    house: Driven, policy: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def play(app: ConsoleApp, pilot) -> None:
        check = await open_screen(app, pilot, "network", "check")
        await until(lambda: "lock out" in shown(app) and "Errors: 1" in shown(app))
        assert check.rows[0].severity == "error"

        pane = await open_screen(app, pilot, "network", "policies")
        await until(lambda: pane.grid.row is not None)
        await pilot.press("w")
        await until(lambda: isinstance(app.screen, ConsoleWorkbench) and app.screen.here is not None)
        screen = app.screen
        await until(lambda: app.focused is screen.here.editor)
        screen.here.editor.load_text(f"{TEXT} permit tcp any any eq 8443\n")
        await until(lambda: screen.unsaved == "LAN.ios")
        await pilot.press("ctrl+s")
        await until(lambda: not screen.unsaved)
        kept = house.call("policies.get", {"name": "LAN"}, service="network")
        assert (kept["version"], kept["row"]["about"]) == (2, "kept")
        assert kept["row"]["text"].rstrip().endswith("eq 8443")

        # Somebody else is quicker: nothing of theirs is lost unasked.
        theirs = {"name": "LAN", "version": 2, "row": {**kept["row"], "text": f"{TEXT}!theirs\n"}}
        house.call("policies.change", theirs, person="budi", service="network")
        screen.here.editor.load_text(f"{TEXT}!mine\n")
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, Choose) and "budi has saved another text of LAN" in shown(app))
        await pilot.click("#answer-overwrite")
        await until(lambda: app.screen is screen and not screen.unsaved)
        assert house.call("policies.get", {"name": "LAN"}, service="network")["row"]["text"].rstrip().endswith("!mine")
        await pilot.press("ctrl+r")
        await until(lambda: app.screen is not screen)

    house.drive(tmp_path, "admin", play)


def test_the_workbench_is_in_the_words_of_the_reader(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot) -> None:
        await speak(app, "id")
        pane = await open_screen(app, pilot, "network", "workbench")
        await until(lambda: app.screen.pane is not None and "Meja kerja menyunting" in shown(app))
        app.screen.pane.action_workbench()
        await until(lambda: isinstance(app.screen, ConsoleWorkbench) and "Belum ada yang terbuka" in shown(app))
        # The keys are written as on all other screens.
        await until(lambda: "Ctrl+O Buka" in shown(app) and "F5 Kompilasi" in shown(app))
        assert "Palette" not in shown(app)
        await pilot.press("f1")
        await until(lambda: isinstance(app.screen, KeySheet) and "Ctrl+O buka" in shown(app))
        # A line of the help is a line of the sheet.
        (line,) = [one for one in shown(app).splitlines() if "Ctrl+O buka" in one]
        assert "Ctrl+W" not in line
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, ConsoleWorkbench))
        await pilot.press("ctrl+r")
        await until(lambda: not isinstance(app.screen, ConsoleWorkbench))
        await speak(app, "en")
        await until(
            lambda: app.screen.pane is not None and app.screen.pane is not pane and "edits access" in shown(app)
        )

    house.drive(tmp_path, "admin", play, size=(120, 40))


def test_rates_are_of_what_lies_between_two_answers() -> None:
    def port(octets: int) -> dict[str, object]:
        names = ("received_packets", "sent_packets", "errors", "dropped", "mtu", "sent_octets")
        return {
            **dict.fromkeys(names, 0),
            "name": "lan",
            "up": True,
            "carrier": False,
            "addresses": ["10.1.0.1/24"],
            "foreign_addresses": [],
            "hardware_address": "02:00:00:00:00:01",
            "received_octets": octets,
        }

    first, second, anew = ({"interfaces": [port(octets)]} for octets in (1_000, 3_000, 10))
    assert interfaces(first, {}, 2.0)[0].receiving == 0
    found = interfaces(second, first, 2.0)[0]
    assert (found.receiving, found.state) == (8_000, "no carrier")
    assert interfaces(anew, second, 2.0)[0].receiving == 0, "the counter was begun anew"


def test_the_lines_of_a_policy_come_with_their_words_and_the_implicit_deny_last() -> None:
    def line(number: int, packets: int, permits: bool) -> dict[str, object]:
        return {"policy": "LAN", "line": number, "family": 4, "permits": permits, "packets": packets, "octets": 9}

    before = {"lines": [line(0, 4, False), line(2, 10, True)]}
    now = {"lines": [line(0, 4, False), line(2, 30, True)]}
    found = lines(now, before, 2.0, {"LAN": TEXT})
    assert [(one.text, one.per_second) for one in found] == [("permit tcp any any eq 22", 10), ("implicit deny", 0)]
