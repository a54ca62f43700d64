"""A worker that another one replaces in the middle of changing widgets leaves an application that lives."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Button

from appliance.console.widgets.form import Form
from tests.appliance.console.widgets.rooms import Room, Stage, part, play, settle

NEW = Room(code="105", name="Jasmine", rate=400_000, status="dirty", built=date(2013, 5, 1))


@pytest.mark.parametrize("turns", range(8))
def test_a_form_filled_anew_and_at_once_again(turns: int) -> None:
    """Somebody saves, and the news of it comes while the saved values are entered."""

    async def act(app: Stage, pilot: Pilot[None], form: Form) -> None:
        inner = form.query_one(VerticalScroll)
        before = list(inner.children)
        form.run_worker(form.set_value(NEW), group="settings", exclusive=True)
        while not any(one._pruning for one in before):
            await asyncio.sleep(0)
        for _turn in range(turns):
            await asyncio.sleep(0)
        last = form.run_worker(form.set_value(NEW), group="settings", exclusive=True)
        await asyncio.wait_for(last.wait(), 10)
        await asyncio.wait_for(pilot.pause(), 10)
        await settle(pilot)
        # Nothing is there twice, and what is there works.
        assert list(inner.children) == list(form.rows.values())
        assert form.results() == {"code": "105", "name": "Jasmine", "built": NEW.built}
        assert not form.query_one("#form-save", Button).disabled

    play(lambda: Form(part("code", "name", "built")), act)
