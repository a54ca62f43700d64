"""The commit, as commands use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from appliance.commit import looking
from appliance.commit.carrying import Carrying, Watching, stands
from appliance.commit.clock import Clock, SystemClock
from appliance.commit.expiring import Expiring
from appliance.commit.generations import Folder
from appliance.commit.journal import Journal, JournalUnreadable, Owed, Underway
from appliance.commit.keeping import Kinds
from appliance.commit.lock import locked
from appliance.commit.planning import Draft, draft
from appliance.commit.pruning import prune
from appliance.commit.refusing import NothingToConfirm, NothingToRollBackTo, Unconfirmed, refused, unconfirmed, warnings
from appliance.commit.rescuing import held, rescued
from appliance.commit.results import CommitStatus, Diagnosis, Ending, GenerationLine, Outcome, Phase, Plan
from appliance.commit.resuming import resumed, undone_meanwhile
from appliance.commit.settling import Ground, owed_of, refuge, retried, silent, taken_back
from appliance.commit.telling import Telling
from appliance.commit.transition import Failed, errors_of
from appliance.contract.components import Component, Finding, Machine
from appliance.contract.context import Progress
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["Commits", "NothingToConfirm", "NothingToRollBackTo", "Unconfirmed"]

PATIENCE = 5.0
"""Seconds in which what a dead process has started lets go of the lock."""
MOMENT = 1.0
"""Seconds in which the timer, or who tells what is owed, lets go of it."""


class Commits:
    """The generations of one appliance, below one folder of which this process's user is the owner.

    ``kinds`` are the classes that components are of. ``keep`` confirmed
    generations stay. ``told`` hears of what was taken back while nobody waited for
    it, in a thread of its own, and again when it raises; without it the journal
    keeps that for who comes after us. Call ``recover`` first, once; it may be
    called at any time.
    """

    def __init__(
        self,
        folder: Path,
        machine: Machine,
        kinds: Iterable[type],
        *,
        clock: Clock | None = None,
        keep: int = 10,
        told: Callable[[Owed], None] | None = None,
    ) -> None:
        if keep < 1:
            raise ValueError("at least one generation is kept")
        self._ground = Ground(Folder(folder), machine, Kinds(kinds), clock or SystemClock())
        self._keep = keep
        self._telling = Telling(self._ground, told)
        self._timer = Expiring(self.expire, self._ground.clock)

    def plan(self, components: Sequence[Component]) -> Plan:
        """What a commit would do and all that is wrong with it. Writes nothing. Raises Refused."""
        journal = self._ground.journal()
        return self._draft(journal, components).plan

    def commit(
        self,
        components: Sequence[Component],
        who: str,
        note: str = "",
        confirm_within: int = 0,
        progress: Watching = silent,
        *,
        overwrite: bool = False,
    ) -> Outcome:
        """Make the machine what these components say, or leave it as it was.

        ``confirm_within`` is in seconds; 0: it is confirmed once it serves.
        ``overwrite``: go on although files were edited by hand. Raises Refused
        when it cannot begin (Busy, Unconfirmed), Cancelled when ``progress``
        does, after undoing.
        """
        with self._locked(who) as found:
            if found.underway is not None:
                raise unconfirmed(found)
            journal, left = retried(self._ground, found)
            made = self._draft(journal, components)
            findings = (*made.plan.findings, *warnings(left))
            if not overwrite:
                findings = (*findings, *refused(made.plan.standing, made.plan.edits))
            if errors_of(findings):
                return self._outcome(Ending.REFUSED, journal, findings, Phase.VERIFY)
            if made.plan.empty and journal.standing:
                return self._outcome(Ending.UNCHANGED, journal, findings)
            progress(Progress(done=0, total=len(made.plan.acts), doing=Phase.RENDER))
            underway = Underway(
                before=journal.standing,
                after=made.plan.generation,
                phase=Phase.RENDER,
                who=who,
                note=note,
                since=self._ground.clock.now(),
            )
            begun = replace(journal, last=underway.after)
            return self._carried(
                Carrying(self._ground, begun, underway, progress, self._keep), findings, confirm_within, made
            )

    def confirm(self, who: str) -> Outcome:
        """Keep the generation that waits. Raises NothingToConfirm."""
        with self._locked(who) as waiting:
            underway = waiting.underway
            if underway is None:
                raise NothingToConfirm(_("no generation waits to be confirmed"))
            transition = self._ground.transition(underway.before, underway.after)
            try:
                transition.confirm()
            except Failed as error:
                return self._taken_back(waiting, underway, error.phase, error.findings)
            try:
                journal = stands(self._ground, waiting, underway.after, who, self._keep)
            except OSError as error:
                raise Refused(_("the journal cannot be written: {error}"), error=str(error)) from error
            self._timer.clear()
            return self._outcome(Ending.CONFIRMED, journal, generation=underway.after)

    def rollback(self, to: int | None = None, *, who: str, progress: Watching = silent) -> Outcome:
        """Take back the generation that waits; or go to an older one: ``to``, or the last confirmed before this one.

        ``to`` 0 is the empty machine. Raises NothingToRollBackTo.
        """
        with self._locked(who) as found:
            journal = found
            if found.underway is not None:
                outcome = self._taken_back(found, found.underway)
                if outcome.ending is not Ending.UNDONE or to is None or to == outcome.standing:
                    return outcome
                journal = self._ground.journal()
            journal, left = retried(self._ground, journal)
            target = refuge(self._ground, journal, below=journal.standing) if to is None else to
            if (to is None and not target) or (target and target not in self._ground.folder.numbers()):
                raise NothingToRollBackTo(_("there is no generation {to} to go back to"), to=target or "")
            if target == journal.standing:
                return self._outcome(Ending.UNCHANGED, journal)
            said = (*warnings(left), *self._altered(target))
            if errors_of(said):
                return self._outcome(Ending.REFUSED, journal, said, Phase.VERIFY)
            underway = Underway(
                before=journal.standing,
                after=target,
                phase=Phase.PREFLIGHT,
                who=who,
                since=self._ground.clock.now(),
            )
            return self._carried(Carrying(self._ground, journal, underway, progress, self._keep), said, 0, None)

    def recover(self) -> Outcome | None:
        """After a start: take back what a death has interrupted or what nobody has confirmed in time, and set the
        timer for what still waits. None when there was nothing to take back. What it raises, the timer tries again; of
        a journal that cannot be read, JournalUnreadable, the log has said all."""
        try:
            with self._locked("recover", settle=False, patience=PATIENCE) as interrupted:
                outcome = self._settled(interrupted)
                journal = self._ground.journal()
                if journal.underway is None and self._ground.folder.pointed() != journal.standing:
                    self._ground.folder.switch(journal.standing)
        except JournalUnreadable as error:
            self._timer.say_spoilt(error)
            raise
        except Exception:
            self._timer.again()
            raise
        finally:
            self._telling.begin()
        return outcome

    def hold(self) -> tuple[str, ...]:
        """After a start without a journal that can be read: let what ``current`` names serve; who had to act for it."""
        with self._alone("start", PATIENCE):
            return held(self._ground)

    def rescue(self, who: str) -> Outcome:
        """Put a journal aside that cannot be read, and begin another; see ``rescued``. Raises NothingToRecover."""
        with self._alone(who):
            return rescued(self._ground, who)

    def resume(self, who: str, progress: Watching = silent) -> Outcome:
        """After a boot: make every component of the current generation act whose probe says that it does not serve.

        A generation that waits is taken back instead when the helper has undone a part of it while nobody was here:
        made to act again, that part would stand for good though nobody has confirmed it.
        """
        with self._locked(who) as found:
            if found.underway is not None and (undone := undone_meanwhile(self._ground, found.underway)):
                return self._taken_back(found, found.underway, Phase.CONFIRM, undone, unasked=True)
            return resumed(self._ground, found, progress)

    def expire(self) -> Outcome | None:
        """Take back what nobody has confirmed in time; None when there is no such thing."""
        with self._locked("the confirm timer", settle=False) as journal:
            return self._settled(journal)

    def generations(self) -> tuple[GenerationLine, ...]:
        """Those that are kept, newest first."""
        return looking.lines(self._ground)

    def status(self) -> CommitStatus:
        """Where the appliance stands."""
        return looking.status(self._ground)

    def diagnose(self) -> Diagnosis:
        """Probe everything, and look for edits by hand."""
        return looking.diagnosis(self._ground)

    def close(self) -> None:
        """Stop the timer. What waits is taken back by the next ``recover``, if its time has passed by then."""
        self._timer.close()
        self._telling.close()

    def owe(self, command: str, who: str, outcome: Outcome, *, service: str = "machine") -> None:
        """Keep an outcome that the audit log could not be told, and tell it until it can."""
        self._telling.owe(owed_of(self._ground, command, who, outcome, service))

    @contextmanager
    def _locked(self, who: str, *, settle: bool = True, patience: float = MOMENT) -> Iterator[Journal]:
        """The journal, under the lock, with what a death has interrupted settled."""
        with self._alone(who, patience):
            # Read first: without a journal, where ``current`` leads is all that is known.
            journal = self._ground.journal()
            self._ground.folder.prepare()
            if settle and self._settled(journal) is not None:
                journal = self._ground.journal()
                if journal.underway is not None:
                    raise Refused(_("generation {number} could not be taken back"), number=journal.underway.after)
            yield journal

    @contextmanager
    def _alone(self, who: str, patience: float = MOMENT) -> Iterator[None]:
        folder = self._ground.folder
        folder.root.mkdir(mode=0o750, parents=True, exist_ok=True)
        with locked(folder.lock, who, self._ground.clock.now(), patience):
            yield

    def _settled(self, journal: Journal) -> Outcome | None:
        """Take back what is underway, unless it waits in its time."""
        underway = journal.underway
        if underway is None:
            return None
        if underway.phase is Phase.CONFIRM and underway.deadline is not None:
            left = underway.deadline.left(self._ground.clock)
            if left > 0:
                self._timer.set(left)
                return None
        return self._taken_back(journal, underway, unasked=True)

    def _taken_back(
        self,
        journal: Journal,
        underway: Underway,
        failed: Phase | None = None,
        findings: tuple[Finding, ...] = (),
        *,
        unasked: bool = False,
    ) -> Outcome:
        """Take it back; when nobody has asked for that, the audit log hears of it."""
        self._timer.clear()
        outcome = taken_back(self._ground, journal, underway, failed, findings, unasked=unasked)
        left = prune(self._ground, self._ground.journal(), self._keep)
        if left.underway is not None:
            # The link would not be moved: who could ask for it again may be cut off.
            self._timer.again()
        self._telling.begin()
        return outcome

    def _draft(self, journal: Journal, components: Sequence[Component]) -> Draft:
        number = max((journal.last, *self._ground.folder.numbers())) + 1
        return draft(self._ground.folder, journal, number, components, self._ground.kinds)

    def _carried(
        self, carrying: Carrying, findings: tuple[Finding, ...], confirm_within: int, made: Draft | None
    ) -> Outcome:
        outcome = carrying.carry(findings, confirm_within, made)
        if outcome.ending is Ending.UNCONFIRMED:
            self._timer.set(confirm_within)
        return outcome

    def _altered(self, number: int) -> tuple[Finding, ...]:
        return refused(number, self._ground.folder.edits(number))

    def _outcome(
        self,
        ending: Ending,
        journal: Journal,
        findings: tuple[Finding, ...] = (),
        phase: Phase | None = None,
        *,
        generation: int = 0,
    ) -> Outcome:
        return Outcome(ending=ending, generation=generation, standing=journal.current, findings=findings, phase=phase)
