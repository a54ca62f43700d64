"""A component that can cut us off: the helper's own timer stands behind the commit's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.commit.commits import Commits
from appliance.commit.results import Ending, Phase
from appliance.commit.transition import GRACE
from appliance.contract.components import Component, Finding, Machine, RenderedFile, Severity
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


def test_what_the_helper_took_back_while_the_daemon_was_away_never_acts_again(commits, machine, monkeypatch):
    commits.commit((Network(text="n1"), Part(name="web")), "ana")
    commits.commit((Network(text="n2"), Part(name="web")), "ana", confirm_within=600)
    assert commits.recover() is None
    wrong = Finding(component="network", severity=Severity.ERROR, template="the kernel differs")
    probe = Network.probe
    monkeypatch.setattr(
        Network, "probe", lambda self, files, machine: (wrong,) if self.text == "n2" else probe(self, files, machine)
    )
    machine.did.clear()
    outcome = commits.resume("start")
    assert (outcome.ending, outcome.standing, outcome.undone) == (Ending.UNDONE, 1, ("network",))
    assert wrong in outcome.findings
    assert [what for what in machine.did if what[0] == "apply"] == [("apply", "n1 0")]
    assert commits.status().phase is None


def test_a_generation_that_waits_and_serves_goes_on_waiting_after_a_start(commits, machine):
    commits.commit((Network(text="n1"),), "ana", confirm_within=600)
    machine.did.clear()
    assert commits.resume("start").ending is Ending.UNCHANGED
    assert machine.did == []
    assert commits.status().phase is Phase.CONFIRM
    assert commits.confirm("ana").ending is Ending.CONFIRMED
