"""A lab in the hands of a test: asked about its network, or run and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.errors import UsageError
from compiler.testing.answer import Answer, Sureness, demand, hides

if TYPE_CHECKING:
    from compiler.testing.networks.model import NetworkModel
    from compiler.testing.networks.verification import Verification
    from labs.assertions import Verdict
    from labs.observation import Observation
    from labs.topology import Lab

__all__ = ["LabRun", "LabUnderTest", "lab_under_test"]

__tracebackhide__ = hides

_WORLDS = ("simulator", "kernel")


@dataclass(frozen=True, slots=True)
class LabRun:
    """A run: what was seen, and how the lab's own assertions went."""

    lab: Lab
    observation: Observation
    verdicts: tuple[Verdict, ...]

    def holds(self) -> Answer:
        """No assertion failed, one at least was judged, and no program ended early. Raises PropertyFailed."""
        return demand(self.ask())

    def ask(self) -> Answer:
        """How they went, without raising."""
        from labs.assertions import VerdictState, say
        from labs.words.commands import show_fallen

        states = [verdict.state for verdict in self.verdicts]
        failed = [verdict for verdict in self.verdicts if verdict.state is VerdictState.FAILED]
        variant = f", variant {self.lab.variant}" if self.lab.variant else ""
        question = f"holds: {self.lab.name}{variant}"
        sureness = Sureness.OBSERVED if self.observation.world == "kernel" else Sureness.TESTED
        held, skipped = states.count(VerdictState.HELD), states.count(VerdictState.SKIPPED)
        decided = f"{held:,} of {len(states):,} assertions held in the {self.observation.world}"
        decided += f", {skipped:,} skipped" if skipped else ""
        said = "; ".join(f"{one.assertion.span}: {say(one.assertion)}: {one.message}" for one in failed)
        fallen = self.observation.fallen()
        said = "; ".join([*([said] if said else []), *map(show_fallen, fallen)])
        if not said and not held:
            said = "nothing was judged"
        return Answer(question, bool(held) and not failed and not fallen, sureness, decided, said)


@dataclass(frozen=True)
class LabUnderTest:
    """What the fixture gives."""

    lab: Lab

    @cached_property
    def model(self) -> NetworkModel:
        """The lab's network."""
        from labs.testing.models import model_of

        return model_of(self.lab)

    def verify(self) -> Verification:
        """The words about the lab's network: see :mod:`compiler.testing.networks.verification`."""
        return self.model.verify()

    def run(self, world: str = "simulator", *, seed: int | None = None) -> LabRun:
        """Run it, and judge its assertions. UsageError for another world, and where the kernel's cannot be made."""
        from labs.assertions import captured_links, judge_all

        if world not in _WORLDS:
            raise UsageError(f"{world!r} is no world; there are {' and '.join(_WORLDS)}")
        if captured_links(self.lab):
            from tempfile import TemporaryDirectory

            with TemporaryDirectory() as folder:
                observation = self._observed(world, seed, captured_links(self.lab), Path(folder))
        else:
            observation = self._observed(world, seed, (), Path())
        return LabRun(self.lab, observation, judge_all(self.lab, observation))

    def _observed(self, world: str, seed: int | None, captures: tuple[str, ...], folder: Path) -> Observation:
        if world == "kernel":
            from labs.kernel import run as run_in_kernel

            return run_in_kernel(self.lab, seed=seed, captures=captures, folder=folder)
        from labs.simulated import run as simulate

        return simulate(self.lab, seed=seed, captures=captures, folder=folder)


def lab_under_test(path: str | Path, variant: str = "", settings: Mapping[str, str] | None = None) -> LabUnderTest:
    """The lab of a folder or a file. Raises what :func:`labs.lab_file.read_lab` raises."""
    from labs.lab_file import read_lab

    return LabUnderTest(read_lab(path, settings, variant))
