"""Taking back what is underway: because it failed, because nobody confirmed it, or because we died in it.

One function does all three. It starts from the journal alone, and may be done
again from its beginning at any point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from appliance import durable
from appliance.commit.clock import Clock
from appliance.commit.generations import Folder, GenerationUnreadable, Written
from appliance.commit.journal import Journal, Underway, Unfinished, read_journal, write_journal
from appliance.commit.keeping import Kinds
from appliance.commit.planning import failure
from appliance.commit.results import Ending, Outcome, Phase, Standing
from appliance.commit.transition import Transition
from appliance.contract.components import Finding, Machine
from appliance.contract.context import Progress

__all__ = ["Ground", "retried", "silent", "taken_back"]

BEFORE_SWITCH = {Phase.VERIFY, Phase.RENDER, Phase.PREFLIGHT}


def silent(progress: Progress) -> None:
    """Progress that nobody watches, and nobody cancels."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything here works on."""

    folder: Folder
    machine: Machine
    kinds: Kinds
    clock: Clock

    def journal(self) -> Journal:
        """As it is on disk."""
        return read_journal(self.folder.journal)

    def transition(self, before: int, after: int, progress: Callable[[Progress], None] = silent) -> Transition:
        """Between two generations. Raises GenerationUnreadable."""
        return Transition(
            folder=self.folder,
            machine=self.machine,
            kinds=self.kinds,
            before=self.folder.read(before),
            after=self.folder.read(after),
            progress=progress,
        )


def taken_back(
    ground: Ground, journal: Journal, underway: Underway, failed: Phase | None, findings: Sequence[Finding]
) -> Outcome:
    """Undo what is underway and say so in the journal. ``findings``: why."""
    if underway.phase in BEFORE_SWITCH:
        ended = _ended(ground, journal, underway)
        noted = _noted(ground, ended)
        return Outcome(
            ending=Ending.REFUSED,
            generation=underway.after if ground.folder.of(underway.after).exists() else 0,
            standing=journal.standing,
            phase=failed or underway.phase,
            findings=(*findings, *noted),
        )
    # A journal that cannot be written stops a commit, and never an undo: what it says already leads here again.
    noted = _noted(ground, replace(journal, underway=replace(underway, phase=Phase.UNDO)))
    try:
        transition = ground.transition(underway.before, underway.after)
        undone, not_undone = transition.undo(underway.acted)
        stuck = ground.folder.pointed() != underway.before
    except GenerationUnreadable as error:
        undone, not_undone, stuck = (), (failure("", error),), True
        unserved: tuple[Finding, ...] = ()
    else:
        unserved = () if stuck else transition.probe_undone(undone)
    if not stuck:
        left = _left(journal.unfinished, underway, undone, not_undone)
        noted = _noted(ground, replace(_ended(ground, journal, underway), unfinished=left))
    return Outcome(
        ending=Ending.BROKEN if not_undone or unserved else Ending.UNDONE,
        generation=underway.after,
        standing=ground.folder.pointed(),
        phase=failed or underway.phase,
        findings=(*findings, *noted),
        acted=underway.acted,
        undone=undone,
        not_undone=(*not_undone, *unserved),
    )


def retried(ground: Ground, journal: Journal) -> tuple[Journal, tuple[Finding, ...]]:
    """Try again what could not be undone; the journal with what is still left, and why."""
    left: list[Unfinished] = []
    findings: list[Finding] = []
    for one in journal.unfinished:
        try:
            _act_again(ground, ground.folder.read(journal.current), one)
        except Exception as error:
            left.append(one)
            findings.append(failure(one.component, error))
    if len(left) == len(journal.unfinished):
        return journal, tuple(findings)
    settled = replace(journal, unfinished=tuple(left))
    findings += _noted(ground, settled)
    return settled, tuple(findings)


def _act_again(ground: Ground, current: Written, one: Unfinished) -> None:
    was = ground.folder.read(one.generation)
    kept = current.kept.get(one.component) or was.kept.get(one.component)
    if kept is None:
        return
    before = ground.folder.of(one.generation) / one.component if one.component in was.kept else None
    after = ground.folder.current / one.component if one.component in current.kept else None
    ground.kinds.restore(kept).act(before, after, ground.machine)


def _left(
    already: Iterable[Unfinished], underway: Underway, undone: Sequence[str], not_undone: Sequence[Finding]
) -> tuple[Unfinished, ...]:
    names = {finding.component for finding in not_undone} & set(underway.acted)
    rest = [one for one in already if one.component not in {*names, *undone}]
    rest += [Unfinished(component=name, generation=underway.after) for name in underway.acted if name in names]
    return tuple(rest)


def _ended(ground: Ground, journal: Journal, underway: Underway) -> Journal:
    """Nothing is underway any more. A generation that stood confirmed before stays so."""
    ended = replace(journal, underway=None)
    if underway.after in journal.confirmed() or underway.after == 0:
        return ended
    # Only what waited to be confirmed has a deadline.
    standing = Standing.FAILED if underway.deadline is None else Standing.UNDONE
    half = ground.folder.generations / f".new-{underway.after}"
    if half.exists():
        durable.remove(half)
    return ended.became(underway.after, standing, underway.who, ground.clock.now())


def _noted(ground: Ground, journal: Journal) -> tuple[Finding, ...]:
    try:
        write_journal(ground.folder.journal, journal)
    except OSError as error:
        return (failure("", error),)
    return ()
