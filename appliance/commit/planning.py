"""What a commit would do: everything that is decided before a byte is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from appliance.commit.differing import differences
from appliance.commit.generations import Folder, Written
from appliance.commit.journal import Journal
from appliance.commit.keeping import Kept, Kinds
from appliance.commit.order import cycles, in_order
from appliance.commit.results import Action, Edit, Plan, PlannedAct
from appliance.contract.components import Component, Finding, RenderedFile, Severity
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["Draft", "acts_between", "draft", "edited", "failure", "follows_of"]

NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
RESERVED = {"manifest.json", "components.json"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with what is needed to carry it out."""

    plan: Plan
    components: Mapping[str, Component]
    files: Mapping[str, Sequence[RenderedFile]]
    kept: Mapping[str, Kept]


def failure(component: str, error: Exception) -> Finding:
    """An exception as a finding. A refusal keeps its words for the translation."""
    if isinstance(error, Refused) and type(error).__str__ is Exception.__str__:
        return Finding(component=component, severity=Severity.ERROR, template=error.template, values=dict(error.values))
    words = str(error) or type(error).__name__
    return Finding(component=component, severity=Severity.ERROR, template="{error}", values={"error": words})


def draft(folder: Folder, journal: Journal, number: int, components: Sequence[Component], kinds: Kinds) -> Draft:
    """Verify all, render all in memory, and say what differs from the generation that stands. When that is
    lost, everything does."""
    before = folder.found(journal.standing)
    named = {component.name: component for component in components}
    findings = [*_names(components), *_requirements(named)]
    if not findings:  # what the components say of one another has a meaning only among names that exist once
        findings += _verified(named)
    files, unrendered = _rendered(named)
    kept, unkept = _kept(named, kinds)
    findings += [*unrendered, *unkept]
    edits = folder.edits(journal.standing)
    findings += [edited(journal.standing, edit) for edit in edits]
    changes = differences(folder, before.manifest, files) if not unrendered else ()
    acts: tuple[PlannedAct, ...] = ()
    if not (unkept or unrendered or cycles(_requires(named))):
        touched = {change.component for change in changes}
        unfinished = {one.component for one in journal.unfinished}
        acts = acts_between(before, kept, follows_of(named), touched, unfinished)
    plan = Plan(
        generation=number,
        standing=journal.standing,
        findings=tuple(findings),
        files=changes,
        acts=acts,
        edits=edits,
    )
    return Draft(plan, named, files, kept)


def _wrong(component: str, template: str, place: str = "", **values: object) -> Finding:
    return Finding(component=component, severity=Severity.ERROR, template=template, values=values, place=place)


def edited(number: int, edit: Edit) -> Finding:
    """A finding about an edit by hand: a warning, because the machine may well serve with it."""
    templates = {
        Action.ADD: _("{path} of generation {number} was added by hand"),
        Action.CHANGE: _("{path} of generation {number} was edited by hand; a commit overwrites it"),
        Action.REMOVE: _("{path} of generation {number} was removed by hand"),
    }
    return Finding(
        component=edit.component,
        severity=Severity.WARNING,
        template=templates[edit.action],
        values={"path": edit.path, "number": number},
    )


def _names(components: Sequence[Component]) -> list[Finding]:
    seen: set[str] = set()
    findings = []
    for component in components:
        name = component.name
        if name in seen:
            findings.append(_wrong(name, _("there are two components of this name")))
        elif not NAME.fullmatch(name) or name in RESERVED or len(name) > 100:
            findings.append(_wrong(name, _("{name} is no name for a component"), name=name))
        seen.add(name)
    return findings


def _requires(named: Mapping[str, Component]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(component.requires) for name, component in named.items()}


def _requirements(named: Mapping[str, Component]) -> list[Finding]:
    requires = _requires(named)
    findings = [
        _wrong(name, _("requires {required}, which is not there"), required=required)
        for name, wanted in requires.items()
        for required in wanted
        if required not in named
    ]
    findings += [
        _wrong(name, _("follows {followed}, which it does not require"), followed=followed)
        for name, wanted in follows_of(named).items()
        for followed in wanted
        if followed not in requires[name]
    ]
    findings += [
        _wrong(circle[0], _("requires itself: {circle}"), circle=" -> ".join((*circle, circle[0])))
        for circle in cycles(requires)
    ]
    return findings


