"""In which order programs start and stop."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.programs import Program, State
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.order import dependents, start_order
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from tests.appliance.supervisor.small import SERVES, Making


def program(name: str, *requires: str) -> Program:
    return Program(name=name, command=("true",), requires=requires)


def named(*programs: Program) -> dict[str, Program]:
    return {one.name: one for one in programs}


def test_a_circle_is_said_with_its_names() -> None:
    circle = named(program("m.a", "m.b"), program("m.b", "m.c"), program("m.c", "m.a"), program("m.d"))
    with pytest.raises(SupervisionFailed) as caught:
        start_order(circle)
    words = str(caught.value).split("programs require each other: ")[1].split(" -> ")
    assert words[0] == words[-1]
    assert set(words) == {"m.a", "m.b", "m.c"}
    assert all(after in circle[before].requires for before, after in pairwise(words))


@given(st.data())
def test_each_comes_after_what_it_requires(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    names = data.draw(st.permutations([f"m.p{number}" for number in range(count)]))
    all_of_them = {
        name: program(name, *data.draw(st.lists(st.sampled_from(names[:place]), unique=True) if place else st.just([])))
        for place, name in enumerate(names)
    }
    order = start_order(all_of_them)
    assert sorted(order) == sorted(names)
    for place, name in enumerate(order):
        assert set(all_of_them[name].requires) <= set(order[:place])
    for name in names:
        stopping = dependents(name, all_of_them)
        for place, other in enumerate(stopping):
            assert set(all_of_them[other].requires) & {name, *stopping[place + 1 :]}


def test_what_is_required_is_started_first_and_stopped_last(
    supervisor: OwnSupervisor, making: Making, files: str
) -> None:
    base = making("m.base", SERVES)
    middle = making("m.middle", SERVES, requires=("m.base",))
    top = making("m.top", SERVES, requires=("m.middle", "m.base"))
    with pytest.raises(SupervisionFailed, match=r"m\.middle: it requires m\.base, which has not been started yet"):
        supervisor.start(middle, files)
    for one in (base, middle, top):
        supervisor.start(one, files)
    supervisor.stop("m.base")
    since = {status.program: status.since for status in supervisor.status()}
    assert {status.state for status in supervisor.status()} == {State.STOPPED}
    assert since["m.top"] <= since["m.middle"] <= since["m.base"]
    supervisor.start(top, files)
    assert {status.state for status in supervisor.status()} == {State.READY}


def test_a_circle_is_refused_before_anything_starts(supervisor: OwnSupervisor, making: Making, files: str) -> None:
    supervisor.start(making("m.a", SERVES), files)
    with pytest.raises(SupervisionFailed, match=r"which has not been started|require each other"):
        supervisor.start(making("m.b", SERVES, requires=("m.b",)), files)
    assert [status.program for status in supervisor.status()] == ["m.a"]


def test_what_fails_stops_what_requires_it_from_starting(
    supervisor: OwnSupervisor, making: Making, files: str, places: Places
) -> None:
    base = making("m.base", SERVES)
    supervisor.start(base, files)
    supervisor.start(making("m.top", SERVES, requires=("m.base",)), files)
    supervisor.stop("m.base")
    making("m.base", "raise SystemExit('disk full')", restarts=0)
    with pytest.raises(SupervisionFailed) as caught:
        supervisor.start(making("m.top", SERVES, requires=("m.base",)), files)
    assert str(caught.value).startswith("m.top: it requires m.base, which failed")


def test_closing_stops_all_and_resuming_starts_them_again(making: Making, files: str, places: Places) -> None:
    base, top = making("m.base", SERVES), making("m.top", SERVES, requires=("m.base",))
    with OwnSupervisor(places) as first:
        first.start(base, files)
        first.start(top, files)
        first.start(making("m.other", SERVES), files)
        first.stop("m.other")
    with OwnSupervisor(places, named(top, base, making("m.other", SERVES))) as second:
        assert second.status() == ()
        assert second.resume() == ()
        assert {status.program: status.state for status in second.status()} == {
            "m.base": State.READY,
            "m.top": State.READY,
        }
