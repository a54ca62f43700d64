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
from appliance.commit.journal import (
    Journal,
    JournalUnreadable,
    Owed,
    Underway,
    Unfinished,
    read_journal,
    write_journal,
)
from appliance.commit.keeping import Kinds
from appliance.commit.planning import acts_between, failure
from appliance.commit.results import Ending, Outcome, Phase, Standing
from appliance.commit.transition import Transition
from appliance.contract.components import Finding, Machine
from appliance.contract.context import Progress

__all__ = ["Ground", "owed_of", "refuge", "retried", "silent", "taken_back"]

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
        """As it is on disk. Raises JournalUnreadable, also when it is gone though something was committed."""
        journal = read_journal(self.folder.journal)
        if not journal.last and self.folder.numbers() and not self.folder.journal.exists():
            raise JournalUnreadable(self.folder.journal, "it is gone, and generations are there")
        return journal

    def transition(self, before: int, after: int, progress: Callable[[Progress], None] = silent) -> Transition:
        """Between two generations, as far as they are there."""
        return Transition(
            folder=self.folder,
            machine=self.machine,
            kinds=self.kinds,
            before=self.folder.found(before),
            after=self.folder.found(after),
            progress=progress,
        )


def refuge(ground: Ground, journal: Journal, *, below: int, but: int = 0) -> int:
    """The last confirmed generation below this number that can be read; 0: there is none."""
    numbers = (number for number in reversed(journal.confirmed()) if number < below and number != but)
    return next((number for number in numbers if not ground.folder.found(number).lost), 0)


def owed_of(ground: Ground, command: str, who: str, outcome: Outcome, service: str = "machine") -> Owed:
    """What the audit log is owed of an outcome."""
    return Owed(
        service=service,
        command=command,
        who=who,
        ending=outcome.ending,
        generation=outcome.generation,
        standing=outcome.standing,
        when=ground.clock.now(),
    )


def taken_back(
    ground: Ground,
    journal: Journal,
    underway: Underway,
    failed: Phase | None,
    findings: Sequence[Finding],
    *,
    unasked: bool = False,
) -> Outcome:
    """Undo what is underway and say so in the journal. ``findings``: why. ``unasked``: nobody waits for the outcome, so
    the journal owes it to the audit log from the same write on."""
    if underway.phase in BEFORE_SWITCH:
        refused = Outcome(
            ending=Ending.REFUSED,
            generation=underway.after if ground.folder.of(underway.after).exists() else 0,
            standing=journal.standing,
            phase=failed or underway.phase,
            findings=tuple(findings),
        )
        return _closed(ground, _ended(ground, journal, underway), refused, unasked=unasked)
    if ground.folder.found(underway.before).lost:
        elsewhere = _elsewhere(ground, journal, underway)
        if elsewhere is None:
            return _stays(ground, journal, underway, failed, findings, unasked=unasked)
        underway = elsewhere
    # A journal that cannot be written stops a commit, and never an undo: what it says already leads here again.
    noted = _noted(ground, replace(journal, underway=replace(underway, phase=Phase.UNDO)))
    transition = ground.transition(underway.before, underway.after)
    undone, not_undone = transition.undo(underway.acted)
    try:
        stuck = ground.folder.pointed() != underway.before
    except GenerationUnreadable as error:
        not_undone, stuck = (*not_undone, failure("", error)), True
    unserved = () if stuck else transition.probe_undone(undone)
    outcome = Outcome(
        ending=Ending.BROKEN if not_undone or unserved else Ending.UNDONE,
        generation=underway.after,
        standing=underway.after if stuck else underway.before,
        phase=failed or underway.phase,
        findings=tuple(findings),
        acted=underway.acted,
        undone=undone,
        not_undone=(*not_undone, *unserved),
    )
    if stuck:
        return replace(outcome, findings=(*findings, *noted))
    left = _left(journal.unfinished, underway, undone, not_undone)
    ended = replace(_ended(ground, journal, underway), standing=underway.before, unfinished=left)
    return _closed(ground, ended, outcome, unasked=unasked)


def _closed(ground: Ground, journal: Journal, outcome: Outcome, *, unasked: bool) -> Outcome:
    """The end in the journal."""
    if unasked:
        journal = replace(journal, owed=(*journal.owed, owed_of(ground, "rollback", "", outcome)))
    return replace(outcome, findings=(*outcome.findings, *_noted(ground, journal)))


def _elsewhere(ground: Ground, journal: Journal, underway: Underway) -> Underway | None:
    """The same change, as if it had begun from the last confirmed generation that is there still: where it did begin is
    lost. None when there is none."""
    refuge_there = refuge(ground, journal, below=underway.after, but=underway.before)
    if not refuge_there:
        return None
    after, goal = ground.folder.found(underway.after), ground.folder.found(refuge_there)
    there = acts_between(after, goal.kept, {}, goal.kept, ())
    names = [act.component for act in there]
    # Of what is lost itself only those are known that have acted.
    names += [name for name in underway.acted if name not in names]
    return replace(underway, before=refuge_there, acted=tuple(reversed(names)))


def _stays(
    ground: Ground,
    journal: Journal,
    underway: Underway,
    failed: Phase | None,
    findings: Sequence[Finding],
    *,
    unasked: bool,
) -> Outcome:
    """There is nothing left to go back to: the new generation stands as far as it came.

    The next commit or resume makes all of it act again. Better that than a machine
    that nobody can change any more, or one that serves nothing.
    """
    try:
        ground.folder.read(underway.before)
    except GenerationUnreadable as error:
        findings = (*findings, failure("", error))
    left = tuple(
        Unfinished(component=name, generation=underway.after) for name in ground.folder.found(underway.after).kept
    )
    stands = replace(journal, standing=underway.after, underway=None, unfinished=left)
    stands = stands.became(underway.after, Standing.CONFIRMED, underway.who, ground.clock.now())
    try:
        ground.folder.switch(underway.after)
    except OSError as error:
        findings = (*findings, failure("", error))
    broken = Outcome(
        ending=Ending.BROKEN,
        generation=underway.after,
        standing=underway.after,
        phase=failed or underway.phase,
        acted=underway.acted,
        not_undone=tuple(findings),
    )
    return _closed(ground, stands, broken, unasked=unasked)


def retried(ground: Ground, journal: Journal) -> tuple[Journal, tuple[Finding, ...]]:
    """Try again what could not be undone; the journal with what is still left, and why."""
    left: list[Unfinished] = []
    findings: list[Finding] = []
    for one in journal.unfinished:
        try:
            if not _act_again(ground, ground.folder.read(journal.current), one):
                left.append(one)
        except Exception as error:
            left.append(one)
            findings.append(failure(one.component, error))
    if len(left) == len(journal.unfinished):
        return journal, tuple(findings)
    settled = replace(journal, unfinished=tuple(left))
    findings += _noted(ground, settled)
    return settled, tuple(findings)


def _act_again(ground: Ground, current: Written, one: Unfinished) -> bool:
    """False as long as nobody knows what should become of it."""
    was = ground.folder.found(one.generation)
    kept = current.kept.get(one.component) or was.kept.get(one.component)
    if kept is None:
        # Of a generation that is lost: if it is a program, its name is enough to stop it.
        if current.kept and any(status.program == one.component for status in ground.machine.status()):
            ground.machine.stop(one.component)
        return bool(current.kept)
    before = ground.folder.of(one.generation) / one.component if one.component in was.kept else None
    after = ground.folder.current / one.component if one.component in current.kept else None
    ground.kinds.restore(kept).act(before, after, ground.machine)
    return True


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
