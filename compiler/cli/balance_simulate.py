"""``gerbang balance simulate``: what an intent or a script will do, under load and when uplinks die."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from compiler.cli.arguments import FILE, add_format, positive
from compiler.cli.output import Paint, emit_json, emit_lines, note
from compiler.cli.progress import Progress
from compiler.cli.verb import Verb
from compiler.placed.source_text import SourceText, read_source

if TYPE_CHECKING:
    from compiler.rehearsal import Rehearsal, RehearsalOptions

__all__ = ["action"]

TARGETS = ("linux", "routeros6", "routeros7")
WAYS = ("link", "gateway", "isp")
"""The values of :class:`compiler.rehearsal.WayToFail`, without the import; a test holds them together."""

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)(%?)")


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar=FILE, help='an intent (YAML) or a RouterOS script, "-" for standard input')
    parser.add_argument("--target", choices=TARGETS, help="what an intent is written for (default: routeros7)")
    parser.add_argument("--version", type=int, choices=(6, 7), help="RouterOS of a script (default: by its words)")
    parser.add_argument(
        "--uplink", action="append", default=[], metavar="INTERFACE", help="an uplink of a script (default: found out)"
    )
    parser.add_argument(
        "--inside", action="append", default=[], metavar="INTERFACE", help="a network inside (default: found out)"
    )
    parser.add_argument("--connections", type=positive, default=2000, metavar="N", help="short ones (default: 2000)")
    parser.add_argument("--clients", type=positive, default=40, metavar="N", help="hosts inside (default: 40)")
    parser.add_argument(
        "--repeat", type=_part, default=0.1, metavar="PART", help="of the first SYNs are sent twice (default: 10%%)"
    )
    parser.add_argument(
        "--fail",
        action="append",
        type=_failing,
        metavar="UPLINK:WAY",
        help=f"have only this happen; WAY is {', '.join(WAYS)} (default: each uplink in every way)",
    )
    parser.add_argument("--no-failures", action="store_true", help="let all uplinks live")
    parser.add_argument("--no-downloads", action="store_true", help="leave out the long downloads")
    parser.add_argument("--seed", default="1", help="another seed, other traffic (default: 1)")
    add_format(parser)


def _part(text: str) -> float:
    found = _PERCENT.fullmatch(text.strip())
    value = float(found[1]) / (100 if found[2] else 1) if found else -1
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text!r}: expected a part such as 10% or 0.1")
    return value


def _failing(text: str) -> tuple[str, str]:
    name, colon, way = text.rpartition(":")
    if not colon or not name or way not in WAYS:
        raise ArgumentTypeError(f"{text!r}: expected an uplink and a way, such as isp1:link ({', '.join(WAYS)})")
    return name, way


def _run(arguments: Namespace) -> int:
    from compiler.errors import UsageError

    if arguments.fail and arguments.no_failures:
        raise UsageError("--fail and --no-failures contradict each other")
    source = read_source(arguments.file)
    if source.note:
        note(source.note)
    with Progress("rehearsing") as progress:
        seen = _rehearse(source, arguments, _options(arguments), progress)
    if arguments.format == "json":
        emit_json(seen.as_json())
    else:
        emit_lines(_painted(seen.lines()))
    return int(not seen.holds)


def _options(arguments: Namespace) -> RehearsalOptions:
    from compiler.rehearsal import Failing, RehearsalOptions, WayToFail

    failures: tuple[Failing, ...] | None = None
    if arguments.fail or arguments.no_failures:
        failures = tuple(Failing(name, WayToFail(way)) for name, way in arguments.fail or ())
    return RehearsalOptions(
        arguments.connections,
        arguments.clients,
        arguments.repeat,
        failures,
        seed=arguments.seed,
        downloads=not arguments.no_downloads,
    )


def _rehearse(source: SourceText, arguments: Namespace, options: RehearsalOptions, progress: Progress) -> Rehearsal:
    from compiler.dialects import detect
    from compiler.errors import UsageError
    from compiler.rehearsal import rehearse_intent, rehearse_script

    if source.name.endswith(".rsc") or detect(source.text) == "routeros":
        if arguments.target:
            raise UsageError("--target is for intents: a script is for RouterOS; --version says for which")
        return rehearse_script(
            source.text,
            source.name,
            version=arguments.version,
            inside=tuple(arguments.inside),
            uplinks=tuple(arguments.uplink),
            options=options,
            progress=progress,
        )
    for option in ("version", "uplink", "inside"):
        if getattr(arguments, option):
            raise UsageError(f"--{option} is for scripts: an intent says it itself")
    return rehearse_intent(source.text, source.name, arguments.target or "routeros7", options, progress)


def _painted(lines: Iterable[str]) -> Iterable[str]:
    paint = Paint(sys.stdout)
    for line in lines:
        if line.startswith("WRONG:") or "OUT OF BOUNDS" in line or "NOT noticed" in line:
            yield paint.bad(line)
        else:
            yield paint.good(line) if line.startswith("VERDICT:") else line


action = Verb(
    "show what an intent or a script will do, under load and when uplinks die",
    _configure,
    _run,
    (
        "balance simulate isps.yaml --target linux",
        "balance simulate router.rsc --fail ISP1:isp --format json",
    ),
)
