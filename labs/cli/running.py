"""``gerbang lab run``: one or both worlds, verdicts, differences, captures, a report."""

from __future__ import annotations

import gc
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from compiler.cli.output import Paint, emit_json, emit_lines, note, write_whole
from compiler.errors import UsageError
from compiler.placed.complaints import near
from compiler.placed.quantities import format_duration, format_octets
from labs.agreement import Difference, compare, in_both
from labs.assertions import Verdict, VerdictState, captured_links, judge_all, say
from labs.cli.keeping import aside, keep
from labs.cli.named import count, named_lab
from labs.cli.progress import LabProgress
from labs.determined import left_out, uncompared, unsettled
from labs.words.commands import how_it_ended, last_lines, show_fallen
from labs.words.showing import several

if TYPE_CHECKING:
    from labs.report.page import World
    from labs.topology import Lab

__all__ = ["run"]


class _Run(NamedTuple):
    lab: Lab
    variant: str
    worlds: tuple[World, ...]
    seconds: tuple[float, ...]
    differences: tuple[Difference, ...] | None

    @property
    def is_right(self) -> bool:
        """No assertion failed, no program ended too early, and the worlds agree."""
        failed = any(verdict.state is VerdictState.FAILED for world in self.worlds for verdict in world.verdicts)
        fallen = any(world.observation.fallen() for world in self.worlds)
        return not failed and not fallen and not self.differences


def run(arguments: Namespace) -> int:
    """0 when all held, 1 when an assertion failed or the worlds differ."""
    if arguments.all_variants and arguments.variant:
        raise UsageError("--variant and --all-variants exclude each other")
    if arguments.trace and arguments.kernel:
        raise UsageError("--trace is for the simulator: the kernel's packets are followed with --capture")
    if arguments.report == "":
        raise UsageError("--report: expected the name of a file")
    if arguments.report is not None and not Path(arguments.report).absolute().parent.is_dir():
        raise UsageError(f"--report: there is no folder {str(Path(arguments.report).parent)!r}")  # before a long run
    names = [arguments.variant]
    if arguments.all_variants:
        names = list(named_lab(arguments).variants)
        if not names:
            raise UsageError("the lab has no variants")
        if arguments.report or arguments.format == "json":
            raise UsageError("--report and --format json are for one variant")
    gc.enable()  # the command turns it off for compiles; a lab makes connections, and they have cycles
    runs = []
    for name in names:
        done = _one(arguments, name)
        runs.append(done)
        if arguments.format == "text":
            emit_lines(_lines(done, arguments))
    if arguments.format == "json":
        from labs.report.document import document

        emit_json(document(runs[0].lab, runs[0].worlds, runs[0].differences))
    if arguments.report:
        from labs.report import write_report

        done = runs[0]
        write_whole(arguments.report, write_report(done.lab, done.worlds, _command(arguments), done.differences))
        note(f"report: {arguments.report}")
    if len(runs) > 1:
        wrong = [done.variant for done in runs if not done.is_right]
        said = f"{count(len(runs), 'variant')}: " + (f"wrong: {', '.join(wrong)}" if wrong else "all right")
        emit_lines([said])
    return 0 if all(done.is_right for done in runs) else 1


def _outputs(arguments: Namespace) -> Path | None:
    """Where the outputs of programs and commands are kept. UsageError where there is no such folder."""
    if arguments.outputs is not None and not Path(arguments.outputs).is_dir():
        raise UsageError(f"--outputs: there is no folder {arguments.outputs!r}")
    return None if arguments.outputs is None else Path(arguments.outputs)


def _one(arguments: Namespace, variant: str) -> _Run:
    from labs.report.page import World

    outputs = _outputs(arguments)

    found = named_lab(arguments, variant)
    lab = found.lab
    note(*(warning.render() for warning in found.warnings))
    captures, traced = _captures(arguments.capture, lab), _traced(arguments.trace, lab)
    # What only an assertion looks at stays nowhere, unless a folder is named for it.
    kept = captures if arguments.captures is not None else _wanted(arguments.capture, lab)
    folder = Path("." if arguments.captures is None else arguments.captures)
    if captures and not folder.is_dir():
        raise UsageError(f"--captures: there is no folder {arguments.captures!r}")
    seed = lab.seed if arguments.seed is None else arguments.seed
    worlds, seconds = [], []
    for name in ("simulator", "kernel") if arguments.both else ("kernel",) if arguments.kernel else ("simulator",):
        place = aside(folder, is_asked=bool(kept)) if captures else nullcontext(folder)
        with LabProgress(f"{lab.name} in the {name}") as progress, place as making:
            if name == "kernel":
                from labs.kernel import run as run_in_kernel

                observation = run_in_kernel(
                    lab, seed=seed, captures=captures, folder=making, progress=progress, outputs=outputs
                )
            else:
                from labs.simulated import run as simulate

                observation = simulate(
                    lab, seed=seed, captures=captures, folder=making, progress=progress, trace=traced
                )
            seconds.append(progress.seconds)
            verdicts = judge_all(lab, observation)
            worlds.append(World(keep(observation, kept, folder) if captures else observation, verdicts))
    differences = compare(lab, worlds[0].observation, worlds[1].observation) if arguments.both else None
    return _Run(lab, variant, tuple(worlds), tuple(seconds), differences)


def _captures(named: Sequence[str], lab: Lab) -> tuple[str, ...]:
    """The links to capture: those of the command line's patterns, and those that an assertion looks at."""
    return tuple(dict.fromkeys([*_wanted(named, lab), *captured_links(lab)]))


