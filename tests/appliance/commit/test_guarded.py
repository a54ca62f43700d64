"""A component that can cut us off: the helper's own timer stands behind the commit's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.commit.commits import Commits
from appliance.commit.results import Ending, Phase
from appliance.commit.transition import GRACE
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from tests.appliance.commit.parts import ModelClock, ModelMachine, Part


class NetworkMachine(ModelMachine):
    """Remembers the network; ``late`` is a helper whose timer has run out."""

    late = False

    def apply_network(self, before: Path | None, after: Path | None, confirm_within: int) -> None:
        self.did.append(("apply", f"{after.read_text() if after else None} {confirm_within}"))

    def confirm_network(self) -> None:
        if self.late:
            raise RuntimeError("it was taken back already")
        self.did.append(("confirm", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Acts with a guard when it may."""

    text: str
    name: str = "network"
    requires: tuple[str, ...] = ()

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        return ()

    def render(self) -> Sequence[RenderedFile]:
        return (RenderedFile(path="plan", content=self.text.encode()),)

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        self.act_guarded(before, after, machine, 0)

    def act_guarded(self, before: Path | None, after: Path | None, machine: Machine, within: int) -> None:
        machine.apply_network(before and before / "plan", after and after / "plan", within)

    def confirm(self, files: Path, machine: Machine) -> None:
        machine.confirm_network()

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        return ()


@pytest.fixture
def machine() -> NetworkMachine:
    return NetworkMachine()


@pytest.fixture
def commits(tmp_path, machine) -> Commits:
    return Commits(tmp_path, machine, (Network, Part), clock=ModelClock())


def test_it_is_confirmed_once_all_serves(commits, machine):
    commits.commit((Network(text="n1"), Part(name="web")), "ana")
    assert machine.did == [("apply", f"n1 {GRACE}"), ("start", "web"), ("confirm", "")]


def test_the_guard_is_behind_our_own_timer(commits, machine):
    commits.commit((Network(text="n1"),), "ana", confirm_within=600)
    assert machine.did == [("apply", f"n1 {GRACE + 600}")]
    commits.confirm("ana")
    assert machine.did[1:] == [("confirm", "")]


def test_undoing_is_not_guarded(commits, machine):
    commits.commit((Network(text="n1"),), "ana")
    machine.did.clear()
    commits.commit((Network(text="n2"),), "ana", confirm_within=600)
    commits.rollback(who="ana")
    assert machine.did == [("apply", f"n2 {GRACE + 600}"), ("apply", "n1 0")]


@pytest.mark.parametrize("within", [0, 600])
def test_when_the_helper_was_first_all_is_taken_back(commits, machine, within):
    commits.commit((Network(text="n1"), Part(name="web", text="1")), "ana")
    machine.late = True
    outcome = commits.commit((Network(text="n2"), Part(name="web", text="2")), "ana", confirm_within=within)
    if within:
        assert outcome.ending is Ending.UNCONFIRMED
        outcome = commits.confirm("ana")
    assert (outcome.ending, outcome.phase, outcome.standing) == (Ending.UNDONE, Phase.CONFIRM, 1)
    assert str(outcome.findings[0]) == "network: it was taken back already"
    assert machine.running == {"web": "1"}
    assert machine.did[-1] == ("apply", "n1 0")
