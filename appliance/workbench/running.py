"""A lab in the simulator, as values: what flows while it runs, then its verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from appliance.workbench.remarks import Remark, remarks_of
from compiler.errors import GerbangError, UsageError

if TYPE_CHECKING:
    from labs.building import SimulatedLab
    from labs.observation import Observation
    from labs.topology import Lab

__all__ = ["Chosen", "Judged", "LabChoice", "Ran", "Sample", "labs_in", "run_lab"]


class LabChoice(NamedTuple):
    """A lab that can be run."""

    name: str
    path: Path
    description: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which run is wanted. ``captures`` is a folder for a capture of each link, or None."""

    path: Path
    variant: str = ""
    seed: int | None = None
    captures: Path | None = None


class Sample(NamedTuple):
    """What links have carried by a moment of the lab, both ways together."""

    moment: int
    """Nanoseconds of lab time."""
    duration: int
    """Nanoseconds that the lab may last."""
    octets: tuple[tuple[str, int], ...]


class Judged(NamedTuple):
    """One assertion and how it went."""

    state: str
    """``held``, ``failed`` or ``skipped``."""
    asked: str
    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run."""

    name: str
    variant: str = ""
    seed: int = 0
    duration: int = 0
    """Nanoseconds of lab time."""
    verdicts: tuple[Judged, ...] = ()
    activities: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    captures: tuple[tuple[str, str], ...] = ()
    """Link and path."""
    remarks: tuple[Remark, ...] = ()
    """Warnings of the lab file, or why it did not run."""
    seconds: float = field(default=0.0, compare=False)

    @property
    def has_run(self) -> bool:
        """Whether it came to its end."""
        return self.duration > 0

    def count(self, state: str) -> int:
        """How many assertions went so."""
        return sum(verdict.state == state for verdict in self.verdicts)


def labs_in(folder: Path) -> tuple[LabChoice, ...]:
    """The labs below a folder, then those that come along; files that cannot be read are left out."""
    import labs
    from labs.lab_file import LAB_FILE, describe, find_labs

    own = Path(labs.__file__).parent
    found: dict[Path, LabChoice] = {}
    for place in (*find_labs(folder), *find_labs(own)):
        if place.resolve() in found:
            continue
        try:
            told = describe(place / LAB_FILE)
        except GerbangError:
            continue
        about = told.description.partition(". ")[0].rstrip(".")
        found[place.resolve()] = LabChoice(told.name, place, about, tuple(told.variants))
    return tuple(found.values())


def run_lab(chosen: Chosen, tell: Callable[[Sample], Any]) -> Ran:
    """Run it and judge its assertions. ``tell`` hears a sample some hundred times. Never raises for the lab's text."""
    began = time.perf_counter()
    try:
        done = _ran(chosen, tell)
    except GerbangError as error:
        done = Ran(str(chosen.path), chosen.variant, remarks=remarks_of(error, ""))
    except OSError as error:
        done = Ran(str(chosen.path), chosen.variant, remarks=remarks_of(UsageError(str(error)), ""))
    return replace(done, seconds=time.perf_counter() - began)


def _ran(chosen: Chosen, tell: Callable[[Sample], Any]) -> Ran:
    from tempfile import TemporaryDirectory

    from labs.assertions import captured_links, judge_all, say
    from labs.lab_file import read_lab_file
    from labs.simulated import run as simulate

    found = read_lab_file(chosen.path, {}, chosen.variant)
    lab = found.lab
    wanted = tuple(link.name for link in lab.links) if chosen.captures is not None else captured_links(lab)
    with TemporaryDirectory(prefix="gerbang-lab-") as aside:
        if chosen.captures is not None:
            chosen.captures.mkdir(parents=True, exist_ok=True)
        observation = simulate(
            lab,
            seed=lab.seed if chosen.seed is None else chosen.seed,
            captures=wanted,
            folder=chosen.captures or Path(aside),
            watch=partial(_sample, lab, tell),
        )
        verdicts = tuple(
            Judged(one.state.value, say(one.assertion), one.message, one.assertion.span.line)
            for one in judge_all(lab, observation)
        )
    return Ran(
        lab.name,
        chosen.variant,
        observation.seed,
        observation.duration,
        verdicts,
        tuple(_activities(observation)),
        tuple(
            f"{one.node} dropped {one.packets:,}: {one.reason}{f' at {one.place}' if one.place else ''}"
            for one in observation.drops
        ),
        observation.captures if chosen.captures is not None else (),
        tuple(remark for warning in found.warnings for remark in remarks_of(warning, lab.source)),
    )


def _sample(lab: Lab, tell: Callable[[Sample], Any], world: SimulatedLab) -> None:
    octets = tuple((name, link.forward.octets + link.backward.octets) for name, link in world.links.items())
    tell(Sample(world.engine.now, lab.duration, octets))


def _activities(observation: Observation) -> Iterator[str]:
    from compiler.placed.quantities import format_octets

    for outcome in observation.outcomes:
        words = [f"{len(outcome.connections):,} connections"] if outcome.connections else []
        words += [f"{len(outcome.failures):,} failed"] if outcome.failures else []
        words += [format_octets(outcome.transferred)] if outcome.transferred else []
        words += [f"{outcome.received:,} of {outcome.sent:,} arrived"] if outcome.sent else []
        yield f"{outcome.traffic}: {', '.join(words) or 'nothing'}"
