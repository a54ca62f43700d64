"""One change carried from its first line in the journal to its outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from appliance.commit.clock import Deadline
from appliance.commit.generations import Manifest, wrote
from appliance.commit.journal import Journal, Underway, write_journal
from appliance.commit.planning import Draft, acts_between, failure, follows_of
from appliance.commit.pruning import prune
from appliance.commit.results import Ending, Outcome, Phase, Standing
from appliance.commit.settling import Ground, taken_back
from appliance.commit.transition import GRACE, Failed, Transition, errors_of
from appliance.contract.components import Finding
from appliance.contract.context import Cancelled, Progress
from appliance.contract.refusals import Refused

__all__ = ["Carrying", "Watching", "stands"]

log = logging.getLogger("gerbang.commit")
Watching = Callable[[Progress], None]
"""Hears how far it is; raises Cancelled when it should end."""


def stands(ground: Ground, journal: Journal, number: int, who: str, keep: int) -> Journal:
    """Confirm a generation, by one write of the journal; then remove old ones."""
    names = ground.folder.read(number).manifest.components
    left = tuple(one for one in journal.unfinished if one.component not in names)
    journal = replace(journal, standing=number, underway=None, unfinished=left)
    if number:
        journal = journal.became(number, Standing.CONFIRMED, who, ground.clock.now())
    write_journal(ground.folder.journal, journal)
    return prune(ground, journal, keep)


@dataclass(frozen=True, slots=True)
class Carrying:
    """What is carried. ``journal`` is as it was before, with the new number given out."""

    ground: Ground
    journal: Journal
    underway: Underway
    progress: Watching
    keep: int

    def carry(self, findings: tuple[Finding, ...], confirm_within: int, made: Draft | None) -> Outcome:
        """Carry it; ``made`` is None when the generation is on disk already. ``findings`` are warnings so far."""
        try:
            return self._carried(findings, confirm_within, made)
        except Failed as error:
            return self._taken_back(error.phase, (*findings, *error.findings))
        except (OSError, Refused) as error:
            return self._taken_back(None, (*findings, failure("", error)))
        except Cancelled:
            self._taken_back(None, ())
            raise
        except Exception as error:
            # An error of ours, or of who watches: no reason to leave the machine half changed.
            log.exception("generation %d", self.underway.after)
            return self._taken_back(None, (*findings, failure("", error)))

    def _carried(self, findings: tuple[Finding, ...], confirm_within: int, made: Draft | None) -> Outcome:
        self._note(self.underway)
        if made is not None:
            self._write(made)
        underway = replace(self.underway, phase=Phase.PREFLIGHT)
        self._note(underway)
        transition = self.ground.transition(underway.before, underway.after, self.progress)
        order = self._order(transition)
        found = _passed(Phase.PREFLIGHT, transition.preflight(order))
        underway = transition.advance(self.journal, underway, order, GRACE + confirm_within)
        found = (*findings, *found, *_passed(Phase.PROBE, transition.probe(order)))
        outcome = Outcome(
            ending=Ending.CONFIRMED,
            generation=underway.after,
            standing=underway.after,
            findings=found,
            acted=underway.acted,
        )
        if confirm_within > 0:
            deadline = self._waits(underway, confirm_within)
            return replace(outcome, ending=Ending.UNCONFIRMED, deadline=deadline.wall)
        transition.confirm()
        stands(self.ground, self.journal, underway.after, underway.who, self.keep)
        return outcome

    def _taken_back(self, phase: Phase | None, why: tuple[Finding, ...]) -> Outcome:
        """From what the journal on disk says, which is never less than what was done."""
        journal = self.ground.journal()
        if journal.underway is None:  # not even the first line could be written
            return Outcome(
                ending=Ending.REFUSED,
                generation=0,
                standing=journal.standing,
                phase=phase or self.underway.phase,
                findings=why,
            )
        outcome = taken_back(self.ground, journal, journal.underway, phase, why)
        # One that fails again and again must not fill the disk.
        prune(self.ground, self.ground.journal(), self.keep)
        return outcome

    def _waits(self, underway: Underway, confirm_within: int) -> Deadline:
        clock = self.ground.clock
        deadline = Deadline(
            boot=clock.boot(),
            since_boot=clock.since_boot() + confirm_within,
            wall=clock.now() + timedelta(seconds=confirm_within),
        )
        self._note(replace(underway, phase=Phase.CONFIRM, deadline=deadline))
        return deadline

    def _note(self, underway: Underway) -> None:
        write_journal(self.ground.folder.journal, replace(self.journal, underway=underway))

    def _write(self, made: Draft) -> None:
        manifest = Manifest(
            number=self.underway.after,
            who=self.underway.who,
            when=self.underway.since,
            note=self.underway.note,
            components=tuple(made.components),
            files=tuple(wrote(name, file) for name, files in made.files.items() for file in files),
        )
        self.ground.folder.write(manifest, tuple(made.kept.values()), made.files)

    def _order(self, transition: Transition) -> tuple[str, ...]:
        """Who acts, from what is on disk of both generations. Raises Refused."""
        before, after = transition.before, transition.after
        files = [
            {(one.component, one.path, one.sha256, one.mode) for one in written.manifest.files}
            for written in (before, after)
        ]
        touched = {component for component, *_ in files[0] ^ files[1]}
        restored = {name: self.ground.kinds.restore(kept) for name, kept in after.kept.items()}
        unfinished = {one.component for one in self.journal.unfinished}
        acts = acts_between(before, after.kept, follows_of(restored), touched, unfinished)
        return tuple(act.component for act in acts)


def _passed(phase: Phase, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The warnings among them. Raises Failed when there is an error."""
    if errors_of(findings):
        raise Failed(phase, findings)
    return findings
