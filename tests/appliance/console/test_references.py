"""Suggestions for a reference: who begins with what is typed comes before whose text merely has it."""

from pathlib import Path
from typing import Any

from appliance.console.app import ConsoleApp
from appliance.console.references import lookup_of
from tests.appliance.console.driving import Driven, open_screen


def test_the_best_fit_comes_first(house: Driven, tmp_path: Path) -> None:
    for plate, name in (("RF-1", "Old merdeka-car"), ("RF-2", "A Merdeka"), ("RF-3", "Merdeka one")):
        house.call("vehicles.add", {"plate": plate, "name": name, "fuel": "petrol", "seats": 4})

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        found = await lookup_of(pane)("vehicles", "MERDEKA")
        assert found[0][0] == "RF-3"
        assert {key for key, _words in found} == {"RF-1", "RF-2", "RF-3"}

    house.drive(tmp_path, "clerk", play)
