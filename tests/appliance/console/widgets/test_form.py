"""The form: what goes in comes out, what is wrong is said, nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input, OptionList, Select, Static, TextArea

from appliance.console.widgets.calendar import CalendarScreen
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.console.widgets.form import Form, FormScreen
from appliance.console.widgets.validation import Fault
from appliance.contract.kinds import Code, Name, Rupiah
from appliance.contract.records import record
from tests.appliance.console.widgets.rooms import SIZES, BillLine, Kind, Room, Stage, part, play, rooms, settle

PLAIN = Room(code="104", name="Lotus", rate=300_000, status="free")
MANY = 40 if os.environ.get("GERBANG_LONG") else 1
"""Each example is an application of eighty widgets."""
TYPED = ("code", "rate", "area", "built", "cleaned", "pin", "hotel", "discount")
SAVED = ("on_form_saved", "on_form_left")


@record
class Needed:
    """No field has a default."""

    code: Code
    name: Name
    rate: Rupiah
    status: Literal["free", "dirty", "taken"]


def line_of(form: Form, name: str) -> Input:
    return form.rows[name].query_one(Input)


def state(form: Form) -> str:
    return str(form.query_one(".form--state", Static).content)


def fault(form: Form, name: str) -> str:
    shown = [one for one in form.rows[name].query(".form--fault").results(Static) if one.display]
    return "".join(str(one.content) for one in shown)


@settings(max_examples=MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rooms)
def test_what_goes_in_comes_out(room: Room) -> None:
    """As it was given, and as it is read from each entry's own text."""

    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        assert not form.dirty
        for name, row in form.rows.items():
            value = getattr(room, name)
            if name == "cleaned" and value is not None:
                value = value.replace(microsecond=0)
            assert row.editor.read_raw() == value
        await pilot.press("ctrl+s")
        await pilot.pause()

    app = play(lambda: Form(Room, room, version=3), act, listen=SAVED)
    (saved,) = app.said
    assert saved.value == room
    assert saved.version == 3


@settings(max_examples=2 * MANY, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(TYPED),
            st.text(max_size=20) | st.text(alphabet="0123456789.,-+/Rp :eT", max_size=15),
        ),
        max_size=6,
    ),
    st.text(max_size=40),
)
def test_no_text_ends_the_form(typed: list[tuple[str, str]], note: str) -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        for name, text in typed:
            line_of(form, name).value = text
        form.query_one(TextArea).insert(note)
        await pilot.press("ctrl+s")
        await pilot.pause()
        wrong = [name for name, result in form.results().items() if isinstance(result, Fault)]
        assert bool(app.said) == (not wrong)
        assert all(form.rows[name].has_class("-wrong") for name in wrong)

    play(lambda: Form(part(*TYPED, "note")), act, listen=SAVED)


@pytest.mark.parametrize("size", SIZES)
def test_filled_by_keys(size: tuple[int, int]) -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        assert "Save is off: 4 fields are wrong or missing: Code, Name, Rate, Status" in state(form)
        assert form.query_one("#form-save", Button).disabled
        await pilot.press(*"104", "tab", *"Lotus", "tab", *"300.000", "tab")
        await pilot.press("enter", "down", "enter")
        await pilot.pause(0.1)
        assert state(form) == "changed, not saved"
        await pilot.press("ctrl+s")
        await pilot.pause()

    app = play(lambda: Form(Needed), act, size, SAVED)
    (saved,) = app.said
    assert saved.value == Needed(code="104", name="Lotus", rate=300_000, status="free")


WRONG = [
    ("rate", "12x", "a whole number is expected"),
    ("discount", "101", "at most 100"),
    ("discount", "-1", "at least 0"),
    ("code", "a b", "letters, digits"),
    ("code", "", "a value is needed"),
    ("name", "x" * 101, "at most 100 characters"),
    ("phone", "abc", "a telephone number"),
    ("built", "31/2/2013", "no such day"),
    ("built", "soon", "a day is expected"),
    ("built", "1/1/1200", "at least 1900-01-01"),
    ("area", "1e16", "at most 1,000,000,000,000,000"),
    ("cleaned", "noon", "a day and a time"),
]


def test_faults_are_said_while_typing() -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        for name, text, said in WRONG:
            line = line_of(form, name)
            right, line.value = line.value, text
            await pilot.pause()
            assert said in fault(form, name)
            assert form.rows[name].has_class("-wrong")
            form.action_save()
            # It is tried when all that was typed before is entered.
            for _turn in range(200):
                if form._tried:
                    break
                await pilot.pause()
            form._tried = False
            line.value = right
            await pilot.pause()
            assert not form.rows[name].has_class("-wrong")

    assert play(lambda: Form(part(*{name for name, _, _ in WRONG})), act, listen=SAVED).said == []


