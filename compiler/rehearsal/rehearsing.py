"""The two ways in: from an intent, and from a script that somebody runs already."""

from __future__ import annotations

from compiler.errors import UsageError
from compiler.rehearsal.calls import call_from_outside, call_from_router
from compiler.rehearsal.downloads import play_downloads
from compiler.rehearsal.failing import play_failure
from compiler.rehearsal.intent_scene import intent_scene
from compiler.rehearsal.options import Failing, Progress, RehearsalOptions, WayToFail
from compiler.rehearsal.result import Rehearsal
from compiler.rehearsal.scene import Scene
from compiler.rehearsal.script_scene import script_scene
from compiler.rehearsal.shares import play_workload, seen_of
from compiler.rehearsal.world import client_addresses

__all__ = ["rehearse_intent", "rehearse_script"]

_DEFAULT = RehearsalOptions()


def rehearse_intent(
    text: str,
    source: str,
    target: str = "routeros7",
    options: RehearsalOptions = _DEFAULT,
    progress: Progress | None = None,
) -> Rehearsal:
    """What the intent's configuration for ``target`` (``routeros6``, ``routeros7``, ``linux``) does.

    Raises InputErrors for the intent, CannotSay for what the target has no words for, and UsageError for an
    unknown target or uplink.
    """
    return _rehearse(intent_scene(text, source, target), options, progress)


def rehearse_script(
    text: str,
    source: str,
    *,
    version: int | None = None,
    inside: tuple[str, ...] = (),
    uplinks: tuple[str, ...] = (),
    options: RehearsalOptions = _DEFAULT,
    progress: Progress | None = None,
) -> Rehearsal:
    """What a RouterOS script does. ``inside`` and ``uplinks`` name interfaces; without them they are found out.

    ``version`` is 6 or 7; without it the script's own words decide. Raises
    InputErrors for what cannot be read and UsageError where no uplink is found.
    """
    return _rehearse(script_scene(text, source, version, inside, uplinks), options, progress)


def _rehearse(scene: Scene, options: RehearsalOptions, progress: Progress | None) -> Rehearsal:
    failures = _failures(scene, options)
    steps = 3 + len(failures)

    def done(step: int) -> None:
        if progress is not None:
            progress(step, steps)

    world, flows = play_workload(scene, options)
    seen = seen_of(world, flows)
    done(1)
    incoming = tuple(call_from_outside(world))
    own = tuple(call_from_router(world))
    done(2)
    downloads = tuple(play_downloads(scene, options)) if options.downloads else ()
    done(3)
    suffered = []
    for number, failing in enumerate(failures, 4):
        suffered.append(play_failure(scene, failing, options))
        done(number)
    return Rehearsal(
        scene.source,
        scene.target,
        options.seed,
        sum(map(len, client_addresses(scene, options.clients).values())),
        len(flows),
        seen.repeated,
        scene.plan is not None,
        seen.marks,
        seen.uplinks,
        seen.classes,
        seen.unmarked,
        seen.remarked,
        seen.moved,
        seen.unfinished,
        seen.reasons,
        seen.fairness,
        seen.stickiness,
        incoming,
        own,
        downloads,
        tuple((line.name, line.download, line.upload) for line in scene.lines),
        tuple(suffered),
        () if scene.plan is None else tuple(one.name for one in scene.plan.balance.uplinks if one.probes),
        scene.notes,
    )


def _failures(scene: Scene, options: RehearsalOptions) -> tuple[Failing, ...]:
    names = [line.name for line in scene.lines]
    if options.failures is None:
        return tuple(Failing(name, way) for name in names for way in WayToFail)
    for failing in options.failures:
        if failing.uplink not in names:
            raise UsageError(f"{scene.source} has no uplink {failing.uplink!r}: it has {', '.join(names)}")
    return options.failures
