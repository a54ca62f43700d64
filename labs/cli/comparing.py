"""``gerbang lab compare``: all variants of a lab, run and measured, in one table."""

from __future__ import annotations

import gc
import shlex
import sys
from argparse import Namespace
from pathlib import Path

from compiler.cli.output import Paint, emit_json, emit_lines, note, write_whole
from compiler.cli.progress import Progress
from compiler.errors import UsageError
from compiler.placed.complaints import near
from labs.cli.named import named_lab
from labs.comparison.runs import WORLDS, Asked, run_all
from labs.comparison.showing import as_json, page, text_lines

__all__ = ["run"]

_WORLDS = {"simulated": WORLDS[:1], "kernel": WORLDS[1:], "both": WORLDS}


def run(arguments: Namespace) -> int:
    """0 when all assertions of all variants held, 1 when one failed or the worlds differ."""
    if arguments.report is not None and not Path(arguments.report).absolute().parent.is_dir():
        raise UsageError(f"--report: there is no folder {str(Path(arguments.report).parent)!r}")  # before long runs
    found = named_lab(arguments, "")
    note(*(warning.render() for warning in found.warnings))
    for name in arguments.variants:
        if name not in found.variants:
            raise UsageError(f"there is no variant {name!r}{near(name, found.variants)}")
    names = tuple(dict.fromkeys(arguments.variants)) or found.variants
    if not names:
        raise UsageError("the lab has no variants")
    if arguments.plain:
        names = ("", *names)
    gc.enable()  # the command turns it off for compiles
    asked = Asked(arguments.lab, dict(arguments.settings), names, _WORLDS[arguments.world], arguments.seed)
    with Progress(f"variants of {found.lab.name}") as progress:
        done = run_all(asked, progress)
    about = {name: found.about.get(name, "") for name in names if name}
    if arguments.format == "json":
        emit_json(as_json(found.lab.name, found.lab.source, about, done))
    else:
        paint = Paint(sys.stdout)
        lines = text_lines(found.lab.name, done)
        emit_lines(paint.bad(line) if line.startswith("FAILED") else line for line in lines)
    if arguments.report:
        write_whole(arguments.report, page(found.lab.name, about, _command(arguments), done))
        note(f"report: {arguments.report}")
    return 0 if done.is_right else 1


def _command(arguments: Namespace) -> str:
    """The command that repeats the comparison."""
    words = ["gerbang", "lab", "compare", arguments.lab, "--world", arguments.world]
    words += ["--plain"] if arguments.plain else []
    for name in arguments.variants:
        words += ["--variant", name]
    for name, value in arguments.settings:
        words += ["--set", f"{name}={value}"]
    words += [] if arguments.seed is None else ["--seed", str(arguments.seed)]
    return shlex.join(words)