def test_a_rule_of_the_record_is_said_at_its_field() -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        line_of(form, "rate").value = "50"
        line_of(form, "beds").value = "10"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "10 beds cost more than 50" in fault(form, "rate")
        line_of(form, "rate").value = "500"
        await pilot.pause()
        assert not form.rows["rate"].has_class("-wrong")
        await pilot.press("ctrl+s")
        await pilot.pause()

    assert play(lambda: Form(Room, PLAIN), act, listen=SAVED).said[0].value.beds == 10


def test_leaving_asks_when_something_would_be_lost() -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        line_of(form, "name").value = "Other"
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert app.said == []
        line_of(form, "name").value = "Lotus"
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.said) == 1
        line_of(form, "name").value = "Other"
        await pilot.press("escape")
        await pilot.pause(0.1)
        await pilot.press("y")
        await pilot.pause(0.1)

    app = play(lambda: Form(part("code", "name")), act, listen=SAVED)
    assert [type(one) for one in app.said] == [Form.Left, Form.Left]


def test_refusal_and_conflict() -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        form.show_refusal("lines.0.what", "no [/x] here")
        form.show_refusal("", "the hotel is closed [b]")
        assert "no [/x] here" in fault(form, "lines")
        assert "closed [b]" in str(form.query_one(".form--banner", Static).content)
        theirs = form.record(rate=1, name="[/x]")
        form.show_conflict("changed by Made", theirs, 7)
        await pilot.pause()
        assert "theirs: Rp 1" in fault(form, "rate")
        assert "theirs: [/x]" in fault(form, "name")
        await pilot.click("#form-mine")
        await pilot.press("ctrl+s")
        await pilot.pause()
        form.show_conflict("changed by Made", theirs, 8)
        await pilot.pause()
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()

    app = play(lambda: Form(part("name", "rate", "lines"), version=6), act, listen=SAVED)
    assert [(one.value.rate, one.version) for one in app.said] == [(300_000, 7), (1, 8)]


def test_days_by_keys_and_from_the_month() -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        line = line_of(form, "built")
        line.focus()
        line.value = "28/2/2013"
        await pilot.press("plus")
        assert line.value == "2013-03-01"
        await pilot.press("minus", "minus")
        assert line.value == "2013-02-27"
        await pilot.press("down")
        await pilot.pause(0.1)
        assert isinstance(app.screen, CalendarScreen)
        await pilot.press("right", "down", "pagedown", "enter")
        await pilot.pause(0.1)
        assert form.results()["built"] == date(2013, 4, 7)
        line.value = "2013-0"
        await pilot.press(*"2-15")
        assert form.results()["built"] == date(2013, 2, 15)

    play(lambda: Form(part("code", "built")), act)


def test_reference_suggests() -> None:
    async def lookup(to: str, text: str) -> Sequence[tuple[str, str]]:
        return [(key, f"{to} [/x] {key}") for key in ("a1", "a2", "b1") if key.startswith(text)]

    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        line_of(form, "hotel").focus()
        await pilot.press("a")
        await pilot.pause(0.25)
        await settle(pilot)
        listed = form.rows["hotel"].query_one(OptionList)
        assert listed.option_count == 2
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert form.results()["hotel"] == "a2"
        assert not listed.display

    play(lambda: Form(part("code", "hotel"), lookup=lookup), act)


def test_several_values_and_lines() -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        form.rows["facilities"].query_one("Button.add", Button).press()
        await pilot.pause(0.1)
        await pilot.press(*"TV")
        form.rows["facilities"].query("Button.remove").first(Button).press()
        await pilot.pause(0.1)
        assert form.results()["facilities"] == ("TV",)
        form.rows["lines"].query_one("GridBody").focus()
        await pilot.press("plus")
        await pilot.pause(0.2)
        assert isinstance(app.screen, FormScreen)
        await pilot.press(*"Bed", "tab", *"2", "ctrl+s")
        await pilot.pause(0.2)
        assert form.results()["lines"] == (BillLine(what="Bed", count=2),)
        await pilot.press("enter")
        await pilot.pause(0.2)
        await pilot.press("tab", "ctrl+u", "end", "backspace", "5", "ctrl+s")
        await pilot.pause(0.2)
        assert form.results()["lines"] == (BillLine(what="Bed", count=5),)
        await pilot.press("delete")
        assert form.results()["lines"] == ()

    play(lambda: Form(part("facilities", "lines"), {"facilities": ("AC",)}), act)


def test_choices_and_ticks() -> None:
    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        form.rows["vip"].query_one(Checkbox).toggle()
        form.rows["smoke"].query_one(Select).value = False
        form.rows["kind"].query_one(Select).value = "double"
        await pilot.pause()
        results = form.results()
        assert (results["vip"], results["smoke"], results["kind"]) == (True, False, Kind.DOUBLE)
        form.rows["smoke"].query_one(Select).clear()
        assert form.results()["smoke"] is None

    play(lambda: Form(part("kind", "vip", "smoke")), act)
