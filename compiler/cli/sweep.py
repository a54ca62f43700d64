"""``gerbang sweep SOURCE``: one question of thousands of items, on all cores or a cluster. Sources are pluggable."""

from __future__ import annotations

import gc
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sized
from contextlib import closing
from typing import TYPE_CHECKING

from compiler.cli import sweep_configs, sweep_run
from compiler.cli.arguments import positive
from compiler.cli.output import Paint, emit, emit_lines, note
from compiler.cli.progress import Progress
from compiler.cli.sweep_source import GROUP, Plan, Source
from compiler.cli.verb import Verb
from compiler.cli.verbs import registered

if TYPE_CHECKING:
    from compiler.testing.sweeps.result import Result
    from compiler.testing.sweeps.summary import Summary

__all__ = ["verb"]

OWN = {"configs": sweep_configs.source, "run": sweep_run.source}


def _sources() -> dict[str, Source]:
    """Our own, then those of entry points; one that cannot be loaded is told and left out."""
    found = dict(OWN)
    for one in sorted(registered(GROUP)):
        if one.name in found:
            continue
        try:
            from importlib import import_module

            module, _, attribute = one.target.partition(":")
            loaded: Source = getattr(import_module(module), attribute)
        except Exception as error:  # whatever a stranger's module raises must not break ours
            note(f"gerbang sweep: the source {one.name!r} of {one.distribution} cannot be loaded: {error}")
            continue
        found[one.name] = loaded
    return found


def _configure(parser: ArgumentParser) -> None:
    sources = parser.add_subparsers(dest="source", metavar="SOURCE", required=True)
    for name, source in _sources().items():
        one = sources.add_parser(name, help=source.summary, description=source.summary, allow_abbrev=False)
        _add_common(one)
        source.configure(one)
        one.set_defaults(plan=source.plan)


def _add_common(parser: ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--processes", type=_count, metavar="N", help="of this machine (default: all cores; 0: this process)"
    )
    who.add_argument("--cluster", metavar="URL", help="a Dask scheduler, such as tcp://10.0.0.5:8786")
    parser.add_argument("--journal", metavar="FILE", help="keep what is found here, line by line")
    parser.add_argument("--resume", action="store_true", help="go on with the journal of an earlier run")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="for one item (default: none)")
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="findings and a summary, or a JSON object on each line for every item (default: text)",
    )
    parser.add_argument("--verbose", action="store_true", help="also tell of items where all holds")


def _count(text: str) -> int:
    return 0 if text == "0" else positive(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ArgumentTypeError(f"{text!r}: expected seconds, more than 0")
    return seconds


def _run(arguments: Namespace) -> int:
    from compiler.testing.sweeps.summary import Summary
    from compiler.testing.sweeps.sweeping import sweep

    gc.enable()  # the command turns it off for compiles; a sweep lasts
    _check_journal(arguments)
    plan: Plan = arguments.plan(arguments)
    summary = Summary()
    total = len(plan.items) if isinstance(plan.items, Sized) else 0
    results = sweep(
        plan.items,
        plan.check,
        executor=arguments.cluster,
        processes=arguments.processes,
        journal=arguments.journal,
        timeout=arguments.timeout,
    )
    with Progress("sweeping") as progress, closing(results):
        try:
            for result in results:
                summary.add(result)
                if _is_told(result, arguments):
                    progress.clear()
                    _tell(result, arguments)
                progress(summary.total, total)
        except KeyboardInterrupt:
            progress.clear()
            note(*_interrupted(summary, arguments))
            raise
    if not summary.total:
        note("there was nothing to sweep")
    _conclude(summary, arguments)
    return 0 if summary.holds else 1


def _check_journal(arguments: Namespace) -> None:
    """A journal that is there is gone on with only when that is said: it might be of another night."""
    import os

    from compiler.errors import UsageError

    if arguments.resume and not arguments.journal:
        raise UsageError("--resume goes with --journal FILE")
    if arguments.journal and not arguments.resume:
        try:
            begun = os.path.getsize(arguments.journal) > 0
        except OSError:
            return
        if begun:
            raise UsageError(f"{arguments.journal!r} is there already: --resume goes on with it; or name another file")


def _is_told(result: Result, arguments: Namespace) -> bool:
    return arguments.format == "json" or arguments.verbose or not result.held


def _tell(result: Result, arguments: Namespace) -> None:
    if arguments.format == "json":
        _emit_line(result.as_json())
        return
    paint = Paint(sys.stdout)
    first, *more = result.lines()
    for word in ("FAILED", "BROKEN"):
        first = first.replace(f": {word}", f": {paint.bad(word)}", 1)
    emit_lines([first, *more])
    sys.stdout.flush()


def _conclude(summary: Summary, arguments: Namespace) -> None:
    if arguments.format == "json":
        _emit_line(summary.as_json())
    else:
        emit_lines(["", *summary.lines()] if summary.groups() or arguments.verbose else summary.lines())


def _emit_line(data: dict[str, object]) -> None:
    import json

    emit(json.dumps(data, ensure_ascii=False))
    sys.stdout.flush()


def _interrupted(summary: Summary, arguments: Namespace) -> list[str]:
    done = f"{summary.total:,} items were done"
    if not arguments.journal:
        return [f"{done}; with --journal FILE the next run could have gone on from here"]
    return [f"{done}; the same command with --resume goes on from here"]


verb = Verb(
    "ask one question of every configuration, failure or seed, on all cores or a Dask cluster",
    _configure,
    _run,
    tuple(example for source in OWN.values() for example in source.examples),
)
