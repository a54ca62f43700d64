"""Changes of the network: their phases, their steps with a way back, their generations, and their papers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.console.app import ConsoleApp
from appliance.console.papers import PaperScreen
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.dialogs import ConfirmScreen
from appliance.contract.people import Person
from appliance.contract.refusals import Conflict, NotAllowed, RuleBroken
from appliance.daemon.running import InvalidArguments
from appliance.services.machine import service as machine
from appliance.services.machine.project import Phase, Step, refuse_unready, total_minutes
from appliance.services.machine.projects import link_noted
from appliance.testing import Caller, Trial
from tests.appliance.console.driving import Driven, open_screen, shown, until

NOW = datetime(2026, 11, 2, 9, tzinfo=ZoneInfo("Asia/Makassar"))
STEP = {"description": "Name the appliance in the MX record", "minutes": 10, "rollback": "name the old server again",
        "reference": "RFC 1035, section 3.3.9"}  # fmt: skip
LOOSE = {"description": "Tell the wards", "minutes": 25}


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial(machine, now=NOW)
    yield made
    made.close()


@pytest.fixture
def keeper(trial: Trial) -> Caller:
    return trial.person("ani", "administrator")


def opened(keeper: Caller, **more: Any) -> Any:
    return keeper("changes.add", title="Mail on the appliance", **more)


def changed(keeper: Caller, kept: Any, **more: Any) -> Any:
    row = kept["row"]
    names = ("number", "title", "phase", "description", "minutes", "rollback", "reference", "steps")
    return keeper("changes.change", **{name: row[name] for name in names} | {"version": kept["version"]} | more)


def test_a_change_goes_through_its_phases_and_its_history_stays(trial: Trial, keeper: Caller) -> None:
    kept = opened(keeper, steps=[STEP, LOOSE])
    assert kept["row"]["number"] == "CH202611001"
    assert kept["row"]["total"] == 35
    assert opened(keeper)["row"]["number"] == "CH202611002"
    for phase in Phase:
        trial.later(days=1)
        kept = changed(keeper, kept, phase=phase.value)
    entered = [(one["phase"], one["who"]) for one in kept["row"]["history"]]
    assert entered == [(phase.value, "ani") for phase in Phase]
    moments = [one["at"] for one in kept["row"]["history"]]
    assert moments == sorted(moments)
    assert moments[0].startswith("2026-11-02")
    assert [one["description"] for one in kept["row"]["steps"]] == [STEP["description"], LOOSE["description"]]
    assert changed(keeper, kept, minutes=90)["row"]["total"] == 90


@pytest.mark.parametrize("steps", [[], [LOOSE], [{**STEP, "rollback": "  "}]])
def test_nothing_is_implemented_without_a_way_back(keeper: Caller, steps: list[Any]) -> None:
    with pytest.raises(InvalidArguments, match="steps"):
        opened(keeper, phase="implement", steps=steps)
    kept = opened(keeper, phase="design", steps=steps)
    with pytest.raises(InvalidArguments, match="steps"):
        changed(keeper, kept, phase="implement")
    assert keeper("changes.get", number=kept["row"]["number"])["row"]["phase"] == "design"
    ready = changed(keeper, kept, phase="implement", steps=[LOOSE, STEP])
    with pytest.raises(InvalidArguments, match="steps"):
        changed(keeper, ready, steps=[LOOSE])


STEPS = st.lists(
    st.builds(
        Step,
        description=st.just("x"),
        minutes=st.integers(0, 100_000),
        rollback=st.sampled_from(["", "back"]),
        reference=st.just(""),
    ),
    max_size=6,
)


@given(phase=st.sampled_from(Phase), steps=STEPS, minutes=st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_the_rule_and_the_estimate_are_of_the_steps_in_any_order(phase: Phase, steps: list[Step], minutes: int) -> None:
    def refused(some: list[Step]) -> bool:
        try:
            refuse_unready(phase, some)
        except RuleBroken:
            return True
        return False

    assert (
        refused(steps) == refused(steps[::-1]) == (phase is Phase.IMPLEMENT and all(not one.rollback for one in steps))
    )
    total = total_minutes(minutes, steps)
    assert total == total_minutes(minutes, steps[::-1])
    assert total == minutes if minutes else total <= sum(one.minutes for one in steps)
    assert 0 <= total <= 100_000


def test_a_finished_change_is_not_changed(trial: Trial, keeper: Caller) -> None:
    kept = opened(keeper)
    number = kept["row"]["number"]
    with pytest.raises(Conflict):
        keeper("changes.finish", number=number, version=kept["version"] + 1)
    done = keeper("changes.finish", number=number, version=kept["version"])
    assert (done["row"]["state"], done["row"]["done_by"]) == ("done", "ani")
    for again in (
        lambda: changed(keeper, done, title="Other"),
        lambda: keeper("changes.finish", number=number, version=done["version"]),
        lambda: keeper("changes.link", number=number, version=done["version"], generation=1),
    ):
        with pytest.raises(RuleBroken, match="finished"):
            again()
    with trial.runner.changing(Person("ani"), "machine", "commit", {}) as context:
        link_noted(context, f"{number}: late", 3)
    assert keeper("changes.get", number=number) == done


def test_a_note_links_the_changes_that_it_names(trial: Trial, keeper: Caller) -> None:
    first, second = opened(keeper)["row"]["number"], opened(keeper)["row"]["number"]
    for generation, note in ((4, f"{first}, {second}: MX"), (5, f"again ({first})"), (5, f"{first} {first}"),
                             (6, f"X{first} {first}9 CH209912001 nothing")):  # fmt: skip
        with trial.runner.changing(Person("ani"), "machine", "commit", {}) as context:
            link_noted(context, note, generation)
    assert keeper("changes.get", number=first)["row"]["generations"] == [4, 5]
    assert keeper("changes.get", number=second)["row"]["generations"] == [4]


def test_two_writers_and_those_who_only_look(trial: Trial, keeper: Caller) -> None:
    kept = opened(keeper)
    changed(keeper, kept, title="First")
    with pytest.raises(Conflict, match="ani"):
        changed(keeper, kept, title="Second")
    watcher = trial.person("budi", "observer")
    assert [one["title"] for one in watcher.listing("changes", search="first")] == ["First"]
    for command in ("changes.finish", "changes.link"):
        with pytest.raises(NotAllowed):
            watcher(command, number=kept["row"]["number"], version=2)
    with pytest.raises(NotAllowed):
        opened(watcher)


@pytest.mark.parametrize("form", ["text", "html"])
def test_the_papers_say_it_all(trial: Trial, keeper: Caller, form: Any) -> None:
    kept = opened(
        keeper, phase="implement", steps=[LOOSE, STEP], rollback="All back.", reference="<RFC 5321>", description="Why"
    )
    paper = keeper.paper("print-change", form=form, number=kept["row"]["number"])
    told = ["CH202611001", "Mail on the appliance", "implement", "35", "All back.", "Why", *map(str, STEP.values())]
    for one in told:
        assert one in paper, one
    assert paper.index(str(LOOSE["description"])) < paper.index(str(STEP["description"]))
    assert ("<RFC 5321>" in paper) == (form == "text")
    opened(keeper)
    both = keeper.paper("print-changes", form=form)
    assert "CH202611001" in both
    assert "CH202611002" in both
    assert "CH202611002" not in keeper.paper("print-changes", form=form, phase="implement")
    assert "There are none" in keeper.paper("print-changes", form=form, state="done")
    indonesian = trial.person("ani", "administrator", language="id").paper(
        "print-change", form=form, number="CH202611001"
    )
    assert "Langkah" in indonesian
    assert "Project-Id" not in indonesian, "the translation of no copy is the head of the catalogue"


def test_the_examples(trial: Trial) -> None:
    trial.load_examples()
    states = [(one["phase"], one["state"]) for one in trial.person("ani", "observer").listing("changes")]
    assert sorted(states) == [("implement", "open"), ("operate", "done"), ("prepare", "open")]


def test_a_commit_whose_note_names_a_change_is_linked_and_screens_show_it(house: Driven, tmp_path: Path) -> None:
    number = house.call("changes.add", {"title": "[/x] wards", "steps": [STEP]}, service="machine")["row"]["number"]
    other = house.call("changes.add", {"title": "another"}, service="machine")["row"]["number"]
    house.call("interfaces.add", {"name": "eth7"}, service="network")
    runner = house.house.parts.runner

    def link(**more: Any) -> Any:
        return house.call("changes.link", {"number": other, "version": 1, **more}, service="machine")

    with pytest.raises(RuleBroken, match="no generation"):
        link(generation=77)
    with pytest.raises(RuleBroken, match="no generation"):
        link()
    from appliance.commit.results import Ending, Outcome
    from appliance.services.machine.commands import _told
    from appliance.services.machine.model import Wish

    outcome = Outcome(ending=Ending.CONFIRMED, generation=9, standing=9)
    context = runner._context(None, Person("admin"), "machine")
    _told(context, "commit", Wish(note=f"{number}: the wards"), outcome)
    undone = Outcome(ending=Ending.UNDONE, generation=10, standing=9)
    _told(context, "commit", Wish(note=f"{number}: again"), undone)
    assert house.call("changes.get", {"number": number}, service="machine")["row"]["generations"] == [9]

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "machine", "changes")
        await until(lambda: pane.grid.count == 2 and "[/x] wards" in shown(app))
        await pilot.press("end", "enter")
        await until(lambda: isinstance(app.screen, PaperScreen) and "name the old server again" in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen)
        await pilot.press("d")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: "done" in shown(app) and (app.screen is pane.screen or isinstance(app.screen, ToldScreen)))
        if app.screen is not pane.screen:
            await pilot.press("escape")
        await until(lambda: pane.row_values().get("state") == "done")
        assert "finished" in pane.why_not("do('changes.change')")

    house.drive(tmp_path, "admin", play, size=(120, 30))


def test_the_form_has_the_steps_of_the_change(house: Driven, tmp_path: Path) -> None:
    made = house.call("changes.add", {"title": "Form", "steps": [STEP, LOOSE]}, service="machine")

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "machine", "changes")
        await until(lambda: pane.row_values().get("number") == made["row"]["number"])
        await pilot.press("c")
        await until(lambda: STEP["description"][:20] in shown(app) and app.screen is not pane.screen)
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, ToldScreen) and "Done by" in shown(app))

    house.drive(tmp_path, "admin", play, size=(140, 60))
    kept = house.call("changes.get", {"number": made["row"]["number"]}, service="machine")
    assert kept["version"] == 2
    assert kept["row"]["steps"] == made["row"]["steps"]
