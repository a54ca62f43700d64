"""The law: whatever fails and whenever we die, the machine is exactly one generation, the old one or the new one."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.commit.commits import NothingToConfirm, NothingToRollBackTo, Unconfirmed
from appliance.commit.order import cycles, in_order
from appliance.commit.results import Ending
from tests.appliance.commit.parts import (
    FINE_STEPS,
    STEPS,
    Killed,
    ModelClock,
    ModelMachine,
    Part,
    commits_of,
    dying,
    stands_whole,
)

NAMES = ("a", "b", "c", "d", "e")
NEVER = 10**9
LONG = settings.default.max_examples > 1000
STRIDE = 1 if LONG else 3
"""Every third step, unless there is time for all of them and for each write in between."""
VERBS = ("check", "shadow", "start", "started", "stop", "probe")


@st.composite
def wishes(draw) -> tuple[Part, ...]:
    """Any parts, each of which requires some of those that come before it in a drawn order."""
    names = draw(st.permutations(draw(st.lists(st.sampled_from(NAMES), unique=True))))
    parts = []
    for index, name in enumerate(names):
        requires = tuple(draw(st.lists(st.sampled_from(names[:index]), unique=True))) if index else ()
        follows = requires if draw(st.booleans()) else ()
        parts.append(Part(name=name, text=draw(st.sampled_from("xyz")), requires=requires, follows=follows))
    return tuple(draw(st.permutations(parts)))


faults = st.sets(st.tuples(st.sampled_from(VERBS), st.sampled_from(NAMES)), max_size=2)
moments = st.one_of(st.just(NEVER), st.integers(0, 120))


class Appliance(RuleBasedStateMachine):
    """Commits, confirmations, rollbacks, failures, deaths and boots in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gerbang-law-"))
        self.machine = ModelMachine()
        self.clock = ModelClock()
        self.wished: dict[int, dict[str, str]] = {0: {}}
        self.commits = commits_of(self.folder, self.machine, self.clock)
        self.commits.recover()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.commits.close()
            shutil.rmtree(self.folder)

    def _dies(self, at: int, call, allowed: set[int]):
        """Call, perhaps dying in it; after the recovery one of the allowed generations stands."""
        self.machine.did.clear()
        outcome = None
        with dying(at):
            try:
                outcome = call()
            except Killed:
                pass
            except (Unconfirmed, NothingToConfirm, NothingToRollBackTo):
                pass
        self.machine.faults.clear()
        if outcome is None:
            self.commits.close()
            self.commits = commits_of(self.folder, self.machine, self.clock)
            self.commits.recover()
        assert self.commits.recover() is None  # once is enough
        if self.commits.status().unfinished:
            self.commits.resume("law")
        assert stands_whole(self.folder, self.machine) in allowed
        return outcome

    @rule(wish=wishes(), struck=faults, within=st.sampled_from((0, 0, 600)), at=moments)
    def commit(self, wish: tuple[Part, ...], struck, within: int, at: int) -> None:
        before = self.commits.status()
        self.machine.faults |= struck
        number = self.commits.plan(wish).generation
        self.wished[number] = {part.name: part.text for part in wish}
        allowed = {before.current, before.confirmed, number}
        outcome = self._dies(at, lambda: self.commits.commit(wish, "law", confirm_within=within), allowed)
        if outcome is not None and outcome.ending in {Ending.CONFIRMED, Ending.UNCONFIRMED}:
            assert self.commits.status().current == number
            self._in_order(outcome.acted, wish)
        elif outcome is not None:
            assert self.commits.status().current == before.current
            assert set(outcome.undone) <= set(outcome.acted)
            reverse = [name for name in reversed(outcome.acted) if name in outcome.undone]
            assert list(outcome.undone) == reverse

    def _in_order(self, acted, wish) -> None:
        place = {name: index for index, name in enumerate(acted)}
        for part in wish:
            for required in part.requires:
                if part.name in place and required in place:
                    assert place[required] < place[part.name]

    @rule(at=moments)
    def confirm(self, at: int) -> None:
        before = self.commits.status()
        self._dies(at, lambda: self.commits.confirm("law"), {before.current, before.confirmed})

    @rule(at=moments, struck=faults, data=st.data())
    def roll_back(self, at: int, struck, data) -> None:
        before = self.commits.status()
        numbers = [line.number for line in self.commits.generations()]
        to = data.draw(st.sampled_from([None, *numbers]))
        self.machine.faults |= struck
        allowed = {before.current, before.confirmed, *numbers} if to is None else {before.current, before.confirmed, to}
        self._dies(at, lambda: self.commits.rollback(to, who="law"), allowed)

    @rule(at=moments, seconds=st.sampled_from((1, 300, 700)))
    def time_passes(self, at: int, seconds: int) -> None:
        before = self.commits.status()
        self.clock.seconds += seconds
        self._dies(at, self.commits.expire, {before.current, before.confirmed})

    @precondition(lambda self: self.machine.running)
    @rule()
    def boot(self) -> None:
        """Nothing runs; what was unconfirmed is taken back, then what stands is started."""
        self.commits.close()
        self.machine.running.clear()
        self.clock.boots += 1
        self.commits = commits_of(self.folder, self.machine, self.clock)
        confirmed = self.commits.status().confirmed
        self.commits.recover()
        self.commits.resume("boot")
        assert stands_whole(self.folder, self.machine) == confirmed

    @invariant()
    def the_machine_is_one_generation(self) -> None:
        if not hasattr(self, "folder"):
            return
        number = stands_whole(self.folder, self.machine)
        assert self.machine.running == self.wished[number]
        assert self.commits.status().current == number
        assert self.commits.diagnose().well
        assert not list((self.folder / "generations").glob(".*"))


