"""A line dies: its modem is unplugged, or the ISP is gone behind a modem that lives. What the router does about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.errors import InputErrors
from compiler.simulator.engine import MILLISECOND
from compiler.simulator.engine import SECOND as SECONDS
from labs.agreement import compare
from labs.assertions import VerdictState, judge_all
from labs.building import SimulatedLab
from labs.determined import finding_out, unsettled
from labs.kernel import why_not
from labs.lab_file import read_lab
from labs.simulated import run as simulate
from labs.topology import FaultKind
from tests.labs.balanced.small import FIRST, SECOND, write_lab
from tests.labs.balanced.test_balanced_routers import lines

TRAFFIC = """\
traffic:
  - {name: web, client: pc1, server: server, connect: http, connections: 90, every: 100 ms, timeout: 500 ms}
"""
UNPLUGGED = "faults: [{at: 3 s, link: wan1, state: down}]\n"
DEAD = "faults: [{at: 3 s, link: line1, state: down, carrier: kept}]\n"
QUICK = "target: linux, watch: {interval: 100 ms, timeout: 100 ms, misses: 3, replies: 2}}"


def lab_with(folder, faults, watch=QUICK, assertions=""):
    write_lab(folder, TRAFFIC, faults + assertions)
    file = folder / "lab.yaml"
    file.write_text(file.read_text().replace("target: linux}", watch))
    return read_lab(folder)


def failed(lab, observation):
    return [one.message for one in judge_all(lab, observation) if one.state is VerdictState.FAILED]


@pytest.mark.parametrize(
    ("faults", "within"),
    [(UNPLUGGED, "200 ms"), (DEAD, "600 ms")],
)
def test_connections_come_about_again_soon(tmp_path, faults, within):
    lab = lab_with(tmp_path / "lab", faults, assertions=f"assert: [recovers: {{traffic: web, within: {within}}}]\n")
    observation = simulate(lab)
    assert failed(lab, observation) == []
    late = [one for one in observation.outcome("web").connections if one.started >= 4 * SECONDS]
    assert len(late) == 50
    assert {one.seen_as.address >> 24 for one in late} == {203}


def test_nobody_who_watches_loses_every_other_connection_to_a_dead_isp(tmp_path):
    lab = lab_with(tmp_path / "lab", DEAD, "target: linux, watch: no}")
    late = [one for one in simulate(lab).outcome("web").connections if one.started >= 4 * SECONDS]
    assert sum(one.failure is not None for one in late) == len(late) // 2


def test_a_line_that_is_back_is_used_again(tmp_path):
    faults = "faults: [{at: 2 s, link: line1, state: down, carrier: kept, until: 4 s}]\n"
    lab = lab_with(tmp_path / "lab", faults)
    observation = simulate(lab)
    late = [one for one in observation.outcome("web").connections if one.started >= 6 * SECONDS]
    assert {one.seen_as.address >> 24 for one in late} == {198, 203}
    assert lines(simulate(lab_with(tmp_path / "whole", "")), "web")[:2] == [FIRST, SECOND]


def test_what_stands_beside_the_intent_outlives_a_death(tmp_path):
    folder = tmp_path / "lab"
    lab_with(folder, DEAD)
    file = folder / "lab.yaml"
    extra = "replies: 2}}, routes: [{to: 10.8.0.0/16, via: 192.168.3.12}]}"
    file.write_text(file.read_text().replace("replies: 2}}}", extra))
    world = SimulatedLab(read_lab(folder), 1)
    world.set_link("line1", False, "up")
    world.set_link("line1", False, "down")
    world.engine.run(2 * SECONDS)
    assert [turn.uplink for _, turn in world.watchers["router"].turns] == ["first"]
    assert any(route.prefix.length == 16 for route in world.nodes["router"].network.routes)


@pytest.mark.parametrize(("variant", "longest"), [("version-6", 30), ("version-7", 21)])
def test_routeros_finds_out_by_its_recursive_routes(tmp_path, variant, longest):
    """Two pings without an answer, ten seconds apart, each given one second (version 6: ten)."""
    traffic = TRAFFIC.replace("connections: 90, every: 100 ms", "connections: 80, every: 500 ms")
    folder = write_lab(tmp_path / "lab", traffic, DEAD + "duration: 40 s\n")
    file = folder / "lab.yaml"
    file.write_text(file.read_text().replace("duration: 10 s\n", ""))
    late = [
        one
        for one in simulate(read_lab(folder, variant=variant)).outcome("web").connections
        if one.started >= (3 + longest) * SECONDS
    ]
    assert late
    assert {one.failure for one in late} == {None}
    assert {one.seen_as.address >> 24 for one in late} == {203}


def test_a_silent_link_fails_each_way_and_keeps_its_carrier(tmp_path):
    lab = lab_with(tmp_path / "lab", "faults: [{at: 3 s, link: line1, state: down, carrier: kept, until: 4 s}]\n")
    found = {(one.kind, one.direction, one.at // MILLISECOND) for one in lab.faults}
    assert found == {
        (kind, way, at)
        for way in ("up", "down")
        for kind, at in ((FaultKind.LINK_DOWN, 3000), (FaultKind.LINK_UP, 4000))
    }


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("{at: 1 s, link: wan1, state: down, carrier: kept, direction: up}", "exclude each other"),
        ("{at: 1 s, link: wan1, flap: {down: 1 s, up: 1 s}, carrier: kept}", "'carrier' is for 'state'"),
        ("{at: 1 s, node: router, state: down, carrier: kept}", "'carrier' is for links"),
        ("{at: 1 s, link: wan1, state: down, carrier: gone}", "'gone' is not known"),
    ],
)
def test_a_wrong_carrier_is_told(tmp_path, fault, said):
    with pytest.raises(InputErrors, match=said):
        lab_with(tmp_path / "lab", f"faults: [{fault}]\n")


@pytest.mark.skipif(bool(why_not()), reason=str(why_not()))
@pytest.mark.parametrize("faults", [UNPLUGGED, DEAD])
def test_the_kernel_takes_the_other_line_too(tmp_path, faults):
    """Two seconds after the fault at the latest, however busy the machine is."""
    from labs.kernel import run as run_in_kernel

    lab = lab_with(tmp_path / "lab", faults.replace("3 s", "1 s"))
    traffic = replace(lab.traffic[0], connections=40)
    lab = replace(lab, traffic=(traffic,))
    observation = run_in_kernel(lab)
    late = [one for one in observation.outcome("web").connections if one.started >= 3 * SECONDS]
    assert late
    assert {one.failure for one in late} == {None}
    assert {one.seen_as.address >> 24 for one in late} == {203}


@pytest.mark.long
@pytest.mark.skipif(bool(why_not()), reason=str(why_not()))
@pytest.mark.parametrize("faults", [UNPLUGGED, DEAD])
def test_the_worlds_agree_but_for_what_began_while_the_watch_was_finding_out(tmp_path, faults):
    from labs.kernel import run as run_in_kernel

    lab = lab_with(tmp_path / "lab", faults)
    observation = run_in_kernel(lab)
    assert [str(one) for one in compare(lab, simulate(lab), observation)] == []
    (unsure,) = unsettled(lab, observation)
    assert unsure in ("web 9 of 90", "web 10 of 90")


def test_connections_that_begin_while_a_watch_finds_out_are_not_compared(tmp_path):
    """Three misses of 100 ms, 100 ms for the last answer, half a second for a busy machine."""
    lab = lab_with(tmp_path / "lab", "faults: [{at: 3 s, link: wan1, state: down, until: 5 s}]\n")
    assert finding_out(lab) == ((3 * SECONDS, 3900 * MILLISECOND), (5 * SECONDS, 5900 * MILLISECOND))
    other = replace(lab, faults=())
    left, right = simulate(lab), simulate(other)
    differing = {one.connection for one in compare(lab, left, right)}
    begun = {one.index: one.started for one in left.outcome("web").connections}
    assert differing
    assert not any(3 * SECONDS <= begun[index] < 3900 * MILLISECOND for index in differing)
    assert finding_out(lab_with(tmp_path / "blind", UNPLUGGED, "target: linux, watch: no}")) == ()
