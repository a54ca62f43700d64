"""A journal that is spoilt or gone: what serves goes on serving, and a new journal is begun when somebody asks for it.

A journal is written whole, and lasts before what it says is done. So it is lost only with the disk under it, or by
hand: what it said of who confirmed what is not to be had again. Nothing is guessed without being asked.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from appliance import durable
from appliance.commit.generations import Folder, GenerationUnreadable
from appliance.commit.journal import Journal, JournalUnreadable, Unfinished, write_journal
from appliance.commit.planning import failure
from appliance.commit.refusing import warnings
from appliance.commit.results import Ending, Outcome, Standing
from appliance.commit.resuming import is_guarded, revived
from appliance.commit.settling import Ground, silent
from appliance.commit.transition import probe_one
from appliance.contract.components import Finding, Severity
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["NothingToRecover", "held", "rescued"]


class NothingToRecover(Refused):
    """The journal is as it should be."""

    code = "nothing-to-recover"


def held(ground: Ground) -> tuple[str, ...]:
    """While there is no journal: make act what does not serve of the generation that ``current`` names; who acted.

    What the helper takes back by itself, the network, is left to it: perhaps nobody has confirmed it. Raises
    GenerationUnreadable.
    """
    journal = Journal(standing=ground.folder.pointed())
    return tuple(name for name, _said in revived(ground, journal, silent, guarded=False))


def rescued(ground: Ground, who: str) -> Outcome:
    """Put the journal aside, and begin another from what is there; the machine is not touched.

    The generation that ``current`` names stands; of the others nobody knows what became of them. All of it is
    unfinished, so that the next commit or resume makes it act again, and stops what else runs. What the old journal
    owed the audit log stands in it alone. Raises NothingToRecover, JournalUnreadable when it is the rights that are in
    the way, Refused, and OSError.
    """
    folder, now = ground.folder, ground.clock.now()
    why = _why(ground)
    findings = [_said(_("{path} was no journal any more: {why}"), path=str(folder.journal), why=why)]
    stamp = f"spoilt-{now:%Y%m%dT%H%M%SZ}"
    findings += _put_aside(folder.journal, stamp)
    pointed, standing = _pointed(folder), _standing(folder)
    if not folder.current.is_symlink():
        findings += _put_aside(folder.current, stamp)
    if pointed != standing:
        folder.switch(standing)
        words = _("current did not lead to a generation that can be read; generation {number} is the newest that can")
        findings.append(_said(words, number=standing))
    folder.prepare()
    journal = Journal(standing=standing, last=max((standing, pointed or 0, *folder.numbers())))
    for number in folder.numbers():
        fate = Standing.CONFIRMED if number == standing else Standing.UNKNOWN
        journal = journal.became(number, fate, who, now)
    unfinished, seen = _unfinished(ground, standing)
    try:
        write_journal(folder.journal, replace(journal, unfinished=unfinished))
    except OSError as error:
        raise Refused(_("the journal cannot be written: {error}"), error=str(error)) from error
    words = _("whether generation {number} was confirmed is not known; the next commit makes all of it act again")
    if not standing:
        words = _("no generation can be read any more: the next commit makes everything anew")
    findings += [*seen, _said(words, number=standing)]
    return Outcome(ending=Ending.CONFIRMED, generation=standing, standing=standing, findings=tuple(findings))


def _why(ground: Ground) -> str:
    """What is wrong with the journal. Raises NothingToRecover, and JournalUnreadable for one that may be whole."""
    try:
        ground.journal()
    except JournalUnreadable as error:
        if isinstance(error.__cause__, PermissionError):
            raise
        return str(error.values["why"])
    raise NothingToRecover(_("the journal can be read: there is nothing to recover"))


def _put_aside(path: Path, stamp: str) -> list[Finding]:
    """Under a name that nothing has yet; nothing when it is gone."""
    if not os.path.lexists(path):
        return []
    names = (f"{path.name}.{stamp}{again}" for again in ("", *(f"-{number}" for number in range(2, 1000))))
    aside = next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
    os.rename(path, aside)
    durable.sync_folder(path.parent)
    return [_said(_("it was put aside as {path}"), path=str(aside))]


def _pointed(folder: Folder) -> int | None:
    """What ``current`` names; None when it names nothing."""
    try:
        return folder.pointed() if folder.current.is_symlink() else None
    except GenerationUnreadable:
        return None


def _standing(folder: Folder) -> int:
    """What ``current`` names, if that can be read; else the newest that can, rather one from before it; 0: none."""
    pointed = _pointed(folder)
    if pointed is not None and not folder.found(pointed).lost:
        return pointed
    readable = [number for number in folder.numbers() if not folder.found(number).lost]
    older = [number for number in readable if pointed is None or number < pointed]
    return max(older or readable, default=0)


def _unfinished(ground: Ground, standing: int) -> tuple[tuple[Unfinished, ...], list[Finding]]:
    """All that has to act again, programs that run and are of no generation any more among it, and what was seen."""
    generation = ground.folder.found(standing)
    findings: list[Finding] = []
    names: list[str] = []
    for name, kept in generation.kept.items():
        if is_guarded(ground, kept):
            seen = probe_one(ground.folder.current / name, generation, name, ground.kinds, ground.machine)
            findings += warnings(seen)
        else:
            names.append(name)
    try:
        running = [one.program for one in ground.machine.status()]
    except Exception as error:
        findings += warnings((failure("", error),))
        running = []
    for name in running:
        if name not in generation.kept:
            names.append(name)
            words = _("it runs, and generation {number} does not have it: a commit stops it unless it is wanted")
            findings.append(_said(words, name, number=standing))
    return tuple(Unfinished(component=name, generation=standing) for name in names), findings


def _said(template: str, component: str = "", **values: object) -> Finding:
    return Finding(component=component, severity=Severity.WARNING, template=template, values=values)
