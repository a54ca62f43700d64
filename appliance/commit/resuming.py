"""After a boot, or when a program has failed too often: what does not serve acts again."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.commit.carrying import Watching
from appliance.commit.generations import Written
from appliance.commit.journal import Journal, Underway
from appliance.commit.keeping import Kept, KindUnknown
from appliance.commit.order import in_order
from appliance.commit.planning import failure
from appliance.commit.results import Ending, Outcome
from appliance.commit.settling import Ground, retried
from appliance.commit.transition import errors_of, probe_one
from appliance.contract.components import Finding
from appliance.contract.context import Progress

__all__ = ["is_guarded", "resumed", "revived", "undone_meanwhile"]


def resumed(ground: Ground, found: Journal, progress: Watching) -> Outcome:
    """Try again what could not be undone, then make all act that does not serve. Raises GenerationUnreadable."""
    journal, findings = retried(ground, found)
    acted: list[str] = []
    for name, said in revived(ground, journal, progress):
        acted.append(name)
        findings = (*findings, *said)
    ending = Ending.BROKEN if errors_of(findings) else Ending.CONFIRMED if acted else Ending.UNCHANGED
    return Outcome(
        ending=ending, generation=journal.current, standing=journal.current, findings=findings, acted=tuple(acted)
    )


def revived(
    ground: Ground, journal: Journal, progress: Watching, *, guarded: bool = True
) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    """Make each component of the current generation act whose probe says that it does not serve; it, and what its probe
    says then. ``guarded``: also what the helper takes back by itself. Raises GenerationUnreadable."""
    generation = ground.folder.read(journal.current)
    requires = {name: one.requires for name, one in generation.kept.items()}
    for done, name in enumerate(in_order(requires, requires, {})):
        progress(Progress(done=done, total=len(requires), doing=name))
        if (guarded or not is_guarded(ground, generation.kept[name])) and _wrong(ground, generation, name):
            yield name, _acted(ground, generation, name)


def is_guarded(ground: Ground, kept: Kept) -> bool:
    """Whether the helper takes it back by itself, unless somebody confirms it: made to act without that it could cut
    people off."""
    try:
        return hasattr(ground.kinds.restore(kept), "act_guarded")
    except KindUnknown:
        return False


def undone_meanwhile(ground: Ground, underway: Underway) -> tuple[Finding, ...]:
    """What is wrong with those that the helper takes back by itself. Raises GenerationUnreadable."""
    generation = ground.folder.read(underway.after)
    guarded = (name for name in underway.acted if name in generation.kept and is_guarded(ground, generation.kept[name]))
    return tuple(finding for name in guarded for finding in _wrong(ground, generation, name))


def _wrong(ground: Ground, generation: Written, name: str) -> tuple[Finding, ...]:
    return errors_of(probe_one(ground.folder.current / name, generation, name, ground.kinds, ground.machine))


def _acted(ground: Ground, generation: Written, name: str) -> tuple[Finding, ...]:
    files = ground.folder.current / name
    try:
        before = ground.folder.of(generation.manifest.number) / name
        ground.kinds.restore(generation.kept[name]).act(before, files, ground.machine)
    except Exception as error:
        return (failure(name, error),)
    return tuple(probe_one(files, generation, name, ground.kinds, ground.machine))
