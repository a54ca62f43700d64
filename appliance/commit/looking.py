"""What can be seen of the commit without changing anything."""

from __future__ import annotations

import shutil
from dataclasses import replace

from appliance.commit.generations import GenerationUnreadable
from appliance.commit.journal import Journal
from appliance.commit.lock import holder_of
from appliance.commit.planning import edited, failure
from appliance.commit.results import CommitStatus, Diagnosis, Edit, GenerationLine, Standing
from appliance.commit.settling import Ground
from appliance.commit.transition import probe_one
from appliance.contract.components import Finding, Severity
from appliance.contract.programs import Status
from appliance.language import _

__all__ = ["diagnosis", "lines", "status"]

SCARCE = 0.05
"""The part of the disk below which a diagnosis warns."""
FEW_BYTES = 50_000_000


def lines(ground: Ground) -> tuple[GenerationLine, ...]:
    """The generations that are kept, newest first. One that cannot be read is left out here: diagnosis names it."""
    journal = ground.journal()
    fates = {record.number: record.standing for record in journal.records}
    found = []
    for number in reversed(ground.folder.numbers()):
        try:
            manifest = ground.folder.read(number).manifest
        except GenerationUnreadable:
            continue
        waits = number == journal.current != journal.standing
        found.append(
            GenerationLine(
                number=number,
                standing=Standing.UNCONFIRMED if waits else fates.get(number, Standing.FAILED),
                current=number == journal.current,
                who=manifest.who,
                when=manifest.when,
                note=manifest.note,
                components=manifest.components,
            )
        )
    return tuple(found)


def status(ground: Ground) -> CommitStatus:
    """Where the appliance stands."""
    journal = ground.journal()
    underway = journal.underway
    return CommitStatus(
        current=ground.folder.pointed(),
        confirmed=journal.standing,
        phase=underway.phase if underway else None,
        holder=holder_of(ground.folder.lock),
        deadline=underway.deadline.wall if underway and underway.deadline else None,
        remaining=round(underway.deadline.left(ground.clock)) if underway and underway.deadline else 0,
        unfinished=tuple(one.component for one in journal.unfinished),
    )


def diagnosis(ground: Ground) -> Diagnosis:
    """Status, the programs, a probe of every component, edits by hand, and the disk."""
    journal = ground.journal()
    findings: list[Finding] = [*_unfinished(journal), *_bent(ground, journal), *_unreadable(ground, journal)]
    programs: tuple[Status, ...] = ()
    try:
        programs = ground.machine.status()
    except Exception as error:
        findings.append(failure("", error))
    edits: tuple[Edit, ...] = ()
    try:
        generation = ground.folder.read(journal.current)
        edits = ground.folder.edits(journal.current)
        findings += [edited(journal.current, edit) for edit in edits]
        for name in generation.kept:
            findings += probe_one(ground.folder.current / name, generation, name, ground.kinds, ground.machine)
    except GenerationUnreadable as error:
        findings.append(failure("", error))
    disk = shutil.disk_usage(_existing(ground))
    if disk.free < min(disk.total * SCARCE, FEW_BYTES):
        findings.append(
            _said(Severity.ERROR, _("only {free} bytes are free on the disk of the generations"), free=disk.free)
        )
    return Diagnosis(
        status=status(ground),
        programs=programs,
        findings=tuple(findings),
        edits=edits,
        free_bytes=disk.free,
        total_bytes=disk.total,
    )


def _existing(ground: Ground) -> str:
    """The folder, or what will hold it."""
    return str(next(path for path in (ground.folder.root, *ground.folder.root.parents) if path.exists()))


def _said(severity: Severity, template: str, component: str = "", **values: object) -> Finding:
    return Finding(component=component, severity=severity, template=template, values=values)


def _unfinished(journal: Journal) -> list[Finding]:
    return [
        _said(
            Severity.ERROR,
            _("could not be taken back from generation {number}; resume tries again"),
            one.component,
            number=one.generation,
        )
        for one in journal.unfinished
    ]


def _unreadable(ground: Ground, journal: Journal) -> list[Finding]:
    """Those to which nobody can go back any more. The current one is looked at more closely."""
    findings = []
    for number in ground.folder.numbers():
        if number != journal.current:
            try:
                ground.folder.read(number)
            except GenerationUnreadable as error:
                findings.append(replace(failure("", error), severity=Severity.WARNING))
    return findings


def _bent(ground: Ground, journal: Journal) -> list[Finding]:
    """``current`` against the journal, while nothing is underway that may have moved it."""
    try:
        pointed = ground.folder.pointed()
    except GenerationUnreadable as error:
        return [failure("", error)]
    if pointed == journal.current or holder_of(ground.folder.lock):
        return []
    return [
        _said(
            Severity.ERROR,
            _("current names generation {pointed}, and the journal {journal}"),
            pointed=pointed,
            journal=journal.current,
        )
    ]
