"""The workbench by keys: check, compile, trace, compare, run."""

from __future__ import annotations

import pytest
from textual.widgets import Select

from appliance.workbench.compiling import Outcome
from appliance.workbench.editor import Editor
from appliance.workbench.lanes import ProcessLane
from appliance.workbench.panels.findings import FindingsPanel
from appliance.workbench.panels.lists import Lines
from appliance.workbench.panels.trace import TracePanel
from appliance.workbench.plotting import ThroughputPlot
from appliance.workbench.remarks import Level
from tests.appliance.workbench.driving import checked, drawn, drive, last_for_ever, made, typed, until, workbench
from tests.appliance.workbench.sources import BOUND, LABS, WIDER


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "edge.cfg").write_text(BOUND)
    (tmp_path / "wider.cfg").write_text(WIDER)
    return tmp_path


@pytest.mark.parametrize("size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.long)])
def test_an_error_typed_by_keys_is_found_and_reached(folder, size):
    async def scenario():
        async with workbench(folder, "edge.cfg", size=size) as (screen, pilot):
            here = screen.here
            assert here.checked.count(Level.ERROR) == 0
            here.editor.go(8, 17)
            await pilot.press("x")
            await checked(screen, pilot)
            assert here.checked.count(Level.ERROR) == 1
            (row,) = (one for one in screen.query_one(FindingsPanel).query_one(Lines).lines if one.tone == "error")
            assert row.line == 8
            here.editor.go(1)
            await pilot.press("f8")
            await pilot.pause()
            assert here.editor.cursor_location == (7, row.column - 1)
            assert here.editor.remark_here().level is Level.ERROR
            assert "●" in drawn(screen)
            assert here.is_changed
            await pilot.press("ctrl+z")
            await checked(screen, pilot)
            assert here.checked.count(Level.ERROR) == 0
            assert not here.is_changed

    drive(scenario)


def test_a_compile_asks_for_names_and_shows_text_and_proof(folder):
    async def scenario():
        async with workbench(folder, "edge.cfg", size=(140, 45)) as (screen, pilot):
            panel = await made(screen, pilot, "compile")
            await pilot.press("f5")
            await pilot.pause()
            await until(pilot, lambda: screen.focused.id == "compile-interfaces")
            assert panel.compiled is None
            await pilot.press(*"eth1", "enter")
            await until(pilot, lambda: panel.compiled)
            assert panel.compiled.outcome is Outcome.PROVED
            assert 'iifname "eth1"' in panel.query_one(Editor).text
            assert "PROVED equal over all packets" in drawn(screen)
            await pilot.click("#compile-open")
            await until(pilot, lambda: len(screen.texts) == 2)
            assert screen.here.name == "edge-nftables.nft"
            compare = await made(screen, pilot, "compare")
            typed(screen, "compare-interfaces", "GigabitEthernet0/2=eth1")
            await pilot.press("f2")
            await until(pilot, lambda: compare.compared)
            assert compare.compared.is_equal

    drive(scenario)


@pytest.mark.long
def test_a_failing_compile_shows_its_witness_and_no_text(folder, monkeypatch):
    from compiler.dialects.nftables import writer

    honest = writer.write
    monkeypatch.setattr(writer, "write", lambda *a, **k: honest(*a, **k).replace("dport 21", "dport 22"))

    async def scenario():
        async with workbench(folder, "edge.cfg") as (screen, pilot):
            panel = await made(screen, pilot, "compile")
            typed(screen, "compile-interfaces", "GigabitEthernet0/2=eth1")
            await pilot.press("f5")
            await until(pilot, lambda: panel.compiled)
            assert panel.compiled.outcome is Outcome.DISPROVED
            assert not panel.query_one(Editor).display
            shown = drawn(screen)
            assert "DISPROVED" in shown
            assert "▸ tcp 172.16.6." in shown
            details = panel.query_one("#compile-details", Lines)
            details.focus()
            details.highlighted = 0
            await pilot.press("enter")  # traces the witness
            trace = await made(screen, pilot, "trace")
            await until(pilot, lambda: trace.traced)
            assert trace.traced.is_traced

    drive(scenario)


def test_a_trace_marks_the_deciding_line(folder):
    async def scenario():
        async with workbench(folder, "edge.cfg") as (screen, pilot):
            panel = await made(screen, pilot, "trace")
            await pilot.press("f9")
            await pilot.pause()
            await until(pilot, lambda: screen.focused.id == "trace-source")
            typed(screen, "trace-source", "tcp 172.16.6.4:1025 > 10.0.0.2:21 flags=syn in=GigabitEthernet0/2")
            await pilot.press("enter")
            await until(pilot, lambda: panel.traced)
            assert panel.asked.destination_port == "21"
            assert dict(screen.here.editor.decided()) == {7: False}
            assert "✗" in drawn(screen)
            assert "DENIED by line 7" in drawn(screen)
            typed(screen, "trace-source", "172.16.6.5")
            await pilot.press("enter")
            await until(pilot, lambda: panel.traced.passes)
            assert dict(screen.here.editor.decided()) == {8: True}
            screen.query_one("#trace-history", Select).value = 1
            await until(pilot, lambda: not panel.traced.passes)
            screen.here.editor.focus()
            await pilot.press("x")
            assert not screen.here.editor.decided()

    drive(scenario)


@pytest.mark.long
def test_two_texts_are_compared_and_a_witness_leads_to_its_line(folder):
    async def scenario():
        async with workbench(folder, "edge.cfg", "wider.cfg", size=(140, 45)) as (screen, pilot):
            panel = await made(screen, pilot, "compare")
            await pilot.press("f2")
            await until(pilot, lambda: panel.compared)
            assert {panel.compared.old, panel.compared.new} == {"edge.cfg", "wider.cfg"}
            assert len(panel.compared.changes) >= 1
            lines = panel.query_one(Lines)
            place = next(number for number, one in enumerate(lines.lines) if one.line and one.name == "edge.cfg")
            lines.focus()
            lines.highlighted = place
            await pilot.press("enter")
            await pilot.pause()
            assert screen.here.name == "edge.cfg"
            assert screen.here.editor.cursor_location[0] == lines.lines[place].line - 1

    drive(scenario)


@pytest.mark.long
def test_a_lab_runs_to_its_end_with_its_plot(tmp_path):
    async def scenario():
        async with workbench(LABS / "ftp-filter", size=(140, 45)) as (screen, pilot):
            panel = await made(screen, pilot, "lab")
            names = screen.query_one("#lab-name", Select)
            await until(pilot, lambda: len(names._options) > 1)
            await pilot.press("f10")
            await pilot.pause()
            await until(pilot, lambda: screen.focused is names)
            names.value = 0
            await pilot.press("f10")
            await until(pilot, lambda: panel.ran)
            assert panel.ran.has_run
            assert panel.ran.count("held") == 4
            assert panel.ran.count("failed") == 0
            assert panel.query_one(ThroughputPlot).curves
            assert "4 held, 0 failed" in drawn(screen)

    drive(scenario)


@pytest.mark.long
def test_work_that_lasts_is_stopped_and_the_next_works(folder, monkeypatch):
    lanes: list[ProcessLane] = []

    def make_lane():
        lanes.append(ProcessLane())
        return lanes[-1]

    async def scenario():
        async with workbench(folder, "edge.cfg", size=(140, 45), make_lane=make_lane) as (screen, pilot):
            panel = await made(screen, pilot, "compile")
            typed(screen, "compile-interfaces", "GigabitEthernet0/2=eth1")
            with monkeypatch.context() as patched:
                patched.setattr("appliance.workbench.screen.compile_text", last_for_ever)
                await pilot.press("f5")
                await until(pilot, lambda: "Proving" in drawn(screen))
            await pilot.press("f9", "f4", "f4")  # keys are heard meanwhile
            await screen.action_compile()
            await until(pilot, lambda: panel.compiled)  # the second ended the first
            assert panel.compiled.outcome is Outcome.PROVED
            with monkeypatch.context() as patched:
                patched.setattr("appliance.workbench.screen.compile_text", last_for_ever)
                await pilot.press("f5")
                await until(pilot, lambda: "Proving" in drawn(screen))
            await pilot.click("#compile-stop")
            await until(pilot, lambda: not screen.is_working("compile"))
            assert "stopped" in drawn(screen)

    drive(scenario)
    assert lanes
    assert all(lane.process_id is None for lane in lanes)


@pytest.mark.long
def test_texts_with_markup_and_control_characters_are_shown_as_they_are(folder):
    (folder / "odd[red].cfg").write_text("hostname [red]x[/y]\nip access-list extended [/z]\n permit \x1b[31m any\n")

    async def scenario():
        async with workbench(folder, "odd[red].cfg") as (screen, pilot):
            await pilot.press("f5", "f9")
            await until(pilot, lambda: screen.query("#trace-source"))
            typed(screen, "trace-source", "[/a]")
            typed(screen, "trace-destination", "[b]")
            await pilot.press("f9")
            await until(pilot, lambda: screen.query_one(TracePanel).traced)
            shown = drawn(screen)
            assert "\x1b" not in shown
            assert "odd[red].cfg" in shown
            await pilot.press("f2", "f10", "f1", "escape")

    drive(scenario)
