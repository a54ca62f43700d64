"""References: who begins with what is typed comes first, and what is not there yet is made from the form."""

from pathlib import Path
from typing import Annotated, Any

from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.references import begun, lookup_of
from appliance.contract.kinds import Code, Refers
from appliance.contract.records import record
from tests.appliance.console.driving import Driven, open_screen, typed, until
from tests.appliance.example_service import model as pool


@record
class Wanted:
    """A trip of a vehicle that may be new."""

    vehicle: Annotated[Code, Refers("vehicles")]


def test_the_best_fit_comes_first(house: Driven, tmp_path: Path) -> None:
    for plate, name in (("RF-1", "Old merdeka-car"), ("RF-2", "A Merdeka"), ("RF-3", "Merdeka one")):
        house.call("vehicles.add", {"plate": plate, "name": name, "fuel": "petrol", "seats": 4})

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "pool", "vehicles")
        found = await lookup_of(pane)("vehicles", "MERDEKA")
        assert found[0][0] == "RF-3"
        assert {key for key, _words in found} == {"RF-1", "RF-2", "RF-3"}

        await until(lambda: app.focused is pane.grid.body)

        async def submit(value: Any, _version: int) -> Any:
            return value

        app.push_screen(RecordDialog("Trip", Wanted, None, submit, lookup=lookup_of(pane)))
        await until(lambda: isinstance(app.screen, RecordDialog) and isinstance(app.focused, Input))
        form = app.screen.form
        entry = next(row.editor for row in form.rows.values() if row.field.refers == "vehicles")
        line = entry.query_one(Input)
        line.focus()
        await typed(pilot, "RF-9")
        await pilot.press("ctrl+n")
        await until(lambda: isinstance(app.screen, RecordDialog) and app.screen.form is not form)
        begun_form = app.screen.form
        assert begun_form.rows["plate"].editor.raw() == "RF-9"
        begun_form.rows["name"].editor.query_one(Input).value = "New one"
        begun_form.rows["seats"].editor.query_one(Input).value = "4"
        await pilot.press("ctrl+s")
        await until(lambda: app.screen.form is form)
        await until(lambda: line.value == "RF-9" and line.has_focus)

    house.drive(tmp_path, "clerk", play)
    assert house.call("vehicles.get", {"plate": "RF-9"})["row"]["name"] == "New one"


def test_a_typed_name_is_no_key() -> None:
    vehicles = next(one for one in pool.MASTER_DATA if one.name == "vehicles")
    assert begun(vehicles, "RF-9", "en") == {"plate": "RF-9"}
    assert begun(vehicles, "New one", "en") == {"name": "New one"}
    assert begun(vehicles, "", "en") == {}