Appliance.TestCase.settings = settings(
    max_examples=1000 if LONG else 12,
    stateful_step_count=12,
    deadline=None,
)
TestLaw = Appliance.TestCase

OLD = (Part(name="a", text="1"), Part(name="b", text="1", requires=("a",)), Part(name="gone", text="1"))
NEW = (Part(name="a", text="2"), Part(name="b", text="2", requires=("a",)), Part(name="fresh", text="2"))
SCENES = {
    "commit": lambda commits, machine: commits.commit(NEW, "law"),
    "commit that waits": lambda commits, machine: commits.commit(NEW, "law", confirm_within=600),
    "commit that fails": lambda commits, machine: (
        machine.faults.add(("probe", "fresh")),
        commits.commit(NEW, "law"),
    ),
    "confirm": lambda commits, machine: commits.confirm("law"),
    "rollback of what waits": lambda commits, machine: commits.rollback(who="law"),
    "rollback to an older one": lambda commits, machine: commits.rollback(1, who="law"),
}


def prepared(folder: Path, machine: ModelMachine, scene: str) -> set[int]:
    """The appliance before the scene; the generations that may stand after it."""
    clock = ModelClock()
    commits = commits_of(folder, machine, clock)
    commits.commit(OLD, "law")
    if scene in {"confirm", "rollback of what waits"}:
        commits.commit(NEW, "law", confirm_within=600)
    elif scene == "rollback to an older one":
        commits.commit(NEW, "law")
    commits.close()
    return {1} if scene == "commit that fails" else {1, 2}


@pytest.mark.parametrize("scene", SCENES)
def test_dying_at_each_step_and_again_in_each_recovery(tmp_path, scene):
    """Every step of every scene; and for each, the recovery dies at a step of its own before it is let go on."""
    died = 0
    model, start = ModelMachine(), tmp_path / "start"
    with dying(NEVER):
        allowed = prepared(start, model, scene)
    for at in range(0, 800, STRIDE):
        folder, machine = tmp_path / str(at), ModelMachine(running=dict(model.running))
        shutil.copytree(start, folder, symlinks=True)
        commits = commits_of(folder, machine, ModelClock())
        try:
            with dying(at, FINE_STEPS if LONG else STEPS) as steps:
                SCENES[scene](commits, machine)
        except Killed:
            died += 1
        else:
            break
        finally:
            commits.close()
        machine.faults.clear()
        for again in (at % 11, 3)[: 2 if LONG else 1]:
            try:
                with dying(again):
                    commits_of(folder, machine, ModelClock()).recover()
            except Killed:
                pass
        with dying(NEVER):
            last = commits_of(folder, machine, ModelClock())
            last.recover()
            assert stands_whole(folder, machine) in allowed
            assert last.status().current == stands_whole(folder, machine)
            assert last.recover() is None
            assert last.diagnose().well
        last.close()
    assert died == at // STRIDE
    assert at >= len(steps) > 8


@st.composite
def graphs(draw) -> dict[str, tuple[str, ...]]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return {name: tuple(draw(st.lists(st.sampled_from(names), unique=True))) for name in names}


class TestOrder:
    """The graph itself."""

    @staticmethod
    def _reaches(graph, start, goal) -> bool:
        seen, todo = set(), list(graph[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += graph[name]
        return goal in seen

    def test_circles_are_circles_and_none_is_missed(self):
        @given(graphs())
        def law(graph):
            found = cycles(graph)
            for circle in found:
                for name, other in zip(circle, (*circle[1:], circle[0]), strict=True):
                    assert other in graph[name]
            circular = {name for name in graph if self._reaches(graph, name, name)}
            assert bool(found) is bool(circular)
            assert {name for circle in found for name in circle} <= circular
            for name in circular:
                assert any(self._reaches(graph, name, c[0]) and self._reaches(graph, c[0], name) for c in found)
            if not found:
                order = in_order(graph, graph, {})
                assert sorted(order) == sorted(graph)
                assert all(order.index(w) < order.index(n) for n in graph for w in graph[n])
            else:
                with pytest.raises(ValueError, match="circle"):
                    in_order(graph, graph, {})

        law()
