"""Changes of the network as a project by PPDIOO: prepare, plan, design, implement, operate, optimize.

The phases are those of Cisco's life cycle of a network; each step of an
implementation has a description, an estimate, a rollback and a reference.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator

from appliance.contract.kinds import Code, Count, Entry, Line, Moment, Name, Note, Unit, one_line
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = [
    "ChangeChanged",
    "ChangeKept",
    "ChangeLinked",
    "ChangeNamed",
    "ChangePaper",
    "ChangeRecord",
    "ChangeRow",
    "ChangeSeen",
    "ChangesAsked",
    "ChangesPaper",
    "NewChange",
    "Phase",
    "PhaseEntered",
    "State",
    "Step",
    "refuse_unready",
    "total_minutes",
]


class Phase(StrEnum):
    """How far the life cycle of a change has come."""

    PREPARE = "prepare"
    PLAN = "plan"
    DESIGN = "design"
    IMPLEMENT = "implement"
    OPERATE = "operate"
    OPTIMIZE = "optimize"


class State(StrEnum):
    """Whether there is still something to do."""

    OPEN = "open"
    DONE = "done"


Minutes = Annotated[int, Ge(0), Le(100_000), Unit("minutes")]
StepText = Annotated[str, MinLen(1), MaxLen(200), AfterValidator(one_line), Entry("line")]
Generations = Annotated[tuple[Count, ...], MaxLen(1000)]


@record(title=_("step"))
class Step:
    """One step of an implementation."""

    description: StepText
    minutes: Minutes
    """The estimate."""
    rollback: Line = ""
    """How it is taken back."""
    reference: Line = ""
    """Where it is written how this is done: a manual, a page, a drawing."""


Steps = Annotated[tuple[Step, ...], MaxLen(200)]


@record(title=_("change"))
class NewChange:
    """A change of the network, with its steps in their order."""

    title: Name
    phase: Phase = Phase.PREPARE
    description: Note = ""
    minutes: Minutes = 0
    """The estimate of all of it; 0: what its steps add up to."""
    rollback: Note = ""
    """How all of it is taken back."""
    reference: Line = ""
    steps: Steps = ()

    def __post_init__(self) -> None:
        refuse_unready(self.phase, self.steps)


@record(title=_("change"))
class ChangeChanged:
    """A change as it is to be from now on, and the version that was looked at."""

    number: Code
    version: Count
    title: Name
    phase: Phase
    description: Note = ""
    minutes: Minutes = 0
    rollback: Note = ""
    reference: Line = ""
    steps: Steps = ()

    def __post_init__(self) -> None:
        refuse_unready(self.phase, self.steps)


@record
class PhaseEntered:
    """When a change came into a phase, and by whom."""

    phase: Phase
    at: Moment
    who: Line


@record(title=_("change"))
class ChangeRecord:
    """A change as it is kept."""

    number: Code
    title: Name
    phase: Phase
    state: State
    description: Note
    minutes: Minutes
    total: Minutes
    rollback: Note
    reference: Line
    steps: Steps
    opened_by: Line
    opened_at: Moment
    done_by: Line = ""
    done_at: Moment | None = None
    generations: Generations = ()
    """Those that commits made for it."""
    history: Annotated[tuple[PhaseEntered, ...], MaxLen(1000)] = ()


@record(title=_("change"))
class ChangeRow:
    """A change in the list."""

    number: Code
    title: Name
    phase: Phase
    state: State
    total: Minutes
    reference: Line
    generations: Generations
    opened_by: Line
    opened_at: Moment
    done_at: Moment | None


@record
class ChangeNamed:
    """A change, by its number."""

    number: Code


@record
class ChangeSeen:
    """A change, and the version that was looked at."""

    number: Code
    version: Count


@record
class ChangeLinked:
    """A generation that a commit made for a change; none: the one that stands now."""

    number: Code
    version: Count
    generation: Count | None = None


@record
class ChangeKept:
    """A change in its present version."""

    version: Count
    changed_by: Line
    changed_at: Moment
    row: ChangeRecord


@record
class ChangesAsked:
    """Which changes a report is of; none named: all."""

    phase: Phase | None = None
    state: State | None = None


@record
class ChangePaper:
    """What the report of one change says."""

    change: ChangeRecord
    step_minutes: Minutes
    printed_at: Moment
    printed_by: Line


@record
class ChangesPaper:
    """What the report of all changes says."""

    phase: Phase | None
    state: State | None
    changes: tuple[ChangeRecord, ...]
    total: Count
    """Minutes."""
    printed_at: Moment
    printed_by: Line


def refuse_unready(phase: Phase, steps: Iterable[Step]) -> None:
    """Nothing is implemented without a way back. Raises RuleBroken."""
    if phase is Phase.IMPLEMENT and not any(step.rollback for step in steps):
        raise RuleBroken(_("to implement a change, at least one step needs a rollback"), field="steps")


def total_minutes(minutes: int, steps: Iterable[Step]) -> int:
    """The estimate that was given, or what the steps add up to."""
    return minutes or min(sum(step.minutes for step in steps), 100_000)
