"""From one generation to another: switch, act, probe; and back again when something fails.

A transition is made of values that both generations keep on disk, so the same
code carries a commit, takes one back in the same process, and takes one back
after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.commit.generations import Folder, Written
from appliance.commit.journal import Journal, Underway, write_journal
from appliance.commit.keeping import Kinds
from appliance.commit.order import dependents
from appliance.commit.planning import failure
from appliance.commit.results import Phase
from appliance.contract.components import Finding, Machine, Severity
from appliance.contract.context import Cancelled, Progress
from appliance.contract.refusals import Refused

__all__ = ["GRACE", "Failed", "Transition", "errors_of", "probe_one"]

GRACE = 120
"""Seconds by which the root helper's own timer is later than ours: time to act and probe everything."""


class Failed(Exception):
    """A phase did not pass."""

    def __init__(self, phase: Phase, findings: Sequence[Finding]) -> None:
        self.phase = phase
        self.findings = tuple(findings)
        super().__init__("; ".join(str(finding) for finding in findings))


def errors_of(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that stop a commit."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The change from ``before`` to ``after``, both as written on disk."""

    folder: Folder
    machine: Machine
    kinds: Kinds
    before: Written
    after: Written
    progress: Callable[[Progress], None]

    def preflight(self, order: Sequence[str]) -> tuple[Finding, ...]:
        """What the components that will act say of their files, and whether their old ones can be made again, because
        only then can it be undone. Nothing runs yet.

        One whose files are those that it runs on has passed before, and so has one
        that only follows data it ``trusts``.
        """
        findings: list[Finding] = []
        for name in order:
            if name in self.before.kept:
                try:
                    self.kinds.restore(self.before.kept[name])
                except Refused as error:
                    findings.append(failure(name, error))
        for name in self._preflown(order):
            self.progress(Progress(done=0, total=0, doing=f"{Phase.PREFLIGHT} {name}"))
            try:
                component = self.kinds.restore(self.after.kept[name])
                findings += component.preflight(self.folder.of(self.after.manifest.number) / name, self.machine)
            except Cancelled:
                raise
            except Exception as error:
                findings.append(failure(name, error))
        return tuple(findings)

    def _preflown(self, order: Sequence[str]) -> list[str]:
        """Of those that will act, those whose configuration is new to them."""
        return [name for name in order if name in self.after.kept and not self._only_new_data(name, order)]

    def _only_new_data(self, name: str, order: Sequence[str]) -> bool:
        """Whether it acts for nothing but data that it trusts."""
        try:
            component = self.kinds.restore(self.after.kept[name])
        except Refused:
            return False  # preflight says so
        moved = set(getattr(component, "follows", ())) & set(order)
        return bool(moved) and moved <= set(getattr(component, "trusts", ())) and self._same(name)

    def _same(self, name: str) -> bool:
        """Whether its own files and its value are those of the generation before."""
        before, after = self.before.kept.get(name), self.after.kept[name]
        if before is None or (before.digest, before.edition) != (after.digest, after.edition):
            return False
        of_both = [
            {(file.path, file.sha256, file.mode) for file in one.manifest.files if file.component == name}
            for one in (self.before, self.after)
        ]
        return of_both[0] == of_both[1]

    def advance(self, journal: Journal, underway: Underway, order: Sequence[str], guard: int) -> Underway:
        """Switch, then act in this order; each step is in the journal before it is begun. Raises Failed.

        Those that only read trusted data anew do so at the same time, unless one requires another.
        """
        underway = self._noted(journal, replace(underway, phase=Phase.SWITCH))
        try:
            self.folder.switch(underway.after)
        except OSError as error:
            raise Failed(Phase.SWITCH, (failure("", error),)) from error
        done = 0
        for wave in self._waves(order):
            underway = self._noted(journal, replace(underway, phase=Phase.ACT, acted=(*underway.acted, *wave)))
            for name in wave:
                self.progress(Progress(done=done, total=len(order), doing=f"{Phase.ACT} {name}"))
                done += 1
            self._act_together(wave, guard)
        return self._noted(journal, replace(underway, phase=Phase.PROBE))

    def probe(self, acted: Sequence[str]) -> tuple[Finding, ...]:
        """Whether those that acted serve, and all that stand on them."""
        return self._probed(self.after, acted)

    def _waves(self, order: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """The order in steps: several in one only when each of them acts for nothing but new data."""
        requires: Mapping[str, Sequence[str]] = {name: one.requires for name, one in self.after.kept.items()}
        wave: tuple[str, ...] = ()
        for name in order:
            alone = name not in self.after.kept or not self._only_new_data(name, order)
            if wave and (alone or name in dependents(wave, requires)):
                yield wave
                wave = ()
            if alone:
                yield (name,)
            else:
                wave = (*wave, name)
        if wave:
            yield wave

    def _act_together(self, wave: tuple[str, ...], guard: int) -> None:
        """All of them to their end, whatever fails. Raises Failed with what did."""
        if len(wave) == 1:
            raised = [self._raised(wave[0], guard)]
        else:
            with ThreadPoolExecutor(len(wave), thread_name_prefix="gerbang-act") as threads:
                raised = list(threads.map(lambda name: self._raised(name, guard), wave))
        for error in raised:
            if isinstance(error, Cancelled):
                raise error
        found = tuple(failure(name, error) for name, error in zip(wave, raised, strict=True) if error is not None)
        if found:
            raise Failed(Phase.ACT, found) from next(error for error in raised if error is not None)

    def _raised(self, name: str, guard: int) -> Exception | None:
        try:
            self._act(name, self.before, self.after, guard)
        except Exception as error:
            return error
        return None

    def confirm(self) -> None:
        """Tell the components whose change the helper would take back. Raises Failed."""
        for name, kept in self.after.kept.items():
            try:
                component = self.kinds.restore(kept)
                confirm = getattr(component, "confirm", None)
                if confirm is not None:
                    confirm(self.folder.of(self.after.manifest.number) / name, self.machine)
            except Exception as error:
                raise Failed(Phase.CONFIRM, (failure(name, error),)) from error

    def undo(self, acted: Sequence[str]) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        """``current`` back, then each act in reverse; all of them, whatever fails. Who was undone, and what failed.

        The link comes first: a program that is told to read again must find the
        old files under the path that it knows.
        """
        undone: list[str] = []
        failed: list[Finding] = []
        try:
            self.folder.switch(self.before.manifest.number)
        except OSError as error:
            return (), (failure("", error),)
        for name in reversed(acted):
            try:
                self._act(name, self.after, self.before, 0)
                undone.append(name)
            except Exception as error:
                failed.append(failure(name, error))
        return tuple(undone), tuple(failed)

    def probe_undone(self, undone: Sequence[str]) -> tuple[Finding, ...]:
        """Whether the old ones serve again."""
        return errors_of(self._probed(self.before, undone))

    def _noted(self, journal: Journal, underway: Underway) -> Underway:
        try:
            write_journal(self.folder.journal, replace(journal, underway=underway))
        except OSError as error:
            raise Failed(underway.phase, (failure("", error),)) from error
        return underway

    def _act(self, name: str, before: Written, after: Written, guard: int) -> None:
        """One component; the value that acts is the new one, or the old one when there is no new."""
        kept = after.kept.get(name) or before.kept.get(name)
        if kept is None:
            # Of a generation that is lost: if it was a program, its name is enough to stop it.
            if any(one.program == name for one in self.machine.status()):
                self.machine.stop(name)
            return
        component = self.kinds.restore(kept)
        old = self.folder.of(before.manifest.number) / name if name in before.kept else None
        new = self.folder.current / name if name in after.kept else None
        guarded = getattr(component, "act_guarded", None)
        if guard and guarded is not None:
            guarded(old, new, self.machine, guard)
        else:
            component.act(old, new, self.machine)

    def _probed(self, generation: Written, acted: Sequence[str]) -> tuple[Finding, ...]:
        requires: Mapping[str, Sequence[str]] = {name: one.requires for name, one in generation.kept.items()}
        standing = set(acted) | dependents(acted, requires)
        findings: list[Finding] = []
        for name in generation.kept:
            if name in standing:
                findings += probe_one(self.folder.current / name, generation, name, self.kinds, self.machine)
        return tuple(findings)


def probe_one(files: Path, generation: Written, name: str, kinds: Kinds, machine: Machine) -> Sequence[Finding]:
    """What one component's probe says; an exception is a finding too."""
    try:
        return tuple(kinds.restore(generation.kept[name]).probe(files, machine))
    except Exception as error:
        return (failure(name, error),)