def _wanted(named: Sequence[str], lab: Lab) -> tuple[str, ...]:
    """The links that the command line's patterns name."""
    links = [link.name for link in lab.links]
    for pattern in named:
        if not any(fnmatchcase(name, pattern) for name in links):
            raise UsageError(f"--capture: the lab has no link {pattern!r}{near(pattern, links)}")
    return tuple(name for name in links if any(fnmatchcase(name, pattern) for pattern in named))


def _traced(patterns: Sequence[str], lab: Lab) -> tuple[str, ...]:
    """The activities to follow, by the patterns of the command line."""
    names = [traffic.name for traffic in lab.traffic]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UsageError(f"--trace: no activity is called {pattern!r}{near(pattern, names)}")
    return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def _command(arguments: Namespace) -> str:
    """The command that repeats the run."""
    words = ["gerbang", "lab", "run", arguments.lab]
    words += ["--kernel"] if arguments.kernel else ["--both"] if arguments.both else []
    words += ["--variant", arguments.variant] if arguments.variant else []
    for name, value in arguments.settings:
        words += ["--set", f"{name}={value}"]
    words += [] if arguments.seed is None else ["--seed", str(arguments.seed)]
    for link in arguments.capture:
        words += ["--capture", link]
    return shlex.join(words)


# -- text ---------------------------------------------------------------------------


def _lines(done: _Run, arguments: Namespace) -> Iterator[str]:
    paint = Paint(sys.stdout)
    name = f"{done.lab.name}, variant {done.variant}," if done.variant else done.lab.name
    for world, seconds in zip(done.worlds, done.seconds, strict=True):
        observation = world.observation
        yield (
            f"{name} in the {observation.world}, seed {observation.seed}: "
            f"{format_duration(observation.duration)} of lab time in {seconds:.2f} s"
        )
        for verdict in world.verdicts:
            yield from _verdict(verdict, paint)
        yield from (paint.bad(f"  {show_fallen(program)}") for program in observation.fallen())
        for feature, reason in observation.lacks:
            yield paint.faint(f"  no {feature} here: {reason}")
        if arguments.verbose:
            yield from _activities(world)
        for event in observation.trace:
            yield event.line()
        yield from (f"  output: {path}" for path in observation.outputs())
        for link, path in observation.captures:
            yield f"  captured {link}: {path}"
        yield _tally(world, paint)
    if done.differences is not None:
        shared = in_both(done.lab, *(world.observation for world in done.worlds))
        yield from _differences(done.differences, shared, paint)
        counts = uncompared(done.lab, *(world.observation for world in done.worlds))
        if counts:
            yield f"  not compared, for chance or time decides: datagrams that arrived of {several(counts)}"
        for sentence in left_out(done.lab, *(world.observation for world in done.worlds)):
            yield f"  not compared: {sentence}"
        unsure = unsettled(done.lab, done.worlds[0].observation)
        if unsure:
            yield f"  not compared, for a watch was finding out: connections of {several(unsure)}"


def _verdict(verdict: Verdict, paint: Paint) -> Iterator[str]:
    colour = {VerdictState.HELD: paint.good, VerdictState.FAILED: paint.bad, VerdictState.SKIPPED: paint.doubtful}
    word = verdict.state.value.upper() if verdict.state is VerdictState.FAILED else verdict.state.value
    yield f"  {colour[verdict.state](f'{word:8}')} {verdict.assertion.word}: {verdict.message}"
    if verdict.state is not VerdictState.HELD:
        yield paint.faint(f"           {verdict.assertion.span}: {say(verdict.assertion)}")


def _tally(world: World, paint: Paint) -> str:
    counts = {state: sum(one.state is state for one in world.verdicts) for state in VerdictState}
    failed = f"{counts[VerdictState.FAILED]} failed"
    skipped = counts[VerdictState.SKIPPED]
    words = [f"{counts[VerdictState.HELD]} held", paint.bad(failed) if counts[VerdictState.FAILED] else failed]
    return ", ".join(words + ([f"{skipped} skipped"] if skipped else []))


def _activities(world: World) -> Iterator[str]:
    for outcome in world.observation.outcomes:
        words = [count(len(outcome.connections), "connection")] if outcome.connections else []
        words += [f"{len(outcome.failures):,} failed"] if outcome.failures else []
        words += [format_octets(outcome.transferred)] if outcome.transferred else []
        words += [f"{outcome.received:,} of {outcome.sent:,} arrived"] if outcome.sent else []
        yield f"  {outcome.traffic}: {', '.join(words) or 'nothing'}"
    for command in world.observation.commands:
        said = f"{how_it_ended(command.status)} [{last_lines(command.output)}]"
        yield f"  {command.traffic}#{command.index}: {said}"
    for drop in world.observation.drops:
        place = f" at {drop.place}" if drop.place else ""
        yield f"  {drop.node} dropped {count(drop.packets, 'packet')}: {drop.reason}{place}"


def _differences(differences: Sequence[Difference], shared: tuple[int, int], paint: Paint) -> Iterator[str]:
    if not differences:
        yield _agreement(shared, paint)
        return
    yield paint.bad(f"the worlds differ in {count(len(differences), 'thing')}") + " (simulator | kernel):"
    yield from (f"  {difference}" for difference in differences[:40])
    if len(differences) > 40:
        yield f"  … and {len(differences) - 40:,} more"


def _agreement(shared: tuple[int, int], paint: Paint) -> str:
    """No difference is no agreement about what did not run in both."""
    compared, number = shared
    if number and not compared:
        return paint.doubtful("nothing was compared: no activity ran in both worlds")
    said = paint.good("the worlds agree, connection by connection")
    return (
        said
        if compared == number
        else f"{said}, in the {compared} of {count(number, 'activity', 'activities')} that both ran"
    )
