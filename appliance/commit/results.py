"""What the commit answers: immutable values that pydantic's TypeAdapter turns to JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from appliance.contract.components import Finding, Severity
from appliance.contract.programs import Status

__all__ = [
    "Action",
    "CommitStatus",
    "Diagnosis",
    "Edit",
    "Ending",
    "FileChange",
    "GenerationLine",
    "Outcome",
    "Phase",
    "Plan",
    "PlannedAct",
    "Standing",
]


class Action(StrEnum):
    """What happens to a component, a file, or a file that somebody edited."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


class Phase(StrEnum):
    """Where a commit is. The journal holds it, so the order of the words is the order of the work."""

    VERIFY = "verify"
    RENDER = "render"
    PREFLIGHT = "preflight"
    SWITCH = "switch"
    ACT = "act"
    PROBE = "probe"
    CONFIRM = "confirm"
    """It serves, and waits to be confirmed."""
    UNDO = "undo"


class Ending(StrEnum):
    """How a commit, a confirmation or a rollback ended."""

    UNCHANGED = "unchanged"
    """Nothing was to be done."""
    REFUSED = "refused"
    """Something was found before the switch: the machine was not touched."""
    UNCONFIRMED = "unconfirmed"
    """The generation serves until its deadline, then the one before comes back."""
    CONFIRMED = "confirmed"
    UNDONE = "undone"
    """It was taken back, whole: the generation before serves."""
    BROKEN = "broken"
    """It was taken back, except for what ``not_undone`` says."""


class Standing(StrEnum):
    """What became of a generation."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    """It never served, or failed when it did."""
    UNDONE = "undone"
    """It served, and was taken back since nobody confirmed it or somebody said so."""
    UNKNOWN = "unknown"
    """The journal that said so was spoilt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file that a commit would write or remove."""

    component: str
    path: str
    action: Action
    difference: str = ""
    """Unified, as ``diff -u``; ``changed`` alone for a secret."""
    mode: int = 0
    mode_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAct:
    """A component that would act."""

    component: str
    action: Action
    reason: str
    """``files``, ``value``, ``upgrade``, ``follows``, ``unfinished``, ``new`` or ``gone``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file of a generation that is no longer as the commit wrote it."""

    component: str
    path: str
    action: Action
    """REMOVE when it is gone, ADD when the commit never wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a commit would do."""

    generation: int
    standing: int
    """The generation that it would replace; 0: the empty machine."""
    findings: tuple[Finding, ...] = ()
    files: tuple[FileChange, ...] = ()
    acts: tuple[PlannedAct, ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing that was found stops it."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.files and not self.acts


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended, and what stands now."""

    ending: Ending
    generation: int
    """The one that was committed, confirmed, or taken back; 0 when none was written."""
    standing: int
    """The one that ``current`` names now."""
    phase: Phase | None = None
    """Where it failed."""
    findings: tuple[Finding, ...] = ()
    """Why it failed, and warnings."""
    acted: tuple[str, ...] = ()
    """Components that acted, in that order; the last may have failed in it."""
    undone: tuple[str, ...] = ()
    not_undone: tuple[Finding, ...] = ()
    """What failed while undoing, and what does not serve after it."""
    deadline: datetime | None = None
    """UTC: when it is taken back unless somebody confirms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationLine:
    """One generation, for a list."""

    number: int
    standing: Standing
    current: bool
    who: str
    when: datetime
    note: str
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """Where the appliance stands."""

    current: int
    confirmed: int
    """The generation that a rollback of an unconfirmed one comes back to."""
    phase: Phase | None
    """None when nothing is underway."""
    holder: str = ""
    """Who has the lock, and since when."""
    deadline: datetime | None = None
    remaining: int = 0
    """Seconds until the deadline, by the appliance's own clock."""
    unfinished: tuple[str, ...] = ()
    """Components that could not be undone; the next commit or ``resume`` acts on them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that can be looked at without changing anything."""

    status: CommitStatus
    programs: tuple[Status, ...]
    findings: tuple[Finding, ...]
    """Of each component's probe, of edits, and of the disk."""
    edits: tuple[Edit, ...]
    free_bytes: int
    total_bytes: int

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, warnings aside."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)