def _verified(named: Mapping[str, Component]) -> list[Finding]:
    findings: list[Finding] = []
    for name, component in named.items():
        try:
            findings += component.verify(named)
        except Exception as error:
            findings.append(failure(name, error))
    return findings


def _rendered(named: Mapping[str, Component]) -> tuple[dict[str, tuple[RenderedFile, ...]], list[Finding]]:
    files: dict[str, tuple[RenderedFile, ...]] = {}
    findings: list[Finding] = []
    for name, component in named.items():
        try:
            files[name] = tuple(component.render())
        except Exception as error:
            findings.append(failure(name, error))
        else:
            findings += _paths(name, files[name])
    return files, findings


def _paths(component: str, files: Sequence[RenderedFile]) -> list[Finding]:
    findings = []
    paths = {file.path for file in files}
    seen: set[str] = set()
    for file in files:
        path = file.path
        if not _is_inside(path):
            findings.append(_wrong(component, _("{path} is no path inside the component's folder"), path=path))
        elif path in seen:
            findings.append(_wrong(component, _("{path} is rendered twice"), path=path))
        elif any(str(parent) in paths for parent in PurePosixPath(path).parents):
            findings.append(_wrong(component, _("{path} lies in a file"), path=path))
        mode = f"{file.mode:04o}"
        if file.mode & ~0o777 or not file.mode & 0o400:
            words = _("{path}: {mode} is no mode for a file that is read")
            findings.append(_wrong(component, words, path=path, mode=mode))
        elif file.mode & 0o002 or (file.secret and file.mode & 0o007):
            findings.append(_wrong(component, _("{path}: mode {mode} lets others in"), path=path, mode=mode))
        seen.add(path)
    return findings


def _is_inside(path: str) -> bool:
    """Relative, in its shortest form, and without a way up: what is written and what is named are one place."""
    return (
        bool(path)
        and "\0" not in path
        and not path.startswith("/")
        and all(part not in {"", ".", ".."} and len(part.encode(errors="replace")) <= 255 for part in path.split("/"))
    )


def _kept(named: Mapping[str, Component], kinds: Kinds) -> tuple[dict[str, Kept], list[Finding]]:
    kept: dict[str, Kept] = {}
    findings: list[Finding] = []
    for name, component in named.items():
        try:
            kept[name] = kinds.keep(component)
        except Refused as error:
            findings.append(failure(name, error))
    return kept, findings


def acts_between(
    before: Written,
    kept: Mapping[str, Kept],
    follows: Mapping[str, Sequence[str]],
    touched: Collection[str],
    unfinished: Collection[str],
) -> tuple[PlannedAct, ...]:
    """Who acts, in which order, and why: what changed, what an upgrade of our own code makes run otherwise, what was
    left unfinished, and what follows these."""
    requires = {name: one.requires for name, one in kept.items()}
    required = {name: one.requires for name, one in before.kept.items()}
    reasons: dict[str, tuple[Action, str]] = {}
    for name in in_order(kept, requires, {}):
        if name not in before.kept:
            reasons[name] = (Action.ADD, "new")
        elif name in touched:
            reasons[name] = (Action.CHANGE, "files")
        elif kept[name].digest != before.kept[name].digest:
            reasons[name] = (Action.CHANGE, "value")
        elif kept[name].edition != before.kept[name].edition:
            reasons[name] = (Action.CHANGE, "upgrade")
        elif name in unfinished:
            reasons[name] = (Action.CHANGE, "unfinished")
        elif any(other in reasons for other in follows.get(name, ())):
            reasons[name] = (Action.CHANGE, "follows")
    reasons |= dict.fromkeys(before.kept.keys() - kept.keys(), (Action.REMOVE, "gone"))
    return tuple(
        PlannedAct(component=name, action=reasons[name][0], reason=reasons[name][1])
        for name in in_order(reasons, requires, required)
    )


def follows_of(named: Mapping[str, Component]) -> dict[str, tuple[str, ...]]:
    """Whose acting makes each of them act; see appliance.contract.components.Guarded."""
    return {name: tuple(getattr(component, "follows", ())) for name, component in named.items()}
